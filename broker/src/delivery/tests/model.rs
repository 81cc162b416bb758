//! A seeded model: one session and all that can be interleaved with it.
//!
//! `DELIVERY_SEED=n` replays one seed.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use talaria_core::{ConversationId, Event, EventId, Rule, Rules};
use talaria_port::deliver::Outgoing;
use talaria_port::history::{CatchUp, Moves};
use talaria_port::sessions::Mark;
use talaria_port::{StoreError, StoreErrorKind};

use super::super::{Ask, Delivery, Moment, Outlet};
use super::toy::{Dice, World};

const SEEDS: u64 = 3_000;
const STEPS: usize = 220;

enum Item {
    Live(Arc<Event>),
    Doubt(ConversationId),
    Settled(EventId),
}

enum Answer {
    Moves(u32, Result<Moves, StoreError>),
    Page(u32, Result<Option<CatchUp>, StoreError>),
}

struct Wire {
    room: usize,
    in_flight: usize,
    down: VecDeque<(Arc<Outgoing>, u16)>,
}

impl Outlet for Wire {
    fn has_room(&self, _: usize) -> bool {
        self.in_flight < self.room && self.down.len() < 8
    }

    fn send(&mut self, event: &Arc<Outgoing>, packet_id: Option<u16>) {
        self.in_flight += 1;
        self.down.push_back((Arc::clone(event), packet_id.unwrap()));
    }

    fn qos(&self, _: ConversationId) -> Option<u8> {
        Some(1)
    }
}

struct Connection {
    delivery: Option<Box<Delivery>>,
    packet_id: u16,
    wire: Wire,
    asks: Vec<Ask>,
    answers: Vec<Answer>,
}

struct Model {
    dice: Dice,
    world: World,
    rules: Rules,
    settled: EventId,
    mailbox: VecDeque<Item>,
    connection: Option<Connection>,
    mark: Option<Mark>,
    started: EventId,
    acks: Vec<u16>,
    seen: HashMap<ConversationId, BTreeSet<u64>>,
    broken: Option<String>,
    calm: bool,
}

impl Model {
    fn new(seed: u64, rules: Rules) -> Self {
        Self {
            dice: Dice(seed),
            world: World::new(4),
            rules,
            settled: EventId::ZERO,
            mailbox: VecDeque::new(),
            connection: None,
            mark: None,
            started: EventId::ZERO,
            acks: Vec::new(),
            seen: HashMap::new(),
            broken: None,
            calm: false,
        }
    }

