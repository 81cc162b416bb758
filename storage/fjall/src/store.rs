//! The port on top of the writer and the readers.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use async_trait::async_trait;
use talaria_core::{ConversationId, Event, EventId, Seq, UserId};
use talaria_port::messages::{Amount, Checkpoint, Done, MessageStore, Round, Span, Window};
use talaria_port::sessions::{SessionKey, SessionStore, StoredSession};
use talaria_port::{StoreError, StoreErrorKind};

use crate::engine::{Engine, guarded};
use crate::error::Failure;
use crate::options::Options;
use crate::rows::{checkpoint, key, number};
use crate::writer::{Open, Writer};
use crate::{events, index, sessions};

/// The message store in a folder.
///
/// A commit blocks its thread and calls `done` on it before it returns. Reads of one row are done where they are asked for:
/// they look at a few blocks at most, and mostly at memory. Reads of many rows go to a thread that may block, so that a long
/// page on a cold disk holds up nobody.
pub struct FjallStore {
    writer: Mutex<Writer>,
    open: Open,
}

impl FjallStore {
    /// Opens the store in `folder` and makes it where there is none. A store that lacks anything it acknowledged is refused as
    /// [`Damaged`](StoreErrorKind::Damaged), one that is open elsewhere as [`Unavailable`](StoreErrorKind::Unavailable).
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let writer = Writer::open(folder, options)?;
        let open = writer.readers();
        Ok(Self { writer: Mutex::new(writer), open })
    }

    /// A read of one row, here.
    fn one<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Engine) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        run(&self.open, operation, read)
    }

    /// A read of many rows, on a thread that may block.
    async fn many<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Engine) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let open = Arc::clone(&self.open);
        let task = tokio::task::spawn_blocking(move || run(&open, operation, read));
        task.await.unwrap_or_else(|error| Err(StoreError::new(StoreErrorKind::Unavailable, operation).because(error)))
    }
}

fn run<T>(
    open: &Open,
    operation: &'static str,
    read: impl FnOnce(&Engine) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    // Never waits: the writer holds it alone only while it opens the engine anew, and that may take a while.
    let open = match open.try_read() {
        Ok(open) => open,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return Err(closed().at(operation)),
    };
    open.as_ref()
        .ok_or_else(closed)
        .and_then(|engine| guarded(|| read(engine)))
        .map_err(|failure| failure.at(operation))
}

fn closed() -> Failure {
    Failure::Unavailable("the engine is being opened anew".into())
}

/// A row of the table `rows`, as `decode` sees it.
fn row<T>(engine: &Engine, key: &[u8], decode: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Failure> {
    let Some(value) = engine.rows.get(key)? else { return Ok(None) };
    decode(&value).map(Some).ok_or_else(|| Failure::damaged(format_args!("row {key:x?}")))
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl MessageStore for FjallStore {
    fn commit(&self, round: Arc<Round>, done: Done) {
        // The lock is not held over `done`, which may commit again.
        let outcome = self.writer.lock().unwrap_or_else(PoisonError::into_inner).commit(&round);
        done(outcome);
    }

    async fn checkpoint(&self, conversation: ConversationId) -> Result<Option<Checkpoint>, StoreError> {
        self.one("checkpoint", |engine| {
            row(engine, &key::checkpoint(conversation), |value| checkpoint::read(value, conversation))
        })
    }

    async fn events(&self, conversation: ConversationId, span: Span, amount: Amount) -> Result<Vec<Event>, StoreError> {
        self.many("events", move |engine| events::read(engine, conversation, span, amount)).await
    }

    async fn seq_at(&self, conversation: ConversationId, id: EventId) -> Result<Seq, StoreError> {
        self.many("seq_at", move |engine| events::seq_at(engine, conversation, id)).await
    }

    async fn index(
        &self,
        user: UserId,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.many("index", move |engine| index::of(engine, user, from, after, limit)).await
    }

    async fn moved(
        &self,
        from: Window,
        after: Option<(Window, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<(Window, ConversationId)>, StoreError> {
        self.many("moved", move |engine| index::moved(engine, from, after, limit)).await
    }

    async fn listed(
        &self,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.many("listed", move |engine| index::listed(engine, user, after, limit)).await
    }

    async fn read_mark(&self, user: UserId, conversation: ConversationId) -> Result<Seq, StoreError> {
        self.one("read_mark", |engine| {
            row(engine, &key::read_mark(user, conversation), number::read_read_mark).map(Option::unwrap_or_default)
        })
    }

    async fn fanned_out(&self) -> Result<EventId, StoreError> {
        self.one("fanned_out", |engine| Ok(engine.round()?.fanned_out))
    }
}

#[async_trait]
impl SessionStore for FjallStore {
    async fn session(&self, key: &SessionKey) -> Result<Option<StoredSession>, StoreError> {
        self.one("session", |engine| sessions::one(engine, key))
    }

    async fn sessions(
        &self,
        after: Option<&SessionKey>,
        limit: usize,
    ) -> Result<Vec<(SessionKey, StoredSession)>, StoreError> {
        let after = after.cloned();
        self.many("sessions", move |engine| sessions::page(engine, after.as_ref(), limit)).await
    }
}
