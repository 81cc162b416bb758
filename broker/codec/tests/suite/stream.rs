//! Packets in a stream of bytes: where they end, how much is kept of them, and that cuts do not matter.

use proptest::prelude::*;
use talaria_codec::{DecodeError, Direction, Frame, Packet, REMAINING_LENGTH_MAX, Rule, Version, decode, frame};

use crate::packets::any_packet;
use crate::random::check;
use crate::wire::{WAYS, packet, to_hex, var_int, written};

/// The limits of PROTOCOL "Sizes".
const LIMITS: [usize; 2] = [64 * 1024, 2 * 1024 * 1024];

/// A receiver as the codec asks for one: it keeps what came and is no whole packet yet, and nothing else.
struct Receiver {
    kept: Vec<u8>,
    packet_bytes_max: usize,
    taken: Vec<Vec<u8>>,
}

impl Receiver {
    fn new(packet_bytes_max: usize) -> Self {
        Self { kept: Vec::new(), packet_bytes_max, taken: Vec::new() }
    }

    fn receive(&mut self, bytes: &[u8], version: Version, direction: Direction) -> Result<(), DecodeError> {
        self.kept.extend_from_slice(bytes);
        while let Frame::Complete { packet_bytes } = frame(&self.kept, self.packet_bytes_max)? {
            let packet = decode(&self.kept[..packet_bytes], version, direction)?;
            self.taken.push(written(&packet, version));
            self.kept.drain(..packet_bytes);
        }
        Ok(())
    }
}

/// Section 2.1.4. Also what a WebSocket asks for (MQTT-6.0.0-4): packets may span frames and share them, so only their
/// own lengths count (CVE-2026-25627).
#[test]
fn any_split_of_a_stream_gives_the_same_packets() {
    for (version, direction) in WAYS {
        let packets = prop::collection::vec(any_packet(version, direction), 1..8);
        let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..20);
        check(200, &(packets, cuts), |(packets, cuts)| {
            let packets: Vec<_> = packets.iter().map(|packet| written(packet, version)).collect();
            let stream = packets.concat();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let mut receiver = Receiver::new(1 << 20);
            for cut in cuts.windows(2) {
                let result = receiver.receive(&stream[cut[0]..cut[1]], version, direction);
                prop_assert_eq!(result, Ok(()), "at {:?}", cut);
            }
            prop_assert_eq!(receiver.taken, packets);
            prop_assert!(receiver.kept.is_empty());
            Ok(())
        });
    }
}

#[test]
fn a_stream_that_comes_byte_by_byte_gives_the_same_packets() {
    for (version, direction) in WAYS {
        check(30, &prop::collection::vec(any_packet(version, direction), 1..5), |packets| {
            let packets: Vec<_> = packets.iter().map(|packet| written(packet, version)).collect();
            let mut receiver = Receiver::new(1 << 20);
            for byte in packets.concat() {
                prop_assert_eq!(receiver.receive(&[byte], version, direction), Ok(()));
            }
            prop_assert_eq!(receiver.taken, packets);
            Ok(())
        });
    }
}

/// What comes behind a packet does not change it: PUBLISH has no length of its payload but the packet's.
#[test]
fn bytes_behind_a_packet_belong_to_the_next() {
    let bytes = [packet(0x30, b"\x00\x01t\x00one"), packet(0x30, b"\x00\x01t\x00two")].concat();
    let Ok(Frame::Complete { packet_bytes }) = frame(&bytes, 100) else { panic!("{:?}", frame(&bytes, 100)) };
    let Ok(Packet::Publish(publish)) = decode(&bytes[..packet_bytes], Version::V5, Direction::ToServer) else {
        panic!("{}", to_hex(&bytes))
    };
    assert_eq!(publish.payload, b"one");
}

/// Whoever hands over more or less than the packet says is told, whatever framed it (CVE-2026-25627).
#[test]
fn a_packet_of_another_length_than_it_says_is_refused() {
    let whole = packet(0x30, b"\x00\x01t\x00payload");
    for bytes in [&whole[..whole.len() - 1], &[&*whole, &[0xC0, 0x00]].concat()] {
        let refused = decode(bytes, Version::V5, Direction::ToServer);
        assert_eq!(refused.map_err(|error| error.rule()), Err(Rule::LengthMismatch));
    }
    for bytes in [&[][..], &[0x30], &[0x30, 0x80]] {
        let refused = decode(bytes, Version::V5, Direction::ToServer);
        assert_eq!(refused.map_err(|error| error.rule()), Err(Rule::Truncated), "{}", to_hex(bytes));
    }
}

/// MQTT-3.2.2-15, and PROTOCOL "Sizes": the largest packet passes, one byte more is refused.
#[test]
fn the_packet_limit_counts_the_whole_packet() {
    for limit in LIMITS {
        // Both remaining lengths take three bytes.
        let remaining = limit - 4;
        let largest = packet(0x30, &vec![0; remaining]);
        assert_eq!(largest.len(), limit);
        assert_eq!(frame(&largest, limit), Ok(Frame::Complete { packet_bytes: limit }));
        let too_large = packet(0x30, &vec![0; remaining + 1]);
        assert_eq!(frame(&too_large, limit).map_err(|error| error.rule()), Err(Rule::PacketTooLarge));
    }
}

