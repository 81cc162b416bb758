//! The id clock: a hybrid logical clock that draws event ids (DESIGN §4 "Ids", INV-8).
//!
//! Wall time comes in with each call, so that tests run on virtual time. The clock never gives an id twice nor one
//! below an earlier one, whatever the wall clock does; how far it may run is bounded by a ceiling that its owner has
//! made durable beforehand.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::{COUNTER_BITS, COUNTER_MAX, EPOCH_UNIX_MS, EventId, TIME_SHIFT, WORKER_MAX};

/// How far a committed id of another node may pull this clock beyond its own time, in milliseconds.
pub const LEAD_MS_MAX: u64 = 1_000;

/// Milliseconds of ids that are reserved beyond the last one while the wall clock is behind it.
const RESERVE_MS: u64 = 1_000;

/// The next id would not lie under the durable ceiling: reserve a higher one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no id is free under the reserved ceiling")]
pub struct CeilingReached;

/// Draws ids for one worker number. Shared by all shards of a node; drawing takes no lock but in the one case of a
/// conversation whose head lies beyond the clock.
#[derive(Debug)]
pub struct IdClock {
    worker: u64,
    /// The last id drawn, or the highest committed id met.
    last: AtomicU64,
    /// Ids stay below it.
    ceiling: AtomicU64,
    /// Ids beyond the clock: the next free counter of each millisecond, one table for all conversations.
    ahead: Mutex<HashMap<u64, u64>>,
}

impl IdClock {
    /// A clock of worker `worker` (its low 10 bits) that begins above `ceiling`, the last one its predecessor reserved. It
    /// draws nothing before [`raise_ceiling`](Self::raise_ceiling).
    pub fn new(worker: u16, ceiling: EventId) -> Self {
        Self {
            worker: u64::from(worker & WORKER_MAX),
            last: AtomicU64::new(ceiling.0),
            ceiling: AtomicU64::new(ceiling.0),
            ahead: Mutex::new(HashMap::new()),
        }
    }

    /// An id above every earlier one and above `after`, the conversation's last.
    pub fn draw(&self, now_unix_ms: u64, after: EventId) -> Result<EventId, CeilingReached> {
        let now = self.start_of(now_unix_ms);
        let reach = self.start_of(now_unix_ms + LEAD_MS_MAX);
        let ceiling = self.ceiling.load(Ordering::Acquire);
        let mut last = self.last.load(Ordering::Acquire);
        loop {
            if after.0 > last && after.0 > reach {
                return Ok(self.draw_ahead(after));
            }
            let next = self.successor(last.max(after.0)).max(now);
            if next >= ceiling {
                return Err(CeilingReached);
            }
            match self.last.compare_exchange_weak(last, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(EventId(next)),
                Err(seen) => last = seen,
            }
        }
    }

    /// A reading: every id drawn later is greater. It stays under the ceiling.
    pub fn read(&self, now_unix_ms: u64) -> EventId {
        let now = self.start_of(now_unix_ms).saturating_sub(1);
        let bound = self.ceiling.load(Ordering::Acquire).saturating_sub(1);
        let now = now.min(bound);
        EventId(self.last.fetch_max(now, Ordering::AcqRel).max(now))
    }

    /// Meets an id that another node committed. One too far ahead leaves the clock where it is.
    pub fn observe(&self, committed: EventId, now_unix_ms: u64) {
        if committed.0 <= self.start_of(now_unix_ms + LEAD_MS_MAX) {
            self.last.fetch_max(committed.0, Ordering::AcqRel);
        }
    }

    /// The ceiling to make durable next: `ahead_ms` beyond own time, or a little beyond the last id where that is
    /// further, so that a clock which runs behind still gets on without running away.
    pub fn next_ceiling(&self, now_unix_ms: u64, ahead_ms: u64) -> EventId {
        let last = self.last.load(Ordering::Acquire);
        EventId(self.start_of(now_unix_ms + ahead_ms).max(last.saturating_add(RESERVE_MS << TIME_SHIFT)))
    }

    /// Lets ids be drawn below `ceiling`, which is durable by now. A lower one than before changes nothing.
    pub fn raise_ceiling(&self, ceiling: EventId) {
        self.ceiling.fetch_max(ceiling.0, Ordering::AcqRel);
    }

    /// Whether less than `margin_ms` of ids is left under the ceiling.
    pub fn is_near_ceiling(&self, now_unix_ms: u64, margin_ms: u64) -> bool {
        let position = self.last.load(Ordering::Acquire).max(self.start_of(now_unix_ms));
        position.saturating_add(margin_ms << TIME_SHIFT) >= self.ceiling.load(Ordering::Acquire)
    }

