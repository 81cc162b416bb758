//! What has to be done now and then: raise the id ceiling, tell the watermark, let conversations sleep.

use std::sync::atomic::Ordering;

use crate::Bridge;
use crate::shard::Shards;

/// Shards looked through for sleepers at each call; all of them within two seconds at ten calls a second.
const SHARDS_AT_ONCE: usize = 4;

impl Bridge {
    /// To be called about ten times a second, from one thread that may block.
    pub fn upkeep(&self) {
        let inner = &self.inner;
        if let Err(error) = inner.deps.ids.reserve() {
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
