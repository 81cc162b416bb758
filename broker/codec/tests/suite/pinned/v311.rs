//! 3.1.1.

use std::num::NonZeroU16;

use talaria_codec::{
    Ack, ConnAck, Connect, Direction, Disconnect, Packet, Publish, QoS, ReasonCode, SubAck, Subscribe, SubscribeFilter,
    SubscribeOptions, UnsubAck, Unsubscribe, Version, Will,
};

#[track_caller]
fn pinned(direction: Direction, packet: Packet<'_>, bytes: &[&str]) {
    super::pinned(Version::V311, direction, packet, bytes);
}

fn id(id: u16) -> NonZeroU16 {
    NonZeroU16::new(id).unwrap()
}

/// Figure 3.6, with a payload: user name, password, no will retain, will QoS 1, will, clean session, keep-alive 10.
#[test]
fn connect() {
    let will =
        Will { topic: "a/b", payload: b"bye", qos: QoS::AtLeastOnce, retain: false, properties: Default::default() };
    let connect = Connect {
        version: Version::V311,
        clean_start: true,
        keep_alive: 10,
        client_id: "c1",
        will: Some(will),
        username: Some("u"),
        password: Some(&[0xFF, 0x00]),
        properties: Default::default(),
    };
    pinned(
        Direction::ToServer,
        Packet::Connect(connect),
        &[
            "10 1F",             // CONNECT, 31 bytes follow
            "00 04 4D 51 54 54", // "MQTT"
            "04",                // level 4
            "CE",                // 1100 1110
            "00 0A",             // keep-alive 10 s
            "00 02 63 31",       // client id "c1"
            "00 03 61 2F 62",    // will topic "a/b"
            "00 03 62 79 65",    // will payload "bye"
            "00 01 75",          // user name "u"
            "00 02 FF 00",       // password
        ],
    );
}

#[test]
fn connect_of_a_session_that_stays() {
    let connect = Connect { clean_start: false, keep_alive: 60, ..Connect::new(Version::V311, "kim") };
    pinned(
        Direction::ToServer,
        Packet::Connect(connect),
        &["10 0F", "00 04 4D 51 54 54", "04", "00", "00 3C", "00 03 6B 69 6D"],
    );
}

#[test]
fn connect_with_a_retained_will_at_qos_2() {
    let will = Will { topic: "t", payload: b"", qos: QoS::ExactlyOnce, retain: true, properties: Default::default() };
    let connect = Connect { will: Some(will), ..Connect::new(Version::V311, "") };
    pinned(
        Direction::ToServer,
        Packet::Connect(connect),
        // Flags 0011 0110.
        &["10 11", "00 04 4D 51 54 54", "04", "36", "00 00", "00 00", "00 01 74", "00 00"],
    );
}

#[test]
fn connack() {
    for (session_present, reason, bytes) in [
        (false, ReasonCode::Success, "20 02 00 00"),
        (true, ReasonCode::Success, "20 02 01 00"),
        (false, ReasonCode::UnsupportedProtocolVersion, "20 02 00 01"),
        (false, ReasonCode::ClientIdentifierNotValid, "20 02 00 02"),
        (false, ReasonCode::ServerUnavailable, "20 02 00 03"),
        (false, ReasonCode::BadUserNameOrPassword, "20 02 00 04"),
        (false, ReasonCode::NotAuthorized, "20 02 00 05"),
    ] {
        let connack = ConnAck { session_present, reason, properties: Default::default() };
        pinned(Direction::ToClient, Packet::ConnAck(connack), &[bytes]);
    }
}

/// Figure 3.11, with a payload.
#[test]
fn publish() {
    let publish = Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "a/b",
        packet_id: Some(id(10)),
        properties: Default::default(),
        payload: b"hi",
    };
    for direction in [Direction::ToServer, Direction::ToClient] {
        pinned(direction, Packet::Publish(publish), &["32 09", "00 03 61 2F 62", "00 0A", "68 69"]);
        // DUP, QoS 2, RETAIN: 0011 1101.
        let again = Publish { dup: true, qos: QoS::ExactlyOnce, retain: true, ..publish };
        pinned(direction, Packet::Publish(again), &["3D 09", "00 03 61 2F 62", "00 0A", "68 69"]);
        let at_qos_0 = Publish { qos: QoS::AtMostOnce, packet_id: None, topic: "한", payload: b"", ..publish };
        pinned(direction, Packet::Publish(at_qos_0), &["30 05", "00 03 ED 95 9C"]);
    }
}

/// A remaining length of two bytes (section 2.2.3): 321 is 65 + 2 times 128.
#[test]
fn publish_of_321_bytes() {
    let payload = [0x78; 318];
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: true,
        topic: "t",
        packet_id: None,
        properties: Default::default(),
        payload: &payload,
    };
    pinned(Direction::ToServer, Packet::Publish(publish), &["31 C1 02", "00 01 74", &"78".repeat(318)]);
}

#[test]
fn acknowledgements() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        pinned(direction, Packet::PubAck(Ack::success(id(0x1234))), &["40 02 12 34"]);
        pinned(direction, Packet::PubRec(Ack::success(id(1))), &["50 02 00 01"]);
        pinned(direction, Packet::PubRel(Ack::success(id(0xFFFF))), &["62 02 FF FF"]);
        pinned(direction, Packet::PubComp(Ack::success(id(256))), &["70 02 01 00"]);
    }
}

/// Figure 3.23: "a/b" at QoS 1 and "c/d" at QoS 2.
#[test]
fn subscribe() {
    let of = |filter, qos| SubscribeFilter { filter, options: SubscribeOptions { qos, ..Default::default() } };
    let filters = [of("a/b", QoS::AtLeastOnce), of("c/d", QoS::ExactlyOnce)];
    let filters = filters.as_slice().into();
    pinned(
        Direction::ToServer,
        Packet::Subscribe(Subscribe { packet_id: id(10), properties: Default::default(), filters }),
        &["82 0E", "00 0A", "00 03 61 2F 62", "01", "00 03 63 2F 64", "02"],
    );
}

/// Figure 3.26: QoS 0, QoS 2, failure.
#[test]
fn suback() {
    let reasons = [ReasonCode::Success, ReasonCode::GrantedQoS2, ReasonCode::UnspecifiedError];
    let reasons = reasons.as_slice().into();
    pinned(
        Direction::ToClient,
        Packet::SubAck(SubAck { packet_id: id(10), properties: Default::default(), reasons }),
        &["90 05", "00 0A", "00 02 80"],
    );
}

/// Figure 3.30: "a/b" and "c/d".
#[test]
fn unsubscribe() {
    let filters = ["a/b", "c/d"][..].into();
    pinned(
        Direction::ToServer,
        Packet::Unsubscribe(Unsubscribe { packet_id: id(10), properties: Default::default(), filters }),
        &["A2 0C", "00 0A", "00 03 61 2F 62", "00 03 63 2F 64"],
    );
}

#[test]
fn unsuback() {
    let unsuback = UnsubAck { packet_id: id(10), properties: Default::default(), reasons: Default::default() };
    pinned(Direction::ToClient, Packet::UnsubAck(unsuback), &["B0 02 00 0A"]);
}

#[test]
fn pings_and_disconnect() {
    pinned(Direction::ToServer, Packet::PingReq, &["C0 00"]);
    pinned(Direction::ToClient, Packet::PingResp, &["D0 00"]);
    pinned(Direction::ToServer, Packet::Disconnect(Disconnect::default()), &["E0 00"]);
}
