//! 5.0. Properties are written in the order of their fields here, which the standard leaves free, and user properties last.

use std::num::{NonZeroU16, NonZeroU32};

use talaria_codec::{
    Ack, AckProperties, Auth, AuthProperties, ConnAck, ConnAckProperties, Connect, ConnectProperties, Direction,
    Disconnect, DisconnectProperties, Packet, Publish, PublishProperties, QoS, ReasonCode, RetainHandling, SubAck,
    SubAckProperties, Subscribe, SubscribeFilter, SubscribeOptions, SubscribeProperties, SubscriptionIds, UnsubAck,
    UnsubAckProperties, Unsubscribe, UnsubscribeProperties, UserProperties, Version, Will, WillProperties,
};

#[track_caller]
fn pinned(direction: Direction, packet: Packet<'_>, bytes: &[&str]) {
    super::pinned(Version::V5, direction, packet, bytes);
}

fn id(id: u16) -> NonZeroU16 {
    NonZeroU16::new(id).unwrap()
}

fn user(pairs: &'static [(&'static str, &'static str)]) -> UserProperties<'static> {
    pairs.into()
}

/// Figure 3-6 of section 3.1.2.12: flags 1100 1110, keep-alive 10, session expiry 10; with a payload.
#[test]
fn connect() {
    let will =
        Will { topic: "a/b", payload: b"bye", qos: QoS::AtLeastOnce, retain: false, properties: Default::default() };
    let properties = ConnectProperties { session_expiry_interval: Some(10), ..Default::default() };
    let connect = Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 10,
        client_id: "c1",
        will: Some(will),
        username: Some("u"),
        password: Some(b"p"),
        properties,
    };
    pinned(
        Direction::ToServer,
        Packet::Connect(connect),
        &[
            "10 25",             // CONNECT, 37 bytes follow
            "00 04 4D 51 54 54", // "MQTT"
            "05",                // version 5
            "CE",                // 1100 1110
            "00 0A",             // keep-alive 10 s
            "05",                // 5 bytes of properties
            "11 00 00 00 0A",    // session expiry 10 s
            "00 02 63 31",       // client id "c1"
            "00",                // no will properties
            "00 03 61 2F 62",    // will topic "a/b"
            "00 03 62 79 65",    // will payload "bye"
            "00 01 75",          // user name "u"
            "00 01 70",          // password "p"
        ],
    );
}

#[test]
fn connect_with_all_properties() {
    let properties = ConnectProperties {
        session_expiry_interval: Some(u32::MAX),
        receive_maximum: Some(id(20)),
        maximum_packet_size: NonZeroU32::new(65_536),
        topic_alias_maximum: Some(5),
        request_response_information: Some(true),
        request_problem_information: Some(false),
        authentication_method: Some("M"),
        authentication_data: Some(&[0xAA]),
        user_properties: user(&[("k", "v")]),
    };
    let will_properties = WillProperties {
        will_delay_interval: Some(1),
        payload_format_indicator: Some(true),
        message_expiry_interval: Some(2),
        content_type: Some("x"),
        response_topic: Some("r"),
        correlation_data: Some(&[0x01, 0x02]),
        user_properties: user(&[("", "")]),
    };
    let will = Will { topic: "t", payload: b"w", qos: QoS::AtMostOnce, retain: true, properties: will_properties };
    let connect = Connect { clean_start: false, will: Some(will), properties, ..Connect::new(Version::V5, "") };
    pinned(
        Direction::ToServer,
        Packet::Connect(connect),
        &[
            "10 55",                // 10 + 36 + 2 + 31 + 3 + 3 = 85 bytes
            "00 04 4D 51 54 54",    // "MQTT"
            "05",                   // version 5
            "24",                   // 0010 0100: will, retained
            "00 00",                // no keep-alive
            "23",                   // 35 bytes of properties
            "11 FF FF FF FF",       // session expiry
            "21 00 14",             // receive maximum 20
            "27 00 01 00 00",       // maximum packet size 65,536
            "22 00 05",             // topic alias maximum 5
            "19 01",                // request response information
            "17 00",                // no problem information
            "15 00 01 4D",          // authentication method "M"
            "16 00 01 AA",          // authentication data
            "26 00 01 6B 00 01 76", // user property "k", "v"
            "00 00",                // client id ""
            "1E",                   // 30 bytes of will properties
            "18 00 00 00 01",       // will delay 1 s
            "01 01",                // the payload is UTF-8
            "02 00 00 00 02",       // message expiry 2 s
            "03 00 01 78",          // content type "x"
            "08 00 01 72",          // response topic "r"
            "09 00 02 01 02",       // correlation data
            "26 00 00 00 00",       // user property "", ""
            "00 01 74",             // will topic "t"
            "00 01 77",             // will payload "w"
        ],
    );
}

