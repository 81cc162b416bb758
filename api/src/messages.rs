//! Sending: the payload that would be published, the outcome that a PUBACK would carry.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use talaria_core::limits::KEY_BYTES_MAX;
use talaria_core::payload::{self, PayloadError};
use talaria_core::{Code, ConversationId, UserId};
use talaria_port::ingest::{Intake, Outcome};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::request::{self, InPath, Raw};
use crate::{Deps, Shared};

/// A message to be sent. A body that is not a JSON object is taken as the text; unknown fields are left out.
#[derive(ToSchema)]
#[schema(as = Message, example = json!({"key": "5f0c-1", "text": "안녕 🎉", "reply_to": {"id": "7151335096320009", "seq": 41}}))]
#[allow(dead_code, reason = "describes for the document what talaria_core::payload reads")]
pub(crate) struct MessageShape {
    /// Idempotency key, 1 to 64 bytes; also as header `Idempotency-Key`.
    key: Option<String>,
    /// At most 100,000 characters. One of `text`, `media`, `data` is needed.
    text: Option<String>,
    /// The message answered.
    reply_to: Option<Reference>,
    /// Ids of the users mentioned, at most 500.
    mentions: Option<Vec<String>>,
    /// Ids of media, at most 500.
    media: Option<Vec<String>>,
    /// Anything of the client's own.
    #[schema(value_type = Option<Object>)]
    data: Option<()>,
}

/// An event by id and seq.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes for the document what talaria_core::payload reads")]
pub(crate) struct Reference {
    /// Snowflake, in decimal.
    id: String,
    /// Its place in the conversation.
    seq: u64,
}

/// Where the message is now. A repeat under the same key gets the same answer, the first one's.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sent {
    /// Snowflake, in decimal.
    #[schema(example = "7151335096320010")]
    id: String,
    /// Its place in the conversation.
    #[schema(example = 42)]
    seq: u64,
    /// The conversation.
    #[schema(example = "dm/7151335096320001-7151335096320004")]
    conv: String,
}

/// Sends to a user whose conversation need not be known; to oneself it is a note.
#[utoipa::path(
    post, path = "/v1/users/{user}/messages", operation_id = "send_to_user", tag = "messages",
    params(
        ("user" = String, Path, description = "Id, `@handle` or `me`"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `key` in the body, 1 to 64 bytes")
    ),
    request_body = MessageShape,
    responses((status = 201, description = "On stable storage, as after a PUBACK; a repeat under the same key gets the first one's id and seq", body = Sent)),
    extensions(("x-refusals" = json!(["payload_invalid", "key_invalid", "request_invalid", "not_authenticated", "not_allowed", "unknown_user", "text_too_long", "too_large", "rate_limited", "unavailable"])))
)]
pub(crate) async fn send_to_user(
    State(deps): State<Shared>,
    caller: Caller,
    InPath(user): InPath<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<(StatusCode, axum::Json<Sent>), Problem> {
    let user = request::user(&deps, caller.user, "user", &user).await?;
    store(&deps, caller.user, ConversationId::dm(caller.user, user), &headers, body).await
}

/// Submits a payload and waits until it is stored (INV-1).
pub(crate) async fn store(
    deps: &Deps,
    from: UserId,
    conversation: ConversationId,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, axum::Json<Sent>), Problem> {
    let message = payload::parse(&body).map_err(of_payload)?;
    let key = one_key(header_key(headers)?, message.key)?;
    let intake = Intake::Message { body: message.body.into(), key, origin: None };
    match deps.submit.submit_one(from, conversation, intake).await {
        Outcome::Stored { id, seq, repeated: _ } => {
            let sent = Sent { id: id.to_string(), seq: seq.0, conv: conversation.to_string() };
            Ok((StatusCode::CREATED, axum::Json(sent)))
        }
        other => Err(not_stored(other)),
    }
}

/// What a client is told when nothing was stored.
pub(crate) fn not_stored(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::Refused(refusal) => Problem::from(refusal).hiding_channels(),
        Outcome::Unavailable | Outcome::Stale => Code::Unavailable.into(),
        Outcome::Stored { .. } | Outcome::Done => Code::Internal.into(),
    }
}

fn of_payload(error: PayloadError) -> Problem {
    // The reason names a wrong field between backquotes; the first is the one.
    let field = error.reason.split('`').nth(1).map(str::to_owned);
    let problem = Problem::new(error.code, error.reason);
    match (field, error.code) {
        (Some(field), _) => problem.at(field),
        (None, Code::TextTooLong) => problem.at("text"),
        (None, _) => problem,
    }
}

fn header_key(headers: &HeaderMap) -> Result<Option<Box<str>>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = std::str::from_utf8(value.as_bytes()).ok().filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()));
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key.into())),
        _ => Err(Problem::from(Code::KeyInvalid).at("Idempotency-Key")),
    }
}

fn one_key(header: Option<Box<str>>, body: Option<Box<str>>) -> Result<Option<Box<str>>, Problem> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => {
            Err(Problem::new(Code::KeyInvalid, "`key` and the header Idempotency-Key differ").at("key"))
        }
        (header, body) => Ok(header.or(body)),
    }
}
