//! Delivery of stored events to one session: nothing skipped, nothing first seen out of order, each at least once.
//!
//! A sans-IO state machine of DESIGN §4 "Rules of delivery" (D2 to D6, D9, D10) and PROTOCOL "Catching up". It knows no socket,
//! store, clock or codec: it is told what happened and says what to send ([`Outlet`]) and what to read ([`Ask`]). An idle
//! current session has no [`Delivery`] at all: M is its position, and M is the loop's.
//!
//! Start with [`Delivery::on_live`] (the one rule of every delivered event), then [`Delivery::on_page`] (catching up), then
//! `walk` (which conversations) and `position` (what a mark says).
//!
//! Beyond the rules: a session that walks may hold more conversations behind than a mark lists, for walking anew would not
//! get on while they are busy; the mark then states an earlier M ([`MarkPosition`]). After a crash, when the mark does not know
//! the last packet ids, they go on far beyond it. For that the owner writes a mark with `connected` set, and with
//! [`Delivery::last_packet_id`], before the first event of a connection is sent.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use talaria_core::limits::{MARK_LIST_MAX, OUTBOUND_IN_FLIGHT_MAX};
use talaria_core::{ConversationId, Event, EventId, Rule, Rules, Seq};
use talaria_port::StoreError;
use talaria_port::deliver::Outgoing;
use talaria_port::history::{CatchUp, Moves};
use talaria_port::messages::Window;
use talaria_port::sessions::{Mark, Position};

mod ask;
mod cursor;
mod in_flight;
mod position;
#[cfg(test)]
mod tests;
mod walk;

pub use ask::Ask;
use cursor::{Behind, Cursor, Turn, id_of};
use in_flight::InFlight;
pub use position::MarkPosition;
use walk::{Step, Walk};

/// Pages of one session that are read at the same time.
const PAGES_ASKED_MAX: usize = 2;
/// Conversations that a walking session may be behind in; beyond, it walks anew from where all of them are acknowledged.
const BEHIND_MAX_WALKING: usize = 16 * MARK_LIST_MAX;
/// How far packet ids jump after a crash: what the lost connection used since its mark stays behind them. Odd, so that crashes
/// in a row do not meet soon.
const PACKET_ID_JUMP: u16 = 12_289;

/// What the moment looks like, lent for a call.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Which rules hold; all but in tests.
    pub rules: Rules,
    /// The loop's M.
    pub settled: EventId,
}

/// The connection as far as delivery sees it.
pub trait Outlet {
    /// Whether one more event of that many payload bytes may be sent now: receive maximum, in-flight bound, buffer bound. At QoS 0
    /// only the buffer counts. With nothing in flight and an empty buffer the answer is yes, whatever the size.
    fn has_room(&self, payload_bytes: usize) -> bool;
    /// Encodes the event for sending, at QoS 1 with this packet id.
    fn send(&mut self, event: &Arc<Outgoing>, packet_id: Option<u16>);
    /// QoS of the subscription that events of the conversation go to. `None`: not subscribed, the event counts as acknowledged.
    fn qos(&self, conversation: ConversationId) -> Option<u8>;
}

/// The delivery half of one session. Dropped by its owner once it [is idle](Self::is_idle).
#[derive(Debug)]
pub struct Delivery {
    cursors: HashMap<ConversationId, Cursor>,
    in_flight: InFlight,
    /// Present until current.
    walk: Option<Walk>,
    /// The session's M while it walks; afterwards M is the loop's, but never below this (D6). 0 once the loop's M reached it.
    floor: EventId,
    /// Conversations to be read, in turn. May name some that no longer want it.
    queue: VecDeque<ConversationId>,
    /// Pages that are out.
    asked: Vec<(u32, ConversationId)>,
    /// Conversations whose last read failed.
    failed: Vec<ConversationId>,
    last_number: u32,
    /// At how many cursors their number is looked at again.
    check_at: usize,
    sent_any: bool,
}

