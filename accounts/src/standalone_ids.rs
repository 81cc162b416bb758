//! Ids for commands that run beside the server.

use std::sync::Arc;

use talaria_core::EventId;
use talaria_core::id::WORKER_MAX;
use talaria_core::id_clock::IdClock;
use talaria_port::clock::Clock;
use talaria_port::ids::Ids;
use talaria_port::{StoreError, StoreErrorKind};

/// Milliseconds of ids that a command may draw ahead of its clock.
const AHEAD_MS: u64 = 60_000;

/// Draws ids of worker 1023, which no server ever holds, so that no command can meet a server's id.
///
/// Two commands must not draw at the same time: the caller holds a lock file of the data folder while this lives, and passes
/// the largest id that an earlier command left there as `after`. Without the lock nothing keeps two commands apart: they share the worker.
pub struct StandaloneIds {
    ids: IdClock,
    clock: Arc<dyn Clock>,
}

impl StandaloneIds {
    /// Draws above `after`, whatever the wall clock says.
    pub fn new(after: EventId, clock: Arc<dyn Clock>) -> Self {
        Self { ids: IdClock::new(WORKER_MAX, after), clock }
    }
}

impl Ids for StandaloneIds {
    fn draw(&self) -> Result<u64, StoreError> {
        let now = self.clock.unix_ms();
        if self.ids.is_near_ceiling(now, 1) {
            self.ids.raise_ceiling(self.ids.next_ceiling(now, AHEAD_MS));
        }
        let drawn = self.ids.draw(now, EventId::ZERO);
        drawn.map(|id| id.0).map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "draw id").because(error))
    }
}
