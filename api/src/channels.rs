//! Channels: making one, looking at one.
//!
//! Whoever is no member gets 403 `not_a_member`, whether there is such a channel or not.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use talaria_core::limits::CHANNEL_NAME_CHARS_MAX;
use talaria_core::{ChannelId, Code, UserId};
use talaria_port::channels::Channel;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::request::{self, InPath, Json};
use crate::{Deps, Shared};

/// A channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelSeen {
    /// Snowflake, in decimal.
    #[schema(example = "7151335096320003")]
    id: String,
    /// The conversation of this channel.
    #[schema(example = "channel/7151335096320003")]
    conv: String,
    /// 1 to 200 characters.
    #[schema(example = "lunch")]
    name: String,
    /// The id of the user who made it.
    #[schema(example = "7151335096320001")]
    owner: String,
    /// Whether members see what was written before they joined.
    history_shared: bool,
    /// When it was made, Unix ms.
    #[schema(example = 1_764_000_000_000_u64)]
    created_at: u64,
}

impl From<Channel> for ChannelSeen {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            conv: format!("channel/{}", channel.id),
            name: channel.name,
            owner: channel.owner.to_string(),
            history_shared: channel.history_shared,
            created_at: channel.created_unix_ms,
        }
    }
}

/// A channel to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewChannel {
    /// 1 to 200 characters, none of them a control character.
    #[schema(example = "lunch")]
    name: String,
    /// Ids or `@handle`s of the first members; the caller is one in any case.
    #[serde(default)]
    #[schema(example = json!(["@lee", "7151335096320001"]))]
    members: Vec<String>,
    /// Whether members see what was written before they joined.
    #[serde(default)]
    history_shared: bool,
}

/// Makes a channel, owned by the caller.
#[utoipa::path(
    post, path = "/v1/channels", operation_id = "create_channel", tag = "channels", request_body = NewChannel,
    responses((status = 201, description = "The channel is made and its members are in", body = ChannelSeen)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "unknown_user", "channel_full", "too_large", "unavailable"])))
)]
pub(crate) async fn create(
    State(deps): State<Shared>,
    caller: Caller,
    Json(wish): Json<NewChannel>,
) -> Result<(StatusCode, axum::Json<ChannelSeen>), Problem> {
    check_name(&wish.name)?;
    let members = first_members(&deps, caller.user, &wish.members).await?;
    let drawn = deps.ids.draw()?;
    let channel = Channel {
        id: ChannelId::new(drawn).ok_or(Code::Internal)?,
        name: wish.name,
        owner: caller.user,
        created_unix_ms: deps.clock.unix_ms(),
        history_shared: wish.history_shared,
    };
    deps.membership.create(channel.clone(), &members).await?;
    Ok((StatusCode::CREATED, axum::Json(channel.into())))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=CHANNEL_NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.trim().is_empty() && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Problem::field(
        "name",
        format!("`name` must be 1 to {CHANNEL_NAME_CHARS_MAX} characters, not blank, without control characters"),
    ))
}

/// The owner first, then the others, each once.
async fn first_members(deps: &Deps, owner: UserId, wished: &[String]) -> Result<Vec<UserId>, Problem> {
    // Before any is looked up, so that a long list costs nothing.
    if wished.len() > deps.settings.channel_members_max {
        return Err(Problem::from(Code::ChannelFull).at("members"));
    }
    let mut members = vec![owner];
    for (place, text) in wished.iter().enumerate() {
        let user = request::user(deps, owner, &format!("members[{place}]"), text).await?;
        if !members.contains(&user) {
            members.push(user);
        }
    }
    if members.len() > deps.settings.channel_members_max {
        return Err(Problem::from(Code::ChannelFull).at("members"));
    }
    Ok(members)
}

/// A channel of the caller's.
#[utoipa::path(
    get, path = "/v1/channels/{id}", operation_id = "show_channel", tag = "channels",
    params(("id" = String, Path, description = "Channel id")),
    responses((status = 200, description = "The channel", body = ChannelSeen)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "unavailable"])))
)]
pub(crate) async fn show(
    State(deps): State<Shared>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<axum::Json<ChannelSeen>, Problem> {
    let id = request::channel(&id)?;
    members_for(&deps, id, caller.user).await?;
    let channel = deps.channels.channel(id).await?.ok_or(Code::NotAMember)?;
    Ok(axum::Json(channel.into()))
}

/// The members of a channel, for one of them; refused to everybody else in the same words as if there were none.
pub(crate) async fn members_for(deps: &Deps, id: ChannelId, caller: UserId) -> Result<Vec<UserId>, Problem> {
    let members = deps.membership.members(id).await.map_err(|refusal| Problem::from(refusal).hiding_channels())?;
    members.filter(|members| members.contains(&caller)).ok_or_else(|| Code::NotAMember.into())
}
