//! MQTT 3.1.1 and 5.0 on the wire, and nothing else: bytes to packets and packets to bytes, in both directions.
//!
//! It owns the syntax of the two standards: lengths, flags, strings, properties, reason codes, topic names and filters.
//! Every packet decodes as the side that receives it would ([`Direction`]) and encodes as the side that sends it would,
//! so that brokers, links and test clients share one codec.
//!
//! **It must not know** sockets, clocks, sessions, rights, or Talaria's own topics; it never reads ahead, never waits and
//! never allocates while decoding: a [`Packet`] borrows everything from the bytes it was decoded from. What depends on a
//! connection's history (CONNECT twice, a topic alias above the maximum, packet ids in use, Receive Maximum) belongs to
//! the broker's flows.
//!
//! **What holds.** No input panics. A packet that decodes keeps every rule of its standard that can be seen in that
//! packet alone; the first broken one is named by [`Rule`]. A packet that encodes also decodes, for one of the two sides
//! at least, and to the same values but for what 3.1.1 has no words for (properties, most reason codes).
//!
//! **Where to start:** [`frame()`] finds where a packet ends, [`decode`] reads it, [`Packet::encode`] writes one; the file
//! of a packet is `packet/<its name>.rs`. Statement numbers such as MQTT-3.3.1-2 are those of the 5.0 standard unless
//! the text says 3.1.1.

mod error;
mod frame;
mod packet;
mod properties;
mod protocol;
mod read;
mod reason;
pub mod topic;
mod write;

pub use error::{DecodeError, EncodeError, Rule};
pub use frame::{Frame, PacketType, frame};
pub use packet::ack::{Ack, AckProperties, encode_puback_success};
pub use packet::auth::{Auth, AuthProperties};
pub use packet::connack::{ConnAck, ConnAckProperties};
pub use packet::connect::{Connect, ConnectProperties, Will, WillProperties};
pub use packet::disconnect::{Disconnect, DisconnectProperties};
pub use packet::publish::{Publish, PublishProperties, encode_publish};
pub use packet::suback::{ReasonCodes, SubAck, SubAckProperties};
pub use packet::subscribe::{
    RetainHandling, Subscribe, SubscribeFilter, SubscribeFilters, SubscribeOptions, SubscribeProperties,
};
pub use packet::unsuback::{UnsubAck, UnsubAckProperties};
pub use packet::unsubscribe::{Unsubscribe, UnsubscribeFilters, UnsubscribeProperties};
pub use packet::{Packet, decode};
pub use properties::subscription_ids::SubscriptionIds;
pub use properties::user::{USER_PROPERTIES_MAX, UserProperties, UserPropertiesIter};
pub use protocol::{Direction, QoS, Version};
pub use reason::ReasonCode;
pub use write::REMAINING_LENGTH_MAX;
