//! SUBSCRIBE (section 3.8).

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::topic::{is_shared, validate_filter};
use crate::write::{field_bytes, put_text};
use crate::{EncodeError, QoS, Rule, Version};

property_set! {
    /// Properties of SUBSCRIBE (section 3.8.2.1).
    SubscribeProperties {
        /// Section 3.8.2.1.2.
        subscription_identifier: NonZeroU32 = SubscriptionIdentifier,
    }
}

/// What happens to retained messages when subscribing (section 3.8.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// They are sent.
    #[default]
    Send = 0,
    /// They are sent only if the subscription is new.
    SendIfNew = 1,
    /// They are not sent.
    DoNotSend = 2,
}

/// Options of one filter (section 3.8.3.1); 3.1.1 has the QoS alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SubscribeOptions {
    /// The highest QoS of deliveries.
    pub qos: QoS,
    /// Not what the same client published.
    pub no_local: bool,
    /// Deliveries keep the RETAIN flag of the publish.
    pub retain_as_published: bool,
    /// Retained messages when subscribing.
    pub retain_handling: RetainHandling,
}

impl SubscribeOptions {
    /// As on the wire (section 3.8.3.1).
    pub const fn to_byte(self) -> u8 {
        self.qos.number()
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling as u8) << 4
    }

    /// Reads [`to_byte`](Self::to_byte) back.
    ///
    /// # Errors
    /// QoS 3, retain handling 3, reserved bits; in 3.1.1 all bits but those of the QoS are reserved.
    pub fn from_byte(byte: u8, version: Version) -> Result<Self, Rule> {
        let reserved = match version {
            Version::V311 => 0xFC,
            Version::V5 => 0xC0,
        };
        if byte & reserved != 0 {
            return Err(Rule::SubscribeOptionsReserved);
        }
        let retain_handling = match byte >> 4 & 3 {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return Err(Rule::RetainHandlingThree),
        };
        Ok(Self {
            qos: QoS::from_number(byte & 3).ok_or(Rule::QoSThree)?,
            no_local: byte & 4 != 0,
            retain_as_published: byte & 8 != 0,
            retain_handling,
        })
    }
}

/// One filter with its options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubscribeFilter<'a> {
    /// Valid as [`validate_filter`] says.
    pub filter: &'a str,
    /// How it is subscribed to.
    pub options: SubscribeOptions,
}

/// The filters of a SUBSCRIBE: validated bytes of a packet, or a slice for encoding.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Bytes(Reader<'a>, Version),
    Slice(&'a [SubscribeFilter<'a>]),
}

impl<'a> SubscribeFilters<'a> {
    /// Each filter, in their order.
    pub fn iter(&self) -> impl Iterator<Item = SubscribeFilter<'a>> + use<'a> {
        let mut source = self.0;
        std::iter::from_fn(move || match &mut source {
            Source::Bytes(reader, _) if reader.is_empty() => None,
            Source::Bytes(reader, version) => read(reader, *version).ok(),
            Source::Slice(slice) => {
                let (first, rest) = slice.split_first()?;
                *slice = rest;
                Some(*first)
            }
        })
    }
}

impl<'a> From<&'a [SubscribeFilter<'a>]> for SubscribeFilters<'a> {
    fn from(filters: &'a [SubscribeFilter<'a>]) -> Self {
        Self(Source::Slice(filters))
    }
}

impl PartialEq for SubscribeFilters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SubscribeFilters<'_> {}

impl std::fmt::Debug for SubscribeFilters<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A wish to receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscribe<'a> {
    /// SUBACK has the same.
    pub packet_id: NonZeroU16,
    /// Empty in 3.1.1.
    pub properties: SubscribeProperties<'a>,
    /// At least one.
    pub filters: SubscribeFilters<'a>,
}

impl Subscribe<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let mut filters_bytes = 0;
        for filter in self.filters.iter() {
            check(&filter)?;
            filters_bytes += field_bytes(filter.filter.as_bytes()) + 1;
        }
        if filters_bytes == 0 {
            return Err(Rule::FiltersMissing.into());
        }
        let block = self.properties.checked_size(version)?;
        put_header(PacketType::Subscribe.first_byte(), 2 + block.bytes() + filters_bytes, out)?;
        out.put_u16(self.packet_id.get());
        self.properties.put(block, out);
        for filter in self.filters.iter() {
            put_text(out, filter.filter);
            out.put_u8(match version {
                Version::V311 => filter.options.qos.number(),
                Version::V5 => filter.options.to_byte(),
            });
        }
        Ok(())
    }
}

fn check(filter: &SubscribeFilter<'_>) -> Result<(), Rule> {
    validate_filter(filter.filter).map_err(Rule::TopicFilter)?;
    if filter.options.no_local && is_shared(filter.filter) { Err(Rule::NoLocalShared) } else { Ok(()) }
}

fn read<'a>(reader: &mut Reader<'a>, version: Version) -> Result<SubscribeFilter<'a>, Rule> {
    let filter = reader.utf8()?;
    let options = SubscribeOptions::from_byte(reader.u8()?, version)?;
    Ok(SubscribeFilter { filter, options })
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version) -> Result<Subscribe<'_>, Rule> {
    let packet_id = reader.packet_id()?;
    let properties = SubscribeProperties::decode(&mut reader, version)?;
    if reader.is_empty() {
        return Err(Rule::FiltersMissing);
    }
    let filters = SubscribeFilters(Source::Bytes(reader, version));
    while !reader.is_empty() {
        check(&read(&mut reader, version)?)?;
    }
    Ok(Subscribe { packet_id, properties, filters })
}
