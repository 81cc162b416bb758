//! A worker lease in memory.

use std::sync::{Arc, Mutex};

use talaria_core::EventId;
use talaria_core::id::WORKER_MAX;
use talaria_port::lease::Lease;
use talaria_port::{StoreError, StoreErrorKind};

use crate::lock;

/// A lease that is always held, for tests. Clones are the same lease, so that a test's next "process" finds the ceiling again.
#[derive(Clone, Debug)]
pub struct MemoryLease {
    worker: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    ceiling: EventId,
    /// With what the next reservations fail, and how many.
    fault: Option<(StoreErrorKind, usize)>,
}

impl MemoryLease {
    /// The lease of worker number `worker` (its low 10 bits), with nothing reserved.
    pub fn new(worker: u16) -> Self {
        Self { worker: worker & WORKER_MAX, state: Arc::default() }
    }

    /// The next `count` reservations fail with `kind` and reserve nothing.
    pub fn fail(&self, kind: StoreErrorKind, count: usize) {
        lock(&self.state).fault = (count > 0).then_some((kind, count));
    }
}

impl Lease for MemoryLease {
    fn worker(&self) -> u16 {
        self.worker
    }

    fn ceiling(&self) -> EventId {
        lock(&self.state).ceiling
    }

    fn reserve(&self, ceiling: EventId) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        if let Some((kind, count)) = state.fault {
            state.fault = (count > 1).then_some((kind, count - 1));
            return Err(StoreError::new(kind, "reserve").because("injected"));
        }
        state.ceiling = state.ceiling.max(ceiling);
        Ok(())
    }
}
