//! Into the pipeline: what loops and the API submit.

use bytes::Bytes;
use talaria_core::{ConversationId, EventId, EventKind, Origin, Seq, UserId};

use crate::error::Refusal;

/// Where the answer to a submission goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyTo {
    /// Which mailbox, as registered with the bridge.
    pub mailbox: u16,
    /// The submitter's own number for it.
    pub ticket: u64,
}

/// Something a user does to a conversation.
#[derive(Debug)]
pub struct Submission {
    /// Where the answer goes.
    pub reply: ReplyTo,
    /// The sender, authenticated.
    pub user: UserId,
    /// To which conversation.
    pub conversation: ConversationId,
    /// What.
    pub intake: Intake,
    /// Up to which of [`Post::rollbacks`](crate::deliver::Post::rollbacks) the submitter has heard all: a submission made before its submitter learned
    /// that earlier ones were rolled back is answered [`Outcome::Unavailable`], or it would overtake them.
    pub rollbacks: u64,
}

/// What a submission brings. A copy shares the body.
#[derive(Clone, Debug)]
pub enum Intake {
    /// A message to store.
    Message {
        /// The envelope's own fields, from [`talaria_core::payload`].
        body: Bytes,
        /// The sender's idempotency key.
        key: Option<Box<str>>,
        /// For publishes at QoS 1 and 2 without a key.
        origin: Option<OriginClaim>,
    },
    /// Typing: told to the other members, never stored.
    Typing,
    /// Read up to this seq; cut to the head, never falls.
    Read(Seq),
    /// An event of the server itself; stored like a message. Its key makes it idempotent.
    System {
        /// What happened.
        kind: EventKind,
        /// Whom it concerns; membership changes take effect at its seq.
        subject: UserId,
        /// The number of its intent.
        intent: u64,
        /// The envelope's own fields.
        body: Bytes,
    },
}

/// How a stock client's publish may be a resend (PROTOCOL "Never twice").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OriginClaim {
    /// What it is recognized by.
    pub origin: Origin,
    /// The connection's generation: one older than the newest seen from that session is dropped.
    pub generation: u64,
    /// `None`: a new message in any case. `Some(floor)`: the resend of an event with this origin and an id above the floor,
    /// where there is one.
    pub resend_above: Option<EventId>,
}

/// The answer to a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// On stable storage, with every lower seq of its conversation (INV-1).
    Stored {
        /// The event's id.
        id: EventId,
        /// Its place in the conversation.
        seq: Seq,
        /// It was stored before; these are the first one's.
        repeated: bool,
    },
    /// Done, nothing was to be stored.
    Done,
    /// Never: rights, size, form.
    Refused(Refusal),
    /// Surely not stored, try again: the store is full, slow or gone.
    Unavailable,
    /// From a connection that a later one has replaced; nobody waits for the answer.
    Stale,
}

/// The pipeline's entrance. Never blocks, never does IO.
///
/// Submissions of one caller to one conversation are stored in the order given, across calls. Every submission gets
/// exactly one completion in its mailbox, in any order, maybe before the call returns.
pub trait Ingest: Send + Sync {
    /// Takes all of `submissions`, leaving the vector empty with its capacity.
    fn submit(&self, submissions: &mut Vec<Submission>);
}

/// The same for callers that wait, such as the API: one submission, one answer.
#[async_trait::async_trait]
pub trait Submit: Send + Sync {
    /// Submits and waits for the outcome.
    async fn submit_one(&self, user: UserId, conversation: ConversationId, intake: Intake) -> Outcome;
}