    fn run(mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            self.step();
        }
        self.come_to_rest();
        self.check_nothing_is_missing();
        self.broken.map_or(Ok(()), Err)
    }

    fn moment(&self) -> Moment {
        Moment { rules: self.rules, settled: self.settled }
    }

    fn step(&mut self) {
        let room = self.dice.below(self.world.rooms.len());
        match self.dice.below(40) {
            0..=5 => {
                let ahead_ms = if self.dice.one_in(25) { 2_000_000 } else { 0 };
                self.world.draw(room, ahead_ms);
            }
            6 if self.dice.one_in(3) => self.world.change_membership(room),
            7 => self.world.now_ms += self.dice.below(400_000) as u64,
            8..=12 => self.world.commit(room),
            13..=17 => self.fan_out(room),
            18..=19 => self.publish_watermark(),
            20..=25 => self.on_item(),
            26..=28 => self.receive(),
            29..=30 => self.acknowledge(),
            31..=32 => self.answer(),
            33..=35 => self.on_answer(),
            36 if self.dice.one_in(3) => self.disconnect(),
            37 if self.connection.is_none() => self.connect(),
            38 if self.dice.one_in(2) => self.write_mark(true),
            39 => self.trouble(room),
            _ => {}
        }
        self.ask();
    }

    /// The directory is read after the commit (D12), and what is handed over lies before the watermark that covers it (D1).
    fn fan_out(&mut self, room: usize) {
        let room = &mut self.world.rooms[room];
        if room.fanned == room.committed {
            return;
        }
        let event = Arc::clone(&room.events[room.fanned]);
        room.fanned += 1;
        if self.connection.is_some() && room.membership_of(event.seq.0).is_some() {
            let is_lost = !self.calm && self.dice.one_in(20);
            self.mailbox.push_back(if is_lost { Item::Doubt(event.conversation) } else { Item::Live(event) });
        }
    }

    fn publish_watermark(&mut self) {
        self.mailbox.push_back(Item::Settled(self.world.watermark()));
    }

    /// A retry, the owner's backoff, or an event that is fanned out once more, as after a hand-over.
    fn trouble(&mut self, room: usize) {
        let Some(connection) = &mut self.connection else { return };
        if let Some(delivery) = &mut connection.delivery {
            delivery.on_retry();
        }
        let room = &self.world.rooms[room];
        let fanned = room.fanned;
        if fanned > 0 {
            let again = fanned - 1 - self.dice.below(fanned.min(4));
            self.mailbox.push_back(Item::Live(Arc::clone(&room.events[again])));
        }
    }

    fn on_item(&mut self) {
        let Some(item) = self.mailbox.pop_front() else { return };
        if let Item::Settled(settled) = item {
            self.settled = self.settled.max(settled);
        }
        let moment = self.moment();
        let Some(connection) = &mut self.connection else { return };
        match item {
            Item::Live(event) => {
                // INV-5 is the owner's: a member now, and within this membership.
                if self.world.room(event.conversation).joined().is_none_or(|joined| event.seq.0 < joined) {
                    return;
                }
                let Connection { delivery, packet_id, wire, .. } = connection;
                let delivery = delivery.get_or_insert_with(|| Box::new(Delivery::current(*packet_id)));
                delivery.on_live(&Arc::new(Outgoing::from(event)), &moment, wire);
            }
            Item::Doubt(conversation) => connection.delivery().on_doubt(conversation, &moment),
            Item::Settled(_) => {
                if let Some(delivery) = &mut connection.delivery {
                    delivery.on_settled(&moment);
                }
            }
        }
        connection.drop_when_idle();
    }

    /// The client takes the next packet; here order and holes show.
    fn receive(&mut self) {
        let Some((outgoing, packet_id)) =
            self.connection.as_mut().and_then(|connection| connection.wire.down.pop_front())
        else {
            return;
        };
        let event = &outgoing.event;
        let room = self.world.room(event.conversation);
        let seen = self.seen.entry(event.conversation).or_default();
        if !seen.contains(&event.seq.0) {
            let joined = room.membership_of(event.seq.0).unwrap();
            let owed =
                room.events.iter().find(|e| e.seq.0 >= joined && e.id > self.started).map_or(u64::MAX, |e| e.seq.0);
            let first = seen.range(joined..).next().copied().unwrap_or(u64::MAX).min(owed);
            if let Some(missed) = (first..event.seq.0).find(|seq| !seen.contains(seq)) {
                self.broken.get_or_insert(format!("{}: {} came before {missed}", event.conversation, event.seq));
            }
            if seen.range(joined..).next_back().is_some_and(|last| *last > event.seq.0) {
                self.broken.get_or_insert(format!("{}: {} came late", event.conversation, event.seq));
            }
            seen.insert(event.seq.0);
        }
        self.acks.push(packet_id);
    }

    fn acknowledge(&mut self) {
        let moment = self.moment();
        let Some(connection) = &mut self.connection else { return };
        if self.acks.is_empty() {
            return;
        }
        let packet_id = self.acks.swap_remove(self.dice.below(self.acks.len()));
        if let Some(delivery) = &mut connection.delivery {
            if delivery.on_acked(packet_id, &moment) {
                connection.wire.in_flight -= 1;
            }
            delivery.on_room(&moment);
        }
        connection.drop_when_idle();
    }

    fn ask(&mut self) {
        let moment = self.moment();
        let Some(connection) = &mut self.connection else { return };
        if let Some(delivery) = &mut connection.delivery {
            while let Some(ask) = delivery.next_ask(&moment, &connection.wire) {
                connection.asks.push(ask);
            }
        }
        connection.drop_when_idle();
    }

    /// The store answers as of now; the answer arrives later.
    fn answer(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if connection.asks.is_empty() {
            return;
        }
        let fails = !self.calm && self.dice.one_in(10);
        let error = || StoreError::new(StoreErrorKind::Unavailable, "toy");
        let ask = connection.asks.swap_remove(self.dice.below(connection.asks.len()));
        connection.answers.push(match ask {
            Ask::Moves { number, from, after } => {
                Answer::Moves(number, if fails { Err(error()) } else { Ok(self.world.moves(from, after, 3)) })
            }
            Ask::Page { number, conversation, position } => {
                let page = self.world.catch_up(conversation, position, 1 + self.dice.below(4));
                Answer::Page(number, if fails { Err(error()) } else { Ok(page) })
            }
        });
    }

    fn on_answer(&mut self) {
        let moment = self.moment();
        let Some(connection) = &mut self.connection else { return };
        if connection.answers.is_empty() {
            return;
        }
        let answer = connection.answers.swap_remove(self.dice.below(connection.answers.len()));
        let Some(delivery) = &mut connection.delivery else { return };
        match answer {
            Answer::Moves(number, moves) => delivery.on_moves(number, moves, &moment),
            Answer::Page(number, page) => delivery.on_page(number, page, &moment, &mut connection.wire),
        }
        connection.drop_when_idle();
    }

    fn write_mark(&mut self, connected: bool) {
        let moment = self.moment();
        let Some(connection) = &self.connection else { return };
        let position = match &connection.delivery {
            Some(delivery) => delivery.position(&moment),
            None => Delivery::current(connection.packet_id).position(&moment),
        };
        self.mark = Some(Mark {
            settled: position.settled,
            behind: position.behind,
            ahead: position.ahead,
            packet_id: position.packet_id,
            connected,
            ..empty_mark()
        });
    }

    /// Cleanly, with a last mark, or not. What is on the wire is lost; PUBACKs may be sent by a later connection.
    fn disconnect(&mut self) {
        if self.dice.one_in(2) {
            self.write_mark(false);
        }
        if self.dice.one_in(2) {
            self.acks.clear();
        }
        self.connection = None;
        self.mailbox.retain(|item| matches!(item, Item::Settled(_)));
    }

    /// The first subscription is a resume from the mark it just wrote (D4). Before anything is sent the mark says that the
    /// session is connected, or two crashes in a row would use the same packet ids (D9).
    fn connect(&mut self) {
        let settled = self.settled;
        if self.mark.is_none() {
            self.started = settled;
        }
        let mark = self.mark.get_or_insert_with(|| Mark { settled, packet_id: 65_530, ..empty_mark() });
        let wire = Wire { room: 1 + self.dice.below(6), in_flight: 0, down: VecDeque::new() };
        let delivery = Delivery::resume(mark);
        (mark.packet_id, mark.connected) = (delivery.last_packet_id(), true);
        let delivery = Some(Box::new(delivery));
        self.connection = Some(Connection { delivery, packet_id: 0, wire, asks: Vec::new(), answers: Vec::new() });
    }

    fn come_to_rest(&mut self) {
        self.calm = true;
        if self.connection.is_none() {
            self.connect();
        }
        for room in 0..self.world.rooms.len() {
            while self.world.rooms[room].fanned < self.world.rooms[room].events.len() {
                self.world.commit(room);
                self.fan_out(room);
            }
        }
        self.world.now_ms += 1;
        for _ in 0..600 {
            self.publish_watermark();
            self.on_item();
            self.on_item();
            self.receive();
            self.acknowledge();
            self.answer();
            self.on_answer();
            if let Some(delivery) = self.connection.as_mut().and_then(|connection| connection.delivery.as_mut()) {
                delivery.on_retry();
            }
            self.ask();
        }
    }

    fn check_nothing_is_missing(&mut self) {
        for room in &self.world.rooms {
            let Some(joined) = room.joined() else { continue };
            let seen = self.seen.entry(room.id).or_default();
            let owed = room.events.iter().filter(|event| event.seq.0 >= joined && event.id > self.started);
            if let Some(event) = owed.into_iter().find(|event| !seen.contains(&event.seq.0)) {
                self.broken.get_or_insert(format!("{}: {} never came", room.id, event.seq));
            }
        }
    }
}

