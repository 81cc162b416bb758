//! CONNECT that is refused, and what comes instead of one.

use std::net::TcpStream;

use serde_json::json;
use talaria_codec::{Connect, Packet, ReasonCode, Version};
use talaria_tests::wire::{VERSIONS, Wire, connect_of, encode, keeping};
use talaria_tests::{Person, http};

use crate::{Stage, connack, is_ended};

/// Open at once without having said CONNECT, in HARDENING's words.
const HALF_OPEN: usize = 1000;

#[test]
fn wrong_credentials_get_connack_4_in_3_1_1_and_0x86_in_5_0() {
    // MQTT-3.1.4-2 in 5.0, MQTT-3.2.2-6 in 3.1.1: the code, session present 0, then closed.
    let mut stage = Stage::new();
    let (kim, ann) = (stage.kim.clone(), stage.ann.clone());
    let (cut, longer) = (&kim.token[..kim.token.len() - 1], format!("{}\0", kim.token));
    let wrong = [
        (Some("@kim"), Some("tld_0000000000000000000000000000000000000000000")),
        (Some("@kim"), Some("a password of a person")),
        (Some("@kim"), Some(cut)),
        (Some("@kim"), Some(&*longer)),
        (Some("@kim"), Some("")),
        (Some("@kim"), None),
        // The right token of somebody else.
        (Some("@kim"), Some(&*ann.token)),
        (Some(&*ann.id), Some(&*kim.token)),
        (Some("@nobody"), Some(&*kim.token)),
        (Some("1"), Some(&*kim.token)),
        (Some(""), Some(&*kim.token)),
        (Some("me"), Some(&*kim.token)),
    ];
    for version in VERSIONS {
        for (name, token) in wrong {
            // MQTT-3.1.2-22 of 3.1.1: no password without a name; in 5.0 there may be one.
            let connect =
                Connect { username: name, password: token.map(str::as_bytes), ..Connect::new(version, "laptop") };
            stage.is_refused(&connect, ReasonCode::BadUserNameOrPassword);
        }
        // Nobody at all.
        stage.is_refused(&Connect::new(version, "laptop"), ReasonCode::BadUserNameOrPassword);
    }
}

#[test]
fn the_return_code_of_3_1_1_is_4_and_nothing_else_is_said() {
    let stage = Stage::new();
    let mut wire = Wire::open(stage.server.mqtt(), Version::V311);
    let connect = Connect { password: Some(b"wrong"), ..connect_of(Version::V311, &stage.kim, "laptop") };
    wire.put(&Packet::Connect(connect));
    assert_eq!(wire.received().unwrap().bytes, [0x20, 2, 0, 4]);
    wire.expect_end();
}

#[test]
fn the_account_password_is_no_credential() {
    let mut stage = Stage::new();
    assert!(stage.server.home().run(["user", "add", "@pat"], "winged sandals\n").status.success());
    for version in VERSIONS {
        let connect =
            Connect { username: Some("@pat"), password: Some(b"winged sandals"), ..Connect::new(version, "laptop") };
        stage.is_refused(&connect, ReasonCode::BadUserNameOrPassword);
    }
}

#[test]
fn an_access_token_is_a_credential_as_long_as_every_part_of_it_is_right() {
    let mut stage = Stage::new();
    assert!(stage.server.home().run(["user", "add", "@pat"], "winged sandals\n").status.success());
    let login = json!({"handle": "@pat", "password": "winged sandals", "device": "phone"});
    let answer = http::request(stage.server.http(), "POST", "/v1/tokens", None, Some(&login)).is(201);
    let token = answer["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("no JWT") };
    // `{"alg":"none","typ":"JWT"}`.
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let turned: String = signature.chars().rev().collect();
    for version in VERSIONS {
        let connect = |token: &'_ str| {
            let person = Person { handle: "@pat".to_owned(), id: String::new(), token: token.to_owned() };
            encode(&Packet::Connect(connect_of(version, &person, "laptop")), version)
        };
        let mut wire = Wire::open(stage.server.mqtt(), version);
        wire.send(&connect(token));
        assert_eq!(connack(&wire.answer()), (false, ReasonCode::Success));
        let short = format!("{head}.{claims}");
        for wrong in [&short, &format!("{head}.{claims}.{turned}"), &unsigned, &format!("{token}\0")] {
            let mut wire = Wire::open(stage.server.mqtt(), version);
            wire.send(&connect(wrong));
            assert_eq!(connack(&wire.answer()), (false, ReasonCode::BadUserNameOrPassword));
            wire.expect_end();
            stage.others_go_on();
        }
        wire.ping();
    }
}

