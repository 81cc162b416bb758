//! What has to be done now and then: raise the id ceiling, tell the watermark, let conversations sleep.

use std::sync::atomic::Ordering;

use talaria_port::StoreError;

use crate::shard::Shards;
use crate::{Bridge, Inner};

/// How far ahead of own time ids are reserved: half of the 10 s that a lease lasts (DESIGN §4 "Ids").
const CEILING_AHEAD_MS: u64 = 5_000;
/// What must be left under the ceiling before a higher one is reserved.
const CEILING_MARGIN_MS: u64 = 2_500;
/// Shards looked through for sleepers at each call; all of them within two seconds at ten calls a second.
const SHARDS_AT_ONCE: usize = 4;

impl Bridge {
    /// To be called about ten times a second, from one thread that may block.
    pub fn upkeep(&self) {
        let inner = &self.inner;
        if let Err(error) = inner.reserve() {
            tracing::error!(%error, "no id ceiling can be reserved; publishes stop when the last one is reached");
        }
        for _ in 0..SHARDS_AT_ONCE {
            inner.let_sleep(inner.next_to_sleep.fetch_add(1, Ordering::Relaxed) % Shards::count());
        }
        let fanned_out = inner.settled();
        let mut aside = inner.aside();
        // Rides along with a round that happens anyway; no round of its own.
        if !aside.is_empty() || !inner.shards.is_clean() {
            aside.fanned_out = Some(fanned_out);
        }
    }
}

impl Inner {
    /// Makes a ceiling durable before an id under it is used (INV-8).
    pub(crate) fn reserve(&self) -> Result<(), StoreError> {
        let now = self.deps.clock.unix_ms();
        if self.ids.is_near_ceiling(now, CEILING_MARGIN_MS) {
            let ceiling = self.ids.next_ceiling(now, CEILING_AHEAD_MS);
            self.deps.lease.reserve(ceiling)?;
            self.ids.raise_ceiling(ceiling);
        }
        Ok(())
    }
}
