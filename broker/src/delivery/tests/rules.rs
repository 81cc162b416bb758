//! Rules one by one, and what the model does not reach: bounds, qualities of service, failures.

use std::sync::Arc;

use talaria_core::id::TIME_SHIFT;
use talaria_core::limits::MARK_LIST_MAX;
use talaria_core::{ConversationId, EventId, Rule, Rules, Seq};
use talaria_port::deliver::Outgoing;
use talaria_port::history::{CatchUp, Moves};
use talaria_port::messages::Window;
use talaria_port::sessions::{Mark, Position};
use talaria_port::{StoreError, StoreErrorKind};

use super::super::{Ask, Delivery, Moment, Outlet};
use super::model::empty_mark;
use super::toy::{channel, event};

struct Client {
    qos: Option<u8>,
    room: usize,
    sent: Vec<(ConversationId, u64, Option<u16>)>,
}

impl Client {
    fn new(qos: Option<u8>, room: usize) -> Self {
        Self { qos, room, sent: Vec::new() }
    }

    fn seqs(&self) -> Vec<u64> {
        self.sent.iter().map(|(_, seq, _)| *seq).collect()
    }
}

impl Outlet for Client {
    fn has_room(&self, _: usize) -> bool {
        self.sent.len() < self.room
    }

    fn send(&mut self, event: &Arc<Outgoing>, packet_id: Option<u16>) {
        self.sent.push((event.event.conversation, event.event.seq.0, packet_id));
    }

    fn qos(&self, _: ConversationId) -> Option<u8> {
        self.qos
    }
}

fn moment(settled: u64) -> Moment {
    Moment { rules: Rules::default(), settled: EventId(settled) }
}

/// Event `seq` of a conversation whose events have the ids 10, 20, 30 …
fn live(conversation: ConversationId, seq: u64) -> Arc<Outgoing> {
    Arc::new(Outgoing::from(Arc::new(event(conversation, seq, EventId(10 * seq), EventId(10 * seq - 10)))))
}

fn page(conversation: ConversationId, seqs: std::ops::RangeInclusive<u64>, head: u64) -> CatchUp {
    let upto = *seqs.end();
    let events = seqs.map(|seq| Arc::clone(&live(conversation, seq).event)).collect();
    CatchUp { events, upto: (Seq(upto), EventId(10 * upto)), head: (Seq(head), EventId(10 * head)) }
}

fn failure<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable, "toy"))
}

fn asked_page(delivery: &mut Delivery, moment: &Moment, client: &Client) -> Option<(u32, Position)> {
    match delivery.next_ask(moment, client)? {
        Ask::Page { number, position, .. } => Some((number, position)),
        Ask::Moves { .. } => panic!("walks"),
    }
}

#[test]
fn a_current_session_gets_live_events_and_is_idle_once_m_covers_them() {
    let (mut delivery, mut client) = (Delivery::current(65_534), Client::new(Some(1), 9));
    delivery.on_live(&live(channel(1), 5), &moment(40), &mut client);
    delivery.on_live(&live(channel(1), 6), &moment(40), &mut client);
    assert_eq!(client.sent, [(channel(1), 5, Some(65_535)), (channel(1), 6, Some(1))]);
    assert!(delivery.on_acked(65_535, &moment(40)) && delivery.on_acked(1, &moment(40)));
    assert!(!delivery.on_acked(1, &moment(40)), "acknowledged twice");
    assert_eq!(delivery.position(&moment(40)).ahead, [(channel(1), Seq(6), EventId(60))]);
    delivery.on_settled(&moment(60));
    assert!(delivery.is_idle());
}

#[test]
fn d2_in_flight_counts_as_behind_at_the_last_acknowledged_seq() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 9));
    for seq in 5..=7 {
        delivery.on_live(&live(channel(1), seq), &moment(40), &mut client);
    }
    assert!(delivery.on_acked(1, &moment(40)) && delivery.on_acked(3, &moment(40)));
    assert_eq!(delivery.position(&moment(90)).behind, [(channel(1), Position::At(Seq(5), EventId(50)))]);
}

#[test]
fn d2_a_conversation_that_falls_behind_keeps_the_m_of_that_moment() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 0));
    delivery.on_live(&live(channel(1), 5), &moment(40), &mut client);
    assert_eq!(delivery.position(&moment(90)).behind, [(channel(1), Position::After(EventId(40)))]);
    client.room = 9;
    assert_eq!(asked_page(&mut delivery, &moment(90), &client), Some((1, Position::After(EventId(40)))));
}

#[test]
fn d3_a_page_that_ends_before_what_was_dropped_is_not_the_last() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 9));
    delivery.on_live(&live(channel(1), 7), &moment(40), &mut client);
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    delivery.on_live(&live(channel(1), 8), &moment(40), &mut client);
    delivery.on_page(number, Ok(Some(page(channel(1), 5..=7, 7))), &moment(40), &mut client);
    let (number, position) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    assert_eq!(position, Position::At(Seq(7), EventId(70)));
    delivery.on_page(number, Ok(Some(page(channel(1), 8..=8, 8))), &moment(40), &mut client);
    delivery.on_live(&live(channel(1), 9), &moment(40), &mut client);
    assert_eq!(client.seqs(), [5, 6, 7, 8, 9]);
}

