//! SUBACK (section 3.9), and the list of reason codes that UNSUBACK has as well.

use std::num::NonZeroU16;

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::{Direction, EncodeError, ReasonCode, Rule, Version};

property_set! {
    /// Properties of SUBACK (section 3.9.2.1).
    SubAckProperties {
        /// For people and logs (section 3.9.2.1.2).
        reason_string: &'a str = ReasonString,
    }
}

/// One reason code for each filter: validated bytes of a packet, or a slice for encoding.
#[derive(Clone, Copy)]
pub struct ReasonCodes<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Bytes(&'a [u8]),
    Slice(&'a [ReasonCode]),
}

impl<'a> ReasonCodes<'a> {
    /// Reads and validates.
    pub(super) fn decode(reader: Reader<'a>, packet_type: PacketType) -> Result<Self, Rule> {
        let bytes = reader.rest();
        if bytes.is_empty() {
            return Err(Rule::ReasonCodesMissing);
        }
        for byte in bytes {
            let reason = ReasonCode::from_number(*byte).ok_or(Rule::ReasonCodeUnknown)?;
            if !reason.belongs_in(packet_type, Direction::ToClient) {
                return Err(Rule::ReasonCodeNotAllowed);
            }
        }
        Ok(Self(Source::Bytes(bytes)))
    }

    /// Refuses codes that do not belong in the packet.
    pub(super) fn check(self, packet_type: PacketType) -> Result<(), Rule> {
        if self.is_empty() {
            return Err(Rule::ReasonCodesMissing);
        }
        let belongs = |reason: ReasonCode| reason.belongs_in(packet_type, Direction::ToClient);
        if self.iter().all(belongs) { Ok(()) } else { Err(Rule::ReasonCodeNotAllowed) }
    }

    /// How many there are.
    pub const fn len(self) -> usize {
        match self.0 {
            Source::Bytes(bytes) => bytes.len(),
            Source::Slice(slice) => slice.len(),
        }
    }

    /// Whether there are none; never so in a packet that was decoded, but for an UNSUBACK of 3.1.1.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Each code, in the order of the filters.
    pub fn iter(&self) -> impl Iterator<Item = ReasonCode> + use<'a> {
        let source = self.0;
        (0..self.len()).filter_map(move |at| match source {
            Source::Bytes(bytes) => bytes.get(at).copied().and_then(ReasonCode::from_number),
            Source::Slice(slice) => slice.get(at).copied(),
        })
    }
}

impl<'a> From<&'a [ReasonCode]> for ReasonCodes<'a> {
    fn from(codes: &'a [ReasonCode]) -> Self {
        Self(Source::Slice(codes))
    }
}

impl Default for ReasonCodes<'_> {
    fn default() -> Self {
        Self(Source::Slice(&[]))
    }
}

impl PartialEq for ReasonCodes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ReasonCodes<'_> {}

impl std::fmt::Debug for ReasonCodes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The answer to SUBSCRIBE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubAck<'a> {
    /// Of the SUBSCRIBE.
    pub packet_id: NonZeroU16,
    /// Empty in 3.1.1.
    pub properties: SubAckProperties<'a>,
    /// One for each filter; in 3.1.1 every failure is written as 0x80.
    pub reasons: ReasonCodes<'a>,
}

impl SubAck<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.reasons.check(PacketType::SubAck)?;
        let block = self.properties.checked_size(version)?;
        put_header(PacketType::SubAck.first_byte(), 2 + block.bytes() + self.reasons.len(), out)?;
        out.put_u16(self.packet_id.get());
        self.properties.put(block, out);
        for reason in self.reasons.iter() {
            out.put_u8(match version {
                Version::V311 => reason.suback_return_code(),
                Version::V5 => reason.number(),
            });
        }
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version) -> Result<SubAck<'_>, Rule> {
    let packet_id = reader.packet_id()?;
    let properties = SubAckProperties::decode(&mut reader, version)?;
    let reasons = ReasonCodes::decode(reader, PacketType::SubAck)?;
    let is_311 = |reason: ReasonCode| reason.number() == reason.suback_return_code();
    if version == Version::V311 && !reasons.iter().all(is_311) {
        return Err(Rule::ReasonCodeNotAllowed);
    }
    Ok(SubAck { packet_id, properties, reasons })
}
