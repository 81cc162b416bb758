//! The fixed header (section 2.1): which packet, and where it ends.

use crate::read::var_int;
use crate::{DecodeError, Rule};

/// The control packet types (section 2.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// The type and the flags of a packet by its first byte. Refuses type 0, wrong reserved flags (MQTT-2.1.3-1), and of
    /// the flags of PUBLISH those that contradict each other.
    #[inline]
    pub(crate) const fn of_first_byte(byte: u8) -> Result<(Self, u8), Rule> {
        let flags = byte & 0x0F;
        let (packet_type, expected) = match byte >> 4 {
            0 => return Err(Rule::PacketTypeReserved),
            1 => (Self::Connect, 0),
            2 => (Self::ConnAck, 0),
            3 if flags & 0b0110 == 0b0110 => return Err(Rule::QoSThree),
            3 if flags & 0b1110 == 0b1000 => return Err(Rule::DupWithQoSZero),
            3 => return Ok((Self::Publish, flags)),
            4 => (Self::PubAck, 0),
            5 => (Self::PubRec, 0),
            6 => (Self::PubRel, 2),
            7 => (Self::PubComp, 0),
            8 => (Self::Subscribe, 2),
            9 => (Self::SubAck, 0),
            10 => (Self::Unsubscribe, 2),
            11 => (Self::UnsubAck, 0),
            12 => (Self::PingReq, 0),
            13 => (Self::PingResp, 0),
            14 => (Self::Disconnect, 0),
            _ => (Self::Auth, 0),
        };
        if flags == expected { Ok((packet_type, flags)) } else { Err(Rule::FixedHeaderFlags) }
    }

    /// The first byte of a packet of this type, apart from the flags of PUBLISH.
    #[inline]
    pub(crate) const fn first_byte(self) -> u8 {
        let flags = match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 2,
            _ => 0,
        };
        (self as u8) << 4 | flags
    }
}

/// What is at the front of a receive buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// The packet is not complete yet.
    NeedMore {
        /// Bytes that must be there in all before it is worth looking again; never above the limit given to [`frame`].
        /// It is what the sender announces, not what it sent: a buffer grows with the bytes that came, else a few bytes
        /// cost as much as the largest packet (CVE-2017-7651).
        bytes_min: usize,
    },
    /// A whole packet.
    Complete {
        /// Its length, fixed header included.
        packet_bytes: usize,
    },
}

/// Looks at the front of `input`, and at no more than its first five bytes: refuses a malformed or oversize packet
/// before there is a reason to keep any more of it. Never allocates.
///
/// `packet_bytes_max` counts the whole packet, as Maximum Packet Size does (section 3.1.2.11.4).
///
/// # Errors
/// A reserved packet type or wrong flags, a length of five bytes or longer than needed, a packet above the limit.
#[inline]
pub fn frame(input: &[u8], packet_bytes_max: usize) -> Result<Frame, DecodeError> {
    let Some((&first, rest)) = input.split_first() else { return Ok(Frame::NeedMore { bytes_min: 2 }) };
    PacketType::of_first_byte(first)?;
    let Some((remaining, length_bytes)) = var_int(rest)? else {
        return Ok(Frame::NeedMore { bytes_min: input.len() + 1 });
    };
    let packet_bytes = usize::try_from(remaining)
        .ok()
        .and_then(|remaining| remaining.checked_add(1 + length_bytes))
        .filter(|&bytes| bytes <= packet_bytes_max)
        .ok_or(Rule::PacketTooLarge)?;
    if input.len() < packet_bytes {
        Ok(Frame::NeedMore { bytes_min: packet_bytes })
    } else {
        Ok(Frame::Complete { packet_bytes })
    }
}
