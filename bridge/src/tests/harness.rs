//! A bridge whose tasks and rounds run when a test says so.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use talaria_core::{ConversationId, EventId, Origin, Rules, UserId};
use talaria_port::clock::Clock;
use talaria_port::deliver::{Address, Mailbox, Outgoing, Post};
use talaria_port::directory::Directory as _;
use talaria_port::ingest::{Ingest as _, Intake, OriginClaim, Outcome, ReplyTo, Submission};
use talaria_port::messages::{CommitError, MessageStore as _};
use talaria_port::spawn::{Spawn, Task};
use talaria_storage_memory::{LocalDirectory, ManualClock, MemoryChannels, MemoryLease, MemoryPeople, MemoryStore};

use crate::committer::{Committer, Started};
use crate::{Bridge, Deps, NodeIds, Settings};

pub(crate) const NOW_UNIX_MS: u64 = 1_764_000_000_000;

#[derive(Default)]
pub(crate) struct Tasks(Mutex<VecDeque<Task>>);

impl Spawn for Tasks {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push_back(task);
    }
}

#[derive(Default)]
pub(crate) struct Inbox(Mutex<Vec<Post>>);

impl Mailbox for Inbox {
    fn post(&self, mut post: Post) {
        // A fence is passed at once: this loop has nothing else to do.
        post.fence = None;
        self.0.lock().unwrap().push(post);
    }
}

/// What survives a crash.
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    pub(crate) channels: MemoryChannels,
    pub(crate) people: Arc<MemoryPeople>,
    pub(crate) lease: Arc<MemoryLease>,
}

pub(crate) struct Harness {
    pub(crate) bridge: Bridge,
    pub(crate) committer: Committer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) channels: Arc<MemoryChannels>,
    pub(crate) people: Arc<MemoryPeople>,
    pub(crate) lease: Arc<MemoryLease>,
    pub(crate) directory: Arc<LocalDirectory>,
    tasks: Arc<Tasks>,
    inbox: Arc<Inbox>,
    next_ticket: u64,
}

