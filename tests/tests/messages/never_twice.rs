//! PROTOCOL "Never twice" (INV-2), as clients see it. The server has no clock that a test could turn, so that what holds after an hour
//! is a test of the pipeline on virtual time (`bridge/src/tests/never_twice.rs`); here the same key and the same publish come again at once.

use std::sync::Arc;

use serde_json::json;
use talaria_codec::{Ack, Packet, QoS, ReasonCode, Version};
use talaria_tests::wire::{VERSIONS, Wire, connect_of, encode, keeping, packet_id, publish_of};
use talaria_tests::{Home, Server};

use crate::{Pair, TO_LEE, place, place_of};

const KEYED: &[u8] = br#"{"key":"k-1","text":"once"}"#;

#[test]
fn the_same_key_from_another_session_and_over_http_returns_the_first_whatever_it_says() {
    let pair = Pair::new();
    let mut lee = pair.lee(Version::V311);
    let first = place(&pair.kim(Version::V5, "laptop").publish(TO_LEE, KEYED));
    let again = br#"{"key":"k-1","text":"something else"}"#;
    assert_eq!(place(&pair.kim(Version::V5, "phone").publish(TO_LEE, again)), first);
    assert_eq!(pair.kim(Version::V311, "laptop").publish(TO_LEE, again).ack_reason(), ReasonCode::Success);
    let sent =
        pair.server.post(&pair.kim, "/v1/users/@lee/messages", &json!({"key": "k-1", "text": "a third"})).is(201);
    assert_eq!(place_of(&sent), first);
    pair.kim(Version::V311, "laptop").say(TO_LEE, "next");
    assert_eq!(lee.take_texts(2), ["once", "next"]);
    assert_eq!(pair.stored_texts(), ["once", "next"]);
}

#[test]
fn a_key_belongs_to_its_sender_and_conversation() {
    let pair = Pair::new();
    let mut lee = Wire::log_in(pair.server.mqtt(), &connect_of(Version::V5, &pair.lee, "phone")).0;
    let mut kim = pair.kim(Version::V5, "laptop");
    let first = place(&kim.publish(TO_LEE, KEYED));
    let other_sender = place(&lee.publish("user/@kim/message", KEYED));
    assert_eq!(other_sender.1, first.1 + 1);
    let other_conversation = place(&kim.publish("user/me/message", KEYED));
    assert!(other_conversation.1 == 1 && other_conversation.0 != first.0);
}

#[test]
fn the_same_key_returns_the_first_also_after_a_restart() {
    after_a_restart(Server::stop);
}

#[test]
fn the_same_key_returns_the_first_also_after_a_crash() {
    after_a_restart(Server::kill);
}

fn after_a_restart(end: fn(Server) -> Arc<Home>) {
    let mut pair = Pair::new();
    let first = place(&pair.kim(Version::V5, "laptop").publish(TO_LEE, KEYED));
    pair.server = Server::start(end(pair.server));
    assert_eq!(place(&pair.kim(Version::V5, "phone").publish(TO_LEE, KEYED)), first);
    assert_eq!(pair.stored_texts(), ["once"]);
}

/// A QoS 1 publish of the same packet id, topic and text, with DUP.
fn resend(wire: &mut Wire) -> ReasonCode {
    let mut publish = publish_of(TO_LEE, b"once", 7);
    publish.dup = true;
    wire.put(&Packet::Publish(publish));
    wire.answer().ack_reason()
}

fn send(wire: &mut Wire) {
    wire.put(&Packet::Publish(publish_of(TO_LEE, b"once", 7)));
    assert_eq!(wire.answer().ack_reason(), ReasonCode::Success);
}

#[test]
fn a_resend_with_dup_is_known_on_the_same_connection_and_on_later_ones_of_clean_and_kept_sessions() {
    for version in VERSIONS {
        for connect in [connect_of, keeping] {
            let pair = Pair::new();
            let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &connect(version, &pair.kim, "laptop"));
            send(&mut kim);
            assert_eq!(resend(&mut kim), ReasonCode::Success);
            kim.break_off();
            let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &connect(version, &pair.kim, "laptop"));
            assert_eq!(resend(&mut kim), ReasonCode::Success);
            assert_eq!(pair.stored_texts(), ["once"]);
        }
    }
}

#[test]
fn a_resend_with_dup_is_known_also_after_a_crash() {
    let mut pair = Pair::new();
    let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &keeping(Version::V311, &pair.kim, "laptop"));
    send(&mut kim);
    pair.server = Server::start(pair.server.kill());
    let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &keeping(Version::V311, &pair.kim, "laptop"));
    assert_eq!(resend(&mut kim), ReasonCode::Success);
    assert_eq!(pair.stored_texts(), ["once"]);
}

#[test]
fn a_resend_of_another_session_or_another_text_is_a_new_message() {
    let pair = Pair::new();
    send(&mut pair.kim(Version::V311, "laptop"));
    assert_eq!(resend(&mut pair.kim(Version::V311, "phone")), ReasonCode::Success);
    let mut kim = pair.kim(Version::V311, "laptop");
    let mut publish = publish_of(TO_LEE, b"other", 7);
    publish.dup = true;
    kim.put(&Packet::Publish(publish));
    assert_eq!(kim.answer().ack_reason(), ReasonCode::Success);
    assert_eq!(pair.stored_texts(), ["once", "once", "other"]);
}

