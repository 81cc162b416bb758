//! Two connections of one name (INV-6), and a client that falls silent.

use talaria_codec::{QoS, ReasonCode, Version, Will, WillProperties};
use talaria_tests::wire::{VERSIONS, Wire, connect_of, keeping};

use crate::{Stage, is_ended};

#[test]
fn a_second_connection_of_the_same_client_id_takes_the_session_over() {
    // MQTT-3.1.4-3: the earlier one is told 0x8E and closed.
    let mut stage = Stage::new();
    for version in VERSIONS {
        let connect = keeping(version, &stage.kim, "laptop");
        let (mut first, _) = Wire::log_in(stage.server.mqtt(), &connect);
        first.subscribe("user/me/inbox", QoS::AtLeastOnce);
        stage.anns.say("user/@kim/message", "to the first");
        let unacknowledged = first.delivery();
        let (mut second, is_present) = Wire::log_in(stage.server.mqtt(), &connect);
        is_ended(&mut first, version, ReasonCode::SessionTakenOver);
        assert!(is_present, "MQTT-3.1.2-5: it goes on with the state of the session");
        // What the first did not acknowledge is the second's.
        assert_eq!(second.take().payload, unacknowledged.payload);
        stage.anns.say("user/@kim/message", "to the second");
        assert_eq!(second.take_texts(1), ["to the second"]);
        assert_eq!(stage.anns.take_texts(2), ["to the first", "to the second"]);
        second.leave();
        stage.others_go_on();
    }
}

#[test]
fn of_a_storm_of_takeovers_the_last_one_stays_and_misses_nothing() {
    let mut stage = Stage::new();
    let connect = keeping(Version::V5, &stage.kim, "laptop");
    let (mut first, _) = Wire::log_in(stage.server.mqtt(), &connect);
    first.subscribe("user/me/inbox", QoS::AtLeastOnce);
    let mut wires = vec![first];
    let mut said = Vec::new();
    for number in 0..20 {
        said.push(format!("number {number}"));
        stage.anns.say("user/@kim/message", said.last().unwrap());
        wires.push(Wire::log_in(stage.server.mqtt(), &connect).0);
    }
    let mut last = wires.pop().unwrap();
    // Nobody acknowledged anything.
    assert_eq!(last.take_texts(said.len()), said);
    for mut earlier in wires {
        while earlier.received().is_some() {}
    }
    last.ping();
    assert_eq!(stage.anns.take_texts(said.len()), said);
    stage.others_go_on();
}

#[test]
fn two_users_with_one_client_id_are_two_sessions() {
    for version in VERSIONS {
        let mut stage = Stage::new();
        // Ann and Bob hold "phone" already.
        let (mut kim, is_present) = Wire::log_in(stage.server.mqtt(), &keeping(version, &stage.kim, "phone"));
        assert!(!is_present);
        kim.subscribe("user/me/inbox", QoS::AtLeastOnce);
        stage.others_go_on();
        stage.anns.say("user/@kim/message", "hello");
        assert_eq!(kim.take_texts(1), ["hello"]);
        assert_eq!(stage.anns.take_texts(1), ["hello"]);
        kim.leave();
        stage.others_go_on();
    }
}

#[test]
fn a_client_silent_for_one_and_a_half_keep_alives_is_closed_and_its_will_goes_out() {
    // MQTT-3.1.2-22; 0x8D in 5.0. Deliveries to it are no sign of life of its own.
    let mut stage = Stage::new();
    for version in VERSIONS {
        let mut connect = connect_of(version, &stage.kim, "laptop");
        connect.keep_alive = 1;
        connect.will = Some(Will {
            topic: "user/@ann/message",
            payload: b"fell silent",
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: WillProperties::default(),
        });
        let (mut kim, _) = Wire::log_in(stage.server.mqtt(), &connect);
        is_ended(&mut kim, version, ReasonCode::KeepAliveTimeout);
        assert_eq!(stage.anns.take_texts(1), ["fell silent"]);
        stage.others_go_on();
    }
}

#[test]
fn a_keep_alive_of_0_is_allowed_and_the_server_tells_its_own() {
    // MQTT-3.1.2-21: Server Keep Alive.
    let stage = Stage::new();
    let mut connect = connect_of(Version::V5, &stage.kim, "laptop");
    connect.keep_alive = 0;
    let (_wire, answer) = Wire::connect(stage.server.mqtt(), &connect);
    let talaria_codec::Packet::ConnAck(ack) = answer.packet() else { panic!("{answer:?}") };
    assert!(ack.properties.server_keep_alive.is_some_and(|keep_alive_s| keep_alive_s > 0));
}
