//! Random valid packets of every type, for each version and direction.
//!
//! What a packet borrows is leaked, so that packets need no owned twin; a run of the suite leaks a few megabytes.

mod properties;
pub(crate) mod text;

use std::num::NonZeroU16;

use proptest::prelude::*;
use talaria_codec::{
    Ack, Auth, ConnAck, Connect, Direction, Disconnect, Packet, Publish, QoS, ReasonCode, RetainHandling, SubAck,
    Subscribe, SubscribeFilter, SubscribeOptions, UnsubAck, Unsubscribe, Version, Will,
};

use crate::reasons;
use text::{binary, filter, leaked, text, topic};

/// A strategy of packets of one type.
pub(crate) type Packets = BoxedStrategy<Packet<'static>>;

/// Every packet type that may go this way, by name.
pub(crate) fn types(version: Version, direction: Direction) -> Vec<(&'static str, Packets)> {
    let mut types = vec![
        ("PUBLISH", publish(version, direction)),
        ("PUBACK", ack(version, direction).prop_map(Packet::PubAck).boxed()),
        ("PUBREC", ack(version, direction).prop_map(Packet::PubRec).boxed()),
        ("PUBREL", release(version).prop_map(Packet::PubRel).boxed()),
        ("PUBCOMP", release(version).prop_map(Packet::PubComp).boxed()),
    ];
    match direction {
        Direction::ToServer => types.extend([
            ("CONNECT", connect(version)),
            ("SUBSCRIBE", subscribe(version)),
            ("UNSUBSCRIBE", unsubscribe(version)),
            ("PINGREQ", Just(Packet::PingReq).boxed()),
        ]),
        Direction::ToClient => types.extend([
            ("CONNACK", connack(version)),
            ("SUBACK", suback(version)),
            ("UNSUBACK", unsuback(version)),
            ("PINGRESP", Just(Packet::PingResp).boxed()),
        ]),
    }
    match (version, direction) {
        (Version::V311, Direction::ToServer) => {
            types.push(("DISCONNECT", Just(Packet::Disconnect(Disconnect::default())).boxed()));
        }
        (Version::V311, Direction::ToClient) => {}
        (Version::V5, _) => types.extend([("DISCONNECT", disconnect(direction)), ("AUTH", auth(direction))]),
    }
    types
}

/// Any packet that may go this way.
pub(crate) fn any_packet(version: Version, direction: Direction) -> Packets {
    proptest::strategy::Union::new(types(version, direction).into_iter().map(|(_, packets)| packets)).boxed()
}

/// Properties in 5.0, their default in 3.1.1.
fn only_in_5<T: Default + Clone + std::fmt::Debug + 'static>(
    version: Version,
    properties: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    match version {
        Version::V311 => Just(T::default()).boxed(),
        Version::V5 => properties.boxed(),
    }
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

fn packet_id() -> impl Strategy<Value = NonZeroU16> {
    prop_oneof![any::<NonZeroU16>(), Just(NonZeroU16::MIN), Just(NonZeroU16::MAX)]
}

fn reason(numbers: &'static [u8]) -> impl Strategy<Value = ReasonCode> + Clone {
    prop::sample::select(reasons::codes(numbers))
}

fn connect(version: Version) -> Packets {
    let will = (topic(), binary(), qos(), any::<bool>(), only_in_5(version, properties::will()))
        .prop_map(|(topic, payload, qos, retain, properties)| Will { topic, payload, qos, retain, properties });
    let head = (any::<bool>(), any::<u16>(), text(), only_in_5(version, properties::connect()));
    let tail = (prop::option::of(will), prop::option::of(text()), prop::option::of(binary()));
    (head, tail)
        .prop_map(move |((clean_start, keep_alive, client_id, properties), (will, username, password))| {
            let is_311 = version == Version::V311;
            // 3.1.1 MQTT-3.1.3-8 and 3.1.1 MQTT-3.1.2-22.
            let clean_start = clean_start || is_311 && client_id.is_empty();
            let password = password.filter(|_| !is_311 || username.is_some());
            Connect { version, clean_start, keep_alive, client_id, will, username, password, properties }
        })
        .prop_map(Packet::Connect)
        .boxed()
}

fn connack(version: Version) -> Packets {
    let numbers = match version {
        // What the six return codes stand for.
        Version::V311 => &[0x00, 0x84, 0x85, 0x88, 0x86, 0x87],
        Version::V5 => reasons::CONNACK,
    };
    (any::<bool>(), reason(numbers), only_in_5(version, properties::connack()))
        .prop_map(|(session_present, reason, properties)| ConnAck {
            session_present: session_present && reason == ReasonCode::Success,
            reason,
            properties,
        })
        .prop_map(Packet::ConnAck)
        .boxed()
}

