//! The caller's conversations, newest first.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use talaria_core::limits::PAGE_ENTRIES_MAX;
use talaria_core::{Code, EventId, Seq, UserId};
use talaria_port::history::{ConversationSummary, PageAt};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::problem::Problem;
use crate::request::{self, InQuery};
use crate::{Deps, Shared};

/// Conversations of a page unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Conversations whose last event has an id below this one; `next` of the page before.
    before: Option<String>,
    /// 1 to 200; 50 where left out.
    #[param(value_type = Option<usize>)]
    limit: Option<String>,
}

/// A page of conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conversations {
    /// By their last event, newest first.
    conversations: Vec<Conversation>,
    /// `before` of the next page; null where this is the last.
    next: Option<String>,
}

/// One of the caller's conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conversation {
    /// `dm/{low}-{high}`, `channel/{id}` or `self/{id}`.
    #[schema(example = "dm/7151335096320001-7151335096320004")]
    conv: String,
    /// Its last event.
    head: Head,
    /// Messages in all.
    #[schema(example = 40)]
    messages: u64,
    /// The seq up to which the caller has read.
    #[schema(example = 39)]
    read: u64,
    /// Messages after it.
    #[schema(example = 3)]
    unread: u64,
}

/// A conversation's last event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Head {
    /// Its seq.
    #[schema(example = 42)]
    seq: u64,
    /// Its id.
    #[schema(example = "7151335096320010")]
    id: String,
}

impl From<(Seq, EventId)> for Head {
    fn from((seq, id): (Seq, EventId)) -> Self {
        Self { seq: seq.0, id: id.to_string() }
    }
}

/// The caller's conversations that have an event, newest first.
#[utoipa::path(
    get, path = "/v1/conversations", operation_id = "list_conversations", tag = "messages", params(ListQuery),
    responses((status = 200, description = "A page of them", body = Conversations)),
    extensions(("x-refusals" = json!(["request_invalid", "not_authenticated", "unavailable"])))
)]
pub(crate) async fn list(
    State(deps): State<Shared>,
    caller: Caller,
    InQuery(query): InQuery<ListQuery>,
) -> Result<axum::Json<Conversations>, Problem> {
    let limit = request::limit(query.limit.as_deref(), LIMIT_DEFAULT, PAGE_ENTRIES_MAX)?;
    let before = request::event_id("before", query.before.as_deref())?;
    let summaries = deps.history.conversations(caller.user, before, limit).await?;
    let is_full = summaries.len() >= limit;
    let next = summaries.last().filter(|_| is_full).map(|last| last.head.1.to_string());
    let mut conversations = Vec::with_capacity(summaries.len());
    for summary in summaries {
        if let Some(unread) = unread(&deps, caller.user, &summary).await? {
            conversations.push(seen(&summary, unread));
        }
    }
    Ok(axum::Json(Conversations { conversations, next }))
}

fn seen(summary: &ConversationSummary, unread: u64) -> Conversation {
    Conversation {
        conv: summary.conversation.to_string(),
        head: summary.head.into(),
        messages: summary.messages,
        read: summary.read.0,
        unread,
    }
}

/// Messages after the read mark: the difference of two running numbers, of which the first event that the caller can
/// see from the mark on gives one. `None` for a conversation that the caller left meanwhile.
async fn unread(deps: &Deps, user: UserId, summary: &ConversationSummary) -> Result<Option<u64>, Problem> {
    if summary.read >= summary.head.0 {
        return Ok(Some(0));
    }
    let before_mark = Seq(summary.read.0.saturating_sub(1));
    let page = match deps.history.page(user, summary.conversation, PageAt::After(before_mark), 1).await {
        Ok(page) => page,
        Err(refusal) if matches!(refusal.code, Code::NotAMember | Code::UnknownChannel) => return Ok(None),
        Err(refusal) => return Err(refusal.into()),
    };
    let Some(first) = page.events.first() else { return Ok(Some(0)) };
    let is_unread = first.seq > summary.read && first.kind.is_message();
    let read_messages = first.messages - u64::from(is_unread).min(first.messages);
    Ok(Some(summary.messages.saturating_sub(read_messages)))
}
