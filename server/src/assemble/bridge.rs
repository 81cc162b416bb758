//! The bridge's two threads: the committer, and upkeep.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use talaria_bridge::Bridge;

/// Between two calls of upkeep.
const UPKEEP: Duration = Duration::from_millis(100);

pub(super) struct BridgeThreads {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

pub(super) fn start(bridge: &Bridge) -> anyhow::Result<BridgeThreads> {
    let stop = Arc::new(AtomicBool::new(false));
    let (committer, committer_stop) = (bridge.committer(), stop.clone());
    let committer = start_vital("committer", move || committer.run(&committer_stop))?;
    let (bridge, upkeep_stop) = (bridge.clone(), stop.clone());
    let upkeep = start_vital("upkeep", move || {
        while !upkeep_stop.load(Ordering::Acquire) {
            bridge.upkeep();
            std::thread::park_timeout(UPKEEP);
        }
    })?;
    Ok(BridgeThreads { stop, threads: vec![committer, upkeep] })
}

/// A thread without which nothing is acknowledged any more: where it panics the process ends, to be started again, for it would take
/// publishes in and let them wait for ever.
fn start_vital(name: &'static str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name(name.into()).spawn(move || {
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            tracing::error!(name, "a thread of the bridge panicked; the process ends");
            std::process::abort();
        }
    })
}

impl BridgeThreads {
    /// Commits what is left, then ends.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the bridge ended in a panic");
            }
        }
    }
}
