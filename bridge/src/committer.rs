//! The one thread that writes: gathers a round, commits it, settles it, fans it out, tells the watermark; the next round is what
//! came meanwhile (DESIGN §4 "Commit").

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::Duration;

use talaria_core::{EventId, Rule, UserId};
use talaria_port::messages::{CommitError, IndexRow};

use crate::Inner;
use crate::posts::Posts;
use crate::shard::Shards;
use crate::stage::commit::Gathered;
use crate::stage::fan_out::FanOut;

/// The longest wait for work; a ring ends it at once.
const IDLE: Duration = Duration::from_millis(100);
/// The wait before a round of unknown outcome is committed again; doubled up to [`AGAIN_MAX`].
const AGAIN: Duration = Duration::from_millis(10);
const AGAIN_MAX: Duration = Duration::from_secs(1);
/// The wait after a round that could not be stored: marks stay for the next one, which would fail at once as well. Short, for
/// all that comes meanwhile waits for its refusal, and for the room that there is again.
const REST: Duration = Duration::from_millis(100);

/// Writes rounds. Stepped by hand in tests on virtual time: [`start`](Self::start), then [`finish`](Self::finish).
pub struct Committer {
    inner: Arc<Inner>,
    posts: Posts,
    fan_out: Vec<FanOut>,
    users: Vec<UserId>,
    late_index: Vec<IndexRow>,
    told_all_at_ms: u64,
}

/// A round whose outcome is not known yet.
pub struct Started {
    gathered: Gathered,
}

impl Started {
    /// What is to be committed.
    pub fn round(&self) -> Arc<talaria_port::messages::Round> {
        Arc::clone(&self.gathered.round)
    }
}

impl Committer {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let posts = Posts::new(inner.mailboxes.len());
        Self { inner, posts, fan_out: Vec::new(), users: Vec::new(), late_index: Vec::new(), told_all_at_ms: 0 }
    }

    /// Commits rounds until `stop` is set and nothing is left, or nothing can be stored: what is lost then is marks, which costs
    /// repeats. Blocks; to be called on a thread of its own.
    pub fn run(mut self, stop: &AtomicBool) {
        *self.inner.committer.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
        loop {
            match self.start() {
                Some(started) if self.commit(&started, stop) => {}
                Some(_) if stop.load(Ordering::Acquire) => return,
                Some(_) => std::thread::sleep(REST),
                None if stop.load(Ordering::Acquire) => return,
                None => {
                    self.tell_settled();
                    std::thread::park_timeout(IDLE);
                }
            }
        }
    }

    /// Gathers the next round; `None` where there is nothing to do.
    pub fn start(&mut self) -> Option<Started> {
        self.inner.gather(&mut self.late_index).map(|gathered| Started { gathered })
    }

    /// Tells the watermark to every loop; between rounds, so it is behind all deliveries (D1).
    pub fn tell_settled(&mut self) {
        let settled = self.inner.watermark();
        if self.inner.settled.fetch_max(settled.0, Ordering::AcqRel) < settled.0 {
            self.posts.settle(settled, true);
            self.posts.flush(&self.inner.mailboxes);
        }
    }

    /// Loops that get nothing else hear the watermark ten times a second, however busy the others are.
    fn is_time_to_tell_all(&mut self) -> bool {
        let now_ms = self.inner.deps.clock.monotonic_ms();
        let is_time = now_ms.saturating_sub(self.told_all_at_ms) >= IDLE.as_millis() as u64;
        if is_time {
            self.told_all_at_ms = now_ms;
        }
        is_time
    }

    /// Commits until the outcome is known, or `stop` is set and it is not; whether the round is stored.
    fn commit(&mut self, started: &Started, stop: &AtomicBool) -> bool {
        let mut again = AGAIN;
        loop {
            let (done, outcome) = mpsc::sync_channel(1);
            let done = Box::new(move |outcome| {
                // The receiver waits below until this is called.
                let _ = done.send(outcome);
            });
            self.inner.deps.store.commit(started.round(), done);
            match outcome.recv() {
                Ok(Ok(())) => {
                    self.finish(started, true);
                    return true;
                }
                Ok(Err(CommitError::Failed(error))) => {
                    tracing::warn!(%error, "a round was not stored; its publishes are not acknowledged");
                    self.finish(started, false);
                    return false;
                }
                Ok(Err(CommitError::Unknown(error))) => {
                    tracing::warn!(%error, "the outcome of a round is not known; it is committed again");
                }
                Err(_) => tracing::error!("the store dropped a round without an answer; it is committed again"),
            }
            if stop.load(Ordering::Acquire) {
                return false;
            }
            std::thread::sleep(again);
            again = (again * 2).min(AGAIN_MAX);
        }
    }

    /// The outcome is known: acknowledges and fans out, or rolls back.
    pub fn finish(&mut self, started: &Started, is_stored: bool) {
        let inner = Arc::clone(&self.inner);
        if is_stored {
            inner.settle(&started.gathered, &mut self.fan_out, &mut self.posts);
        } else {
            inner.roll_back(&started.gathered, &mut self.posts);
        }
        let settled = inner.watermark();
        if !inner.settings.rules.hold(Rule::D1) {
            self.posts.settle(settled, true);
            self.posts.flush(&inner.mailboxes);
        }
        for fan_out in self.fan_out.drain(..) {
            fan_out.run(inner.deps.directory.as_ref(), &mut self.users, &mut self.posts);
        }
        // Behind the deliveries that it covers (D1).
        let to_all = self.is_time_to_tell_all();
        self.posts.settle(settled, to_all);
        inner.settled.fetch_max(settled.0, Ordering::AcqRel);
        self.posts.flush(&inner.mailboxes);
    }
}

impl Inner {
    /// W: reads the clock first, then each shard's oldest pending id (D8). Everything of the rounds before is fanned out by whoever
    /// tells it.
    pub(crate) fn watermark(&self) -> EventId {
        let mut settled = self.deps.ids.read();
        for shard_number in 0..Shards::count() {
            let shard = self.shards.lock(shard_number);
            for oldest in [shard.oldest_staged, shard.oldest_in_round].into_iter().flatten() {
                settled = settled.min(EventId(oldest.0.saturating_sub(1)));
            }
        }
        settled.max(self.settled())
    }
}
