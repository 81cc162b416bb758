//! INV-1 and INV-3: acknowledged when stored, one total order, no hole.

use talaria_core::Seq;
use talaria_port::StoreErrorKind;
use talaria_port::ingest::Outcome;
use talaria_port::messages::{Amount, MessageStore as _, Span};
use talaria_storage_memory::{Fault, Stored};

use super::harness::{Harness, deliveries, dm};

const ALL: Amount = Amount { events: 10_000, bytes: usize::MAX };

fn seq_of(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Stored { seq, .. } => seq.0,
        other => panic!("not stored: {other:?}"),
    }
}

#[test]
fn nothing_is_acknowledged_or_delivered_before_the_commit() {
    let mut harness = Harness::new();
    harness.online(2);
    harness.say(1, dm(1, 2), "hello");
    harness.run_tasks();
    let started = harness.committer.start().unwrap();
    assert!(harness.posts().is_empty());
    harness.commit(&started).unwrap();
    assert!(harness.posts().is_empty());
    harness.committer.finish(&started, true);
    let posts = harness.posts();
    assert_eq!(posts[0].completions.len(), 1);
    assert_eq!(deliveries(&posts).len(), 1);
}

#[test]
fn seqs_are_dense_and_ids_grow_over_sleep_and_crash() {
    let mut harness = Harness::new();
    let mut last = (0, talaria_core::EventId::ZERO);
    for step in 0..30 {
        for _ in 0..20 {
            harness.say(1, dm(1, 2), "x");
        }
        for (_, outcome) in harness.answers() {
            let Outcome::Stored { id, seq, .. } = outcome else { panic!("{outcome:?}") };
            assert!(id > last.1 && seq.0 == last.0 + 1);
            last = (seq.0, id);
        }
        match step % 3 {
            0 => (0..20).for_each(|_| harness.advance_ms(61_000)),
            1 => harness = harness.crash(talaria_core::Rules::default()),
            _ => {}
        }
    }
}

#[test]
fn a_sleeping_conversation_costs_no_memory() {
    let mut harness = Harness::new();
    harness.say(1, dm(1, 2), "x");
    harness.settle();
    (0..20).for_each(|_| harness.advance_ms(61_000));
    let awake: usize =
        (0..crate::shard::Shards::count()).map(|n| harness.bridge.inner.shards.lock(n).entries.len()).sum();
    assert_eq!(awake, 0);
    harness.settle();
    let checkpoint = pollster(harness.store.checkpoint(dm(1, 2))).unwrap().unwrap();
    assert_eq!(checkpoint.seq, Seq(1));
}

#[test]
fn a_failed_round_rolls_back_without_a_hole_and_nothing_overtakes() {
    let mut harness = Harness::new();
    harness.say(1, dm(1, 2), "one");
    assert_eq!(seq_of(&harness.answers()[0].1), 1);
    harness.store.faults().plan(Fault::Fail(StoreErrorKind::Full), 1);
    harness.say(1, dm(1, 2), "two");
    harness.run_tasks();
    let started = harness.committer.start().unwrap();
    // Staged behind the round that fails.
    harness.say(1, dm(1, 2), "three");
    assert!(harness.commit(&started).is_err());
    harness.committer.finish(&started, false);
    let answers = harness.answers();
    assert_eq!(answers.iter().map(|(_, outcome)| outcome.clone()).collect::<Vec<_>>(), vec![Outcome::Unavailable; 2]);
    harness.say(1, dm(1, 2), "four");
    assert_eq!(seq_of(&harness.answers()[0].1), 2);
    let events = pollster(harness.store.events(dm(1, 2), Span::After(Seq(0)), ALL)).unwrap();
    assert_eq!(events.iter().map(|event| event.seq.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_unknown_outcome_is_settled_under_the_same_id() {
    let mut harness = Harness::new();
    harness.store.faults().plan(Fault::Unknown(Stored::All), 1);
    harness.say(1, dm(1, 2), "one");
    harness.run_tasks();
    let started = harness.committer.start().unwrap();
    assert!(harness.commit(&started).is_err());
    harness.commit(&started).unwrap();
    harness.committer.finish(&started, true);
    let answers = harness.answers();
    let events = pollster(harness.store.events(dm(1, 2), Span::After(Seq(0)), ALL)).unwrap();
    assert_eq!(answers[0].1, Outcome::Stored { id: events[0].id, seq: Seq(1), repeated: false });
    assert_eq!(events.len(), 1);
}

#[test]
fn a_stranger_is_refused_and_an_unknown_user_too() {
    let mut harness = Harness::new();
    harness.say(3, dm(1, 2), "x");
    harness.say(1, dm(1, 77), "x");
    let answers = harness.answers();
    assert!(answers.iter().all(|(_, outcome)| matches!(outcome, Outcome::Refused(_))), "{answers:?}");
}

pub(super) fn pollster<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the memory store never waits"),
    }
}
