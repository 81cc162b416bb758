//! The row of a conversation's events of one round.
//!
//! Version 1: version, count, then of the first event what the others follow from (the id before it, messages, epoch), then
//! each event: flags, kind, id as its distance from the one before, sender, what the flags say differs or is there, body.

use std::sync::Arc;

use bytes::Bytes;
use talaria_core::{ConversationId, Event, EventId, EventKind, Origin, Seq, UserId};

use super::bytes::{Put as _, Reader};

const VERSION: u8 = 1;

const HAS_KEY: u8 = 1;
const HAS_ORIGIN: u8 = 2;
/// Its `prev_id` is not the id of the event before it.
const OTHER_PREV: u8 = 4;
/// Its count of messages does not follow from the event before it.
const OTHER_MESSAGES: u8 = 8;
/// Its epoch is not that of the event before it.
const OTHER_EPOCH: u8 = 16;

/// What an event is compared with to be written short.
#[derive(Clone, Copy)]
struct Before {
    id: EventId,
    messages: u64,
    epoch: u32,
}

impl Before {
    fn messages_after(self, kind: EventKind) -> u64 {
        self.messages.wrapping_add(u64::from(kind.is_message()))
    }
}

/// Writes events, at least one, with consecutive seqs, to the end of `out`.
pub(crate) fn put(out: &mut Vec<u8>, events: &[Arc<Event>]) {
    let Some(first) = events.first() else { return };
    let mut before = Before {
        id: first.prev_id,
        messages: first.messages.wrapping_sub(u64::from(first.kind.is_message())),
        epoch: first.epoch,
    };
    out.put_u8(VERSION);
    out.put_number(events.len() as u64);
    out.put_number(before.id.0);
    out.put_number(before.messages);
    out.put_number(before.epoch.into());
    for event in events {
        put_event(out, event, before);
        before = Before { id: event.id, messages: event.messages, epoch: event.epoch };
    }
}

fn put_event(out: &mut Vec<u8>, event: &Event, before: Before) {
    let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    let flags = flag(HAS_KEY, event.key.is_some())
        | flag(HAS_ORIGIN, event.origin.is_some())
        | flag(OTHER_PREV, event.prev_id != before.id)
        | flag(OTHER_MESSAGES, event.messages != before.messages_after(event.kind))
        | flag(OTHER_EPOCH, event.epoch != before.epoch);
    out.put_u8(flags);
    out.put_u8(event.kind as u8);
    out.put_number(event.id.0.wrapping_sub(before.id.0));
    out.put_number(event.from.get());
    if flags & OTHER_PREV != 0 {
        out.put_number(event.prev_id.0);
    }
    if flags & OTHER_MESSAGES != 0 {
        out.put_number(event.messages);
    }
    if flags & OTHER_EPOCH != 0 {
        out.put_number(event.epoch.into());
    }
    if let Some(key) = &event.key {
        out.put_bytes(key.as_bytes());
    }
    if let Some(origin) = &event.origin {
        out.put_u64(origin.client);
        out.put_u16(origin.packet_id);
        out.put_u64(origin.payload);
    }
    out.put_bytes(&event.body);
}

/// An event in a row, with its body where it lies.
struct Entry<'a> {
    id: EventId,
    prev_id: EventId,
    messages: u64,
    epoch: u32,
    from: UserId,
    kind: EventKind,
    key: Option<&'a str>,
    origin: Option<Origin>,
    body: &'a [u8],
}

/// The events of a row, in order. Ends after a `None`, which is damage.
struct Entries<'a> {
    reader: Reader<'a>,
    left: u64,
    before: Before,
}

impl<'a> Entries<'a> {
    fn of(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(value);
        if reader.u8()? != VERSION {
            return None;
        }
        let left = reader.number()?;
        let before = Before { id: EventId(reader.number()?), messages: reader.number()?, epoch: reader.u32_number()? };
        Some(Self { reader, left, before })
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let reader = &mut self.reader;
        let flags = reader.u8()?;
        let kind = EventKind::from_number(reader.u8()?)?;
        let id = EventId(self.before.id.0.wrapping_add(reader.number()?));
        let from = UserId::new(reader.number()?)?;
        let mut optional = |flag: u8, otherwise: u64| {
            if flags & flag == 0 { Some(otherwise) } else { reader.number() }
        };
        let prev_id = EventId(optional(OTHER_PREV, self.before.id.0)?);
        let messages = optional(OTHER_MESSAGES, self.before.messages_after(kind))?;
        let epoch = optional(OTHER_EPOCH, self.before.epoch.into())?.try_into().ok()?;
        let key = if flags & HAS_KEY == 0 { None } else { Some(reader.text()?) };
        let origin = if flags & HAS_ORIGIN == 0 {
            None
        } else {
            Some(Origin { client: reader.u64()?, packet_id: reader.u16()?, payload: reader.u64()? })
        };
        let body = reader.bytes()?;
        self.before = Before { id, messages, epoch };
        Some(Entry { id, prev_id, messages, epoch, from, kind, key, origin, body })
    }

    fn is_whole(&self) -> bool {
        self.reader.is_empty()
    }
}

/// Where a row stands in its conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
}

/// The seqs of a row that ends with `last`.
pub(crate) fn extent(value: &[u8], last: Seq) -> Option<Extent> {
    let count = Entries::of(value)?.left;
    let first = last.0.checked_add(1)?.checked_sub(count)?;
    (count > 0 && first > 0).then_some(Extent { first: Seq(first), last })
}

/// Every id of a row with its seq.
pub(crate) fn ids(value: &[u8], extent: Extent) -> Option<Vec<(Seq, EventId)>> {
    let mut entries = Entries::of(value)?;
    let mut ids = Vec::new();
    for seq in extent.first.0..=extent.last.0 {
        ids.push((Seq(seq), entries.read()?.id));
    }
    entries.is_whole().then_some(ids)
}

/// The events of a row, in order, those before `from` left out. Their bodies share one copy of the row.
pub(crate) fn events(value: &[u8], conversation: ConversationId, extent: Extent, from: Seq) -> Option<Vec<Event>> {
    let shared = Bytes::copy_from_slice(value);
    let mut entries = Entries::of(&shared)?;
    let mut events = Vec::new();
    for seq in extent.first.0..=extent.last.0 {
        let entry = entries.read()?;
        if seq >= from.0 {
            events.push(event(&shared, conversation, Seq(seq), &entry));
        }
    }
    entries.is_whole().then_some(events)
}

fn event(row: &Bytes, conversation: ConversationId, seq: Seq, entry: &Entry<'_>) -> Event {
    Event {
        conversation,
        seq,
        id: entry.id,
        prev_id: entry.prev_id,
        messages: entry.messages,
        epoch: entry.epoch,
        from: entry.from,
        kind: entry.kind,
        key: entry.key.map(Into::into),
        origin: entry.origin,
        body: row.slice_ref(entry.body),
    }
}
