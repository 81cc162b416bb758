//! Fresh ids for things that are not events: users, channels, devices, generations of connections.

use crate::error::StoreError;

/// Draws from the node's id clock: unique over the cluster and growing on this node, also over restarts (INV-8).
pub trait Ids: Send + Sync {
    /// A positive 63-bit id; fails only while no ceiling above it is durable, and then may be tried again.
    fn draw(&self) -> Result<u64, StoreError>;
}
