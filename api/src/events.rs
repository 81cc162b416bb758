//! The events of a conversation: history paged both ways, and sending.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use talaria_core::limits::PAGE_EVENTS_MAX;
use talaria_core::{Code, ConversationId, Seq, UserId};
use talaria_port::history::{HistoryPage, PageAt};
use utoipa::{IntoParams, ToSchema};

use crate::Shared;
use crate::caller::Caller;
use crate::messages::{self, MessageShape, Sent};
use crate::problem::Problem;
use crate::request::{self, InPath, InQuery, Raw};

/// Events of a page unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

/// Where a page lies. At most one besides `limit`; none is the newest page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Events after this seq.
    #[param(value_type = Option<u64>)]
    after_seq: Option<String>,
    /// Events before this seq, the nearest.
    #[param(value_type = Option<u64>)]
    before_seq: Option<String>,
    /// Events around this seq, it in the middle.
    #[param(value_type = Option<u64>)]
    around_seq: Option<String>,
    /// Events after this id.
    after_id: Option<String>,
    /// Events before this id, the nearest.
    before_id: Option<String>,
    /// 1 to 200; 50 where left out.
    #[param(value_type = Option<usize>)]
    limit: Option<String>,
}

impl PageQuery {
    fn at(&self) -> Result<PageAt, Problem> {
        let seq = |field, text: &Option<String>| request::number(field, text.as_deref()).map(|n| n.map(Seq));
        let asked = [
            seq("after_seq", &self.after_seq)?.map(PageAt::After),
            seq("before_seq", &self.before_seq)?.map(PageAt::Before),
            seq("around_seq", &self.around_seq)?.map(PageAt::Around),
            request::event_id("after_id", self.after_id.as_deref())?.map(PageAt::AfterId),
            request::event_id("before_id", self.before_id.as_deref())?.map(PageAt::BeforeId),
        ];
        let mut asked = asked.into_iter().flatten();
        match (asked.next(), asked.next()) {
            (at, None) => Ok(at.unwrap_or(PageAt::Newest)),
            _ => Err(Problem::new(Code::RequestInvalid, "a page is asked for by one of after, before and around")),
        }
    }
}

/// A page of history.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes for the document what `write` writes")]
pub(crate) struct EventPage {
    /// Ascending by seq; each as it is delivered on the inbox.
    events: Vec<Envelope>,
    /// The seq of the conversation's last event.
    head: u64,
    /// What to ask for next; null where nothing follows in the direction asked.
    next: Option<Next>,
}

/// A stored event. Further fields depend on `type`; a message has those it was sent with.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes for the document what Event::envelope writes")]
pub(crate) struct Envelope {
    /// Snowflake, in decimal.
    #[schema(example = "7151335096320010")]
    id: String,
    /// Its place in the conversation: 1, 2, 3 … without holes.
    #[schema(example = 42)]
    seq: u64,
    /// The conversation.
    #[schema(example = "channel/7151335096320003")]
    conv: String,
    /// The id of the user who did it.
    #[schema(example = "7151335096320001")]
    from: String,
    /// When, Unix ms.
    #[schema(example = 1_764_000_000_000_u64)]
    at: u64,
    /// `message`, `channel_created`, `member_joined`, `member_left`, `channel_joined`, `channel_left`; more may come.
    #[schema(example = "message")]
    r#type: String,
    /// Messages of the conversation up to and with this event.
    #[schema(example = 40)]
    messages: u64,
    /// The sender's idempotency key, where there was one.
    key: Option<String>,
    /// Of a message.
    #[schema(example = "안녕 🎉")]
    text: Option<String>,
}

/// Query parameters of the next page.
#[derive(Serialize, ToSchema, PartialEq, Eq, Debug)]
pub(crate) struct Next {
    /// Going on towards the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_seq: Option<u64>,
    /// Going on towards the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_seq: Option<u64>,
}