impl Delivery {
    /// A session at the loop's M: a fresh subscription, or one that was idle.
    pub fn current(last_packet_id: u16) -> Self {
        Self {
            cursors: HashMap::new(),
            in_flight: InFlight::after(last_packet_id),
            walk: None,
            floor: EventId::ZERO,
            queue: VecDeque::new(),
            asked: Vec::new(),
            failed: Vec::new(),
            last_number: 0,
            check_at: MARK_LIST_MAX,
            sent_any: false,
        }
    }

    /// A session that begins at M: it was entered in the directory before, and what was fanned out between is read from the index (D4).
    pub fn begin(last_packet_id: u16, settled: EventId) -> Self {
        let mut this = Self::current(last_packet_id);
        this.walk_from(settled);
        this
    }

    /// A session that returns: it was entered in the directory before (D4) and now walks the index from its mark's M.
    pub fn resume(mark: &Mark) -> Self {
        // A mark written at a disconnect knows the last packet id; one written earlier does not.
        let unknown = if mark.connected { PACKET_ID_JUMP } else { 0 };
        let mut this = Self::current(mark.packet_id.wrapping_add(unknown));
        this.floor = mark.settled;
        this.walk = Some(Walk::new(Window::of(mark.settled)));
        for &(conversation, position) in &mark.behind {
            this.fall_behind(conversation, position, Seq::ZERO, None);
        }
        for &(conversation, seq, id) in &mark.ahead {
            this.cursors.insert(conversation, Cursor::new(Position::At(seq, id), id));
        }
        this
    }

    /// A live event, as fanned out by the conversation's owner.
    pub fn on_live(&mut self, event: &Arc<Outgoing>, moment: &Moment, outlet: &mut dyn Outlet) {
        let e = &event.event;
        let has_room = self.has_room(event, outlet);
        let Some(cursor) = self.cursors.get_mut(&e.conversation) else {
            return self.on_live_without_cursor(event, has_room, moment, outlet);
        };
        if let Some(behind) = &mut cursor.behind {
            behind.dropped = behind.dropped.max(e.seq);
            behind.again |= matches!(behind.turn, Turn::Asked(_));
            // A dropped event must be met (D3), so the end of the window is no longer the end.
            self.leave_walk(e.conversation);
            return self.advance(moment);
        }
        match cursor.sent_seq() {
            Some(sent) if e.seq <= sent => {}
            Some(sent) if e.seq == sent.next() && has_room => self.send(event, moment, outlet),
            _ => {
                let at = cursor.sent;
                self.fall_behind(e.conversation, at, e.seq, None);
                self.bound(moment);
            }
        }
    }

    fn on_live_without_cursor(
        &mut self,
        event: &Arc<Outgoing>,
        has_room: bool,
        moment: &Moment,
        outlet: &mut dyn Outlet,
    ) {
        let e = &event.event;
        let settled = if moment.rules.hold(Rule::D4) { self.settled(moment) } else { moment.settled };
        if e.id <= settled && moment.rules.hold(Rule::D6) {
            return;
        }
        if e.prev_id <= settled && has_room {
            // No cursor says that everything up to M is acknowledged, and nothing lies between M and this event.
            let before = Position::At(Seq(e.seq.0.saturating_sub(1)), e.prev_id);
            self.cursors.insert(e.conversation, Cursor::new(before, settled));
            self.send(event, moment, outlet);
        } else {
            self.fall_behind(e.conversation, Position::After(settled), e.seq, None);
        }
        self.bound(moment);
    }

    /// The next piece of the index. A number that is not asked for is ignored.
    pub fn on_moves(&mut self, number: u32, moves: Result<Moves, StoreError>, moment: &Moment) {
        let Some(walk) = self.walk.as_mut().filter(|walk| walk.asked == Some(number)) else { return };
        walk.asked = None;
        match moves {
            Ok(moves) => walk.on_moves(moves),
            Err(_) => walk.failed = true,
        }
        self.advance(moment);
    }