impl Connection {
    fn delivery(&mut self) -> &mut Delivery {
        self.delivery.get_or_insert_with(|| Box::new(Delivery::current(self.packet_id)))
    }

    fn drop_when_idle(&mut self) {
        if let Some(delivery) = self.delivery.take_if(|delivery| delivery.is_idle()) {
            self.packet_id = delivery.last_packet_id();
        }
    }
}

pub(super) fn empty_mark() -> Mark {
    Mark {
        generation: 1,
        write: 1,
        settled: EventId::ZERO,
        behind: Vec::new(),
        ahead: Vec::new(),
        packet_id: 0,
        unreleased: Vec::new(),
        at_unix_ms: 0,
        connected: false,
        resend_floor: EventId::ZERO,
    }
}

#[test]
fn nothing_is_skipped_and_nothing_comes_out_of_order() {
    let seeds = match std::env::var("DELIVERY_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => 0..SEEDS,
    };
    for seed in seeds {
        if let Err(what) = Model::new(seed, Rules::default()).run() {
            panic!("DELIVERY_SEED={seed}: {what}");
        }
    }
}

/// The model is red within so many seeds when that rule does not hold.
fn is_seen(rule: Rule) {
    let broken = (0..SEEDS).find_map(|seed| Some((seed, Model::new(seed, Rules::without(rule)).run().err()?)));
    let (seed, what) = broken.unwrap_or_else(|| panic!("{rule:?} is not missed in {SEEDS} seeds"));
    println!("without {rule:?}, seed {seed}: {what}");
}

#[test]
fn without_d2_events_are_skipped() {
    is_seen(Rule::D2);
}

#[test]
fn without_d3_events_are_skipped() {
    is_seen(Rule::D3);
}

#[test]
fn without_d4_events_come_out_of_order() {
    is_seen(Rule::D4);
}

#[test]
fn without_d5_events_beyond_the_clock_are_skipped() {
    is_seen(Rule::D5);
}

#[test]
fn without_d6_events_come_out_of_order() {
    is_seen(Rule::D6);
}

#[test]
fn without_d9_a_late_puback_acknowledges_the_wrong_event() {
    is_seen(Rule::D9);
}
