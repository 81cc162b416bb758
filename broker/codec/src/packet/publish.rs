//! PUBLISH (section 3.3).

use std::num::NonZeroU16;

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::subscription_ids::SubscriptionIds;
use crate::properties::{BlockSize, Property, PropertySet, set_once};
use crate::read::Reader;
use crate::topic::validate_name;
use crate::write::{check_binary, field_bytes, put_text, put_var_int};
use crate::{Direction, EncodeError, QoS, Rule, UserProperties, Version};

const DUP: u8 = 0x08;
const RETAIN: u8 = 0x01;

/// Properties of PUBLISH (section 3.3.2.3).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct PublishProperties<'a> {
    /// The payload is UTF-8 (section 3.3.2.3.2).
    pub payload_format_indicator: Option<bool>,
    /// Seconds (section 3.3.2.3.3).
    pub message_expiry_interval: Option<u32>,
    /// Section 3.3.2.3.4.
    pub topic_alias: Option<NonZeroU16>,
    /// A name without wildcards (section 3.3.2.3.5).
    pub response_topic: Option<&'a str>,
    /// Section 3.3.2.3.6.
    pub correlation_data: Option<&'a [u8]>,
    /// Section 3.3.2.3.9.
    pub content_type: Option<&'a str>,
    /// To clients only (section 3.3.2.3.8).
    pub subscription_ids: SubscriptionIds<'a>,
    /// Forwarded in their order (MQTT-3.3.2-18).
    pub user_properties: UserProperties<'a>,
}

impl<'a> PropertySet<'a> for PublishProperties<'a> {
    fn apply(&mut self, property: Property<'a>) -> Result<(), Rule> {
        match property {
            Property::PayloadFormatIndicator(value) => set_once(&mut self.payload_format_indicator, value),
            Property::MessageExpiryInterval(value) => set_once(&mut self.message_expiry_interval, value),
            Property::TopicAlias(value) => set_once(&mut self.topic_alias, value),
            Property::ResponseTopic(value) => set_once(&mut self.response_topic, value),
            Property::CorrelationData(value) => set_once(&mut self.correlation_data, value),
            Property::ContentType(value) => set_once(&mut self.content_type, value),
            Property::SubscriptionIdentifier(id) => {
                self.subscription_ids = self.subscription_ids.and(id);
                Ok(())
            }
            _ => Err(Rule::PropertyNotAllowed),
        }
    }

    fn set_repeated(&mut self, block: &'a [u8], user: UserProperties<'a>) {
        self.subscription_ids = self.subscription_ids.in_block(block);
        self.user_properties = user;
    }

    fn visit(&self, show: &mut impl FnMut(Property<'a>)) {
        self.payload_format_indicator.map(Property::PayloadFormatIndicator).map(&mut *show);
        self.message_expiry_interval.map(Property::MessageExpiryInterval).map(&mut *show);
        self.topic_alias.map(Property::TopicAlias).map(&mut *show);
        self.response_topic.map(Property::ResponseTopic).map(&mut *show);
        self.correlation_data.map(Property::CorrelationData).map(&mut *show);
        self.content_type.map(Property::ContentType).map(&mut *show);
        self.subscription_ids.iter().map(Property::SubscriptionIdentifier).for_each(show);
    }

    fn user_properties(&self) -> UserProperties<'a> {
        self.user_properties
    }
}

/// An application message on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Publish<'a> {
    /// It was sent before (section 3.3.1.1).
    pub dup: bool,
    /// Section 3.3.1.2.
    pub qos: QoS,
    /// Section 3.3.1.3.
    pub retain: bool,
    /// Empty only beside a topic alias (section 3.3.2.1).
    pub topic: &'a str,
    /// Exactly if QoS is above 0 (MQTT-2.2.1-2).
    pub packet_id: Option<NonZeroU16>,
    /// Empty in 3.1.1.
    pub properties: PublishProperties<'a>,
    /// Any bytes, also none.
    pub payload: &'a [u8],
}

