//! The machine's clock, and one that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use talaria_port::clock::Clock;

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        // A clock before 1970 is as wrong as one at 1970; the id clock copes with both.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that moves only when told, for tests on virtual time. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    times: Arc<Times>,
}

#[derive(Debug)]
struct Times {
    unix_ms: AtomicU64,
    monotonic_ms: AtomicU64,
}

impl ManualClock {
    /// A clock at that wall time; its monotonic time begins at 0.
    pub fn new(unix_ms: u64) -> Self {
        Self { times: Arc::new(Times { unix_ms: AtomicU64::new(unix_ms), monotonic_ms: AtomicU64::new(0) }) }
    }

    /// Lets time go by on both clocks.
    pub fn advance_ms(&self, ms: u64) {
        self.times.unix_ms.fetch_add(ms, Ordering::AcqRel);
        self.times.monotonic_ms.fetch_add(ms, Ordering::AcqRel);
    }

    /// Lets the wall clock step, in either direction; the monotonic one stays.
    pub fn set_unix_ms(&self, unix_ms: u64) {
        self.times.unix_ms.store(unix_ms, Ordering::Release);
    }
}

impl Clock for ManualClock {
    fn unix_ms(&self) -> u64 {
        self.times.unix_ms.load(Ordering::Acquire)
    }

    fn monotonic_ms(&self) -> u64 {
        self.times.monotonic_ms.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_leaves_monotonic_time_alone() {
        let clock = ManualClock::new(10_000);
        clock.advance_ms(500);
        clock.set_unix_ms(3_000);
        assert_eq!((clock.unix_ms(), clock.monotonic_ms()), (3_000, 500));
    }

    #[test]
    fn the_systems_clock_is_after_the_epoch_of_ids_and_does_not_step_back() {
        let clock = SystemClock::new();
        assert!(clock.unix_ms() > talaria_core::id::EPOCH_UNIX_MS);
        let before = clock.monotonic_ms();
        assert!(clock.monotonic_ms() >= before);
    }
}
