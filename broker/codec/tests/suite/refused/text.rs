//! Strings that are no strings, wherever there is one (section 1.5.4).

use talaria_codec::{Direction, Rule, Version};

use crate::wire::{block, field, packet, read, refusal};

/// What is no UTF-8 (MQTT-1.5.4-1): lone and truncated bytes, overlong forms, surrogates, above U+10FFFF.
const NOT_UTF8: [&[u8]; 11] = [
    b"\x80",
    b"\xFF",
    b"\xC3",
    b"\xC0\x80",
    b"\xC1\xBF",
    b"\xE0\x80\x80",
    b"\xED\xA0\x80",
    b"\xED\xBF\xBF",
    b"\xED\xA0\xBD\xED\xB8\x80",
    b"\xF4\x90\x80\x80",
    b"\xF0\x9F\x98",
];

/// Every place of a string: what the packet is, and the packet with that string.
fn places(text: &[u8]) -> Vec<(&'static str, Version, Direction, Vec<u8>)> {
    let text = field(text);
    let (server, client) = (Direction::ToServer, Direction::ToClient);
    let head = |flags: u8, level: u8| [&*field("MQTT"), &[level, flags, 0, 0]].concat();
    let property = |identifier: u8| [&[identifier][..], &text].concat();
    let connect = |properties: &[u8]| [&*head(2, 5), &block(properties), &field("c")].concat();
    let will =
        |properties: &[u8]| [&*head(6, 5), &[0], &field("c"), &block(properties), &field("t"), &field("w")].concat();
    let mut places = vec![
        ("client id", Version::V311, server, packet(0x10, &[&*head(2, 4), &text].concat())),
        ("client id", Version::V5, server, packet(0x10, &[&*head(2, 5), &[0], &text].concat())),
        ("user name", Version::V311, server, packet(0x10, &[&*head(0x82, 4), &field("c"), &text].concat())),
        ("user name", Version::V5, server, packet(0x10, &[&*head(0x82, 5), &[0], &field("c"), &text].concat())),
        ("will topic", Version::V311, server, packet(0x10, &[&*head(6, 4), &field("c"), &text, &field("w")].concat())),
        (
            "will topic",
            Version::V5,
            server,
            packet(0x10, &[&*head(6, 5), &[0], &field("c"), &[0], &text, &field("w")].concat()),
        ),
        ("authentication method", Version::V5, server, packet(0x10, &connect(&property(0x15)))),
        ("user property", Version::V5, server, packet(0x10, &connect(&[&*property(0x26), &field("v")].concat()))),
        ("user property", Version::V5, server, packet(0x10, &connect(&[&[0x26][..], &field("n"), &text].concat()))),
        ("will content type", Version::V5, server, packet(0x10, &will(&property(0x03)))),
        ("will response topic", Version::V5, server, packet(0x10, &will(&property(0x08)))),
        ("topic", Version::V311, server, packet(0x30, &text)),
        ("topic", Version::V311, client, packet(0x32, &[&*text, &[0, 1]].concat())),
        ("topic", Version::V5, server, packet(0x30, &[&*text, &[0]].concat())),
        ("topic", Version::V5, client, packet(0x32, &[&*text, &[0, 1, 0]].concat())),
        ("filter", Version::V311, server, packet(0x82, &[&[0, 1][..], &text, &[0]].concat())),
        ("filter", Version::V5, server, packet(0x82, &[&[0, 1, 0][..], &text, &[0]].concat())),
        ("filter", Version::V311, server, packet(0xA2, &[&[0, 1][..], &text].concat())),
        ("filter", Version::V5, server, packet(0xA2, &[&[0, 1, 0][..], &text].concat())),
        ("method", Version::V5, server, packet(0xF0, &[&[0x18][..], &block(&property(0x15))].concat())),
    ];
    for identifier in [0x03, 0x08] {
        let body = [&*field("t"), &block(&property(identifier))].concat();
        places.push(("publish property", Version::V5, server, packet(0x30, &body)));
    }
    for first_byte in [0x40, 0x50, 0x62, 0x70] {
        let body = [&[0, 1, 0][..], &block(&property(0x1F))].concat();
        places.push(("reason string", Version::V5, server, packet(first_byte, &body)));
    }
    for identifier in [0x12, 0x1A, 0x1C, 0x1F, 0x15] {
        let body = [&[0, 0][..], &block(&property(identifier))].concat();
        places.push(("connack property", Version::V5, client, packet(0x20, &body)));
    }
    for first_byte in [0x90, 0xB0] {
        let body = [&[0, 1][..], &block(&property(0x1F)), &[0]].concat();
        places.push(("reason string", Version::V5, client, packet(first_byte, &body)));
    }
    for identifier in [0x1F, 0x1C] {
        let body = [&[0x80][..], &block(&property(identifier))].concat();
        places.push(("disconnect property", Version::V5, client, packet(0xE0, &body)));
    }
    places
}

