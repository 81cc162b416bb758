//! How far the caller has read.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use talaria_core::Seq;
use talaria_port::ingest::{Intake, Outcome};
use utoipa::ToSchema;

use crate::Shared;
use crate::caller::Caller;
use crate::events::may_enter;
use crate::messages::not_stored;
use crate::problem::Problem;
use crate::request::{self, InPath, Json};

/// A read mark.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReadUpTo {
    /// The last seq read; cut to the head, and never falls.
    #[schema(example = 42)]
    seq: u64,
}

/// Marks the conversation as read up to a seq.
#[utoipa::path(
    put, path = "/v1/conversations/{kind}/{id}/read", operation_id = "mark_read", tag = "messages", request_body = ReadUpTo,
    params(("kind" = String, Path, description = "`dm`, `channel` or `self`"), ("id" = String, Path, description = "`{low}-{high}` for dm, else the id")),
    responses((status = 204, description = "Marked")),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "too_large", "unavailable"])))
)]
pub(crate) async fn mark(
    State(deps): State<Shared>,
    caller: Caller,
    InPath((kind, id)): InPath<(String, String)>,
    Json(upto): Json<ReadUpTo>,
) -> Result<StatusCode, Problem> {
    let conversation = request::conversation(&kind, &id)?;
    may_enter(conversation, caller.user)?;
    match deps.submit.submit_one(caller.user, conversation, Intake::Read(Seq(upto.seq))).await {
        Outcome::Done | Outcome::Stored { .. } => Ok(StatusCode::NO_CONTENT),
        other => Err(not_stored(other)),
    }
}
