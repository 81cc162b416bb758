//! What a broken packet is answered with (section 4.13), and what it says in logs.

use proptest::prelude::*;
use talaria_codec::{ConnAck, Direction, Disconnect, Packet, ReasonCode, Version, decode};

use crate::random::{Checked, check};
use crate::wire::{field, hex, packet, read, written};

/// Section 4.13.1: malformed packets 0x81, protocol errors 0x82, and the codes that say more.
#[test]
fn a_refusal_names_its_reason() {
    use Direction::{ToClient, ToServer};
    for (bytes, direction, reason) in [
        // Reserved flags, a string that is none, a property that is none, a byte left over.
        ("C1 00", ToServer, ReasonCode::MalformedPacket),
        ("30 04 00 01 FF 00", ToServer, ReasonCode::MalformedPacket),
        ("40 06 00 01 00 02 7E 00", ToServer, ReasonCode::MalformedPacket),
        ("C0 01 00", ToServer, ReasonCode::MalformedPacket),
        // Section 3.3.1.2 and section 3.8.3.1.
        ("36 06 00 01 74 00 01 00", ToServer, ReasonCode::MalformedPacket),
        ("82 07 00 01 00 00 01 74 C0", ToServer, ReasonCode::MalformedPacket),
        // A property twice, one out of range, one from the wrong side.
        ("30 08 00 01 74 04 01 00 01 00", ToServer, ReasonCode::ProtocolError),
        ("30 06 00 01 74 02 01 02", ToServer, ReasonCode::ProtocolError),
        ("30 06 00 01 74 02 0B 01", ToServer, ReasonCode::ProtocolError),
        ("E0 07 00 05 11 00 00 00 00", ToClient, ReasonCode::ProtocolError),
        // The other side's packet, no filter, No Local on a shared subscription.
        ("90 04 00 01 00 00", ToServer, ReasonCode::ProtocolError),
        ("82 03 00 01 00", ToServer, ReasonCode::ProtocolError),
        ("82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 74 04", ToServer, ReasonCode::ProtocolError),
        // Topics.
        ("30 04 00 01 23 00", ToServer, ReasonCode::TopicNameInvalid),
        ("82 08 00 01 00 00 02 61 23 00", ToServer, ReasonCode::TopicFilterInvalid),
        ("30 06 00 00 03 23 00 00", ToServer, ReasonCode::TopicAliasInvalid),
    ] {
        let refused = read_error(&hex(bytes), direction);
        assert_eq!(refused.reason(), reason, "{bytes}: {refused}");
    }
}

fn read_error(bytes: &[u8], direction: Direction) -> talaria_codec::DecodeError {
    read(bytes, Version::V5, direction).err().unwrap_or_else(|| panic!("accepted {bytes:02X?}"))
}

