//! Bits of the fixed header and of the flag bytes behind it.

use talaria_codec::{Direction, Rule, Version, decode, frame};

use crate::wire::{WAYS, field, packet, refusal};

/// MQTT-2.1.3-1 (3.1.1 MQTT-2.2.2-1), and with it MQTT-3.8.1-1, MQTT-3.10.1-1, MQTT-3.6.1-1, MQTT-3.14.1-1, MQTT-3.15.1-1:
/// every type but PUBLISH has one value of its flags.
#[test]
fn reserved_flags_have_their_one_value() {
    for packet_type in (1..=15_u8).filter(|&packet_type| packet_type != 3) {
        let expected = if [6, 8, 10].contains(&packet_type) { 0b0010 } else { 0 };
        for flags in (0..16).filter(|&flags| flags != expected) {
            let bytes = packet(packet_type << 4 | flags, &[0; 8]);
            for (version, direction) in WAYS {
                assert_eq!(refusal(&bytes, version, direction), Rule::FixedHeaderFlags, "{packet_type} {flags:04b}");
            }
        }
        let first_byte = packet_type << 4 | expected;
        assert!(frame(&[first_byte], 100).is_ok(), "{packet_type} {expected:04b}");
    }
}

/// Section 2.1.2: type 0 is reserved.
#[test]
fn packet_type_0_is_refused() {
    for flags in 0..16 {
        for (version, direction) in WAYS {
            assert_eq!(refusal(&packet(flags, &[]), version, direction), Rule::PacketTypeReserved, "{flags:04b}");
        }
    }
}

/// MQTT-3.3.1-4, whatever the other flags are.
#[test]
fn a_publish_has_no_qos_3() {
    for flags in [0b0110, 0b0111, 0b1110, 0b1111] {
        for (version, direction) in WAYS {
            let bytes = packet(0x30 | flags, b"\x00\x01t\x00\x01\x00payload");
            assert_eq!(refusal(&bytes, version, direction), Rule::QoSThree, "{flags:04b}");
        }
    }
}

/// MQTT-3.3.1-2.
#[test]
fn a_publish_at_qos_0_has_no_dup() {
    for flags in [0b1000, 0b1001] {
        for (version, direction) in WAYS {
            let bytes = packet(0x30 | flags, b"\x00\x01t\x00payload");
            assert_eq!(refusal(&bytes, version, direction), Rule::DupWithQoSZero, "{flags:04b}");
        }
    }
}

/// MQTT-3.2.2-1: bits 7 to 1 are reserved.
#[test]
fn the_connack_flags_have_one_bit() {
    for flags in 2..=u8::MAX {
        for (version, body) in [(Version::V311, vec![flags, 0]), (Version::V5, vec![flags, 0, 0])] {
            assert_eq!(refusal(&packet(0x20, &body), version, Direction::ToClient), Rule::ConnAckFlags, "{flags:08b}");
        }
    }
}

/// MQTT-3.2.2-6; 3.1.1 MQTT-3.2.2-4.
#[test]
fn a_refusal_has_no_session_present() {
    for (version, body) in [(Version::V311, &[1, 5][..]), (Version::V5, &[1, 0x87, 0])] {
        assert_eq!(refusal(&packet(0x20, body), version, Direction::ToClient), Rule::SessionPresentInRefusal);
    }
}

/// MQTT-3.8.3-5, section 3.8.3.1; 3.1.1 MQTT-3-8.3-4: in 3.1.1 the QoS has the byte for itself.
#[test]
fn subscription_options_are_in_range() {
    for options in 0..=u8::MAX {
        let expected_in_5 = match options {
            _ if options & 0xC0 != 0 => Some(Rule::SubscribeOptionsReserved),
            _ if options & 0x30 == 0x30 => Some(Rule::RetainHandlingThree),
            _ if options & 0x03 == 0x03 => Some(Rule::QoSThree),
            _ => None,
        };
        let expected_in_311 = match options {
            0..=2 => None,
            3 => Some(Rule::QoSThree),
            _ => Some(Rule::SubscribeOptionsReserved),
        };
        let filter = [&*field("a/b"), &[options]].concat();
        for (version, head, expected) in
            [(Version::V311, &[0, 1][..], expected_in_311), (Version::V5, &[0, 1, 0], expected_in_5)]
        {
            let bytes = packet(0x82, &[head, &filter].concat());
            let refused = decode(&bytes, version, Direction::ToServer).err().map(|error| error.rule());
            assert_eq!(refused, expected, "{options:08b} {version:?}");
        }
    }
}
