//! SIGTERM, and what is there afterwards.

use rustix::process::Signal;
use talaria_codec::{Packet, ReasonCode, Version};
use talaria_tests::Server;
use talaria_tests::wire::{VERSIONS, Wire, connect_of};

use crate::{Stage, TO_LEE};

#[test]
fn a_drain_disconnects_clients_and_ends_with_success() {
    // PROTOCOL: SIGTERM drains. 5.0 clients are told 0x8B, wills stay unpublished: nobody was lost.
    let mut stage = Stage::new();
    let mut in_5_0 = stage.new_lee(Version::V5);
    let mut in_3_1_1 = Wire::listening(stage.server.mqtt(), Version::V311, &stage.lee, "tablet");
    stage.server.signal(Signal::TERM);
    let last = in_5_0.answer();
    assert!(matches!(last.packet(), Packet::Disconnect(end) if end.reason == ReasonCode::ServerShuttingDown));
    in_5_0.expect_end();
    in_3_1_1.expect_end();
    assert!(stage.server.wait().success(), "{}", stage.server.log());
}

#[test]
fn what_is_on_its_way_at_sigterm_is_answered_and_kept() {
    let mut stage = Stage::new();
    drop(stage.new_lee(Version::V311));
    // Sent in one go; the signal comes while they are stored.
    let texts: Vec<String> = (1..=200).map(|number| format!("number {number}")).collect();
    for (number, text) in (1..).zip(&texts) {
        stage.kims.put(&Packet::Publish(talaria_tests::wire::publish_of(TO_LEE, text.as_bytes(), number)));
    }
    stage.server.signal(Signal::TERM);
    let mut acknowledged = 0;
    while let Some(answer) = stage.kims.received() {
        assert!(matches!(answer.packet(), Packet::PubAck(ack) if usize::from(ack.packet_id.get()) == acknowledged + 1));
        acknowledged += 1;
    }
    assert!(stage.server.wait().success(), "{}", stage.server.log());
    let stage = Stage::on(Server::start(stage.server.home().clone()), stage.kim, stage.lee);
    let mut lee = stage.returned_lee(Version::V311);
    let kept = lee.take_texts(acknowledged);
    assert_eq!(kept, texts[..acknowledged]);
}

#[test]
fn a_kept_session_survives_a_restart_with_its_subscription_and_all_that_came_in_order() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        stage.new_lee(version).leave();
        let mut said = stage.say("before the restart", 5);
        stage = stage.restart();
        said.extend(stage.say("after the restart", 5));
        // MQTT-3.2.2-2: session present.
        let mut lee = stage.returned_lee(version);
        assert_eq!(lee.take_texts(said.len()), said);
        let now = stage.say("now", 1);
        assert_eq!(lee.take_texts(1), now);
    }
}

#[test]
fn what_was_acknowledged_before_a_drain_does_not_come_again() {
    // The mark is written on drain (PROTOCOL "Catching up").
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut lee = stage.new_lee(version);
        let said = stage.say("acknowledged", 20);
        assert_eq!(lee.take_texts(20), said);
        // Its answer comes behind the last acknowledgement.
        lee.ping();
        stage = stage.restart();
        let said = stage.say("new", 1);
        assert_eq!(stage.returned_lee(version).take_texts(1), said);
    }
}

#[test]
fn what_was_delivered_and_not_acknowledged_comes_again_after_a_restart() {
    // MQTT-4.4.0-1; at least once (INV-4).
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut lee = stage.new_lee(version);
        let said = stage.say("number", 6);
        assert_eq!(lee.take_texts(3), said[..3]);
        for text in &said[3..] {
            assert_eq!(lee.delivery().json()["text"], **text);
        }
        lee.ping();
        stage = stage.restart();
        let mut lee = stage.returned_lee(version);
        assert_eq!(lee.take_texts(3), said[3..]);
    }
}

#[test]
fn a_clean_session_is_gone_with_its_connection() {
    // MQTT-3.1.2-6 of 3.1.1; session expiry 0 of 5.0.
    for version in VERSIONS {
        let mut stage = Stage::new();
        Wire::listening(stage.server.mqtt(), version, &stage.lee, "phone").leave();
        stage.say("unheard", 1);
        stage = stage.restart();
        let (mut lee, is_present) = stage.lee(version);
        assert!(!is_present);
        // Nor is its subscription.
        stage.say("unheard", 1);
        lee.ping();
        assert_eq!(lee.waiting(), 0);
    }
}

#[test]
fn a_clean_start_discards_what_was_kept() {
    // MQTT-3.1.2-4 of 5.0, MQTT-3.1.2-6 of 3.1.1.
    for version in VERSIONS {
        let mut stage = Stage::new();
        stage.new_lee(version).leave();
        stage.say("unheard", 1);
        let (mut lee, is_present) = Wire::log_in(stage.server.mqtt(), &connect_of(version, &stage.lee, "phone"));
        assert!(!is_present);
        lee.ping();
        lee.leave();
        // It was discarded, not only passed over.
        let (mut lee, is_present) = stage.lee(version);
        assert!(!is_present);
        stage.say("unheard", 1);
        lee.ping();
        assert_eq!(lee.waiting(), 0);
    }
}

#[test]
fn a_session_of_3_1_1_may_go_on_in_5_0_and_back() {
    let mut stage = Stage::new();
    stage.new_lee(Version::V311).leave();
    for version in [Version::V5, Version::V311] {
        let said = stage.say("while away", 3);
        let mut lee = stage.returned_lee(version);
        assert_eq!(lee.take_texts(3), said);
        lee.leave();
    }
}
