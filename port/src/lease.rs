//! The right of a node to make ids and to own conversations.

use talaria_core::EventId;

use crate::error::StoreError;

/// A worker lease: while it is held no other process has this worker number. In one process it is the lock of the data folder.
pub trait Lease: Send + Sync {
    /// The worker number in ids.
    fn worker(&self) -> u16;

    /// The last ceiling that this worker number reserved, also under an earlier holder.
    fn ceiling(&self) -> EventId;

    /// Makes a ceiling durable. Blocks until it is; one that is not above the last changes nothing.
    fn reserve(&self, ceiling: EventId) -> Result<(), StoreError>;
}