pub(crate) fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn dm(a: u64, b: u64) -> ConversationId {
    ConversationId::dm(user(a), user(b))
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with_rules(Rules::default())
    }

    pub(crate) fn with_rules(rules: Rules) -> Self {
        let people = MemoryPeople::new();
        for id in 1..=9 {
            people.add(user(id), format!("@user{id}").parse().unwrap());
        }
        let disk = Disk {
            store: MemoryStore::new(),
            channels: MemoryChannels::new(),
            people: Arc::new(people),
            lease: Arc::new(MemoryLease::new(0)),
        };
        Self::start(disk, rules)
    }

    pub(crate) fn start(disk: Disk, rules: Rules) -> Self {
        let clock = Arc::new(ManualClock::new(NOW_UNIX_MS));
        let (store, channels) = (Arc::new(disk.store), Arc::new(disk.channels));
        let directory = Arc::new(LocalDirectory::new());
        let tasks = Arc::new(Tasks::default());
        let inbox = Arc::new(Inbox::default());
        let deps = Deps {
            store: store.clone(),
            channels: channels.clone(),
            people: disk.people.clone(),
            directory: directory.clone(),
            ids: Arc::new(NodeIds::open(disk.lease.clone(), clock.clone()).unwrap()),
            clock: clock.clone(),
            spawn: tasks.clone(),
            mailboxes: vec![inbox.clone()],
        };
        let bridge = Bridge::new(deps, Settings { rules, ..Settings::default() });
        let committer = bridge.committer();
        let (people, lease) = (disk.people, disk.lease);
        Self { bridge, committer, clock, store, channels, people, lease, directory, tasks, inbox, next_ticket: 0 }
    }

    /// A crash: what was not durable is gone, and so is everything in memory.
    pub(crate) fn crash(self, rules: Rules) -> Self {
        let disk = Disk {
            store: self.store.durable_copy(),
            channels: self.channels.durable_copy(),
            people: self.people,
            lease: self.lease,
        };
        Self::start(disk, rules)
    }

    pub(crate) fn online(&self, id: u64) -> Address {
        let address = Address { mailbox: 0, slot: u32::try_from(id).unwrap(), nonce: 1 };
        self.directory.register(user(id), address);
        address
    }

    pub(crate) fn submit(&mut self, from: u64, conversation: ConversationId, intake: Intake) -> u64 {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let rollbacks = self.bridge.inner.rollbacks.load(std::sync::atomic::Ordering::Acquire);
        let reply = ReplyTo { mailbox: 0, ticket };
        self.bridge.submit(&mut vec![Submission { reply, user: user(from), conversation, intake, rollbacks }]);
        ticket
    }

    pub(crate) fn say(&mut self, from: u64, conversation: ConversationId, text: &str) -> u64 {
        self.submit(from, conversation, message(text, None, None))
    }

    /// Runs tasks until none can go on.
    pub(crate) fn run_tasks(&self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut idle = 0;
        loop {
            let Some(mut task) = self.tasks.0.lock().unwrap().pop_front() else { return };
            match task.as_mut().poll(&mut context) {
                Poll::Ready(()) => idle = 0,
                Poll::Pending => {
                    idle += 1;
                    let mut tasks = self.tasks.0.lock().unwrap();
                    tasks.push_back(task);
                    if idle > tasks.len() {
                        return;
                    }
                }
            }
        }
    }

    /// Commits a round if there is something to commit.
    pub(crate) fn round(&mut self) -> bool {
        self.run_tasks();
        let Some(started) = self.committer.start() else { return false };
        let outcome = self.commit(&started);
        match outcome {
            Ok(()) => self.committer.finish(&started, true),
            Err(CommitError::Failed(_)) => self.committer.finish(&started, false),
            Err(CommitError::Unknown(_)) => panic!("not planned here"),
        }
        self.run_tasks();
        true
    }

    pub(crate) fn commit(&self, started: &Started) -> Result<(), CommitError> {
        let (done, outcome) = mpsc::channel();
        self.store.commit(started.round(), Box::new(move |result| done.send(result).unwrap()));
        outcome.try_recv().unwrap()
    }

    /// Runs until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        while self.round() {}
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        std::mem::take(&mut self.inbox.0.lock().unwrap())
    }

    /// Settles and gives the answer to each ticket.
    pub(crate) fn answers(&mut self) -> Vec<(u64, Outcome)> {
        self.settle();
        self.posts().into_iter().flat_map(|post| post.completions).map(|done| (done.ticket, done.outcome)).collect()
    }

    /// Drives a call that waits for rounds.
    pub(crate) fn wait<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1000 {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            self.round();
        }
        panic!("the call never ends");
    }

    pub(crate) fn advance_ms(&self, ms: u64) {
        self.clock.advance_ms(ms);
        self.bridge.upkeep();
        assert!(self.clock.unix_ms() >= NOW_UNIX_MS);
    }
}

pub(crate) fn message(text: &str, key: Option<&str>, origin: Option<OriginClaim>) -> Intake {
    let body = Bytes::from(format!("\"text\":\"{text}\""));
    Intake::Message { body, key: key.map(Into::into), origin }
}

pub(crate) fn claim(packet_id: u16, text: &str, generation: u64, resend_above: Option<EventId>) -> OriginClaim {
    let origin = Origin { client: 7, packet_id, payload: talaria_core::event::hash(text.as_bytes()) };
    OriginClaim { origin, generation, resend_above }
}

/// Every delivery of the posts: slot and event.
pub(crate) fn deliveries(posts: &[Post]) -> Vec<(u32, Arc<Outgoing>)> {
    let of = |post: &Post| {
        let each = |(event, to): (&Arc<Outgoing>, &[(u32, u32)])| {
            to.iter().map(|(slot, _)| (*slot, Arc::clone(event))).collect::<Vec<_>>()
        };
        post.deliveries.iter().flat_map(each).collect::<Vec<_>>()
    };
    posts.iter().flat_map(of).collect()
}
