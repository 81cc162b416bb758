//! The two rows of a session.
//!
//! Row, version 1: version, generation (8 bytes), expiry, count, then each filter and its options. Mark, version 1: version,
//! generation and write (8 bytes each), then its fields in their order; lists with their count.

use talaria_core::{ConversationId, EventId, Seq};
use talaria_port::sessions::{Mark, Position, SessionRow};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;
const AT: u8 = 0;
const AFTER: u8 = 1;

pub(crate) fn put_row(out: &mut Vec<u8>, row: &SessionRow) {
    out.put_u8(VERSION);
    out.put_u64(row.generation);
    out.put_number(row.expiry_s.into());
    out.put_number(row.subscriptions.len() as u64);
    for (filter, options) in &row.subscriptions {
        out.put_bytes(filter.as_bytes());
        out.put_u8(*options);
    }
}

/// A row's or a mark's generation, by which the later is known.
pub(crate) fn generation(value: &[u8]) -> Option<u64> {
    let mut reader = Reader(value);
    if reader.u8()? != VERSION {
        return None;
    }
    reader.u64()
}

pub(crate) fn read_row(value: &[u8]) -> Option<SessionRow> {
    let generation = generation(value)?;
    let mut reader = Reader(value.get(9..)?);
    let expiry_s = reader.u32_number()?;
    let mut subscriptions = Vec::new();
    for _ in 0..reader.number()? {
        subscriptions.push((reader.text()?.into(), reader.u8()?));
    }
    reader.is_empty().then_some(SessionRow { generation, expiry_s, subscriptions })
}

pub(crate) fn put_mark(out: &mut Vec<u8>, mark: &Mark) {
    out.put_u8(VERSION);
    out.put_u64(mark.generation);
    out.put_u64(mark.write);
    out.put_number(mark.settled.0);
    out.put_number(mark.behind.len() as u64);
    for (conversation, position) in &mark.behind {
        out.extend_from_slice(&conversation.to_key());
        match position {
            Position::At(seq, id) => {
                out.put_u8(AT);
                out.put_number(seq.0);
                out.put_number(id.0);
            }
            Position::After(id) => {
                out.put_u8(AFTER);
                out.put_number(id.0);
            }
        }
    }
    out.put_number(mark.ahead.len() as u64);
    for (conversation, seq, id) in &mark.ahead {
        out.extend_from_slice(&conversation.to_key());
        out.put_number(seq.0);
        out.put_number(id.0);
    }
    out.put_u16(mark.packet_id);
    out.put_number(mark.unreleased.len() as u64);
    for packet_id in &mark.unreleased {
        out.put_u16(*packet_id);
    }
    out.put_number(mark.at_unix_ms);
    out.put_u8(mark.connected.into());
    out.put_number(mark.resend_floor.0);
}

/// A mark's place in the order of writes (D10).
pub(crate) fn order(value: &[u8]) -> Option<(u64, u64)> {
    Some((generation(value)?, Reader(value.get(9..)?).u64()?))
}

pub(crate) fn read_mark(value: &[u8]) -> Option<Mark> {
    let (generation, write) = order(value)?;
    let mut reader = Reader(value.get(17..)?);
    let settled = EventId(reader.number()?);
    let mut behind = Vec::new();
    for _ in 0..reader.number()? {
        behind.push((reader.conversation()?, read_position(&mut reader)?));
    }
    let mut ahead = Vec::new();
    for _ in 0..reader.number()? {
        ahead.push((reader.conversation()?, Seq(reader.number()?), EventId(reader.number()?)));
    }
    let packet_id = reader.u16()?;
    let mut unreleased = Vec::new();
    for _ in 0..reader.number()? {
        unreleased.push(reader.u16()?);
    }
    let at_unix_ms = reader.number()?;
    let connected = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let resend_floor = EventId(reader.number()?);
    let mark =
        Mark { generation, write, settled, behind, ahead, packet_id, unreleased, at_unix_ms, connected, resend_floor };
    reader.is_empty().then_some(mark)
}

fn read_position(reader: &mut Reader<'_>) -> Option<Position> {
    match reader.u8()? {
        AT => Some(Position::At(Seq(reader.number()?), EventId(reader.number()?))),
        AFTER => Some(Position::After(EventId(reader.number()?))),
        _ => None,
    }
}

impl Reader<'_> {
    fn conversation(&mut self) -> Option<ConversationId> {
        ConversationId::from_key(self.fixed(talaria_core::conversation::KEY_BYTES)?)
    }
}
