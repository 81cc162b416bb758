//! What was wrong with a packet: the rule it broke, and what to answer.

use crate::topic::TopicError;
use crate::{ReasonCode, Version};

/// Why bytes are not a packet.
///
/// It says which [`Rule`] was broken, what a 5.0 peer is told ([`DecodeError::reason`]), and, for a CONNECT, with which
/// CONNACK it is refused ([`DecodeError::connack`]). No error here can be recovered from: the connection closes
/// (MQTT-4.13.1-1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{rule}")]
pub struct DecodeError {
    rule: Rule,
    protocol_level: Option<u8>,
}

impl DecodeError {
    #[inline]
    pub(crate) const fn new(rule: Rule) -> Self {
        Self { rule, protocol_level: None }
    }

    pub(crate) const fn in_connect(rule: Rule, protocol_level: Option<u8>) -> Self {
        Self { rule, protocol_level }
    }

    /// The rule that was broken.
    #[inline]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The reason code of the DISCONNECT by which a 5.0 peer is told (section 4.13).
    ///
    /// Codes that only a CONNACK has come from a CONNECT, and only a second one is answered by a DISCONNECT: a protocol
    /// error, whatever else is wrong with it (MQTT-3.1.0-2).
    #[inline]
    pub const fn reason(&self) -> ReasonCode {
        match self.rule.reason() {
            ReasonCode::UnsupportedProtocolVersion | ReasonCode::ClientIdentifierNotValid => ReasonCode::ProtocolError,
            reason => reason,
        }
    }

    /// The protocol level that a broken CONNECT announced, as far as it could be read. `None` for other packets, and for
    /// a CONNECT that is not of this protocol or ends before the level.
    #[inline]
    pub const fn protocol_level(&self) -> Option<u8> {
        self.protocol_level
    }

    /// In which version and with which reason a broken CONNECT is refused by a CONNACK; `None`: close without a word.
    ///
    /// 3.1.1 knows a code only for an unsupported level (3.1.1 MQTT-3.1.2-2) and a client id that is not accepted
    /// (3.1.1 MQTT-3.1.3-8); for anything else the server closes without CONNACK (3.1.1 MQTT-3.1.4-1). An unknown level
    /// is answered in the nearest version; the highest bit is left out, with it some brokers mark their bridges.
    pub const fn connack(&self) -> Option<(Version, ReasonCode)> {
        let Some(level) = self.protocol_level else { return None };
        let reason = self.rule.reason();
        if level & 0x7F >= 5 {
            return Some((Version::V5, reason));
        }
        match reason {
            ReasonCode::UnsupportedProtocolVersion | ReasonCode::ClientIdentifierNotValid => {
                Some((Version::V311, reason))
            }
            _ => None,
        }
    }
}

impl From<Rule> for DecodeError {
    #[inline]
    fn from(rule: Rule) -> Self {
        Self::new(rule)
    }
}

/// Why a packet cannot be written. Nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// It breaks a rule of the standard; the receiver would close the connection.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// A string or binary field has more than 65,535 bytes (section 1.5.4).
    #[error("a string or binary field has more than 65535 bytes")]
    FieldTooLong,
    /// The remaining length would exceed 268,435,455 bytes (section 1.5.5).
    #[error("the packet has more than 268435455 bytes")]
    PacketTooLong,
    /// The buffer cannot take that many bytes more.
    #[error("the buffer has no room for the packet")]
    NoRoom,
}

/// A rule of the standard (or a limit of this codec) that a packet can break on its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message is the documentation, and it is what gets logged")]
pub enum Rule {
    #[error("packet type 0 is reserved (section 2.1.2)")]
    PacketTypeReserved,
    #[error("reserved fixed header flags are set (MQTT-2.1.3-1)")]
    FixedHeaderFlags,
    #[error("a variable byte integer has more than four bytes (section 1.5.5)")]
    LengthTooLong,
    #[error("a variable byte integer takes more bytes than needed (MQTT-1.5.5-1)")]
    LengthOverlong,
    #[error("the packet is larger than this receiver takes (MQTT-3.1.2-24, MQTT-3.2.2-15)")]
    PacketTooLarge,
    #[error("the remaining length is not the length of the packet (section 2.1.4)")]
    LengthMismatch,
    #[error("a field reaches past its end (section 4.13.1)")]
    Truncated,
    #[error("bytes are left over after the last field (section 4.13.1)")]
    BytesLeftOver,
    #[error("only the other side may send this packet (section 2.1.2)")]
    WrongDirection,
    #[error("this version of the protocol does not have this packet (section 2.1.2)")]
    NotInThisVersion,
    #[error("a string is not UTF-8 (MQTT-1.5.4-1)")]
    Utf8,
    #[error("a string contains U+0000 (MQTT-1.5.4-2, 3.1.1 MQTT-1.5.3-2)")]
    Nul,
    #[error("the packet identifier is 0 (MQTT-2.2.1-3)")]
    PacketIdZero,
    #[error("a packet identifier exactly if QoS is above 0 (MQTT-2.2.1-2)")]
    PacketIdPresence,
    #[error("the reason code is not defined (section 2.4)")]
    ReasonCodeUnknown,
    #[error("the reason code does not belong in this packet from this side (section 2.4)")]
    ReasonCodeNotAllowed,