#[test]
fn connack() {
    let plain = ConnAck { session_present: true, ..ConnAck::default() };
    pinned(Direction::ToClient, Packet::ConnAck(plain), &["20 03 01 00 00"]);
    let refused = ConnAck { reason: ReasonCode::NotAuthorized, ..ConnAck::default() };
    pinned(Direction::ToClient, Packet::ConnAck(refused), &["20 03 00 87 00"]);
}

#[test]
fn connack_with_all_properties() {
    let properties = ConnAckProperties {
        session_expiry_interval: Some(60),
        receive_maximum: Some(id(10)),
        maximum_qos: Some(QoS::AtLeastOnce),
        retain_available: Some(false),
        maximum_packet_size: NonZeroU32::new(2 * 1024 * 1024),
        assigned_client_identifier: Some("ab"),
        topic_alias_maximum: Some(0),
        reason_string: Some("ok"),
        wildcard_subscription_available: Some(true),
        subscription_identifier_available: Some(false),
        shared_subscription_available: Some(false),
        server_keep_alive: Some(3600),
        response_information: Some("r"),
        server_reference: Some("s"),
        authentication_method: Some("M"),
        authentication_data: Some(&[]),
        user_properties: user(&[("k", "v")]),
    };
    pinned(
        Direction::ToClient,
        Packet::ConnAck(ConnAck { session_present: false, reason: ReasonCode::Success, properties }),
        &[
            "20 40",                // CONNACK, 64 bytes follow
            "00 00",                // no session present, success
            "3D",                   // 61 bytes of properties
            "11 00 00 00 3C",       // session expiry 60 s
            "21 00 0A",             // receive maximum 10
            "24 01",                // maximum QoS 1
            "25 00",                // no retain
            "27 00 20 00 00",       // maximum packet size 2 MiB
            "12 00 02 61 62",       // assigned client id "ab"
            "22 00 00",             // topic alias maximum 0
            "1F 00 02 6F 6B",       // reason string "ok"
            "28 01",                // wildcard subscriptions
            "29 00",                // no subscription identifiers
            "2A 00",                // no shared subscriptions
            "13 0E 10",             // keep-alive 3,600 s
            "1A 00 01 72",          // response information "r"
            "1C 00 01 73",          // server reference "s"
            "15 00 01 4D",          // authentication method "M"
            "16 00 00",             // authentication data, none
            "26 00 01 6B 00 01 76", // user property "k", "v"
        ],
    );
}

#[test]
fn publish() {
    let publish = Publish {
        dup: true,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "a/b",
        packet_id: Some(id(10)),
        properties: PublishProperties::default(),
        payload: b"hi",
    };
    for direction in [Direction::ToServer, Direction::ToClient] {
        // DUP, QoS 1: 0011 1010.
        pinned(direction, Packet::Publish(publish), &["3A 0A", "00 03 61 2F 62", "00 0A", "00", "68 69"]);
        let at_qos_0 =
            Publish { dup: false, qos: QoS::AtMostOnce, packet_id: None, topic: "t", payload: b"", ..publish };
        pinned(direction, Packet::Publish(at_qos_0), &["30 04", "00 01 74", "00"]);
        // A topic alias alone.
        let properties = PublishProperties { topic_alias: Some(id(1)), ..Default::default() };
        let by_alias = Publish { topic: "", properties, ..at_qos_0 };
        pinned(direction, Packet::Publish(by_alias), &["30 06", "00 00", "03", "23 00 01"]);
    }
}

#[test]
fn publish_with_all_properties() {
    let subscription_ids = [NonZeroU32::MIN, NonZeroU32::new(128).unwrap()];
    let properties = PublishProperties {
        payload_format_indicator: Some(true),
        message_expiry_interval: Some(30),
        topic_alias: Some(id(7)),
        response_topic: Some("r"),
        correlation_data: Some(&[0x01, 0x02]),
        content_type: Some("x"),
        subscription_ids: SubscriptionIds::from(&subscription_ids[..]),
        user_properties: user(&[("k", "v")]),
    };
    let publish = Publish {
        dup: false,
        qos: QoS::ExactlyOnce,
        retain: true,
        topic: "a/b",
        packet_id: Some(id(10)),
        properties,
        payload: b"hi",
    };
    pinned(
        Direction::ToClient,
        Packet::Publish(publish),
        &[
            "35 2D",                // 0011 0101, 45 bytes follow
            "00 03 61 2F 62",       // topic "a/b"
            "00 0A",                // packet id 10
            "23",                   // 35 bytes of properties
            "01 01",                // the payload is UTF-8
            "02 00 00 00 1E",       // message expiry 30 s
            "23 00 07",             // topic alias 7
            "08 00 01 72",          // response topic "r"
            "09 00 02 01 02",       // correlation data
            "03 00 01 78",          // content type "x"
            "0B 01",                // subscription identifier 1
            "0B 80 01",             // subscription identifier 128
            "26 00 01 6B 00 01 76", // user property "k", "v"
            "68 69",                // payload "hi"
        ],
    );
}

