//! Opening and closing the engine under the writer.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use talaria_port::StoreError;

use super::Writer;
use crate::engine::{self, Engine, guarded};
use crate::error::Failure;
use crate::journal::{self, Keep};
use crate::options::Options;
use crate::rows::number::{Reach, RoundRow};
use crate::slots::Slots;
use crate::{folder, manifest, watermark};

/// What the files hold, before the engine is open.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    tables: Reach,
    /// The last round in the journals; `None` where they hold none.
    journals_end: Option<u64>,
}

impl Writer {
    /// Locks the folder, checks what is in it and opens it.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let in_folder = |failure: Failure| failure.in_folder("open", path);
        folder::make(path).map_err(|error| in_folder(error.into()))?;
        let lock = folder::lock(path)?;
        let watermark = watermark::open(path).and_then(|found| match found {
            Some(watermark) => Ok(watermark),
            None => make(path, &options),
        });
        let mut writer = Self {
            folder: path.to_owned(),
            options,
            open: Arc::new(RwLock::new(None)),
            watermark: watermark.map_err(in_folder)?,
            last: RoundRow::default(),
            trouble: None,
            doubt: None,
            scratch: Vec::new(),
            _lock: lock,
        };
        writer.start().map_err(in_folder)?;
        Ok(writer)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let checked = self.check_files(Keep::All)?;
        self.reopen(checked)?;
        // Rounds that were stored and not acknowledged stay; from now on they may be shown.
        self.watermark.raise(self.last.number)?;
        Ok(())
    }

    /// Reads over the files before the engine may change them.
    pub(super) fn check_files(&self, keep: Keep) -> Result<Checked, Failure> {
        let engine = self.folder.join(engine::FOLDER);
        let tables = manifest::check(&engine)?;
        let journals_end = journal::check(&engine, tables, self.watermark.value(), keep)?;
        Ok(Checked { tables, journals_end })
    }

    /// Opens the closed engine, and holds what it found against what must be there.
    pub(super) fn reopen(&mut self, checked: Checked) -> Result<(), Failure> {
        let engine = Engine::open(&self.folder, &self.options)?;
        let last = guarded(|| engine.round())?;
        let acknowledged = self.watermark.value();
        let is_whole = match checked.journals_end {
            Some(end) => last.number == end,
            None => checked.tables.covers(last.reach()),
        };
        if last.number < acknowledged || !is_whole {
            return Err(Failure::damaged(format_args!(
                "round {acknowledged} was acknowledged, and the store ends with round {}",
                last.number
            )));
        }
        self.last = last;
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        Ok(())
    }

    /// Waits for readers, and ends the engine.
    pub(super) fn close(&mut self) -> Result<(), Failure> {
        let engine = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        match engine {
            Some(engine) => engine.close(&self.folder),
            None => Engine::wait_until_closed(&self.folder),
        }
    }
}

/// A folder without a watermark: new, or one whose making was cut short. The watermark is made last, so that with it the rest
/// is complete; without it there must be nothing, and what was begun is begun again.
fn make(path: &Path, options: &Options) -> Result<Slots, Failure> {
    let engine_folder = path.join(engine::FOLDER);
    if engine_folder.try_exists()? {
        let holds_rounds = journal::check(&engine_folder, Reach::default(), 0, Keep::All)?.is_some();
        if holds_rounds || manifest::holds_rows(&engine_folder)? {
            return Err(Failure::damaged("the commit watermark is missing"));
        }
        std::fs::remove_dir_all(&engine_folder)?;
    }
    drop(Engine::open(path, options)?);
    folder::sync(&engine_folder.join(manifest::TABLES))?;
    folder::sync(&engine_folder)?;
    watermark::create(path, 0)
}
