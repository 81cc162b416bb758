//! The number of the last round that was acknowledged, in a file of our own.
//!
//! The engine cuts its journal silently at the first record that it cannot read. Whether that was a tail nobody was told of or
//! acknowledged events, only something outside the journal can say. It is written after the journal's sync and before the
//! acknowledgement: never above what is durable, never below what was acknowledged. Two rounds apart, the slots cover each
//! other: where the newer one is damaged, the journal still has to hold the round before.

use std::path::Path;

use crate::error::Failure;
use crate::slots::Slots;

pub(crate) const FILE: &str = "watermark";
const MAGIC: [u8; 8] = *b"TALWMRK\x01";

/// Opens it; `None` in a folder that has none.
pub(crate) fn open(folder: &Path) -> Result<Option<Slots>, Failure> {
    match Slots::open(&folder.join(FILE), MAGIC)? {
        None => Ok(None),
        Some(Ok(slots)) => Ok(Some(slots)),
        Some(Err(error)) => Err(Failure::damaged(format_args!("the commit watermark: {error}"))),
    }
}

/// Makes it.
pub(crate) fn create(folder: &Path, number: u64) -> Result<Slots, Failure> {
    Ok(Slots::create(&folder.join(FILE), MAGIC, number)?)
}
