//! Keys. Numbers are big-endian, so that the order of bytes is the order of meaning.

use talaria_core::conversation::KEY_BYTES;
use talaria_core::{ConversationId, Seq, UserId};
use talaria_port::messages::Window;
use talaria_port::sessions::SessionKey;

/// The first byte of a key in `rows`.
const INDEX: u8 = b'i';
const MOVED: u8 = b'm';
const LISTED: u8 = b'l';
const CHECKPOINT: u8 = b'c';
const SESSION: u8 = b's';
const READ_MARK: u8 = b'r';

/// The row of the last round; in every batch.
pub(crate) const ROUND: [u8; 1] = *b"n";

/// The key of an event row: conversation, then the *last* seq in it. The row that holds a seq is the first one at or after
/// that seq, so that reading on from anywhere is one forward scan, and the newest event is the end of a backward one.
///
/// 20 bytes are what the engine keeps in place, without memory of its own; it looks at the first 4 before anything else. So
/// both ids and the kind take 16 bytes, with the well-spread ones first (conversations have no order among each other), and
/// a seq takes 4. The few beyond that take 12, behind all the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct EventsKey {
    bytes: [u8; LONG_BYTES],
    length: usize,
}

const CONVERSATION_BYTES: usize = 16;
const SHORT_BYTES: usize = CONVERSATION_BYTES + 4;
const LONG_BYTES: usize = SHORT_BYTES + 8;
/// In place of a short seq: a long one follows.
const LONG: u32 = u32::MAX;

impl AsRef<[u8]> for EventsKey {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The key of the row that ends with that seq.
pub(crate) fn events(conversation: ConversationId, last: Seq) -> EventsKey {
    let mut bytes = [0; LONG_BYTES];
    let (first, second) = numbers(conversation);
    bytes[..8].copy_from_slice(&spread(first ^ second.rotate_left(32)).to_be_bytes());
    bytes[8..16].copy_from_slice(&second.to_be_bytes());
    let short = u32::try_from(last.0).ok().filter(|short| *short != LONG);
    bytes[CONVERSATION_BYTES..SHORT_BYTES].copy_from_slice(&short.unwrap_or(LONG).to_be_bytes());
    bytes[SHORT_BYTES..].copy_from_slice(&last.0.to_be_bytes());
    EventsKey { bytes, length: if short.is_some() { SHORT_BYTES } else { LONG_BYTES } }
}

/// A conversation's ids, with its kind in the bits that ids leave free.
fn numbers(conversation: ConversationId) -> (u64, u64) {
    const FREE: u64 = 1 << 63;
    match conversation {
        ConversationId::Dm(pair) => (pair.low().get(), pair.high().get()),
        ConversationId::Channel(id) => (id.get() | FREE, 0),
        ConversationId::Own(id) => (id.get(), FREE),
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit reaches every other, and no two numbers become one.
const fn spread(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The last seq in the row of that key.
pub(crate) fn last_seq(key: &[u8]) -> Option<Seq> {
    let (short, long) = key.get(CONVERSATION_BYTES..)?.split_first_chunk()?;
    match u32::from_be_bytes(*short) {
        LONG => long.try_into().ok().map(|seq| Seq(u64::from_be_bytes(seq))),
        short if long.is_empty() => Some(Seq(short.into())),
        _ => None,
    }
}

/// A row of a user's index.
pub(crate) fn index(user: UserId, window: Window, conversation: Option<ConversationId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 16 + KEY_BYTES);
    key.push(INDEX);
    key.extend_from_slice(&user.get().to_be_bytes());
    key.extend_from_slice(&window.0.to_be_bytes());
    key.extend(conversation.iter().flat_map(|conversation| conversation.to_key()));
    key
}

/// A row of what moved.
pub(crate) fn moved(window: Window, conversation: Option<ConversationId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 8 + KEY_BYTES);
    key.push(MOVED);
    key.extend_from_slice(&window.0.to_be_bytes());
    key.extend(conversation.iter().flat_map(|conversation| conversation.to_key()));
    key
}

/// Window and conversation at the end of an index or moved row's key.
pub(crate) fn window_and_conversation(key: &[u8]) -> Option<(Window, ConversationId)> {
    let (head, conversation) = key.split_at_checked(key.len().checked_sub(KEY_BYTES)?)?;
    let (_, window) = head.split_at_checked(head.len().checked_sub(8)?)?;
    Some((Window(u64::from_be_bytes(window.try_into().ok()?)), ConversationId::from_key(conversation)?))
}

/// One of a user's 1:1 conversations.
pub(crate) fn listed(user: UserId, conversation: Option<ConversationId>) -> Vec<u8> {
    of_user(LISTED, user, conversation)
}

/// Behind all of them.
pub(crate) fn behind_listed(user: UserId) -> Vec<u8> {
    let mut key = listed(user, None);
    // No conversation's key begins with it.
    key.push(u8::MAX);
    key
}

/// How far a user has read.
pub(crate) fn read_mark(user: UserId, conversation: ConversationId) -> Vec<u8> {
    of_user(READ_MARK, user, Some(conversation))
}

fn of_user(table: u8, user: UserId, conversation: Option<ConversationId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 8 + KEY_BYTES);
    key.push(table);
    key.extend_from_slice(&user.get().to_be_bytes());
    key.extend(conversation.iter().flat_map(|conversation| conversation.to_key()));
    key
}

/// The conversation at the end of a listed row's key.
pub(crate) fn conversation(key: &[u8]) -> Option<ConversationId> {
    ConversationId::from_key(key.get(key.len().checked_sub(KEY_BYTES)?..)?)
}

/// A conversation's checkpoint.
pub(crate) fn checkpoint(conversation: ConversationId) -> [u8; 1 + KEY_BYTES] {
    let mut key = [CHECKPOINT; 1 + KEY_BYTES];
    key[1..].copy_from_slice(&conversation.to_key());
    key
}

/// The two rows of a session. They lie side by side, so that a sweep reads both in one scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SessionPart {
    /// Stands first.
    Mark,
    /// Stands second.
    Row,
}

