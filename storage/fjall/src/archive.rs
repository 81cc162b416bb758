//! The frame around the engine's table and version files: sections, a table of contents, a trailer (`sfa` 1.0.0).
//!
//! The engine checks it too, but takes memory for the announced length first: one flipped bit there would end the process
//! where no wall against panics helps. So the frame is looked at here before the engine may open the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::error::Failure;

/// Magic, version, kind of checksum, checksum, place and length of the table of contents.
const TRAILER_BYTES: u64 = 4 + 1 + 1 + 16 + 8 + 8;
const TRAILER_START: [u8; 6] = *b"SFA!\x01\x00";
const CONTENTS_START: [u8; 4] = *b"TOC!";
/// A table has seven sections, a version nine, with short names.
const CONTENTS_BYTES_MAX: u64 = 4096;

/// Where a section lies in its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Section {
    pub(crate) name: Vec<u8>,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
}

/// The sections of a file whose frame is whole.
pub(crate) fn sections(file: &File, path: &Path) -> Result<Vec<Section>, Failure> {
    let length = file.metadata()?.len();
    let damaged = || Failure::damaged(format_args!("{}: its table of contents", path.display()));
    let trailer_at = length.checked_sub(TRAILER_BYTES).ok_or_else(damaged)?;
    let mut trailer = [0; TRAILER_BYTES as usize];
    file.read_exact_at(&mut trailer, trailer_at)?;
    let mut reader = Fixed(&trailer);
    if reader.array()? != TRAILER_START {
        return Err(damaged());
    }
    let checksum = u128::from_le_bytes(reader.array()?);
    let at = u64::from_le_bytes(reader.array()?);
    let bytes = trailer_at.checked_sub(at).filter(|bytes| *bytes <= CONTENTS_BYTES_MAX).ok_or_else(damaged)?;
    let mut contents = vec![0; usize::try_from(bytes).map_err(|_| damaged())?];
    file.read_exact_at(&mut contents, at)?;
    if xxh3_128(&contents) != checksum {
        return Err(damaged());
    }
    read_contents(&contents).map_err(|_| damaged())
}

fn read_contents(contents: &[u8]) -> io::Result<Vec<Section>> {
    let mut reader = Fixed(contents);
    if reader.array()? != CONTENTS_START {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut sections = Vec::new();
    for _ in 0..u32::from_le_bytes(reader.array()?) {
        let (at, bytes) = (u64::from_le_bytes(reader.array()?), u64::from_le_bytes(reader.array()?));
        let name_bytes = u16::from_le_bytes(reader.array()?);
        let name = reader.slice(name_bytes.into())?.to_vec();
        sections.push(Section { name, at, bytes });
    }
    Ok(sections)
}

/// Little-endian fields of a file of the engine, one after the other.
pub(crate) struct Fixed<'a>(pub(crate) &'a [u8]);

impl<'a> Fixed<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn slice(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(taken)
    }
}
