//! Changing members: always through the sequencer, never in the relational store alone.

use async_trait::async_trait;
use talaria_core::{ChannelId, UserId};

use crate::channels::{Change, Channel};
use crate::error::Refusal;

/// Changes memberships. When a call returns `Ok` the change is durable, effective and visible to the next submission and delivery.
///
/// A change already true is no error and writes nothing. One cut short is finished when the channel wakes or at the next start.
#[async_trait]
pub trait Membership: Send + Sync {
    /// Makes a channel with its first members; the owner is one of them.
    async fn create(&self, channel: Channel, members: &[UserId]) -> Result<(), Refusal>;

    /// Adds or takes out members, all asked for by `by`, whose right to do so was checked.
    async fn change(&self, channel: ChannelId, by: UserId, users: &[UserId], change: Change) -> Result<(), Refusal>;

    /// Members now, by user id; `None` where there is no such channel.
    async fn members(&self, channel: ChannelId) -> Result<Option<Vec<UserId>>, Refusal>;
}