    /// A conversation that lies beyond the clock goes on from its own head; the clock does not follow.
    fn draw_ahead(&self, after: EventId) -> EventId {
        let mut table = self.ahead.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut id = self.successor(after.0);
        loop {
            let (ms, counter) = (id >> TIME_SHIFT, id & COUNTER_MAX);
            let free = table.entry(ms).or_insert(0);
            let counter = counter.max(*free);
            if counter <= COUNTER_MAX {
                *free = counter + 1;
                return EventId(self.compose(ms, counter));
            }
            id = self.compose(ms + 1, 0);
        }
    }

    fn compose(&self, ms: u64, counter: u64) -> u64 {
        (ms << TIME_SHIFT) | (self.worker << COUNTER_BITS) | counter
    }

    fn start_of(&self, unix_ms: u64) -> u64 {
        self.compose(unix_ms.saturating_sub(EPOCH_UNIX_MS), 0)
    }

    /// The smallest id of this worker above `id`.
    fn successor(&self, id: u64) -> u64 {
        let (ms, counter) = (id >> TIME_SHIFT, id & COUNTER_MAX);
        let worker = (id >> COUNTER_BITS) & u64::from(WORKER_MAX);
        if worker < self.worker {
            self.compose(ms, 0)
        } else if worker == self.worker && counter < COUNTER_MAX {
            id + 1
        } else {
            self.compose(ms + 1, 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = EPOCH_UNIX_MS + 1_000_000;

    fn clock(worker: u16) -> IdClock {
        let clock = IdClock::new(worker, EventId::ZERO);
        clock.raise_ceiling(EventId::at_unix_ms(NOW + 60_000));
        clock
    }

    #[test]
    fn ids_grow_when_time_stands_still_or_steps_back() {
        let clock = clock(3);
        let mut before = EventId::ZERO;
        for step in 0..20_000_u64 {
            let now = if step % 3 == 0 { NOW - 3_600_000 } else { NOW };
            let id = clock.draw(now, before).unwrap();
            assert!(id > before && id.worker() == 3);
            before = id;
        }
        assert!(before.unix_ms() < NOW + 10, "4096 ids a millisecond, not more time than that");
    }

    #[test]
    fn nothing_is_drawn_beyond_the_ceiling() {
        let clock = IdClock::new(0, EventId::ZERO);
        assert_eq!(clock.draw(NOW, EventId::ZERO), Err(CeilingReached));
        let ceiling = clock.next_ceiling(NOW, 5_000);
        clock.raise_ceiling(ceiling);
        assert!(clock.draw(NOW, EventId::ZERO).unwrap() < ceiling);
        assert_eq!(clock.draw(NOW + 6_000, EventId::ZERO), Err(CeilingReached));
        assert!(clock.read(NOW + 6_000) < ceiling);
    }

    #[test]
    fn a_restart_begins_above_the_ceiling_whatever_the_clock_says() {
        let first = clock(0);
        let ceiling = first.next_ceiling(NOW, 5_000);
        for wrong in [NOW - 3_600_000, NOW, NOW + 1_000] {
            let second = IdClock::new(0, ceiling);
            let reserved = second.next_ceiling(wrong, 5_000);
            second.raise_ceiling(reserved);
            assert!(second.draw(wrong, EventId::ZERO).unwrap() > ceiling);
            assert!(reserved.unix_ms() <= NOW + 5_000 + RESERVE_MS + 1, "it does not run away");
        }
    }

    #[test]
    fn a_head_far_ahead_is_followed_without_moving_the_clock() {
        let clock = clock(1);
        let far = EventId::at_unix_ms(NOW + 365 * 86_400_000);
        let one = clock.draw(NOW, far).unwrap();
        let other = clock.draw(NOW, far).unwrap();
        assert!(one > far && other > far && one != other);
        assert!(clock.draw(NOW, EventId::ZERO).unwrap().unix_ms() <= NOW + 1);
        clock.observe(far, NOW);
        assert!(clock.draw(NOW, EventId::ZERO).unwrap().unix_ms() <= NOW + 1);
    }

    #[test]
    fn ids_beyond_the_clock_spill_into_the_next_millisecond() {
        let clock = clock(1);
        let far = EventId::at_unix_ms(NOW + 86_400_000);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            assert!(seen.insert(clock.draw(NOW, far).unwrap()));
        }
    }

    #[test]
    fn what_is_drawn_after_a_reading_is_greater() {
        let clock = clock(0);
        for now in [NOW, NOW - 500, NOW + 3, NOW + 3] {
            let reading = clock.read(now);
            assert!(clock.draw(now, EventId::ZERO).unwrap() > reading);
        }
    }

    #[test]
    fn a_small_lead_of_another_node_is_followed() {
        let clock = clock(0);
        let met = EventId::at_unix_ms(NOW + 900);
        clock.observe(met, NOW);
        assert!(clock.draw(NOW, EventId::ZERO).unwrap() > met);
    }
}
