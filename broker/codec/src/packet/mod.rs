//! The control packets, one file each, and the one enum that is their table of contents.

pub(crate) mod ack;
pub(crate) mod auth;
pub(crate) mod connack;
pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod publish;
pub(crate) mod suback;
pub(crate) mod subscribe;
pub(crate) mod unsuback;
pub(crate) mod unsubscribe;

use bytes::BufMut;

use crate::frame::PacketType;
use crate::read::{Reader, var_int};
use crate::write::{REMAINING_LENGTH_MAX, put_var_int, var_int_bytes};
use crate::{DecodeError, Direction, EncodeError, Rule, Version};

use ack::Ack;
use auth::Auth;
use connack::ConnAck;
use connect::Connect;
use disconnect::Disconnect;
use publish::Publish;
use suback::SubAck;
use subscribe::Subscribe;
use unsuback::UnsubAck;
use unsubscribe::Unsubscribe;

/// A control packet (section 3), borrowed from the bytes it was decoded from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    ConnAck(ConnAck<'a>),
    Publish(Publish<'a>),
    PubAck(Ack<'a>),
    PubRec(Ack<'a>),
    PubRel(Ack<'a>),
    PubComp(Ack<'a>),
    Subscribe(Subscribe<'a>),
    SubAck(SubAck<'a>),
    Unsubscribe(Unsubscribe<'a>),
    UnsubAck(UnsubAck<'a>),
    PingReq,
    PingResp,
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

/// Reads one whole packet, fixed header included, as [`frame`](crate::frame()) cut it out.
///
/// `version` is the connection's; for a CONNECT it does not matter, the packet tells its own.
///
/// # Errors
/// The first rule of the standard that the packet breaks.
pub fn decode(packet: &[u8], version: Version, direction: Direction) -> Result<Packet<'_>, DecodeError> {
    let Some((&first, rest)) = packet.split_first() else { return Err(Rule::Truncated.into()) };
    let (packet_type, flags) = PacketType::of_first_byte(first)?;
    let (remaining, length_bytes) = var_int(rest)?.ok_or(Rule::Truncated)?;
    let body = rest.get(length_bytes..).unwrap_or_default();
    if usize::try_from(remaining) != Ok(body.len()) {
        return Err(Rule::LengthMismatch.into());
    }
    check_direction(packet_type, version, direction)?;
    let reader = Reader::new(body);
    let ack = |reader| ack::decode(reader, packet_type, version, direction);
    // One match that writes straight into the result: a `Packet` is large enough for its moves to show.
    Ok(match packet_type {
        PacketType::Connect => Packet::Connect(connect::decode(body)?),
        PacketType::ConnAck => Packet::ConnAck(connack::decode(reader, version)?),
        PacketType::Publish => Packet::Publish(publish::decode(reader, flags, version, direction)?),
        PacketType::PubAck => Packet::PubAck(ack(reader)?),
        PacketType::PubRec => Packet::PubRec(ack(reader)?),
        PacketType::PubRel => Packet::PubRel(ack(reader)?),
        PacketType::PubComp => Packet::PubComp(ack(reader)?),
        PacketType::Subscribe => Packet::Subscribe(subscribe::decode(reader, version)?),
        PacketType::SubAck => Packet::SubAck(suback::decode(reader, version)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(unsubscribe::decode(reader, version)?),
        PacketType::UnsubAck => Packet::UnsubAck(unsuback::decode(reader, version)?),
        PacketType::PingReq => {
            reader.end()?;
            Packet::PingReq
        }
        PacketType::PingResp => {
            reader.end()?;
            Packet::PingResp
        }
        PacketType::Disconnect => Packet::Disconnect(disconnect::decode(reader, version, direction)?),
        PacketType::Auth => Packet::Auth(auth::decode(reader, direction)?),
    })
}

/// Section 2.1.2, "Direction of flow"; 3.1.1 has no AUTH and no DISCONNECT from a server.
fn check_direction(packet_type: PacketType, version: Version, direction: Direction) -> Result<(), Rule> {
    use PacketType as T;
    let is_for_clients = matches!(packet_type, T::ConnAck | T::SubAck | T::UnsubAck | T::PingResp);
    let is_for_servers = matches!(packet_type, T::Connect | T::Subscribe | T::Unsubscribe | T::PingReq);
    let is_wrong = match direction {
        Direction::ToServer => is_for_clients,
        Direction::ToClient => is_for_servers || (version == Version::V311 && packet_type == PacketType::Disconnect),
    };
    if is_wrong {
        return Err(Rule::WrongDirection);
    }
    if version == Version::V311 && packet_type == PacketType::Auth {
        return Err(Rule::NotInThisVersion);
    }
    Ok(())
}

impl Packet<'_> {
    /// Writes the packet, or nothing.
    ///
    /// A CONNECT is written in its own version, whatever `version` says.
    ///
    /// # Errors
    /// It breaks a rule of the standard, is too long, or `out` has no room.
    pub fn encode(&self, version: Version, out: &mut impl BufMut) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.encode(out),
            Self::ConnAck(packet) => packet.encode(version, out),
            Self::Publish(packet) => packet.encode(version, out),
            Self::PubAck(packet) => packet.encode(PacketType::PubAck, version, out),
            Self::PubRec(packet) => packet.encode(PacketType::PubRec, version, out),
            Self::PubRel(packet) => packet.encode(PacketType::PubRel, version, out),
            Self::PubComp(packet) => packet.encode(PacketType::PubComp, version, out),
            Self::Subscribe(packet) => packet.encode(version, out),
            Self::SubAck(packet) => packet.encode(version, out),
            Self::Unsubscribe(packet) => packet.encode(version, out),
            Self::UnsubAck(packet) => packet.encode(version, out),
            Self::PingReq => put_header(PacketType::PingReq.first_byte(), 0, out),
            Self::PingResp => put_header(PacketType::PingResp.first_byte(), 0, out),
            Self::Disconnect(packet) => packet.encode(version, out),
            Self::Auth(packet) => packet.encode(version, out),
        }
    }
}

/// Writes the fixed header after making sure that the whole packet fits.
pub(crate) fn put_header(first_byte: u8, remaining: usize, out: &mut impl BufMut) -> Result<(), EncodeError> {
    if remaining > REMAINING_LENGTH_MAX {
        return Err(EncodeError::PacketTooLong);
    }
    if out.remaining_mut() < 1 + var_int_bytes(remaining) + remaining {
        return Err(EncodeError::NoRoom);
    }
    out.put_u8(first_byte);
    put_var_int(out, remaining);
    Ok(())
}
