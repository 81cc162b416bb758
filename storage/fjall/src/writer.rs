//! One round: room, batch, sync, watermark; and what follows when a step fails.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use fjall::PersistMode;
use talaria_port::messages::{CommitError, Round};
use talaria_port::{StoreError, StoreErrorKind};

use crate::batch::Batch;
use crate::engine::{Engine, guarded};
use crate::error::Failure;
use crate::options::Options;
use crate::rows::number::RoundRow;
use crate::slots::Slots;
use crate::watermark;

const COMMIT: &str = "commit";

/// The engine while it is open. Readers hold it for one read; the writer takes it away to open it anew.
pub(crate) type Open = Arc<RwLock<Option<Engine>>>;

/// What only the committer touches.
pub(crate) struct Writer {
    folder: PathBuf,
    options: Options,
    open: Open,
    watermark: Slots,
    scratch: Vec<u8>,
}

impl Writer {
    /// Opens engine and watermark and holds one against the other.
    pub(crate) fn open(folder: PathBuf, options: Options) -> Result<(Self, Open), Failure> {
        std::fs::create_dir_all(&folder)?;
        let watermark = watermark::open(&folder)?;
        let engine = Engine::open(&folder, &options)?;
        let stored = engine.round()?.number;
        let watermark = match watermark {
            Some(watermark) if watermark.value() > stored => {
                return Err(Failure::damaged(format_args!(
                    "round {} was acknowledged, but the journal ends with round {stored}",
                    watermark.value()
                )));
            }
            Some(watermark) => watermark,
            None if stored > 0 => return Err(Failure::damaged("the commit watermark is missing")),
            None => watermark::create(&folder, 0)?,
        };
        let open = Arc::new(RwLock::new(Some(engine)));
        let writer = Self { folder, options, open: Arc::clone(&open), watermark, scratch: Vec::new() };
        Ok((writer, open))
    }

    pub(crate) fn commit(&mut self, round: &Round) -> Result<(), CommitError> {
        if round.is_empty() {
            return Ok(());
        }
        self.check_room().map_err(CommitError::Failed)?;
        let number = self.write(round).map_err(|failure| CommitError::Unknown(failure.at(COMMIT)))?;
        self.watermark.raise(number).map_err(|error| CommitError::Unknown(Failure::from(error).at(COMMIT)))
    }

    fn check_room(&self) -> Result<(), StoreError> {
        let free = (self.options.free_bytes)(&self.folder).map_err(|error| Failure::from(error).at(COMMIT))?;
        if free < self.options.reserve_bytes {
            return Err(StoreError::new(StoreErrorKind::Full, COMMIT)
                .because(format!("{free} bytes are free, {} are kept in reserve", self.options.reserve_bytes)));
        }
        Ok(())
    }

    fn write(&mut self, round: &Round) -> Result<u64, Failure> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let engine = open.as_ref().ok_or_else(|| Failure::Unavailable("the engine is closed".into()))?;
        let scratch = &mut self.scratch;
        guarded(|| {
            let number = engine.round()?.number + 1;
            let row = RoundRow { number, base: engine.database.seqno() };
            Batch::of(engine, scratch, round, row)?.durability(Some(PersistMode::SyncData)).commit()?;
            Ok(number)
        })
    }
}
