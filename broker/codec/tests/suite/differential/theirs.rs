//! The other codec: bytes to packets and back, and its packets in plain form.

use mqtt5_protocol::packet::MqttPacket;
use mqtt5_protocol::packet::connack::ConnAckPacket;
use mqtt5_protocol::packet::connect::ConnectPacket;
use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::packet::subscribe::SubscribePacket;
use mqtt5_protocol::{FixedHeader, Packet, Properties, PropertyValue, ReasonCode};
use talaria_codec::Version;

use super::plain::{Plain, Shown};

/// Reads one packet. Whoever uses that codec cuts packets out of the stream, and sees what it left unread.
pub(super) fn decode(bytes: &[u8], version: Version) -> Result<Packet, String> {
    let mut rest = bytes;
    let header = FixedHeader::decode(&mut rest).map_err(|error| format!("{error:?}"))?;
    if usize::try_from(header.remaining_length) != Ok(rest.len()) {
        return Err("another length".to_owned());
    }
    let packet = Packet::decode_from_body_with_version(header.packet_type, &header, &mut rest, version.level());
    match packet {
        Ok(packet) if rest.is_empty() => Ok(packet),
        Ok(_) => Err("bytes left over".to_owned()),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// Writes a packet.
pub(super) fn encode(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    match packet {
        Packet::Connect(packet) => packet.encode(&mut bytes),
        Packet::ConnAck(packet) => packet.encode(&mut bytes),
        Packet::Publish(packet) => packet.encode(&mut bytes),
        Packet::PubAck(packet) => packet.encode(&mut bytes),
        Packet::PubRec(packet) => packet.encode(&mut bytes),
        Packet::PubRel(packet) => packet.encode(&mut bytes),
        Packet::PubComp(packet) => packet.encode(&mut bytes),
        Packet::Subscribe(packet) => packet.encode(&mut bytes),
        Packet::SubAck(packet) => packet.encode(&mut bytes),
        Packet::Unsubscribe(packet) => packet.encode(&mut bytes),
        Packet::UnsubAck(packet) => packet.encode(&mut bytes),
        Packet::PingReq => mqtt5_protocol::packet::pingreq::PingReqPacket::default().encode(&mut bytes),
        Packet::PingResp => mqtt5_protocol::packet::pingresp::PingRespPacket::default().encode(&mut bytes),
        Packet::Disconnect(packet) => packet.encode(&mut bytes),
        Packet::Auth(packet) => packet.encode(&mut bytes),
    }
    .unwrap();
    bytes
}

pub(super) fn plain(packet: &Packet) -> Plain {
    match packet {
        Packet::Connect(packet) => connect(packet),
        Packet::ConnAck(packet) => connack(packet),
        Packet::Publish(packet) => publish(packet),
        Packet::PubAck(packet) => ack("PUBACK", packet.packet_id, packet.reason_code, &packet.properties),
        Packet::PubRec(packet) => ack("PUBREC", packet.packet_id, packet.reason_code, &packet.properties),
        Packet::PubRel(packet) => ack("PUBREL", packet.packet_id, packet.reason_code, &packet.properties),
        Packet::PubComp(packet) => ack("PUBCOMP", packet.packet_id, packet.reason_code, &packet.properties),
        Packet::Subscribe(packet) => subscribe(packet),
        Packet::SubAck(packet) => {
            let reasons: Vec<_> = packet.reason_codes.iter().map(|&code| code as u8).collect();
            let plain = Plain::new("SUBACK").with("packet id", packet.packet_id).with("reasons", reasons);
            with_properties(plain, "", &packet.properties)
        }
        Packet::Unsubscribe(packet) => {
            let filters: Vec<_> = packet.filters.iter().map(String::as_str).collect();
            let plain = Plain::new("UNSUBSCRIBE").with("packet id", packet.packet_id).with("filters", filters);
            with_properties(plain, "", &packet.properties)
        }
        Packet::UnsubAck(packet) => {
            let reasons: Vec<_> = packet.reason_codes.iter().map(|&code| code as u8).collect();
            let plain = Plain::new("UNSUBACK").with("packet id", packet.packet_id).with("reasons", reasons);
            with_properties(plain, "", &packet.properties)
        }
        Packet::PingReq => Plain::new("PINGREQ"),
        Packet::PingResp => Plain::new("PINGRESP"),
        Packet::Disconnect(packet) => {
            let plain = Plain::new("DISCONNECT").with("reason", u8::from(packet.reason_code));
            with_properties(plain, "", &packet.properties)
        }
        Packet::Auth(packet) => {
            let plain = Plain::new("AUTH").with("reason", u8::from(packet.reason_code));
            with_properties(plain, "", &packet.properties)
        }
    }
}

fn connect(packet: &ConnectPacket) -> Plain {
    let plain = Plain::new("CONNECT")
        .with("level", packet.protocol_version)
        .with("clean start", packet.clean_start)
        .with("keep alive", packet.keep_alive)
        .with("client id", &*packet.client_id)
        .with("user name", packet.username.as_deref())
        .with("password", packet.password.as_deref());
    let plain = with_properties(plain, "", &packet.properties);
    let Some(will) = &packet.will else { return plain };
    let plain = plain
        .with("will topic", &*will.topic)
        .with("will payload", &*will.payload)
        .with("will qos", u8::from(will.qos))
        .with("will retain", will.retain);
    with_properties(plain, "will", &packet.will_properties)
}

fn connack(packet: &ConnAckPacket) -> Plain {
    let plain = Plain::new("CONNACK")
        .with("level", packet.protocol_version)
        .with("session present", packet.session_present)
        .with("reason", u8::from(packet.reason_code));
    with_properties(plain, "", &packet.properties)
}

fn publish(packet: &PublishPacket) -> Plain {
    let plain = Plain::new("PUBLISH")
        .with("dup", packet.dup)
        .with("qos", u8::from(packet.qos))
        .with("retain", packet.retain)
        .with("topic", &*packet.topic_name)
        .with("packet id", packet.packet_id)
        .with("payload", &*packet.payload);
    with_properties(plain, "", &packet.properties)
}

fn ack(name: &'static str, packet_id: u16, reason: ReasonCode, properties: &Properties) -> Plain {
    let plain = Plain::new(name).with("packet id", packet_id).with("reason", u8::from(reason));
    with_properties(plain, "", properties)
}

fn subscribe(packet: &SubscribePacket) -> Plain {
    let filters = packet.filters.iter();
    let plain = filters.fold(Plain::new("SUBSCRIBE"), |plain, filter| {
        plain
            .with("filter", &*filter.filter)
            .with("qos", u8::from(filter.options.qos))
            .with("no local", filter.options.no_local)
            .with("retain as published", filter.options.retain_as_published)
            .with("retain handling", filter.options.retain_handling as u8)
    });
    with_properties(plain.with("packet id", packet.packet_id), "", &packet.properties)
}

fn with_properties(plain: Plain, of: &'static str, properties: &Properties) -> Plain {
    properties.iter().fold(plain, |plain, (id, value)| plain.property(of, id as u8, Some(value)))
}

impl Shown for &PropertyValue {
    fn shown(self) -> String {
        match self {
            PropertyValue::Byte(value) => value.shown(),
            PropertyValue::TwoByteInteger(value) => value.shown(),
            PropertyValue::FourByteInteger(value) | PropertyValue::VariableByteInteger(value) => value.shown(),
            PropertyValue::BinaryData(value) => (&**value).shown(),
            PropertyValue::Utf8String(value) => (&**value).shown(),
            PropertyValue::Utf8StringPair(name, value) => (&**name, &**value).shown(),
        }
    }
}
