//! AUTH (section 3.15), 5.0 only.

use bytes::BufMut;

use super::{ack, put_header};
use crate::frame::PacketType;
use crate::properties::{PropertySet, check_authentication, property_set};
use crate::read::Reader;
use crate::{Direction, EncodeError, ReasonCode, Rule, Version};

property_set! {
    /// Properties of AUTH (section 3.15.2.2).
    AuthProperties {
        /// Section 3.15.2.2.2.
        authentication_method: &'a str = AuthenticationMethod,
        /// Section 3.15.2.2.3.
        authentication_data: &'a [u8] = AuthenticationData,
        /// Section 3.15.2.2.4.
        reason_string: &'a str = ReasonString,
    }
}

/// A step of an extended authentication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Auth<'a> {
    /// Which step.
    pub reason: ReasonCode,
    /// Its properties.
    pub properties: AuthProperties<'a>,
}

impl Auth<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        if version == Version::V311 {
            return Err(Rule::NotInThisVersion.into());
        }
        let belongs = |to| self.reason.belongs_in(PacketType::Auth, to);
        if !belongs(Direction::ToServer) && !belongs(Direction::ToClient) {
            return Err(Rule::ReasonCodeNotAllowed.into());
        }
        check_authentication(self.properties.authentication_method, self.properties.authentication_data)?;
        self.properties.check(version)?;
        if self.reason == ReasonCode::Success && self.properties == AuthProperties::default() {
            return put_header(PacketType::Auth.first_byte(), 0, out);
        }
        put_header(PacketType::Auth.first_byte(), 1 + self.properties.bytes(version), out)?;
        out.put_u8(self.reason.number());
        self.properties.put(version, out);
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, direction: Direction) -> Result<Auth<'_>, Rule> {
    // Reason and properties may be left out (section 3.15.2.1); success comes from servers only.
    if reader.is_empty() {
        let auth = Auth { reason: ReasonCode::Success, properties: AuthProperties::default() };
        return match direction {
            Direction::ToClient => Ok(auth),
            Direction::ToServer => Err(Rule::ReasonCodeNotAllowed),
        };
    }
    let reason = ack::reason(&mut reader, PacketType::Auth, direction)?;
    let properties =
        if reader.is_empty() { AuthProperties::default() } else { AuthProperties::decode(&mut reader, Version::V5)? };
    check_authentication(properties.authentication_method, properties.authentication_data)?;
    reader.end()?;
    Ok(Auth { reason, properties })
}
