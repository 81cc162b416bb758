//! The message store in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use talaria_core::{ConversationId, Event, EventId, Seq, UserId};
use talaria_port::messages::{Amount, Checkpoint, CommitError, Done, MessageStore, Round, Span, Window};
use talaria_port::sessions::{SessionKey, SessionStore, StoredSession};
use talaria_port::{StoreError, StoreErrorKind};

use crate::events::Events;
use crate::faults::{Fault, Faults, Stored, injected};
use crate::index::Index;
use crate::lock;
use crate::sessions::Sessions;

/// Messages and sessions in memory, for tests. Clones are the same store; [`durable_copy`](Self::durable_copy) is what a restart finds.
///
/// A commit calls `done` on the calling thread before it returns, unless a fault holds it back. An append that does not follow what
/// is stored fails with [`Misuse`](StoreErrorKind::Misuse). Answers come in the same order in every run.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    faults: Faults,
}

impl MemoryStore {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self::of(Tables::default())
    }

    /// The handle through which faults are injected.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// What is left after a crash at this moment: a store of its own, without faults, with exactly what is stored. Nobody
    /// will hear of what this one still holds back.
    #[must_use]
    pub fn durable_copy(&self) -> Self {
        Self::of(lock(&self.tables).clone())
    }

    fn of(tables: Tables) -> Self {
        let tables = Arc::new(Mutex::new(tables));
        Self { faults: Faults::new(Arc::clone(&tables)), tables }
    }

    fn read<T>(&self, operation: &'static str, read: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        self.faults.of_read(operation)?;
        Ok(read(&lock(&self.tables)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// Everything that is stored.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    events: Events,
    index: Index,
    sessions: Sessions,
    checkpoints: BTreeMap<ConversationId, Checkpoint>,
    reads: BTreeMap<(UserId, ConversationId), Seq>,
    fanned_out: EventId,
}

impl Tables {
    /// Stores that much of a round, or nothing where it is not what the port asks for.
    pub(crate) fn commit(&mut self, round: &Round, stored: Stored) -> Result<(), StoreError> {
        self.check(round)?;
        if stored == Stored::Nothing {
            return Ok(());
        }
        self.index.apply(round);
        let step = if stored == Stored::Part { 2 } else { 1 };
        for append in round.appends.iter().step_by(step) {
            self.events.append(append);
        }
        if stored == Stored::All {
            self.apply_marks(round);
        }
        Ok(())
    }

    fn check(&self, round: &Round) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        for append in &round.appends {
            self.events.check(append)?;
            if !append.events.first().is_some_and(|event| seen.insert(event.conversation)) {
                return Err(StoreError::new(StoreErrorKind::Misuse, "commit")
                    .because("a conversation appears twice in a round"));
            }
        }
        Ok(())
    }

    /// The rows that grow: a lower value than stored changes nothing.
    fn apply_marks(&mut self, round: &Round) {
        for checkpoint in &round.checkpoints {
            let stored = self.checkpoints.get(&checkpoint.conversation);
            if stored.is_none_or(|stored| stored.seq <= checkpoint.seq) {
                self.checkpoints.insert(checkpoint.conversation, checkpoint.clone());
            }
        }
        for write in &round.sessions {
            self.sessions.apply(write);
        }
        for read in &round.reads {
            let stored = self.reads.entry((read.user, read.conversation)).or_default();
            *stored = (*stored).max(read.seq);
        }
        self.fanned_out = self.fanned_out.max(round.fanned_out.unwrap_or_default());
    }
}

#[async_trait]
impl MessageStore for MemoryStore {
    fn commit(&self, round: Arc<Round>, done: Done) {
        let fault = self.faults.of_commit(&round);
        if let Some(Fault::Fail(kind)) = fault {
            return done(Err(CommitError::Failed(injected(kind, "commit"))));
        }
        let stored = match fault {
            Some(Fault::Unknown(stored) | Fault::Hold(stored)) => stored,
            _ => Stored::All,
        };
        // The lock is not held over `done`, which may read or commit.
        let outcome = lock(&self.tables).commit(&round, stored);
        match (outcome, fault) {
            (Err(error), _) => done(Err(CommitError::Failed(error))),
            (Ok(()), Some(Fault::Unknown(_))) => {
                done(Err(CommitError::Unknown(injected(StoreErrorKind::Unavailable, "commit"))));
            }
            (Ok(()), Some(Fault::Hold(_))) => self.faults.hold(round, done),
            (Ok(()), _) => done(Ok(())),
        }
    }

    async fn checkpoint(&self, conversation: ConversationId) -> Result<Option<Checkpoint>, StoreError> {
        self.read("checkpoint", |tables| tables.checkpoints.get(&conversation).cloned())
    }

    async fn events(&self, conversation: ConversationId, span: Span, amount: Amount) -> Result<Vec<Event>, StoreError> {
        self.read("events", |tables| tables.events.read(conversation, span, amount))
    }

    async fn seq_at(&self, conversation: ConversationId, id: EventId) -> Result<Seq, StoreError> {
        self.read("seq_at", |tables| tables.events.seq_at(conversation, id))
    }

    async fn index(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.read("index", |tables| tables.index.of(user, from, after, limit))
    }

    async fn moved(
        &self,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.read("moved", |tables| tables.index.moved(from, after, limit))
    }

    async fn listed(
        &self,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.read("listed", |tables| tables.index.listed(user, after, limit))
    }

    async fn read_mark(&self, user: UserId, conversation: ConversationId) -> Result<Seq, StoreError> {
        self.read("read_mark", |tables| tables.reads.get(&(user, conversation)).copied().unwrap_or_default())
    }

    async fn fanned_out(&self) -> Result<EventId, StoreError> {
        self.read("fanned_out", |tables| tables.fanned_out)
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>, StoreError> {
        self.read("session", |tables| tables.sessions.session(key))
    }

    async fn sessions(
        &self,
        after: Option<&SessionKey>,
        limit: usize,
    ) -> Result<Vec<(SessionKey, StoredSession)>, StoreError> {
        self.read("sessions", |tables| tables.sessions.page(after, limit))
    }
}
