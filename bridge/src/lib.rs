//! The pipeline: authorize → dedupe → number → commit → acknowledge → fan out (DESIGN §4).
//!
//! It owns conversations: their order, their ids, who is in them, and that nothing is acknowledged before it is stored
//! or stored twice. **It must not know** MQTT, connections, HTTP, or which store it writes to: it meets them in `port/`.
//!
//! **Where to start:** [`Bridge`] is what the server assembles; `sequencer.rs` takes a submission through the first stages,
//! `committer.rs` through the rest; `stage/` has one file a stage.

mod answers;
mod carried_out;
mod catch_up;
mod committer;
mod conversation;
mod history;
mod keys;
mod members;
mod membership;
mod node_ids;
mod posts;
mod replay;
mod sequencer;
mod session_log;
mod shard;
mod stage;
#[cfg(test)]
mod tests;
mod trouble;
mod upkeep;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use async_trait::async_trait;
use hashbrown::HashMap;
use talaria_core::{ConversationId, EventId, Rules, Seq, UserId};
use talaria_port::channels::ChannelStore;
use talaria_port::clock::Clock;
use talaria_port::deliver::Mailbox;
use talaria_port::directory::Directory;
use talaria_port::ingest::{Ingest, Intake, Outcome, ReplyTo, Submission, Submit};
use talaria_port::messages::{Checkpoint, MessageStore};
use talaria_port::people::People;
use talaria_port::sessions::SessionWrite;
use talaria_port::spawn::Spawn;

pub use committer::{Committer, Started};
pub use node_ids::NodeIds;

use crate::answers::Answers;
use crate::carried_out::CarriedOut;
use crate::shard::Shards;

/// What the bridge stands on.
#[allow(missing_docs, reason = "each is its seam")]
pub struct Deps {
    pub store: Arc<dyn MessageStore>,
    pub channels: Arc<dyn ChannelStore>,
    pub people: Arc<dyn People>,
    pub directory: Arc<dyn Directory>,
    pub ids: Arc<NodeIds>,
    pub clock: Arc<dyn Clock>,
    pub spawn: Arc<dyn Spawn>,
    /// One for each loop; [`ReplyTo::mailbox`] and [`Address::mailbox`](talaria_port::deliver::Address::mailbox) count them.
    pub mailboxes: Vec<Arc<dyn Mailbox>>,
}

/// What an operator may set.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Members of a channel.
    pub channel_members_max: usize,
    /// All rules hold but in tests of them.
    pub rules: Rules,
}

impl Default for Settings {
    fn default() -> Self {
        Self { channel_members_max: talaria_core::limits::CHANNEL_MEMBERS_MAX, rules: Rules::default() }
    }
}

/// The pipeline. Clones share it.
#[derive(Clone)]
pub struct Bridge {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) deps: Deps,
    pub(crate) settings: Settings,
    pub(crate) shards: Shards,
    pub(crate) answers: Arc<Answers>,
    /// The loops' mailboxes and, last, that of `answers`.
    pub(crate) mailboxes: Vec<Arc<dyn Mailbox>>,
    /// What else goes into the next round.
    pub(crate) aside: Mutex<Aside>,
    /// How often submissions were turned away or rolled back.
    pub(crate) rollbacks: AtomicU64,
    /// Bytes of events that are staged.
    pub(crate) staged_bytes: AtomicUsize,
    /// Membership changes under way.
    pub(crate) carried_out: CarriedOut,
    /// The id clock when this began: no earlier process drew a later id, and this one no earlier.
    pub(crate) began: EventId,
    /// The settled watermark as last told.
    pub(crate) settled: AtomicU64,
    /// The shard that is looked through next for conversations to let sleep.
    pub(crate) next_to_sleep: AtomicUsize,
    /// The committer's thread, to be woken.
    pub(crate) committer: Mutex<Option<Thread>>,
}

/// Rows that are not events, waiting for the next round.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    pub(crate) sessions: Vec<(SessionWrite, Option<ReplyTo>)>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    pub(crate) reads: HashMap<(UserId, ConversationId), Seq>,
    pub(crate) fanned_out: Option<EventId>,
}

impl Aside {
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.checkpoints.is_empty() && self.reads.is_empty() && self.fanned_out.is_none()
    }
}

impl Bridge {
    /// A bridge over these parts.
    ///
    /// Nothing moves before a [`Committer`] runs and [`upkeep`](Self::upkeep) is called again and again.
    pub fn new(deps: Deps, settings: Settings) -> Self {
        let answers = Arc::new(Answers::default());
        let mut mailboxes = deps.mailboxes.clone();
        mailboxes.push(Arc::clone(&answers) as Arc<dyn Mailbox>);
        let began = deps.ids.read();
        let inner = Inner {
            settings,
            carried_out: CarriedOut::default(),
            began,
            shards: Shards::new(),
            answers,
            mailboxes,
            aside: Mutex::default(),
            rollbacks: AtomicU64::new(0),
            staged_bytes: AtomicUsize::new(0),
            settled: AtomicU64::new(began.0),
            next_to_sleep: AtomicUsize::new(0),
            committer: Mutex::new(None),
            deps,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The settled watermark W: everything with an id up to it is committed and was handed to the mailboxes.
    pub fn settled(&self) -> EventId {
        self.inner.settled()
    }

    /// How many conversations are in memory.
    pub fn awake(&self) -> usize {
        (0..Shards::count()).map(|shard| self.inner.shards.lock(shard).entries.len()).sum()
    }

    /// The committer, to be run on a thread of its own. There must be no second one.
    pub fn committer(&self) -> Committer {
        Committer::new(Arc::clone(&self.inner))
    }
}

impl Inner {
    pub(crate) fn settled(&self) -> EventId {
        EventId(self.settled.load(Ordering::Acquire))
    }

    pub(crate) fn aside(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox of [`Answers`].
    pub(crate) fn own_mailbox(&self) -> u16 {
        // A process has a loop a core; 65,535 of them is no machine.
        u16::try_from(self.mailboxes.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// Wakes the committer's thread.
    pub(crate) fn ring(&self) {
        if let Some(thread) = &*self.committer.lock().unwrap_or_else(PoisonError::into_inner) {
            thread.unpark();
        }
    }

    /// Submits and waits for the outcome.
    pub(crate) async fn submit_one(
        self: &Arc<Self>,
        user: UserId,
        conversation: ConversationId,
        intake: Intake,
    ) -> Outcome {
        let (ticket, answer) = self.answers.ticket();
        let reply = ReplyTo { mailbox: self.own_mailbox(), ticket };
        let rollbacks = self.rollbacks.load(Ordering::Acquire);
        self.submit(&mut vec![Submission { reply, user, conversation, intake, rollbacks }]);
        answer.await.unwrap_or(Outcome::Unavailable)
    }
}

impl Ingest for Bridge {
    fn submit(&self, submissions: &mut Vec<Submission>) {
        self.inner.submit(submissions);
    }
}

#[async_trait]
impl Submit for Bridge {
    async fn submit_one(&self, user: UserId, conversation: ConversationId, intake: Intake) -> Outcome {
        self.inner.submit_one(user, conversation, intake).await
    }
}
