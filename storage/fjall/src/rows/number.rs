//! Rows that are a few numbers: the row of the round, and how far a user has read.

use talaria_core::{EventId, Seq};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;

/// In every batch, first: which round it is, and what else each round may move.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RoundRow {
    /// 1, 2, 3 …; 0 before the first.
    pub(crate) number: u64,
    /// The engine's next sequence number before the batch took its own. The journal guards everything of a batch with a
    /// checksum but that; this bounds it.
    pub(crate) base: u64,
    /// The watermark of fan-out.
    pub(crate) fanned_out: EventId,
}

/// Bytes of a round's row.
pub(crate) const ROUND_BYTES: usize = 1 + 3 * 8;

impl RoundRow {
    pub(crate) fn to_value(self) -> [u8; ROUND_BYTES] {
        let mut value = [VERSION; ROUND_BYTES];
        value[1..9].copy_from_slice(&self.number.to_le_bytes());
        value[9..17].copy_from_slice(&self.base.to_le_bytes());
        value[17..].copy_from_slice(&self.fanned_out.0.to_le_bytes());
        value
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let mut reader = Reader(value);
        if reader.u8()? != VERSION {
            return None;
        }
        let row = Self { number: reader.u64()?, base: reader.u64()?, fanned_out: EventId(reader.u64()?) };
        reader.is_empty().then_some(row)
    }
}

/// How far a user has read.
pub(crate) fn put_read_mark(out: &mut Vec<u8>, seq: Seq) {
    out.put_u8(VERSION);
    out.put_u64(seq.0);
}

pub(crate) fn read_read_mark(value: &[u8]) -> Option<Seq> {
    let mut reader = Reader(value);
    if reader.u8()? != VERSION {
        return None;
    }
    let seq = Seq(reader.u64()?);
    reader.is_empty().then_some(seq)
}