#[test]
fn d3_a_doubt_about_a_conversation_being_read_reads_it_once_more() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 9));
    delivery.on_doubt(channel(1), &moment(40));
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    delivery.on_doubt(channel(1), &moment(40));
    delivery.on_page(number, Ok(Some(page(channel(1), 5..=5, 5))), &moment(40), &mut client);
    assert!(asked_page(&mut delivery, &moment(40), &client).is_some());
}

#[test]
fn d4_a_returning_session_walks_before_it_is_current() {
    let mark = Mark { settled: EventId(40), ..empty_mark() };
    let (mut delivery, mut client) = (Delivery::resume(&mark), Client::new(Some(1), 9));
    delivery.on_live(&live(channel(1), 8), &moment(90), &mut client);
    assert!(client.sent.is_empty() && !delivery.is_current(), "until current its M is its mark's");
    let ask = delivery.next_ask(&moment(90), &client);
    assert_eq!(ask, Some(Ask::Moves { number: 1, from: Window(0), after: None }));
    delivery.on_moves(1, Ok(Moves { rows: Vec::new(), is_end: true }), &moment(90));
    assert!(delivery.is_current());
    assert_eq!(delivery.position(&moment(90)).behind, [(channel(1), Position::After(EventId(40)))]);
}

#[test]
fn d5_m_moves_along_with_the_windows() {
    let mark = Mark { settled: EventId(1), ..empty_mark() };
    let (mut delivery, mut client) = (Delivery::resume(&mark), Client::new(Some(1), 9));
    let now = moment(Window(5).end().0);
    delivery.next_ask(&now, &client);
    let rows = vec![(Window(0), channel(1)), (Window(2), channel(1))];
    delivery.on_moves(1, Ok(Moves { rows, is_end: false }), &now);
    let (number, _) = asked_page(&mut delivery, &now, &client).unwrap();
    let late = EventId(Window(2).end().0 - (1 << TIME_SHIFT));
    let mut both = page(channel(1), 1..=1, 2);
    both.events.push(Arc::new(event(channel(1), 2, late, EventId(10))));
    both.upto = (Seq(2), late);
    delivery.on_page(number, Ok(Some(both)), &now, &mut client);
    assert_eq!(client.seqs(), [1], "read to the end of its window");
    assert_eq!(delivery.position(&now).settled, Window(0).end(), "an interrupted catch-up gets on");
}

#[test]
fn d6_m_never_falls_below_the_mark() {
    let mark = Mark { settled: EventId(90), ..empty_mark() };
    let (mut delivery, mut client) = (Delivery::resume(&mark), Client::new(Some(1), 9));
    delivery.next_ask(&moment(40), &client);
    delivery.on_moves(1, Ok(Moves { rows: Vec::new(), is_end: true }), &moment(40));
    delivery.on_live(&live(channel(1), 8), &moment(40), &mut client);
    assert!(client.sent.is_empty());
    assert_eq!(delivery.position(&moment(40)).settled, EventId(90));
    assert!(!delivery.is_idle(), "the loop's M does not say it yet");
    delivery.on_settled(&moment(90));
    assert!(delivery.is_idle());
}

#[test]
fn d9_a_crash_leaves_the_packet_ids_of_the_lost_connection_behind() {
    let mark = Mark { packet_id: 7, ..empty_mark() };
    assert_eq!(Delivery::resume(&mark).last_packet_id(), 7);
    assert!(Delivery::resume(&Mark { connected: true, ..mark }).last_packet_id() > 7 + 1024);
}

/// Falls behind in twice as many conversations as a list holds, at an M of 1000, 1001, …
fn behind_everywhere(rules: Rules) -> (Delivery, Moment) {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 0));
    let count = 2 * MARK_LIST_MAX as u64;
    for number in 1..=count {
        let event = event(channel(number), 3, EventId(5_000), EventId(10));
        let now = Moment { rules, settled: EventId(1_000 + number) };
        delivery.on_live(&Arc::new(Outgoing::from(Arc::new(event))), &now, &mut client);
    }
    (delivery, Moment { rules, settled: EventId(9_000) })
}

#[test]
fn d10_behind_in_too_many_conversations_is_not_current_at_its_m() {
    let (delivery, now) = behind_everywhere(Rules::default());
    assert!(!delivery.is_current());
    let position = delivery.position(&now);
    assert!(position.behind.len() <= MARK_LIST_MAX);
    for number in 1..=2 * MARK_LIST_MAX as u64 {
        let fell_behind_at = EventId(1_000 + number);
        let is_listed = position.behind.contains(&(channel(number), Position::After(fell_behind_at)));
        assert!(is_listed || position.settled <= fell_behind_at, "{number} is lost: {position:?}");
    }

    let (delivery, now) = behind_everywhere(Rules::without(Rule::D10));
    assert!(delivery.position(&now).behind.len() > MARK_LIST_MAX, "without the rule the list has no bound");
}

