//! Refusals as RFC 9457 problem details.
//!
//! Every answer above 399 is one of these, those of the router included. `code` is the stable part; `type` is the same as a URI.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use talaria_core::Code;
use talaria_port::{Refusal, StoreError};
use utoipa::ToSchema;

/// The media type (RFC 9457 §3).
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds a client is asked to wait after 429 and 503.
const RETRY_AFTER_S: &str = "1";

/// Why a request was refused (RFC 9457).
#[derive(Serialize, ToSchema, Debug)]
#[schema(as = Problem)]
pub(crate) struct Body {
    /// `urn:talaria:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The same sentence for every problem of this code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong this time; for people.
    detail: String,
    /// Stable, for programs.
    code: &'static str,
    /// The offending field, query parameter or header, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    field: Option<String>,
}

impl Problem {
    /// With a detail of its own.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// A request of which one field is wrong: `request_invalid`.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::RequestInvalid, detail).at(field)
    }

    /// Names the offending field.
    #[must_use]
    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Whether a channel exists is nobody's business but its members': to all others it is as if they were not let in.
    #[must_use]
    pub(crate) fn hiding_channels(self) -> Self {
        if self.code == Code::UnknownChannel { Code::NotAMember.into() } else { self }
    }

    /// As it is written.
    pub(crate) fn body(self) -> Body {
        Body {
            kind: format!("urn:talaria:problem:{}", self.code.text()),
            title: self.code.says(),
            status: self.code.http(),
            detail: self.detail.into_owned(),
            code: self.code.text(),
            field: self.field,
        }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, code.says())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.reason)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a store failed under a request");
        Refusal::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = self.code;
        let mut response = (status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match code {
            Code::NotAuthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::RateLimited | Code::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
            }
            _ => {}
        }
        response
    }
}
