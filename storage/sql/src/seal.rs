//! The seal of a database that was closed: length and CRC-32 of its file. Where it is whole, every byte is as it was when everything had been looked
//! at and nobody had it open, and reading all rows can be spared. Written to since, the file does not fit its seal any more.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::store::OWNER_ONLY;

const MAGIC: &[u8; 8] = b"TALSEAL\x01";
/// Read at once.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What the seal says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seal {
    /// Every byte is as it was when it was sealed, and nothing waits in a log.
    Whole,
    /// It says nothing: another process has the database open, or the last one did not close it.
    Missing,
    /// Nobody has the database open, and it is not what was sealed.
    Broken,
}

/// Looks at the seal of a database. An empty file needs none.
pub(crate) fn look(database: &Path) -> io::Result<Seal> {
    // Somebody may have it open, in this process too, and closing the file here would take SQLite's locks away (fcntl(2)).
    if log(database).exists() {
        return Ok(Seal::Missing);
    }
    if fs::metadata(database)?.len() == 0 {
        return Ok(Seal::Whole);
    }
    match fs::read(seal(database)) {
        Ok(found) if found == text(database)? => Ok(Seal::Whole),
        Ok(_) => Ok(Seal::Broken),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Seal::Missing),
        Err(error) => Err(error),
    }
}

/// Seals it, unless another process has it open still: the last one to close it takes its log away.
pub(crate) fn put(database: &Path) -> io::Result<()> {
    if log(database).exists() {
        return Ok(());
    }
    let unfinished = database.with_added_extension("seal-new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&unfinished)?;
    file.write_all(&text(database)?)?;
    file.sync_all()?;
    fs::rename(unfinished, seal(database))
}

fn text(database: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(database)?;
    let (mut length, mut crc) = (0_u64, crc32fast::Hasher::new());
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok([&MAGIC[..], &length.to_le_bytes(), &crc.finalize().to_le_bytes()].concat());
        }
        length += count as u64;
        crc.update(&buffer[..count]);
    }
}

fn seal(database: &Path) -> PathBuf {
    database.with_added_extension("seal")
}

fn log(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
