//! Membership through the sequencer, and INV-5.

use bytes::Bytes;
use talaria_core::{ChannelId, ConversationId, EventKind, Rules, Seq};
use talaria_port::channels::{Change, Channel, ChannelStore as _, Intent};
use talaria_port::history::CatchUps as _;
use talaria_port::ingest::{Intake, Outcome};
use talaria_port::membership::Membership as _;
use talaria_port::messages::Amount;
use talaria_port::sessions::Position;

use super::harness::{Harness, NOW_UNIX_MS, deliveries, user};

const AMOUNT: Amount = Amount { events: 100, bytes: 1 << 20 };

fn channel() -> (ChannelId, ConversationId) {
    let id = ChannelId::new(500).unwrap();
    (id, ConversationId::Channel(id))
}

fn with_channel(members: &[u64]) -> Harness {
    let mut harness = Harness::new();
    let channel = Channel {
        id: channel().0,
        name: "team".into(),
        owner: user(1),
        created_unix_ms: NOW_UNIX_MS,
        history_shared: false,
    };
    let members: Vec<_> = members.iter().map(|id| user(*id)).collect();
    let bridge = harness.bridge.clone();
    harness.wait(bridge.create(channel, &members)).unwrap();
    harness
}

#[test]
fn members_get_what_is_said_and_strangers_nothing() {
    let mut harness = with_channel(&[2, 3]);
    for id in 1..=4 {
        harness.online(id);
    }
    harness.posts();
    harness.say(2, channel().1, "hi");
    harness.say(4, channel().1, "let me in");
    harness.settle();
    let posts = harness.posts();
    let mut slots: Vec<_> = deliveries(&posts).iter().map(|(slot, _)| *slot).collect();
    slots.sort_unstable();
    assert_eq!(slots, [1, 2, 3]);
    let refused =
        posts.iter().flat_map(|post| &post.completions).filter(|done| matches!(done.outcome, Outcome::Refused(_)));
    assert_eq!(refused.count(), 1);
}

#[test]
fn after_the_answer_a_removed_member_neither_gets_nor_sends() {
    let mut harness = with_channel(&[2, 3]);
    for id in 1..=3 {
        harness.online(id);
    }
    let bridge = harness.bridge.clone();
    harness.wait(bridge.change(channel().0, user(1), &[user(3)], Change::Leave)).unwrap();
    harness.posts();
    harness.say(1, channel().1, "without you");
    harness.say(3, channel().1, "hello?");
    harness.settle();
    let posts = harness.posts();
    assert!(deliveries(&posts).iter().all(|(slot, _)| *slot != 3));
    let read = bridge.catch_up(user(3), channel().1, Position::At(Seq(0), talaria_core::EventId::ZERO), AMOUNT);
    assert!(harness.wait(read).unwrap().is_none());
}

#[test]
fn nobody_reads_what_was_before_their_latest_join() {
    let mut harness = with_channel(&[2]);
    harness.say(1, channel().1, "before");
    harness.settle();
    let bridge = harness.bridge.clone();
    harness.wait(bridge.change(channel().0, user(1), &[user(3)], Change::Join)).unwrap();
    harness.say(1, channel().1, "after");
    harness.settle();
    let from = Position::At(Seq(0), talaria_core::EventId::ZERO);
    let page = harness.wait(bridge.catch_up(user(3), channel().1, from, AMOUNT)).unwrap().unwrap();
    let joined = harness.wait(harness.channels.clone().intervals(channel().0, user(3))).unwrap().rows()[0].joined_seq;
    assert_eq!(page.events.first().map(|event| event.seq), Some(joined));
    assert_eq!(page.events.len(), 2);
}

#[test]
fn a_change_cut_short_is_finished_at_the_next_start() {
    let mut harness = with_channel(&[2]);
    let intent = Intent { id: 900, channel: channel().0, user: user(3), by: user(1), change: Change::Join };
    let channels = harness.channels.clone();
    harness.wait(channels.begin(&[intent])).unwrap();
    let mut harness = harness.crash(Rules::default());
    let bridge = harness.bridge.clone();
    harness.wait(bridge.recover()).unwrap();
    assert_eq!(harness.wait(bridge.members(channel().0)).unwrap().unwrap(), [user(1), user(2), user(3)]);
    let channels = harness.channels.clone();
    assert!(harness.wait(channels.unsettled()).unwrap().is_empty());
}

/// The answers to a removal of 3 and to another one behind it, before the first is stored and after.
fn removed_twice(is_stored: bool) -> (usize, Vec<Outcome>) {
    let mut harness = with_channel(&[2, 3]);
    harness.posts();
    let leave = |intent| Intake::System { kind: EventKind::MemberLeft, subject: user(3), intent, body: Bytes::new() };
    harness.submit(1, channel().1, leave(901));
    harness.submit(1, channel().1, leave(902));
    let early = harness.posts().iter().map(|post| post.completions.len()).sum();
    let started = harness.committer.start().unwrap();
    harness.committer.finish(&started, is_stored);
    (early, harness.posts().into_iter().flat_map(|post| post.completions).map(|done| done.outcome).collect())
}

#[test]
fn a_removal_is_not_already_true_before_the_one_that_made_it_so_is_stored() {
    let (early, outcomes) = removed_twice(true);
    assert_eq!(early, 0);
    assert!(matches!(outcomes[..], [Outcome::Stored { .. }, Outcome::Done]), "{outcomes:?}");
    let (early, outcomes) = removed_twice(false);
    assert_eq!((early, outcomes), (0, vec![Outcome::Unavailable, Outcome::Unavailable]));
}

#[test]
fn a_change_that_a_call_carries_out_is_left_to_it() {
    let mut harness = with_channel(&[2]);
    let intent = Intent { id: 900, channel: channel().0, user: user(3), by: user(1), change: Change::Join };
    let bridge = harness.bridge.clone();
    let turn = bridge.inner.carried_out.take(vec![intent]);
    let channels = harness.channels.clone();
    harness.wait(channels.begin(&[intent])).unwrap();
    harness.wait(bridge.inner.finish_intents(vec![intent]));
    assert_eq!(harness.wait(channels.unsettled()).unwrap(), [intent]);
    drop(turn);
    harness.wait(bridge.inner.finish_intents(vec![intent]));
    assert_eq!(harness.wait(bridge.members(channel().0)).unwrap().unwrap(), [user(1), user(2), user(3)]);
}

#[test]
fn a_change_already_true_writes_nothing() {
    let mut harness = with_channel(&[2]);
    let bridge = harness.bridge.clone();
    let head = harness.wait(talaria_port::history::History::head(&bridge, channel().1)).unwrap();
    harness.wait(bridge.change(channel().0, user(1), &[user(2)], Change::Join)).unwrap();
    assert_eq!(harness.wait(talaria_port::history::History::head(&bridge, channel().1)).unwrap(), head);
}