#[test]
fn a_name_may_be_the_id_or_the_handle_and_be_left_out_in_5_0() {
    let stage = Stage::new();
    let kim = &stage.kim;
    let right = [(Version::V311, Some(&kim.handle)), (Version::V311, Some(&kim.id)), (Version::V5, Some(&kim.handle))];
    for (version, name) in right.into_iter().chain([(Version::V5, Some(&kim.id)), (Version::V5, None)]) {
        let connect = Connect { username: name.map(String::as_str), ..connect_of(version, kim, "laptop") };
        let (mut wire, _) = Wire::log_in(stage.server.mqtt(), &connect);
        wire.ping();
    }
}

#[test]
fn client_ids_are_1_to_128_printable_bytes_and_empty_only_for_a_clean_session() {
    // MQTT-3.1.3-8 of 3.1.1, where the code is 2; MQTT-3.1.3-8 of 5.0, where it is 0x85.
    let mut stage = Stage::new();
    let (kim, longest) = (stage.kim.clone(), "한".repeat(42) + "ab");
    for version in VERSIONS {
        for wrong in [&*format!("{longest}c"), "a\tb", "a\u{85}b"] {
            stage.is_refused(&connect_of(version, &kim, wrong), ReasonCode::ClientIdentifierNotValid);
        }
        Wire::log_in(stage.server.mqtt(), &keeping(version, &kim, &longest)).0.leave();
    }
}

#[test]
fn an_empty_client_id_that_is_to_be_kept_is_refused() {
    // MQTT-3.1.3-8 of 3.1.1.
    let mut stage = Stage::new();
    for version in VERSIONS {
        let mut connect = encode(&Packet::Connect(connect_of(version, &stage.kim, "")), version);
        // Behind the fixed header of two bytes, the protocol's name and its level: Clean Start is taken away.
        assert_eq!((connect[4..9].to_vec(), connect[9] & 2), ([b"MQTT", &[version.level()][..]].concat(), 2));
        connect[9] &= !2;
        let mut wire = Wire::open(stage.server.mqtt(), version);
        wire.send(&connect);
        assert_eq!(connack(&wire.answer()), (false, ReasonCode::ClientIdentifierNotValid), "{version:?}");
        wire.expect_end();
        stage.others_go_on();
    }
}

#[test]
fn an_empty_client_id_is_assigned_one_that_nobody_else_has() {
    // MQTT-3.1.3-6, MQTT-3.1.3-7.
    let stage = Stage::new();
    let mut assigned = Vec::new();
    let mut wires = Vec::new();
    for _ in 0..2 {
        let (wire, answer) = Wire::connect(stage.server.mqtt(), &connect_of(Version::V5, &stage.kim, ""));
        let Packet::ConnAck(ack) = answer.packet() else { panic!("{answer:?}") };
        assigned.push(ack.properties.assigned_client_identifier.unwrap().to_owned());
        wires.push(wire);
        wires.push(Wire::log_in(stage.server.mqtt(), &connect_of(Version::V311, &stage.kim, "")).0);
    }
    assert_ne!(assigned[0], assigned[1]);
    assert!(assigned.iter().all(|client_id| (1..=128).contains(&client_id.len())));
    // None of them took another one over.
    wires.iter_mut().for_each(Wire::ping);
}

