//! Frees stored sessions that have expired (section 3.1.2.11.2), page by page, off the loops.

use std::sync::Arc;

use talaria_port::StoreError;
use talaria_port::sessions::{SessionWrite, StoredSession};

use crate::Deps;

/// Seconds between two sweeps. A session lives up to that much longer; who connects meanwhile is told the truth all the same.
const SWEEP_INTERVAL_S: u64 = 3600;
/// When in the interval: a start has other things to read.
const SWEEP_AT_S: u64 = 300;
/// Sessions of one read.
const PAGE: usize = 256;

/// Whether a sweep begins with this second.
pub(crate) fn is_time(second: u64) -> bool {
    second % SWEEP_INTERVAL_S == SWEEP_AT_S
}

/// Whether the session's time is over. One that was connected when its broker died ended at the earliest when this process began.
pub(crate) fn has_expired(stored: &StoredSession, now_unix_ms: u64, started_unix_ms: u64) -> bool {
    let Some(mark) = &stored.mark else { return false };
    let ended_ms = if mark.connected { mark.at_unix_ms.max(started_unix_ms) } else { mark.at_unix_ms };
    ended_ms.saturating_add(u64::from(stored.row.expiry_s) * 1000) < now_unix_ms
}

/// Begins a sweep.
pub(crate) fn start(deps: &Deps, started_unix_ms: u64) {
    let own = deps.clone();
    deps.spawn.spawn(Box::pin(async move {
        match sweep(&own, started_unix_ms).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "expired sessions were freed"),
            Err(error) => tracing::warn!(%error, "the sweep of expired sessions ended early"),
        }
    }));
}

async fn sweep(deps: &Deps, started_unix_ms: u64) -> Result<u64, StoreError> {
    let mut ended = 0;
    let mut after = None;
    loop {
        let page = deps.sessions.sessions(after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, stored) in page {
            let is_over = has_expired(&stored, deps.clock.unix_ms(), started_unix_ms);
            if is_over && !deps.claims.is_held(key.user, &key.client_id) {
                ended += 1;
                // A connection that came meanwhile writes under a later generation.
                let end = SessionWrite::End(key, stored.row.generation);
                Arc::clone(&deps.session_log).write(end, None);
            }
        }
        if is_last {
            return Ok(ended);
        }
    }
}
