//! Packets that break the standard, or a bound.

use talaria_codec::{ReasonCode, Version};
use talaria_tests::wire::VERSIONS;

use crate::{Stage, is_ended};

use ReasonCode::{MalformedPacket, PacketTooLarge, ProtocolError, TopicFilterInvalid, TopicNameInvalid};

/// Wrong in both versions: what is wrong, the bytes in 3.1.1, those in 5.0, the reason.
const WRONG: &[(&str, &[u8], &[u8], ReasonCode)] = &[
    ("reserved packet type 0 (MQTT-2.1.2)", &[0x00, 0], &[0x00, 0], MalformedPacket),
    ("reserved flags of PINGREQ (MQTT-2.1.3-1)", &[0xC1, 0], &[0xC1, 0], MalformedPacket),
    (
        "reserved flags of SUBSCRIBE (MQTT-3.8.1-1)",
        b"\x80\x06\0\x01\0\x01a\0",
        b"\x80\x07\0\x01\0\0\x01a\0",
        MalformedPacket,
    ),
    ("reserved flags of PUBREL (MQTT-3.6.1-1)", &[0x60, 2, 0, 1], &[0x60, 2, 0, 1], MalformedPacket),
    ("a length of five bytes", b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\xff\x01", MalformedPacket),
    ("a length longer than needed", &[0xC0, 0x80, 0x00], &[0xC0, 0x80, 0x00], MalformedPacket),
    ("QoS 3 (MQTT-3.3.1-4)", b"\x36\x06\0\x01a\0\x01x", b"\x36\x07\0\x01a\0\x01\0x", MalformedPacket),
    ("DUP at QoS 0 (MQTT-3.3.1-2)", b"\x38\x04\0\x01ax", b"\x38\x05\0\x01a\0x", MalformedPacket),
    ("packet id 0 of PUBLISH (MQTT-2.2.1-3)", b"\x32\x06\0\x01a\0\0x", b"\x32\x07\0\x01a\0\0\0x", ProtocolError),
    ("packet id 0 of SUBSCRIBE (MQTT-2.2.1-3)", b"\x82\x06\0\0\0\x01a\0", b"\x82\x07\0\0\0\0\x01a\0", ProtocolError),
    ("an empty topic (MQTT-4.7.3-1)", b"\x30\x03\0\0x", b"\x30\x04\0\0\0x", ProtocolError),
    ("a wildcard in a topic (MQTT-3.3.2-2)", b"\x30\x04\0\x01#x", b"\x30\x05\0\x01#\0x", TopicNameInvalid),
    ("U+0000 in a topic (MQTT-1.5.4-2)", b"\x30\x05\0\x02a\0x", b"\x30\x06\0\x02a\0\0x", TopicNameInvalid),
    (
        "a surrogate in a topic (MQTT-1.5.4-1)",
        b"\x30\x06\0\x03\xed\xa0\xbdx",
        b"\x30\x07\0\x03\xed\xa0\xbd\0x",
        MalformedPacket,
    ),
    ("a topic longer than its packet", b"\x30\x03\0\x09x", b"\x30\x03\0\x09x", MalformedPacket),
    (
        "a malformed filter (MQTT-4.7.1-1)",
        b"\x82\x07\0\x01\0\x02a#\0",
        b"\x82\x08\0\x01\0\0\x02a#\0",
        TopicFilterInvalid,
    ),
    ("SUBSCRIBE without a filter (MQTT-3.8.3-2)", b"\x82\x02\0\x01", b"\x82\x03\0\x01\0", ProtocolError),
    ("UNSUBSCRIBE without a filter (MQTT-3.10.3-2)", b"\xa2\x02\0\x01", b"\xa2\x03\0\x01\0", ProtocolError),
    (
        "reserved bits of the options (MQTT-3.8.3-5)",
        b"\x82\x06\0\x01\0\x01a\x80",
        b"\x82\x07\0\x01\0\0\x01a\x80",
        MalformedPacket,
    ),
    ("bytes left over", b"\x40\x03\0\x01\0", b"\x40\x05\0\x01\0\0x", MalformedPacket),
    ("a packet that only a server sends: CONNACK", &[0x20, 2, 0, 0], &[0x20, 3, 0, 0, 0], ProtocolError),
    ("a packet that only a server sends: SUBACK", &[0x90, 3, 0, 1, 0], &[0x90, 4, 0, 1, 0, 0], ProtocolError),
    ("a packet that only a server sends: PINGRESP", &[0xD0, 0], &[0xD0, 0], ProtocolError),
    ("a PUBLISH above 2 MiB", b"\x30\xfd\xff\x7f", b"\x30\xfd\xff\x7f", PacketTooLarge),
];

/// Wrong in 5.0, which alone has properties.
const WRONG_IN_5_0: &[(&str, &[u8], ReasonCode)] = &[
    ("a property twice (MQTT-3.3.2)", b"\x30\x0a\0\x01a\x04\x01\0\x01\0xy", ProtocolError),
    ("a property of another packet", b"\x30\x0a\0\x01a\x05\x11\0\0\0\x01x", MalformedPacket),
    (
        "a topic alias, of which none is allowed (MQTT-3.3.2-9)",
        b"\x30\x08\0\x01a\x03\x23\0\x01x",
        ReasonCode::TopicAliasInvalid,
    ),
    ("a malformed shared subscription (MQTT-4.8.2-1)", b"\x82\x10\0\x01\0\0\x0a$share//xy\0", TopicFilterInvalid),
    ("AUTH without a method (MQTT-4.12.0-6)", b"\xf0\x02\x18\0", ProtocolError),
];

/// Each over a connection of its own that was of use a moment ago.
fn ends(stage: &mut Stage, version: Version, what: &str, bytes: &[u8], reason: ReasonCode) {
    let mut wire = stage.kim(version);
    wire.ping();
    eprintln!("{version:?}: {what}");
    wire.send(bytes);
    is_ended(&mut wire, version, reason);
    stage.others_go_on();
}

#[test]
fn a_malformed_packet_ends_its_connection_with_its_reason_and_no_other() {
    // MQTT-4.13.1-1; 3.1.1 MQTT-4.8.0-1.
    let mut stage = Stage::new();
    for (what, in_3_1_1, in_5_0, reason) in WRONG {
        for (version, bytes) in VERSIONS.into_iter().zip([in_3_1_1, in_5_0]) {
            ends(&mut stage, version, what, bytes, *reason);
        }
    }
    for (what, bytes, reason) in WRONG_IN_5_0 {
        ends(&mut stage, Version::V5, what, bytes, *reason);
    }
}

#[test]
fn the_largest_packet_that_is_announced_is_taken() {
    // MQTT-3.2.2-15: Maximum Packet Size. 2 MiB, most of it in a field that nobody reads.
    let mut stage = Stage::new();
    const BYTES: usize = 2 * 1024 * 1024;
    let mut packet = b"\x32\xfc\xff\x7f\0\x0fuser/me/message\0\x01{\"text\":\"x\",\"unknown\":\"".to_vec();
    packet.resize(BYTES - 2, b'y');
    packet.extend_from_slice(b"\"}");
    let mut wire = stage.kim(Version::V311);
    wire.send(&packet);
    assert_eq!(wire.answer().ack_reason(), ReasonCode::Success);
    stage.others_go_on();
}

#[test]
fn legal_short_forms_are_taken() {
    // Sections 3.4.2.1 and 3.14.2.1 of 5.0: a reason and properties may be left out.
    let mut stage = Stage::new();
    for bytes in [&[0xE0, 0][..], &[0xE0, 1, 0], &[0xE0, 2, 0, 0]] {
        let mut wire = stage.kim(Version::V5);
        // PUBACKs of nothing, long and short.
        wire.send(b"\x40\x02\0\x07\x40\x03\0\x07\0\x40\x04\0\x07\0\0");
        wire.ping();
        wire.send(bytes);
        wire.expect_end();
    }
    stage.others_go_on();
}
