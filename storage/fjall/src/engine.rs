//! The open engine: its two tables, and a wall around its panics.

use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use fjall::{AbstractTree as _, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Slice};

use crate::error::Failure;
use crate::journal;
use crate::options::Options;
use crate::rows::key;
use crate::rows::number::RoundRow;

/// The folder of the engine's own files.
pub(crate) const FOLDER: &str = "engine";

/// Flushes and compactions in the background. Two, so that a long compaction does not hold up a flush.
const WORKERS: usize = 2;

const CLOSE_WAIT_MAX: Duration = Duration::from_secs(5);
const CLOSE_LOOK: Duration = Duration::from_millis(1);

/// The engine itself waits at four sealed memtables and at thirty runs, without looking whether anybody still works on them.
/// Below these it never comes to that within one batch.
const SEALED_MEMTABLES_MAX: usize = 2;
const RUNS_MAX: usize = 26;

pub(crate) struct Engine {
    pub(crate) database: Database,
    pub(crate) events: Keyspace,
    pub(crate) rows: Keyspace,
}

/// A key and its value.
pub(crate) type Pair = (Slice, Slice);

impl Engine {
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, Failure> {
        guarded(|| {
            let database = Database::builder(folder.join(FOLDER))
                .cache_size(options.cache_bytes)
                .max_journaling_size(options.journal_bytes)
                .worker_threads(WORKERS)
                .manual_journal_persist(true)
                .open()?;
            let table = |memtable: u64| move || KeyspaceCreateOptions::default().max_memtable_size(memtable);
            let events = database.keyspace("events", table(options.events_memtable_bytes))?;
            let rows = database.keyspace("rows", table(options.rows_memtable_bytes))?;
            Ok(Self { database, events, rows })
        })
    }

    /// Ends it with its threads, and waits until its journals are closed. A thread of it may hold them a moment longer, and what
    /// a failed write left in their buffers goes to the file when they close: behind our back, into what is opened next.
    pub(crate) fn close(self, folder: &Path) -> Result<(), Failure> {
        // What it could not write it may not be able to write at its end either; that is no reason to end with it.
        let _ = guarded(|| {
            drop(self);
            Ok(())
        });
        Self::wait_until_closed(folder)
    }

    /// Waits until this process has no journal of the folder open.
    pub(crate) fn wait_until_closed(folder: &Path) -> Result<(), Failure> {
        let engine = folder.join(FOLDER).canonicalize()?;
        let since = Instant::now();
        while has_open_journal(&engine)? {
            if since.elapsed() > CLOSE_WAIT_MAX {
                return Err(Failure::Unavailable("the engine does not let go of its journals".into()));
            }
            std::thread::sleep(CLOSE_LOOK);
        }
        Ok(())
    }

    /// Whether it still takes writes. Its workers poison it when a flush or a compaction fails.
    pub(crate) fn is_running(&self) -> bool {
        // Asks without a sync, and there is never anything to hand over: each batch does that itself.
        guarded(|| Ok(self.database.persist(PersistMode::Buffer)?)).is_ok()
    }

    /// Whether flushes or compactions are so far behind that the next batch might have to wait.
    pub(crate) fn is_behind(&self) -> bool {
        [&self.events, &self.rows]
            .into_iter()
            .any(|table| table.sealed_memtable_count() >= SEALED_MEMTABLES_MAX || table.tree.l0_run_count() >= RUNS_MAX)
    }

    /// The last round that is stored; number 0 before the first.
    pub(crate) fn round(&self) -> Result<RoundRow, Failure> {
        let Some(value) = self.rows.get(key::ROUND)? else { return Ok(RoundRow::default()) };
        RoundRow::read(&value).ok_or_else(|| Failure::damaged("the row of the last round"))
    }

    /// The first row of a range.
    pub(crate) fn first(table: &Keyspace, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Result<Option<Pair>, Failure> {
        let row = table.range::<&[u8], _>((from, to)).next();
        Ok(row.map(fjall::Guard::into_inner).transpose()?)
    }

    /// The last row of a range.
    pub(crate) fn last(table: &Keyspace, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Result<Option<Pair>, Failure> {
        let row = table.range::<&[u8], _>((from, to)).next_back();
        Ok(row.map(fjall::Guard::into_inner).transpose()?)
    }
}

/// By the kernel's own list of what is open (proc(5), `/proc/pid/fd`).
fn has_open_journal(engine: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        // A descriptor that was closed since is not one of those looked for.
        let Ok(open) = std::fs::read_link(entry?.path()) else { continue };
        if open.starts_with(engine) && open.extension().is_some_and(|extension| extension == journal::EXTENSION) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs what calls the engine. Its panics on damaged files become [`Failure::Damaged`]: one read must not end the process.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What the engine leaves behind is not looked at again: reads start anew, and a writer closes it.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
        Err(Failure::damaged(format_args!("the engine panicked: {text}")))
    })
}
