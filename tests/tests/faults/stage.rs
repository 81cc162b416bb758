//! What the clients of a load and the test that plays it know of each other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use talaria_tests::PATIENCE;

use crate::connection::{Connection, End, Login};
use crate::history::Event;
use crate::load::head_of;

/// How long a client waits before it tries again to connect. Stock clients wait a second; this finds the server while it starts.
const RETRY: Duration = Duration::from_millis(20);

pub(crate) struct Stage {
    /// The same for every server of the run, so that clients are there before it is.
    pub(crate) server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    acknowledged: u64,
    round: u64,
    phase: Phase,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Senders send, receivers come and go.
    #[default]
    Load,
    /// Senders end once everything is acknowledged.
    Last,
    /// Receivers end once they were shown these seqs.
    Heads(BTreeMap<String, u64>),
    /// The test is over, whatever is open.
    Over,
}

impl Phase {
    /// Receivers are to be shown all of this.
    pub(crate) fn heads(stored: &BTreeMap<String, Vec<Event>>) -> Self {
        Self::Heads(stored.iter().map(|(name, events)| (name.clone(), head_of(events))).collect())
    }
}

impl Stage {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase.clone()
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.lock().phase = phase;
        self.changed.notify_all();
    }

    /// The number of the round, counted up by each kill.
    pub(crate) fn round(&self) -> u64 {
        self.lock().round
    }

    pub(crate) fn next_round(&self) {
        self.lock().round += 1;
        self.changed.notify_all();
    }

    pub(crate) fn add_acknowledged(&self) {
        self.lock().acknowledged += 1;
        self.changed.notify_all();
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.lock().acknowledged
    }

    /// Waits until so many publishes in all are acknowledged.
    pub(crate) fn wait_for_acknowledged(&self, count: u64) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while state.acknowledged < count {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} acknowledged, not {count}", state.acknowledged);
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the round is over, or the load.
    pub(crate) fn wait_for_end_of(&self, round: u64) {
        let is_on = |state: &mut State| state.round == round && state.phase == Phase::Load;
        let state = self.changed.wait_while(self.lock(), is_on);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until receivers are told the heads, or the end.
    pub(crate) fn wait_for_heads(&self) {
        let is_early = |state: &mut State| matches!(state.phase, Phase::Load | Phase::Last);
        let state = self.changed.wait_while(self.lock(), is_early);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    /// Connects as soon as there is a server that takes it; `None` when the test is over.
    pub(crate) fn connect(&self, login: &Login) -> Option<Connection> {
        while self.phase() != Phase::Over {
            match Connection::open(self.server, login) {
                Ok(connection) => return Some(connection),
                Err(End::Refused(reason)) if !is_transient(reason) => panic!("{}: {reason:?}", login.client_id),
                Err(_) => std::thread::sleep(RETRY),
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_transient(reason: talaria_codec::ReasonCode) -> bool {
    use talaria_codec::ReasonCode as R;
    matches!(reason, R::ServerUnavailable | R::ServerBusy)
}