/// MQTT-1.5.4-1, and with it MQTT-3.1.3-4, MQTT-3.1.3-11, MQTT-3.1.3-12, MQTT-3.3.2-1, MQTT-3.8.3-1, MQTT-3.10.3-1 and
/// MQTT-1.5.7-1.
#[test]
fn a_string_is_utf8_everywhere() {
    for text in NOT_UTF8 {
        for surrounded in [text.to_vec(), [b"a", text, b"z"].concat()] {
            for (place, version, direction, bytes) in places(&surrounded) {
                assert_eq!(refusal(&bytes, version, direction), Rule::Utf8, "{place} {version:?} {surrounded:02X?}");
            }
        }
    }
}

/// MQTT-1.5.4-2; 3.1.1 MQTT-1.5.3-2.
#[test]
fn a_string_has_no_nul_anywhere() {
    for text in [&b"\0"[..], b"a\0", b"\0z", b"a\0z"] {
        for (place, version, direction, bytes) in places(text) {
            let rule = refusal(&bytes, version, direction);
            // Topics say it in their own words.
            assert!(
                rule == Rule::Nul || rule.to_string().contains("U+0000"),
                "{place} {version:?} {text:02X?}: {rule}"
            );
        }
    }
}

/// Every other character is taken: control characters, which a receiver may refuse (section 1.5.4) and this one does
/// not, multi-byte first characters, and U+FEFF, which is never skipped (MQTT-1.5.4-3).
#[test]
fn every_other_string_is_taken_everywhere() {
    for text in ["a", "한국", "😀", "é", "\u{FEFF}", "\u{1}", "\u{7F}", "\u{9F}", "\u{FFFF}", "\u{10FFFF}", "\u{D7FF}"]
    {
        for (place, version, direction, bytes) in places(text.as_bytes()) {
            assert!(read(&bytes, version, direction).is_ok(), "{place} {version:?} {text:?}");
        }
    }
}

/// Section 3.1.3.6: a password is binary data, and so are payloads, will payloads, correlation and authentication data.
#[test]
fn binary_data_may_be_anything() {
    let data = field(b"\0\xFF\xED\xA0\x80");
    let head = |flags: u8, level: u8| [&*field("MQTT"), &[level, flags, 0, 0]].concat();
    let will = [&*field("t"), &data].concat();
    for (version, direction, bytes) in [
        (
            Version::V311,
            Direction::ToServer,
            packet(0x10, &[&*head(0xC2, 4), &field("c"), &field("u"), &data].concat()),
        ),
        (Version::V5, Direction::ToServer, packet(0x10, &[&*head(0x42, 5), &[0], &field("c"), &data].concat())),
        (Version::V311, Direction::ToServer, packet(0x10, &[&*head(6, 4), &field("c"), &will].concat())),
        (Version::V311, Direction::ToServer, packet(0x30, &[&*field("t"), &data].concat())),
        (
            Version::V5,
            Direction::ToClient,
            packet(0x30, &[&*field("t"), &block(&[&[0x09][..], &data].concat())].concat()),
        ),
        (
            Version::V5,
            Direction::ToServer,
            packet(0xF0, &[&[0x18][..], &block(&[&[0x15][..], &field("m"), &[0x16], &data].concat())].concat()),
        ),
    ] {
        assert!(read(&bytes, version, direction).is_ok(), "{bytes:02X?}");
    }
}
