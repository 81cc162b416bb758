//! Rows that are a few numbers: the row of the round, and how far a user has read.

use talaria_core::{EventId, Seq};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;

/// In every batch, first: which round it is, and what else each round may move.
///
/// The engine orders batches by sequence numbers, and drops a journal once its tables reach beyond it. `before` says how far
/// they must reach where a journal begins with this round, or where the journals are empty behind it: else something between
/// tables and journals is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RoundRow {
    /// 1, 2, 3 …; 0 before the first.
    pub(crate) number: u64,
    /// The engine's next sequence number before the batch took its own. The journal guards everything of a batch with a
    /// checksum but that; this bounds it.
    pub(crate) base: u64,
    /// The watermark of fan-out.
    pub(crate) fanned_out: EventId,
    /// Whether it holds events.
    pub(crate) has_events: bool,
    /// The rounds before it.
    pub(crate) before: Reach,
}

/// The base of the last round that wrote to each table; `None` before the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) events: Option<u64>,
    pub(crate) rows: Option<u64>,
}

impl Reach {
    /// Whether tables whose highest sequence numbers are `self` hold all up to `needed`. The batch before took a lower number
    /// than the base, so that a number at or above it is that batch's or a later one's.
    pub(crate) fn covers(self, needed: Self) -> bool {
        let covers = |has: Option<u64>, needed: Option<u64>| needed.is_none_or(|needed| has >= Some(needed));
        covers(self.events, needed.events) && covers(self.rows, needed.rows)
    }
}

/// Bytes of a round's row.
pub(crate) const ROUND_BYTES: usize = 1 + 5 * 8 + 1;

impl RoundRow {
    /// The row of the next round.
    pub(crate) fn next(self, base: u64, fanned_out: EventId, has_events: bool) -> Self {
        let fanned_out = self.fanned_out.max(fanned_out);
        Self { number: self.number + 1, base, fanned_out, has_events, before: self.reach() }
    }

    /// Up to and with this round.
    pub(crate) fn reach(self) -> Reach {
        if self.number == 0 {
            return Reach::default();
        }
        Reach { events: if self.has_events { Some(self.base) } else { self.before.events }, rows: Some(self.base) }
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        // 0 is "none".
        let optional = |number: Option<u64>| number.map_or(0, |number| number + 1);
        out.put_u8(VERSION);
        out.put_u64(self.number);
        out.put_u64(self.base);
        out.put_u64(self.fanned_out.0);
        out.put_u8(self.has_events.into());
        out.put_u64(optional(self.before.events));
        out.put_u64(optional(self.before.rows));
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let mut reader = Reader(value);
        if reader.u8()? != VERSION {
            return None;
        }
        let (number, base, fanned_out) = (reader.u64()?, reader.u64()?, EventId(reader.u64()?));
        let has_events = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let before = Reach { events: reader.u64()?.checked_sub(1), rows: reader.u64()?.checked_sub(1) };
        reader.is_empty().then_some(Self { number, base, fanned_out, has_events, before })
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