#[test]
fn acknowledgements() {
    let properties = AckProperties { reason_string: Some("no"), user_properties: user(&[("k", "v")]) };
    let ack = |packet_id, reason| Ack { reason, ..Ack::success(id(packet_id)) };
    for direction in [Direction::ToServer, Direction::ToClient] {
        pinned(direction, Packet::PubAck(Ack::success(id(0x1234))), &["40 02 12 34"]);
        pinned(
            direction,
            Packet::PubAck(Ack { properties, ..ack(0x1234, ReasonCode::NotAuthorized) }),
            &["40 10", "12 34", "87", "0C", "1F 00 02 6E 6F", "26 00 01 6B 00 01 76"],
        );
        pinned(direction, Packet::PubRec(ack(1, ReasonCode::QuotaExceeded)), &["50 04", "00 01", "97", "00"]);
        pinned(
            direction,
            Packet::PubRel(ack(1, ReasonCode::PacketIdentifierNotFound)),
            &["62 04", "00 01", "92", "00"],
        );
        pinned(direction, Packet::PubComp(Ack::success(id(0xFFFF))), &["70 02 FF FF"]);
    }
    pinned(Direction::ToClient, Packet::PubAck(ack(1, ReasonCode::NoMatchingSubscribers)), &["40 04 00 01 10 00"]);
}

/// Figure 3-21: "a/b" at QoS 1 and "c/d" at QoS 2.
#[test]
fn subscribe() {
    let of = |filter, qos| SubscribeFilter { filter, options: SubscribeOptions { qos, ..Default::default() } };
    let filters = [of("a/b", QoS::AtLeastOnce), of("c/d", QoS::ExactlyOnce)];
    let subscribe = Subscribe { packet_id: id(10), properties: Default::default(), filters: filters[..].into() };
    pinned(
        Direction::ToServer,
        Packet::Subscribe(subscribe),
        &["82 0F", "00 0A", "00", "00 03 61 2F 62", "01", "00 03 63 2F 64", "02"],
    );
}

#[test]
fn subscribe_with_all_options() {
    let properties = SubscribeProperties {
        subscription_identifier: NonZeroU32::new(268_435_455),
        user_properties: user(&[("k", "v")]),
    };
    let shared = SubscribeOptions {
        qos: QoS::AtLeastOnce,
        no_local: false,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
    };
    let own = SubscribeOptions {
        qos: QoS::AtMostOnce,
        no_local: true,
        retain_as_published: false,
        retain_handling: RetainHandling::SendIfNew,
    };
    let filters =
        [SubscribeFilter { filter: "$share/g/#", options: shared }, SubscribeFilter { filter: "a", options: own }];
    pinned(
        Direction::ToServer,
        Packet::Subscribe(Subscribe { packet_id: id(2), properties, filters: filters[..].into() }),
        &[
            "82 20",                // SUBSCRIBE, 32 bytes follow
            "00 02",                // packet id 2
            "0C",                   // 12 bytes of properties
            "0B FF FF FF 7F",       // subscription identifier 268,435,455
            "26 00 01 6B 00 01 76", // user property "k", "v"
            "00 0A 24 73 68 61 72 65 2F 67 2F 23",
            "29", // 0010 1001: handling 2, as published, QoS 1
            "00 01 61",
            "14", // 0001 0100: handling 1, no local, QoS 0
        ],
    );
}

#[test]
fn suback() {
    let reasons = [ReasonCode::Success, ReasonCode::GrantedQoS2, ReasonCode::UnspecifiedError];
    let suback = SubAck { packet_id: id(10), properties: Default::default(), reasons: reasons[..].into() };
    pinned(Direction::ToClient, Packet::SubAck(suback), &["90 06", "00 0A", "00", "00 02 80"]);
    let properties = SubAckProperties { reason_string: Some("x"), ..Default::default() };
    let reasons = [ReasonCode::SubscriptionIdentifiersNotSupported];
    pinned(
        Direction::ToClient,
        Packet::SubAck(SubAck { packet_id: id(10), properties, reasons: reasons[..].into() }),
        &["90 08", "00 0A", "04", "1F 00 01 78", "A1"],
    );
}

