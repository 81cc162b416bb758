//! One round: room, batch, sync, watermark; and what follows when a step fails.
//!
//! A failed write leaves the engine unusable. Its journal may hold a part of the round or all of it, and after a failed sync
//! nobody knows what is on the disk, whatever reads say. So the engine is closed, everything behind the last acknowledged
//! round is cut from its journal, and it is opened again; then the round is surely not stored. Only where even the cut fails,
//! the outcome stays unknown, until the same round is committed again.

mod open;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use fjall::PersistMode;
use talaria_core::EventId;
use talaria_port::messages::{CommitError, Round};

use crate::batch::Batch;
use crate::engine::{Engine, guarded};
use crate::error::Failure;
use crate::journal::Keep;
use crate::options::Options;
use crate::rows::number::RoundRow;
use crate::slots::Slots;

const COMMIT: &str = "commit";

/// The longest a round waits for the engine's background work. Publishes that wait longer than their settle deadline have
/// lost their connections anyway.
const BACKLOG_WAIT_MAX: Duration = Duration::from_secs(talaria_core::limits::SETTLE_DEADLINE_S as u64);
const BACKLOG_LOOK: Duration = Duration::from_millis(2);

/// The engine while it is open. Readers hold it for one read; the writer takes it away to open it anew.
pub(crate) type Open = Arc<RwLock<Option<Engine>>>;

/// What only the committer touches.
pub(crate) struct Writer {
    folder: PathBuf,
    options: Options,
    open: Open,
    watermark: Slots,
    /// The last round that is stored.
    last: RoundRow,
    trouble: Option<Trouble>,
    /// The round whose outcome is not known, and its number.
    doubt: Option<(Arc<Round>, u64)>,
    scratch: Vec<u8>,
    _lock: File,
}

/// What stands before the next round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    /// A write or its sync failed.
    Tail,
    /// The engine stopped or panicked; its journal is as it should be.
    Stopped,
    /// A round is durable, and the watermark not known to be.
    Watermark,
}

/// Why a batch did not become durable.
enum Unwritten {
    /// The engine has not seen it.
    Refused(Failure),
    Failed(Trouble, Failure),
}

impl Writer {
    /// For reading.
    pub(crate) fn readers(&self) -> Open {
        Arc::clone(&self.open)
    }

    pub(crate) fn commit(&mut self, round: &Arc<Round>) -> Result<(), CommitError> {
        if round.is_empty() {
            return Ok(());
        }
        if self.is_stored_after_all(round)? {
            return Ok(());
        }
        self.check_room()
            .and_then(|()| self.check_engine())
            .map_err(|failure| CommitError::Failed(failure.at(COMMIT)))?;
        let number = self.last.number + 1;
        match self.write(round) {
            Ok(Some(row)) => self.last = row,
            Ok(None) => return Ok(()),
            Err(Unwritten::Refused(failure)) => return Err(CommitError::Failed(failure.at(COMMIT))),
            Err(Unwritten::Failed(trouble, failure)) => return self.after(trouble, round, number, failure),
        }
        match self.watermark.raise(number) {
            Ok(()) => Ok(()),
            Err(error) => self.after(Trouble::Watermark, round, number, error.into()),
        }
    }

    /// Whether the round is the one whose outcome was not known, and turns out to be stored. An error is that the outcome is
    /// still not known.
    fn is_stored_after_all(&mut self, round: &Arc<Round>) -> Result<bool, CommitError> {
        let Some((doubtful, number)) = self.doubt.take() else { return Ok(false) };
        if let Err(failure) = self.recover() {
            self.doubt = Some((doubtful, number));
            return Err(CommitError::Unknown(failure.at(COMMIT)));
        }
        Ok(Arc::ptr_eq(&doubtful, round) && self.last.number >= number)
    }

    /// A step failed: finds out what became of the round.
    fn after(
        &mut self,
        trouble: Trouble,
        round: &Arc<Round>,
        number: u64,
        failure: Failure,
    ) -> Result<(), CommitError> {
        tracing::error!(round = number, step = ?trouble, error = %failure, "a round could not be written");
        self.trouble = Some(trouble);
        match self.recover() {
            Ok(()) if self.last.number >= number => return Ok(()),
            Ok(()) => return Err(CommitError::Failed(failure.at(COMMIT))),
            Err(error) => tracing::error!(%error, "the store could not be opened anew; the next round tries it"),
        }
        let is_cut = trouble == Trouble::Tail && self.trouble != Some(Trouble::Tail);
        if is_cut {
            return Err(CommitError::Failed(failure.at(COMMIT)));
        }
        self.doubt = Some((Arc::clone(round), number));
        Err(CommitError::Unknown(failure.at(COMMIT)))
    }

