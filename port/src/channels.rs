//! Channels and their members as the relational store keeps them.

use async_trait::async_trait;
use talaria_core::{ChannelId, Seq, UserId};

use crate::error::StoreError;
use crate::intervals::Intervals;

/// A channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// 1 to 200 characters.
    pub name: String,
    /// Who made it.
    pub owner: UserId,
    /// When, Unix ms.
    pub created_unix_ms: u64,
    /// Members see what was written before they joined.
    pub history_shared: bool,
}

/// Joining or leaving.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// Becomes a member.
    Join,
    /// Is no member any more.
    Leave,
}

/// A membership change that was begun: durable before its event is written, gone once it is effective (DESIGN §4 "Membership").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Its number, unique and growing; the key of its event.
    pub id: u64,
    /// Where.
    pub channel: ChannelId,
    /// Whom it concerns.
    pub user: UserId,
    /// Who asked for it.
    pub by: UserId,
    /// What.
    pub change: Change,
}

/// From when to when a user is a member: `joined_seq` ≤ seq < `left_seq`. The event of the join is the first seen, that of the leave is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// The first seq.
    pub joined_seq: Seq,
    /// The first seq that is not theirs any more; `None` while a member.
    pub left_seq: Option<Seq>,
}

/// Everything a conversation needs to wake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    /// The channel.
    pub channel: Channel,
    /// Members now, each with the seq of their latest join, by user id.
    pub members: Vec<(UserId, Seq)>,
    /// Changes that were begun and are not effective yet, in the order of their numbers.
    pub intents: Vec<Intent>,
}

/// The relational store of channels. Every write is durable when it returns, all of it or nothing, and changes nothing when repeated. What one
/// call wrote every later one sees. What concerns a channel that does not exist is a [`Conflict`](crate::StoreErrorKind::Conflict), and so is
/// a channel or an intent that exists otherwise than it is written.
#[async_trait]
pub trait ChannelStore: Send + Sync {
    /// Makes a channel together with its first intents, in one transaction. Repeated, it does not bring back intents that were settled since.
    async fn create(&self, channel: &Channel, intents: &[Intent]) -> Result<(), StoreError>;

    /// A channel.
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StoreError>;

    /// A channel with members and intents, all from one moment: what is settled meanwhile is in exactly one of the two.
    async fn roster(&self, id: ChannelId) -> Result<Option<Roster>, StoreError>;

    /// Writes down what is about to happen.
    async fn begin(&self, intents: &[Intent]) -> Result<(), StoreError>;

    /// Makes intents effective at the seqs of their events and removes them, in one transaction.
    ///
    /// The outcome depends on what was settled and not on the order: two changes of one user that race, or one that had to wait for the next
    /// start, leave the intervals that the seqs of all of them tell ([`Intervals`]).
    async fn settle(&self, settled: &[(Intent, Seq)]) -> Result<(), StoreError>;

    /// Takes an intent back that was refused.
    async fn withdraw(&self, intent: u64) -> Result<(), StoreError>;

    /// All intents, of every channel, in the order of their numbers; for the sweep at start.
    async fn unsettled(&self) -> Result<Vec<Intent>, StoreError>;

    /// A user's joins and leaves of one channel, as far as they are settled.
    async fn intervals(&self, id: ChannelId, user: UserId) -> Result<Intervals, StoreError>;

    /// Channels the user is a member of now, by channel id.
    async fn channels_of(&self, user: UserId) -> Result<Vec<Channel>, StoreError>;
}
