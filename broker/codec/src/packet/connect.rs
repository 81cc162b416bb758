//! CONNECT (section 3.1).

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BufMut;

use super::put_header;
use crate::frame::PacketType;
use crate::properties::{BlockSize, PropertySet, check_authentication, property_set};
use crate::read::Reader;
use crate::topic::validate_name;
use crate::write::{check_binary, check_text, field_bytes, put_binary, put_text};
use crate::{DecodeError, EncodeError, QoS, Rule, Version};

const PROTOCOL_NAME: &[u8] = b"MQTT";

const RESERVED: u8 = 0x01;
const CLEAN_START: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

property_set! {
    /// Properties of CONNECT (section 3.1.2.11).
    ConnectProperties {
        /// Seconds (section 3.1.2.11.2).
        session_expiry_interval: u32 = SessionExpiryInterval,
        /// Section 3.1.2.11.3.
        receive_maximum: NonZeroU16 = ReceiveMaximum,
        /// Bytes (section 3.1.2.11.4).
        maximum_packet_size: NonZeroU32 = MaximumPacketSize,
        /// Section 3.1.2.11.5.
        topic_alias_maximum: u16 = TopicAliasMaximum,
        /// Section 3.1.2.11.6.
        request_response_information: bool = RequestResponseInformation,
        /// Section 3.1.2.11.7.
        request_problem_information: bool = RequestProblemInformation,
        /// Section 3.1.2.11.9.
        authentication_method: &'a str = AuthenticationMethod,
        /// Section 3.1.2.11.10.
        authentication_data: &'a [u8] = AuthenticationData,
    }
}

property_set! {
    /// Properties of a will (section 3.1.3.2).
    WillProperties {
        /// Seconds (section 3.1.3.2.2).
        will_delay_interval: u32 = WillDelayInterval,
        /// The payload is UTF-8 (section 3.1.3.2.3).
        payload_format_indicator: bool = PayloadFormatIndicator,
        /// Seconds (section 3.1.3.2.4).
        message_expiry_interval: u32 = MessageExpiryInterval,
        /// Section 3.1.3.2.5.
        content_type: &'a str = ContentType,
        /// Section 3.1.3.2.6.
        response_topic: &'a str = ResponseTopic,
        /// Section 3.1.3.2.7.
        correlation_data: &'a [u8] = CorrelationData,
    }
}

/// What the server publishes when the connection ends without a DISCONNECT (section 3.1.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Will<'a> {
    /// Where; a name without wildcards.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// At which quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// Empty in 3.1.1.
    pub properties: WillProperties<'a>,
}

/// The first packet of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connect<'a> {
    /// What the client speaks.
    pub version: Version,
    /// Clean Session in 3.1.1 (section 3.1.2.4).
    pub clean_start: bool,
    /// Seconds; 0 is none (section 3.1.2.10).
    pub keep_alive: u16,
    /// Empty: the server assigns one (section 3.1.3.1).
    pub client_id: &'a str,
    /// Section 3.1.2.5.
    pub will: Option<Will<'a>>,
    /// Section 3.1.3.5.
    pub username: Option<&'a str>,
    /// Any bytes (section 3.1.3.6).
    pub password: Option<&'a [u8]>,
    /// Empty in 3.1.1.
    pub properties: ConnectProperties<'a>,
}

impl<'a> Connect<'a> {
    /// A clean start without will and credentials.
    pub fn new(version: Version, client_id: &'a str) -> Self {
        Self {
            version,
            clean_start: true,
            keep_alive: 0,
            client_id,
            will: None,
            username: None,
            password: None,
            properties: ConnectProperties::default(),
        }
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        flags |= if self.clean_start { CLEAN_START } else { 0 };
        if let Some(will) = &self.will {
            flags |= WILL | will.qos.number() << 3 | if will.retain { WILL_RETAIN } else { 0 };
        }
        flags |= if self.password.is_some() { PASSWORD } else { 0 };
        flags | if self.username.is_some() { USER_NAME } else { 0 }
    }

    fn check(&self) -> Result<(), EncodeError> {
        check_text(self.client_id)?;
        self.username.map_or(Ok(()), check_text)?;
        self.password.map_or(Ok(()), check_binary)?;
        if let Some(will) = &self.will {
            validate_name(will.topic).map_err(Rule::WillTopic)?;
            check_binary(will.payload)?;
            check_will_properties(&will.properties)?;
        }
        Ok(self.check_rules()?)
    }

