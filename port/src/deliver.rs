//! Out of the pipeline: what comes back to loops and the API.

use std::sync::Arc;

use bytes::Bytes;
use talaria_core::{ConversationId, Event, EventId, Seq, UserId};

use crate::ingest::Outcome;

/// A connection of this process that may receive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    /// Whose loop.
    pub mailbox: u16,
    /// Its entry there.
    pub slot: u32,
    /// Which of the entry's holders; a delivery to an earlier one is dropped.
    pub nonce: u32,
}

/// An event with its envelope, encoded once and shared by every recipient.
#[derive(Debug)]
pub struct Outgoing {
    /// The event.
    pub event: Arc<Event>,
    /// Its JSON.
    pub envelope: Bytes,
}

impl From<Arc<Event>> for Outgoing {
    fn from(event: Arc<Event>) -> Self {
        let envelope = event.envelope();
        Self { event, envelope }
    }
}

/// The answer to one submission or session write.
#[derive(Debug)]
pub struct Completion {
    /// The submitter's number.
    pub ticket: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// Something live that is never stored.
#[derive(Clone, Debug)]
pub enum Hint {
    /// A user types in a conversation.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        from: UserId,
    },
    /// The user's own read mark moved.
    Read {
        /// Where.
        conversation: ConversationId,
        /// How far.
        seq: Seq,
    },
}

/// Live events for the connections of one loop: recipients of all events in one list, so that nothing is allocated per recipient.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// Each event with the end of its recipients in `to`; they begin where the one before ends.
    pub events: Vec<(Arc<Outgoing>, usize)>,
    /// Recipients: entry and nonce.
    pub to: Vec<(u32, u32)>,
}

impl Deliveries {
    /// Adds a recipient of the event that was added last, or adds the event first.
    pub fn push(&mut self, event: &Arc<Outgoing>, address: Address) {
        self.to.push((address.slot, address.nonce));
        let end = self.to.len();
        match self.events.last_mut() {
            Some((last, last_end)) if Arc::ptr_eq(last, event) => *last_end = end,
            _ => self.events.push((Arc::clone(event), end)),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Each event with its recipients.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Outgoing>, &[(u32, u32)])> {
        let mut start = 0;
        self.events.iter().map(move |(event, end)| {
            let to = self.to.get(start..*end).unwrap_or_default();
            start = *end;
            (event, to)
        })
    }
}

/// Tells, when its last copy is dropped, that every loop has worked off what was posted before it: after that a removed
/// member gets nothing any more (INV-5).
pub type Fence = Arc<dyn std::fmt::Debug + Send + Sync>;

/// What one round brings to one loop. Order inside: completions, deliveries, hints, then the watermark, which covers
/// the deliveries of this post and of all before it (D1).
#[derive(Debug, Default)]
pub struct Post {
    /// Answers.
    pub completions: Vec<Completion>,
    /// Live events.
    pub deliveries: Deliveries,
    /// Live hints.
    pub hints: Vec<(Hint, Vec<(u32, u32)>)>,
    /// The settled watermark: everything with an id up to it is committed and was handed to this mailbox.
    pub settled: Option<EventId>,
    /// Held by the post until its owner has worked off everything up to here, then dropped.
    pub fence: Option<Fence>,
    /// Numbers of times that submissions were turned away or rolled back: 1, 2, 3 …, each told once to every mailbox, in any order, no later
    /// than the answers that it concerns; see [`Submission::rollbacks`](crate::ingest::Submission::rollbacks).
    pub rollbacks: Vec<u64>,
}

impl Post {
    /// Whether it brings nothing.
    pub fn is_empty(&self) -> bool {
        self.completions.is_empty()
            && self.deliveries.is_empty()
            && self.hints.is_empty()
            && self.settled.is_none()
            && self.rollbacks.is_empty()
            && self.fence.is_none()
    }
}

/// A loop's or the API's entrance. Posts arrive in the order in which they were posted.
pub trait Mailbox: Send + Sync {
    /// Hands `post` over and wakes the owner; never blocks.
    fn post(&self, post: Post);
}
