//! CONNECT that contradicts itself (section 3.1).

use talaria_codec::{Direction, Rule, Version};

use crate::wire::{field, packet, read, refusal};

const LEVELS: [(u8, Version); 2] = [(4, Version::V311), (5, Version::V5)];

/// A CONNECT without properties, with what follows the keep-alive.
fn connect(name: &[u8], level: u8, flags: u8, payload: &[&[u8]]) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    packet(0x10, &[&*field(name), &[level, flags, 0, 60], properties, &payload.concat()].concat())
}

fn refused(bytes: &[u8], version: Version) -> Rule {
    refusal(bytes, version, Direction::ToServer)
}

/// MQTT-3.1.2-1: the four letters and no others, 3.1's `MQIsdp` neither.
#[test]
fn the_protocol_name_is_mqtt() {
    for name in ["MQIsdp", "mqtt", "MQT", "MQTTT", "", "MQT\0", "HTTP"] {
        for (level, version) in LEVELS {
            assert_eq!(
                refused(&connect(name.as_bytes(), level, 2, &[&field("c")]), version),
                Rule::ProtocolName,
                "{name}"
            );
        }
    }
}

/// MQTT-3.1.2-2: 4 and 5; 3 is the 3.1 that came before, the highest bit marks bridges of some brokers.
#[test]
fn the_protocol_level_is_4_or_5() {
    for level in (0..=u8::MAX).filter(|level| ![4, 5].contains(level)) {
        assert_eq!(refused(&connect(b"MQTT", level, 2, &[&field("c")]), Version::V5), Rule::ProtocolLevel, "{level}");
    }
}

/// MQTT-3.1.2-3.
#[test]
fn the_reserved_connect_flag_is_zero() {
    for (level, version) in LEVELS {
        let bytes = connect(b"MQTT", level, 0x03, &[&field("c")]);
        assert_eq!(refused(&bytes, version), Rule::ConnectFlagReserved);
    }
}

/// MQTT-3.1.2-11, MQTT-3.1.2-13; 3.1.1 MQTT-3.1.2-13, 3.1.1 MQTT-3.1.2-15.
#[test]
fn without_a_will_there_is_no_will_qos_and_no_will_retain() {
    for (level, version) in LEVELS {
        for flags in [0x02 | 0x08, 0x02 | 0x10, 0x02 | 0x18, 0x02 | 0x20, 0x02 | 0x38] {
            let bytes = connect(b"MQTT", level, flags, &[&field("c")]);
            assert_eq!(refused(&bytes, version), Rule::WillFlags, "{flags:#04X}");
        }
    }
}

/// MQTT-3.1.2-12; 3.1.1 MQTT-3.1.2-14.
#[test]
fn a_will_has_no_qos_3() {
    for (level, version) in LEVELS {
        let will_properties: &[u8] = if level == 5 { &[0] } else { &[] };
        let payload = [&*field("c"), will_properties, &field("t"), &field("bye")];
        assert_eq!(refused(&connect(b"MQTT", level, 0x02 | 0x04 | 0x18, &payload), version), Rule::QoSThree);
        assert!(read(&connect(b"MQTT", level, 0x02 | 0x04 | 0x10, &payload), version, Direction::ToServer).is_ok());
    }
}

/// MQTT-3.1.3-1: what a flag announces is there, in this order.
#[test]
fn what_a_flag_announces_is_there() {
    for (level, version) in LEVELS {
        for flags in [0x02 | 0x04, 0x02 | 0x80, 0x02 | 0x80 | 0x40, 0x02 | 0x04 | 0x80] {
            let bytes = connect(b"MQTT", level, flags, &[&field("c")]);
            assert_eq!(refused(&bytes, version), Rule::Truncated, "{flags:#04X}");
        }
        let bytes = connect(b"MQTT", level, 0x02, &[&field("c"), &field("user")]);
        assert_eq!(refused(&bytes, version), Rule::BytesLeftOver, "MQTT-3.1.2-16");
        let bytes = connect(b"MQTT", level, 0x82, &[&field("c"), &field("user"), &field("password")]);
        assert_eq!(refused(&bytes, version), Rule::BytesLeftOver, "MQTT-3.1.2-18");
    }
}

/// 3.1.1 MQTT-3.1.2-22; 5.0 allows it (section 3.1.2.9).
#[test]
fn a_password_needs_a_user_name_in_3_1_1_only() {
    let of_level = |level| connect(b"MQTT", level, 0x42, &[&field("c"), &field("secret")]);
    assert_eq!(refused(&of_level(4), Version::V311), Rule::PasswordWithoutUserName);
    assert!(read(&of_level(5), Version::V5, Direction::ToServer).is_ok());
}

/// 3.1.1 MQTT-3.1.3-7, 3.1.1 MQTT-3.1.3-8; 5.0 leaves it to the server (section 3.1.3.1).
#[test]
fn an_empty_client_id_needs_a_clean_session_in_3_1_1_only() {
    let of = |level, flags| connect(b"MQTT", level, flags, &[&field("")]);
    assert_eq!(refused(&of(4, 0x00), Version::V311), Rule::ClientIdEmpty);
    for accepted in [of(4, 0x02), of(5, 0x00), of(5, 0x02)] {
        assert!(read(&accepted, Version::V5, Direction::ToServer).is_ok());
    }
}

/// Section 3.1.3: the client id is always there; a CONNECT may end at no other place.
#[test]
fn a_connect_that_ends_early_is_refused_wherever_it_ends() {
    for (level, version) in LEVELS {
        let whole = connect(b"MQTT", level, 0xC2, &[&field("client"), &field("user"), &field("password")]);
        let body = &whole[2..];
        for length in 0..body.len() {
            let rule = refused(&packet(0x10, &body[..length]), version);
            assert_eq!(rule, Rule::Truncated, "{length} bytes at level {level}");
        }
    }
}