    /// What can be judged once all is read.
    fn check_rules(&self) -> Result<(), Rule> {
        if self.version == Version::V311 && self.password.is_some() && self.username.is_none() {
            return Err(Rule::PasswordWithoutUserName);
        }
        if self.version == Version::V311 && self.client_id.is_empty() && !self.clean_start {
            return Err(Rule::ClientIdEmpty);
        }
        check_authentication(self.properties.authentication_method, self.properties.authentication_data)
    }

    /// Protocol name, level, flags and keep-alive take ten bytes.
    fn body_bytes(&self, block: BlockSize, will_block: BlockSize) -> usize {
        let will = self
            .will
            .as_ref()
            .map_or(0, |will| will_block.bytes() + field_bytes(will.topic.as_bytes()) + field_bytes(will.payload));
        10 + block.bytes()
            + field_bytes(self.client_id.as_bytes())
            + will
            + self.username.map_or(0, |name| field_bytes(name.as_bytes()))
            + self.password.map_or(0, field_bytes)
    }

    pub(super) fn encode(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.check()?;
        let block = self.properties.checked_size(self.version)?;
        let will_block = match &self.will {
            Some(will) => will.properties.checked_size(self.version)?,
            None => BlockSize::None,
        };
        put_header(PacketType::Connect.first_byte(), self.body_bytes(block, will_block), out)?;
        put_binary(out, PROTOCOL_NAME);
        out.put_u8(self.version.level());
        out.put_u8(self.flags());
        out.put_u16(self.keep_alive);
        self.properties.put(block, out);
        put_text(out, self.client_id);
        if let Some(will) = &self.will {
            will.properties.put(will_block, out);
            put_text(out, will.topic);
            put_binary(out, will.payload);
        }
        if let Some(name) = self.username {
            put_text(out, name);
        }
        if let Some(password) = self.password {
            put_binary(out, password);
        }
        Ok(())
    }
}

fn check_will_properties(properties: &WillProperties<'_>) -> Result<(), Rule> {
    properties.response_topic.map_or(Ok(()), |topic| validate_name(topic).map_err(Rule::ResponseTopic))
}

pub(super) fn decode(body: &[u8]) -> Result<Connect<'_>, DecodeError> {
    let mut reader = Reader::new(body);
    if reader.binary()? != PROTOCOL_NAME {
        return Err(Rule::ProtocolName.into());
    }
    let level = reader.u8()?;
    let version = match level {
        4 => Version::V311,
        5 => Version::V5,
        _ => return Err(DecodeError::in_connect(Rule::ProtocolLevel, Some(level))),
    };
    decode_rest(reader, version).map_err(|rule| DecodeError::in_connect(rule, Some(level)))
}

fn decode_rest(mut reader: Reader<'_>, version: Version) -> Result<Connect<'_>, Rule> {
    let flags = reader.u8()?;
    if flags & RESERVED != 0 {
        return Err(Rule::ConnectFlagReserved);
    }
    if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        return Err(Rule::WillFlags);
    }
    let will_qos = QoS::from_number((flags & WILL_QOS) >> 3).ok_or(Rule::QoSThree)?;
    let keep_alive = reader.u16()?;
    let properties = ConnectProperties::decode(&mut reader, version)?;
    let client_id = reader.text()?;
    let will = match flags & WILL {
        0 => None,
        _ => Some(decode_will(&mut reader, version, will_qos, flags & WILL_RETAIN != 0)?),
    };
    let username = if flags & USER_NAME == 0 { None } else { Some(reader.text()?) };
    let password = if flags & PASSWORD == 0 { None } else { Some(reader.binary()?) };
    reader.end()?;
    let clean_start = flags & CLEAN_START != 0;
    let connect = Connect { version, clean_start, keep_alive, client_id, will, username, password, properties };
    connect.check_rules().map(|()| connect)
}

fn decode_will<'a>(reader: &mut Reader<'a>, version: Version, qos: QoS, retain: bool) -> Result<Will<'a>, Rule> {
    let properties = WillProperties::decode(reader, version)?;
    check_will_properties(&properties)?;
    let topic = reader.utf8()?;
    validate_name(topic).map_err(Rule::WillTopic)?;
    let payload = reader.binary()?;
    Ok(Will { topic, payload, qos, retain, properties })
}
