//! A loop's entrance: posts of the pipeline and letters between connections and tasks, in one order (D1).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use talaria_port::StoreError;
use talaria_port::authenticate::{Identity, Revoked};
use talaria_port::deliver::{Address, Mailbox, Post};
use talaria_port::history::{CatchUp, Moves};
use talaria_port::sessions::StoredSession;

use crate::session::lookup::{Answer, Question};

/// The token of a loop's waker.
pub(crate) const WAKE: mio::Token = mio::Token(usize::MAX);

/// News for one connection that come from tasks or from other connections.
#[derive(Debug)]
pub(crate) enum News {
    /// The answer to an authentication.
    Authenticated(Result<Option<Identity>, StoreError>),
    /// The stored session.
    Loaded(Result<Option<StoredSession>, StoreError>),
    /// What a packet waits to know.
    Answered(Question, Result<Answer, StoreError>),
    /// A piece of the index.
    Moves(u32, Result<Moves, StoreError>),
    /// A piece of a conversation.
    Page(u32, Result<Option<CatchUp>, StoreError>),
    /// A later connection holds the session name; it waits for [`News::HandedOver`].
    TakenOver(Address),
    /// The earlier connection is gone and its mark is queued.
    HandedOver,
    /// The right to be connected ended.
    Revoked,
}

/// One letter.
#[derive(Debug)]
pub(crate) enum Letter {
    /// For a connection.
    News(u32, u32, News),
    /// Revocations since the last time, with their number.
    Revocations(Result<(Vec<Revoked>, u64), StoreError>),
    /// Stop accepting and end within so many milliseconds.
    Drain { within_ms: u64 },
}

/// What lies in a mailbox.
pub(crate) enum Mail {
    Post(Post),
    Letter(Letter),
}

/// The mailbox of one loop. Unbounded in form; each sender has its own bound on what it may have outstanding.
pub(crate) struct LoopMailbox {
    mail: Mutex<VecDeque<Mail>>,
    /// None where nobody sleeps: in a simulation.
    waker: Option<mio::Waker>,
}

impl LoopMailbox {
    /// A mailbox that wakes that loop.
    pub(crate) fn new(registry: &mio::Registry) -> std::io::Result<Self> {
        Ok(Self { mail: Mutex::default(), waker: Some(mio::Waker::new(registry, WAKE)?) })
    }

    /// A mailbox of a loop that looks by itself.
    #[cfg(feature = "simulation")]
    pub(crate) fn unwoken() -> Self {
        Self { mail: Mutex::default(), waker: None }
    }

    /// Puts a letter in.
    pub(crate) fn letter(&self, letter: Letter) {
        self.put(Mail::Letter(letter));
    }

    /// Takes all mail; `into` gives its room in exchange.
    pub(crate) fn take(&self, into: &mut VecDeque<Mail>) {
        std::mem::swap(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner), into);
    }

    fn put(&self, mail: Mail) {
        let was_empty = {
            let mut queue = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back(mail);
            queue.len() == 1
        };
        // A waker fails only when the loop is gone with its poll.
        if was_empty
            && let Some(waker) = &self.waker
            && let Err(error) = waker.wake()
        {
            tracing::error!(%error, "cannot wake a loop");
        }
    }
}

impl Mailbox for LoopMailbox {
    fn post(&self, post: Post) {
        self.put(Mail::Post(post));
    }
}
