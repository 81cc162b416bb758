//! Short forms that are legal: what may be left out, and what that means.

use talaria_codec::{
    Ack, Auth, Connect, Direction, Disconnect, DisconnectProperties, Packet, QoS, ReasonCode, Rule, SubscriptionIds,
    Version,
};

use crate::wire::{field, hex, packet, read, refusal, to_hex, written};

#[track_caller]
fn reads(bytes: &str, version: Version, direction: Direction, expected: Packet<'_>) {
    assert_eq!(read(&hex(bytes), version, direction), Ok(expected), "{bytes}");
}

/// Sections 3.14.2.1 and 3.14.2.2.1: of no byte, of one byte, and with a property length of 0.
#[test]
fn a_disconnect_may_have_no_byte_or_one() {
    let plain = Packet::Disconnect(Disconnect::default());
    for direction in [Direction::ToServer, Direction::ToClient] {
        reads("E0 00", Version::V5, direction, plain);
        reads("E0 01 00", Version::V5, direction, plain);
        reads("E0 02 00 00", Version::V5, direction, plain);
    }
    reads("E0 00", Version::V311, Direction::ToServer, plain);
    let with_will = Packet::Disconnect(Disconnect::with_reason(ReasonCode::DisconnectWithWill));
    reads("E0 01 04", Version::V5, Direction::ToServer, with_will);
    reads("E0 02 04 00", Version::V5, Direction::ToServer, with_will);
    let shutdown = Packet::Disconnect(Disconnect::with_reason(ReasonCode::ServerShuttingDown));
    reads("E0 01 8B", Version::V5, Direction::ToClient, shutdown);
}

/// Sections 3.4.2.1 and 3.4.2.2.1, and the same of PUBREC, PUBREL and PUBCOMP.
#[test]
fn an_acknowledgement_may_leave_out_reason_and_properties() {
    let id = 0x1234.try_into().unwrap();
    for (first_byte, of) in [
        ("40", Packet::PubAck as fn(Ack<'static>) -> Packet<'static>),
        ("50", Packet::PubRec),
        ("62", Packet::PubRel),
        ("70", Packet::PubComp),
    ] {
        for direction in [Direction::ToServer, Direction::ToClient] {
            for body in ["02 12 34", "03 12 34 00", "04 12 34 00 00"] {
                reads(&format!("{first_byte} {body}"), Version::V5, direction, of(Ack::success(id)));
            }
            reads(&format!("{first_byte} 02 12 34"), Version::V311, direction, of(Ack::success(id)));
        }
    }
    let refused = Ack { reason: ReasonCode::NotAuthorized, ..Ack::success(id) };
    for body in ["40 03 12 34 87", "40 04 12 34 87 00"] {
        reads(body, Version::V5, Direction::ToServer, Packet::PubAck(refused));
    }
}

/// Section 3.15.2.1: reason and properties are left out together; the property length alone is not (unlike DISCONNECT,
/// of which section 3.14.2.2.1 says so).
#[test]
fn an_auth_may_leave_out_everything_or_nothing() {
    let success = Packet::Auth(Auth { reason: ReasonCode::Success, properties: Default::default() });
    reads("F0 00", Version::V5, Direction::ToClient, success);
    reads("F0 02 00 00", Version::V5, Direction::ToClient, success);
    for bytes in ["F0 01 00", "F0 01 18"] {
        assert_eq!(refusal(&hex(bytes), Version::V5, Direction::ToClient), Rule::Truncated, "{bytes}");
    }
}

/// What is left out in reading is left out in writing, where there is nothing to say.
#[test]
fn short_forms_are_written_short() {
    let id = 7.try_into().unwrap();
    for (packet, bytes) in [
        (Packet::PubAck(Ack::success(id)), "40 02 00 07"),
        (Packet::PubRel(Ack::success(id)), "62 02 00 07"),
        (Packet::Disconnect(Disconnect::default()), "E0 00"),
        (Packet::Disconnect(Disconnect::with_reason(ReasonCode::SessionTakenOver)), "E0 01 8E"),
        (Packet::Auth(Auth { reason: ReasonCode::Success, properties: Default::default() }), "F0 00"),
    ] {
        assert_eq!(to_hex(&written(&packet, Version::V5)), bytes);
    }
}

/// Section 3.1.3.6 and section 3.1.3.5: a password is any bytes, also none, and so the user name may be empty.
#[test]
fn credentials_may_be_empty_or_binary() {
    for password in [&b""[..], b"\0", b"\xFF\xFE\0\xC3"] {
        for (level, version, none) in [(4, Version::V311, &[][..]), (5, Version::V5, &[0])] {
            let head = [&*field("MQTT"), &[level, 0xC2, 0, 0], none, &field("c")].concat();
            let bytes = packet(0x10, &[&*head, &field(""), &field(password)].concat());
            let connect = Connect { username: Some(""), password: Some(password), ..Connect::new(version, "c") };
            assert_eq!(read(&bytes, version, Direction::ToServer), Ok(Packet::Connect(connect)));
        }
    }
}

/// Section 3.3.3: a PUBLISH may have no payload; section 3.1.3.1: a CONNECT no client id.
#[test]
fn payload_and_client_id_may_be_empty() {
    let bytes = packet(0x31, &[&*field("t"), &[0]].concat());
    let Ok(Packet::Publish(publish)) = read(&bytes, Version::V5, Direction::ToServer) else { panic!() };
    assert_eq!((publish.payload, publish.retain, publish.qos), (&[][..], true, QoS::AtMostOnce));
    for version in [Version::V311, Version::V5] {
        let bytes = written(&Packet::Connect(Connect::new(version, "")), version);
        assert_eq!(read(&bytes, version, Direction::ToServer), Ok(Packet::Connect(Connect::new(version, ""))));
    }
}

/// An empty slice of subscription identifiers says what their absence says.
#[test]
fn no_subscription_ids_are_no_subscription_ids() {
    assert_eq!(SubscriptionIds::from(&[][..]), SubscriptionIds::default());
    assert_eq!(SubscriptionIds::from(&[9.try_into().unwrap()][..]), SubscriptionIds::one(9.try_into().unwrap()));
    assert_ne!(SubscriptionIds::one(9.try_into().unwrap()), SubscriptionIds::default());
}

/// A DISCONNECT that says nothing but success keeps its properties.
#[test]
fn a_disconnect_with_properties_is_not_short() {
    let properties = DisconnectProperties { session_expiry_interval: Some(0), ..Default::default() };
    let packet = Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties });
    assert_eq!(to_hex(&written(&packet, Version::V5)), "E0 07 00 05 11 00 00 00 00");
}
