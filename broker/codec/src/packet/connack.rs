//! CONNACK (section 3.2).

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{PropertySet, check_authentication, property_set};
use crate::read::Reader;
use crate::{Direction, EncodeError, QoS, ReasonCode, Rule, Version};

property_set! {
    /// Properties of CONNACK (section 3.2.2.3).
    ConnAckProperties {
        /// Seconds (section 3.2.2.3.2).
        session_expiry_interval: u32 = SessionExpiryInterval,
        /// Section 3.2.2.3.3.
        receive_maximum: NonZeroU16 = ReceiveMaximum,
        /// Never QoS 2, which is what its absence says (section 3.2.2.3.4).
        maximum_qos: QoS = MaximumQoS,
        /// Section 3.2.2.3.5.
        retain_available: bool = RetainAvailable,
        /// Bytes (section 3.2.2.3.6).
        maximum_packet_size: NonZeroU32 = MaximumPacketSize,
        /// Section 3.2.2.3.7.
        assigned_client_identifier: &'a str = AssignedClientIdentifier,
        /// Section 3.2.2.3.8.
        topic_alias_maximum: u16 = TopicAliasMaximum,
        /// For people and logs (section 3.2.2.3.9).
        reason_string: &'a str = ReasonString,
        /// Section 3.2.2.3.11.
        wildcard_subscription_available: bool = WildcardSubscriptionAvailable,
        /// Section 3.2.2.3.12.
        subscription_identifier_available: bool = SubscriptionIdentifierAvailable,
        /// Section 3.2.2.3.13.
        shared_subscription_available: bool = SharedSubscriptionAvailable,
        /// Seconds (section 3.2.2.3.14).
        server_keep_alive: u16 = ServerKeepAlive,
        /// Section 3.2.2.3.15.
        response_information: &'a str = ResponseInformation,
        /// Section 3.2.2.3.16.
        server_reference: &'a str = ServerReference,
        /// Section 3.2.2.3.17.
        authentication_method: &'a str = AuthenticationMethod,
        /// Section 3.2.2.3.18.
        authentication_data: &'a [u8] = AuthenticationData,
    }
}

/// The answer to CONNECT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConnAck<'a> {
    /// The server has a session of that name (section 3.2.2.1.1).
    pub session_present: bool,
    /// In 3.1.1 the nearest return code is written ([`ReasonCode::connack_return_code`]).
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: ConnAckProperties<'a>,
}

impl ConnAck<'_> {
    pub(super) fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        if self.session_present && self.reason.is_failure() {
            return Err(Rule::SessionPresentInRefusal.into());
        }
        let code = match version {
            Version::V311 => self.reason.connack_return_code().ok_or(Rule::ReasonCodeNotAllowed)?,
            Version::V5 if !self.reason.belongs_in(PacketType::ConnAck, Direction::ToClient) => {
                return Err(Rule::ReasonCodeNotAllowed.into());
            }
            Version::V5 => self.reason.number(),
        };
        check_authentication(self.properties.authentication_method, self.properties.authentication_data)?;
        let block = self.properties.checked_size(version)?;
        put_header(PacketType::ConnAck.first_byte(), 2 + block.bytes(), out)?;
        out.put_u8(self.session_present.into());
        out.put_u8(code);
        self.properties.put(block, out);
        Ok(())
    }
}

pub(super) fn decode(mut reader: Reader<'_>, version: Version) -> Result<ConnAck<'_>, Rule> {
    let session_present = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return Err(Rule::ConnAckFlags),
    };
    let code = reader.u8()?;
    let reason = match version {
        Version::V311 => ReasonCode::from_connack_return_code(code).ok_or(Rule::ReasonCodeUnknown)?,
        Version::V5 => ReasonCode::from_number(code).ok_or(Rule::ReasonCodeUnknown)?,
    };
    if version == Version::V5 && !reason.belongs_in(PacketType::ConnAck, Direction::ToClient) {
        return Err(Rule::ReasonCodeNotAllowed);
    }
    if session_present && reason != ReasonCode::Success {
        return Err(Rule::SessionPresentInRefusal);
    }
    let properties = ConnAckProperties::decode(&mut reader, version)?;
    check_authentication(properties.authentication_method, properties.authentication_data)?;
    reader.end()?;
    Ok(ConnAck { session_present, reason, properties })
}
