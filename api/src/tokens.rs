//! Logging in: a password for an access token.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use talaria_port::accounts::Device;
use utoipa::ToSchema;

use crate::Shared;
use crate::problem::Problem;
use crate::request::Json;
use crate::users::User;

/// What tokens are issued for.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceSeen {
    /// Snowflake, in decimal.
    #[schema(example = "7151335096320002")]
    id: String,
    /// As its user calls it.
    #[schema(example = "phone")]
    name: String,
    /// When it was made, Unix ms.
    #[schema(example = 1_764_000_000_000_u64)]
    created_at: u64,
}

impl From<Device> for DeviceSeen {
    fn from(device: Device) -> Self {
        Self { id: device.id.to_string(), name: device.name, created_at: device.created_unix_ms }
    }
}

/// Who logs in, and on what.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LogIn {
    /// Whose account.
    #[schema(example = "@kim")]
    handle: String,
    /// The account's password.
    #[schema(example = "correct horse battery staple", format = "password")]
    password: String,
    /// As its user calls it.
    #[schema(example = "phone")]
    device: String,
}

/// A fresh token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// For `Authorization: Bearer` and as MQTT password.
    access_token: String,
    /// Seconds.
    #[schema(example = 3600)]
    expires_in: u64,
    /// Who logged in.
    user: User,
    /// What the token was issued for.
    device: DeviceSeen,
}

/// Logs in.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "log_in", tag = "accounts", request_body = LogIn, security(()),
    responses((status = 201, description = "Logged in", body = Token)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "rate_limited", "too_large", "unavailable"])))
)]
pub(crate) async fn log_in(
    State(deps): State<Shared>,
    Json(wish): Json<LogIn>,
) -> Result<(StatusCode, axum::Json<Token>), Problem> {
    let logged_in = deps.accounts.log_in(&wish.handle, &wish.password, &wish.device).await?;
    let token = Token {
        access_token: logged_in.access_token,
        expires_in: logged_in.expires_in_s,
        user: logged_in.account.into(),
        device: logged_in.device.into(),
    };
    Ok((StatusCode::CREATED, axum::Json(token)))
}
