//! INV-2 and PROTOCOL "Never twice".

use talaria_core::{EventId, Rules};
use talaria_port::ingest::Outcome;

use super::harness::{Harness, claim, dm, message};

/// Each outcome as (seq, repeated).
fn places(harness: &mut Harness) -> Vec<(u64, bool)> {
    let place = |(_, outcome)| match outcome {
        Outcome::Stored { seq, repeated, .. } => (seq.0, repeated),
        other => panic!("not stored: {other:?}"),
    };
    harness.answers().into_iter().map(place).collect()
}

#[test]
fn the_same_key_returns_the_first_also_after_sleep_and_crash() {
    let mut harness = Harness::new();
    harness.submit(1, dm(1, 2), message("a", Some("k"), None));
    harness.submit(1, dm(1, 2), message("b", Some("k"), None));
    harness.submit(2, dm(1, 2), message("c", Some("k"), None));
    assert_eq!(places(&mut harness), [(1, false), (2, false), (1, true)]);
    (0..20).for_each(|_| harness.advance_ms(180_000));
    harness.submit(1, dm(1, 2), message("d", Some("k"), None));
    assert_eq!(places(&mut harness), [(1, true)]);
    let mut harness = harness.crash(Rules::default());
    harness.submit(1, dm(1, 2), message("e", Some("k"), None));
    assert_eq!(places(&mut harness), [(1, true)]);
}

#[test]
fn a_stock_publish_is_a_resend_only_where_it_says_so() {
    let mut harness = Harness::new();
    let say = |harness: &mut Harness, text, generation, resend_above| {
        harness.submit(1, dm(1, 2), message(text, None, Some(claim(1, text, generation, resend_above))));
        places(harness)[0]
    };
    assert_eq!(say(&mut harness, "ok", 1, None), (1, false));
    assert_eq!(say(&mut harness, "ok", 2, None), (2, false), "the same packet id and text without DUP is new");
    assert_eq!(say(&mut harness, "ok", 3, Some(EventId::ZERO)), (2, true), "with DUP it is the latest again");
    assert_eq!(say(&mut harness, "no", 3, Some(EventId::ZERO)), (3, false), "another text is new");
    assert_eq!(say(&mut harness, "ok", 3, Some(EventId::ZERO)), (4, false), "and ended the one before");
    assert_eq!(say(&mut harness, "ok", 3, Some(EventId::MAX)), (5, false), "below the floor nothing is a resend");
}

#[test]
fn a_replaced_connection_stores_nothing() {
    let mut harness = Harness::new();
    harness.submit(1, dm(1, 2), message("a", None, Some(claim(1, "a", 9, None))));
    harness.submit(1, dm(1, 2), message("b", None, Some(claim(2, "b", 8, None))));
    let outcomes: Vec<_> = harness.answers().into_iter().map(|(_, outcome)| outcome).collect();
    assert!(outcomes.contains(&Outcome::Stale), "{outcomes:?}");
}

#[test]
fn a_repeat_waits_for_the_commit_of_the_first() {
    let mut harness = Harness::new();
    harness.submit(1, dm(1, 2), message("a", Some("k"), None));
    harness.run_tasks();
    let started = harness.committer.start().unwrap();
    harness.submit(1, dm(1, 2), message("a", Some("k"), None));
    assert!(harness.posts().is_empty());
    harness.commit(&started).unwrap();
    harness.committer.finish(&started, true);
    assert_eq!(places(&mut harness), [(1, false), (1, true)]);
}
