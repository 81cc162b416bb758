//! The lines that a child process writes, as they come.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::PATIENCE;

/// A growing list of lines.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    is_over: bool,
}

impl Log {
    /// Reads lines on a thread until the writer is gone.
    pub fn of(source: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let shared = Arc::clone(&log.0);
        thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                shared.change(|state| state.lines.push(text));
                line.clear();
            }
            shared.change(|state| state.is_over = true);
        });
        log
    }

    /// Waits for the first line from number `from` on of which `wanted` makes something; `None` when the writer ended without one.
    ///
    /// # Panics
    /// Nothing came in time.
    pub fn find_from<T>(&self, from: usize, mut wanted: impl FnMut(&str) -> Option<T>) -> Option<(usize, T)> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = from;
        loop {
            while let Some(line) = state.lines.get(next) {
                next += 1;
                if let Some(found) = wanted(line) {
                    return Some((next - 1, found));
                }
            }
            if state.is_over {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no such line in time:\n{}", state.lines.join("\n"));
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for the line that contains `text`.
    ///
    /// # Panics
    /// It did not come.
    pub fn wait_for(&self, text: &str) -> String {
        let found = self.find_from(0, |line| line.contains(text).then(|| line.to_owned()));
        found.unwrap_or_else(|| panic!("ended without `{text}`:\n{self}")).1
    }

    /// Waits until the writer is gone.
    pub fn wait_for_end(&self) {
        let found = self.find_from(usize::MAX, |_| Some(()));
        debug_assert!(found.is_none());
    }

    /// What there is now.
    pub fn lines(&self) -> Vec<String> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

impl std::fmt::Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}
