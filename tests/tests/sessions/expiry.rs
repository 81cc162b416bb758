//! Session Expiry Interval of 5.0 (section 3.1.2.11.2).

use talaria_codec::{Disconnect, DisconnectProperties, Packet, QoS, ReasonCode, Version};
use talaria_tests::wire::{Wire, keeping};

use crate::Stage;

/// Lee's session with that expiry, and whether it was there.
fn lee(stage: &Stage, client_id: &str, expiry_s: Option<u32>) -> (Wire, bool) {
    let mut connect = keeping(Version::V5, &stage.lee, client_id);
    connect.properties.session_expiry_interval = expiry_s;
    Wire::log_in(stage.server.mqtt(), &connect)
}

fn disconnect(mut wire: Wire, expiry_s: u32) -> Wire {
    let properties =
        DisconnectProperties { session_expiry_interval: Some(expiry_s), ..DisconnectProperties::default() };
    wire.put(&Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties }));
    wire
}

#[test]
fn a_session_ends_when_its_expiry_has_passed_and_not_before() {
    let mut stage = Stage::new();
    let (mut short, _) = lee(&stage, "short", Some(1));
    let (mut long, _) = lee(&stage, "long", Some(3600));
    for wire in [&mut short, &mut long] {
        wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
    }
    short.leave();
    long.leave();
    let said = stage.say("while away", 2);
    stage.let_pass(2);
    let (_short, is_present) = lee(&stage, "short", Some(1));
    assert!(!is_present, "MQTT-3.1.2-23: it may not be kept");
    let (mut long, is_present) = lee(&stage, "long", Some(3600));
    assert!(is_present);
    assert_eq!(long.take_texts(2), said);
}

#[test]
fn an_expiry_passes_also_while_the_server_is_down() {
    let stage = Stage::new();
    let (mut short, _) = lee(&stage, "short", Some(1));
    short.subscribe("user/me/inbox", QoS::AtLeastOnce);
    short.leave();
    stage.let_pass(2);
    let stage = stage.restart();
    assert!(!lee(&stage, "short", Some(1)).1);
}

#[test]
fn an_expiry_of_0_or_none_ends_the_session_with_its_connection() {
    let stage = Stage::new();
    for expiry_s in [Some(0), None] {
        let (mut wire, _) = lee(&stage, "phone", expiry_s);
        wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
        wire.leave();
        assert!(!lee(&stage, "phone", expiry_s).1, "{expiry_s:?}");
    }
}

#[test]
fn disconnect_may_end_a_session_at_once() {
    // Section 3.14.2.2.2.
    let stage = Stage::new();
    let (mut wire, _) = lee(&stage, "phone", Some(3600));
    wire.subscribe("user/me/inbox", QoS::AtLeastOnce);
    disconnect(wire, 0).expect_end();
    assert!(!lee(&stage, "phone", Some(3600)).1);
}

#[test]
fn disconnect_may_change_an_expiry_but_not_from_0() {
    // Section 3.14.2.2.2: that is a Protocol Error.
    let stage = Stage::new();
    let (wire, _) = lee(&stage, "phone", Some(1));
    disconnect(wire, 3600).expect_end();
    stage.let_pass(2);
    assert!(lee(&stage, "phone", Some(1)).1);
    let (wire, _) = lee(&stage, "tablet", Some(0));
    let mut wire = disconnect(wire, 3600);
    let last = wire.answer();
    assert!(matches!(last.packet(), Packet::Disconnect(end) if end.reason == ReasonCode::ProtocolError));
    wire.expect_end();
    assert!(!lee(&stage, "tablet", Some(0)).1);
}

#[test]
fn an_expiry_longer_than_the_server_keeps_is_cut_and_connack_says_so() {
    // Section 3.2.2.3.2.
    let stage = Stage::new();
    let mut connect = keeping(Version::V5, &stage.lee, "phone");
    connect.properties.session_expiry_interval = Some(u32::MAX);
    let (_wire, answer) = Wire::connect(stage.server.mqtt(), &connect);
    let Packet::ConnAck(ack) = answer.packet() else { panic!("{answer:?}") };
    assert!(ack.properties.session_expiry_interval.is_some_and(|expiry_s| expiry_s < u32::MAX));
}
