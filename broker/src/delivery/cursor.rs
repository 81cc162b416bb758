//! How far one conversation was sent and acknowledged.

use std::collections::VecDeque;

use talaria_core::{EventId, Seq};
use talaria_port::sessions::Position;

/// One conversation of a session that is behind, in flight, or newer than M; no other has one.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Sent up to here. [`Position::After`] only while behind.
    pub(super) sent: Position,
    /// Acknowledged up to here, with everything before it.
    pub(super) acked: Position,
    /// The session's M when it got its cursor: up to there everything was acknowledged, though the last event may be much older.
    since: EventId,
    /// Sent and not within `acked`, ascending.
    in_flight: VecDeque<Sent>,
    /// Live events are dropped and the store is read.
    pub(super) behind: Option<Behind>,
}

#[derive(Debug)]
struct Sent {
    /// `None` once acknowledged.
    packet_id: Option<u16>,
    at: Position,
}

/// What a conversation that is behind waits for (D3).
#[derive(Debug)]
pub(super) struct Behind {
    /// The highest seq that was dropped.
    pub(super) dropped: Seq,
    /// Something happened while it was being read, so that this page does not say the last word.
    pub(super) again: bool,
    /// A walk reads only up to the end of its window (D5).
    pub(super) limit: Option<EventId>,
    /// Whose turn it is.
    pub(super) turn: Turn,
    /// Payload bytes of the event that did not fit last time: reading again is of no use before there is room for it.
    pub(super) needs_bytes: usize,
    /// The last page brought nothing; a second such waits for the owner's backoff.
    pub(super) stalled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// In the queue of those to be read.
    Queued,
    /// Page of that number was asked for.
    Asked(u32),
    /// The last read failed.
    Failed,
}

impl Behind {
    pub(super) fn new(dropped: Seq, limit: Option<EventId>) -> Self {
        Self { dropped, again: false, limit, turn: Turn::Queued, needs_bytes: 0, stalled: false }
    }
}

impl Cursor {
    pub(super) fn new(at: Position, since: EventId) -> Self {
        Self { sent: at, acked: at, since, behind: None, in_flight: VecDeque::new() }
    }

    /// The seq up to which it was sent, once one is known.
    pub(super) fn sent_seq(&self) -> Option<Seq> {
        match self.sent {
            Position::At(seq, _) => Some(seq),
            Position::After(_) => None,
        }
    }

    /// Everything up to this seq is sent, or invisible to the user. With no packet id it counts as acknowledged.
    pub(super) fn advance(&mut self, seq: Seq, id: EventId, packet_id: Option<u16>) {
        self.sent = Position::At(seq, id);
        self.in_flight.push_back(Sent { packet_id, at: self.sent });
        self.settle();
    }

    /// Nobody subscribes to the event. What was sent before the subscription ended counts as acknowledged with it: sent again, it would
    /// bring what was passed over with it, behind events of a later subscription.
    pub(super) fn pass_over(&mut self, seq: Seq, id: EventId) {
        self.in_flight = VecDeque::new();
        self.sent = Position::At(seq, id);
        self.acked = self.sent;
    }

    /// PUBACKs come in any order; `acked` moves over what is acknowledged without a hole.
    pub(super) fn acknowledge(&mut self, packet_id: u16) {
        if let Some(sent) = self.in_flight.iter_mut().find(|sent| sent.packet_id == Some(packet_id)) {
            sent.packet_id = None;
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(Sent { packet_id: None, at }) = self.in_flight.front() {
            self.acked = *at;
            self.in_flight.pop_front();
        }
        if self.in_flight.is_empty() {
            self.in_flight.shrink_to_fit();
        }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Everything of the conversation up to this id is acknowledged.
    pub(super) fn acked_id(&self) -> EventId {
        id_of(self.acked).max(self.since)
    }

    /// Whether M says all that this cursor says.
    pub(super) fn is_covered_by(&self, settled: EventId) -> bool {
        self.behind.is_none() && !self.is_in_flight() && id_of(self.sent) <= settled
    }
}

/// The id of a position.
pub(super) const fn id_of(position: Position) -> EventId {
    match position {
        Position::At(_, id) | Position::After(id) => id,
    }
}
