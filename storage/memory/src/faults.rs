//! Faults that a test injects into a [`MemoryStore`](crate::MemoryStore).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use talaria_port::messages::{CommitError, Done, Round};
use talaria_port::{StoreError, StoreErrorKind};

use crate::lock;
use crate::store::Tables;

/// How much of a round is durable at the moment of its fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// Nothing of it.
    Nothing,
    /// Its index and moved rows and every second of its appends: rounds are no transactions across conversations.
    Part,
    /// All of it.
    All,
}

/// What happens to one commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// [`CommitError::Failed`] with this kind; nothing is stored.
    Fail(StoreErrorKind),
    /// [`CommitError::Unknown`]; that much is stored.
    Unknown(Stored),
    /// That much is stored at once; the rest is, and `done` is called with `Ok`, when [`Faults::release`] is.
    Hold(Stored),
}

/// A handle on the faults of one store; clones are the same handle.
#[derive(Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    tables: Arc<Mutex<Tables>>,
}

type Decide = Box<dyn FnMut(&Round) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    /// Faults of the next commits, each with for how many.
    planned: VecDeque<(Fault, usize)>,
    decide: Option<Decide>,
    held: VecDeque<(Arc<Round>, Done)>,
    /// With what the next reads fail, and how many.
    reads: Option<(StoreErrorKind, usize)>,
}

impl Faults {
    pub(crate) fn new(tables: Arc<Mutex<Tables>>) -> Self {
        Self { state: Arc::default(), tables }
    }

    /// The next `count` commits meet `fault`, after those planned before. `usize::MAX` means until [`clear`](Self::clear).
    pub fn plan(&self, fault: Fault, count: usize) {
        if count > 0 {
            lock(&self.state).planned.push_back((fault, count));
        }
    }

    /// Commits for which nothing is planned ask `decide`, so that a seeded generator may choose. It must not call the store.
    pub fn decide(&self, decide: impl FnMut(&Round) -> Option<Fault> + Send + 'static) {
        lock(&self.state).decide = Some(Box::new(decide));
    }

    /// The next `count` reads fail with `kind`; replaces what was said before.
    pub fn fail_reads(&self, kind: StoreErrorKind, count: usize) {
        lock(&self.state).reads = (count > 0).then_some((kind, count));
    }

    /// No more faults. What is held stays held.
    pub fn clear(&self) {
        let mut state = lock(&self.state);
        state.planned.clear();
        state.decide = None;
        state.reads = None;
    }

    /// How many commits are held back.
    pub fn held(&self) -> usize {
        lock(&self.state).held.len()
    }

    /// Lets up to `count` held commits go, the oldest first, and calls their `done` on this thread. Gives how many went.
    pub fn release(&self, count: usize) -> usize {
        let mut released = 0;
        while released < count {
            // The lock is not held over `done`, which may commit again.
            let Some((round, done)) = lock(&self.state).held.pop_front() else { break };
            let outcome = lock(&self.tables).commit(&round, Stored::All);
            done(outcome.map_err(CommitError::Failed));
            released += 1;
        }
        released
    }

    pub(crate) fn of_commit(&self, round: &Round) -> Option<Fault> {
        let mut state = lock(&self.state);
        let State { planned, decide, .. } = &mut *state;
        let Some((fault, count)) = planned.front_mut() else {
            return decide.as_mut().and_then(|decide| decide(round));
        };
        let fault = *fault;
        *count -= 1;
        if *count == 0 {
            planned.pop_front();
        }
        Some(fault)
    }

    pub(crate) fn of_read(&self, operation: &'static str) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        let Some((kind, count)) = state.reads else { return Ok(()) };
        state.reads = (count > 1).then_some((kind, count - 1));
        Err(injected(kind, operation))
    }

    pub(crate) fn hold(&self, round: Arc<Round>, done: Done) {
        lock(&self.state).held.push_back((round, done));
    }
}

pub(crate) fn injected(kind: StoreErrorKind, operation: &'static str) -> StoreError {
    StoreError::new(kind, operation).because("injected")
}
