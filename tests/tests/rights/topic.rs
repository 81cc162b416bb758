//! Publishing where one may not, or where there is nothing.

use talaria_codec::{Packet, Publish, QoS, ReasonCode, Version, Will, WillProperties};
use talaria_tests::wire::{VERSIONS, Wire, connect_of, publish_of};

use crate::Stage;

/// What Kim may not publish to, with code and reason. `{ann}` is her id, `{channel}` a channel of others.
const FOREIGN: &[(&str, ReasonCode, &str)] = &[
    ("user/@nobody/message", ReasonCode::NotAuthorized, "unknown_user"),
    ("user/1/message", ReasonCode::NotAuthorized, "unknown_user"),
    ("user/@nobody/typing", ReasonCode::NotAuthorized, "unknown_user"),
    ("channel/{channel}/message", ReasonCode::NotAuthorized, "not_a_member"),
    ("channel/{channel}/typing", ReasonCode::NotAuthorized, "not_a_member"),
    // A channel that is not there is answered like one of others, to tell strangers nothing.
    ("channel/1/message", ReasonCode::NotAuthorized, "not_a_member"),
    ("channel/{channel}/signal/x", ReasonCode::NotAuthorized, "not_allowed"),
    ("user/{ann}/inbox", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("user/{ann}/events", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("user/me/inbox", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("user/{ann}/presence", ReasonCode::NotAuthorized, "not_allowed"),
    ("user/@ann/presence", ReasonCode::NotAuthorized, "not_allowed"),
    ("user/{ann}/message/more", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("user/@Ann/message", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("channel/@ann/message", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("$SYS/broker/uptime", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("한글/message", ReasonCode::TopicNameInvalid, "topic_invalid"),
    ("/", ReasonCode::TopicNameInvalid, "topic_invalid"),
];

/// The list with names filled in.
fn foreign(stage: &Stage, channel: &str) -> Vec<(String, ReasonCode, &'static str)> {
    let filled = |topic: &str| topic.replace("{ann}", &stage.ann.id).replace("{channel}", channel);
    FOREIGN.iter().map(|(topic, reason, code)| (filled(topic), *reason, *code)).collect()
}

#[test]
fn a_foreign_topic_is_refused_in_5_0_by_puback_with_code_and_reason_and_the_connection_stays() {
    let mut stage = Stage::new();
    let channel = stage.server.channel(&stage.ann, &[&stage.bob]);
    let mut kim = stage.kim(Version::V5);
    for (topic, reason, _) in foreign(&stage, &channel) {
        let answer = kim.publish(&topic, b"x");
        let Packet::PubAck(ack) = answer.packet() else { panic!("{topic}: {answer:?}") };
        assert_eq!(ack.reason, reason, "{topic}");
        assert!(ack.properties.reason_string.is_some_and(|reason| !reason.is_empty()), "{topic}");
        stage.others_go_on();
    }
    // The connection is as good as before.
    kim.say("user/@ann/message", "hello");
    assert_eq!(stage.anns.take_texts(1), ["hello"]);
}

#[test]
fn a_foreign_topic_is_refused_in_3_1_1_by_puback_and_a_rejection_on_events_and_the_connection_stays() {
    let mut stage = Stage::new();
    let channel = stage.server.channel(&stage.ann, &[&stage.bob]);
    let mut kim = stage.kim(Version::V311);
    kim.subscribe("user/me/events", QoS::AtMostOnce);
    for (topic, _, code) in foreign(&stage, &channel) {
        assert_eq!(kim.publish(&topic, b"x").ack_reason(), ReasonCode::Success, "{topic}");
        let rejection = kim.delivery();
        assert_eq!(rejection.topic, "user/me/events");
        let rejection = rejection.json();
        assert_eq!((&rejection["type"], &rejection["topic"]), (&"rejected".into(), &topic.as_str().into()));
        assert_eq!(rejection["code"], code, "{topic}");
        stage.others_go_on();
    }
    kim.say("user/@ann/message", "hello");
    assert_eq!(stage.anns.take_texts(1), ["hello"]);
}

#[test]
fn at_qos_0_a_rejection_tells_what_no_puback_can() {
    let stage = Stage::new();
    for version in VERSIONS {
        let mut kim = stage.kim(version);
        kim.subscribe("user/me/events", QoS::AtMostOnce);
        let publish = publish_of("user/@nobody/message", b"x", 1);
        kim.put(&Packet::Publish(Publish { qos: QoS::AtMostOnce, packet_id: None, ..publish }));
        let rejection = kim.delivery().json();
        assert_eq!((&rejection["type"], &rejection["code"]), (&"rejected".into(), &"unknown_user".into()));
    }
}

#[test]
fn a_will_has_no_more_rights_than_its_client() {
    let mut stage = Stage::new();
    let channel = stage.server.channel(&stage.ann, &[&stage.bob]);
    for topic in [&*format!("channel/{channel}/message"), &*format!("user/{}/inbox", stage.ann.id)] {
        let will = Will {
            topic,
            payload: b"a foreign will",
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: WillProperties::default(),
        };
        let mut connect = connect_of(Version::V5, &stage.kim, "laptop");
        connect.will = Some(will);
        let (wire, _) = Wire::log_in(stage.server.mqtt(), &connect);
        wire.break_off();
        stage.others_go_on();
    }
}

#[test]
fn retain_is_taken_and_means_nothing() {
    let mut stage = Stage::new();
    let mut kim = stage.kim(Version::V311);
    kim.put(&Packet::Publish(Publish { retain: true, ..publish_of("user/@ann/message", b"kept?", 1) }));
    assert_eq!(kim.answer().ack_reason(), ReasonCode::Success);
    let delivery = stage.anns.take();
    assert_eq!((delivery.retain, &delivery.json()["text"]), (false, &"kept?".into()));
    let mut later = Wire::listening(stage.server.mqtt(), Version::V311, &stage.ann, "later");
    later.ping();
    assert_eq!(later.waiting(), 0, "nothing is kept for one that subscribes later");
}
