//! Outgoing packet ids: which are in use and for which conversation.

use hashbrown::HashMap;
use talaria_core::ConversationId;

/// Packet ids that the client has not acknowledged. They go round 1..=65535 and on across connections (D9).
#[derive(Debug, Default)]
pub(super) struct InFlight {
    last: u16,
    used: HashMap<u16, ConversationId>,
}

impl InFlight {
    pub(super) fn after(last: u16) -> Self {
        Self { last, used: HashMap::new() }
    }

    pub(super) fn last(&self) -> u16 {
        self.last
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }

    /// Begins again at 1, as no implementation should: what D9 forbids.
    pub(super) fn restart(&mut self) {
        self.last = 0;
    }

    /// The next free packet id; `None` when all 65,535 are in use, which the in-flight bound keeps from happening.
    pub(super) fn take(&mut self, conversation: ConversationId) -> Option<u16> {
        let mut id = self.last;
        for _ in 0..=self.used.len() {
            id = id.wrapping_add(1).max(1);
            if !self.used.contains_key(&id) {
                self.last = id;
                self.used.insert(id, conversation);
                return Some(id);
            }
        }
        None
    }

    pub(super) fn release(&mut self, packet_id: u16) -> Option<ConversationId> {
        self.used.remove(&packet_id)
    }
}
