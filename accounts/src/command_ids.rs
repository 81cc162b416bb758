//! Ids for commands that run beside the server (INV-8).

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use talaria_core::EventId;
use talaria_core::id::{COMMAND_WORKER, COUNTER_BITS, COUNTER_MAX};
use talaria_port::clock::Clock;
use talaria_port::ids::{IdRanges, Ids};
use talaria_port::{StoreError, StoreErrorKind};

/// Ids of one worker in a millisecond.
const PER_MS: u64 = COUNTER_MAX + 1;

/// Draws ids of the worker number that no server has, from ranges that nobody else was given: any number of commands may run at once, whatever
/// their clocks say.
pub struct CommandIds {
    ranges: Arc<dyn IdRanges>,
    clock: Arc<dyn Clock>,
    /// What is reserved and not drawn: Unix ms × 4,096 + counter.
    reserved: Mutex<Range<u64>>,
}

impl CommandIds {
    /// With the ids of a millisecond; a command that needs more prepares.
    ///
    /// # Errors
    /// None can be reserved.
    pub async fn open(ranges: Arc<dyn IdRanges>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let ids = Self { ranges, clock, reserved: Mutex::new(0..0) };
        ids.prepare(1).await?;
        Ok(ids)
    }

    fn reserved(&self) -> MutexGuard<'_, Range<u64>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Ids for CommandIds {
    fn draw(&self) -> Result<u64, StoreError> {
        let place = self.reserved().next();
        let place = place.ok_or_else(|| {
            StoreError::new(StoreErrorKind::Unavailable, "draw an id").because("more are drawn than were prepared")
        })?;
        let (unix_ms, counter) = (place / PER_MS, place % PER_MS);
        Ok(EventId::at_unix_ms(unix_ms).0 | u64::from(COMMAND_WORKER) << COUNTER_BITS | counter)
    }

    /// What is left of the last range is given up where it is too short: an unused id is no loss.
    async fn prepare(&self, count: usize) -> Result<(), StoreError> {
        let count = count as u64;
        let left = {
            let reserved = self.reserved();
            reserved.end - reserved.start
        };
        if left < count {
            let range = self.ranges.reserve(self.clock.unix_ms(), count.div_ceil(PER_MS)).await?;
            *self.reserved() = range.start * PER_MS..range.end * PER_MS;
        }
        Ok(())
    }
}
