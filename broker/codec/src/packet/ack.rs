//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): one form.

use std::num::NonZeroU16;

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::{Direction, EncodeError, ReasonCode, Rule, Version};

property_set! {
    /// Properties of the four acknowledgements (section 3.4.2.2).
    AckProperties {
        /// For people and logs (section 3.4.2.2.2).
        reason_string: &'a str = ReasonString,
    }
}

/// An acknowledgement of a publish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack<'a> {
    /// Of the PUBLISH.
    pub packet_id: NonZeroU16,
    /// In 3.1.1 always success.
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: AckProperties<'a>,
}

impl Ack<'_> {
    /// One that says nothing but success.
    pub fn success(packet_id: NonZeroU16) -> Self {
        Self { packet_id, reason: ReasonCode::Success, properties: AckProperties::default() }
    }

    pub(crate) fn encode(
        &self,
        packet_type: PacketType,
        version: Version,
        out: &mut impl BufMut,
    ) -> Result<(), EncodeError> {
        let first_byte = packet_type.first_byte();
        let is_short = self.reason == ReasonCode::Success && self.properties == AckProperties::default();
        if version == Version::V311 || is_short {
            put_header(first_byte, 2, out)?;
            out.put_u16(self.packet_id.get());
            return Ok(());
        }
        // Every code that clients may send, servers may send too.
        if !self.reason.belongs_in(packet_type, Direction::ToClient) {
            return Err(Rule::ReasonCodeNotAllowed.into());
        }
        let block = self.properties.checked_size(version)?;
        put_header(first_byte, 3 + block.bytes(), out)?;
        out.put_u16(self.packet_id.get());
        out.put_u8(self.reason.number());
        self.properties.put(block, out);
        Ok(())
    }
}

/// The answer that is written most: PUBACK without reason and properties. Four bytes of capacity must be there.
#[inline]
pub fn encode_puback_success(out: &mut impl BufMut, packet_id: NonZeroU16) {
    let [high, low] = packet_id.get().to_be_bytes();
    out.put_slice(&[PacketType::PubAck.first_byte(), 2, high, low]);
}

pub(super) fn decode<'a>(
    mut reader: Reader<'a>,
    packet_type: PacketType,
    version: Version,
    direction: Direction,
) -> Result<Ack<'a>, Rule> {
    let mut ack = Ack::success(reader.packet_id()?);
    if version == Version::V5 && !reader.is_empty() {
        ack.reason = reason(&mut reader)?;
        if !ack.reason.belongs_in(packet_type, direction) {
            return Err(Rule::ReasonCodeNotAllowed);
        }
        if !reader.is_empty() {
            ack.properties = AckProperties::decode(&mut reader, version)?;
        }
    }
    reader.end()?;
    Ok(ack)
}

/// A reason code that the standard defines.
pub(super) fn reason(reader: &mut Reader<'_>) -> Result<ReasonCode, Rule> {
    ReasonCode::from_number(reader.u8()?).ok_or(Rule::ReasonCodeUnknown)
}
