//! Packet identifiers, and lists that must not be empty.

use talaria_codec::{Direction, Rule, Version};

use crate::wire::{field, packet, refusal};

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// An empty property block where there is one.
fn no_properties(version: Version) -> &'static [u8] {
    if version == Version::V5 { &[0] } else { &[] }
}

/// MQTT-2.2.1-3, MQTT-2.2.1-4 (3.1.1 MQTT-2.3.1-1): everywhere there is one.
#[test]
fn a_packet_id_is_not_0() {
    for version in VERSIONS {
        let none = no_properties(version);
        let publish = [&*field("t"), &[0, 0], none, b"payload"].concat();
        for flags in [0x32, 0x34, 0x3A, 0x3D] {
            for direction in [Direction::ToServer, Direction::ToClient] {
                assert_eq!(refusal(&packet(flags, &publish), version, direction), Rule::PacketIdZero, "{flags:#04X}");
            }
        }
        for first_byte in [0x40, 0x50, 0x62, 0x70] {
            for direction in [Direction::ToServer, Direction::ToClient] {
                assert_eq!(refusal(&packet(first_byte, &[0, 0]), version, direction), Rule::PacketIdZero);
            }
        }
        let subscribe = [&[0, 0][..], none, &field("t"), &[0]].concat();
        assert_eq!(refusal(&packet(0x82, &subscribe), version, Direction::ToServer), Rule::PacketIdZero);
        let unsubscribe = [&[0, 0][..], none, &field("t")].concat();
        assert_eq!(refusal(&packet(0xA2, &unsubscribe), version, Direction::ToServer), Rule::PacketIdZero);
        for first_byte in [0x90, 0xB0] {
            let body = [&[0, 0][..], none, &[0]].concat();
            assert_eq!(refusal(&packet(first_byte, &body), version, Direction::ToClient), Rule::PacketIdZero);
        }
    }
}

/// MQTT-2.2.1-2: at QoS 0 there is none; what stands in its place is payload, or properties.
#[test]
fn a_publish_at_qos_0_has_no_packet_id() {
    let bytes = packet(0x30, &[&*field("t"), &[0, 7]].concat());
    let Ok(talaria_codec::Packet::Publish(publish)) = crate::wire::read(&bytes, Version::V311, Direction::ToServer)
    else {
        panic!("{bytes:?}")
    };
    assert_eq!((publish.packet_id, publish.payload), (None, &[0, 7][..]));
}

/// MQTT-3.8.3-2 (3.1.1 MQTT-3.8.3-3), MQTT-3.10.3-2.
#[test]
fn a_subscribe_and_an_unsubscribe_have_a_filter() {
    for version in VERSIONS {
        for first_byte in [0x82, 0xA2] {
            let bytes = packet(first_byte, &[&[0, 1][..], no_properties(version)].concat());
            assert_eq!(refusal(&bytes, version, Direction::ToServer), Rule::FiltersMissing);
        }
    }
}

/// Section 3.8.3: every filter has its options.
#[test]
fn a_filter_without_options_is_refused() {
    for version in VERSIONS {
        for filters in [field("t"), [&*field("t"), &[0], &*field("u")].concat()] {
            let bytes = packet(0x82, &[&[0, 1][..], no_properties(version), &filters].concat());
            assert_eq!(refusal(&bytes, version, Direction::ToServer), Rule::Truncated);
        }
    }
}

/// Sections 3.9.3 and 3.11.3: a code for each filter, of which there is one at least; 3.1.1's UNSUBACK has none at all.
#[test]
fn a_suback_and_an_unsuback_have_a_code() {
    assert_eq!(refusal(&packet(0x90, &[0, 1]), Version::V311, Direction::ToClient), Rule::ReasonCodesMissing);
    assert_eq!(refusal(&packet(0x90, &[0, 1, 0]), Version::V5, Direction::ToClient), Rule::ReasonCodesMissing);
    assert_eq!(refusal(&packet(0xB0, &[0, 1, 0]), Version::V5, Direction::ToClient), Rule::ReasonCodesMissing);
    assert_eq!(refusal(&packet(0xB0, &[0, 1, 0]), Version::V311, Direction::ToClient), Rule::BytesLeftOver);
}
