//! The last will (section 3.1.2.5): on a lost connection, and not after a clean end.

use talaria_codec::{Connect, Disconnect, Packet, QoS, ReasonCode, Version, Will, WillProperties};
use talaria_tests::wire::{VERSIONS, Wire, connect_of};

use crate::{Stage, TO_LEE};

fn with_will<'a>(connect: Connect<'a>, topic: &'a str, payload: &'a [u8]) -> Connect<'a> {
    let properties = WillProperties::default();
    Connect { will: Some(Will { topic, payload, qos: QoS::AtLeastOnce, retain: false, properties }), ..connect }
}

#[test]
fn a_will_to_a_user_and_to_a_channel_is_published_when_the_connection_is_lost() {
    // MQTT-3.1.2-8.
    for version in VERSIONS {
        let stage = Stage::new();
        let channel = format!("channel/{}/message", stage.server.channel(&stage.kim, &[&stage.lee]));
        let mut lee = stage.new_lee(version);
        let to_id = format!("user/{}/message", stage.lee.id);
        for topic in [TO_LEE, &to_id, &channel] {
            let connect = with_will(connect_of(version, &stage.kim, "phone"), topic, "마지막".as_bytes());
            Wire::log_in(stage.server.mqtt(), &connect).0.break_off();
            let event = lee.take().json();
            assert_eq!((&event["text"], &event["from"]), (&"마지막".into(), &stage.kim.id.as_str().into()), "{topic}");
            assert_eq!(event["conv"].as_str().unwrap().starts_with("channel/"), topic == channel);
        }
    }
}

#[test]
fn a_clean_disconnect_deletes_the_will() {
    // MQTT-3.14.4-3.
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut lee = stage.new_lee(version);
        let connect = with_will(connect_of(version, &stage.kim, "phone"), TO_LEE, b"a will");
        Wire::log_in(stage.server.mqtt(), &connect).0.leave();
        let said = stage.say("no will before this", 1);
        assert_eq!(lee.take_texts(1), said);
    }
}

#[test]
fn disconnect_0x04_publishes_the_will_all_the_same() {
    // Section 3.14.2.1.
    let mut stage = Stage::new();
    let mut lee = stage.new_lee(Version::V5);
    let connect = with_will(connect_of(Version::V5, &stage.kim, "phone"), TO_LEE, b"a will");
    let (mut wire, _) = Wire::log_in(stage.server.mqtt(), &connect);
    wire.put(&Packet::Disconnect(Disconnect::with_reason(ReasonCode::DisconnectWithWill)));
    wire.expect_end();
    assert_eq!(lee.take_texts(1), ["a will"]);
    stage.say("after", 1);
    assert_eq!(lee.take_texts(1), ["after 0"]);
}

#[test]
fn a_malformed_packet_and_a_takeover_publish_the_will() {
    // Section 3.1.2.5: whatever closes the connection without a DISCONNECT of the client.
    for version in VERSIONS {
        let stage = Stage::new();
        let mut lee = stage.new_lee(version);
        let connect = with_will(connect_of(version, &stage.kim, "phone"), TO_LEE, b"a will");
        let (mut wire, _) = Wire::log_in(stage.server.mqtt(), &connect);
        wire.send(&[0x00, 0x00]);
        assert_eq!(lee.take_texts(1), ["a will"]);
        let _first = Wire::log_in(stage.server.mqtt(), &connect).0;
        let second = Wire::log_in(stage.server.mqtt(), &connect_of(version, &stage.kim, "phone")).0;
        assert_eq!(lee.take_texts(1), ["a will"]);
        drop(second);
    }
}

#[test]
fn a_drain_loses_nobody_and_publishes_no_will() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        stage.new_lee(version).leave();
        let connect = with_will(connect_of(version, &stage.kim, "phone"), TO_LEE, b"a will");
        let _wire = Wire::log_in(stage.server.mqtt(), &connect).0;
        stage = stage.restart();
        let said = stage.say("no will before this", 1);
        assert_eq!(stage.returned_lee(version).take_texts(1), said);
    }
}

#[test]
fn a_will_for_ones_presence_is_accepted() {
    // PROTOCOL "Topics published to": the natural last-will topic.
    for version in VERSIONS {
        let stage = Stage::new();
        let connect = with_will(connect_of(version, &stage.kim, "phone"), "user/me/presence", b"offline");
        let (mut wire, _) = Wire::log_in(stage.server.mqtt(), &connect);
        wire.say("user/me/presence", "online");
        wire.break_off();
    }
}
