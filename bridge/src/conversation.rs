//! One conversation that is awake: its numbers, its members, what it remembers and what is not committed yet.

use std::sync::Arc;

use talaria_core::{ConversationId, Event, EventId, Seq, UserId};
use talaria_port::ingest::{Outcome, ReplyTo, Submission};
use talaria_port::messages::{Checkpoint, IndexRow, MovedRow, Window};

use crate::keys::Keys;
use crate::members::Members;

/// The last event of a conversation, and how many messages there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) id: EventId,
    pub(crate) messages: u64,
}

impl From<&Event> for Head {
    fn from(event: &Event) -> Self {
        Self { seq: event.seq, id: event.id, messages: event.messages }
    }
}

/// An event that has its number and waits for its commit.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) event: Arc<Event>,
    /// Whom a membership event concerns.
    pub(crate) subject: Option<UserId>,
    pub(crate) reply: ReplyTo,
}

/// Rows that must be durable no later than the staged events (D7).
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) index: Vec<IndexRow>,
    pub(crate) moved: Vec<MovedRow>,
    pub(crate) listed: Vec<(UserId, ConversationId)>,
}

/// An answer that rests on an event which is not committed yet, such as that to its repeat; given when it is.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(crate) seq: Seq,
    pub(crate) outcome: Outcome,
    pub(crate) reply: ReplyTo,
}

/// A conversation that is awake.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    /// The last event that has a number.
    pub(crate) head: Head,
    /// The last event that is committed and handed to the loops.
    pub(crate) committed: Head,
    /// The window of the last event that has a number.
    pub(crate) window: Option<Window>,
    /// Members by the events that have a number: who may send.
    pub(crate) members: Members,
    /// Members by the events that are committed: who receives.
    pub(crate) receivers: Members,
    pub(crate) keys: Keys,
    /// Events with a number that are not settled: first those of the round under way, then those of the next.
    pub(crate) staged: Vec<Staged>,
    /// How many of `staged` are in the round under way.
    pub(crate) in_round: usize,
    pub(crate) rows: Rows,
    pub(crate) echoes: Vec<Echo>,
    /// Committed events that no checkpoint covers.
    pub(crate) since_checkpoint: u64,
    pub(crate) used_at_ms: u64,
}

impl Conversation {
    /// What waking would start from if it fell asleep now.
    pub(crate) fn checkpoint(&self, epoch: u32, now_unix_ms: u64) -> Checkpoint {
        Checkpoint {
            conversation: self.id,
            seq: self.committed.seq,
            id: self.committed.id,
            messages: self.committed.messages,
            epoch,
            remembered: self.keys.remembered(self.committed.seq, now_unix_ms),
        }
    }

    /// Whether nothing of it is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.staged.is_empty() && self.echoes.is_empty()
    }

    /// Whether it has events for the next round.
    pub(crate) fn is_dirty(&self) -> bool {
        self.staged.len() > self.in_round
    }
}

/// A conversation as a shard holds it.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Its state is being read; submissions wait, in order.
    Waking(Vec<Submission>),
    /// It is in memory.
    Awake(Box<Conversation>),
}
