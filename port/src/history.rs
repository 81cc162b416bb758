//! Reading what is committed, by rights.

use std::sync::Arc;

use async_trait::async_trait;
use talaria_core::{ConversationId, Event, EventId, Seq, UserId};

use crate::error::{Refusal, StoreError};
use crate::messages::{Amount, Window};
use crate::sessions::Position;

/// What a session gets that is behind in a conversation.
#[derive(Debug, Clone)]
pub struct CatchUp {
    /// Events after the position, ascending; only what the user may see.
    pub events: Vec<Arc<Event>>,
    /// Everything up to here was looked at: where no event lies before it that the user may see, the position moves here.
    pub upto: (Seq, EventId),
    /// The committed head, as its owner gave it after the events were read.
    pub head: (Seq, EventId),
}

/// The next piece of a user's index.
#[derive(Debug, Clone, Default)]
pub struct Moves {
    /// In the order of (window, conversation).
    pub rows: Vec<(Window, ConversationId)>,
    /// There is nothing after them.
    pub is_end: bool,
}

/// For sessions that return or fell behind. Never beyond the committed head, never before a join, never for a former member (INV-5).
#[async_trait]
pub trait CatchUps: Send + Sync {
    /// Events after `position`; `Ok(None)` where the user is no member now.
    async fn catch_up(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        amount: Amount,
    ) -> Result<Option<CatchUp>, StoreError>;

    /// Whether the user is a member now.
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, StoreError>;

    /// The user's index from `from` on, after the row given. Includes the user's `self/` stream.
    async fn moves(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
    ) -> Result<Moves, StoreError>;
}

/// Which page of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageAt {
    /// The newest events.
    Newest,
    /// After this seq.
    After(Seq),
    /// Before this seq.
    Before(Seq),
    /// Around this seq, it in the middle.
    Around(Seq),
    /// After this id.
    AfterId(EventId),
    /// Before this id.
    BeforeId(EventId),
}

/// A page of history, ascending.
#[derive(Debug, Clone)]
pub struct HistoryPage {
    /// Only what the user may see.
    pub events: Vec<Arc<Event>>,
    /// The committed head.
    pub head: Seq,
}

/// One of a user's conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// Which.
    pub conversation: ConversationId,
    /// Its last event.
    pub head: (Seq, EventId),
    /// Its messages.
    pub messages: u64,
    /// Read up to here.
    pub read: Seq,
}

/// For the API.
#[async_trait]
pub trait History: Send + Sync {
    /// A page; refused to those who are not members now.
    async fn page(
        &self,
        user: UserId,
        conversation: ConversationId,
        at: PageAt,
        limit: usize,
    ) -> Result<HistoryPage, Refusal>;

    /// The user's conversations that have an event, newest first, with an id below `before`.
    async fn conversations(
        &self,
        user: UserId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<ConversationSummary>, Refusal>;

    /// The committed head of a conversation; 0 before its first event.
    async fn head(&self, conversation: ConversationId) -> Result<(Seq, EventId), StoreError>;

    /// The settled watermark: what a cursor of "now" is.
    fn settled(&self) -> EventId;
}