    /// A piece of a conversation. `None`: the user is no member now, and the conversation is forgotten. A number that is not
    /// asked for is ignored.
    pub fn on_page(
        &mut self,
        number: u32,
        page: Result<Option<CatchUp>, StoreError>,
        moment: &Moment,
        outlet: &mut dyn Outlet,
    ) {
        let Some(index) = self.asked.iter().position(|(asked, _)| *asked == number) else { return };
        let (_, conversation) = self.asked.swap_remove(index);
        let behind = self.cursors.get_mut(&conversation).and_then(|cursor| cursor.behind.as_mut());
        let Some(behind) = behind.filter(|behind| behind.turn == Turn::Asked(number)) else { return };
        match page {
            Err(_) => {
                behind.turn = Turn::Failed;
                self.failed.push(conversation);
            }
            // An event came while the page was read: the user may have joined again since.
            Ok(None) if behind.again => self.read_again(conversation),
            Ok(None) => {
                self.cursors.remove(&conversation);
                self.leave_walk(conversation);
            }
            Ok(Some(page)) => self.take(conversation, page, moment, outlet),
        }
        self.advance(moment);
    }

    /// The client acknowledged; `false` for a packet id that is not in flight.
    pub fn on_acked(&mut self, packet_id: u16, moment: &Moment) -> bool {
        let Some(conversation) = self.in_flight.release(packet_id) else { return false };
        let settled = self.settled(moment);
        if let Some(cursor) = self.cursors.get_mut(&conversation) {
            cursor.acknowledge(packet_id);
            if cursor.is_covered_by(settled) {
                self.cursors.remove(&conversation);
            }
        }
        true
    }

    /// There may be room again; [`next_ask`](Self::next_ask) says what to read for it.
    pub fn on_room(&mut self, moment: &Moment) {
        self.advance(moment);
    }

    /// The loop's M rose: cursors that it covers go.
    pub fn on_settled(&mut self, moment: &Moment) {
        if self.walk.is_none() && moment.settled >= self.floor {
            self.floor = EventId::ZERO;
        }
        self.sweep(moment);
        self.advance(moment);
    }

    /// A live event of the conversation may have been lost: it is read until it meets its head (D3).
    pub fn on_doubt(&mut self, conversation: ConversationId, moment: &Moment) {
        let settled = self.settled(moment);
        match self.cursors.get_mut(&conversation) {
            Some(Cursor { behind: Some(behind), .. }) => {
                behind.again |= matches!(behind.turn, Turn::Asked(_));
                self.leave_walk(conversation);
            }
            Some(cursor) => {
                let at = cursor.sent;
                self.fall_behind(conversation, at, Seq::ZERO, None);
            }
            None => self.fall_behind(conversation, Position::After(settled), Seq::ZERO, None),
        }
        self.bound(moment);
        self.advance(moment);
    }

    /// What to read next; ask until `None`. One walk and two pages are out at most, pages only while there is room.
    pub fn next_ask(&mut self, moment: &Moment, outlet: &dyn Outlet) -> Option<Ask> {
        self.advance(moment);
        if let Some(walk) = self.walk.as_mut().filter(|walk| walk.wants_rows()) {
            self.last_number = self.last_number.wrapping_add(1);
            walk.asked = Some(self.last_number);
            return Some(Ask::Moves { number: self.last_number, from: walk.from, after: walk.after });
        }
        if self.asked.len() >= PAGES_ASKED_MAX || self.in_flight.len() >= usize::from(OUTBOUND_IN_FLIGHT_MAX) {
            return None;
        }
        let settled = self.settled(moment);
        while let Some(&conversation) = self.queue.front() {
            let Some(cursor) = self.cursors.get_mut(&conversation) else {
                self.queue.pop_front();
                continue;
            };
            let Some(behind) = cursor.behind.as_mut().filter(|behind| behind.turn == Turn::Queued) else {
                self.queue.pop_front();
                continue;
            };
            if !outlet.has_room(behind.needs_bytes) {
                return None;
            }
            self.queue.pop_front();
            self.last_number = self.last_number.wrapping_add(1);
            let number = self.last_number;
            behind.turn = Turn::Asked(number);
            behind.again = false;
            self.asked.push((number, conversation));
            let position = match cursor.sent {
                Position::After(_) if !moment.rules.hold(Rule::D2) => Position::After(settled),
                position => position,
            };
            return Some(Ask::Page { number, conversation, position });
        }
        None
    }

