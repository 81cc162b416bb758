//! Gives an event its id and its seq and stages it for the next round, with the rows that must not be later than it (D7, D8).

use std::sync::Arc;

use talaria_core::limits::FAN_OUT_THRESHOLD;
use talaria_core::{ConversationId, Event, EventKind, Seq, UserId};
use talaria_port::ingest::{Intake, Submission};
use talaria_port::messages::{IndexRow, MovedRow, Window};

use crate::conversation::{Conversation, Head, Staged};
use crate::keys::intent_key;

/// The epoch of a single process (DESIGN §6).
pub(crate) const EPOCH: u32 = 1;

/// Stages what `submission` brings under the id that was drawn for it. Only messages and the server's own events come here.
pub(crate) fn number(conversation: &mut Conversation, submission: Submission, id: talaria_core::EventId) {
    let (kind, key, origin, body, subject) = match submission.intake {
        Intake::Message { body, key, origin } => {
            if let Some(claim) = &origin {
                conversation.keys.hear(submission.user, claim);
            }
            (EventKind::Message, key, origin.map(|claim| claim.origin), body, None)
        }
        Intake::System { kind, subject, intent, body } => (kind, Some(intent_key(intent)), None, body, Some(subject)),
        Intake::Typing | Intake::Read(_) => return,
    };
    let event = Arc::new(Event {
        conversation: conversation.id,
        seq: conversation.head.seq.next(),
        id,
        prev_id: conversation.head.id,
        messages: conversation.head.messages + u64::from(kind.is_message()),
        epoch: EPOCH,
        from: submission.user,
        kind,
        key,
        origin,
        body,
    });
    let members_before = conversation.members.len();
    conversation.members.apply(&event, subject);
    stage_rows(conversation, &event, subject, members_before);
    conversation.keys.remember(&event);
    conversation.head = Head::from(event.as_ref());
    conversation.staged.push(Staged { event, subject, reply: submission.reply });
}

/// With the first event of a window, a row for every member; with a join, one for the new member; and for everyone when
/// a channel shrinks to where members have rows (D7).
fn stage_rows(conversation: &mut Conversation, event: &Event, subject: Option<UserId>, members_before: usize) {
    let window = Window::of(event.id);
    let first_in_window = conversation.window != Some(window);
    conversation.window = Some(window);
    if first_in_window {
        conversation.rows.moved.push(MovedRow { window, conversation: conversation.id });
    }
    let members = conversation.members.len();
    let shrinks_below = members_before > FAN_OUT_THRESHOLD && members <= FAN_OUT_THRESHOLD;
    let mut users = Vec::new();
    if (first_in_window || shrinks_below) && members <= FAN_OUT_THRESHOLD {
        conversation.members.collect(&mut users);
    } else if event.kind == EventKind::MemberJoined {
        users.extend(subject);
    }
    let row = |user: &UserId| IndexRow { user: *user, window, conversation: conversation.id };
    conversation.rows.index.extend(users.iter().map(row));
    if event.seq == Seq(1) && matches!(conversation.id, ConversationId::Dm(_)) {
        conversation.rows.listed.extend(users.iter().map(|user| (*user, conversation.id)));
    }
}
