//! What is written is read again as it was, and what is read is written again as it was.

use proptest::prelude::*;
use talaria_codec::{Frame, Packet, PacketType, QoS, Version, decode, encode_publish, frame};

use crate::packets::{any_packet, types};
use crate::random::{Checked, check};
use crate::wire::{WAYS, written};

#[test]
fn every_packet_reads_as_it_was_written() {
    for (version, direction) in WAYS {
        for (name, packets) in types(version, direction) {
            check(200, &packets, |packet| {
                let bytes = written(&packet, version);
                prop_assert_eq!(frame(&bytes, bytes.len()), Ok(Frame::Complete { packet_bytes: bytes.len() }));
                let read = decode(&bytes, version, direction);
                prop_assert_eq!(&read, &Ok(packet), "{} {:?} {:?}", name, version, direction);
                prop_assert_eq!(written(&read.unwrap(), version), bytes);
                Ok(())
            });
        }
    }
}

/// CONNECT tells its own version (section 3.1.2.2), whatever the connection was taken for.
#[test]
fn a_connect_reads_the_same_whatever_version_was_expected() {
    for version in [Version::V311, Version::V5] {
        let direction = talaria_codec::Direction::ToServer;
        let (_, connects) = types(version, direction).into_iter().find(|(name, _)| *name == "CONNECT").unwrap();
        check(100, &connects, |connect| {
            let bytes = written(&connect, Version::V5);
            prop_assert_eq!(&bytes, &written(&connect, Version::V311));
            prop_assert_eq!(decode(&bytes, Version::V311, direction), decode(&bytes, Version::V5, direction));
            Ok(())
        });
    }
}

/// A packet that breaks off, whatever it breaks off at, is never taken for a whole one.
#[test]
fn every_packet_cut_short_is_refused() {
    for (version, direction) in WAYS {
        check(100, &any_packet(version, direction), |packet| {
            let bytes = written(&packet, version);
            for length in 0..bytes.len() {
                prop_assert!(decode(&bytes[..length], version, direction).is_err(), "{} bytes of {:?}", length, packet);
                let is_waiting = matches!(frame(&bytes[..length], bytes.len()), Ok(Frame::NeedMore { .. }));
                prop_assert!(is_waiting, "{} bytes of {:?}", length, packet);
            }
            Ok(())
        });
    }
}

/// The short way to write a delivery writes what the long way writes.
#[test]
fn encode_publish_writes_what_a_publish_writes() {
    for (version, direction) in WAYS {
        let (_, publishes) = types(version, direction).into_iter().find(|(name, _)| *name == "PUBLISH").unwrap();
        check(200, &publishes, |packet| {
            let Packet::Publish(publish) = packet else { panic!("{packet:?}") };
            let expected = written(&packet, version);
            let mut bytes = Vec::new();
            let properties = properties_of(&expected, version, publish.qos);
            encode_publish(
                &mut bytes,
                version,
                publish.dup,
                publish.qos,
                publish.retain,
                publish.topic,
                publish.packet_id,
                properties,
                publish.payload,
            )
            .unwrap();
            prop_assert_eq!(bytes, expected);
            Ok(())
        });
    }
}

/// The property block of a PUBLISH, cut out by hand.
fn properties_of(packet: &[u8], version: Version, qos: QoS) -> &[u8] {
    let var_int = |bytes: &[u8]| {
        let length = 1 + bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
        let value = bytes[..length].iter().rev().fold(0, |value, &byte| value << 7 | usize::from(byte & 0x7F));
        (length, value)
    };
    let body = &packet[1 + var_int(&packet[1..]).0..];
    let topic_bytes = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let rest = &body[2 + topic_bytes + if qos == QoS::AtMostOnce { 0 } else { 2 }..];
    if version == Version::V311 {
        return &[];
    }
    let (length, bytes) = var_int(rest);
    &rest[length..length + bytes]
}

/// The acknowledgement that is written most.
#[test]
fn encode_puback_success_writes_what_an_ack_writes() {
    check(100, &any::<std::num::NonZeroU16>(), |packet_id| {
        let mut bytes = Vec::new();
        talaria_codec::encode_puback_success(&mut bytes, packet_id);
        let ack = Packet::PubAck(talaria_codec::Ack::success(packet_id));
        prop_assert_eq!(&bytes, &written(&ack, Version::V311));
        prop_assert_eq!(&bytes, &written(&ack, Version::V5));
        Ok(())
    });
}

/// Whatever comes: no panic, and what is accepted is written again and read again as the same.
#[test]
fn any_bytes_are_refused_or_read_again_as_they_were() {
    let bytes = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40));
    check(20_000, &bytes, |(first_byte, body)| {
        let packet = crate::wire::packet(first_byte, &body);
        for (version, direction) in WAYS {
            survives(&packet, version, direction)?;
        }
        Ok(())
    });
}

fn survives(bytes: &[u8], version: Version, direction: talaria_codec::Direction) -> Checked {
    let Ok(packet) = decode(bytes, version, direction) else { return Ok(()) };
    let again = written(&packet, version);
    prop_assert_eq!(decode(&again, version, direction), Ok(packet));
    Ok(())
}

/// The types have the numbers of section 2.1.2.
#[test]
fn packet_types_have_their_numbers() {
    use PacketType as T;
    let types = [
        T::Connect,
        T::ConnAck,
        T::Publish,
        T::PubAck,
        T::PubRec,
        T::PubRel,
        T::PubComp,
        T::Subscribe,
        T::SubAck,
        T::Unsubscribe,
        T::UnsubAck,
        T::PingReq,
        T::PingResp,
        T::Disconnect,
        T::Auth,
    ];
    for (number, packet_type) in (1..).zip(types) {
        assert_eq!(packet_type as u8, number);
    }
}
