//! Reason codes (section 2.4) and the return codes of 3.1.1 that they stand for.

use std::fmt;

use crate::{Direction, PacketType};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// A reason code (section 2.4). Success is below 0x80, failure from 0x80 on.
        ///
        /// 0x00 has three names in the standard; here it is [`ReasonCode::Success`], and the other two are constants.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        #[repr(u8)]
        pub enum ReasonCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl ReasonCode {
            /// The code of a number; `None` if the standard does not define it.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name in the standard.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reason_codes! {
    /// Done; in DISCONNECT a normal end, in SUBACK QoS 0 granted.
    #[default]
    Success = 0x00, "Success";
    /// The subscription has at most QoS 1.
    GrantedQoS1 = 0x01, "Granted QoS 1";
    /// The subscription has at most QoS 2.
    GrantedQoS2 = 0x02, "Granted QoS 2";
    /// A client leaves and wants its will published.
    DisconnectWithWill = 0x04, "Disconnect with Will Message";
    /// Accepted, but nobody subscribes.
    NoMatchingSubscribers = 0x10, "No matching subscribers";
    /// There was nothing to unsubscribe from.
    NoSubscriptionExisted = 0x11, "No subscription existed";
    /// The next step of an authentication follows.
    ContinueAuthentication = 0x18, "Continue authentication";
    /// A client begins to authenticate again.
    ReAuthenticate = 0x19, "Re-authenticate";
    /// Refused without a reason; the failure of a 3.1.1 SUBACK.
    UnspecifiedError = 0x80, "Unspecified error";
    /// The packet could not be parsed.
    MalformedPacket = 0x81, "Malformed Packet";
    /// The packet came out of order or contradicts itself.
    ProtocolError = 0x82, "Protocol Error";
    /// Valid, but not for this receiver.
    ImplementationSpecificError = 0x83, "Implementation specific error";
    /// The server does not speak this version.
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version";
    /// A proper string, but not accepted as client id.
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid";
    /// Not accepted.
    BadUserNameOrPassword = 0x86, "Bad User Name or Password";
    /// No right to do this.
    NotAuthorized = 0x87, "Not authorized";
    /// The server cannot serve now.
    ServerUnavailable = 0x88, "Server unavailable";
    /// Try again later.
    ServerBusy = 0x89, "Server busy";
    /// The client is banned.
    Banned = 0x8A, "Banned";
    /// The server ends.
    ServerShuttingDown = 0x8B, "Server shutting down";
    /// Not supported, or not the one in use.
    BadAuthenticationMethod = 0x8C, "Bad authentication method";
    /// Nothing came for one and a half times the keep-alive.
    KeepAliveTimeout = 0x8D, "Keep Alive timeout";
    /// Another connection uses the client id.
    SessionTakenOver = 0x8E, "Session taken over";
    /// The filter is not accepted.
    TopicFilterInvalid = 0x8F, "Topic Filter invalid";
    /// The topic is not accepted.
    TopicNameInvalid = 0x90, "Topic Name invalid";
    /// The packet id is still taken.
    PacketIdentifierInUse = 0x91, "Packet Identifier in use";
    /// The packet id is not known.
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found";
    /// More in flight than agreed.
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded";
    /// The alias is 0, too large or not set.
    TopicAliasInvalid = 0x94, "Topic Alias invalid";
    /// The packet exceeds Maximum Packet Size.
    PacketTooLarge = 0x95, "Packet too large";
    /// Too much data in too little time.
    MessageRateTooHigh = 0x96, "Message rate too high";
    /// A limit of the implementation or its operator.
    QuotaExceeded = 0x97, "Quota exceeded";
    /// An operator closed the connection.
    AdministrativeAction = 0x98, "Administrative action";
    /// The payload is not what its indicator says.
    PayloadFormatInvalid = 0x99, "Payload format invalid";
    /// The server keeps no retained messages.
    RetainNotSupported = 0x9A, "Retain not supported";
    /// Above the Maximum QoS of the server.
    QoSNotSupported = 0x9B, "QoS not supported";
    /// For now; see Server Reference.
    UseAnotherServer = 0x9C, "Use another server";
    /// For good; see Server Reference.
    ServerMoved = 0x9D, "Server moved";
    /// Not here.
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported";
    /// Too many connections in too little time.
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded";
    /// The connection was authorized for no longer.
    MaximumConnectTime = 0xA0, "Maximum connect time";
    /// Not here.
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported";
    /// Not here.
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported";
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02X})", self.name(), self.number())
    }
}

impl ReasonCode {
    /// 0x00 in DISCONNECT (section 3.14.2.1).
    pub const NORMAL_DISCONNECTION: Self = Self::Success;
    /// 0x00 in SUBACK (section 3.9.3).
    pub const GRANTED_QOS_0: Self = Self::Success;

    /// The number on the wire.
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// 0x80 and above (section 2.4).
    #[inline]
    pub const fn is_failure(self) -> bool {
        self.number() >= 0x80
    }

