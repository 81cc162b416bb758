//! Properties: which may be where, how often, and with which values (section 2.2.2.2).

use talaria_codec::{Direction, Packet, ReasonCode, Rule, USER_PROPERTIES_MAX, Version, decode};

use crate::wire::{block, field, packet, read, refusal};

/// Where properties can be: every packet of 5.0 but the pings, and the will.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Connect,
    Will,
    ConnAck,
    PublishToServer,
    PublishToClient,
    Ack(u8),
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    DisconnectOfClient,
    DisconnectOfServer,
    Auth,
}

use Place as P;

const PLACES: [Place; 16] = [
    P::Connect,
    P::Will,
    P::ConnAck,
    P::PublishToServer,
    P::PublishToClient,
    P::Ack(0x40),
    P::Ack(0x50),
    P::Ack(0x62),
    P::Ack(0x70),
    P::Subscribe,
    P::SubAck,
    P::Unsubscribe,
    P::UnsubAck,
    P::DisconnectOfClient,
    P::DisconnectOfServer,
    P::Auth,
];

impl Place {
    fn direction(self) -> Direction {
        match self {
            P::ConnAck | P::PublishToClient | P::SubAck | P::UnsubAck | P::DisconnectOfServer => Direction::ToClient,
            _ => Direction::ToServer,
        }
    }

    /// The packet with these properties, and with what it cannot be without.
    fn with(self, properties: &[u8]) -> Vec<u8> {
        let with = block(properties);
        let head = |flags: u8| [&*field("MQTT"), &[5, flags, 0, 0]].concat();
        let (first_byte, parts): (u8, Vec<Vec<u8>>) = match self {
            P::Connect => (0x10, vec![head(2), with, field("c")]),
            P::Will => (0x10, vec![head(6), vec![0], field("c"), with, field("t"), field("w")]),
            P::ConnAck => (0x20, vec![vec![0, 0], with]),
            P::PublishToServer | P::PublishToClient => (0x30, vec![field("t"), with]),
            P::Ack(first_byte) => (first_byte, vec![vec![0, 1, 0], with]),
            P::Subscribe => (0x82, vec![vec![0, 1], with, field("t"), vec![0]]),
            P::SubAck => (0x90, vec![vec![0, 1], with, vec![0]]),
            P::Unsubscribe => (0xA2, vec![vec![0, 1], with, field("t")]),
            P::UnsubAck => (0xB0, vec![vec![0, 1], with, vec![0]]),
            P::DisconnectOfClient | P::DisconnectOfServer => (0xE0, vec![vec![0x80], with]),
            P::Auth => {
                let is_there = properties.contains(&0x15) && properties[0] == 0x15;
                let method = if is_there { vec![] } else { [&[0x15][..], &field("m")].concat() };
                (0xF0, vec![vec![0x18], block(&[&method, properties].concat())])
            }
        };
        packet(first_byte, &parts.concat())
    }

    fn refused(self, properties: &[u8]) -> Option<Rule> {
        decode(&self.with(properties), Version::V5, self.direction()).err().map(|error| error.rule())
    }
}

/// Section 2.2.2.2, table 2-4, copied by hand: the identifier, an example of a value, and where the property may be.
fn table() -> Vec<(u8, Vec<u8>, Vec<Place>)> {
    let with_reason =
        [&[P::ConnAck, P::SubAck, P::UnsubAck, P::DisconnectOfClient, P::DisconnectOfServer, P::Auth][..], &ACKS]
            .concat();
    let publish = [P::PublishToServer, P::PublishToClient, P::Will];
    vec![
        (0x01, vec![1], publish.into()),
        (0x02, vec![0, 0, 0, 1], publish.into()),
        (0x03, field("text/plain"), publish.into()),
        (0x08, field("r"), publish.into()),
        (0x09, field([0xFF]), publish.into()),
        (0x0B, vec![1], vec![P::PublishToClient, P::Subscribe]),
        (0x11, vec![0, 0, 0, 1], vec![P::Connect, P::ConnAck, P::DisconnectOfClient]),
        (0x12, field("c"), vec![P::ConnAck]),
        (0x13, vec![0, 1], vec![P::ConnAck]),
        (0x15, field("m"), vec![P::Connect, P::ConnAck, P::Auth]),
        // Authentication data needs its method; see below.
        (0x17, vec![0], vec![P::Connect]),
        (0x18, vec![0, 0, 0, 1], vec![P::Will]),
        (0x19, vec![1], vec![P::Connect]),
        (0x1A, field("r"), vec![P::ConnAck]),
        (0x1C, field("s"), vec![P::ConnAck, P::DisconnectOfServer]),
        (0x1F, field("why"), with_reason),
        (0x21, vec![0, 1], vec![P::Connect, P::ConnAck]),
        (0x22, vec![0, 1], vec![P::Connect, P::ConnAck]),
        (0x23, vec![0, 1], vec![P::PublishToServer, P::PublishToClient]),
        (0x24, vec![1], vec![P::ConnAck]),
        (0x25, vec![1], vec![P::ConnAck]),
        (0x26, [field("n"), field("v")].concat(), PLACES.into()),
        (0x27, vec![0, 0, 0, 1], vec![P::Connect, P::ConnAck]),
        (0x28, vec![1], vec![P::ConnAck]),
        (0x29, vec![1], vec![P::ConnAck]),
        (0x2A, vec![1], vec![P::ConnAck]),
    ]
}