    /// Undoes what stands before the next round; afterwards `last` is what is stored.
    fn recover(&mut self) -> Result<(), Failure> {
        match self.trouble {
            None => return Ok(()),
            Some(Trouble::Tail) => {
                self.close()?;
                let checked = self.check_files(Keep::Acknowledged)?;
                self.trouble = Some(Trouble::Stopped);
                self.reopen(checked)?;
            }
            Some(Trouble::Stopped) => {
                self.close()?;
                let checked = self.check_files(Keep::All)?;
                self.reopen(checked)?;
            }
            Some(Trouble::Watermark) => {}
        }
        self.trouble = Some(Trouble::Watermark);
        self.watermark.raise(self.last.number)?;
        self.trouble = None;
        Ok(())
    }

    /// Why the engine stopped in the background. It does not tell; where there is no room for what it writes there, that was it.
    fn stopped(&self) -> Failure {
        let needed = self.options.events_memtable_bytes.max(self.options.rows_memtable_bytes).saturating_mul(2);
        match (self.options.free_bytes)(&self.folder) {
            Ok(free) if free < needed => Failure::Full(format!("the engine stopped, and {free} bytes are free")),
            _ => Failure::Unavailable("the engine stopped in the background".into()),
        }
    }

    /// Refuses a round before the engine meets a full disk. One system call of half a microsecond, beside a sync of a hundred: so
    /// each round looks anew.
    fn check_room(&self) -> Result<(), Failure> {
        let (free, reserve) = ((self.options.free_bytes)(&self.folder)?, self.options.reserve_bytes);
        if free < reserve {
            return Err(Failure::Full(format!("{free} bytes are free, {reserve} are kept in reserve")));
        }
        Ok(())
    }

    /// Waits for the engine's background work to keep up, and opens the engine anew where that has stopped. The engine would
    /// wait itself, but for ever where its workers are gone.
    fn check_engine(&mut self) -> Result<(), Failure> {
        let since = Instant::now();
        let mut was_opened_anew = false;
        loop {
            if self.trouble.is_some() {
                self.recover()?;
            }
            let (is_running, is_behind) = match self.open.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
                Some(engine) => (engine.is_running(), engine.is_behind()),
                None => (false, true),
            };
            if !is_running {
                if was_opened_anew {
                    return Err(self.stopped());
                }
                tracing::error!("the engine stopped in the background; it is opened anew");
                was_opened_anew = true;
                self.trouble = Some(Trouble::Stopped);
            } else if !is_behind {
                return Ok(());
            } else if since.elapsed() > BACKLOG_WAIT_MAX {
                return Err(Failure::Unavailable("the engine does not keep up with its flushes".into()));
            } else {
                std::thread::sleep(BACKLOG_LOOK);
            }
        }
    }

    /// `None`: there was nothing to write.
    fn write(&mut self, round: &Round) -> Result<Option<RoundRow>, Unwritten> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(engine) = open.as_ref() else {
            return Err(Unwritten::Refused(Failure::Unavailable("the engine is closed".into())));
        };
        let fanned_out = round.fanned_out.unwrap_or(EventId::ZERO);
        let row = self.last.next(engine.database.seqno(), fanned_out, !round.appends.is_empty());
        let scratch = &mut self.scratch;
        let Some(batch) = guarded(|| Batch::of(engine, scratch, round, row)).map_err(Unwritten::Refused)? else {
            return Ok(None);
        };
        let committed = guarded(|| Ok(batch.durability(Some(PersistMode::SyncData)).commit()));
        match committed {
            Ok(Ok(())) => Ok(Some(row)),
            Ok(Err(fjall::Error::Poisoned)) => Err(Unwritten::Failed(Trouble::Stopped, self.stopped())),
            Ok(Err(error)) => Err(Unwritten::Failed(Trouble::Tail, error.into())),
            Err(panic) => Err(Unwritten::Failed(Trouble::Stopped, panic)),
        }
    }
}
