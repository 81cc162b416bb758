//! Reading and writing a packet takes no memory, of whatever type it is and whatever is wrong with it: a message costs
//! its bytes and nothing else. In a binary of its own, for it counts what the whole process allocates on this thread.

#![allow(unsafe_code, reason = "an allocator that counts can only be written so")]
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, as in any test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::num::NonZeroU16;

use talaria_codec::{
    Direction, Frame, Packet, QoS, Version, decode, encode_puback_success, encode_publish, frame, topic,
};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all of it is done by `System`; counting touches no memory but a constant-initialised cell without destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// One packet of each type, with properties, lists and payloads.
const PACKETS: [(Version, Direction, &[u8]); 20] = [
    (
        Version::V311,
        Direction::ToServer,
        b"\x10\x1F\0\x04MQTT\x04\xCE\0\x0A\0\x02c1\0\x03a/b\0\x03bye\0\x01u\0\x02\xFF\0",
    ),
    (Version::V5, Direction::ToServer, b"\x10\x16\0\x04MQTT\x05\x02\0\x3C\x07\x26\0\x01k\0\x01v\0\x02c1"),
    (Version::V311, Direction::ToClient, b"\x20\x02\x01\0"),
    (Version::V5, Direction::ToClient, b"\x20\x08\0\0\x05\x12\0\x02ab"),
    (Version::V311, Direction::ToServer, b"\x32\x09\0\x03a/b\0\x0Ahi"),
    (Version::V5, Direction::ToServer, b"\x32\x0A\0\x03a/b\0\x0A\0hi"),
    (Version::V5, Direction::ToClient, b"\x30\x16\0\x03a/b\x0E\x0B\x01\x0B\x02\x26\0\x01k\0\x01v\x23\0\x01hi"),
    (Version::V311, Direction::ToClient, b"\x40\x02\0\x01"),
    (Version::V5, Direction::ToClient, b"\x40\x0B\0\x01\0\x07\x26\0\x01k\0\x01v"),
    (Version::V5, Direction::ToServer, b"\x50\x02\0\x01"),
    (Version::V5, Direction::ToServer, b"\x62\x02\0\x01"),
    (Version::V5, Direction::ToServer, b"\x70\x02\0\x01"),
    (Version::V5, Direction::ToServer, b"\x82\x11\0\x01\0\0\x03a/b\x01\0\x05+/x/#\x02"),
    (Version::V5, Direction::ToClient, b"\x90\x06\0\x01\0\0\x01\x80"),
    (Version::V5, Direction::ToServer, b"\xA2\x0F\0\x01\0\0\x03a/b\0\x05+/x/#"),
    (Version::V5, Direction::ToClient, b"\xB0\x05\0\x01\0\0\x11"),
    (Version::V5, Direction::ToServer, b"\xC0\0"),
    (Version::V5, Direction::ToClient, b"\xD0\0"),
    (Version::V5, Direction::ToClient, b"\xE0\x08\x9D\x06\x1C\0\x03new"),
    (Version::V5, Direction::ToServer, b"\xF0\x06\x18\x04\x15\0\x01M"),
];

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(7)))), 1);
    assert_eq!(allocations(|| drop(black_box(vec![1, 2, 3]))), 1);
}

#[test]
fn a_packet_is_read_and_written_without_memory() {
    for (version, direction, bytes) in PACKETS {
        let mut out = [0; 64];
        let count = allocations(|| {
            let Ok(Frame::Complete { packet_bytes }) = frame(bytes, 64) else { panic!("{bytes:02X?}") };
            let packet = decode(&bytes[..packet_bytes], version, direction).unwrap();
            assert_eq!(packet_bytes, bytes.len());
            black_box(walk(&packet));
            let mut room = &mut out[..];
            packet.encode(version, &mut room).unwrap();
            assert_eq!(room.len(), 64 - bytes.len());
        });
        assert_eq!(count, 0, "{bytes:02X?}");
        assert_eq!(decode(&out[..bytes.len()], version, direction), decode(bytes, version, direction));
    }
}

/// What is read again when it is asked for.
fn walk(packet: &Packet<'_>) -> usize {
    match packet {
        Packet::Connect(packet) => packet.properties.user_properties.get("k").map_or(0, str::len),
        Packet::Publish(packet) => {
            let (ids, user) = (packet.properties.subscription_ids, packet.properties.user_properties);
            ids.iter().count() + user.iter().count()
        }
        Packet::Subscribe(packet) => {
            packet.filters.iter().filter(|filter| topic::matches(filter.filter, "a/b")).count()
        }
        Packet::Unsubscribe(packet) => packet.filters.iter().filter(|filter| topic::share(filter).is_ok()).count(),
        Packet::SubAck(packet) => packet.reasons.iter().count(),
        _ => 0,
    }
}

#[test]
fn a_delivery_and_its_acknowledgement_are_written_without_memory() {
    let packet_id = NonZeroU16::new(7);
    let mut out = [0; 64];
    let count = allocations(|| {
        let mut room = &mut out[..];
        let (version, qos) = (Version::V5, QoS::AtLeastOnce);
        encode_publish(&mut room, version, false, qos, false, "u/me/inbox", packet_id, &[], b"payload").unwrap();
        encode_puback_success(&mut room, packet_id.unwrap());
    });
    assert_eq!(count, 0);
}

/// A refusal costs nothing either, however it is asked about.
#[test]
fn a_packet_is_refused_without_memory() {
    for (version, direction, bytes) in PACKETS {
        for length in 0..bytes.len() {
            let mut cut = [0; 64];
            let cut = &mut cut[..length];
            cut.copy_from_slice(&bytes[..length]);
            if let Some(remaining) = cut.get_mut(1) {
                *remaining = (length - 2) as u8;
            }
            let count = allocations(|| {
                if let Err(error) = decode(cut, version, direction) {
                    black_box((error.reason(), error.connack()));
                }
            });
            assert_eq!(count, 0, "{cut:02X?}");
        }
    }
}
