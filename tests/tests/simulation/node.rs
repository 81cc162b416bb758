//! One process: the broker's loops, the bridge and its committer, over stores that outlive it. Nothing runs by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use talaria_bridge::{Bridge, Committer, NodeIds, Started};
use talaria_broker::simulation::{SimulatedBroker, SimulatedMailboxes};
use talaria_core::Rules;
use talaria_port::StoreErrorKind;
use talaria_port::ingest::Ingest;
use talaria_port::messages::{CommitError, MessageStore as _, Round};
use talaria_port::spawn::Spawn as _;
use talaria_storage_memory::{
    Fault, LocalClaims, LocalDirectory, ManualClock, MemoryChannels, MemoryLease, MemoryPeople, MemoryStore, Stored,
};

use crate::dice::Dice;
use crate::doorman::Doorman;
use crate::sabotage::{Sabotage, SabotagedIngest};
use crate::slow_stores::{Pace, SlowChannels, SlowMessages, SlowPeople};
use crate::tasks::Tasks;

/// What a crash leaves.
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    pub(crate) channels: MemoryChannels,
    pub(crate) people: MemoryPeople,
    pub(crate) lease: MemoryLease,
}

/// What a process is started with beyond its disk.
pub(crate) struct Start<'a> {
    pub(crate) loops: u16,
    pub(crate) rules: Rules,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) slow_percent: usize,
    pub(crate) is_traced: bool,
    pub(crate) clock: &'a ManualClock,
    pub(crate) doorman: &'a Doorman,
}

/// What became of taking up what an earlier process left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recovery {
    UnderWay,
    Done,
    /// The stores could not be read: the process ends.
    Failed,
}

type Outcome = Arc<Mutex<Option<Result<(), CommitError>>>>;

/// A round whose outcome nobody was told yet.
struct UnderWay {
    started: Started,
    outcome: Outcome,
}

pub(crate) struct Node {
    pub(crate) broker: SimulatedBroker,
    pub(crate) bridge: Bridge,
    pub(crate) disk: Disk,
    pub(crate) directory: Arc<LocalDirectory>,
    pub(crate) claims: Arc<LocalClaims>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) is_draining: bool,
    pub(crate) is_traced: bool,
    /// Faults of the next commits.
    pub(crate) faults: VecDeque<Fault>,
    /// A commit that no store should have been asked for.
    pub(crate) mistake: Option<String>,
    committer: Committer,
    under_way: Option<UnderWay>,
    recovery: Arc<Mutex<Recovery>>,
}

impl Node {
    /// A process on that disk. What the last one left is taken up by a task.
    pub(crate) fn start(disk: Disk, start: &Start<'_>, dice: &mut Dice) -> Self {
        let clock = Arc::new(start.clock.clone());
        let tasks = Arc::new(Tasks::default());
        let pace = Arc::new(Pace::new(dice.fork(), start.slow_percent, start.is_traced));
        let directory = Arc::new(LocalDirectory::new());
        let claims = Arc::new(LocalClaims::new());
        let store = Arc::new(SlowMessages(disk.store.clone(), pace.clone()));
        let people = Arc::new(SlowPeople(disk.people.clone(), pace.clone()));
        let ids = Arc::new(NodeIds::open(Arc::new(disk.lease.clone()), clock.clone()).unwrap());
        let mailboxes = SimulatedMailboxes::new(start.loops);
        let deps = talaria_bridge::Deps {
            store: store.clone(),
            channels: Arc::new(SlowChannels(disk.channels.clone(), pace.clone())),
            people: people.clone(),
            directory: directory.clone(),
            ids: ids.clone(),
            clock: clock.clone(),
            spawn: tasks.clone(),
            mailboxes: mailboxes.mailboxes(),
        };
        let settings = talaria_bridge::Settings { rules: start.rules, ..talaria_bridge::Settings::default() };
        let bridge = Bridge::new(deps, settings);
        let shared = Arc::new(bridge.clone());
        let ingest: Arc<dyn Ingest> = match start.sabotage {
            Some(sabotage) => Arc::new(SabotagedIngest::new(shared.clone(), sabotage)),
            None => shared.clone(),
        };
        let deps = talaria_broker::Deps {
            ingest,
            sessions: store,
            session_log: shared.clone(),
            directory: directory.clone(),
            claims: claims.clone(),
            authenticate: Arc::new(start.doorman.clone()),
            people,
            catch_ups: shared,
            ids,
            clock,
            spawn: tasks.clone(),
            settled: bridge.settled(),
            rules: start.rules,
        };
        let broker = SimulatedBroker::new(mailboxes, &talaria_broker::Settings::default(), &deps);
        let committer = bridge.committer();
        let recovery = Arc::new(Mutex::new(Recovery::UnderWay));
        let (recovering, recovered) = (bridge.clone(), recovery.clone());
        tasks.spawn(Box::pin(async move {
            let outcome = recovering.recover().await;
            *recovered.lock().unwrap() = if outcome.is_ok() { Recovery::Done } else { Recovery::Failed };
        }));
        Self {
            broker,
            bridge,
            disk,
            directory,
            claims,
            pace,
            tasks,
            is_draining: false,
            is_traced: start.is_traced,
            faults: VecDeque::new(),
            mistake: None,
            committer,
            under_way: None,
            recovery,
        }
    }

