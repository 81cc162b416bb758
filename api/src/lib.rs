//! The HTTP API (PROTOCOL "HTTP"): one file a resource, axum's router and the OpenAPI document from the same lines.
//!
//! It asks ports and [`Accounts`], and must not know a store, the sequencer's insides or MQTT. A request runs through
//! [`edge`] (request id, deadline, body bound), is read by [`request`], answered by its resource, and every refusal leaves
//! as a [`problem`]. For a new resource: a file beside [`channels`], its routes in [`routes()`]; the document follows by itself.

mod accounts;
mod caller;
mod channels;
mod conversations;
mod document;
mod edge;
mod events;
mod health;
mod me;
mod members;
mod messages;
mod problem;
mod reads;
mod request;
mod sync;
mod sync_cursor;
mod tokens;
mod users;

use std::sync::Arc;

use axum::Router;
use talaria_core::limits::CHANNEL_MEMBERS_MAX;
use talaria_port::channels::ChannelStore;
use talaria_port::clock::Clock;
use talaria_port::history::{CatchUps, History};
use talaria_port::ids::Ids;
use talaria_port::ingest::Submit;
use talaria_port::membership::Membership;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use accounts::{Accounts, LoggedIn};
pub use document::openapi;

/// What an operator may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Members of a channel, its owner included. Beyond: 409 `channel_full`.
    pub channel_members_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { channel_members_max: CHANNEL_MEMBERS_MAX }
    }
}

/// Everything the API asks.
pub struct Deps {
    /// Accounts, credentials and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// Channels as they are stored.
    pub channels: Arc<dyn ChannelStore>,
    /// Changes of members, through the sequencer.
    pub membership: Arc<dyn Membership>,
    /// Pages, heads and lists of conversations.
    pub history: Arc<dyn History>,
    /// Where messages and read marks go.
    pub submit: Arc<dyn Submit>,
    /// What a returning client missed.
    pub catch_ups: Arc<dyn CatchUps>,
    /// Ids of new channels.
    pub ids: Arc<dyn Ids>,
    /// Wall time of new channels.
    pub clock: Arc<dyn Clock>,
    /// Whether the server takes traffic; `/readyz` tells it.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// What an operator may change.
    pub settings: Settings,
}

/// What handlers share.
type Shared = Arc<Deps>;

/// The whole API. The caller serves it, beside other routers where there are some.
pub fn router(deps: Deps) -> Router {
    let (router, _) = routes().split_for_parts();
    edge::around(router).with_state(Arc::new(deps))
}

/// Every route with its part of the document.
fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(document::frame())
        .routes(routes!(users::sign_up))
        .routes(routes!(tokens::log_in))
        .routes(routes!(me::who_am_i))
        .routes(routes!(me::add_device_token))
        .routes(routes!(channels::create))
        .routes(routes!(channels::show))
        .routes(routes!(members::list))
        .routes(routes!(members::add, members::remove))
        .routes(routes!(conversations::list))
        .routes(routes!(sync::moved))
        .routes(routes!(events::page, events::send))
        .routes(routes!(messages::send_to_user))
        .routes(routes!(reads::mark))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(document::serve))
}
