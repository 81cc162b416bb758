//! The folder itself: made durably, locked against a second process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use talaria_port::{StoreError, StoreErrorKind};

use crate::error::Failure;

const LOCK: &str = "lock";

/// Folders above a new one whose entries are made durable too: the data folder, and where that lies.
const SYNCED_ANCESTORS: usize = 2;

/// Makes a folder where there is none. A folder is durable once the one above it is synced, so that a power cut cannot take
/// away the whole store after its first acknowledgement.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    for above in folder.ancestors().skip(1).take(SYNCED_ANCESTORS).filter(|above| !above.as_os_str().is_empty()) {
        match sync(above) {
            // A folder that we may not even read is not one that we made.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            synced => synced?,
        }
    }
    Ok(())
}

/// Makes the entries of a folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Locks an existing folder for as long as the file is open. The kernel gives it back when the process ends, however it ends.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let open = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(LOCK));
    let lock = open.map_err(|error| Failure::from(error).in_folder("lock", folder))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::new(StoreErrorKind::Unavailable, "lock")
            .because(format!("another process uses the folder {}", folder.display()))),
        Err(TryLockError::Error(error)) => Err(Failure::from(error).in_folder("lock", folder)),
    }
}