    /// What a 3.1.1 CONNACK return code stands for (3.1.1 section 3.2.2.3); 6 and above are reserved.
    pub const fn from_connack_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::UnsupportedProtocolVersion),
            2 => Some(Self::ClientIdentifierNotValid),
            3 => Some(Self::ServerUnavailable),
            4 => Some(Self::BadUserNameOrPassword),
            5 => Some(Self::NotAuthorized),
            _ => None,
        }
    }

    /// The 3.1.1 CONNACK return code nearest to this reason (3.1.1 section 3.2.2.3).
    ///
    /// `None`: 3.1.1 has no word for it, and the server closes without CONNACK.
    pub const fn connack_return_code(self) -> Option<u8> {
        match self {
            Self::Success => Some(0),
            Self::UnsupportedProtocolVersion => Some(1),
            Self::ClientIdentifierNotValid => Some(2),
            Self::ServerUnavailable
            | Self::ServerBusy
            | Self::UseAnotherServer
            | Self::ServerMoved
            | Self::QuotaExceeded
            | Self::ConnectionRateExceeded => Some(3),
            Self::BadUserNameOrPassword | Self::BadAuthenticationMethod => Some(4),
            Self::NotAuthorized | Self::Banned => Some(5),
            _ => None,
        }
    }

    /// The 3.1.1 SUBACK return code for this reason: the granted QoS, or 0x80 (3.1.1 section 3.9.3).
    pub const fn suback_return_code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::GrantedQoS1 => 1,
            Self::GrantedQoS2 => 2,
            _ => 0x80,
        }
    }

    /// Whether the code belongs in such a packet (section 2.4) when it travels in this direction (sections 3.4.2.1,
    /// 3.14.2.1 and 3.15.2.1: some codes are for servers only, some for clients).
    pub(crate) const fn belongs_in(self, packet_type: PacketType, to: Direction) -> bool {
        match packet_type {
            PacketType::ConnAck => self.belongs_in_connack(),
            PacketType::PubAck | PacketType::PubRec => self.belongs_in_puback(to),
            PacketType::PubRel | PacketType::PubComp => matches!(self, Self::Success | Self::PacketIdentifierNotFound),
            PacketType::SubAck => self.belongs_in_suback(),
            PacketType::UnsubAck => self.belongs_in_unsuback(),
            PacketType::Disconnect => match to {
                Direction::ToServer => self.belongs_in_disconnect_of_client(),
                Direction::ToClient => self.belongs_in_disconnect_of_server(),
            },
            PacketType::Auth => match to {
                Direction::ToServer => matches!(self, Self::ContinueAuthentication | Self::ReAuthenticate),
                Direction::ToClient => matches!(self, Self::Success | Self::ContinueAuthentication),
            },
            _ => false,
        }
    }

    const fn belongs_in_connack(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::UnspecifiedError
                | Self::MalformedPacket
                | Self::ProtocolError
                | Self::ImplementationSpecificError
                | Self::UnsupportedProtocolVersion
                | Self::ClientIdentifierNotValid
                | Self::BadUserNameOrPassword
                | Self::NotAuthorized
                | Self::ServerUnavailable
                | Self::ServerBusy
                | Self::Banned
                | Self::BadAuthenticationMethod
                | Self::TopicNameInvalid
                | Self::PacketTooLarge
                | Self::QuotaExceeded
                | Self::PayloadFormatInvalid
                | Self::RetainNotSupported
                | Self::QoSNotSupported
                | Self::UseAnotherServer
                | Self::ServerMoved
                | Self::ConnectionRateExceeded
        )
    }

    const fn belongs_in_puback(self, to: Direction) -> bool {
        match self {
            // Section 3.4.2.1: sent by servers only.
            Self::NoMatchingSubscribers => matches!(to, Direction::ToClient),
            Self::Success
            | Self::UnspecifiedError
            | Self::ImplementationSpecificError
            | Self::NotAuthorized
            | Self::TopicNameInvalid
            | Self::PacketIdentifierInUse
            | Self::QuotaExceeded
            | Self::PayloadFormatInvalid => true,
            _ => false,
        }
    }

    const fn belongs_in_suback(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::GrantedQoS1
                | Self::GrantedQoS2
                | Self::UnspecifiedError
                | Self::ImplementationSpecificError
                | Self::NotAuthorized
                | Self::TopicFilterInvalid
                | Self::PacketIdentifierInUse
                | Self::QuotaExceeded
                | Self::SharedSubscriptionsNotSupported
                | Self::SubscriptionIdentifiersNotSupported
                | Self::WildcardSubscriptionsNotSupported
        )
    }

    const fn belongs_in_unsuback(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::NoSubscriptionExisted
                | Self::UnspecifiedError
                | Self::ImplementationSpecificError
                | Self::NotAuthorized
                | Self::TopicFilterInvalid
                | Self::PacketIdentifierInUse
        )
    }

    const fn belongs_in_disconnect_of_both(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::UnspecifiedError
                | Self::MalformedPacket
                | Self::ProtocolError
                | Self::ImplementationSpecificError
                | Self::TopicNameInvalid
                | Self::ReceiveMaximumExceeded
                | Self::TopicAliasInvalid
                | Self::PacketTooLarge
                | Self::MessageRateTooHigh
                | Self::QuotaExceeded
                | Self::AdministrativeAction
                | Self::PayloadFormatInvalid
        )
    }

    const fn belongs_in_disconnect_of_client(self) -> bool {
        self.belongs_in_disconnect_of_both() || matches!(self, Self::DisconnectWithWill)
    }

    /// 0x8C is not in the table of section 3.14.2.1 but in that of section 2.4, and section 4.12.1 needs it.
    const fn belongs_in_disconnect_of_server(self) -> bool {
        self.belongs_in_disconnect_of_both()
            || matches!(
                self,
                Self::NotAuthorized
                    | Self::ServerBusy
                    | Self::ServerShuttingDown
                    | Self::BadAuthenticationMethod
                    | Self::KeepAliveTimeout
                    | Self::SessionTakenOver
                    | Self::TopicFilterInvalid
                    | Self::RetainNotSupported
                    | Self::QoSNotSupported
                    | Self::UseAnotherServer
                    | Self::ServerMoved
                    | Self::SharedSubscriptionsNotSupported
                    | Self::ConnectionRateExceeded
                    | Self::MaximumConnectTime
                    | Self::SubscriptionIdentifiersNotSupported
                    | Self::WildcardSubscriptionsNotSupported
            )
    }
}