impl Publish<'_> {
    fn check(&self, version: Version) -> Result<(), EncodeError> {
        if self.packet_id.is_some() != (self.qos > QoS::AtMostOnce) {
            return Err(Rule::PacketIdPresence.into());
        }
        if self.dup && self.qos == QoS::AtMostOnce {
            return Err(Rule::DupWithQoSZero.into());
        }
        Ok(check_topic(self.topic, &self.properties, version)?)
    }

    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.check(version)?;
        let block = self.properties.checked_size(version)?;
        let packet_id_bytes = if self.packet_id.is_some() { 2 } else { 0 };
        let remaining = field_bytes(self.topic.as_bytes()) + packet_id_bytes + block.bytes() + self.payload.len();
        put_header(first_byte(self.dup, self.qos, self.retain), remaining, out)?;
        put_text(out, self.topic);
        if let Some(packet_id) = self.packet_id {
            out.put_u16(packet_id.get());
        }
        self.properties.put(block, out);
        out.put_slice(self.payload);
        Ok(())
    }
}

fn first_byte(dup: bool, qos: QoS, retain: bool) -> u8 {
    PacketType::Publish.first_byte() | if dup { DUP } else { 0 } | qos.number() << 1 | if retain { RETAIN } else { 0 }
}

/// Writes one payload to one of many receivers: nothing is checked that does not change between them, so the caller
/// answers for a valid topic, for a packet id exactly above QoS 0, and for `properties`, a block without its length.
///
/// # Errors
/// The topic or the packet is too long, or `out` has no room.
#[allow(clippy::too_many_arguments, reason = "the fields of the packet, in the order of the wire")]
#[inline]
pub fn encode_publish(
    out: &mut impl BufMut,
    version: Version,
    dup: bool,
    qos: QoS,
    retain: bool,
    topic: &str,
    packet_id: Option<NonZeroU16>,
    properties: &[u8],
    payload: &[u8],
) -> Result<(), EncodeError> {
    debug_assert!(packet_id.is_some() == (qos > QoS::AtMostOnce));
    check_binary(topic.as_bytes())?;
    let block = match version {
        Version::V311 => BlockSize::None,
        Version::V5 => BlockSize::Bytes(properties.len()),
    };
    let packet_id_bytes = if packet_id.is_some() { 2 } else { 0 };
    let remaining = field_bytes(topic.as_bytes()) + packet_id_bytes + block.bytes() + payload.len();
    put_header(first_byte(dup, qos, retain), remaining, out)?;
    put_text(out, topic);
    if let Some(packet_id) = packet_id {
        out.put_u16(packet_id.get());
    }
    if let BlockSize::Bytes(block_bytes) = block {
        put_var_int(out, block_bytes);
        out.put_slice(properties);
    }
    out.put_slice(payload);
    Ok(())
}

fn check_topic(topic: &str, properties: &PublishProperties<'_>, version: Version) -> Result<(), Rule> {
    if let Some(response_topic) = properties.response_topic {
        validate_name(response_topic).map_err(Rule::ResponseTopic)?;
    }
    if topic.is_empty() && version == Version::V5 {
        return if properties.topic_alias.is_some() { Ok(()) } else { Err(Rule::TopicMissing) };
    }
    validate_name(topic).map_err(Rule::TopicName)
}

pub(super) fn decode(
    mut reader: Reader<'_>,
    flags: u8,
    version: Version,
    direction: Direction,
) -> Result<Publish<'_>, Rule> {
    let qos = QoS::from_number(flags >> 1 & 3).ok_or(Rule::QoSThree)?;
    let topic = reader.utf8()?;
    let packet_id = if qos == QoS::AtMostOnce { None } else { Some(reader.packet_id()?) };
    let properties = PublishProperties::decode(&mut reader, version)?;
    check_topic(topic, &properties, version)?;
    if direction == Direction::ToServer && properties.subscription_ids.count() > 0 {
        return Err(Rule::SubscriptionIdFromClient);
    }
    let (dup, retain, payload) = (flags & DUP != 0, flags & RETAIN != 0, reader.rest());
    Ok(Publish { dup, qos, retain, topic, packet_id, properties, payload })
}
