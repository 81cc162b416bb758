//! What one session saw, in the order in which it saw it.

use std::collections::{BTreeMap, BTreeSet};

use talaria_core::ConversationId;

/// Heads of conversations at some moment.
pub(crate) type Heads = BTreeMap<ConversationId, u64>;

/// A time in which nothing may be missed: a subscription of a persistent session, over all its connections; else a connection.
#[derive(Default, Debug)]
pub(crate) struct Epoch {
    /// What lies behind these is owed. `None` until it is confirmed.
    pub(crate) owed_after: Option<Heads>,
    /// Seqs in the order in which they were first seen.
    pub(crate) first_seen: BTreeMap<ConversationId, Vec<u64>>,
    pub(crate) is_open: bool,
}

/// A session's view from its beginning to its end.
#[derive(Default, Debug)]
pub(crate) struct Sight {
    pub(crate) epochs: Vec<Epoch>,
    seen: BTreeSet<(ConversationId, u64)>,
    last: BTreeMap<ConversationId, u64>,
}

impl Sight {
    /// The time that is under way; one begins where none is.
    pub(crate) fn epoch(&mut self) -> &mut Epoch {
        if !self.epochs.last().is_some_and(|epoch| epoch.is_open) {
            self.epochs.push(Epoch { is_open: true, ..Epoch::default() });
        }
        let last = self.epochs.len() - 1;
        &mut self.epochs[last]
    }

    /// From now on everything is owed that lies behind these heads.
    pub(crate) fn confirm(&mut self, heads: Heads) {
        self.epoch().owed_after.get_or_insert(heads);
    }

    /// Ends the time that is under way.
    pub(crate) fn close(&mut self) {
        if let Some(epoch) = self.epochs.last_mut() {
            epoch.is_open = false;
        }
    }

    /// An event came. What is wrong with that.
    pub(crate) fn see(&mut self, conversation: ConversationId, seq: u64) -> Result<(), String> {
        if !self.seen.insert((conversation, seq)) {
            return Ok(());
        }
        let last = self.last.entry(conversation).or_default();
        if seq < *last {
            return Err(format!("INV-3: {conversation} {seq} is first seen after {last}"));
        }
        *last = seq;
        self.epoch().first_seen.entry(conversation).or_default().push(seq);
        Ok(())
    }
}
