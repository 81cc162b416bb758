//! The caller's own account.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use talaria_core::Code;
use utoipa::ToSchema;

use crate::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::request::Json;
use crate::tokens::DeviceSeen;
use crate::users::User;

/// Who the bearer of the token is.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "who_am_i", tag = "accounts",
    responses((status = 200, description = "The caller", body = User)),
    extensions(("x-refusals" = json!(["not_authenticated", "unavailable"])))
)]
pub(crate) async fn who_am_i(State(deps): State<Shared>, caller: Caller) -> Result<axum::Json<User>, Problem> {
    let account = deps.accounts.account(caller.user).await?;
    // A token whose account is gone proves nothing.
    account.map(|account| axum::Json(account.into())).ok_or_else(|| Code::NotAuthenticated.into())
}

/// A device to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewDevice {
    /// As its user calls it.
    #[schema(example = "lamp")]
    device: String,
}

/// A token that does not expire; shown once and kept only as its hash.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceToken {
    /// `tld_` and 256 random bits.
    device_token: String,
    /// What it was issued for.
    device: DeviceSeen,
}

/// Makes a device with a token of its own.
#[utoipa::path(
    post, path = "/v1/me/device-tokens", operation_id = "add_device_token", tag = "accounts", request_body = NewDevice,
    responses((status = 201, description = "The token, shown this once", body = DeviceToken)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "too_large", "unavailable"])))
)]
pub(crate) async fn add_device_token(
    State(deps): State<Shared>,
    caller: Caller,
    Json(wish): Json<NewDevice>,
) -> Result<(StatusCode, axum::Json<DeviceToken>), Problem> {
    let (device_token, device) = deps.accounts.add_device_token(caller.user, &wish.device).await?;
    Ok((StatusCode::CREATED, axum::Json(DeviceToken { device_token, device: device.into() })))
}
