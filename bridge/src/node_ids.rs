//! The node's one id clock, with the ceiling that its lease keeps for it (INV-8).

use std::sync::Arc;

use talaria_core::id_clock::CeilingReached;
use talaria_core::{EventId, IdClock};
use talaria_port::clock::Clock;
use talaria_port::ids::Ids;
use talaria_port::lease::Lease;
use talaria_port::{StoreError, StoreErrorKind};

/// How far ahead of own time ids are reserved: half of the 10 s that a lease lasts (DESIGN §4 "Ids").
const CEILING_AHEAD_MS: u64 = 5_000;
/// What must be left under the ceiling before a higher one is reserved.
const CEILING_MARGIN_MS: u64 = 2_500;

/// Draws every id of this node.
pub struct NodeIds {
    ids: IdClock,
    lease: Arc<dyn Lease>,
    clock: Arc<dyn Clock>,
}

impl NodeIds {
    /// Begins above everything that earlier holders of the lease may have drawn. Blocks until the first ceiling is durable.
    ///
    /// # Errors
    /// The lease cannot be written.
    pub fn open(lease: Arc<dyn Lease>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let this = Self { ids: IdClock::new(lease.worker(), lease.ceiling()), lease, clock };
        this.reserve()?;
        Ok(this)
    }

    /// An id above every earlier one and above `after`.
    pub(crate) fn draw_after(&self, after: EventId) -> Result<EventId, CeilingReached> {
        self.ids.draw(self.clock.unix_ms(), after)
    }

    /// A reading: every id drawn later is greater.
    pub(crate) fn read(&self) -> EventId {
        self.ids.read(self.clock.unix_ms())
    }

    /// Makes a higher ceiling durable while there is still room under the last one.
    pub(crate) fn reserve(&self) -> Result<(), StoreError> {
        let now = self.clock.unix_ms();
        if self.ids.is_near_ceiling(now, CEILING_MARGIN_MS) {
            let ceiling = self.ids.next_ceiling(now, CEILING_AHEAD_MS);
            self.lease.reserve(ceiling)?;
            self.ids.raise_ceiling(ceiling);
        }
        Ok(())
    }
}

impl Ids for NodeIds {
    fn draw(&self) -> Result<u64, StoreError> {
        let drawn = self.draw_after(EventId::ZERO);
        drawn.map(|id| id.0).map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "draw an id").because(error))
    }
}
