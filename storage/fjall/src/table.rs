//! One of the engine's table files: how far it reaches (`lsm-tree` 3.1.10, `table/writer/mod.rs`).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::archive::{Fixed, sections};
use crate::error::Failure;
use crate::rows::bytes::Reader;

/// Of the block that describes the table: magic and kind, checksum, both lengths, checksum of the header.
const HEADER_BYTES: usize = 5 + 16 + 4 + 4 + 4;
const HEADER_START: [u8; 5] = *b"LSM\x03\x03";
/// Three dozen numbers and two keys of at most some 150 bytes.
const BLOCK_BYTES_MAX: u64 = 64 * 1024;

/// The highest sequence number in a table.
pub(crate) fn highest_seqno(path: &Path) -> Result<u64, Failure> {
    let damaged = || Failure::damaged(format_args!("{}: its description", path.display()));
    let file = File::open(path)?;
    let section = sections(&file, path)?.into_iter().find(|section| section.name == b"meta").ok_or_else(damaged)?;
    if section.bytes > BLOCK_BYTES_MAX {
        return Err(damaged());
    }
    let mut block = vec![0; usize::try_from(section.bytes).map_err(|_| damaged())?];
    file.read_exact_at(&mut block, section.at)?;
    let (header, items) = block.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
    let mut header = Fixed(header);
    if header.array()? != HEADER_START || u128::from_le_bytes(header.array()?) != xxh3_128(items) {
        return Err(damaged());
    }
    find(items, b"seqno#max").ok_or_else(damaged)
}

/// A number among the items of that block: kind, sequence number, key, value, each item whole.
fn find(items: &[u8], wanted: &[u8]) -> Option<u64> {
    let mut reader = Reader(items);
    loop {
        let _kind = reader.u8()?;
        let _seqno = reader.number()?;
        let (key, value) = (reader.bytes()?, reader.bytes()?);
        if key == wanted {
            return value.try_into().ok().map(u64::from_le_bytes);
        }
    }
}
