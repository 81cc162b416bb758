//! Where the two codecs are known to differ, each with its reason and an example that holds it: a row that is no longer
//! true is red, as is a difference that is in no row.

use std::mem::discriminant;

use talaria_codec::topic::TopicError;
use talaria_codec::{Connect, Direction, Packet, ReasonCode, Rule, Version, decode};

use super::theirs;
use crate::wire::hex;

use Direction::{ToClient, ToServer};
use Version::{V5, V311};

/// What we refuse by a rule and they accept.
struct Known {
    rule: Rule,
    /// The numbers of the packet types of which it is known; none: of any.
    types: &'static [u8],
    version: Version,
    direction: Direction,
    /// Refused by us for that rule alone, accepted by them.
    example: String,
}

fn known(rule: Rule, types: &'static [u8], version: Version, direction: Direction, example: &str) -> Known {
    Known { rule, types, version, direction, example: example.to_owned() }
}

/// They read the syntax; most of what a value means, and where it may stand, they leave to the application.
fn accepted_by_them() -> Vec<Known> {
    use Rule as R;
    vec![
        // They do not look for the shortest form of a variable byte integer (MQTT-1.5.5-1).
        known(R::LengthOverlong, &[], V5, ToServer, "C0 80 00"),
        // A packet has no direction for them (section 2.1.2), and 3.1.1 has AUTH.
        known(R::WrongDirection, &[], V5, ToServer, "D0 00"),
        known(R::NotInThisVersion, &[15], V311, ToServer, "F0 00"),
        known(R::SubscriptionIdFromClient, &[3], V5, ToServer, "30 06 00 01 74 02 0B 01"),
        known(R::SessionExpiryFromServer, &[14], V5, ToClient, "E0 07 00 05 11 00 00 00 00"),
        // They read the acknowledgements, CONNACK and DISCONNECT of 5.0 in 3.1.1 as well.
        known(R::BytesLeftOver, &[2, 4, 5, 6, 7, 14], V311, ToServer, "E0 01 00"),
        known(R::ReasonCodeUnknown, &[2, 15], V311, ToClient, "20 02 00 95"),
        // AUTH has for them any reason code, also those of an extension of their own.
        known(R::ReasonCodeUnknown, &[2, 15], V5, ToClient, "F0 02 BA 00"),
        known(R::ReasonCodeNotAllowed, &[4, 5, 9, 14, 15], V5, ToClient, "F0 02 87 00"),
        // Codes for one side only, and SUBACK's of 5.0 in 3.1.1.
        known(R::ReasonCodeNotAllowed, &[4, 5, 9, 14, 15], V5, ToClient, "E0 01 04"),
        known(R::ReasonCodeNotAllowed, &[4, 5, 9, 14, 15], V5, ToServer, "40 03 00 01 10"),
        known(R::ReasonCodeNotAllowed, &[4, 5, 9, 14, 15], V311, ToClient, "90 03 00 01 87"),
        // A CONNACK of 5.0 may do without its properties for them, and an AUTH too.
        known(R::Truncated, &[2, 15], V5, ToClient, "20 02 00 87"),
        known(R::Truncated, &[2, 15], V5, ToClient, "F0 01 00"),
        known(R::SessionPresentInRefusal, &[2], V311, ToClient, "20 02 01 05"),
        // Packet identifiers may be 0 (MQTT-2.2.1-3).
        known(R::PacketIdZero, &[], V5, ToServer, "40 02 00 00"),
        // Any property may be anywhere, with any value of its type; a subscription identifier also twice.
        known(R::PropertyNotAllowed, &[], V5, ToServer, "40 07 00 01 00 03 13 00 3C"),
        known(R::PropertyValue, &[], V5, ToServer, "30 06 00 01 74 02 01 02"),
        known(R::TopicAliasZero, &[], V5, ToServer, "30 07 00 01 74 03 23 00 00"),
        known(R::PropertyDuplicate, &[8], V5, ToServer, "82 0B 00 01 04 0B 01 0B 01 00 01 74 00"),
        known(
            R::AuthenticationMethodMissing,
            &[1, 2, 15],
            V5,
            ToServer,
            "10 12 00 04 4D 51 54 54 05 02 00 3C 04 16 00 01 AA 00 01 63",
        ),
        // The bound is ours.
        known(
            R::UserPropertiesTooMany,
            &[],
            V5,
            ToServer,
            &format!("40 CC 03 00 01 00 C7 03 {}", "26 00 01 6B 00 01 76".repeat(65)),
        ),
        // They read a CONNECT of any level as one of 3.1.1, and leave the client id to the server.
        known(R::ProtocolLevel, &[1], V5, ToServer, "10 0C 00 04 4D 51 54 54 06 02 00 3C 00 00"),
        known(R::ClientIdEmpty, &[1], V311, ToServer, "10 0C 00 04 4D 51 54 54 04 00 00 3C 00 00"),
        // In 3.1.1 they look at two bits of a subscription's options, and take QoS 3 for 0.
        known(R::SubscribeOptionsReserved, &[8], V311, ToServer, "82 06 00 01 00 01 74 04"),
        known(R::QoSThree, &[8], V311, ToServer, "82 06 00 01 00 01 74 03"),
        known(R::NoLocalShared, &[8], V5, ToServer, "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 74 04"),
        // Topics are any strings.
        known(R::TopicMissing, &[3], V5, ToServer, "30 03 00 00 00"),
        known(R::TopicName(TopicError::WildcardInName), &[3], V311, ToServer, "30 03 00 01 2B"),
        known(R::ResponseTopic(TopicError::WildcardInName), &[1, 3], V5, ToServer, "30 08 00 01 74 04 08 00 01 23"),
        known(
            R::WillTopic(TopicError::WildcardInName),
            &[1],
            V311,
            ToServer,
            "10 12 00 04 4D 51 54 54 04 06 00 00 00 01 63 00 01 2B 00 00",
        ),
        known(R::TopicFilter(TopicError::WildcardMisplaced), &[8, 10], V311, ToServer, "82 07 00 01 00 02 61 23 00"),
    ]
}