/// A packet above the limit is refused when its length is known, before any more of it is kept.
#[test]
fn an_oversize_packet_is_refused_from_its_fixed_header() {
    for limit in LIMITS {
        for remaining in [limit, limit + 1, REMAINING_LENGTH_MAX] {
            let header = [&[0x30][..], &var_int(remaining)].concat();
            assert_eq!(frame(&header, limit).map_err(|error| error.rule()), Err(Rule::PacketTooLarge), "{remaining}");
            let unfinished = &header[..header.len() - 1];
            assert_eq!(frame(unfinished, limit), Ok(Frame::NeedMore { bytes_min: header.len() }), "{remaining}");
        }
    }
}

/// CVE-2017-7651, CVE-2023-0809: an announced length says how much to wait for, never above the limit; what is kept is
/// what came.
#[test]
fn an_announced_length_costs_no_more_than_the_bytes_that_came() {
    for limit in LIMITS {
        let mut receiver = Receiver::new(limit);
        let header = [&[0x10][..], &var_int(limit - 5)].concat();
        receiver.receive(&header, Version::V5, Direction::ToServer).unwrap();
        let bytes_min = limit - 5 + header.len();
        assert_eq!(frame(&receiver.kept, limit), Ok(Frame::NeedMore { bytes_min }));
        for _ in 0..100 {
            receiver.receive(b"x", Version::V5, Direction::ToServer).unwrap();
            assert_eq!(frame(&receiver.kept, limit), Ok(Frame::NeedMore { bytes_min }));
        }
        // As any `Vec`, at most twice what it holds.
        assert!(receiver.kept.capacity() <= 2 * (header.len() + 100), "{}", receiver.kept.capacity());
    }
}

/// The answer to any first bytes is known after five of them, and every one before asks for more than there is.
#[test]
fn five_bytes_are_enough_to_know_where_a_packet_ends() {
    check(20_000, &(prop::collection::vec(any::<u8>(), 0..8), 2_usize..1 << 22), |(bytes, limit)| {
        match frame(&bytes, limit) {
            Ok(Frame::NeedMore { bytes_min }) => {
                prop_assert!(bytes_min > bytes.len());
                prop_assert!(bytes_min <= limit.max(5), "{} above {}", bytes_min, limit);
            }
            Ok(Frame::Complete { packet_bytes }) => prop_assert!(packet_bytes <= bytes.len().min(limit)),
            Err(error) => {
                let first_five = &bytes[..bytes.len().min(5)];
                prop_assert_eq!(frame(first_five, limit), Err(error), "known only later");
            }
        }
        Ok(())
    });
}

/// Section 1.5.5: up to four bytes, and MQTT-1.5.5-1: as few as it takes (CVE-2026-21888).
#[test]
fn a_remaining_length_has_the_only_form_of_its_value() {
    for (remaining, length) in [
        (0, &[0x00][..]),
        (127, &[0x7F]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xFF, 0x7F]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
    ] {
        let header = [&[0x30][..], length].concat();
        let bytes_min = header.len() + remaining;
        let expected = match remaining {
            0 => Frame::Complete { packet_bytes: bytes_min },
            _ => Frame::NeedMore { bytes_min },
        };
        assert_eq!(frame(&header, usize::MAX), Ok(expected), "{}", to_hex(&header));
        assert_eq!(var_int(remaining), length);
    }
    for (length, rule) in [
        (&[0x80, 0x00][..], Rule::LengthOverlong),
        (&[0xFF, 0x00], Rule::LengthOverlong),
        (&[0x80, 0x80, 0x00], Rule::LengthOverlong),
        (&[0x80, 0x80, 0x80, 0x00], Rule::LengthOverlong),
        (&[0x80, 0x80, 0x80, 0x80], Rule::LengthTooLong),
        (&[0xFF, 0xFF, 0xFF, 0xFF], Rule::LengthTooLong),
        (&[0x80, 0x80, 0x80, 0x80, 0x01], Rule::LengthTooLong),
        (&[0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Rule::LengthTooLong),
    ] {
        let header = [&[0xC0][..], length].concat();
        assert_eq!(frame(&header, usize::MAX).map_err(|error| error.rule()), Err(rule), "{}", to_hex(&header));
        let refused = decode(&header, Version::V5, Direction::ToServer);
        assert_eq!(refused.map_err(|error| error.rule()), Err(rule), "{}", to_hex(&header));
    }
}

/// A packet that can only be refused is refused from its first byte, not when all of it came.
#[test]
fn a_wrong_first_byte_is_refused_at_once() {
    for (first_byte, rule) in [
        (0x00, Rule::PacketTypeReserved),
        (0x0F, Rule::PacketTypeReserved),
        (0x11, Rule::FixedHeaderFlags),
        (0x36, Rule::QoSThree),
        (0x38, Rule::DupWithQoSZero),
        (0x80, Rule::FixedHeaderFlags),
        (0xF1, Rule::FixedHeaderFlags),
    ] {
        assert_eq!(frame(&[first_byte], 100).map_err(|error| error.rule()), Err(rule), "{first_byte:#04X}");
    }
}
