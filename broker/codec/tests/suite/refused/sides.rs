//! Packets, and parts of packets, that only the other side may send (section 2.1.2, "Direction of flow").

use talaria_codec::{Direction, Packet, Rule, Version};

use crate::packets::types;
use crate::random::check;
use crate::wire::{block, field, packet, read, refusal, written};

/// CVE-2021-28166: packets that only a server may send, sent to one, and the other way round. Every packet of one side is
/// either refused as a packet of that side, or the other side may send its type as well.
#[test]
fn what_only_the_other_side_may_send_is_refused() {
    let both = ["PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "AUTH"];
    for version in [Version::V311, Version::V5] {
        for (of, other) in [(Direction::ToServer, Direction::ToClient), (Direction::ToClient, Direction::ToServer)] {
            for (name, packets) in types(version, of) {
                let is_of_both = both.contains(&name) || name == "DISCONNECT" && version == Version::V5;
                if is_of_both {
                    continue;
                }
                check(20, &packets, |packet| {
                    assert_eq!(refusal(&written(&packet, version), version, other), Rule::WrongDirection, "{name}");
                    Ok(())
                });
            }
        }
    }
}

/// The same in bytes that are not read any further.
#[test]
fn the_direction_is_judged_before_the_body() {
    for first_byte in [0x20, 0x90, 0xB0, 0xD0] {
        let bytes = packet(first_byte, &[0xFF; 3]);
        assert_eq!(refusal(&bytes, Version::V5, Direction::ToServer), Rule::WrongDirection, "{first_byte:#04X}");
    }
    for first_byte in [0x10, 0x82, 0xA2, 0xC0] {
        let bytes = packet(first_byte, &[0xFF; 3]);
        assert_eq!(refusal(&bytes, Version::V5, Direction::ToClient), Rule::WrongDirection, "{first_byte:#04X}");
    }
}

/// 3.1.1 section 2.2.1: 15 is reserved. 3.1.1 section 3.14: DISCONNECT is the client's.
#[test]
fn what_3_1_1_does_not_have_is_refused() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let auth = packet(0xF0, &[]);
        assert_eq!(refusal(&auth, Version::V311, direction), Rule::NotInThisVersion);
    }
    assert_eq!(refusal(&packet(0xE0, &[]), Version::V311, Direction::ToClient), Rule::WrongDirection);
}

/// MQTT-3.3.4-6: only servers name subscriptions in a PUBLISH.
#[test]
fn a_subscription_id_in_a_publish_is_the_servers() {
    let bytes = packet(0x30, &[&*field("t"), &block(&[0x0B, 0x07])].concat());
    assert_eq!(refusal(&bytes, Version::V5, Direction::ToServer), Rule::SubscriptionIdFromClient);
    let Ok(Packet::Publish(publish)) = read(&bytes, Version::V5, Direction::ToClient) else { panic!() };
    assert_eq!(publish.properties.subscription_ids.first().map(u32::from), Some(7));
}

/// MQTT-3.14.2-2: only clients change the session expiry when they leave.
#[test]
fn a_session_expiry_in_a_disconnect_is_the_clients() {
    let bytes = packet(0xE0, &[&[0x00][..], &block(&[0x11, 0, 0, 0, 9])].concat());
    assert_eq!(refusal(&bytes, Version::V5, Direction::ToClient), Rule::SessionExpiryFromServer);
    assert!(read(&bytes, Version::V5, Direction::ToServer).is_ok());
}

/// Section 3.14.2.2.5: only servers name another server.
#[test]
fn a_server_reference_in_a_disconnect_is_the_servers() {
    let bytes = packet(0xE0, &[&[0x00][..], &block(&[&[0x1C][..], &field("other")].concat())].concat());
    assert_eq!(refusal(&bytes, Version::V5, Direction::ToServer), Rule::PropertyNotAllowed);
    assert!(read(&bytes, Version::V5, Direction::ToClient).is_ok());
}

/// Section 3.15.2.1: an AUTH without a code is a success, which only a server can state.
#[test]
fn a_plain_auth_is_the_servers() {
    for bytes in [packet(0xF0, &[]), packet(0xF0, &[0, 0])] {
        assert_eq!(refusal(&bytes, Version::V5, Direction::ToServer), Rule::ReasonCodeNotAllowed);
        assert!(read(&bytes, Version::V5, Direction::ToClient).is_ok());
    }
}
