//! What a packet needs to know and memory does not: whose a handle is, whether the user is in a channel. The packet stays unread until the
//! answer is there, and is then handled anew, with the answers at hand.

use std::sync::Arc;

use talaria_core::limits::SETTLE_DEADLINE_S;
use talaria_core::{ChannelId, ConversationId, Handle, UserId};
use talaria_port::StoreError;

use super::{Connection, Turn};
use crate::event_loop::mailbox::News;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    /// Whose handle?
    Handle(Handle),
    /// Is the connection's user a member now?
    Member(ChannelId),
}

/// What came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    User(UserId),
    /// Nobody's handle; no member.
    No,
    Member,
    /// It is being looked up: the packet waits.
    Wait,
}

/// Questions of the packet at hand.
#[derive(Debug)]
pub(crate) struct Lookups {
    answers: Vec<(Question, Answer)>,
    asked: Option<Question>,
    /// The store could not say: asked again with the next second.
    has_failed: bool,
    since_ms: u64,
}

impl Lookups {
    /// Whether the packet waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some() || self.has_failed
    }

    /// A second has passed: what failed may be asked again. When the connection must not wait any longer, monotonic ms.
    pub(crate) fn on_second(&mut self) -> u64 {
        self.has_failed = false;
        self.since_ms + u64::from(SETTLE_DEADLINE_S) * 1000
    }
}

/// Whose handle it is.
pub(crate) fn user_of(connection: &mut Connection, turn: &Turn<'_>, handle: &Handle) -> Answer {
    match turn.shared.deps.people.cached(handle) {
        Some(user) => Answer::User(user),
        None => look_up(connection, turn, Question::Handle(handle.clone())),
    }
}

/// Whether the connection's user is in the channel now.
pub(crate) fn is_member(connection: &mut Connection, turn: &Turn<'_>, channel: ChannelId) -> Answer {
    look_up(connection, turn, Question::Member(channel))
}

fn look_up(connection: &mut Connection, turn: &Turn<'_>, question: Question) -> Answer {
    let Some(user) = connection.user else { return Answer::No };
    let since_ms = turn.shared.now_ms;
    let new = || Box::new(Lookups { answers: Vec::new(), asked: None, has_failed: false, since_ms });
    let lookups = connection.active().lookups.get_or_insert_with(new);
    if let Some((_, answer)) = lookups.answers.iter().find(|(asked, _)| *asked == question) {
        return *answer;
    }
    if lookups.asked.is_none() {
        lookups.asked = Some(question.clone());
        let (people, catch_ups) = (Arc::clone(&turn.shared.deps.people), Arc::clone(&turn.shared.deps.catch_ups));
        turn.ask(async move {
            let answer = match &question {
                Question::Handle(handle) => {
                    people.by_handle(handle).await.map(|user| user.map_or(Answer::No, Answer::User))
                }
                Question::Member(channel) => {
                    let is_member = catch_ups.is_member(user, ConversationId::Channel(*channel)).await;
                    is_member.map(|is_member| if is_member { Answer::Member } else { Answer::No })
                }
            };
            News::Answered(question, answer)
        });
    }
    Answer::Wait
}

/// An answer came, or a failure: the packet is handled again at the end of this turn, or of a later one.
pub(crate) fn on_answered(connection: &mut Connection, question: Question, answer: Result<Answer, StoreError>) {
    let lookups = connection.active.as_mut().and_then(|active| active.lookups.as_mut());
    let Some(lookups) = lookups.filter(|lookups| lookups.asked.as_ref() == Some(&question)) else { return };
    lookups.asked = None;
    match answer {
        Ok(answer) => lookups.answers.push((question, answer)),
        Err(error) => {
            tracing::warn!(%error, "a packet waits, for the store does not answer");
            lookups.has_failed = true;
        }
    }
}
