//! Handles: `@` and 3 to 32 of `a-z 0-9 . _ -`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{HANDLE_CHARS_MAX, HANDLE_CHARS_MIN};

/// A user's handle, kept without the `@`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(Box<str>);

/// Why a text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handle is `@` and 3 to 32 of a-z 0-9 . _ -")]
pub struct HandleError;

impl Handle {
    /// The handle without its `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Handle {
    type Err = HandleError;

    fn from_str(text: &str) -> Result<Self, HandleError> {
        let name = text.strip_prefix('@').ok_or(HandleError)?;
        let fits = (HANDLE_CHARS_MIN..=HANDLE_CHARS_MAX).contains(&name.len());
        let clean = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if fits && clean { Ok(Self(name.into())) } else { Err(HandleError) }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_an_at_sign_and_3_to_32_plain_characters() {
        for good in ["@kim", "@a.b-c_9", "@01234567890123456789012345678901"] {
            assert_eq!(good.parse::<Handle>().unwrap().to_string(), good);
        }
        for bad in ["kim", "@ki", "@Kim", "@kim!", "@김철수", "@", "@012345678901234567890123456789012"] {
            assert_eq!(bad.parse::<Handle>(), Err(HandleError), "{bad}");
        }
    }
}
