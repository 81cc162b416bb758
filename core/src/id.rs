//! 64-bit ids: 41 bits of milliseconds since 2025-01-01 UTC, 10 bits of worker, 12 bits of counter (DESIGN §4 "Ids").
//!
//! One layout serves users, channels, devices and events. In text and JSON an id is a decimal string, because a
//! JavaScript number holds only 53 bits.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 2025-01-01T00:00:00Z in Unix milliseconds: time zero of every id.
pub const EPOCH_UNIX_MS: u64 = 1_735_689_600_000;
/// Bits of the counter inside one millisecond and worker.
pub const COUNTER_BITS: u32 = 12;
/// Bits of the worker number.
pub const WORKER_BITS: u32 = 10;
/// How far the milliseconds stand to the left.
pub const TIME_SHIFT: u32 = COUNTER_BITS + WORKER_BITS;
/// The largest counter.
pub const COUNTER_MAX: u64 = (1 << COUNTER_BITS) - 1;
/// The largest worker number.
pub const WORKER_MAX: u16 = (1 << WORKER_BITS) - 1;
/// The worker number of commands that run beside a server, which reserve their ids in the relational store. No lease hands it out (INV-8).
pub const COMMAND_WORKER: u16 = WORKER_MAX;

/// Text that is not a positive decimal number of 63 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive decimal number below 2^63")]
pub struct IdError;

fn parse(text: &str) -> Result<NonZeroU64, IdError> {
    // Leading zeros and signs would give one id two spellings.
    if text.is_empty() || text.len() > 19 || text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(IdError);
    }
    let value: u64 = text.parse().map_err(|_| IdError)?;
    if value > i64::MAX as u64 {
        return Err(IdError);
    }
    NonZeroU64::new(value).ok_or(IdError)
}

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The id with this number; `None` for 0 and for numbers of 64 bits, which are no ids.
            pub const fn new(value: u64) -> Option<Self> {
                if value > i64::MAX as u64 {
                    return None;
                }
                match NonZeroU64::new(value) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(UserId, "A user's account.");
id!(ChannelId, "A channel.");
id!(DeviceId, "What a token was issued for; for listing, naming and revoking, never for positions.");

/// An event's id, and a point in the order of all events: 0 is before every event, so that a mark or a watermark can
/// be one of these too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId(pub u64);

impl EventId {
    /// Before every event.
    pub const ZERO: Self = Self(0);
    /// After every event.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// The smallest id of that millisecond, whatever the worker. Unix milliseconds before the epoch give 0.
    pub const fn at_unix_ms(unix_ms: u64) -> Self {
        Self(unix_ms.saturating_sub(EPOCH_UNIX_MS) << TIME_SHIFT)
    }

    /// When the id was drawn, in Unix milliseconds, as its node's id clock had it.
    pub const fn unix_ms(self) -> u64 {
        (self.0 >> TIME_SHIFT) + EPOCH_UNIX_MS
    }

    /// Which worker drew it.
    pub const fn worker(self) -> u16 {
        ((self.0 >> COUNTER_BITS) & WORKER_MAX as u64) as u16
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({})", self.0)
    }
}

impl FromStr for EventId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        parse(text).map(|value| Self(value.get()))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("42".parse::<UserId>().unwrap().get(), 42);
        for bad in ["", "0", "042", "+42", "-1", "4 2", "9223372036854775808", "99999999999999999999"] {
            assert_eq!(bad.parse::<UserId>(), Err(IdError), "{bad:?}");
        }
        assert_eq!("9223372036854775807".parse::<UserId>().unwrap().get(), i64::MAX as u64);
    }

    #[test]
    fn ids_are_strings_in_json() {
        let id = UserId::new(7).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<UserId>("\"7\"").unwrap(), id);
        assert!(serde_json::from_str::<UserId>("7").is_err());
    }

    #[test]
    fn the_parts_of_an_id_come_apart() {
        let id = EventId(EventId::at_unix_ms(EPOCH_UNIX_MS + 1000).0 | (5 << COUNTER_BITS) | 9);
        assert_eq!((id.unix_ms(), id.worker()), (EPOCH_UNIX_MS + 1000, 5));
        assert_eq!(EventId::at_unix_ms(0), EventId::ZERO);
    }
}
