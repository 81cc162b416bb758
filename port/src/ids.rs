//! Fresh ids for things that are not events: users, channels, devices, generations of connections.

use std::ops::Range;

use async_trait::async_trait;

use crate::error::StoreError;

/// Draws ids: unique over the cluster and growing for the one who draws, also over restarts (INV-8).
#[async_trait]
pub trait Ids: Send + Sync {
    /// A positive 63-bit id. Where it fails because nothing that is durable covers it yet, it may be tried again.
    fn draw(&self) -> Result<u64, StoreError>;

    /// To be called before very many are drawn at once: when it returns, the next `count` are there. A node, whose clock goes on, needs none of it.
    async fn prepare(&self, count: usize) -> Result<(), StoreError> {
        let _ = count;
        Ok(())
    }
}

/// Hands out the ids of [`COMMAND_WORKER`](talaria_core::id::COMMAND_WORKER), which no node ever holds, to commands that run beside a server (INV-8).
#[async_trait]
pub trait IdRanges: Send + Sync {
    /// Reserves `ms` milliseconds of ids, durably: every id of that worker in them is the caller's alone. Any number of processes may ask at once.
    ///
    /// They begin at `now_unix_ms`, or at the end of the last range where that is later: whatever the clocks of the callers say, ranges never
    /// meet and each lies above all before it; and they run ahead of the latest clock by no more than what was reserved. More than
    /// [`COMMAND_RANGE_MS_MAX`](talaria_core::limits::COMMAND_RANGE_MS_MAX) or none at all, or a time that ids cannot say, is
    /// [`Misuse`](crate::StoreErrorKind::Misuse), and nothing is reserved then.
    async fn reserve(&self, now_unix_ms: u64, ms: u64) -> Result<Range<u64>, StoreError>;
}
