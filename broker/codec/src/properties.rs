//! Properties (section 2.2.2): one enum that knows identifier and data type of each, blocks of them, and the macro by
//! which a packet lists the ones it may carry.
//!
//! 3.1.1 has no properties: there a block reads as empty and takes no bytes.

pub(crate) mod subscription_ids;
pub(crate) mod user;

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BufMut;

use crate::read::Reader;
use crate::write::{
    REMAINING_LENGTH_MAX, check_binary, check_text, field_bytes, put_binary, put_text, put_var_int, var_int_bytes,
};
use crate::{EncodeError, QoS, Rule, Version};
use user::UserProperties;

/// A property with its value, which is in range by its type (section 2.2.2.2, table 2-4).
#[derive(Clone, Copy)]
pub(crate) enum Property<'a> {
    PayloadFormatIndicator(bool),
    MessageExpiryInterval(u32),
    ContentType(&'a str),
    ResponseTopic(&'a str),
    CorrelationData(&'a [u8]),
    SubscriptionIdentifier(NonZeroU32),
    SessionExpiryInterval(u32),
    AssignedClientIdentifier(&'a str),
    ServerKeepAlive(u16),
    AuthenticationMethod(&'a str),
    AuthenticationData(&'a [u8]),
    RequestProblemInformation(bool),
    WillDelayInterval(u32),
    RequestResponseInformation(bool),
    ResponseInformation(&'a str),
    ServerReference(&'a str),
    ReasonString(&'a str),
    ReceiveMaximum(NonZeroU16),
    TopicAliasMaximum(u16),
    TopicAlias(NonZeroU16),
    MaximumQoS(QoS),
    RetainAvailable(bool),
    User(&'a str, &'a str),
    MaximumPacketSize(NonZeroU32),
    WildcardSubscriptionAvailable(bool),
    SubscriptionIdentifierAvailable(bool),
    SharedSubscriptionAvailable(bool),
}

impl<'a> Property<'a> {
    /// Reads one property, refusing values out of range.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Rule> {
        Ok(match reader.var_int()? {
            0x01 => Self::PayloadFormatIndicator(boolean(reader)?),
            0x02 => Self::MessageExpiryInterval(reader.u32()?),
            0x03 => Self::ContentType(reader.text()?),
            0x08 => Self::ResponseTopic(reader.text()?),
            0x09 => Self::CorrelationData(reader.binary()?),
            0x0B => Self::SubscriptionIdentifier(NonZeroU32::new(reader.var_int()?).ok_or(Rule::PropertyValue)?),
            0x11 => Self::SessionExpiryInterval(reader.u32()?),
            0x12 => Self::AssignedClientIdentifier(reader.text()?),
            0x13 => Self::ServerKeepAlive(reader.u16()?),
            0x15 => Self::AuthenticationMethod(reader.text()?),
            0x16 => Self::AuthenticationData(reader.binary()?),
            0x17 => Self::RequestProblemInformation(boolean(reader)?),
            0x18 => Self::WillDelayInterval(reader.u32()?),
            0x19 => Self::RequestResponseInformation(boolean(reader)?),
            0x1A => Self::ResponseInformation(reader.text()?),
            0x1C => Self::ServerReference(reader.text()?),
            0x1F => Self::ReasonString(reader.text()?),
            0x21 => Self::ReceiveMaximum(NonZeroU16::new(reader.u16()?).ok_or(Rule::PropertyValue)?),
            0x22 => Self::TopicAliasMaximum(reader.u16()?),
            0x23 => Self::TopicAlias(NonZeroU16::new(reader.u16()?).ok_or(Rule::TopicAliasZero)?),
            0x24 => Self::MaximumQoS(if boolean(reader)? { QoS::AtLeastOnce } else { QoS::AtMostOnce }),
            0x25 => Self::RetainAvailable(boolean(reader)?),
            0x26 => Self::User(reader.text()?, reader.text()?),
            0x27 => Self::MaximumPacketSize(NonZeroU32::new(reader.u32()?).ok_or(Rule::PropertyValue)?),
            0x28 => Self::WildcardSubscriptionAvailable(boolean(reader)?),
            0x29 => Self::SubscriptionIdentifierAvailable(boolean(reader)?),
            0x2A => Self::SharedSubscriptionAvailable(boolean(reader)?),
            _ => return Err(Rule::PropertyUnknown),
        })
    }

    /// Identifier and value, as they go on the wire.
    fn parts(self) -> (u8, Value<'a>) {
        use Value::{Binary, Byte, Four, Pair, Text, Two, VarInt};
        match self {
            Self::PayloadFormatIndicator(is_utf8) => (0x01, Byte(is_utf8.into())),
            Self::MessageExpiryInterval(seconds) => (0x02, Four(seconds)),
            Self::ContentType(text) => (0x03, Text(text)),
            Self::ResponseTopic(topic) => (0x08, Text(topic)),
            Self::CorrelationData(data) => (0x09, Binary(data)),
            Self::SubscriptionIdentifier(id) => (0x0B, VarInt(id.get())),
            Self::SessionExpiryInterval(seconds) => (0x11, Four(seconds)),
            Self::AssignedClientIdentifier(id) => (0x12, Text(id)),
            Self::ServerKeepAlive(seconds) => (0x13, Two(seconds)),
            Self::AuthenticationMethod(name) => (0x15, Text(name)),
            Self::AuthenticationData(data) => (0x16, Binary(data)),
            Self::RequestProblemInformation(wanted) => (0x17, Byte(wanted.into())),
            Self::WillDelayInterval(seconds) => (0x18, Four(seconds)),
            Self::RequestResponseInformation(wanted) => (0x19, Byte(wanted.into())),
            Self::ResponseInformation(text) => (0x1A, Text(text)),
            Self::ServerReference(text) => (0x1C, Text(text)),
            Self::ReasonString(text) => (0x1F, Text(text)),
            Self::ReceiveMaximum(count) => (0x21, Two(count.get())),
            Self::TopicAliasMaximum(count) => (0x22, Two(count)),
            Self::TopicAlias(alias) => (0x23, Two(alias.get())),
            Self::MaximumQoS(qos) => (0x24, Byte(qos.number())),
            Self::RetainAvailable(available) => (0x25, Byte(available.into())),
            Self::User(name, value) => (0x26, Pair(name, value)),
            Self::MaximumPacketSize(bytes) => (0x27, Four(bytes.get())),
            Self::WildcardSubscriptionAvailable(available) => (0x28, Byte(available.into())),
            Self::SubscriptionIdentifierAvailable(available) => (0x29, Byte(available.into())),
            Self::SharedSubscriptionAvailable(available) => (0x2A, Byte(available.into())),
        }
    }

    /// Bytes that the property takes; refuses what cannot be written.
    fn checked_bytes(self) -> Result<usize, EncodeError> {
        if matches!(self, Self::MaximumQoS(QoS::ExactlyOnce)) {
            return Err(Rule::PropertyValue.into());
        }
        let value_bytes = match self.parts().1 {
            Value::Byte(_) => 1,
            Value::Two(_) => 2,
            Value::Four(_) => 4,
            Value::VarInt(value) if value as usize > REMAINING_LENGTH_MAX => return Err(Rule::PropertyValue.into()),
            Value::VarInt(value) => var_int_bytes(value as usize),
            Value::Text(text) => checked_text_bytes(text)?,
            Value::Binary(bytes) => {
                check_binary(bytes)?;
                field_bytes(bytes)
            }
            Value::Pair(name, value) => checked_text_bytes(name)? + checked_text_bytes(value)?,
        };
        Ok(1 + value_bytes)
    }

    fn put(self, out: &mut impl BufMut) {
        let (identifier, value) = self.parts();
        out.put_u8(identifier);
        match value {
            Value::Byte(value) => out.put_u8(value),
            Value::Two(value) => out.put_u16(value),
            Value::Four(value) => out.put_u32(value),
            Value::VarInt(value) => put_var_int(out, value as usize),
            Value::Text(text) => put_text(out, text),
            Value::Binary(bytes) => put_binary(out, bytes),
            Value::Pair(name, value) => {
                put_text(out, name);
                put_text(out, value);
            }
        }
    }
}

fn checked_text_bytes(text: &str) -> Result<usize, EncodeError> {
    check_text(text)?;
    Ok(field_bytes(text.as_bytes()))
}

/// The data types of property values (section 2.2.2.2).
enum Value<'a> {
    Byte(u8),
    Two(u16),
    Four(u32),
    VarInt(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
}

/// A byte that is 0 or 1; everything else is a protocol error wherever the standard has such a byte.
fn boolean(reader: &mut Reader<'_>) -> Result<bool, Rule> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Rule::PropertyValue),
    }
}

/// How many bytes a property block takes. Whoever has one has checked that the block can be written.
#[derive(Clone, Copy)]
pub(crate) enum BlockSize {
    /// 3.1.1 has no properties.
    None,
    /// Without the length in front.
    Bytes(usize),
}

impl BlockSize {
    /// With the length in front.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Bytes(block_bytes) => var_int_bytes(block_bytes) + block_bytes,
        }
    }
}

/// The properties that one kind of packet may carry.
pub(crate) trait PropertySet<'a>: Default {
    /// Takes in a property that was read; refuses what does not belong here or is here already. User properties do not
    /// come this way.
    fn apply(&mut self, property: Property<'a>) -> Result<(), Rule>;

    /// Takes in the properties that may be there more than once, to be read from their block again.
    fn set_repeated(&mut self, block: &'a [u8], user: UserProperties<'a>);

    /// Shows every property that is set, user properties left out.
    fn visit(&self, show: &mut impl FnMut(Property<'a>));

    fn user_properties(&self) -> UserProperties<'a>;

    /// Reads a block with its length (section 2.2.2.1).
    #[inline]
    fn decode(reader: &mut Reader<'a>, version: Version) -> Result<Self, Rule> {
        if version == Version::V311 {
            return Ok(Self::default());
        }
        let block = reader.block()?;
        if block.is_empty() { Ok(Self::default()) } else { Self::decode_block(block) }
    }

    fn decode_block(block: &'a [u8]) -> Result<Self, Rule> {
        let mut set = Self::default();
        let mut user_count = 0;
        let mut reader = Reader::new(block);
        while !reader.is_empty() {
            match Property::read(&mut reader)? {
                Property::User(..) => user_count += 1,
                property => set.apply(property)?,
            }
        }
        set.set_repeated(block, UserProperties::of_block(block, user_count)?);
        Ok(set)
    }

    /// The size of the block; refuses what cannot be written.
    fn checked_size(&self, version: Version) -> Result<BlockSize, EncodeError> {
        if version == Version::V311 {
            return Ok(BlockSize::None);
        }
        self.user_properties().check_count()?;
        let mut result: Result<_, EncodeError> = Ok(0);
        self.visit_all(&mut |property| result = result.and_then(|bytes| Ok(bytes + property.checked_bytes()?)));
        match result? {
            block_bytes if block_bytes > REMAINING_LENGTH_MAX => Err(EncodeError::PacketTooLong),
            block_bytes => Ok(BlockSize::Bytes(block_bytes)),
        }
    }

    fn visit_all(&self, show: &mut impl FnMut(Property<'a>)) {
        self.visit(show);
        for (name, value) in self.user_properties() {
            show(Property::User(name, value));
        }
    }

    /// Writes the block, of which [`checked_size`](Self::checked_size) said the size.
    fn put(&self, size: BlockSize, out: &mut impl BufMut) {
        let BlockSize::Bytes(block_bytes) = size else { return };
        put_var_int(out, block_bytes);
        if block_bytes > 0 {
            self.visit_all(&mut |property| property.put(out));
        }
    }
}

/// Sets a property that may be there once.
#[inline]
pub(crate) fn set_once<T>(field: &mut Option<T>, value: T) -> Result<(), Rule> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Rule::PropertyDuplicate),
    }
}

/// Authentication data means nothing without its method (sections 3.1.2.11.10 and 3.2.2.3.18).
pub(crate) const fn check_authentication(method: Option<&str>, data: Option<&[u8]>) -> Result<(), Rule> {
    if data.is_some() && method.is_none() { Err(Rule::AuthenticationMethodMissing) } else { Ok(()) }
}

/// Declares the properties of a packet: a public struct with one `Option` a property and the user properties, which
/// every packet may carry, and its [`PropertySet`].
macro_rules! property_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// User properties (section 2.2.2.2), in their order.
            pub user_properties: crate::UserProperties<'a>,
        }

        impl<'a> crate::properties::PropertySet<'a> for $name<'a> {
            fn apply(&mut self, property: crate::properties::Property<'a>) -> Result<(), crate::Rule> {
                match property {
                    $(crate::properties::Property::$variant(value) => {
                        crate::properties::set_once(&mut self.$field, value)
                    })*
                    _ => Err(crate::Rule::PropertyNotAllowed),
                }
            }

            fn set_repeated(&mut self, _block: &'a [u8], user: crate::UserProperties<'a>) {
                self.user_properties = user;
            }

            fn visit(&self, show: &mut impl FnMut(crate::properties::Property<'a>)) {
                let _ = &show;
                $(if let Some(value) = self.$field {
                    show(crate::properties::Property::$variant(value));
                })*
            }

            fn user_properties(&self) -> crate::UserProperties<'a> {
                self.user_properties
            }
        }
    };
}
pub(crate) use property_set;
