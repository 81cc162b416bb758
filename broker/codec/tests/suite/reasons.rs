//! Which reason code belongs in which packet, copied from the tables of the standard by hand, and held for every number.

use talaria_codec::{Direction, ReasonCode, Rule, Version};

use crate::wire::{block, field, packet, read};

/// Section 3.2.2.2.
pub(crate) const CONNACK: &[u8] = &[
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
    0x9C, 0x9D, 0x9F,
];
/// Sections 3.4.2.1 and 3.5.2.1; 0x10 is for servers only.
pub(crate) const PUBACK_OF_SERVER: &[u8] = &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
/// The same without 0x10.
pub(crate) const PUBACK_OF_CLIENT: &[u8] = &[0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
/// Sections 3.6.2.1 and 3.7.2.1.
pub(crate) const PUBREL: &[u8] = &[0x00, 0x92];
/// Section 3.9.3.
pub(crate) const SUBACK: &[u8] = &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2];
/// 3.1.1 section 3.9.3.
pub(crate) const SUBACK_311: &[u8] = &[0x00, 0x01, 0x02, 0x80];
/// Section 3.11.3.
pub(crate) const UNSUBACK: &[u8] = &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91];
/// Section 3.14.2.1, "Client" and "Client or Server".
pub(crate) const DISCONNECT_OF_CLIENT: &[u8] =
    &[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
/// Section 3.14.2.1, "Server" and "Client or Server", 0x8C of section 2.4, and 0x00, which servers do send.
pub(crate) const DISCONNECT_OF_SERVER: &[u8] = &[
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
    0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
];
/// Section 3.15.2.1, "Client" and "Client or Server".
pub(crate) const AUTH_OF_CLIENT: &[u8] = &[0x18, 0x19];
/// Section 3.15.2.1, "Server" and "Client or Server".
pub(crate) const AUTH_OF_SERVER: &[u8] = &[0x00, 0x18];

/// The codes of the numbers, for packets to be written.
pub(crate) fn codes(numbers: &[u8]) -> Vec<ReasonCode> {
    numbers.iter().map(|&number| ReasonCode::from_number(number).unwrap()).collect()
}

/// Section 2.4: every number that some packet may have, and no other.
#[test]
fn the_codes_of_the_standard_are_defined_and_no_others() {
    let everywhere = [CONNACK, PUBACK_OF_SERVER, PUBREL, SUBACK, UNSUBACK, DISCONNECT_OF_CLIENT, DISCONNECT_OF_SERVER];
    let everywhere = [everywhere.concat(), [AUTH_OF_CLIENT, AUTH_OF_SERVER].concat()].concat();
    for number in 0..=u8::MAX {
        let code = ReasonCode::from_number(number);
        assert_eq!(code.is_some(), everywhere.contains(&number), "{number:#04X}");
        assert_eq!(code.map(ReasonCode::number), code.map(|_| number));
        assert_eq!(code.is_some_and(ReasonCode::is_failure), code.is_some() && number >= 0x80);
    }
}

/// MQTT-3.2.2-8, MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1, MQTT-3.9.3-2, MQTT-3.11.3-2, MQTT-3.14.2-1 and
/// MQTT-3.15.2-1: one of the codes of the packet's table.
#[test]
fn a_packet_has_only_codes_of_its_own_table() {
    let auth = |code: u8| packet(0xF0, &[&[code][..], &block(&[&[0x15][..], &field("m")].concat())].concat());
    let ack = |first_byte| move |code: u8| packet(first_byte, &[0, 1, code, 0]);
    let (server, client) = (Direction::ToServer, Direction::ToClient);
    holds("CONNACK", CONNACK, client, |code| packet(0x20, &[0, code, 0]));
    for (name, first_byte) in [("PUBACK", 0x40), ("PUBREC", 0x50)] {
        holds(name, PUBACK_OF_SERVER, client, ack(first_byte));
        holds(name, PUBACK_OF_CLIENT, server, ack(first_byte));
    }
    for (name, first_byte) in [("PUBREL", 0x62), ("PUBCOMP", 0x70)] {
        holds(name, PUBREL, client, ack(first_byte));
        holds(name, PUBREL, server, ack(first_byte));
    }
    holds("SUBACK", SUBACK, client, |code| packet(0x90, &[0, 1, 0, 0, code]));
    holds("UNSUBACK", UNSUBACK, client, |code| packet(0xB0, &[0, 1, 0, 0, code]));
    holds("DISCONNECT", DISCONNECT_OF_CLIENT, server, |code| packet(0xE0, &[code, 0]));
    holds("DISCONNECT", DISCONNECT_OF_SERVER, client, |code| packet(0xE0, &[code, 0]));
    holds("AUTH", AUTH_OF_CLIENT, server, auth);
    holds("AUTH", AUTH_OF_SERVER, client, auth);
}

fn holds(name: &str, allowed: &[u8], direction: Direction, with: impl Fn(u8) -> Vec<u8>) {
    for number in 0..=u8::MAX {
        let bytes = with(number);
        let refusal = read(&bytes, Version::V5, direction).err().map(|error| error.rule());
        let expected = match ReasonCode::from_number(number) {
            _ if allowed.contains(&number) => None,
            Some(_) => Some(Rule::ReasonCodeNotAllowed),
            None => Some(Rule::ReasonCodeUnknown),
        };
        assert_eq!(refusal, expected, "{name} {number:#04X} {direction:?}");
    }
}

/// 3.1.1 section 3.2.2.3: 0 to 5. 3.1.1 MQTT-3.9.3-2: 0, 1, 2 and 0x80.
#[test]
fn a_return_code_of_3_1_1_is_one_of_its_own_table() {
    for number in 0..=u8::MAX {
        let connack = packet(0x20, &[0, number]);
        assert_eq!(read(&connack, Version::V311, Direction::ToClient).is_ok(), number <= 5, "CONNACK {number:#04X}");
        let suback = packet(0x90, &[0, 1, number]);
        let is_ok = read(&suback, Version::V311, Direction::ToClient).is_ok();
        assert_eq!(is_ok, SUBACK_311.contains(&number), "SUBACK {number:#04X}");
    }
}

/// What a server cannot say in 3.1.1 it says with the nearest return code, or not at all.
#[test]
fn return_codes_of_3_1_1_are_the_nearest() {
    for code in (0..=u8::MAX).filter_map(ReasonCode::from_number) {
        if let Some(number) = code.connack_return_code() {
            let back = ReasonCode::from_connack_return_code(number).unwrap();
            assert_eq!(back.is_failure(), code.is_failure(), "{code}");
            assert_eq!(back.connack_return_code(), Some(number), "{code}");
        }
        let number = code.suback_return_code();
        assert!(SUBACK_311.contains(&number), "{code}");
        assert_eq!(number >= 0x80, !matches!(code.number(), 0..=2), "{code}");
    }
    assert_eq!(ReasonCode::NotAuthorized.connack_return_code(), Some(5));
    assert_eq!(ReasonCode::BadUserNameOrPassword.connack_return_code(), Some(4));
    assert_eq!(ReasonCode::MalformedPacket.connack_return_code(), None);
}
