//! Conversations and the numbers inside them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ChannelId, IdError, UserId};

/// A number inside one conversation: 1, 2, 3 … without holes (INV-3). 0 is before the first event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a sequence of events belongs to. In text `dm/{low}-{high}`, `channel/{id}`, `self/{id}` (PROTOCOL "Names").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConversationId {
    /// Two users, or one user's notes to self.
    Dm(Pair),
    /// A channel and its members.
    Channel(ChannelId),
    /// What happens to one user's account and memberships.
    Own(UserId),
}

/// Two users in numeric order; equal for notes to self.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pair {
    low: UserId,
    high: UserId,
}

impl Pair {
    /// The smaller id.
    pub const fn low(self) -> UserId {
        self.low
    }

    /// The larger id, or the same.
    pub const fn high(self) -> UserId {
        self.high
    }
}

/// Bytes of [`ConversationId::to_key`].
pub const KEY_BYTES: usize = 17;

impl ConversationId {
    /// The 1:1 conversation of two users, in either order.
    pub fn dm(a: UserId, b: UserId) -> Self {
        Self::Dm(Pair { low: a.min(b), high: a.max(b) })
    }

    /// Whether `user` is in it by its name alone; `None` for a channel, whose members are written elsewhere.
    pub fn names(self, user: UserId) -> Option<bool> {
        match self {
            Self::Dm(pair) => Some(pair.low == user || pair.high == user),
            Self::Own(owner) => Some(owner == user),
            Self::Channel(_) => None,
        }
    }

    /// A key of fixed length for stores: kind, then both numbers big-endian. Never changes, it is on disk.
    pub fn to_key(self) -> [u8; KEY_BYTES] {
        let (kind, first, second) = match self {
            Self::Dm(pair) => (b'd', pair.low.get(), pair.high.get()),
            Self::Channel(id) => (b'c', id.get(), 0),
            Self::Own(id) => (b's', id.get(), 0),
        };
        let mut key = [0; KEY_BYTES];
        key[0] = kind;
        key[1..9].copy_from_slice(&first.to_be_bytes());
        key[9..17].copy_from_slice(&second.to_be_bytes());
        key
    }

    /// Reads [`to_key`](Self::to_key) back; `None` for anything else.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let key: &[u8; KEY_BYTES] = key.try_into().ok()?;
        let number = |at: usize| key.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes);
        let (first, second) = (number(1)?, number(9)?);
        match key[0] {
            b'd' => {
                let pair = Pair { low: UserId::new(first)?, high: UserId::new(second)? };
                (pair.low <= pair.high).then_some(Self::Dm(pair))
            }
            b'c' if second == 0 => ChannelId::new(first).map(Self::Channel),
            b's' if second == 0 => UserId::new(first).map(Self::Own),
            _ => None,
        }
    }

    /// A well-spread 64-bit hash that is the same on every node and release; slots and shards come from it.
    pub fn spread(self) -> u64 {
        let (kind, first, second) = match self {
            Self::Dm(pair) => (1, pair.low.get(), pair.high.get()),
            Self::Channel(id) => (2, id.get(), 0),
            Self::Own(id) => (3, id.get(), 0),
        };
        mix(mix(mix(kind) ^ first) ^ second)
    }

    /// Which of the 1,024 slots it belongs to (DESIGN §6).
    pub fn slot(self) -> u16 {
        (self.spread() >> 54) as u16
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dm(pair) => write!(f, "dm/{}-{}", pair.low, pair.high),
            Self::Channel(id) => write!(f, "channel/{id}"),
            Self::Own(id) => write!(f, "self/{id}"),
        }
    }
}

impl FromStr for ConversationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (kind, rest) = text.split_once('/').ok_or(IdError)?;
        match kind {
            "dm" => {
                let (low, high) = rest.split_once('-').ok_or(IdError)?;
                let pair = Pair { low: low.parse()?, high: high.parse()? };
                if pair.low > pair.high { Err(IdError) } else { Ok(Self::Dm(pair)) }
            }
            "channel" => rest.parse().map(Self::Channel),
            "self" => rest.parse().map(Self::Own),
            _ => Err(IdError),
        }
    }
}

impl Serialize for ConversationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConversationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    #[test]
    fn text_and_key_come_back_as_they_were() {
        for conversation in [
            ConversationId::dm(user(9), user(3)),
            ConversationId::dm(user(3), user(3)),
            ConversationId::Channel(ChannelId::new(77).unwrap()),
            ConversationId::Own(user(5)),
        ] {
            assert_eq!(conversation.to_string().parse(), Ok(conversation));
            assert_eq!(ConversationId::from_key(&conversation.to_key()), Some(conversation));
        }
    }

    #[test]
    fn a_dm_has_one_name() {
        assert_eq!(ConversationId::dm(user(9), user(3)).to_string(), "dm/3-9");
        assert!("dm/9-3".parse::<ConversationId>().is_err());
        assert!("dm/3".parse::<ConversationId>().is_err());
        assert!("group/3".parse::<ConversationId>().is_err());
    }

    #[test]
    fn slots_are_even() {
        let mut count = vec![0_u32; 1024];
        for id in 1..=102_400 {
            count[usize::from(ConversationId::Own(user(id)).slot())] += 1;
        }
        assert!(count.iter().all(|&n| (50..160).contains(&n)), "{:?}", count.iter().minmax());
    }

    trait MinMax {
        fn minmax(self) -> (u32, u32);
    }

    impl<'a, I: Iterator<Item = &'a u32> + Clone> MinMax for I {
        fn minmax(self) -> (u32, u32) {
            (*self.clone().min().unwrap(), *self.max().unwrap())
        }
    }
}
