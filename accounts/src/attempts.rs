//! Wrong passwords for each handle: only so many in a time (HARDENING "Around it" and the guessing of passwords in general).

use talaria_core::Handle;
use talaria_core::limits::{LOG_IN_FAILURE_FORGOTTEN_S, LOG_IN_FAILURES_MAX, LOG_IN_HANDLES_MAX};

use crate::cache::Cache;

const FORGOTTEN_MS: u64 = LOG_IN_FAILURE_FORGOTTEN_S * 1_000;

/// A leaking bucket for each handle, whether or not it exists: every failure fills it by one, time empties it. Guesses that are under way together may fill
/// it further than its brim, and the bar lasts longer by that, so that their rate stays the same.
pub(crate) struct Attempts {
    /// When the last failure will be forgotten, by the monotonic clock.
    empty_at_ms: Cache<Handle, u64>,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        Self { empty_at_ms: Cache::new(LOG_IN_HANDLES_MAX) }
    }

    /// Whether no password is looked at now.
    pub(crate) fn are_barred(&mut self, handle: &Handle, now_ms: u64) -> bool {
        let left_ms = self.empty_at_ms.get(handle).unwrap_or(0).saturating_sub(now_ms);
        left_ms > FORGOTTEN_MS * u64::from(LOG_IN_FAILURES_MAX - 1)
    }

    pub(crate) fn failed(&mut self, handle: &Handle, now_ms: u64) {
        let empty_at_ms = self.empty_at_ms.get(handle).unwrap_or(0).max(now_ms);
        self.empty_at_ms.insert(handle.clone(), empty_at_ms.saturating_add(FORGOTTEN_MS));
    }

    pub(crate) fn succeeded(&mut self, handle: &Handle) {
        self.empty_at_ms.remove(handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kim() -> Handle {
        "@kim".parse().unwrap()
    }

    /// Guesses for as long as it is let; gives how many.
    fn guess(attempts: &mut Attempts, now_ms: u64) -> u64 {
        let mut guesses = 0;
        while !attempts.are_barred(&kim(), now_ms) {
            attempts.failed(&kim(), now_ms);
            guesses += 1;
        }
        guesses
    }

    #[test]
    fn guesses_stop_at_the_bound_and_go_on_one_by_one() {
        let mut attempts = Attempts::new();
        let day_ms = 24 * 60 * 60 * 1_000;
        let mut guesses = 0;
        for now_ms in (0..day_ms).step_by(1_000) {
            guesses += guess(&mut attempts, now_ms);
        }
        assert_eq!(guesses, u64::from(LOG_IN_FAILURES_MAX) + day_ms / FORGOTTEN_MS - 1);
    }

    #[test]
    fn guesses_at_once_are_paid_for_later() {
        let mut attempts = Attempts::new();
        for _ in 0..60 {
            attempts.failed(&kim(), 0);
        }
        assert!(attempts.are_barred(&kim(), 50 * FORGOTTEN_MS));
        assert!(!attempts.are_barred(&kim(), 51 * FORGOTTEN_MS));
    }

    #[test]
    fn a_right_password_clears_its_handle_alone() {
        let mut attempts = Attempts::new();
        let lee = "@lee".parse().unwrap();
        guess(&mut attempts, 0);
        for _ in 0..LOG_IN_FAILURES_MAX {
            attempts.failed(&lee, 0);
        }
        attempts.succeeded(&kim());
        assert!(!attempts.are_barred(&kim(), 0));
        assert!(attempts.are_barred(&lee, 0));
    }
}
