//! Events: what is stored, ordered and delivered.

use std::io::Write as _;

use bytes::Bytes;

use crate::conversation::{ConversationId, Seq};
use crate::id::{EventId, UserId};

/// What happened. The number is what stores keep and never changes; the text is what clients see as `type`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum EventKind {
    /// A message of a user.
    Message = 1,
    /// A channel was made; its first event.
    ChannelCreated = 2,
    /// A user joined the channel: a member from this seq on.
    MemberJoined = 3,
    /// A user left or was removed: no member from this seq on.
    MemberLeft = 4,
    /// In `self/`: this user is now a member of a channel.
    ChannelJoined = 5,
    /// In `self/`: this user is no longer a member of a channel.
    ChannelLeft = 6,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Message,
        Self::ChannelCreated,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::ChannelJoined,
        Self::ChannelLeft,
    ];

    /// As clients see it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::ChannelCreated => "channel_created",
            Self::MemberJoined => "member_joined",
            Self::MemberLeft => "member_left",
            Self::ChannelJoined => "channel_joined",
            Self::ChannelLeft => "channel_left",
        }
    }

    /// The kind with this stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Whether it counts as a message: unread is a difference of such counts.
    pub const fn is_message(self) -> bool {
        matches!(self, Self::Message)
    }
}

/// What a stock client's publish is known by when it comes again (PROTOCOL "Never twice"). Scoped by the sender and
/// the conversation it is stored with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// [`hash`] of the client id.
    pub client: u64,
    /// The packet identifier.
    pub packet_id: u16,
    /// [`hash`] of the payload as it was sent.
    pub payload: u64,
}

/// A stored event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Its place there, without holes.
    pub seq: Seq,
    /// Its id, greater than every earlier one of the conversation.
    pub id: EventId,
    /// The id of the event before it in the conversation; 0 for the first.
    pub prev_id: EventId,
    /// Messages of the conversation up to and with this event.
    pub messages: u64,
    /// Under which ownership it was written (DESIGN §6); 1 in one process.
    pub epoch: u32,
    /// Who did it.
    pub from: UserId,
    /// What happened.
    pub kind: EventKind,
    /// The sender's idempotency key.
    pub key: Option<Box<str>>,
    /// What a stock client's resend is recognized by.
    pub origin: Option<Origin>,
    /// The fields of the envelope beyond the fixed ones: JSON without braces, possibly empty.
    pub body: Bytes,
}

impl Event {
    /// The JSON object that clients get, the same for every recipient (PROTOCOL "Payloads").
    pub fn envelope(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.body.len() + 224);
        self.write_fixed(&mut out);
        if !self.body.is_empty() {
            out.push(b',');
            out.extend_from_slice(&self.body);
        }
        out.push(b'}');
        out.into()
    }

    /// What a client gets whose Maximum Packet Size the envelope exceeds.
    pub fn stub(&self) -> Bytes {
        let mut out = Vec::with_capacity(256);
        self.write_fixed(&mut out);
        out.extend_from_slice(b",\"truncated\":true}");
        out.into()
    }

    fn write_fixed(&self, out: &mut Vec<u8>) {
        // Writing to memory cannot fail.
        let _ = write!(
            out,
            "{{\"id\":\"{}\",\"seq\":{},\"conv\":\"{}\",\"from\":\"{}\",\"at\":{},\"type\":\"{}\",\"messages\":{}",
            self.id,
            self.seq,
            self.conversation,
            self.from,
            self.id.unix_ms(),
            self.kind.text(),
            self.messages,
        );
        // Keys of the server's own events are numbers of intents, which are nobody's business.
        if let Some(key) = self.key.as_ref().filter(|_| self.kind.is_message()) {
            out.extend_from_slice(b",\"key\":");
            let _ = serde_json::to_writer(out, key);
        }
    }

    /// Bytes it roughly takes in memory, for bounds.
    pub fn weight_bytes(&self) -> usize {
        size_of::<Self>() + self.body.len() + self.key.as_ref().map_or(0, |key| key.len())
    }
}

/// A 64-bit hash that is stored and so never changes: the input in words of 8 bytes through the finalizer of
/// SplitMix64, closed by the length. Not for use against an adversary: it only compares a sender's own publishes.
pub fn hash(bytes: &[u8]) -> u64 {
    const fn mix(value: u64) -> u64 {
        let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ u64::from_le_bytes(word));
    }
    mix(state ^ bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        let user = |id| UserId::new(id).unwrap();
        Event {
            conversation: ConversationId::dm(user(2), user(1)),
            seq: Seq(42),
            id: EventId(4_194_304_001),
            prev_id: EventId(4_194_304_000),
            messages: 40,
            epoch: 1,
            from: user(2),
            kind: EventKind::Message,
            key: Some("k\"1".into()),
            origin: None,
            body: Bytes::from_static("\"text\":\"안녕\"".as_bytes()),
        }
    }

    #[test]
    fn the_envelope_is_the_contract() {
        assert_eq!(
            std::str::from_utf8(&event().envelope()).unwrap(),
            r#"{"id":"4194304001","seq":42,"conv":"dm/1-2","from":"2","at":1735689601000,"type":"message","messages":40,"key":"k\"1","text":"안녕"}"#
        );
        let stub: serde_json::Value = serde_json::from_slice(&event().stub()).unwrap();
        assert_eq!(stub["truncated"], true);
        assert!(stub.get("text").is_none());
    }

    #[test]
    fn an_empty_body_is_still_an_object() {
        let event = Event { body: Bytes::new(), key: None, kind: EventKind::MemberLeft, ..event() };
        assert!(serde_json::from_slice::<serde_json::Value>(&event.envelope()).is_ok());
    }

    #[test]
    fn the_stored_hash_never_changes() {
        assert_eq!(hash(b""), hash(b""));
        assert_ne!(hash(b""), hash(b"\0"));
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_ne!(hash(b"12345678"), hash(b"123456780"));
    }
}
