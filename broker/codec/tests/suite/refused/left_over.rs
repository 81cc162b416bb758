//! Bytes that are left over, and fields that reach past their end (section 4.13.1).

use proptest::prelude::*;
use talaria_codec::{Direction, Packet, Rule, Version, decode};

use crate::packets::types;
use crate::random::check;
use crate::wire::{WAYS, packet, read, refusal, written};

/// A byte more inside the packet's length. PUBLISH ends in its payload, and SUBACK in codes, of which it may have more;
/// the same holds of a filter list, but one byte is no filter.
#[test]
fn a_packet_with_a_byte_left_over_is_refused() {
    for (version, direction) in WAYS {
        for (name, packets) in types(version, direction) {
            if ["PUBLISH", "SUBACK"].contains(&name) || name == "UNSUBACK" && version == Version::V5 {
                continue;
            }
            check(50, &packets, |whole| {
                let bytes = written(&whole, version);
                let is_short = is_short_form(&whole, version, bytes.len());
                let longer = with_more_body(&bytes, &[0x7F]);
                let refused = decode(&longer, version, direction).map_err(|error| error.rule());
                let expected = match whole {
                    // What is left out of a short form comes next, and 0x7F is no reason code and no filter.
                    _ if is_short => [Rule::ReasonCodeUnknown, Rule::Truncated],
                    Packet::Subscribe(_) | Packet::Unsubscribe(_) => [Rule::Truncated; 2],
                    _ => [Rule::BytesLeftOver; 2],
                };
                prop_assert!(
                    refused.is_err_and(|rule| expected.contains(&rule)),
                    "{} {:?}: {:?}",
                    name,
                    whole,
                    refused
                );
                Ok(())
            });
        }
    }
}

/// Whether reason or properties were left out.
fn is_short_form(packet: &Packet<'_>, version: Version, packet_bytes: usize) -> bool {
    let whole_bytes_min = match packet {
        _ if version == Version::V311 => 0,
        Packet::PubAck(_) | Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) => 2 + 4,
        Packet::Disconnect(_) | Packet::Auth(_) => 2 + 2,
        _ => 0,
    };
    packet_bytes < whole_bytes_min
}

fn with_more_body(bytes: &[u8], more: &[u8]) -> Vec<u8> {
    let header_bytes = 1 + bytes[1..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    packet(bytes[0], &[&bytes[header_bytes..], more].concat())
}

/// PINGREQ and PINGRESP have nothing behind the fixed header (sections 3.12 and 3.13), and in 3.1.1 DISCONNECT neither.
#[test]
fn a_ping_has_no_body() {
    for version in [Version::V311, Version::V5] {
        assert_eq!(refusal(&packet(0xC0, &[0]), version, Direction::ToServer), Rule::BytesLeftOver);
        assert_eq!(refusal(&packet(0xD0, &[0]), version, Direction::ToClient), Rule::BytesLeftOver);
    }
    assert_eq!(refusal(&packet(0xE0, &[0]), Version::V311, Direction::ToServer), Rule::BytesLeftOver);
    assert_eq!(refusal(&packet(0x40, &[0, 1, 0]), Version::V311, Direction::ToServer), Rule::BytesLeftOver);
    assert_eq!(refusal(&packet(0x20, &[0, 0, 0]), Version::V311, Direction::ToClient), Rule::BytesLeftOver);
}

/// A property block that says more than there is, or ends inside a property.
#[test]
fn a_property_block_ends_where_it_says() {
    for (body, rule) in [
        // The block is longer than the packet.
        (&[0, 1, 0, 5, 0x1F][..], Rule::Truncated),
        // Its only string is longer than the block, though the packet has the bytes.
        (&[0, 1, 0, 4, 0x1F, 0, 3, b'a', b'b', b'c'], Rule::Truncated),
        // The block ends before the packet does.
        (&[0, 1, 0, 0, 0x1F, 0, 1, b'a'], Rule::BytesLeftOver),
        // The block ends in an identifier.
        (&[0, 1, 0, 1, 0x1F], Rule::Truncated),
        // The length of the block has more bytes than it needs, or than it may have.
        (&[0, 1, 0, 0x80, 0x00], Rule::LengthOverlong),
        (&[0, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x01], Rule::LengthTooLong),
        (&[0, 1, 0, 0x80], Rule::Truncated),
    ] {
        assert_eq!(refusal(&packet(0x40, body), Version::V5, Direction::ToServer), rule, "{body:02X?}");
    }
    assert!(read(&packet(0x40, &[0, 1, 0, 4, 0x1F, 0, 1, b'a']), Version::V5, Direction::ToServer).is_ok());
}

/// A string or a topic longer than the packet.
#[test]
fn a_field_reaches_no_further_than_the_packet() {
    for version in [Version::V311, Version::V5] {
        for body in [&[0xFF, 0xFF][..], &[0, 2, b't'], &[0], &[]] {
            assert_eq!(refusal(&packet(0x30, body), version, Direction::ToServer), Rule::Truncated, "{body:02X?}");
        }
    }
}
