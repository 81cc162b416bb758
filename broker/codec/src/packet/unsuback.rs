//! UNSUBACK (section 3.11).

use std::num::NonZeroU16;

use bytes::BufMut;

use super::put_header;
use super::suback::ReasonCodes;
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::{EncodeError, Rule, Version};

property_set! {
    /// Properties of UNSUBACK (section 3.11.2.1).
    UnsubAckProperties {
        /// For people and logs (section 3.11.2.1.2).
        reason_string: &'a str = ReasonString,
    }
}

/// The answer to UNSUBSCRIBE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnsubAck<'a> {
    /// Of the UNSUBSCRIBE.
    pub packet_id: NonZeroU16,
    /// Empty in 3.1.1.
    pub properties: UnsubAckProperties<'a>,
    /// One for each filter; 3.1.1 has none.
    pub reasons: ReasonCodes<'a>,
}

impl UnsubAck<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let first_byte = PacketType::UnsubAck.first_byte();
        if version == Version::V311 {
            put_header(first_byte, 2, out)?;
            out.put_u16(self.packet_id.get());
            return Ok(());
        }
        self.reasons.check(PacketType::UnsubAck)?;
        let block = self.properties.checked_size(version)?;
        put_header(first_byte, 2 + block.bytes() + self.reasons.len(), out)?;
        out.put_u16(self.packet_id.get());
        self.properties.put(block, out);
        for reason in self.reasons.iter() {
            out.put_u8(reason.number());
        }
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version) -> Result<UnsubAck<'_>, Rule> {
    let packet_id = reader.packet_id()?;
    if version == Version::V311 {
        reader.end()?;
        let (properties, reasons) = (UnsubAckProperties::default(), ReasonCodes::default());
        return Ok(UnsubAck { packet_id, properties, reasons });
    }
    let properties = UnsubAckProperties::decode(&mut reader, version)?;
    let reasons = ReasonCodes::decode(reader, PacketType::UnsubAck)?;
    Ok(UnsubAck { packet_id, properties, reasons })
}
