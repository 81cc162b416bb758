//! A small file that holds one growing number, written in place.
//!
//! Two slots, each in a block of its own, so that a write that is torn by a crash, or a block that rots, leaves the other.
//! The blocks are allocated when the file is made: a later write needs no room and changes no metadata.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Distance of the slots: a block of the usual file systems, and no less than any disk's sector.
const SLOT_BYTES: usize = 4096;
/// What is written of a slot: magic, number, checksum of both.
const RECORD_BYTES: usize = 20;

/// The open file. Its number never falls.
#[derive(Debug)]
pub(crate) struct Slots {
    file: File,
    path: PathBuf,
    magic: [u8; 8],
    value: u64,
    /// A write failed, and what the disk holds is not known; the file must be replaced.
    is_broken: bool,
    /// Where the next write goes: never over the slot that holds `value`.
    next: usize,
}

/// Neither slot can be read.
#[derive(Debug, thiserror::Error)]
#[error("neither of its two slots is whole")]
pub(crate) struct BothDamaged;

impl Slots {
    /// Opens the file, or gives `None` where there is none.
    pub(crate) fn open(path: &Path, magic: [u8; 8]) -> io::Result<Option<Result<Self, BothDamaged>>> {
        let file = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let found = [0, 1].map(|slot| read(&file, magic, slot));
        let (value, next) = match found {
            [Some(first), Some(second)] if first > second => (first, 1),
            [_, Some(second)] => (second, 0),
            [Some(first), None] => (first, 1),
            [None, None] => return Ok(Some(Err(BothDamaged))),
        };
        Ok(Some(Ok(Self { file, path: path.into(), magic, value, is_broken: false, next })))
    }

    /// Makes the file, or replaces it whole; durable when this returns.
    pub(crate) fn create(path: &Path, magic: [u8; 8], value: u64) -> io::Result<Self> {
        let new: PathBuf = path.with_extension("new");
        let mut bytes = vec![0; 2 * SLOT_BYTES];
        for slot in [0, SLOT_BYTES] {
            bytes[slot..slot + RECORD_BYTES].copy_from_slice(&record(magic, value));
        }
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { file: open(path)?, path: path.into(), magic, value, is_broken: false, next: 0 })
    }

    pub(crate) fn value(&self) -> u64 {
        self.value
    }

    /// Makes a higher number durable with one write. After an error the next call replaces the file: a sync that failed is never
    /// tried again as if it had worked.
    pub(crate) fn raise(&mut self, value: u64) -> io::Result<()> {
        if self.is_broken {
            *self = Self::create(&self.path, self.magic, value.max(self.value))?;
        } else if value > self.value {
            self.write(value)?;
        }
        Ok(())
    }

    /// The same in both slots, one after the other, so that a slot that rots later does not bring an older number back.
    pub(crate) fn raise_both(&mut self, value: u64) -> io::Result<()> {
        let is_new = value > self.value && !self.is_broken;
        self.raise(value)?;
        if is_new { self.write(value) } else { Ok(()) }
    }

    fn write(&mut self, value: u64) -> io::Result<()> {
        self.is_broken = true;
        self.file.write_all_at(&record(self.magic, value), (self.next * SLOT_BYTES) as u64)?;
        self.is_broken = false;
        self.value = value;
        self.next ^= 1;
        Ok(())
    }
}

#[cfg(test)]
impl Slots {
    /// From now on its writes fail.
    pub(crate) fn deny_writes(&mut self) {
        self.file = File::open(&self.path).unwrap();
    }

    /// Replacing the file makes it there.
    pub(crate) fn move_to(&mut self, path: &Path) {
        self.path = path.into();
    }
}

fn open(path: &Path) -> io::Result<File> {
    // O_DSYNC: a write returns once it is on the disk, without a second system call.
    let flags = i32::try_from(rustix::fs::OFlags::DSYNC.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

fn record(magic: [u8; 8], value: u64) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[..8].copy_from_slice(&magic);
    record[8..16].copy_from_slice(&value.to_le_bytes());
    let checksum = crc32fast::hash(&record[..16]);
    record[16..].copy_from_slice(&checksum.to_le_bytes());
    record
}

fn read(file: &File, magic: [u8; 8], slot: usize) -> Option<u64> {
    let mut found = [0; RECORD_BYTES];
    file.read_exact_at(&mut found, (slot * SLOT_BYTES) as u64).ok()?;
    let value = u64::from_le_bytes(found[8..16].try_into().ok()?);
    (found == record(magic, value)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"TALTEST\x01";

    fn open(path: &Path) -> Option<u64> {
        Slots::open(path, MAGIC).unwrap().unwrap().ok().map(|slots| slots.value())
    }

    fn flip(path: &Path, at: usize) {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_number_comes_back_and_never_falls() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        assert!(Slots::open(&path, MAGIC).unwrap().is_none());
        let mut slots = Slots::create(&path, MAGIC, 5).unwrap();
        for value in [6, 7, 7, 3, 8] {
            slots.raise(value).unwrap();
        }
        assert_eq!((slots.value(), open(&path)), (8, Some(8)));
        let mut slots = Slots::open(&path, MAGIC).unwrap().unwrap().unwrap();
        slots.raise(9).unwrap();
        assert_eq!(open(&path), Some(9));
    }

    #[test]
    fn a_damaged_slot_leaves_the_number_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        for newer in [0, SLOT_BYTES] {
            for at in 0..RECORD_BYTES {
                let mut slots = Slots::create(&path, MAGIC, 5).unwrap();
                slots.raise(6).unwrap();
                if newer > 0 {
                    slots.raise(7).unwrap();
                }
                flip(&path, newer + at);
                assert_eq!(open(&path), Some(if newer > 0 { 6 } else { 5 }));
            }
        }
    }

    #[test]
    fn a_number_in_both_slots_outlives_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        for at in [0, 9, 19, SLOT_BYTES, SLOT_BYTES + 9, SLOT_BYTES + 19] {
            Slots::create(&path, MAGIC, 5).unwrap().raise_both(6).unwrap();
            flip(&path, at);
            assert_eq!(open(&path), Some(6));
        }
    }

    #[test]
    fn two_damaged_slots_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        Slots::create(&path, MAGIC, 5).unwrap();
        flip(&path, 0);
        flip(&path, SLOT_BYTES + 12);
        assert_eq!(open(&path), None);
        std::fs::write(&path, b"").unwrap();
        assert_eq!(open(&path), None);
    }

    #[test]
    fn after_a_failed_write_the_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let mut slots = Slots::create(&path, MAGIC, 5).unwrap();
        slots.deny_writes();
        assert!(slots.raise_both(6).is_err());
        assert_eq!(slots.value(), 5);
        slots.raise_both(6).unwrap();
        slots.raise_both(7).unwrap();
        assert_eq!(open(&path), Some(7));
    }
}
