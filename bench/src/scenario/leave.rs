//! All connections close at once, without a DISCONNECT, as when a network breaks.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::crowd::{Rest, settle};
use super::{QUIET_LIMIT, Scale, Values};
use crate::client::fleet::Fleet;
use crate::figure::Figure;
use crate::proc;
use crate::server::Running;

/// Lets the fleet go; `empty` and `full` are the server before and with it.
pub(crate) fn at_once(
    fleet: &mut Fleet,
    server: &dyn Running,
    scale: &Scale,
    empty: Rest,
    full: Rest,
) -> Result<Values> {
    let started = Instant::now();
    fleet.leave();
    // Counted from the first close on: the server serves the first while the client closes the last.
    let closing = started.elapsed();
    let quiet = proc::wait_quiet(server.pid(), QUIET_LIMIT)?
        .with_context(|| format!("the server is still busy {QUIET_LIMIT:?} after all have left"))?;
    let files = proc::open_files(server.pid())?;
    ensure!(
        files < empty.files + (full.files - empty.files) / 100,
        "the server is quiet and has {files} files open, {} before anyone came: it has not noticed who left",
        empty.files
    );
    // Allocators give memory back with some delay; this wait is a part of the figure's definition.
    std::thread::sleep(scale.memory_wait);
    let after = proc::pss_bytes(server.pid())? as f64;
    let (empty, full) = (empty.pss_bytes as f64, full.pss_bytes as f64);
    Ok(vec![
        (Figure::LeaveQuiet, (closing + quiet).as_secs_f64()),
        (Figure::LeaveMemory, after / empty),
        (Figure::LeaveGivenBack, 100.0 * (full - after) / (full - empty).max(1.0)),
    ])
}

/// The same after a second coming: what grew only the first time (caches of fixed size) does not grow now, a leak does.
pub(crate) fn once_more(
    fleet: &mut Fleet,
    server: &dyn Running,
    scale: &Scale,
    after_first: Rest,
) -> Result<(Figure, f64)> {
    fleet.leave();
    settle(server)?;
    std::thread::sleep(scale.memory_wait);
    let after = proc::pss_bytes(server.pid())? as f64;
    Ok((Figure::LeaveAgainMemory, after / after_first.pss_bytes as f64))
}