#[test]
fn a_version_that_nobody_knows_gets_the_code_for_it() {
    // MQTT-3.1.2-2: 0x01 in the form of 3.1.1, or 0x84 in that of 5.0.
    let mut stage = Stage::new();
    for level in [3, 6] {
        let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
        let body = [&[0, 4][..], b"MQTT", &[level, 2, 0, 60, 0, 0, 1, b'x']].concat();
        wire.send(&[&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat());
        let answer = wire.received().unwrap().bytes;
        assert!(answer == [0x20, 2, 0, 1] || answer == [0x20, 3, 0, 0x84, 0], "{level}: {answer:02x?}");
        wire.expect_end();
        stage.others_go_on();
    }
}

#[test]
fn an_authentication_method_is_refused_with_0x8c() {
    let mut stage = Stage::new();
    let kim = stage.kim.clone();
    let mut connect = connect_of(Version::V5, &kim, "laptop");
    connect.properties.authentication_method = Some("SCRAM-SHA-256");
    stage.is_refused(&connect, ReasonCode::BadAuthenticationMethod);
}

#[test]
fn a_first_packet_that_is_no_connect_is_closed_without_a_word() {
    // MQTT-3.1.0-1.
    let mut stage = Stage::new();
    for first in [
        &[0xC0, 0][..],
        &[0xE0, 0],
        &[0x30, 4, 0, 1, b'a', b'x'],
        &[0x82, 6, 0, 1, 0, 1, b'a', 0],
        b"GET / HTTP/1.1\r\n",
    ] {
        let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
        wire.send(first);
        assert_eq!(wire.received(), None, "{first:02x?}");
        stage.others_go_on();
    }
}

#[test]
fn before_login_a_packet_above_64_kib_is_closed_before_it_is_sent() {
    let mut stage = Stage::new();
    for announced in [&[0x10, 0xFD, 0xFF, 0x03][..], &[0x10, 0xFF, 0xFF, 0xFF, 0x7F]] {
        let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
        wire.send(announced);
        wire.expect_end();
        stage.others_go_on();
    }
    // The largest that fits is read to its end: what is wrong with it is what it says.
    let rest =
        [&[0, 4][..], b"MQTT", &[4, 0xC2, 0, 60, 0, 1, b'x', 0, 4], b"@kim", &[0xFF, 0xE7], &[b'y'; 0xFFE7]].concat();
    assert_eq!(rest.len(), 64 * 1024 - 4);
    let mut wire = Wire::open(stage.server.mqtt(), Version::V311);
    wire.send(&[0x10, 0xFC, 0xFF, 0x03]);
    wire.send(&rest);
    assert_eq!(connack(&wire.answer()), (false, ReasonCode::BadUserNameOrPassword));
}

#[test]
fn a_second_connect_ends_the_connection() {
    // MQTT-3.1.0-2.
    let mut stage = Stage::new();
    for version in VERSIONS {
        let mut wire = stage.kim(version);
        wire.put(&Packet::Connect(connect_of(version, &stage.kim, "laptop")));
        is_ended(&mut wire, version, ReasonCode::ProtocolError);
        stage.others_go_on();
    }
}

#[test]
fn packets_behind_connect_are_served_after_connack_and_not_after_a_refusal() {
    // MQTT-3.1.4-4, MQTT-3.1.4-6.
    let stage = Stage::new();
    let ping = encode(&Packet::PingReq, Version::V5);
    let connect = connect_of(Version::V5, &stage.kim, "laptop");
    let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
    wire.send(&[encode(&Packet::Connect(connect), Version::V5), ping.clone()].concat());
    assert_eq!(connack(&wire.answer()).1, ReasonCode::Success);
    assert_eq!(wire.answer().packet(), Packet::PingResp);
    let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
    let wrong = Connect { password: Some(b"wrong"), ..connect };
    wire.send(&[encode(&Packet::Connect(wrong), Version::V5), ping].concat());
    assert_eq!(connack(&wire.answer()).1, ReasonCode::BadUserNameOrPassword);
    wire.expect_end();
}

#[test]
fn a_thousand_half_open_connections_keep_nobody_out() {
    let mut stage = Stage::new();
    let half = encode(&Packet::Connect(connect_of(Version::V5, &stage.kim, "half")), Version::V5);
    let sockets: Vec<TcpStream> = (0..HALF_OPEN)
        .map(|number| {
            let mut wire = Wire::open(stage.server.mqtt(), Version::V5);
            // Some say nothing, some stop in the middle.
            wire.send(&half[..number % half.len()]);
            wire.into_stream()
        })
        .collect();
    stage.kim(Version::V5).say("user/me/message", "a note");
    stage.others_go_on();
    drop(sockets);
    stage.others_go_on();
}

#[test]
fn a_client_that_goes_before_connack_leaves_no_trace() {
    let mut stage = Stage::new();
    let connect = encode(&Packet::Connect(connect_of(Version::V311, &stage.kim, "laptop")), Version::V311);
    for _ in 0..20 {
        let mut wire = Wire::open(stage.server.mqtt(), Version::V311);
        wire.send(&connect);
        wire.break_off();
        let (mut wire, is_present) =
            Wire::log_in(stage.server.mqtt(), &connect_of(Version::V311, &stage.kim, "laptop"));
        assert!(!is_present);
        wire.ping();
    }
    stage.others_go_on();
}
