//! How many commits were acknowledged, in a small file beside the database: SQLite takes a damaged write-ahead log for one that ends there, and only
//! this tells that more had been.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use talaria_port::{StoreError, StoreErrorKind};

use crate::store::OWNER_ONLY;

/// Two places that are written in turn, so that one is whole at any moment: the number and its CRC-32, both little-endian.
const PLACE_BYTES: usize = 12;

/// The file, shared by all processes that have the database open.
#[derive(Clone, Debug)]
pub(crate) struct Commits(Arc<Mutex<File>>);

impl Commits {
    /// Opens or makes it. Gives the number as well; 0 where nothing was ever written.
    pub(crate) fn open(path: &Path) -> Result<(Self, u64), StoreError> {
        let failed = |error| StoreError::new(StoreErrorKind::Unavailable, "open commits").because(error);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY).open(path);
        let file = open.map_err(failed)?;
        let number = read(&file).map_err(failed)?.ok_or_else(|| {
            let what = format!("{} holds no number of commits", path.display());
            StoreError::new(StoreErrorKind::Damaged, "open commits").because(what)
        })?;
        Ok((Self(Arc::new(Mutex::new(file))), number))
    }

    /// Makes it durable that so many commits are acknowledged. A lower number than another process wrote changes nothing.
    pub(crate) async fn raise(&self, number: u64) -> Result<(), StoreError> {
        let file = Arc::clone(&self.0);
        let raised = tokio::task::spawn_blocking(move || {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.lock()?;
            let raised = raise(&file, number);
            raised.and(file.unlock())
        });
        let raised = raised.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        raised.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "raise commits").because(error))
    }
}

fn raise(file: &File, number: u64) -> io::Result<()> {
    if read(file)?.is_some_and(|stored| stored >= number) {
        return Ok(());
    }
    let bytes = number.to_le_bytes();
    let place = [&bytes[..], &crc32fast::hash(&bytes).to_le_bytes()].concat();
    file.write_all_at(&place, number % 2 * PLACE_BYTES as u64)?;
    file.sync_data()
}

/// The higher of the two. An empty file says 0, one without a whole place nothing.
fn read(file: &File) -> io::Result<Option<u64>> {
    let mut bytes = [0; 2 * PLACE_BYTES];
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    if length == 0 {
        return Ok(Some(0));
    }
    Ok(bytes.chunks_exact(PLACE_BYTES).filter_map(number_of).max())
}

fn number_of(place: &[u8]) -> Option<u64> {
    let (number, crc) = place.split_at_checked(8)?;
    // Zeros are a place that was never written.
    let is_whole = crc32fast::hash(number).to_le_bytes() == crc;
    Some(u64::from_le_bytes(number.try_into().ok()?)).filter(|_| is_whole)
}