/// Whether it is known that they accept what we refuse by this rule; which topic error it is does not matter.
pub(super) fn accepted_by_theirs_alone(bytes: &[u8], rule: Rule) -> bool {
    let packet_type = bytes.first().map(|first_byte| first_byte >> 4);
    accepted_by_them().iter().any(|known| {
        let is_of_type = known.types.is_empty() || packet_type.is_some_and(|number| known.types.contains(&number));
        discriminant(&known.rule) == discriminant(&rule) && is_of_type
    })
}

/// Whether it is known that they refuse what we accept.
pub(super) fn accepted_by_ours_alone(packet: &Packet<'_>) -> bool {
    match packet {
        // Section 3.1.2.9: "This version of the protocol allows the sending of a Password with no User Name".
        Packet::Connect(Connect { version: V5, username: None, password: Some(_), .. }) => true,
        // Section 2.4 has the code for DISCONNECT, section 3.14.2.1 does not list it.
        Packet::Disconnect(disconnect) => disconnect.reason == ReasonCode::BadAuthenticationMethod,
        _ => false,
    }
}

#[test]
fn every_known_difference_is_one() {
    for known in accepted_by_them() {
        let bytes = hex(&known.example);
        let refused = decode(&bytes, known.version, known.direction).map_err(|error| error.rule());
        assert_eq!(refused, Err(known.rule), "{}", known.example);
        let theirs = theirs::decode(&bytes, known.version);
        assert!(theirs.is_ok(), "{:?} {}: {theirs:?}", known.rule, known.example);
        assert!(accepted_by_theirs_alone(&bytes, known.rule), "{}", known.example);
    }
    for (example, direction) in
        [("10 10 00 04 4D 51 54 54 05 42 00 3C 00 00 01 63 00 00", ToServer), ("E0 01 8C", ToClient)]
    {
        let bytes = hex(example);
        let ours = decode(&bytes, V5, direction).unwrap();
        assert!(accepted_by_ours_alone(&ours), "{ours:?}");
        assert!(theirs::decode(&bytes, V5).is_err(), "{example}");
    }
}
