//! The will: a publish that the client left for when it is lost.

use std::sync::Arc;

use talaria_core::topic::{PublishTopic, Target, UserRef};
use talaria_core::{ConversationId, Handle, UserId};
use talaria_port::ingest::{Intake, Submission};

use super::publish::{What, Where, target_of, will_intake};
use crate::session::{Connection, Turn, ticket};

/// A will as CONNECT brought it.
#[derive(Clone, Debug)]
pub(crate) struct Will {
    topic: Box<str>,
    payload: Box<[u8]>,
}

impl Will {
    /// Copies it out of the packet.
    pub(crate) fn of(will: &talaria_codec::Will<'_>) -> Self {
        Self { topic: will.topic.into(), payload: will.payload.into() }
    }
}

/// Publishes the will, with the rights of this moment; nobody waits for the answer.
pub(crate) fn publish_now(connection: &mut Connection, turn: &mut Turn<'_>) {
    let (Some(will), Some(user)) = (connection.will.take(), connection.user) else { return };
    match target_of(connection, turn, &will.topic) {
        Ok(Where::At(conversation, what)) => {
            if let Some(intake) = will_intake(what, &will.payload) {
                let submission = submission(turn, user, conversation, intake);
                turn.shared.submissions.push(submission);
            }
        }
        Ok(Where::Wait) => publish_later(turn, user, &will),
        Ok(Where::Nowhere) | Err(_) => {}
    }
}

/// The number may be a publish's as well: the connection that the answer finds is ending and looks at none.
fn submission(turn: &Turn<'_>, user: UserId, conversation: ConversationId, intake: Intake) -> Submission {
    let reply = turn.reply(ticket::NUMBER_MAX - 1);
    Submission { reply, user, conversation, intake, rollbacks: turn.shared.rollbacks }
}

/// The connection is gone before the handle is looked up, so that the will goes on without it.
fn publish_later(turn: &Turn<'_>, user: UserId, will: &Will) {
    let Some((handle, what)) = handle_of(&will.topic) else { return };
    let Some(intake) = will_intake(what, &will.payload) else { return };
    let mut submission = submission(turn, user, ConversationId::dm(user, user), intake);
    let (people, ingest) = (Arc::clone(&turn.shared.deps.people), Arc::clone(&turn.shared.deps.ingest));
    turn.shared.deps.spawn.spawn(Box::pin(async move {
        match people.by_handle(&handle).await {
            Ok(Some(other)) => {
                submission.conversation = ConversationId::dm(user, other);
                ingest.submit(&mut vec![submission]);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a will is lost: its handle cannot be looked up"),
        }
    }));
}

fn handle_of(topic: &str) -> Option<(Handle, What)> {
    match PublishTopic::parse(topic)? {
        PublishTopic::Message(Target::User(UserRef::Handle(handle))) => Some((handle, What::Message)),
        PublishTopic::Typing(Target::User(UserRef::Handle(handle))) => Some((handle, What::Typing)),
        PublishTopic::Read(Target::User(UserRef::Handle(handle))) => Some((handle, What::Read)),
        _ => None,
    }
}
