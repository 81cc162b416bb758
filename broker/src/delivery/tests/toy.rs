//! A toy of everything around a delivery: conversations with pending, committed and fanned-out events, an index, membership.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use talaria_core::id::TIME_SHIFT;
use talaria_core::{ChannelId, ConversationId, Event, EventId, EventKind, Seq, UserId};
use talaria_port::history::{CatchUp, Moves};
use talaria_port::messages::Window;
use talaria_port::sessions::Position;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((value ^ (value >> 31)) % bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

pub(super) fn channel(number: u64) -> ConversationId {
    ConversationId::Channel(ChannelId::new(number).unwrap())
}

pub(super) fn event(conversation: ConversationId, seq: u64, id: EventId, prev_id: EventId) -> Event {
    Event {
        conversation,
        seq: Seq(seq),
        id,
        prev_id,
        messages: seq,
        epoch: 1,
        from: UserId::new(1).unwrap(),
        kind: EventKind::Message,
        key: None,
        origin: None,
        body: Bytes::new(),
    }
}

/// One conversation; its events come into being in three steps: id drawn, committed, fanned out.
pub(super) struct Room {
    pub(super) id: ConversationId,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) committed: usize,
    pub(super) fanned: usize,
    /// Memberships of the one user; effective as far as committed.
    pub(super) memberships: Vec<(u64, Option<u64>)>,
}

impl Room {
    /// The first seq of the latest membership, where the user is a member as of what is committed.
    pub(super) fn joined(&self) -> Option<u64> {
        let head = self.committed as u64;
        let &(joined, left) = self.memberships.iter().rev().find(|(joined, _)| *joined <= head)?;
        left.is_none_or(|left| left > head).then_some(joined)
    }

    /// The first seq of the membership in which that seq lies.
    pub(super) fn membership_of(&self, seq: u64) -> Option<u64> {
        let within = |&&(joined, left): &&(u64, Option<u64>)| joined <= seq && left.is_none_or(|left| seq < left);
        self.memberships.iter().find(within).map(|(joined, _)| *joined)
    }
}

pub(super) struct World {
    pub(super) now_ms: u64,
    drawn: u64,
    pub(super) rooms: Vec<Room>,
    index: BTreeSet<(Window, ConversationId)>,
}

impl World {
    pub(super) fn new(rooms: u64) -> Self {
        let room = |number| Room {
            id: channel(number),
            events: Vec::new(),
            committed: 0,
            fanned: 0,
            memberships: vec![(1, None)],
        };
        Self { now_ms: 1, drawn: 0, rooms: (1..=rooms).map(room).collect(), index: BTreeSet::new() }
    }

    /// Draws an id, `ahead_ms` beyond the clock, for the next event of that room.
    pub(super) fn draw(&mut self, room: usize, ahead_ms: u64) {
        self.drawn += 1;
        let (now_ms, drawn) = (self.now_ms, self.drawn);
        let room = &mut self.rooms[room];
        let prev_id = room.events.last().map_or(EventId::ZERO, |event| event.id);
        let ms = (now_ms + ahead_ms).max((prev_id.0 >> TIME_SHIFT) + 1);
        let id = EventId(ms << TIME_SHIFT | drawn);
        let seq = room.events.len() as u64 + 1;
        room.events.push(Arc::new(event(room.id, seq, id, prev_id)));
    }

    /// Commits a room's next event, with its index row (D7).
    pub(super) fn commit(&mut self, room: usize) {
        let room = &mut self.rooms[room];
        if let Some(event) = room.events.get(room.committed) {
            room.committed += 1;
            if room.membership_of(event.seq.0).is_some() {
                self.index.insert((Window::of(event.id), room.id));
            }
        }
    }

    /// Joins or leaves with the room's next event.
    pub(super) fn change_membership(&mut self, room: usize) {
        let seq = self.rooms[room].events.len() as u64 + 1;
        match self.rooms[room].memberships.last_mut() {
            Some((_, left @ None)) => *left = Some(seq),
            _ => self.rooms[room].memberships.push((seq, None)),
        }
        self.draw(room, 0);
    }

    /// W: everything up to it is fanned out, and no later id will be below it.
    pub(super) fn watermark(&self) -> EventId {
        let waiting = self.rooms.iter().filter_map(|room| room.events.get(room.fanned)).map(|event| event.id.0);
        EventId(waiting.min().unwrap_or(u64::MAX).min(self.now_ms << TIME_SHIFT) - 1)
    }

    pub(super) fn room(&self, conversation: ConversationId) -> &Room {
        self.rooms.iter().find(|room| room.id == conversation).unwrap()
    }

    pub(super) fn moves(&self, from: Window, after: Option<(Window, ConversationId)>, limit: usize) -> Moves {
        let rows = self.index.iter().filter(|row| row.0 >= from && after.is_none_or(|after| **row > after));
        let rows: Vec<_> = rows.copied().collect();
        Moves { is_end: rows.len() <= limit, rows: rows.into_iter().take(limit).collect() }
    }

    pub(super) fn catch_up(&self, conversation: ConversationId, position: Position, limit: usize) -> Option<CatchUp> {
        let room = self.room(conversation);
        let joined = room.joined()?;
        let events = &room.events[..room.committed];
        let done = match position {
            Position::At(seq, _) => seq.0,
            Position::After(id) => events.iter().take_while(|event| event.id <= id).count() as u64,
        };
        let done = done.max(joined - 1) as usize;
        let at = |seq: usize| (Seq(seq as u64), if seq == 0 { EventId::ZERO } else { events[seq - 1].id });
        let page: Vec<_> = events.iter().skip(done).take(limit).cloned().collect();
        Some(CatchUp { upto: at((done + page.len()).min(events.len())), head: at(events.len()), events: page })
    }
}
