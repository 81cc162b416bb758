//! Reading requests: bodies, paths and queries, each refusal naming the field.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;
use talaria_core::topic::UserRef;
use talaria_core::{ChannelId, Code, ConversationId, EventId, UserId};

use crate::problem::Problem;
use crate::{Deps, Shared};

/// The raw body, bounded.
pub(crate) struct Raw(pub(crate) Bytes);

impl FromRequest<Shared> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Code::TooLarge.into(),
            other if other.status().as_u16() == Code::TooLarge.http() => Code::TooLarge.into(),
            _ => Problem::new(Code::RequestInvalid, "the body could not be read"),
        })
    }
}

/// A JSON body, whatever its Content-Type: requests carry a token and never a cookie, so nothing is to be defended by it.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Problem> {
        let Raw(body) = Raw::from_request(request, state).await?;
        read_json(&body).map(Self)
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        if !error.is_data() {
            return not_json(&error);
        }
        match missing(&error.to_string()) {
            Some(name) => Problem::field(name, format!("field `{name}` is missing")),
            None if field == "." => Problem::new(Code::RequestInvalid, "the body must be a JSON object"),
            None => {
                let detail = format!("field `{field}` does not fit: {}", without_position(&error.to_string()));
                Problem::field(field, detail)
            }
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(Code::RequestInvalid, format!("the body is not JSON, at line {line} column {column}"))
}

/// The name in serde's message about a field that is not there.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}

/// The variable parts of the path.
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(path)| Self(path)).map_err(|rejection| Problem::new(Code::RequestInvalid, rejection.body_text()))
    }
}

/// The query. Its fields are texts, read by [`number`] and the like, so that a wrong one is told by name.
pub(crate) struct InQuery<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| {
            // Reached by a parameter given twice or by bytes that are no text.
            drop(rejection.into_response());
            Problem::new(Code::RequestInvalid, "the query cannot be read: each parameter at most once, in UTF-8")
        })
    }
}

/// A number of the query.
pub(crate) fn number(field: &'static str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    text.map(|text| text.parse().map_err(|_| Problem::field(field, format!("`{field}` must be a whole number"))))
        .transpose()
}

/// An event id of the query; 0 is before every event.
pub(crate) fn event_id(field: &'static str, text: Option<&str>) -> Result<Option<EventId>, Problem> {
    let read = |text: &str| match text {
        "0" => Ok(EventId::ZERO),
        text => text.parse().map_err(|_| Problem::field(field, format!("`{field}` must be an id"))),
    };
    text.map(read).transpose()
}

/// `limit` of the query, from 1 to `max`.
pub(crate) fn limit(text: Option<&str>, default: usize, max: usize) -> Result<usize, Problem> {
    let wish = number("limit", text)?.unwrap_or(default as u64);
    usize::try_from(wish)
        .ok()
        .filter(|wish| (1..=max).contains(wish))
        .ok_or_else(|| Problem::field("limit", format!("`limit` must be 1 to {max}")))
}

/// A channel of the path.
pub(crate) fn channel(id: &str) -> Result<ChannelId, Problem> {
    id.parse().map_err(|_| Problem::field("id", "a channel id is a positive decimal number"))
}

/// A conversation of the path.
pub(crate) fn conversation(kind: &str, id: &str) -> Result<ConversationId, Problem> {
    let says = "a conversation is `dm/{low}-{high}` with the lower id first, `channel/{id}` or `self/{id}`";
    format!("{kind}/{id}").parse().map_err(|_| Problem::field("id", says))
}

/// The user that `text` spells for `me`: `me`, an id or an `@handle`. Somebody with an account, or it is refused.
pub(crate) async fn user(deps: &Deps, me: UserId, field: &str, text: &str) -> Result<UserId, Problem> {
    match text.parse() {
        Ok(UserRef::Me) => Ok(me),
        Ok(UserRef::Id(_) | UserRef::Handle(_)) => {
            let found = deps.accounts.resolve(text).await?;
            found.ok_or_else(|| Problem::new(Code::UnknownUser, format!("there is no user {text}")).at(field))
        }
        Err(()) => Err(Problem::field(field, "a user is `me`, an id or an `@handle`")),
    }
}