const ACKS: [Place; 4] = [P::Ack(0x40), P::Ack(0x50), P::Ack(0x62), P::Ack(0x70)];

#[test]
fn a_property_is_only_where_it_belongs() {
    for (identifier, value, allowed) in table() {
        let property = [&[identifier][..], &value].concat();
        for place in PLACES {
            let expected = match (identifier, place) {
                _ if allowed.contains(&place) => None,
                // Rules of their own.
                (0x0B, P::PublishToServer) => Some(Rule::SubscriptionIdFromClient),
                (0x11, P::DisconnectOfServer) => Some(Rule::SessionExpiryFromServer),
                _ => Some(Rule::PropertyNotAllowed),
            };
            assert_eq!(place.refused(&property), expected, "{identifier:#04X} in {place:?}");
        }
    }
}

/// Only user properties and, in a delivery, subscription identifiers may be there twice.
#[test]
fn a_property_is_there_once() {
    for (identifier, value, allowed) in table() {
        let property = [&[identifier][..], &value].concat();
        for place in allowed {
            let may_repeat = identifier == 0x26 || (identifier, place) == (0x0B, P::PublishToClient);
            let expected = if may_repeat { None } else { Some(Rule::PropertyDuplicate) };
            assert_eq!(place.refused(&property.repeat(2)), expected, "{identifier:#04X} in {place:?}");
        }
    }
}

#[test]
fn a_property_that_is_not_defined_is_refused() {
    let defined: Vec<_> = table().iter().map(|(identifier, ..)| *identifier).chain([0x16]).collect();
    for identifier in (0..0x80).filter(|identifier| !defined.contains(identifier)) {
        for place in PLACES {
            assert_eq!(place.refused(&[identifier, 0, 0, 0, 0]), Some(Rule::PropertyUnknown), "{identifier:#04X}");
        }
    }
    // An identifier is a variable byte integer, with the only form of its value (MQTT-1.5.5-1).
    assert_eq!(P::Connect.refused(&[0x80, 0x01, 0, 0]), Some(Rule::PropertyUnknown));
    assert_eq!(P::Connect.refused(&[0xA6, 0x00, 0, 1, b'n', 0, 1, b'v']), Some(Rule::LengthOverlong));
    assert_eq!(P::Connect.refused(&[0x80, 0x80, 0x80, 0x80, 0x01]), Some(Rule::LengthTooLong));
}

#[test]
fn a_property_has_a_value_of_its_range() {
    for (place, property, rule) in [
        // Section 3.1.2.11.3, section 3.2.2.3.3.
        (P::Connect, &[0x21, 0, 0][..], Rule::PropertyValue),
        (P::ConnAck, &[0x21, 0, 0], Rule::PropertyValue),
        // Section 3.1.2.11.4.
        (P::Connect, &[0x27, 0, 0, 0, 0], Rule::PropertyValue),
        (P::ConnAck, &[0x27, 0, 0, 0, 0], Rule::PropertyValue),
        // Sections 3.8.2.1.2 and 3.3.2.3.8: 1 to 268,435,455.
        (P::Subscribe, &[0x0B, 0], Rule::PropertyValue),
        (P::PublishToClient, &[0x0B, 0], Rule::PropertyValue),
        (P::Subscribe, &[0x0B, 0x81, 0x00], Rule::LengthOverlong),
        (P::Subscribe, &[0x0B, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], Rule::LengthTooLong),
        // MQTT-3.3.2-8.
        (P::PublishToServer, &[0x23, 0, 0], Rule::TopicAliasZero),
        // Section 3.2.2.3.4: 0 or 1.
        (P::ConnAck, &[0x24, 2], Rule::PropertyValue),
    ] {
        assert_eq!(place.refused(property), Some(rule), "{property:02X?} in {place:?}");
    }
    // Every property that is one byte is 0 or 1.
    for (identifier, _, allowed) in table().into_iter().filter(|(_, value, _)| value.len() == 1) {
        for place in allowed.into_iter().filter(|_| identifier != 0x0B) {
            for value in 0..=u8::MAX {
                let expected = if value > 1 { Some(Rule::PropertyValue) } else { None };
                assert_eq!(place.refused(&[identifier, value]), expected, "{identifier:#04X} {value}");
            }
        }
    }
    assert_eq!(P::Subscribe.refused(&[0x0B, 0xFF, 0xFF, 0xFF, 0x7F]), None);
}

