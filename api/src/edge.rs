//! What every request passes through: request id, trace, deadline, body bound, and problems for what the router refuses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use talaria_core::Code;
use talaria_core::limits::{HTTP_BODY_BYTES_MAX, HTTP_DEADLINE_S};
use tracing::Instrument as _;

use crate::Shared;
use crate::problem::Problem;

/// Carries the request's number in this process's log.
const REQUEST_ID: &str = "x-request-id";

/// Puts the edge around the routes.
pub(crate) fn around(router: Router<Shared>) -> Router<Shared> {
    router
        .fallback(async || Problem::new(Code::NotFound, "there is no such resource"))
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX))
        .layer(from_fn(within_deadline))
        .layer(from_fn(traced))
}

async fn within_deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(Duration::from_secs(HTTP_DEADLINE_S), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Problem::new(Code::Unavailable, "it took too long; whether it took effect is not known").into_response()
        }
    }
}

/// One span a request. Headers and the query stay out of it: they may hold secrets.
async fn traced(request: Request, next: Next) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let id = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    async move {
        let mut response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response.headers_mut().insert(REQUEST_ID, HeaderValue::from(id));
        response
    }
    .instrument(span)
    .await
}
