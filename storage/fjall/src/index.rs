//! Which conversations moved when, for a user and for all; and which 1:1 conversations a user has.

use std::ops::Bound;

use talaria_core::{ConversationId, UserId};
use talaria_port::messages::Window;

use crate::engine::Engine;
use crate::error::Failure;
use crate::rows::key;

/// A row of the index.
pub(crate) type Row = (Window, ConversationId);

/// Behind every window.
const LAST: Window = Window(u64::MAX);

pub(crate) fn of(
    engine: &Engine,
    user: UserId,
    from: Window,
    after: Option<Row>,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    page(engine, |window, conversation| key::index(user, window, conversation), from, after, limit)
}

pub(crate) fn moved(engine: &Engine, from: Window, after: Option<Row>, limit: usize) -> Result<Vec<Row>, Failure> {
    page(engine, key::moved, from, after, limit)
}

fn page(
    engine: &Engine,
    key: impl Fn(Window, Option<ConversationId>) -> Vec<u8>,
    from: Window,
    after: Option<Row>,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let start = match after {
        Some((window, conversation)) if window >= from => Bound::Excluded(key(window, Some(conversation))),
        _ => Bound::Included(key(from, None)),
    };
    keys(engine, (start, Bound::Excluded(key(LAST, None))), limit, key::window_and_conversation)
}

pub(crate) fn listed(
    engine: &Engine,
    user: UserId,
    after: Option<ConversationId>,
    limit: usize,
) -> Result<Vec<ConversationId>, Failure> {
    let start = match after {
        Some(after) => Bound::Excluded(key::listed(user, Some(after))),
        None => Bound::Included(key::listed(user, None)),
    };
    keys(engine, (start, Bound::Excluded(key::behind_listed(user))), limit, key::conversation)
}

fn keys<T>(
    engine: &Engine,
    range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    limit: usize,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    for guard in engine.rows.range::<Vec<u8>, _>(range).take(limit) {
        let key = guard.key()?;
        found.push(read(&key).ok_or_else(|| Failure::damaged(format_args!("row {:x?}", &*key)))?);
    }
    Ok(found)
}