impl SessionPart {
    const fn byte(self) -> u8 {
        match self {
            Self::Mark => b'm',
            Self::Row => b'r',
        }
    }
}

/// Between client id and part. A client id holds no NUL, so that the order of keys is the order of client ids.
const END_OF_CLIENT_ID: u8 = 0;

/// One of a session's two rows.
pub(crate) fn session(key: &SessionKey, part: SessionPart) -> Vec<u8> {
    let mut bytes = session_start(key);
    bytes.push(END_OF_CLIENT_ID);
    bytes.push(part.byte());
    bytes
}

/// Behind both rows of a session, before every later one.
pub(crate) fn behind_session(key: &SessionKey) -> Vec<u8> {
    let mut bytes = session_start(key);
    bytes.push(END_OF_CLIENT_ID + 1);
    bytes
}

fn session_start(key: &SessionKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + 8 + key.client_id.len() + 2);
    bytes.push(SESSION);
    bytes.extend_from_slice(&key.user.get().to_be_bytes());
    bytes.extend_from_slice(key.client_id.as_bytes());
    bytes
}

/// Reads [`session`] back.
pub(crate) fn session_of(key: &[u8]) -> Option<(SessionKey, SessionPart)> {
    let (name, end) = key.split_at_checked(key.len().checked_sub(2)?)?;
    let part = match end {
        [END_OF_CLIENT_ID, b'm'] => SessionPart::Mark,
        [END_OF_CLIENT_ID, b'r'] => SessionPart::Row,
        _ => return None,
    };
    let user = UserId::new(u64::from_be_bytes(name.get(1..9)?.try_into().ok()?))?;
    Some((SessionKey { user, client_id: std::str::from_utf8(name.get(9..)?).ok()?.into() }, part))
}

/// All keys of a table: from the first, to the end that is no longer in it.
pub(crate) fn sessions() -> ([u8; 1], [u8; 1]) {
    ([SESSION], [SESSION + 1])
}
