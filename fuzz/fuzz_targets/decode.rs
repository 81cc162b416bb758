//! Bytes as a stream of packets, at both versions and in both directions: nothing panics, what is accepted is written
//! again and read again as the same, and whatever a packet says of itself can be asked for.

#![no_main]

use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use talaria_codec::{Direction, Disconnect, Frame, Packet, Version, decode, frame, topic};

/// As before login; the largest input is smaller.
const PACKET_BYTES_MAX: usize = 64 * 1024;

fuzz_target!(|bytes: &[u8]| {
    for version in [Version::V311, Version::V5] {
        for direction in [Direction::ToServer, Direction::ToClient] {
            read_stream(bytes, version, direction);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        topics(text);
    }
});

fn read_stream(stream: &[u8], version: Version, direction: Direction) {
    let mut rest = stream;
    loop {
        match frame(rest, PACKET_BYTES_MAX) {
            Ok(Frame::Complete { packet_bytes }) => {
                read_packet(&rest[..packet_bytes], version, direction);
                rest = &rest[packet_bytes..];
            }
            Ok(Frame::NeedMore { bytes_min }) => {
                assert!(bytes_min > rest.len() && bytes_min <= PACKET_BYTES_MAX);
                // The bytes that are there, handed over as a packet by whoever does not look at lengths.
                read_packet(rest, version, direction);
                return;
            }
            Err(error) => return answer(&error),
        }
    }
}

fn read_packet(bytes: &[u8], version: Version, direction: Direction) {
    let packet = match decode(bytes, version, direction) {
        Ok(packet) => packet,
        Err(error) => return answer(&error),
    };
    let mut written = Vec::with_capacity(bytes.len() + 8);
    packet.encode(version, &mut written).expect("what was read can be written");
    // No longer than it was, but for the property length that an acknowledgement may leave out.
    assert!(written.len() <= bytes.len() + 1);
    let read_again = decode(&written, version, direction).expect("what was written can be read");
    assert_eq!(packet, read_again);
    let mut written_again = Vec::with_capacity(written.len());
    read_again.encode(version, &mut written_again).expect("what was read can be written");
    assert_eq!(written, written_again);
    black_box(format!("{packet:?}"));
    walk(&packet);
}

/// What a packet reads only when it is asked for.
fn walk(packet: &Packet<'_>) {
    match packet {
        Packet::Publish(publish) => {
            let (ids, user) = (publish.properties.subscription_ids, publish.properties.user_properties);
            assert_eq!(ids.iter().count(), ids.count());
            assert_eq!(user.iter().count(), user.len());
            assert!(publish.topic.is_empty() || topic::validate_name(publish.topic).is_ok());
        }
        Packet::Subscribe(subscribe) => {
            assert!(subscribe.filters.iter().count() > 0);
            subscribe.filters.iter().for_each(|filter| topics(filter.filter));
        }
        Packet::Unsubscribe(unsubscribe) => {
            assert!(unsubscribe.filters.iter().count() > 0);
            unsubscribe.filters.iter().for_each(topics);
        }
        Packet::SubAck(suback) => assert_eq!(suback.reasons.iter().count(), suback.reasons.len()),
        Packet::UnsubAck(unsuback) => assert_eq!(unsuback.reasons.iter().count(), unsuback.reasons.len()),
        _ => {}
    }
}

/// Whatever was wrong, a 5.0 peer can be told.
fn answer(error: &talaria_codec::DecodeError) {
    black_box(error.to_string());
    black_box(error.connack());
    let packet = Packet::Disconnect(Disconnect::with_reason(error.reason()));
    packet.encode(Version::V5, &mut Vec::new()).expect("a reason that belongs in a DISCONNECT");
}

/// Filters against names made of them: a valid filter matches the name that it is, and one below `#`.
fn topics(text: &str) {
    let is_name = topic::validate_name(text).is_ok();
    let is_filter = topic::validate_filter(text).is_ok();
    let filter = match topic::share(text) {
        Ok(Some((_, filter))) => filter,
        Ok(None) => text,
        Err(_) => return assert!(!is_filter),
    };
    if !is_filter {
        return assert!(!is_name);
    }
    if topic::validate_name(filter).is_ok() {
        assert!(topic::matches(filter, filter));
    }
    let name = filter.replace(['+', '#'], "x");
    let is_hidden = name.starts_with('$') && filter.starts_with(['+', '#']);
    assert!(is_hidden || topic::matches(filter, &name), "{filter} and {name}");
}
