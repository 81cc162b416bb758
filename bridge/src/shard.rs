//! The sequencer's state: conversations by shard, each shard behind one lock that is held for microseconds and never over IO.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use talaria_core::{ConversationId, EventId};

use crate::conversation::{Conversation, Entry};

/// Shards; one bit each in [`Shards::dirty`]. Enough that loops rarely meet at a lock.
const SHARDS: usize = 64;

/// Some of the conversations.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    pub(crate) entries: HashMap<ConversationId, Entry>,
    /// Conversations with events for the next round.
    pub(crate) dirty: Vec<ConversationId>,
    /// The smallest id that was drawn and is in no round yet (D8).
    pub(crate) oldest_staged: Option<EventId>,
    /// The smallest id in the round under way.
    pub(crate) oldest_in_round: Option<EventId>,
    /// The count of roll-backs when something here was last rolled back or turned away; it never falls.
    pub(crate) rolled_back_at: u64,
}

impl Shard {
    /// The conversation if it is awake.
    pub(crate) fn awake(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        match self.entries.get_mut(&id) {
            Some(Entry::Awake(conversation)) => Some(conversation),
            _ => None,
        }
    }

    /// Registers a drawn id as pending; together with the draw this happens under one hold of the lock (D8).
    pub(crate) fn register(&mut self, id: EventId) {
        self.oldest_staged = Some(self.oldest_staged.map_or(id, |oldest| oldest.min(id)));
    }
}

/// All conversations.
#[derive(Debug)]
pub(crate) struct Shards {
    shards: Vec<Mutex<Shard>>,
    dirty: AtomicU64,
}

impl Shards {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), dirty: AtomicU64::new(0) }
    }

    /// The number of the shard in which the conversation is.
    pub(crate) fn of(conversation: ConversationId) -> usize {
        conversation.spread() as usize % SHARDS
    }

    /// Locks a shard, also after a panic elsewhere.
    pub(crate) fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the shard of a conversation.
    pub(crate) fn lock_of(&self, conversation: ConversationId) -> MutexGuard<'_, Shard> {
        self.lock(Self::of(conversation))
    }

    pub(crate) fn mark_dirty(&self, shard: usize) {
        self.dirty.fetch_or(1 << (shard % SHARDS), Ordering::AcqRel);
    }

    /// The shards that have events for a round; they count as clean from now on.
    pub(crate) fn take_dirty(&self) -> impl Iterator<Item = usize> + use<> {
        let dirty = self.dirty.swap(0, Ordering::AcqRel);
        (0..SHARDS).filter(move |shard| dirty >> shard & 1 == 1)
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.dirty.load(Ordering::Acquire) == 0
    }

    pub(crate) fn count() -> usize {
        SHARDS
    }
}
