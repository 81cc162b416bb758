//! The message store: events, indexes, checkpoints, and the rows of sessions that must be as durable.
//!
//! Shaped by what a wide-column store can do: rows are idempotent by their key, a round is no transaction across
//! conversations, nothing is read before it is written. `storage/contract` holds what is promised here.

use std::sync::Arc;

use async_trait::async_trait;
use talaria_core::limits::INDEX_WINDOW_MS;
use talaria_core::{ConversationId, Event, EventId, Seq, UserId};

use crate::error::StoreError;
use crate::sessions::SessionWrite;

/// A window of id time, 10 minutes long, counted from the ids' epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Window(pub u64);

impl Window {
    /// The window in which that id lies.
    pub const fn of(id: EventId) -> Self {
        Self((id.0 >> talaria_core::id::TIME_SHIFT) / INDEX_WINDOW_MS)
    }

    /// The last id of the window.
    pub const fn end(self) -> EventId {
        EventId((((self.0 + 1) * INDEX_WINDOW_MS) << talaria_core::id::TIME_SHIFT) - 1)
    }
}

/// One conversation's share of a round: events with consecutive seqs, following what is stored.
#[derive(Debug, Clone)]
pub struct Append {
    /// At least one, in order.
    pub events: Vec<Arc<Event>>,
}

/// A row of the message sync queue: in that window the conversation moved, for that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexRow {
    /// For whom.
    pub user: UserId,
    /// When.
    pub window: Window,
    /// What.
    pub conversation: ConversationId,
}

/// In that window the conversation moved, for whoever restarts or takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MovedRow {
    /// When.
    pub window: Window,
    /// What.
    pub conversation: ConversationId,
}

/// What is remembered of an event so that it is not stored twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// Who sent it.
    pub sender: UserId,
    /// By what it is recognized.
    pub fingerprint: Fingerprint,
    /// Its place.
    pub seq: Seq,
    /// Its id.
    pub id: EventId,
}

/// By what a repeat is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fingerprint {
    /// [`talaria_core::event::hash`] of the sender's key.
    Key(u64),
    /// A stock client's publish.
    Origin(talaria_core::Origin),
}

/// What waking a conversation starts from. Everything in it can be computed again from the events; it only bounds how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub conversation: ConversationId,
    /// The last event it covers.
    pub seq: Seq,
    /// That event's id.
    pub id: EventId,
    /// Messages up to and with it.
    pub messages: u64,
    /// The epoch it was written under.
    pub epoch: u32,
    /// Keys and origins inside their window, oldest first.
    pub remembered: Vec<Remembered>,
}

/// A user has read a conversation up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMark {
    /// Who.
    pub user: UserId,
    /// What.
    pub conversation: ConversationId,
    /// How far; a lower one than stored changes nothing.
    pub seq: Seq,
}

/// What is made durable together. One conversation appears at most once in `appends`.
#[derive(Debug, Default)]
pub struct Round {
    /// Events.
    pub appends: Vec<Append>,
    /// Durable no later than the events they speak of (D7).
    pub index: Vec<IndexRow>,
    /// Durable no later than the events they speak of (D7).
    pub moved: Vec<MovedRow>,
    /// Users' 1:1 conversations, written with the first event of each.
    pub listed: Vec<(UserId, ConversationId)>,
    /// Durable at some time; losing one only costs reading.
    pub checkpoints: Vec<Checkpoint>,
    /// Session rows and marks.
    pub sessions: Vec<SessionWrite>,
    /// Read marks.
    pub reads: Vec<ReadMark>,
    /// Everything up to it was fanned out.
    pub fanned_out: Option<EventId>,
}

impl Round {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.appends.is_empty()
            && self.index.is_empty()
            && self.moved.is_empty()
            && self.listed.is_empty()
            && self.checkpoints.is_empty()
            && self.sessions.is_empty()
            && self.reads.is_empty()
            && self.fanned_out.is_none()
    }
}

/// Why a round is not known to be stored.
#[derive(Debug)]
pub enum CommitError {
    /// Surely nothing of its events is stored nor ever will be.
    Failed(StoreError),
    /// Some or all may be stored now or later: the same round must be committed again until the outcome is known.
    Unknown(StoreError),
}

/// Called once with the outcome of a round.
pub type Done = Box<dyn FnOnce(Result<(), CommitError>) + Send>;

/// Which part of a conversation to read. Events come in ascending order in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// From the one after this seq on.
    After(Seq),
    /// The ones before this seq, the nearest.
    Before(Seq),
}

/// How much to read. At least one event is returned where there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    /// Most events.
    pub events: usize,
    /// Stop once their bodies exceed this.
    pub bytes: usize,
}

/// Stores and reads messages. What was committed is found by every read that begins after `done` was called with `Ok`.
///
/// Damage is an error, [`Damaged`](crate::StoreErrorKind::Damaged), never a shorter answer: seqs have no holes, so one
/// that is missing between two others is damage too.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Makes a round durable and calls `done`. May block the calling thread, which is the committer's own, or return at once and call
    /// later from another. Committing the same round again, also after a success, changes nothing.
    fn commit(&self, round: Arc<Round>, done: Done);

    /// The newest checkpoint.
    async fn checkpoint(&self, conversation: ConversationId) -> Result<Option<Checkpoint>, StoreError>;

    /// Events of a conversation.
    async fn events(&self, conversation: ConversationId, span: Span, amount: Amount) -> Result<Vec<Event>, StoreError>;

    /// The seq of the last event with an id up to `id`; 0 where there is none. Costs no more than the logarithm of the conversation's length.
    async fn seq_at(&self, conversation: ConversationId, id: EventId) -> Result<Seq, StoreError>;

    /// The next rows of the user's index in the order of (window, conversation), after the one given, or from `from` on. No upper end (D5).
    async fn index(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError>;

    /// The same over all conversations.
    async fn moved(
        &self,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError>;

    /// The user's 1:1 conversations, in their order, after the one given.
    async fn listed(
        &self,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError>;

    /// How far the user has read; 0 where nothing is known.
    async fn read_mark(&self, user: UserId, conversation: ConversationId) -> Result<Seq, StoreError>;

    /// The durable watermark of fan-out; 0 at the very start.
    async fn fanned_out(&self) -> Result<EventId, StoreError>;
}