    /// The owner's backoff ran out: what failed may be asked again.
    pub fn on_retry(&mut self) {
        if let Some(walk) = &mut self.walk {
            walk.failed = false;
        }
        for conversation in std::mem::take(&mut self.failed) {
            self.read_again(conversation);
        }
    }

    /// Whether the index is walked: M is the loop's.
    pub fn is_current(&self) -> bool {
        self.walk.is_none()
    }

    /// Whether M says everything: the owner may drop it, keeping [`last_packet_id`](Self::last_packet_id).
    pub fn is_idle(&self) -> bool {
        // An answer that is out would otherwise meet the numbers of the next `Delivery`.
        self.walk.is_none()
            && self.cursors.is_empty()
            && self.in_flight.len() == 0
            && self.asked.is_empty()
            && self.floor == EventId::ZERO
    }

    /// Events that are sent and not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether something failed and waits for [`on_retry`](Self::on_retry).
    pub fn wants_retry(&self) -> bool {
        !self.failed.is_empty() || self.walk.as_ref().is_some_and(|walk| walk.failed)
    }

    /// What a mark written now says (D2, D10).
    pub fn position(&self, moment: &Moment) -> MarkPosition {
        MarkPosition::of(self.cursors.iter(), self.settled(moment), self.last_packet_id(), moment.rules)
    }

    /// The packet id that was given out last.
    pub fn last_packet_id(&self) -> u16 {
        self.in_flight.last()
    }

    /// The session's M.
    fn settled(&self, moment: &Moment) -> EventId {
        if self.walk.is_some() {
            self.floor
        } else if moment.rules.hold(Rule::D6) {
            moment.settled.max(self.floor)
        } else {
            moment.settled
        }
    }

    fn has_room(&self, event: &Arc<Outgoing>, outlet: &dyn Outlet) -> bool {
        match outlet.qos(event.event.conversation) {
            None => true,
            Some(0) => outlet.has_room(event.envelope.len()),
            Some(_) => {
                self.in_flight.len() < usize::from(OUTBOUND_IN_FLIGHT_MAX) && outlet.has_room(event.envelope.len())
            }
        }
    }

    /// Sends an event of a conversation that has a cursor; there is room.
    fn send(&mut self, event: &Arc<Outgoing>, moment: &Moment, outlet: &mut dyn Outlet) {
        let e = &event.event;
        let Some(cursor) = self.cursors.get_mut(&e.conversation) else { return };
        if !moment.rules.hold(Rule::D9) && !self.sent_any {
            self.in_flight.restart();
        }
        self.sent_any = true;
        let packet_id = match outlet.qos(e.conversation) {
            None => return cursor.pass_over(e.seq, e.id),
            Some(0) => {
                outlet.send(event, None);
                None
            }
            Some(_) => {
                let Some(packet_id) = self.in_flight.take(e.conversation) else { return };
                outlet.send(event, Some(packet_id));
                Some(packet_id)
            }
        };
        cursor.advance(e.seq, e.id, packet_id);
    }

    /// Drops the live copies of a conversation from here on and reads the store.
    fn fall_behind(&mut self, conversation: ConversationId, at: Position, dropped: Seq, limit: Option<EventId>) {
        let cursor = self.cursors.entry(conversation).or_insert_with(|| Cursor::new(at, id_of(at)));
        cursor.behind = Some(Behind::new(dropped, limit));
        self.queue.push_back(conversation);
    }

    fn read_again(&mut self, conversation: ConversationId) {
        let cursor = self.cursors.get_mut(&conversation);
        if let Some(behind) = cursor.and_then(|cursor| cursor.behind.as_mut()) {
            behind.turn = Turn::Queued;
            self.queue.push_back(conversation);
        }
    }

