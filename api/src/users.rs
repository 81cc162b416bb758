//! Signing up, and users as clients see them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use talaria_port::accounts::Account;
use utoipa::ToSchema;

use crate::Shared;
use crate::problem::Problem;
use crate::request::Json;

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// Snowflake, in decimal.
    #[schema(example = "7151335096320001")]
    id: String,
    /// Unique.
    #[schema(example = "@kim")]
    handle: String,
    /// For people, in any script.
    #[schema(example = "김민지")]
    name: String,
    /// When the account was made, Unix ms.
    #[schema(example = 1_764_000_000_000_u64)]
    created_at: u64,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.to_string(),
            handle: account.handle.to_string(),
            name: account.name,
            created_at: account.created_unix_ms,
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignUp {
    /// `@` and 3 to 32 of `a-z 0-9 . _ -`.
    #[schema(example = "@kim")]
    handle: String,
    /// 8 to 256 characters.
    #[schema(example = "correct horse battery staple", format = "password")]
    password: String,
    /// Left out or empty, the handle without its `@`.
    #[schema(example = "김민지")]
    #[serde(default)]
    name: Option<String>,
}

/// Makes an account.
#[utoipa::path(
    post, path = "/v1/users", operation_id = "sign_up", tag = "accounts", request_body = SignUp, security(()),
    responses((status = 201, description = "The account is made", body = User)),
    extensions(("x-refusals" = json!(["request_invalid", "handle_invalid", "password_invalid", "handle_taken", "too_large", "unavailable"])))
)]
pub(crate) async fn sign_up(
    State(deps): State<Shared>,
    Json(wish): Json<SignUp>,
) -> Result<(StatusCode, axum::Json<User>), Problem> {
    let name = wish.name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| wish.handle.trim_start_matches('@').to_owned());
    let account = deps.accounts.sign_up(&wish.handle, &wish.password, &name).await?;
    Ok((StatusCode::CREATED, axum::Json(account.into())))
}
