//! Receive Maximum, both ways (section 4.9), and what a resumed session has in flight.

use std::num::NonZeroU16;

use talaria_codec::{Packet, QoS, ReasonCode, Version};
use talaria_tests::wire::{Delivery, Wire, connect_of, encode, keeping, packet_id, publish_of};

use crate::{Stage, TO_LEE};

#[test]
fn no_more_is_sent_than_the_clients_receive_maximum() {
    // MQTT-3.3.4-9.
    let mut stage = Stage::new();
    let person = stage.lee.clone();
    let mut connect = keeping(Version::V5, &person, "phone");
    connect.properties.receive_maximum = NonZeroU16::new(2);
    let (mut lee, _) = Wire::log_in(stage.server.mqtt(), &connect);
    lee.subscribe("user/me/inbox", QoS::AtLeastOnce);
    let said = stage.say("number", 6);
    let mut held: Vec<Delivery> = (0..2).map(|_| lee.delivery()).collect();
    // Everything is stored and handed on by now; the answer to a ping overtakes what is held back.
    for (number, text) in said.iter().enumerate() {
        lee.ping();
        assert_eq!(lee.waiting(), 0, "a third one in flight");
        let delivery = held.remove(0);
        assert_eq!(delivery.json()["text"], **text);
        lee.acknowledge(&delivery);
        if number + 2 < said.len() {
            held.push(lee.delivery());
        }
    }
    assert!(held.is_empty());
    lee.leave();
    // On return too.
    let said = stage.say("while away", 6);
    let (mut lee, is_present) = Wire::log_in(stage.server.mqtt(), &connect);
    assert!(is_present);
    let held = [lee.delivery(), lee.delivery()];
    lee.ping();
    assert_eq!(lee.waiting(), 0);
    held.iter().for_each(|delivery| lee.acknowledge(delivery));
    assert_eq!(held.map(|delivery| delivery.json()["text"].as_str().unwrap().to_owned()), said[..2]);
    assert_eq!(lee.take_texts(4), said[2..]);
}

#[test]
fn as_many_publishes_as_connack_allows_may_be_in_flight() {
    // MQTT-3.2.2.3.3: Receive Maximum of the server.
    let stage = Stage::new();
    let (mut kim, answer) = Wire::connect(stage.server.mqtt(), &connect_of(Version::V5, &stage.kim, "phone"));
    let Packet::ConnAck(ack) = answer.packet() else { panic!("{answer:?}") };
    let receive_max = ack.properties.receive_maximum.unwrap().get();
    let mut lee = stage.new_lee(Version::V5);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut bytes = Vec::new();
        for number in 1..=receive_max {
            let publish = talaria_codec::Publish { qos, ..publish_of(TO_LEE, b"x", number) };
            bytes.extend(encode(&Packet::Publish(publish), Version::V5));
        }
        kim.send(&bytes);
        for number in 1..=receive_max {
            let answer = kim.answer();
            let (Packet::PubAck(ack) | Packet::PubRec(ack)) = answer.packet() else { panic!("{answer:?}") };
            assert_eq!((ack.packet_id, ack.reason), (packet_id(number), ReasonCode::Success));
        }
    }
    lee.take_texts(2 * usize::from(receive_max));
}

#[test]
fn packet_ids_of_deliveries_go_on_across_connections() {
    // D9: a PUBACK that was under way when the connection broke acknowledges nothing else on the next one.
    for version in talaria_tests::wire::VERSIONS {
        let mut stage = Stage::new();
        let mut lee = stage.new_lee(version);
        stage.say("first", 1);
        let first = lee.delivery();
        lee.break_off();
        let mut lee = stage.returned_lee(version);
        let again = lee.delivery();
        assert_eq!(again.payload, first.payload);
        assert_ne!(again.packet_id, first.packet_id);
        lee.acknowledge(&first);
        lee.ping();
        lee.break_off();
        // Not acknowledged, it comes once more.
        assert_eq!(stage.returned_lee(version).take().payload, first.payload);
    }
}

#[test]
fn an_event_above_the_clients_maximum_packet_size_comes_as_a_stub() {
    // PROTOCOL "Sizes"; MQTT-3.1.2-24.
    let mut stage = Stage::new();
    let person = stage.lee.clone();
    let mut connect = keeping(Version::V5, &person, "phone");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(1000);
    let (mut lee, _) = Wire::log_in(stage.server.mqtt(), &connect);
    lee.subscribe("user/me/inbox", QoS::AtLeastOnce);
    stage.kims.say(TO_LEE, &"long ".repeat(1000));
    stage.kims.say(TO_LEE, "short");
    let stub = lee.take();
    assert!(stub.payload.len() < 1000);
    let stub = stub.json();
    assert_eq!((&stub["truncated"], &stub["seq"], &stub["text"]), (&true.into(), &1.into(), &serde_json::Value::Null));
    assert!(stub["id"].is_string() && stub["conv"].is_string());
    assert_eq!(lee.take_texts(1), ["short"]);
}
