//! A conversation's checkpoint.
//!
//! Version 1: version, seq (8 bytes), id, messages, epoch, count, then what is remembered: sender, kind and fingerprint, seq
//! and id as their distance below the checkpoint's.

use talaria_core::{ConversationId, EventId, Origin, Seq, UserId};
use talaria_port::messages::{Checkpoint, Fingerprint, Remembered};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;
const BY_KEY: u8 = 0;
const BY_ORIGIN: u8 = 1;

pub(crate) fn put(out: &mut Vec<u8>, checkpoint: &Checkpoint) {
    out.put_u8(VERSION);
    out.put_u64(checkpoint.seq.0);
    out.put_u64(checkpoint.id.0);
    out.put_number(checkpoint.messages);
    out.put_number(checkpoint.epoch.into());
    out.put_number(checkpoint.remembered.len() as u64);
    for remembered in &checkpoint.remembered {
        out.put_number(remembered.sender.get());
        match &remembered.fingerprint {
            Fingerprint::Key(hash) => {
                out.put_u8(BY_KEY);
                out.put_u64(*hash);
            }
            Fingerprint::Origin(origin) => {
                out.put_u8(BY_ORIGIN);
                out.put_u64(origin.client);
                out.put_u16(origin.packet_id);
                out.put_u64(origin.payload);
            }
        }
        out.put_number(checkpoint.seq.0.wrapping_sub(remembered.seq.0));
        out.put_number(checkpoint.id.0.wrapping_sub(remembered.id.0));
    }
}

/// Up to which event it goes; the newest is kept by this.
pub(crate) fn seq(value: &[u8]) -> Option<Seq> {
    let mut reader = Reader(value);
    if reader.u8()? != VERSION {
        return None;
    }
    reader.u64().map(Seq)
}

pub(crate) fn read(value: &[u8], conversation: ConversationId) -> Option<Checkpoint> {
    let seq = seq(value)?;
    let mut reader = Reader(value.get(9..)?);
    let id = EventId(reader.u64()?);
    let messages = reader.number()?;
    let epoch = reader.u32_number()?;
    let mut remembered = Vec::new();
    for _ in 0..reader.number()? {
        remembered.push(read_remembered(&mut reader, seq, id)?);
    }
    reader.is_empty().then_some(Checkpoint { conversation, seq, id, messages, epoch, remembered })
}

fn read_remembered(reader: &mut Reader<'_>, seq: Seq, id: EventId) -> Option<Remembered> {
    let sender = UserId::new(reader.number()?)?;
    let fingerprint = match reader.u8()? {
        BY_KEY => Fingerprint::Key(reader.u64()?),
        BY_ORIGIN => {
            Fingerprint::Origin(Origin { client: reader.u64()?, packet_id: reader.u16()?, payload: reader.u64()? })
        }
        _ => return None,
    };
    let seq = Seq(seq.0.wrapping_sub(reader.number()?));
    let id = EventId(id.0.wrapping_sub(reader.number()?));
    Some(Remembered { sender, fingerprint, seq, id })
}
