//! The settled watermark and the rows that rules D1, D7 and D8 speak of.

use talaria_core::{EventId, Rule, Rules};
use talaria_port::messages::{MessageStore as _, Window};

use super::harness::{Harness, deliveries, dm, user};
use super::order::pollster;

/// Whether, in the order of posts, the watermark ever covered an event before it was delivered.
fn overtakes(rules: Rules) -> bool {
    let mut harness = Harness::with_rules(rules);
    harness.online(2);
    harness.say(1, dm(1, 2), "x");
    harness.settle();
    let mut settled = EventId::ZERO;
    harness.posts().iter().any(|post| {
        let late = deliveries(std::slice::from_ref(post)).iter().any(|(_, event)| event.event.id <= settled);
        settled = post.settled.unwrap_or(settled).max(settled);
        late
    })
}

#[test]
fn d1_the_watermark_travels_behind_the_deliveries_it_covers() {
    assert!(!overtakes(Rules::default()));
    assert!(overtakes(Rules::without(Rule::D1)));
}

/// Whether a crash right after the commit finds the event without its index row.
fn lacks_index_row(rules: Rules) -> bool {
    let mut harness = Harness::with_rules(rules);
    harness.say(1, dm(1, 2), "x");
    assert!(harness.round());
    let harness = harness.crash(Rules::default());
    pollster(harness.store.index(user(2), Window(0), None, 10)).unwrap().is_empty()
}

#[test]
fn d7_the_index_row_is_durable_with_the_event() {
    assert!(!lacks_index_row(Rules::default()));
    assert!(lacks_index_row(Rules::without(Rule::D7)));
}

/// Whether the watermark passes an event that is drawn but not committed.
fn passes_a_pending_event(rules: Rules) -> bool {
    let mut harness = Harness::with_rules(rules);
    harness.say(1, dm(1, 2), "x");
    harness.run_tasks();
    let started = harness.committer.start().unwrap();
    harness.clock.advance_ms(50);
    let settled = harness.bridge.inner.watermark();
    settled >= started.round().appends[0].events[0].id
}

#[test]
fn d8_the_watermark_stays_below_what_is_pending() {
    assert!(!passes_a_pending_event(Rules::default()));
    assert!(passes_a_pending_event(Rules::without(Rule::D8)));
}

#[test]
fn d8_the_watermark_never_exceeds_the_reserved_ceiling() {
    let harness = Harness::new();
    harness.clock.advance_ms(3_600_000);
    let ceiling = talaria_port::lease::Lease::ceiling(harness.lease.as_ref());
    assert!(harness.bridge.inner.watermark() < ceiling);
}

#[test]
fn after_a_restart_what_was_not_fanned_out_is_fanned_out_under_the_same_ids() {
    let mut harness = Harness::new();
    harness.say(1, dm(1, 2), "x");
    harness.settle();
    let mut harness = harness.crash(Rules::default());
    harness.online(2);
    let bridge = harness.bridge.clone();
    assert_eq!(harness.wait(bridge.recover()).unwrap(), 1);
    assert_eq!(deliveries(&harness.posts()).len(), 1);
}
