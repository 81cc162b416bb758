//! Members of channels: listing, adding, leaving, removing.
//!
//! Any member may add; everybody may leave; only the owner, while a member, removes others.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use talaria_core::Code;
use talaria_port::channels::Change;
use utoipa::ToSchema;

use crate::Shared;
use crate::caller::Caller;
use crate::channels::members_for;
use crate::problem::Problem;
use crate::request::{self, InPath};
use crate::users::User;

/// Who is in a channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct Members {
    /// By id.
    members: Vec<User>,
}

/// Members of a channel of the caller's.
#[utoipa::path(
    get, path = "/v1/channels/{id}/members", operation_id = "list_members", tag = "channels",
    params(("id" = String, Path, description = "Channel id")),
    responses((status = 200, description = "Everyone who is a member now", body = Members)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "unavailable"])))
)]
pub(crate) async fn list(
    State(deps): State<Shared>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<axum::Json<Members>, Problem> {
    let ids = members_for(&deps, request::channel(&id)?, caller.user).await?;
    let mut accounts = deps.accounts.accounts(&ids).await?;
    accounts.sort_unstable_by_key(|account| account.id);
    Ok(axum::Json(Members { members: accounts.into_iter().map(User::from).collect() }))
}

/// Adds a member. Any member may; one who is in already stays in.
#[utoipa::path(
    put, path = "/v1/channels/{id}/members/{user}", operation_id = "add_member", tag = "channels",
    params(("id" = String, Path, description = "Channel id"), ("user" = String, Path, description = "Id, `@handle` or `me`")),
    responses((status = 204, description = "The user is a member")),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "unknown_user", "channel_full", "unavailable"])))
)]
pub(crate) async fn add(
    State(deps): State<Shared>,
    caller: Caller,
    InPath((id, user)): InPath<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = request::channel(&id)?;
    let members = members_for(&deps, id, caller.user).await?;
    let user = request::user(&deps, caller.user, "user", &user).await?;
    if members.contains(&user) {
        return Ok(StatusCode::NO_CONTENT);
    }
    if members.len() >= deps.settings.channel_members_max {
        return Err(Code::ChannelFull.into());
    }
    let changed = deps.membership.change(id, caller.user, &[user], Change::Join).await;
    changed.map_err(|refusal| Problem::from(refusal).hiding_channels())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves (`me`), or removes another, which only the owner may. Who is out already stays out.
#[utoipa::path(
    delete, path = "/v1/channels/{id}/members/{user}", operation_id = "remove_member", tag = "channels",
    params(("id" = String, Path, description = "Channel id"), ("user" = String, Path, description = "Id, `@handle` or `me`")),
    responses((status = 204, description = "The user is no member; to oneself so answered for any channel, to tell strangers nothing")),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "not_allowed", "unknown_user", "unavailable"])))
)]
pub(crate) async fn remove(
    State(deps): State<Shared>,
    caller: Caller,
    InPath((id, user)): InPath<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = request::channel(&id)?;
    let members = members_for(&deps, id, caller.user).await;
    let user = request::user(&deps, caller.user, "user", &user).await?;
    let members = match members {
        // A repeated leave finds itself outside, and is no error.
        Err(problem) if problem.code() == Code::NotAMember && user == caller.user => return Ok(StatusCode::NO_CONTENT),
        members => members?,
    };
    if user != caller.user {
        let channel = deps.channels.channel(id).await?.ok_or(Code::NotAMember)?;
        if channel.owner != caller.user {
            return Err(Problem::new(Code::NotAllowed, "only the owner of a channel removes other members"));
        }
    }
    if members.contains(&user) {
        let changed = deps.membership.change(id, caller.user, &[user], Change::Leave).await;
        changed.map_err(|refusal| Problem::from(refusal).hiding_channels())?;
    }
    Ok(StatusCode::NO_CONTENT)
}