#[test]
fn a_clean_disconnect_and_a_new_publish_end_what_was_acknowledged() {
    let pair = Pair::new();
    // A client that starts anew counts its packet ids from the beginning, and may say the same.
    for _ in 0..2 {
        let mut kim = pair.kim(Version::V311, "laptop");
        send(&mut kim);
        kim.leave();
    }
    // Within a connection a packet id may be used again for the same text.
    let mut kim = pair.kim(Version::V311, "laptop");
    send(&mut kim);
    send(&mut kim);
    assert_eq!(pair.stored_texts(), ["once"; 4]);
}

#[test]
fn a_qos_2_publish_is_stored_once_however_often_it_comes_before_its_pubrel() {
    // MQTT-4.3.3-8 to MQTT-4.3.3-12.
    for version in VERSIONS {
        let pair = Pair::new();
        let mut lee = pair.lee(version);
        let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &keeping(version, &pair.kim, "laptop"));
        let mut publish = publish_of(TO_LEE, b"once", 7);
        publish.qos = QoS::ExactlyOnce;
        kim.put(&Packet::Publish(publish));
        assert!(matches!(kim.answer().packet(), Packet::PubRec(ack) if ack.reason == ReasonCode::Success));
        kim.break_off();
        // PUBREC may have been lost: the publish comes again, and then again on the same connection.
        let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &keeping(version, &pair.kim, "laptop"));
        publish.dup = true;
        for _ in 0..2 {
            kim.put(&Packet::Publish(publish));
            assert!(matches!(kim.answer().packet(), Packet::PubRec(ack) if ack.packet_id == packet_id(7)));
        }
        // So may PUBCOMP: a second PUBREL is answered too.
        for _ in 0..2 {
            kim.put(&Packet::PubRel(Ack::success(packet_id(7))));
            assert!(matches!(kim.answer().packet(), Packet::PubComp(ack) if ack.packet_id == packet_id(7)));
        }
        // Released, the id is free, and the same text is a new message.
        publish.dup = false;
        kim.put(&Packet::Publish(publish));
        assert!(matches!(kim.answer().packet(), Packet::PubRec(_)));
        kim.put(&Packet::PubRel(Ack::success(packet_id(7))));
        assert!(matches!(kim.answer().packet(), Packet::PubComp(ack) if ack.reason == ReasonCode::Success));
        kim.say(TO_LEE, "next");
        assert_eq!(lee.take_texts(3), ["once", "once", "next"]);
    }
}

#[test]
fn an_unreleased_qos_2_publish_is_remembered_across_a_restart() {
    let mut pair = Pair::new();
    let mut publish = publish_of(TO_LEE, b"once", 7);
    publish.qos = QoS::ExactlyOnce;
    let (mut kim, _) = Wire::log_in(pair.server.mqtt(), &keeping(Version::V5, &pair.kim, "laptop"));
    kim.put(&Packet::Publish(publish));
    let first = place(&kim.answer());
    pair.server = pair.server.restart();
    let (mut kim, is_present) = Wire::log_in(pair.server.mqtt(), &keeping(Version::V5, &pair.kim, "laptop"));
    assert!(is_present && first.1 == 1);
    publish.dup = true;
    kim.put(&Packet::Publish(publish));
    assert!(matches!(kim.answer().packet(), Packet::PubRec(ack) if ack.reason == ReasonCode::Success));
    kim.put(&Packet::PubRel(Ack::success(packet_id(7))));
    assert!(matches!(kim.answer().packet(), Packet::PubComp(ack) if ack.reason == ReasonCode::Success));
    assert_eq!(pair.stored_texts(), ["once"]);
}

#[test]
fn a_refused_qos_2_publish_takes_no_packet_id() {
    let pair = Pair::new();
    let mut kim = pair.kim(Version::V5, "laptop");
    let mut publish = publish_of("user/@nobody/message", b"x", 7);
    publish.qos = QoS::ExactlyOnce;
    for _ in 0..2 {
        kim.put(&Packet::Publish(publish));
        assert!(matches!(kim.answer().packet(), Packet::PubRec(ack) if ack.reason == ReasonCode::NotAuthorized));
    }
}

#[test]
fn what_one_session_sends_is_stored_and_acknowledged_in_the_order_sent() {
    // MQTT-4.6.0-2, INV-3. Many more than are read at once.
    for version in VERSIONS {
        const COUNT: u16 = 1000;
        let pair = Pair::new();
        let mut lee = pair.lee(version);
        let mut kim = pair.kim(version, "laptop");
        let texts: Vec<String> = (1..=COUNT).map(|number| format!("number {number}")).collect();
        let mut bytes = Vec::new();
        for (number, text) in (1..).zip(&texts) {
            bytes.extend(encode(&Packet::Publish(publish_of(TO_LEE, text.as_bytes(), number)), version));
        }
        kim.send(&bytes);
        for number in 1..=COUNT {
            let answer = kim.answer();
            assert!(matches!(answer.packet(), Packet::PubAck(ack) if ack.packet_id == packet_id(number)), "{number}");
        }
        assert_eq!(lee.take_texts(usize::from(COUNT)), texts);
    }
}
