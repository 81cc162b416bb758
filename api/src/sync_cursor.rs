//! The cursor of `GET /v1/sync`: opaque to clients, a settled watermark and maybe a place inside a walk to us.
//!
//! It gives no right: what a forged one names is still read by the caller's own rights.

use talaria_core::conversation::KEY_BYTES;
use talaria_core::{ConversationId, EventId};
use talaria_port::messages::Window;

/// The layout below; another one gets another number, and unknown ones are refused.
const VERSION: u8 = 1;

/// What the caller was told already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SyncCursor {
    /// Everything up to this id was told.
    pub(crate) settled: EventId,
    /// An index walk that goes on.
    pub(crate) walk: Option<Walk>,
}

/// A walk that a page cut short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Walk {
    /// What will have been told when the walk ends: the watermark of its begin.
    pub(crate) upto: EventId,
    /// The last row looked at.
    pub(crate) after: (Window, ConversationId),
}

impl SyncCursor {
    /// As clients hold it.
    pub(crate) fn to_text(self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.settled.0.to_be_bytes());
        if let Some(walk) = self.walk {
            bytes.extend_from_slice(&walk.upto.0.to_be_bytes());
            bytes.extend_from_slice(&walk.after.0.0.to_be_bytes());
            bytes.extend_from_slice(&walk.after.1.to_key());
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads [`to_text`](Self::to_text) back; `None` for anything else.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let bytes = from_hex(text)?;
        let (version, rest) = bytes.split_first()?;
        let (settled, rest) = take_number(rest)?;
        let settled = EventId(settled);
        let is_known = *version == VERSION && settled <= EventId::MAX;
        is_known.then_some(())?;
        if rest.is_empty() {
            return Some(Self { settled, walk: None });
        }
        let (upto, rest) = take_number(rest)?;
        let (window, key) = take_number(rest)?;
        let after = (Window(window), ConversationId::from_key(key)?);
        // A window beyond the last id's would overflow where its end is computed.
        let fits = upto <= EventId::MAX.0 && after.0 <= Window::of(EventId::MAX) && key.len() == KEY_BYTES;
        fits.then_some(Self { settled, walk: Some(Walk { upto: EventId(upto), after }) })
    }
}

fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use talaria_core::ChannelId;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let conversation = ConversationId::Channel(ChannelId::new(7).unwrap());
        let walk = Walk { upto: EventId(99), after: (Window(3), conversation) };
        for walk in [None, Some(walk)] {
            let cursor = SyncCursor { settled: EventId(42), walk };
            assert_eq!(SyncCursor::from_text(&cursor.to_text()), Some(cursor));
        }
    }

    #[test]
    fn anything_else_is_no_cursor() {
        let good = SyncCursor { settled: EventId(42), walk: None }.to_text();
        let far = SyncCursor { settled: EventId(u64::MAX), walk: None }.to_text();
        for bad in
            ["", "0", "zz", "é", &good[2..], &good[1..], &format!("{good}00"), &good.replacen("01", "02", 1), &far]
        {
            assert_eq!(SyncCursor::from_text(bad), None, "{bad:?}");
        }
    }
}
