//! That the simulation sees what it should: it is red without rules of delivery, and with each deliberate breach. The other rules show
//! themselves too seldom here; the model of `broker/src/delivery/tests` is red without them.

use talaria_core::{Rule, Rules};

use crate::round::run;
use crate::sabotage::Sabotage;

/// Rounds within which it has to be seen.
const ROUNDS: u64 = 6000;

/// The first round that breaks in that way.
fn is_seen(rules: Rules, sabotage: Option<Sabotage>, what: &str) {
    let told = (0..ROUNDS).find_map(|seed| {
        let told = run(seed, rules, sabotage).err().filter(|told| told.contains(what))?;
        Some(format!("seed {seed}: {told}"))
    });
    println!("{}", told.unwrap_or_else(|| panic!("nothing of {what} in {ROUNDS} rounds")));
}

macro_rules! without {
    ($($name:ident: $rule:ident shows $what:literal,)*) => {
        $(#[test]
        fn $name() {
            is_seen(Rules::without(Rule::$rule), None, $what);
        })*
    };
}

without! {
    without_d1_events_are_skipped: D1 shows "INV-4",
    without_d2_events_are_skipped: D2 shows "INV-4",
    without_d4_events_are_skipped: D4 shows "INV-4",
    without_d7_events_are_skipped: D7 shows "INV-4",
    without_d8_events_are_skipped: D8 shows "INV-4",
}

macro_rules! with {
    ($($name:ident: $sabotage:ident shows $what:literal,)*) => {
        $(#[test]
        fn $name() {
            is_seen(Rules::default(), Some(Sabotage::$sabotage), $what);
        })*
    };
}

with! {
    a_dropped_delivery_is_seen: DropsADelivery shows "INV-4",
    swapped_deliveries_are_seen: SwapsDeliveries shows "INV-3",
    a_delivery_to_a_stranger_is_seen: LeaksADelivery shows "INV-5",
    a_doubled_message_is_seen: StoresTwice shows "INV-2",
    a_resend_that_is_not_known_is_seen: ForgetsResends shows "INV-2",
    a_lost_round_is_seen: LosesARound shows "INV-1",
}