fn publish(version: Version, direction: Direction) -> Packets {
    let payload = prop_oneof![4 => binary(), 1 => prop::collection::vec(any::<u8>(), 0..5_000).prop_map(leaked)];
    let head = (qos(), any::<bool>(), any::<bool>(), packet_id());
    let properties = only_in_5(version, properties::publish(direction));
    (head, topic(), prop::bool::weighted(0.2), properties, payload)
        .prop_map(|((qos, dup, retain, packet_id), topic, only_alias, properties, payload)| Publish {
            dup: dup && qos > QoS::AtMostOnce,
            qos,
            retain,
            topic: if only_alias && properties.topic_alias.is_some() { "" } else { topic },
            packet_id: (qos > QoS::AtMostOnce).then_some(packet_id),
            properties,
            payload,
        })
        .prop_map(Packet::Publish)
        .boxed()
}

fn ack(version: Version, direction: Direction) -> BoxedStrategy<Ack<'static>> {
    let numbers = match (version, direction) {
        (Version::V311, _) => &[0x00],
        (_, Direction::ToServer) => reasons::PUBACK_OF_CLIENT,
        (_, Direction::ToClient) => reasons::PUBACK_OF_SERVER,
    };
    ack_with(version, numbers)
}

fn release(version: Version) -> BoxedStrategy<Ack<'static>> {
    ack_with(version, if version == Version::V311 { &[0x00] } else { reasons::PUBREL })
}

fn ack_with(version: Version, numbers: &'static [u8]) -> BoxedStrategy<Ack<'static>> {
    (packet_id(), reason(numbers), only_in_5(version, properties::ack()))
        .prop_map(|(packet_id, reason, properties)| Ack { packet_id, reason, properties })
        .boxed()
}

fn subscribe(version: Version) -> Packets {
    let handling =
        prop_oneof![Just(RetainHandling::Send), Just(RetainHandling::SendIfNew), Just(RetainHandling::DoNotSend)];
    let options = (qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        move |(qos, no_local, retain_as_published, retain_handling)| match version {
            Version::V311 => SubscribeOptions { qos, ..Default::default() },
            Version::V5 => SubscribeOptions { qos, no_local, retain_as_published, retain_handling },
        },
    );
    let filter = (filter(), options).prop_map(|(filter, mut options)| {
        // MQTT-3.8.3-4.
        options.no_local &= !filter.starts_with("$share/");
        SubscribeFilter { filter, options }
    });
    let filters = prop::collection::vec(filter, 1..6).prop_map(leaked);
    (packet_id(), only_in_5(version, properties::subscribe()), filters)
        .prop_map(|(packet_id, properties, filters)| Subscribe { packet_id, properties, filters: filters.into() })
        .prop_map(Packet::Subscribe)
        .boxed()
}

fn suback(version: Version) -> Packets {
    let numbers = if version == Version::V311 { reasons::SUBACK_311 } else { reasons::SUBACK };
    let reasons = prop::collection::vec(reason(numbers), 1..6).prop_map(leaked);
    (packet_id(), only_in_5(version, properties::suback()), reasons)
        .prop_map(|(packet_id, properties, reasons)| SubAck { packet_id, properties, reasons: reasons.into() })
        .prop_map(Packet::SubAck)
        .boxed()
}

fn unsubscribe(version: Version) -> Packets {
    let filters = prop::collection::vec(filter(), 1..6).prop_map(leaked);
    (packet_id(), only_in_5(version, properties::unsubscribe()), filters)
        .prop_map(|(packet_id, properties, filters)| Unsubscribe { packet_id, properties, filters: filters.into() })
        .prop_map(Packet::Unsubscribe)
        .boxed()
}

fn unsuback(version: Version) -> Packets {
    let reasons = match version {
        Version::V311 => Just(vec![]).boxed(),
        Version::V5 => prop::collection::vec(reason(reasons::UNSUBACK), 1..6).boxed(),
    };
    (packet_id(), only_in_5(version, properties::unsuback()), reasons.prop_map(leaked))
        .prop_map(|(packet_id, properties, reasons)| UnsubAck { packet_id, properties, reasons: reasons.into() })
        .prop_map(Packet::UnsubAck)
        .boxed()
}

fn disconnect(direction: Direction) -> Packets {
    let numbers = match direction {
        Direction::ToServer => reasons::DISCONNECT_OF_CLIENT,
        Direction::ToClient => reasons::DISCONNECT_OF_SERVER,
    };
    (reason(numbers), properties::disconnect(direction))
        .prop_map(|(reason, properties)| Packet::Disconnect(Disconnect { reason, properties }))
        .boxed()
}

fn auth(direction: Direction) -> Packets {
    let numbers = match direction {
        Direction::ToServer => reasons::AUTH_OF_CLIENT,
        Direction::ToClient => reasons::AUTH_OF_SERVER,
    };
    let auth = (reason(numbers), properties::auth()).prop_map(|(reason, properties)| Auth { reason, properties });
    let plain_success = Auth { reason: ReasonCode::Success, properties: Default::default() };
    match direction {
        Direction::ToServer => auth.prop_map(Packet::Auth).boxed(),
        Direction::ToClient => prop_oneof![9 => auth, 1 => Just(plain_success)].prop_map(Packet::Auth).boxed(),
    }
}