#[test]
fn unsubscribe() {
    let filters = ["a/b", "c/d"];
    let unsubscribe = Unsubscribe { packet_id: id(10), properties: Default::default(), filters: filters[..].into() };
    pinned(
        Direction::ToServer,
        Packet::Unsubscribe(unsubscribe),
        &["A2 0D", "00 0A", "00", "00 03 61 2F 62", "00 03 63 2F 64"],
    );
    let properties = UnsubscribeProperties { user_properties: user(&[("k", "v")]) };
    pinned(
        Direction::ToServer,
        Packet::Unsubscribe(Unsubscribe { packet_id: id(1), properties, filters: ["a"][..].into() }),
        &["A2 0D", "00 01", "07", "26 00 01 6B 00 01 76", "00 01 61"],
    );
}

#[test]
fn unsuback() {
    let reasons = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    let unsuback = UnsubAck { packet_id: id(10), properties: Default::default(), reasons: reasons[..].into() };
    pinned(Direction::ToClient, Packet::UnsubAck(unsuback), &["B0 05", "00 0A", "00", "00 11"]);
    let properties = UnsubAckProperties { reason_string: Some("x"), ..Default::default() };
    pinned(
        Direction::ToClient,
        Packet::UnsubAck(UnsubAck { properties, reasons: [ReasonCode::NotAuthorized][..].into(), ..unsuback }),
        &["B0 08", "00 0A", "04", "1F 00 01 78", "87"],
    );
}

#[test]
fn pings() {
    pinned(Direction::ToServer, Packet::PingReq, &["C0 00"]);
    pinned(Direction::ToClient, Packet::PingResp, &["D0 00"]);
}

#[test]
fn disconnect() {
    let (server, client) = (Direction::ToServer, Direction::ToClient);
    pinned(server, Packet::Disconnect(Disconnect::default()), &["E0 00"]);
    pinned(server, Packet::Disconnect(Disconnect::with_reason(ReasonCode::DisconnectWithWill)), &["E0 01 04"]);
    pinned(client, Packet::Disconnect(Disconnect::with_reason(ReasonCode::SessionTakenOver)), &["E0 01 8E"]);
    let properties = DisconnectProperties { session_expiry_interval: Some(0), ..Default::default() };
    let forget = Disconnect { reason: ReasonCode::Success, properties };
    pinned(server, Packet::Disconnect(forget), &["E0 07", "00", "05", "11 00 00 00 00"]);
    let properties = DisconnectProperties {
        session_expiry_interval: None,
        reason_string: Some("moved"),
        server_reference: Some("b:1883"),
        user_properties: user(&[("k", "v")]),
    };
    pinned(
        client,
        Packet::Disconnect(Disconnect { reason: ReasonCode::ServerMoved, properties }),
        &[
            "E0 1A",                      // DISCONNECT, 26 bytes follow
            "9D",                         // server moved
            "18",                         // 24 bytes of properties
            "1F 00 05 6D 6F 76 65 64",    // reason string "moved"
            "1C 00 06 62 3A 31 38 38 33", // server reference "b:1883"
            "26 00 01 6B 00 01 76",       // user property "k", "v"
        ],
    );
}

#[test]
fn auth() {
    let (server, client) = (Direction::ToServer, Direction::ToClient);
    let success = Auth { reason: ReasonCode::Success, properties: AuthProperties::default() };
    pinned(client, Packet::Auth(success), &["F0 00"]);
    let properties = AuthProperties { authentication_method: Some("M"), ..Default::default() };
    let again = Auth { reason: ReasonCode::ReAuthenticate, properties };
    pinned(server, Packet::Auth(again), &["F0 06", "19", "04", "15 00 01 4D"]);
    let properties = AuthProperties {
        authentication_method: Some("SCRAM"),
        authentication_data: Some(&[0xAA, 0xBB]),
        reason_string: Some("go"),
        user_properties: user(&[("k", "v")]),
    };
    for direction in [server, client] {
        pinned(
            direction,
            Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties }),
            &[
                "F0 1B",                   // AUTH, 27 bytes follow
                "18",                      // continue authentication
                "19",                      // 25 bytes of properties
                "15 00 05 53 43 52 41 4D", // authentication method "SCRAM"
                "16 00 02 AA BB",          // authentication data
                "1F 00 02 67 6F",          // reason string "go"
                "26 00 01 6B 00 01 76",    // user property "k", "v"
            ],
        );
    }
}