/// A page of a conversation's events.
#[utoipa::path(
    get, path = "/v1/conversations/{kind}/{id}/events", operation_id = "page_events", tag = "messages",
    params(
        ("kind" = String, Path, description = "`dm`, `channel` or `self`"),
        ("id" = String, Path, description = "`{low}-{high}` for dm, else the id"),
        PageQuery
    ),
    responses((status = 200, description = "What the caller may see of it, ascending", body = EventPage)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "not_a_member", "unavailable"])))
)]
pub(crate) async fn page(
    State(deps): State<Shared>,
    caller: Caller,
    InPath((kind, id)): InPath<(String, String)>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Response, Problem> {
    let conversation = request::conversation(&kind, &id)?;
    let limit = request::limit(query.limit.as_deref(), LIMIT_DEFAULT, PAGE_EVENTS_MAX)?;
    let at = query.at()?;
    may_enter(conversation, caller.user)?;
    let page = deps.history.page(caller.user, conversation, at, limit).await;
    let page = page.map_err(|refusal| Problem::from(refusal).hiding_channels())?;
    Ok(write(&page, at).into_response())
}

/// Refuses those whom the conversation's name leaves out; a channel's members are asked for where it acts.
pub(crate) fn may_enter(conversation: ConversationId, user: UserId) -> Result<(), Problem> {
    if conversation.names(user) == Some(false) { Err(Code::NotAMember.into()) } else { Ok(()) }
}

/// The envelopes go out byte for byte as they are delivered, without being read again.
fn write(page: &HistoryPage, at: PageAt) -> impl IntoResponse {
    let envelopes: Vec<_> = page.events.iter().map(|event| event.envelope()).collect();
    let mut out = Vec::with_capacity(envelopes.iter().map(|envelope| envelope.len() + 1).sum::<usize>() + 96);
    out.extend_from_slice(b"{\"events\":[");
    out.extend_from_slice(&envelopes.join(&b','));
    out.extend_from_slice(format!("],\"head\":{},\"next\":", page.head).as_bytes());
    // Writing numbers to memory cannot fail.
    let _ = serde_json::to_writer(&mut out, &next(page, at));
    out.push(b'}');
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], out)
}

fn next(page: &HistoryPage, at: PageAt) -> Option<Next> {
    let (first, last) = (page.events.first()?.seq, page.events.last()?.seq);
    let after_seq = (last < page.head).then_some(last.0);
    let before_seq = (first > Seq(1)).then_some(first.0);
    let next = match at {
        PageAt::After(_) | PageAt::AfterId(_) => Next { after_seq, before_seq: None },
        PageAt::Before(_) | PageAt::BeforeId(_) | PageAt::Newest => Next { after_seq: None, before_seq },
        PageAt::Around(_) => Next { after_seq, before_seq },
    };
    (next.after_seq.is_some() || next.before_seq.is_some()).then_some(next)
}

/// Sends a message to a conversation.
#[utoipa::path(
    post, path = "/v1/conversations/{kind}/{id}/events", operation_id = "send", tag = "messages", request_body = MessageShape,
    params(
        ("kind" = String, Path, description = "`dm` or `channel`"),
        ("id" = String, Path, description = "`{low}-{high}` for dm, else the id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `key` in the body, 1 to 64 bytes")
    ),
    responses((status = 201, description = "On stable storage, as after a PUBACK; a repeat under the same key gets the first one's id and seq", body = Sent)),
    extensions(("x-refusals" = json!(["payload_invalid", "key_invalid", "request_invalid", "not_authenticated", "not_a_member", "not_allowed", "unknown_user", "text_too_long", "too_large", "rate_limited", "unavailable"])))
)]
pub(crate) async fn send(
    State(deps): State<Shared>,
    caller: Caller,
    InPath((kind, id)): InPath<(String, String)>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<(StatusCode, axum::Json<Sent>), Problem> {
    let conversation = request::conversation(&kind, &id)?;
    may_enter(conversation, caller.user)?;
    match conversation {
        ConversationId::Own(_) => {
            return Err(Problem::new(Code::NotAllowed, "nobody sends to `self/`; the server does"));
        }
        ConversationId::Dm(pair) => {
            let other = if pair.low() == caller.user { pair.high() } else { pair.low() };
            request::user(&deps, caller.user, "id", &other.to_string()).await?;
        }
        ConversationId::Channel(_) => {}
    }
    messages::store(&deps, caller.user, conversation, &headers, body).await
}
