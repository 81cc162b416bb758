//! Handles that a packet names and memory does not know: the packet stays unread until the store has answered, and is then
//! handled anew, with the answers at hand.

use std::sync::Arc;

use talaria_core::{Handle, UserId};
use talaria_port::StoreError;

use super::{Connection, Turn};
use crate::event_loop::mailbox::News;

/// What is known of a handle.
pub(crate) enum Resolved {
    /// Whose it is.
    User(UserId),
    /// Nobody's.
    Nobody,
    /// The store cannot say now.
    Unknown,
    /// It is being looked up: the packet waits.
    Wait,
}

/// Lookups for the packet at hand.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    answers: Vec<(Handle, Result<Option<UserId>, StoreError>)>,
    asked: Option<Handle>,
}

impl Lookups {
    /// Whether an answer is out.
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

/// Whose handle it is, from memory, from an answer, or later.
pub(crate) fn resolve(connection: &mut Connection, turn: &Turn<'_>, handle: &Handle) -> Resolved {
    if let Some(user) = turn.shared.deps.people.cached(handle) {
        return Resolved::User(user);
    }
    let lookups = connection.active().lookups.get_or_insert_default();
    match lookups.answers.iter().find(|(asked, _)| asked == handle) {
        Some((_, Ok(Some(user)))) => return Resolved::User(*user),
        Some((_, Ok(None))) => return Resolved::Nobody,
        Some((_, Err(_))) => return Resolved::Unknown,
        None => {}
    }
    if lookups.asked.is_none() {
        lookups.asked = Some(handle.clone());
        let (people, handle) = (Arc::clone(&turn.shared.deps.people), handle.clone());
        turn.ask(async move {
            let answer = people.by_handle(&handle).await;
            News::Resolved(handle, answer)
        });
    }
    Resolved::Wait
}

/// An answer came; the packet is handled again at the end of this turn.
pub(crate) fn on_resolved(connection: &mut Connection, handle: Handle, answer: Result<Option<UserId>, StoreError>) {
    if let Some(lookups) = connection.active.as_mut().and_then(|active| active.lookups.as_mut())
        && lookups.asked.as_ref() == Some(&handle)
    {
        lookups.asked = None;
        lookups.answers.push((handle, answer));
    }
}
