//! Lets conversations fall asleep that nobody writes to: their memory is freed, a checkpoint bounds what waking reads.

use talaria_core::limits::CONVERSATION_IDLE_S;

use crate::Inner;
use crate::conversation::Entry;
use crate::stage::number::EPOCH;

impl Inner {
    /// Looks through one shard.
    pub(crate) fn let_sleep(&self, shard_number: usize) {
        let now_ms = self.deps.clock.monotonic_ms();
        let now_unix_ms = self.deps.clock.unix_ms();
        let idle_ms = u64::from(CONVERSATION_IDLE_S) * 1000;
        let mut checkpoints = Vec::new();
        self.shards.lock(shard_number).entries.retain(|_, entry| {
            let Entry::Awake(conversation) = entry else { return true };
            let is_idle = conversation.is_quiet() && now_ms.saturating_sub(conversation.used_at_ms) >= idle_ms;
            if is_idle && conversation.since_checkpoint > 0 {
                checkpoints.push(conversation.checkpoint(EPOCH, now_unix_ms));
            }
            !is_idle
        });
        if !checkpoints.is_empty() {
            self.aside().checkpoints.append(&mut checkpoints);
            self.ring();
        }
    }
}
