//! What a packet has to be read with: version, direction, and the quality of service it speaks of.

/// The protocol of a connection, as its CONNECT announced it (section 3.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V311,
    /// MQTT 5.0, protocol version 5.
    V5,
}

impl Version {
    /// The byte that announces this version in a CONNECT (section 3.1.2.2).
    #[inline]
    pub const fn level(self) -> u8 {
        match self {
            Self::V311 => 4,
            Self::V5 => 5,
        }
    }
}

/// Quality of service (section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum QoS {
    /// No acknowledgement (section 4.3.1).
    #[default]
    AtMostOnce = 0,
    /// PUBACK (section 4.3.2).
    AtLeastOnce = 1,
    /// PUBREC, PUBREL, PUBCOMP (section 4.3.3).
    ExactlyOnce = 2,
}

impl QoS {
    /// The quality that a number on the wire stands for; 3 and above stand for none (MQTT-3.3.1-4).
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number on the wire.
    #[inline]
    pub const fn number(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}

/// Who receives a packet. What only the receiver itself may send is refused (section 2.1.2, "Direction of flow").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// A client sent it, a server reads it.
    ToServer,
    /// A server sent it, a client reads it.
    ToClient,
}
