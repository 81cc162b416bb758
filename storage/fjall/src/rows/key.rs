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

/// Bytes of an event row's key.
pub(crate) const EVENTS_BYTES: usize = KEY_BYTES + 8;

/// An event row: conversation, then the *last* seq in it. The row that holds a seq is the first one at or after that seq, so
/// that reading on from anywhere is one forward scan, and the newest event is the end of a backward one.
pub(crate) fn events(conversation: ConversationId, last: Seq) -> [u8; EVENTS_BYTES] {
    let mut key = [0; EVENTS_BYTES];
    key[..KEY_BYTES].copy_from_slice(&conversation.to_key());
    key[KEY_BYTES..].copy_from_slice(&last.0.to_be_bytes());
    key
}

/// The last seq in the row of that key.
pub(crate) fn last_seq(key: &[u8]) -> Option<Seq> {
    key.get(KEY_BYTES..)?.try_into().ok().map(|seq| Seq(u64::from_be_bytes(seq)))
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
