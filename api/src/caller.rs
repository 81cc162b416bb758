//! Who asks: the bearer of the token.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use talaria_core::{Code, UserId};

use crate::Shared;
use crate::problem::Problem;

/// An authenticated user. The token is read here and goes no further, into no log either.
pub(crate) struct Caller {
    pub(crate) user: UserId,
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Shared) -> Result<Self, Problem> {
        let token = bearer(parts)
            .ok_or_else(|| Problem::new(Code::NotAuthenticated, "the header `Authorization: Bearer …` is missing"))?;
        let identity = deps.accounts.identify(token).await?;
        let identity = identity.ok_or_else(|| Problem::new(Code::NotAuthenticated, "the token is not valid"))?;
        Ok(Self { user: identity.user })
    }
}

/// The token of RFC 6750 §2.1; the scheme's name is in any case (RFC 9110 §11.1).
fn bearer(parts: &Parts) -> Option<&[u8]> {
    let value = parts.headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token.trim_ascii())
}
