//! The mailbox of those who wait for one answer: the API, and membership changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use talaria_port::deliver::{Mailbox, Post};
use talaria_port::ingest::Outcome;
use tokio::sync::oneshot;

/// Answers that are waited for, by ticket. Bounded by its callers, each of which waits for one.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Outcome>>>,
}

impl Answers {
    /// A ticket and where its answer comes.
    pub(crate) fn ticket(&self) -> (u64, oneshot::Receiver<Outcome>) {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, sender);
        (ticket, receiver)
    }
}

impl Mailbox for Answers {
    fn post(&self, post: Post) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for completion in post.completions {
            if let Some(sender) = waiting.remove(&completion.ticket) {
                // Whoever gave up waiting needs no answer.
                let _ = sender.send(completion.outcome);
            }
        }
    }
}
