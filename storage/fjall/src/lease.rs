//! The lock of the data folder, which is the worker lease of a single process, and the id ceiling (INV-8).

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use talaria_core::EventId;
use talaria_port::StoreError;
use talaria_port::lease::Lease;

use crate::error::Failure;
use crate::folder;
use crate::slots::Slots;

const CEILING: &str = "ceiling";
const MAGIC: [u8; 8] = *b"TALCEIL\x01";

/// One process makes all ids of a data folder; there is no other whose number could be the same.
const WORKER: u16 = 0;

/// Held as long as this lives: no other process can open the folder. The kernel gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLease {
    ceiling: Mutex<Slots>,
    folder: Box<Path>,
    _lock: File,
}

impl FolderLease {
    /// Locks an existing folder; `is_new` where it holds no messages yet, so that it may be without a ceiling. [`Unavailable`](talaria_port::StoreErrorKind::Unavailable) where another process holds it,
    /// [`Damaged`](talaria_port::StoreErrorKind::Damaged) where the ceiling cannot be read or is missing.
    pub fn open(folder: &Path, is_new: bool) -> Result<Self, StoreError> {
        let lock = folder::lock(folder)?;
        let ceiling = open_ceiling(folder, is_new).map_err(|failure| failure.in_folder("lease", folder))?;
        Ok(Self { ceiling: Mutex::new(ceiling), folder: folder.into(), _lock: lock })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.ceiling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_ceiling(folder: &Path, is_new: bool) -> Result<Slots, Failure> {
    let path = folder.join(CEILING);
    match Slots::open(&path, MAGIC)? {
        Some(slots) => slots.map_err(|error| Failure::damaged(format_args!("the id ceiling: {error}"))),
        None if is_new => Ok(Slots::create(&path, MAGIC, 0)?),
        // With a clock that stepped back, ids would begin again below those that were given out.
        None => Err(Failure::damaged("the id ceiling is missing")),
    }
}

impl Lease for FolderLease {
    fn worker(&self) -> u16 {
        WORKER
    }

    fn ceiling(&self) -> EventId {
        EventId(self.slots().value())
    }

    fn reserve(&self, ceiling: EventId) -> Result<(), StoreError> {
        let raised = self.slots().raise_both(ceiling.0);
        raised.map_err(|error| Failure::from(error).in_folder("reserve", &self.folder))
    }
}
