//! The OpenAPI document: made from the same lines as the routes, refusals from the table of codes.
//!
//! Every operation names its refusals as `x-refusals`; here they become problem responses by status, with an example each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use talaria_core::Code;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::problem::{self, MEDIA_TYPE, Problem};

/// Where an operation lists its refusals.
const REFUSALS: &str = "x-refusals";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Talaria",
        description = "Chat that speaks MQTT: accounts, channels, history and sending. Refusals are problem details (RFC 9457) with a stable `code`. A 503 to a send may mean that it took effect: send again under the same `Idempotency-Key`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(problem::Body)),
    security(("token" = [])),
    tags(
        (name = "accounts", description = "Accounts, tokens and devices"),
        (name = "channels", description = "Channels and their members. To a non-member there is no difference between a channel and none: 403 `not_a_member`"),
        (name = "messages", description = "Conversations, history, sending, read marks"),
        (name = "health", description = "For whatever watches the server")
    )
)]
struct Frame;

/// The document before any route is in it.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token of `POST /v1/tokens`, or a device token"))
        .build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    document
}

/// The whole OpenAPI document.
pub fn openapi() -> Value {
    DOCUMENT.clone()
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    // A document that cannot be written shows in the tests, and would be served as null.
    let mut document = serde_json::to_value(crate::routes().to_openapi()).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let operations = paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut);
    for operation in operations.flat_map(|path| path.values_mut()).filter_map(Value::as_object_mut) {
        spell_refusals(operation);
    }
    document
});

fn spell_refusals(operation: &mut serde_json::Map<String, Value>) {
    let Some(Value::Array(names)) = operation.remove(REFUSALS) else { return };
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in names.iter().filter_map(Value::as_str).filter_map(code_named).chain([Code::Internal]) {
        by_status.entry(code.http()).or_default().push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), refusal(&codes));
    }
}

fn code_named(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.text() == name)
}

fn refusal(codes: &[Code]) -> Value {
    let description: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.text(), code.says())).collect();
    let examples: serde_json::Map<_, _> =
        codes.iter().map(|code| (code.text().to_owned(), json!({ "value": Problem::from(*code).body() }))).collect();
    json!({
        "description": description.join("; "),
        "content": { MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples } }
    })
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "health", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
    extensions(("x-refusals" = json!([])))
)]
pub(crate) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.to_string())
}
