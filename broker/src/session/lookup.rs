//! What a packet needs to know and memory does not: whose a handle is, whether the user is in a channel. The packet stays unread until the
//! answer is there, and is then handled anew, with the answers at hand.

use std::sync::Arc;

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
    /// The store cannot say now.
    Unknown,
    /// It is being looked up: the packet waits.
    Wait,
}

/// Questions of the packet at hand.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    answers: Vec<(Question, Answer)>,
    asked: Option<Question>,
}

impl Lookups {
    /// Whether an answer is out.
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some()
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
    let lookups = connection.active().lookups.get_or_insert_default();
    if let Some((_, answer)) = lookups.answers.iter().find(|(asked, _)| *asked == question) {
        return *answer;
    }
    if lookups.asked.is_none() {
        lookups.asked = Some(question.clone());
        let (people, catch_ups) = (Arc::clone(&turn.shared.deps.people), Arc::clone(&turn.shared.deps.catch_ups));
        turn.ask(async move {
            let answer = match &question {
                Question::Handle(handle) => of_handle(people.by_handle(handle).await),
                Question::Member(channel) => {
                    of_member(catch_ups.is_member(user, ConversationId::Channel(*channel)).await)
                }
            };
            News::Answered(question, answer)
        });
    }
    Answer::Wait
}

fn of_handle(answer: Result<Option<UserId>, StoreError>) -> Answer {
    match answer {
        Ok(user) => user.map_or(Answer::No, Answer::User),
        Err(error) => unknown(&error),
    }
}

fn of_member(answer: Result<bool, StoreError>) -> Answer {
    match answer {
        Ok(is_member) => {
            if is_member {
                Answer::Member
            } else {
                Answer::No
            }
        }
        Err(error) => unknown(&error),
    }
}

fn unknown(error: &StoreError) -> Answer {
    tracing::warn!(%error, "a packet cannot be looked up for");
    Answer::Unknown
}

/// An answer came; the packet is handled again at the end of this turn.
pub(crate) fn on_answered(connection: &mut Connection, question: Question, answer: Answer) {
    if let Some(lookups) = connection.active.as_mut().and_then(|active| active.lookups.as_mut())
        && lookups.asked.as_ref() == Some(&question)
    {
        lookups.asked = None;
        lookups.answers.push((question, answer));
    }
}
