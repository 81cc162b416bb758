//! DISCONNECT (section 3.14).

use bytes::BufMut;

use super::{ack, put_header};
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
use crate::read::Reader;
use crate::{Direction, EncodeError, ReasonCode, Rule, Version};

property_set! {
    /// Properties of DISCONNECT (section 3.14.2.2).
    DisconnectProperties {
        /// Seconds; from clients only (section 3.14.2.2.2).
        session_expiry_interval: u32 = SessionExpiryInterval,
        /// For people and logs (section 3.14.2.2.3).
        reason_string: &'a str = ReasonString,
        /// From servers only (section 3.14.2.2.5).
        server_reference: &'a str = ServerReference,
    }
}

/// The last packet of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Disconnect<'a> {
    /// In 3.1.1 always success.
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: DisconnectProperties<'a>,
}

impl Disconnect<'_> {
    /// One that gives a reason.
    pub fn with_reason(reason: ReasonCode) -> Self {
        Self { reason, properties: DisconnectProperties::default() }
    }

    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let first_byte = PacketType::Disconnect.first_byte();
        let is_plain = self.properties == DisconnectProperties::default();
        if version == Version::V311 || (is_plain && self.reason == ReasonCode::Success) {
            return put_header(first_byte, 0, out);
        }
        self.check(Direction::ToClient).or_else(|rule| self.check(Direction::ToServer).map_err(|_| rule))?;
        if is_plain {
            put_header(first_byte, 1, out)?;
            out.put_u8(self.reason.number());
            return Ok(());
        }
        let block = self.properties.checked_size(version)?;
        put_header(first_byte, 1 + block.bytes(), out)?;
        out.put_u8(self.reason.number());
        self.properties.put(block, out);
        Ok(())
    }

    /// What one of the two sides may not send.
    fn check(&self, direction: Direction) -> Result<(), Rule> {
        let properties = &self.properties;
        match direction {
            _ if !self.reason.belongs_in(PacketType::Disconnect, direction) => Err(Rule::ReasonCodeNotAllowed),
            Direction::ToClient if properties.session_expiry_interval.is_some() => Err(Rule::SessionExpiryFromServer),
            Direction::ToServer if properties.server_reference.is_some() => Err(Rule::PropertyNotAllowed),
            _ => Ok(()),
        }
    }
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version, direction: Direction) -> Result<Disconnect<'_>, Rule> {
    let mut packet = Disconnect::default();
    // Legal short forms: nothing, or the reason alone (sections 3.14.2.1 and 3.14.2.2.1).
    if version == Version::V5 && !reader.is_empty() {
        packet.reason = ack::reason(&mut reader)?;
        if !reader.is_empty() {
            packet.properties = DisconnectProperties::decode(&mut reader, version)?;
        }
    }
    reader.end()?;
    packet.check(direction).map(|()| packet)
}
