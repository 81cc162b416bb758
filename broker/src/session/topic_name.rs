//! Topic names of the user's own tree, written without allocation: one is needed for every delivery.

use std::fmt::Write as _;

use talaria_core::limits::HANDLE_CHARS_MAX;
use talaria_core::topic::OwnTopic;

use super::{Connection, Spelling};

/// `user/`, `@` and a handle (longer than any id), `/presence`.
const BYTES_MAX: usize = 5 + 1 + HANDLE_CHARS_MAX + 9;

/// A topic name in place.
pub(crate) struct TopicName {
    bytes: [u8; BYTES_MAX],
    len: usize,
}

impl TopicName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for TopicName {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Connection {
    /// A topic of the user's own tree as it was subscribed.
    pub(crate) fn topic(&self, leaf: OwnTopic, spelling: Spelling) -> TopicName {
        let mut name = TopicName { bytes: [0; BYTES_MAX], len: 0 };
        // Everything that can stand in it fits.
        let _ = match (spelling, &self.handle, self.user) {
            (Spelling::Handle, Some(handle), _) => write!(name, "user/{handle}/{}", leaf.text()),
            (Spelling::Id, _, Some(user)) => write!(name, "user/{user}/{}", leaf.text()),
            _ => name.write_str("user/me/").and_then(|()| name.write_str(leaf.text())),
        };
        name
    }
}