#[test]
fn d10_a_mark_that_lists_too_many_in_flight_states_an_earlier_m() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 900));
    for number in 1..=800 {
        let event = event(channel(number), 3, EventId(5_000 + number), EventId(100 + number));
        delivery.on_live(&Arc::new(Outgoing::from(Arc::new(event))), &moment(1_000 + number), &mut client);
    }
    let position = delivery.position(&moment(9_000));
    assert_eq!((position.settled, position.behind.len()), (EventId(1_001 + MARK_LIST_MAX as u64), MARK_LIST_MAX));
    assert!(delivery.is_current());
    for packet_id in 1..=800 {
        assert!(delivery.on_acked(packet_id, &moment(1_000)));
    }
    let position = delivery.position(&moment(1_000));
    assert_eq!((position.behind.len(), position.ahead.len()), (0, MARK_LIST_MAX), "what is ahead is forgotten");
}

#[test]
fn at_qos_0_sent_is_acknowledged_and_without_subscription_nothing_is_sent() {
    for (qos, sent) in [(Some(0), vec![(channel(1), 5, None)]), (None, vec![])] {
        let (mut delivery, mut client) = (Delivery::current(0), Client::new(qos, 9));
        delivery.on_live(&live(channel(1), 5), &moment(40), &mut client);
        assert_eq!((client.sent, delivery.in_flight()), (sent, 0));
        assert_eq!(delivery.position(&moment(40)).ahead, [(channel(1), Seq(5), EventId(50))]);
    }
}

#[test]
fn what_was_passed_over_without_a_subscription_never_comes_later() {
    let (moment, mut client) = (moment(0), Client::new(Some(1), 9));
    let mut delivery = Delivery::current(0);
    delivery.on_live(&live(channel(1), 1), &moment, &mut client);
    client.qos = None;
    delivery.on_live(&live(channel(1), 2), &moment, &mut client);
    client.qos = Some(1);
    delivery.on_live(&live(channel(1), 3), &moment, &mut client);
    assert_eq!(client.seqs(), [1, 3]);
    assert_eq!(delivery.position(&moment).ahead, [(channel(1), Seq(2), EventId(20))]);
    assert!(delivery.on_acked(1, &moment) && delivery.on_acked(2, &moment), "their packet ids stay taken until then");
    assert_eq!(delivery.position(&moment).ahead, [(channel(1), Seq(3), EventId(30))]);
}

#[test]
fn what_finds_no_room_is_read_again_later() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 2));
    delivery.on_live(&live(channel(1), 9), &moment(40), &mut client);
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    delivery.on_page(number, Ok(Some(page(channel(1), 5..=9, 9))), &moment(40), &mut client);
    assert_eq!((client.seqs(), delivery.next_ask(&moment(40), &client)), (vec![5, 6], None));
    client.room = 9;
    assert_eq!(asked_page(&mut delivery, &moment(40), &client).unwrap().1, Position::At(Seq(6), EventId(60)));
}

#[test]
fn a_failed_read_waits_for_the_backoff() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 9));
    delivery.on_doubt(channel(1), &moment(40));
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    delivery.on_page(number, failure(), &moment(40), &mut client);
    assert!(delivery.wants_retry() && delivery.next_ask(&moment(40), &client).is_none());
    delivery.on_retry();
    assert!(!delivery.wants_retry() && asked_page(&mut delivery, &moment(40), &client).is_some());

    let mut delivery = Delivery::resume(&empty_mark());
    delivery.next_ask(&moment(40), &client);
    delivery.on_moves(1, failure(), &moment(40));
    assert!(delivery.wants_retry() && delivery.next_ask(&moment(40), &client).is_none());
}

#[test]
fn two_pages_at_most_are_out() {
    let (mut delivery, client) = (Delivery::current(0), Client::new(Some(1), 9));
    (1..=5).for_each(|number| delivery.on_doubt(channel(number), &moment(40)));
    let asks = std::iter::from_fn(|| delivery.next_ask(&moment(40), &client));
    assert_eq!(asks.count(), 2);
}

#[test]
fn a_former_member_is_forgotten_unless_something_came_meanwhile() {
    let (mut delivery, mut client) = (Delivery::current(0), Client::new(Some(1), 9));
    delivery.on_doubt(channel(1), &moment(40));
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).unwrap();
    delivery.on_live(&live(channel(1), 8), &moment(40), &mut client);
    delivery.on_page(number, Ok(None), &moment(40), &mut client);
    let (number, _) = asked_page(&mut delivery, &moment(40), &client).expect("joined again while it was read");
    delivery.on_page(number, Ok(None), &moment(40), &mut client);
    assert!(delivery.is_idle());
}