/// Section 3.1.2.11.10; section 3.2.2.3.18; section 3.15.2.2.2.
#[test]
fn authentication_data_needs_its_method() {
    let (method, data) = ([&[0x15][..], &field("m")].concat(), [&[0x16][..], &field([0xFF])].concat());
    for place in [P::Connect, P::ConnAck] {
        assert_eq!(place.refused(&data), Some(Rule::AuthenticationMethodMissing), "{place:?}");
        assert_eq!(place.refused(&[&*method, &data].concat()), None, "{place:?}");
        assert_eq!(place.refused(&[&*data, &method].concat()), None, "{place:?}");
    }
    for place in PLACES.into_iter().filter(|place| ![P::Connect, P::ConnAck, P::Auth].contains(place)) {
        assert_eq!(place.refused(&data), Some(Rule::PropertyNotAllowed), "{place:?}");
    }
    for (body, direction) in [
        (&[0x18, 0][..], Direction::ToServer),
        (&[0x19, 0], Direction::ToServer),
        (&[0x18, 0], Direction::ToClient),
        (&[0x18, 4, 0x16, 0, 1, 7], Direction::ToClient),
        (&[0x00, 4, 0x1F, 0, 1, b'r'], Direction::ToClient),
    ] {
        let rule = refusal(&packet(0xF0, body), Version::V5, direction);
        assert_eq!(rule, Rule::AuthenticationMethodMissing, "{body:02X?}");
    }
}

/// The standard has no bound, 2 MiB hold 400,000: the bound is ours, and the answer says so.
#[test]
fn thousands_of_user_properties_are_refused() {
    let pair = [&[0x26][..], &field("n"), &field("v")].concat();
    for place in PLACES {
        assert_eq!(place.refused(&pair.repeat(USER_PROPERTIES_MAX)), None, "{place:?}");
        for count in [USER_PROPERTIES_MAX + 1, 5_000] {
            let bytes = place.with(&pair.repeat(count));
            let refused = decode(&bytes, Version::V5, place.direction()).unwrap_err();
            assert_eq!(refused.rule(), Rule::UserPropertiesTooMany, "{place:?}");
            assert_eq!(refused.reason(), ReasonCode::QuotaExceeded);
        }
    }
}

/// MQTT-3.3.2-17, MQTT-3.3.2-18: in their order, with repetitions, whatever is between them.
#[test]
fn user_properties_keep_their_order() {
    let pair = |name: &str, value: &str| [&[0x26][..], &field(name), &field(value)].concat();
    let properties = [pair("b", "1"), vec![0x01, 1], pair("a", ""), pair("b", "1"), vec![0x23, 0, 5], pair("", "x")];
    let bytes = P::PublishToServer.with(&properties.concat());
    let Ok(Packet::Publish(publish)) = read(&bytes, Version::V5, Direction::ToServer) else { panic!() };
    let user = publish.properties.user_properties;
    assert_eq!(user.iter().collect::<Vec<_>>(), [("b", "1"), ("a", ""), ("b", "1"), ("", "x")]);
    assert_eq!((user.len(), user.iter().len(), user.get("a"), user.get("c")), (4, 4, Some(""), None));
}

/// Section 3.3.2.3.8: a delivery that several subscriptions asked for names all of them.
#[test]
fn subscription_ids_keep_their_order() {
    let bytes = P::PublishToClient.with(&[0x0B, 7, 0x26, 0, 1, b'n', 0, 0, 0x0B, 0x80, 0x01, 0x01, 0, 0x0B, 7]);
    let Ok(Packet::Publish(publish)) = read(&bytes, Version::V5, Direction::ToClient) else { panic!() };
    let ids = publish.properties.subscription_ids;
    assert_eq!(ids.iter().map(u32::from).collect::<Vec<_>>(), [7, 128, 7]);
    assert_eq!((ids.count(), ids.first().map(u32::from)), (3, Some(7)));
}