    #[error("the property is not defined (section 2.2.2.2)")]
    PropertyUnknown,
    #[error("the property does not belong in this packet (section 2.2.2.2)")]
    PropertyNotAllowed,
    #[error("the property is there twice (section 2.2.2.2)")]
    PropertyDuplicate,
    #[error("the property's value is out of range (section 2.2.2.2)")]
    PropertyValue,
    #[error("too many user properties")]
    UserPropertiesTooMany,
    #[error("authentication without a method (sections 3.1.2.11.10 and 3.15.2.2.2)")]
    AuthenticationMethodMissing,

    #[error("the protocol name is not MQTT (MQTT-3.1.2-1)")]
    ProtocolName,
    #[error("the protocol level is not supported (MQTT-3.1.2-2)")]
    ProtocolLevel,
    #[error("the reserved connect flag is set (MQTT-3.1.2-3)")]
    ConnectFlagReserved,
    #[error("will QoS or will retain without a will (MQTT-3.1.2-11, MQTT-3.1.2-13)")]
    WillFlags,
    #[error("a password without a user name (3.1.1 MQTT-3.1.2-22)")]
    PasswordWithoutUserName,
    #[error("an empty client identifier without clean session (3.1.1 MQTT-3.1.3-8)")]
    ClientIdEmpty,

    #[error("reserved connect acknowledge flags are set (MQTT-3.2.2-1)")]
    ConnAckFlags,
    #[error("session present in a refusal (MQTT-3.2.2-6)")]
    SessionPresentInRefusal,

    #[error("QoS 3 (MQTT-3.3.1-4, MQTT-3.1.2-12)")]
    QoSThree,
    #[error("DUP with QoS 0 (MQTT-3.3.1-2)")]
    DupWithQoSZero,
    #[error("neither topic name nor topic alias (section 3.3.2.1)")]
    TopicMissing,
    #[error("topic alias 0 (MQTT-3.3.2-8)")]
    TopicAliasZero,
    #[error("a subscription identifier from a client (MQTT-3.3.4-6)")]
    SubscriptionIdFromClient,

    #[error("no topic filter (MQTT-3.8.3-2, MQTT-3.10.3-2)")]
    FiltersMissing,
    #[error("reserved subscription option bits are set (MQTT-3.8.3-5)")]
    SubscribeOptionsReserved,
    #[error("retain handling 3 (section 3.8.3.1)")]
    RetainHandlingThree,
    #[error("No Local on a shared subscription (MQTT-3.8.3-4)")]
    NoLocalShared,
    #[error("no reason code (section 3.9.3)")]
    ReasonCodesMissing,

    #[error("session expiry from a server (MQTT-3.14.2-2)")]
    SessionExpiryFromServer,

    #[error("topic name: {0}")]
    TopicName(TopicError),
    #[error("will topic: {0}")]
    WillTopic(TopicError),
    #[error("response topic: {0}")]
    ResponseTopic(TopicError),
    #[error("topic filter: {0}")]
    TopicFilter(TopicError),
}

impl Rule {
    /// What a 5.0 peer is told about it (section 4.13).
    ///
    /// A topic that is a proper string but no proper topic is answered with the code that names the topic; it tells the
    /// peer more than 0x81 would.
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::PacketTooLarge => ReasonCode::PacketTooLarge,
            Self::UserPropertiesTooMany => ReasonCode::QuotaExceeded,
            Self::ProtocolName | Self::ProtocolLevel => ReasonCode::UnsupportedProtocolVersion,
            Self::ClientIdEmpty => ReasonCode::ClientIdentifierNotValid,
            Self::TopicName(_) | Self::WillTopic(_) | Self::ResponseTopic(_) => ReasonCode::TopicNameInvalid,
            Self::TopicFilter(_) => ReasonCode::TopicFilterInvalid,
            Self::TopicAliasZero => ReasonCode::TopicAliasInvalid,
            Self::WrongDirection
            | Self::NotInThisVersion
            | Self::ReasonCodeNotAllowed
            | Self::PropertyDuplicate
            | Self::PropertyValue
            | Self::AuthenticationMethodMissing
            | Self::PacketIdZero
            | Self::TopicMissing
            | Self::SubscriptionIdFromClient
            | Self::FiltersMissing
            | Self::RetainHandlingThree
            | Self::NoLocalShared
            | Self::ReasonCodesMissing
            | Self::SessionExpiryFromServer => ReasonCode::ProtocolError,
            _ => ReasonCode::MalformedPacket,
        }
    }
}