    pub(crate) fn recovery(&self) -> Recovery {
        *self.recovery.lock().unwrap()
    }

    /// One step of the committer: begins a round, ends the one whose outcome has become known, or tells the watermark. Whether a round moved.
    pub(crate) fn step_committer(&mut self) -> bool {
        let Some(UnderWay { started, outcome }) = self.under_way.take() else {
            let Some(started) = self.committer.start() else {
                self.committer.tell_settled();
                return false;
            };
            self.commit(started, false);
            return true;
        };
        let known = outcome.lock().unwrap().take();
        match known {
            None => {
                self.under_way = Some(UnderWay { started, outcome });
                return false;
            }
            Some(Ok(())) => self.committer.finish(&started, true),
            Some(Err(CommitError::Failed(error))) => {
                if error.kind == StoreErrorKind::Misuse {
                    self.mistake = Some(error.to_string());
                }
                self.committer.finish(&started, false);
            }
            Some(Err(CommitError::Unknown(_))) => self.commit(started, true),
        }
        true
    }

    fn commit(&mut self, started: Started, again: bool) {
        let fault = match self.faults.pop_front() {
            // What may be stored cannot fail any more.
            Some(Fault::Fail(_)) if again => Some(Fault::Unknown(Stored::Nothing)),
            fault => fault,
        };
        if let Some(fault) = fault {
            self.disk.store.faults().plan(fault, 1);
        }
        let outcome = Outcome::default();
        let told = outcome.clone();
        self.disk.store.commit(started.round(), Box::new(move |known| *told.lock().unwrap() = Some(known)));
        if self.is_traced {
            tell(&started.round(), &outcome);
        }
        self.under_way = Some(UnderWay { started, outcome });
    }

    /// Nothing fails any more, and what was held back goes on.
    pub(crate) fn calm(&mut self) {
        self.pace.fail(0);
        self.faults.clear();
        self.disk.store.faults().release(usize::MAX);
    }

    /// The process dies; everything in memory is gone.
    pub(crate) fn crash(self) -> Disk {
        // Tasks hold the bridge, which holds them.
        self.tasks.drop_all();
        Disk {
            store: self.disk.store.durable_copy(),
            channels: self.disk.channels.durable_copy(),
            people: self.disk.people,
            lease: self.disk.lease,
        }
    }
}

/// A round for people.
fn tell(round: &Round, outcome: &Outcome) {
    println!("    a round: {:?}", outcome.lock().unwrap());
    for event in round.appends.iter().flat_map(|append| &append.events) {
        let body = String::from_utf8_lossy(&event.body);
        println!("      event {} {} {} {:?} {body:.40}", event.conversation, event.seq, event.id, event.kind);
    }
    for row in &round.index {
        println!("      index {row:?}");
    }
    for write in &round.sessions {
        println!("      {write:?}");
    }
}