    /// The walk no longer waits for the conversation.
    fn leave_walk(&mut self, conversation: ConversationId) {
        if let Some(walk) = &mut self.walk {
            walk.open.remove(&conversation);
        }
        if let Some(behind) = self.cursors.get_mut(&conversation).and_then(|cursor| cursor.behind.as_mut()) {
            behind.limit = None;
        }
    }

    /// Sends of a page as much as there is room for; the rest is read again later, so that what a member may no longer see
    /// waits nowhere (INV-5).
    fn take(&mut self, conversation: ConversationId, page: CatchUp, moment: &Moment, outlet: &mut dyn Outlet) {
        let mut end = PageEnd::All;
        let before = self.cursors.get(&conversation).map(|cursor| cursor.sent);
        for event in page.events {
            end = self.take_event(conversation, event, moment, outlet);
            if !matches!(end, PageEnd::All) {
                break;
            }
        }
        let Some(cursor) = self.cursors.get_mut(&conversation) else { return };
        if matches!(end, PageEnd::All) && cursor.sent_seq().is_none_or(|sent| page.upto.0 > sent) {
            cursor.advance(page.upto.0, page.upto.1, None);
        }
        let has_moved = before != Some(cursor.sent);
        if self.has_met(conversation, &end, page.head.0, moment.rules) {
            self.catch_up_ends(conversation, moment);
        } else {
            self.go_on(conversation, &end, has_moved);
        }
    }

    fn take_event(
        &mut self,
        conversation: ConversationId,
        event: Arc<Event>,
        moment: &Moment,
        outlet: &mut dyn Outlet,
    ) -> PageEnd {
        let Some(cursor) = self.cursors.get(&conversation) else { return PageEnd::All };
        if cursor.sent_seq().is_some_and(|sent| event.seq <= sent) {
            return PageEnd::All;
        }
        if cursor.behind.as_ref().and_then(|behind| behind.limit).is_some_and(|limit| event.id > limit) {
            return PageEnd::Window;
        }
        let outgoing = Arc::new(Outgoing::from(event));
        if !self.has_room(&outgoing, outlet) {
            return PageEnd::Full(outgoing.envelope.len());
        }
        self.send(&outgoing, moment, outlet);
        PageEnd::All
    }

    /// D3: it delivered the highest seq that it dropped, and an owner gave its head.
    fn has_met(&self, conversation: ConversationId, end: &PageEnd, head: Seq, rules: Rules) -> bool {
        let Some(cursor) = self.cursors.get(&conversation) else { return false };
        let (Some(behind), Some(sent)) = (&cursor.behind, cursor.sent_seq()) else {
            return matches!(end, PageEnd::Window);
        };
        let is_at_end = match end {
            PageEnd::Window => true,
            PageEnd::Full(_) => false,
            PageEnd::All => sent >= head || behind.limit.is_some_and(|limit| id_of(cursor.sent) >= limit),
        };
        is_at_end && (!rules.hold(Rule::D3) || (sent >= behind.dropped && !behind.again))
    }

    fn catch_up_ends(&mut self, conversation: ConversationId, moment: &Moment) {
        self.leave_walk(conversation);
        let settled = self.settled(moment);
        if let Some(cursor) = self.cursors.get_mut(&conversation) {
            cursor.behind = None;
            // Without a seq nothing was sent: nothing lay between its M and the end of the window.
            if cursor.sent_seq().is_none() || cursor.is_covered_by(settled) {
                self.cursors.remove(&conversation);
            }
        }
    }

    fn go_on(&mut self, conversation: ConversationId, end: &PageEnd, has_moved: bool) {
        let cursor = self.cursors.get_mut(&conversation);
        let Some(behind) = cursor.and_then(|cursor| cursor.behind.as_mut()) else { return };
        behind.needs_bytes = if let PageEnd::Full(bytes) = end { *bytes } else { 0 };
        if has_moved || matches!(end, PageEnd::Full(_)) || !behind.stalled {
            behind.stalled = !has_moved;
            self.read_again(conversation);
        } else {
            behind.turn = Turn::Failed;
            self.failed.push(conversation);
        }
    }

