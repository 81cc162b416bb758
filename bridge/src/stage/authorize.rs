//! May this user do this here? The conversation's copy of its members is coherent, because changes go through it (INV-5).

use talaria_core::{Code, EventKind};
use talaria_port::Refusal;
use talaria_port::ingest::{Intake, Outcome, Submission};

use crate::conversation::Conversation;

/// `Err`: the answer. `members_max` bounds a channel.
pub(crate) fn authorize(
    conversation: &Conversation,
    submission: &Submission,
    members_max: usize,
) -> Result<(), Outcome> {
    match &submission.intake {
        Intake::System { kind: EventKind::MemberJoined, subject, .. } => {
            if conversation.members.contains(*subject) {
                return Err(Outcome::Done);
            }
            if conversation.members.len() >= members_max {
                return Err(Outcome::Refused(Code::ChannelFull.into()));
            }
            Ok(())
        }
        Intake::System { kind: EventKind::MemberLeft, subject, .. } => {
            if conversation.members.contains(*subject) {
                Ok(())
            } else {
                Err(Outcome::Done)
            }
        }
        Intake::System { .. } => Ok(()),
        Intake::Message { .. } | Intake::Typing | Intake::Read(_) => {
            if conversation.members.contains(submission.user) {
                Ok(())
            } else {
                Err(Outcome::Refused(Refusal::from(Code::NotAMember)))
            }
        }
    }
}
