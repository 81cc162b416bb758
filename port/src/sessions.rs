//! Stored sessions and their marks (PROTOCOL "Catching up").

use std::sync::Arc;

use async_trait::async_trait;
use talaria_core::{ConversationId, EventId, Seq, UserId};

use crate::error::StoreError;
use crate::ingest::ReplyTo;

/// The name of a session. Two users may use the same client id (INV-6).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionKey {
    /// Whose.
    pub user: UserId,
    /// 1 to 128 bytes of printable UTF-8.
    pub client_id: Arc<str>,
}

/// What a session asked for; written when that changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Of the connection that wrote it.
    pub generation: u64,
    /// Seconds it outlives its connection.
    pub expiry_s: u32,
    /// Filters as they were subscribed, in that order, with the options of MQTT 5.0 §3.8.3.1.
    pub subscriptions: Vec<(Box<str>, u8)>,
}

/// How far a conversation that is not at the mark's M was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// Up to this event, and everything before it.
    At(Seq, EventId),
    /// Up to the M of the moment when it fell behind; no seq is known yet (D2).
    After(EventId),
}

/// A session's position in everything: all up to `settled` is acknowledged but for `behind`, nothing beyond it but for `ahead`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Of the connection that wrote it; with `write` the order of writes (D10).
    pub generation: u64,
    /// Number of the write within the generation.
    pub write: u64,
    /// M.
    pub settled: EventId,
    /// Conversations acknowledged less far than M.
    pub behind: Vec<(ConversationId, Position)>,
    /// Conversations acknowledged further than M.
    pub ahead: Vec<(ConversationId, Seq, EventId)>,
    /// The last outgoing packet id (D9).
    pub packet_id: u16,
    /// Packet ids of QoS 2 publishes that were stored and not yet released.
    pub unreleased: Vec<u16>,
    /// When it was written, Unix ms; expiry counts from the last one.
    pub at_unix_ms: u64,
    /// Whether the session was connected then.
    pub connected: bool,
    /// Resends of publishes stored up to here do not count: a clean DISCONNECT ended them (PROTOCOL "Never twice").
    pub resend_floor: EventId,
}

/// A write to a session's rows. Marks and rows of one session win by (generation, write), never by the order of arrival. An end comes in the
/// order in which it was written, though its round may come again: nothing needs to be kept of a name that ever was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionWrite {
    /// The row; replaces one of the same or an earlier generation.
    Row(SessionKey, SessionRow),
    /// The mark; replaces one with a lower (generation, write).
    Mark(SessionKey, Mark),
    /// Everything of it up to this generation ends.
    End(SessionKey, u64),
}

/// A stored session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSession {
    /// What it asked for.
    pub row: SessionRow,
    /// Where it is; absent until its first subscription that is caught up.
    pub mark: Option<Mark>,
}

/// Reads sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session of that name.
    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>, StoreError>;

    /// Every stored session after the one given, in the order of their keys; for the sweep of expired ones.
    async fn sessions(
        &self,
        after: Option<&SessionKey>,
        limit: usize,
    ) -> Result<Vec<(SessionKey, StoredSession)>, StoreError>;
}

/// Writes sessions with the next round. Never blocks; the mailbox gets [`Done`](crate::ingest::Outcome::Done) once it is durable.
pub trait SessionLog: Send + Sync {
    /// Queues a write; with no reply nobody waits for it.
    fn write(&self, write: SessionWrite, reply: Option<ReplyTo>);
}
