//! Two rows of one number each, and the row of the round.

use talaria_core::{EventId, Seq};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;

/// In every batch: which round it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RoundRow {
    /// 1, 2, 3 …
    pub(crate) number: u64,
    /// The engine's next sequence number before the batch took its own. The journal guards everything of a batch with a
    /// checksum but that; this bounds it.
    pub(crate) base: u64,
}

/// Bytes of a round's row.
pub(crate) const ROUND_BYTES: usize = 17;

impl RoundRow {
    pub(crate) fn to_value(self) -> [u8; ROUND_BYTES] {
        let mut value = [VERSION; ROUND_BYTES];
        value[1..9].copy_from_slice(&self.number.to_le_bytes());
        value[9..].copy_from_slice(&self.base.to_le_bytes());
        value
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let mut reader = Reader(value);
        if reader.u8()? != VERSION {
            return None;
        }
        let row = Self { number: reader.u64()?, base: reader.u64()? };
        reader.is_empty().then_some(row)
    }
}

fn put_versioned(out: &mut Vec<u8>, value: u64) {
    out.put_u8(VERSION);
    out.put_u64(value);
}

fn read_versioned(value: &[u8]) -> Option<u64> {
    let mut reader = Reader(value);
    if reader.u8()? != VERSION {
        return None;
    }
    let value = reader.u64()?;
    reader.is_empty().then_some(value)
}

/// The watermark of fan-out.
pub(crate) fn put_fanned_out(out: &mut Vec<u8>, id: EventId) {
    put_versioned(out, id.0);
}

pub(crate) fn read_fanned_out(value: &[u8]) -> Option<EventId> {
    read_versioned(value).map(EventId)
}

/// How far a user has read.
pub(crate) fn put_read_mark(out: &mut Vec<u8>, seq: Seq) {
    put_versioned(out, seq.0);
}

pub(crate) fn read_read_mark(value: &[u8]) -> Option<Seq> {
    read_versioned(value).map(Seq)
}
