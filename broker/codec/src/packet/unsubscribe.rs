//! UNSUBSCRIBE (section 3.10).

use std::num::NonZeroU16;

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::topic::validate_filter;
use crate::write::{field_bytes, put_text};
use crate::{EncodeError, Rule, Version};

property_set! {
    /// Properties of UNSUBSCRIBE (section 3.10.2.1): user properties alone.
    UnsubscribeProperties {}
}

/// The filters of an UNSUBSCRIBE: validated bytes of a packet, or a slice for encoding.
#[derive(Clone, Copy)]
pub struct UnsubscribeFilters<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Bytes(Reader<'a>),
    Slice(&'a [&'a str]),
}

impl<'a> UnsubscribeFilters<'a> {
    /// Each filter, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut source = self.0;
        std::iter::from_fn(move || match &mut source {
            Source::Bytes(reader) if reader.is_empty() => None,
            Source::Bytes(reader) => reader.utf8().ok(),
            Source::Slice(slice) => {
                let (first, rest) = slice.split_first()?;
                *slice = rest;
                Some(*first)
            }
        })
    }
}

impl<'a> From<&'a [&'a str]> for UnsubscribeFilters<'a> {
    fn from(filters: &'a [&'a str]) -> Self {
        Self(Source::Slice(filters))
    }
}

impl PartialEq for UnsubscribeFilters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UnsubscribeFilters<'_> {}

impl std::fmt::Debug for UnsubscribeFilters<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An end of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsubscribe<'a> {
    /// UNSUBACK has the same.
    pub packet_id: NonZeroU16,
    /// Empty in 3.1.1.
    pub properties: UnsubscribeProperties<'a>,
    /// At least one.
    pub filters: UnsubscribeFilters<'a>,
}

impl Unsubscribe<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let mut filters_bytes = 0;
        for filter in self.filters.iter() {
            validate_filter(filter).map_err(Rule::TopicFilter)?;
            filters_bytes += field_bytes(filter.as_bytes());
        }
        if filters_bytes == 0 {
            return Err(Rule::FiltersMissing.into());
        }
        let block = self.properties.checked_size(version)?;
        put_header(PacketType::Unsubscribe.first_byte(), 2 + block.bytes() + filters_bytes, out)?;
        out.put_u16(self.packet_id.get());
        self.properties.put(block, out);
        for filter in self.filters.iter() {
            put_text(out, filter);
        }
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version) -> Result<Unsubscribe<'_>, Rule> {
    let packet_id = reader.packet_id()?;
    let properties = UnsubscribeProperties::decode(&mut reader, version)?;
    if reader.is_empty() {
        return Err(Rule::FiltersMissing);
    }
    let filters = UnsubscribeFilters(Source::Bytes(reader));
    while !reader.is_empty() {
        validate_filter(reader.utf8()?).map_err(Rule::TopicFilter)?;
    }
    Ok(Unsubscribe { packet_id, properties, filters })
}