/// MQTT-3.1.2-2, MQTT-3.1.4-1; 3.1.1 MQTT-3.1.2-2, 3.1.1 MQTT-3.1.3-8, 3.1.1 MQTT-3.1.4-1.
#[test]
fn a_broken_connect_is_refused_in_its_own_version() {
    let connect = |name: &str, level: u8, rest: &[u8]| packet(0x10, &[&*field(name), &[level], rest].concat());
    let good_311 = [&[2, 0, 0][..], &field("c")].concat();
    let unsupported = ReasonCode::UnsupportedProtocolVersion;
    for (bytes, level, answer) in [
        // No level was read, or no MQTT: without a word.
        (connect("MQIsdp", 3, &good_311), None, None),
        (packet(0x10, &field("MQTT")), None, None),
        (packet(0x10, &[]), None, None),
        // Levels of others, in the nearest version; the highest bit marks bridges.
        (connect("MQTT", 3, &good_311), Some(3), Some((Version::V311, unsupported))),
        (connect("MQTT", 0, &[]), Some(0), Some((Version::V311, unsupported))),
        (connect("MQTT", 0x84, &good_311), Some(0x84), Some((Version::V311, unsupported))),
        (connect("MQTT", 6, &good_311), Some(6), Some((Version::V5, unsupported))),
        (connect("MQTT", 0xFF, &[]), Some(0xFF), Some((Version::V5, unsupported))),
        // 3.1.1 has a code for the client id and for nothing else.
        (connect("MQTT", 4, &[0, 0, 0, 0, 0]), Some(4), Some((Version::V311, ReasonCode::ClientIdentifierNotValid))),
        (connect("MQTT", 4, &[1, 0, 0]), Some(4), None),
        (connect("MQTT", 4, &[2, 0, 0]), Some(4), None),
        // 5.0 has codes for all of it.
        (connect("MQTT", 5, &[1, 0, 0]), Some(5), Some((Version::V5, ReasonCode::MalformedPacket))),
        (connect("MQTT", 5, &[2, 0, 0]), Some(5), Some((Version::V5, ReasonCode::MalformedPacket))),
        (connect("MQTT", 5, &[2, 0, 0, 3, 0x21, 0, 0]), Some(5), Some((Version::V5, ReasonCode::ProtocolError))),
    ] {
        let refused = read_error(&bytes, Direction::ToServer);
        assert_eq!((refused.protocol_level(), refused.connack()), (level, answer), "{bytes:02X?}: {refused}");
    }
    // Other packets are not answered by a CONNACK.
    assert_eq!(read_error(&hex("C1 00"), Direction::ToServer).connack(), None);
}

/// Whatever a client sends, the answer can be written: a CONNACK to a CONNECT, a DISCONNECT in 5.0 to everything.
#[test]
fn every_answer_can_be_written() {
    let bodies = prop::collection::vec(any::<u8>(), 0..20);
    let connects = (any::<u8>(), any::<u8>(), bodies.clone())
        .prop_map(|(level, flags, rest)| packet(0x10, &[&*field("MQTT"), &[level % 8, flags], &rest].concat()));
    let others = (any::<u8>(), bodies).prop_map(|(first_byte, body)| packet(first_byte, &body));
    check(20_000, &prop_oneof![connects, others], |bytes| {
        for version in [Version::V311, Version::V5] {
            let Err(refused) = decode(&bytes, version, Direction::ToServer) else { continue };
            let disconnect = Packet::Disconnect(Disconnect::with_reason(refused.reason()));
            can_be_sent(&disconnect, Version::V5)?;
            if let Some((version, reason)) = refused.connack() {
                can_be_sent(&Packet::ConnAck(ConnAck { reason, ..Default::default() }), version)?;
            }
        }
        Ok(())
    });
}

fn can_be_sent(answer: &Packet<'_>, version: Version) -> Checked {
    let bytes = written(answer, version);
    prop_assert_eq!(read(&bytes, version, Direction::ToClient), Ok(*answer));
    Ok(())
}

/// MQTT-3.1.0-2: a second CONNECT is a protocol error, also one that is broken in a way only a CONNACK has a code for.
#[test]
fn a_broken_second_connect_is_told_a_protocol_error() {
    for (level, flags, client_id) in [(3, 2, "c"), (6, 2, "c"), (4, 0, "")] {
        let bytes = packet(0x10, &[&*field("MQTT"), &[level, flags, 0, 0], &field(client_id)].concat());
        assert_eq!(read_error(&bytes, Direction::ToServer).reason(), ReasonCode::ProtocolError);
    }
}

/// A message for the log: the rule, and no bytes of the peer.
#[test]
fn a_refusal_says_which_rule_was_broken() {
    let refused = read_error(&hex("82 08 00 01 00 00 02 61 23 00"), Direction::ToServer);
    assert_eq!(
        refused.to_string(),
        "topic filter: a wildcard does not fill its level, or # is not last (MQTT-4.7.1-1, MQTT-4.7.1-2)"
    );
}
