//! AUTH (section 3.15), 5.0 only.

use bytes::BufMut;

use super::{ack, put_header};
use crate::frame::PacketType;
use crate::properties::{PropertySet, property_set};
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
        self.check(Direction::ToClient).or_else(|rule| self.check(Direction::ToServer).map_err(|_| rule))?;
        if self.is_plain_success() {
            return put_header(PacketType::Auth.first_byte(), 0, out);
        }
        let block = self.properties.checked_size(version)?;
        put_header(PacketType::Auth.first_byte(), 1 + block.bytes(), out)?;
        out.put_u8(self.reason.number());
        self.properties.put(block, out);
        Ok(())
    }

    /// Section 3.15.2.1 lets this one leave out everything, also the method that section 3.15.2.2.2 asks of every AUTH.
    fn is_plain_success(&self) -> bool {
        self.reason == ReasonCode::Success && self.properties == AuthProperties::default()
    }

    /// What the side that sends in this direction may not say.
    fn check(&self, direction: Direction) -> Result<(), Rule> {
        if !self.reason.belongs_in(PacketType::Auth, direction) {
            return Err(Rule::ReasonCodeNotAllowed);
        }
        if self.properties.authentication_method.is_none() && !self.is_plain_success() {
            return Err(Rule::AuthenticationMethodMissing);
        }
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, direction: Direction) -> Result<Auth<'_>, Rule> {
    let mut auth = Auth { reason: ReasonCode::Success, properties: AuthProperties::default() };
    // Reason and properties are left out together or not at all (section 3.15.2.1).
    if !reader.is_empty() {
        auth.reason = ack::reason(&mut reader)?;
        auth.properties = AuthProperties::decode(&mut reader, Version::V5)?;
    }
    reader.end()?;
    auth.check(direction).map(|()| auth)
}