    /// Takes the walk as far as it gets without new rows or pages.
    fn advance(&mut self, moment: &Moment) {
        while let Some(walk) = &mut self.walk {
            if !moment.rules.hold(Rule::D5) {
                walk.upper.get_or_insert(Window::of(moment.settled));
            }
            match walk.step() {
                Step::Open(window, conversation) => self.open(window, conversation),
                Step::Close(window) => {
                    self.floor = self.floor.max(window.end().min(moment.settled));
                    self.sweep(moment);
                }
                Step::End => {
                    self.walk = None;
                    if moment.settled >= self.floor {
                        self.floor = EventId::ZERO;
                    }
                    self.sweep(moment);
                }
                Step::Wait => return,
            }
        }
    }

    /// A conversation of the walk's window is read up to the window's end, unless it is being read to its head anyway.
    fn open(&mut self, window: Window, conversation: ConversationId) {
        match self.cursors.get(&conversation).map(|cursor| (cursor.behind.is_some(), cursor.sent)) {
            Some((true, _)) => self.leave_walk(conversation),
            Some((false, at)) => self.fall_behind(conversation, at, Seq::ZERO, Some(window.end())),
            None => self.fall_behind(conversation, Position::After(self.floor), Seq::ZERO, Some(window.end())),
        }
    }

    fn sweep(&mut self, moment: &Moment) {
        let settled = self.settled(moment);
        self.cursors.retain(|_, cursor| !cursor.is_covered_by(settled));
    }

    /// Holds the number of cursors within bounds (D10). Looked at when it has doubled, so that it costs little.
    fn bound(&mut self, moment: &Moment) {
        if self.cursors.len() <= self.check_at || !moment.rules.hold(Rule::D10) {
            return;
        }
        let is_behind = |cursor: &Cursor| cursor.behind.is_some() && !cursor.is_in_flight();
        let behind_max = if self.walk.is_some() { BEHIND_MAX_WALKING } else { MARK_LIST_MAX };
        let behind = self.cursors.values().filter(|cursor| is_behind(cursor));
        let mut acked: Vec<_> = behind.map(Cursor::acked_id).collect();
        if acked.len() > behind_max {
            // Those that are furthest behind keep their cursors, so that M falls no lower than it must.
            let (_, settled, _) = acked.select_nth_unstable(MARK_LIST_MAX / 2);
            let settled = self.settled(moment).min(*settled);
            self.cursors.retain(|_, cursor| !is_behind(cursor) || cursor.acked_id() < settled);
            self.queue.retain(|conversation| self.cursors.contains_key(conversation));
            self.failed.retain(|conversation| self.cursors.contains_key(conversation));
            self.walk_from(settled);
        }
        // Forgetting what is ahead of M only sends it again.
        let mut ahead = 0;
        self.cursors.retain(|_, cursor| {
            let is_ahead = cursor.behind.is_none() && !cursor.is_in_flight();
            ahead += usize::from(is_ahead);
            !is_ahead || ahead <= MARK_LIST_MAX
        });
        self.check_at = (2 * self.cursors.len()).max(MARK_LIST_MAX);
    }

    /// Not current, at this M: everything up to it is acknowledged in every conversation without a cursor.
    fn walk_from(&mut self, settled: EventId) {
        self.floor = settled;
        self.walk = Some(Walk::new(Window::of(settled)));
        for cursor in self.cursors.values_mut() {
            if let Some(behind) = &mut cursor.behind {
                behind.limit = None;
            }
        }
    }
}

/// Why no more of a page was sent.
enum PageEnd {
    /// It was all.
    All,
    /// No room for an event of so many payload bytes.
    Full(usize),
    /// The next event lies beyond the walk's window.
    Window,
}
