//! Subscribing: what is granted, what is refused, and which topic a delivery has.

use talaria_codec::{
    Packet, QoS, ReasonCode, Subscribe, SubscribeFilter, SubscribeOptions, SubscribeProperties, Unsubscribe,
    UnsubscribeProperties, Version,
};
use talaria_tests::wire::{VERSIONS, Wire, packet_id};

use crate::Stage;

/// Filters in one SUBSCRIBE, all at QoS 2, and the reasons of its SUBACK.
fn subscribe(wire: &mut Wire, filters: &[&str]) -> Vec<ReasonCode> {
    let options = SubscribeOptions { qos: QoS::ExactlyOnce, ..SubscribeOptions::default() };
    let filters: Vec<_> = filters.iter().map(|filter| SubscribeFilter { filter, options }).collect();
    let properties = SubscribeProperties::default();
    wire.put(&Packet::Subscribe(Subscribe { packet_id: packet_id(9), properties, filters: filters[..].into() }));
    match wire.answer().packet() {
        Packet::SubAck(ack) => ack.reasons.iter().collect(),
        other => panic!("no SUBACK: {other:?}"),
    }
}

/// A reason as that version says it.
fn in_version(reason: ReasonCode, version: Version) -> ReasonCode {
    // 3.1.1 knows one failure, 0x80.
    if version == Version::V311 && reason.is_failure() { ReasonCode::UnspecifiedError } else { reason }
}

#[test]
fn a_filter_that_reaches_beyond_ones_own_is_refused_and_not_narrowed() {
    // PROTOCOL "Refusals": 0x87 in 5.0, 0x80 in 3.1.1; MQTT-3.9.3-1: one code a filter, in their order.
    let mut stage = Stage::new();
    let channel = stage.server.channel(&stage.ann, &[&stage.bob]);
    let filters = [
        "#",
        "+/me/inbox",
        "user/#",
        "user/+/inbox",
        &format!("user/{}/inbox", stage.ann.id),
        "user/@ann/inbox",
        "user/@ann/#",
        "user/@nobody/inbox",
        "$SYS/#",
        "channel/+/typing",
        &format!("channel/{channel}/typing"),
        &format!("channel/{channel}/signal/#"),
        "channel/1/typing",
    ];
    for version in VERSIONS {
        let mut kim = stage.kim(version);
        let refused = in_version(ReasonCode::NotAuthorized, version);
        for filter in filters {
            assert_eq!(subscribe(&mut kim, &[filter]), [refused], "{filter}");
        }
        let mut all = vec!["user/me/inbox"];
        all.extend(filters);
        all.push("user/me/events");
        let mut expected = vec![refused; all.len()];
        expected[0] = ReasonCode::GrantedQoS1;
        *expected.last_mut().unwrap() = ReasonCode::GrantedQoS1;
        assert_eq!(subscribe(&mut kim, &all), expected);
        // What the others say is not for Kim: what comes first is what is said to Kim.
        stage.others_go_on();
        stage.anns.say("user/@kim/message", "for you");
        assert_eq!(kim.take_texts(1), ["for you"]);
        assert_eq!(stage.anns.take_texts(1), ["for you"]);
    }
}

#[test]
fn shared_subscriptions_are_not_there_in_5_0() {
    let stage = Stage::new();
    let mut kim = stage.kim(Version::V5);
    assert_eq!(subscribe(&mut kim, &["$share/g/user/me/inbox"]), [ReasonCode::SharedSubscriptionsNotSupported]);
    kim.ping();
}

#[test]
fn a_delivery_uses_the_spelling_that_was_subscribed() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        for user in ["me", &stage.kim.id.clone(), "@kim"] {
            for (leaf, filter) in [("inbox", "inbox"), ("inbox", "+"), ("inbox", "#")] {
                let mut kim = stage.kim(version);
                assert_eq!(subscribe(&mut kim, &[&format!("user/{user}/{filter}")]), [ReasonCode::GrantedQoS1]);
                stage.bobs.say("user/@kim/message", "hello");
                assert_eq!(kim.take().topic, format!("user/{user}/{leaf}"));
                stage.bobs.take();
            }
        }
    }
}

#[test]
fn an_event_that_matches_several_subscriptions_comes_once_at_the_highest_qos() {
    // MQTT-3.3.4-2.
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut kim = stage.kim(version);
        assert_eq!(kim.subscribe("user/me/#", QoS::AtMostOnce), ReasonCode::Success);
        assert_eq!(kim.subscribe("user/@kim/inbox", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
        assert_eq!(kim.subscribe("user/me/+", QoS::AtMostOnce), ReasonCode::Success);
        for text in ["first", "second"] {
            stage.bobs.say("user/@kim/message", text);
            let delivery = kim.take();
            assert_eq!(delivery.qos, QoS::AtLeastOnce);
            assert_eq!(delivery.json()["text"], text);
        }
    }
}

#[test]
fn a_subscription_at_qos_0_delivers_at_qos_0() {
    // MQTT-3.8.4-8.
    let mut stage = Stage::new();
    let mut kim = stage.kim(Version::V311);
    assert_eq!(kim.subscribe("user/me/inbox", QoS::AtMostOnce), ReasonCode::Success);
    stage.bobs.say("user/@kim/message", "hello");
    let delivery = kim.delivery();
    assert_eq!((delivery.qos, delivery.packet_id), (QoS::AtMostOnce, None));
}

#[test]
fn after_unsubscribe_nothing_more_comes() {
    // MQTT-3.10.4-2, MQTT-3.10.4-4 to 6; reasons as MQTT-3.11.3-1 of 5.0 wants them.
    for version in VERSIONS {
        let mut stage = Stage::new();
        let mut kim = stage.kim(version);
        assert_eq!(subscribe(&mut kim, &["user/me/inbox", "user/me/events"]), [ReasonCode::GrantedQoS1; 2]);
        let filters = ["user/me/inbox", "user/@kim/inbox", "user/@ann/inbox"];
        kim.put(&Packet::Unsubscribe(Unsubscribe {
            packet_id: packet_id(10),
            properties: UnsubscribeProperties::default(),
            filters: filters[..].into(),
        }));
        let answer = kim.answer();
        let Packet::UnsubAck(ack) = answer.packet() else { panic!("{answer:?}") };
        if version == Version::V5 {
            assert_eq!(ack.reasons.iter().next(), Some(ReasonCode::Success));
            assert_eq!(ack.reasons.iter().nth(1), Some(ReasonCode::NoSubscriptionExisted));
            assert_eq!(ack.reasons.len(), 3);
        }
        stage.bobs.say("user/@kim/message", "unheard");
        stage.server.channel(&stage.kim, &[]);
        // The channel's news come on events, which are subscribed still; the message before it does not.
        assert_eq!(kim.take().topic, "user/me/events");
    }
}
