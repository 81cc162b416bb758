//! Gathers a round: all that was staged since the last, one row for each conversation, and one flush for all of them.

use std::sync::Arc;

use talaria_core::{ConversationId, Rule};
use talaria_port::ingest::ReplyTo;
use talaria_port::messages::{Append, IndexRow, ReadMark, Round};
use talaria_port::sessions::SessionWrite;

use crate::Inner;
use crate::shard::Shard;

/// A round and what has to be done when its outcome is known.
pub(crate) struct Gathered {
    pub(crate) round: Arc<Round>,
    /// Conversations with events in the round, by shard.
    pub(crate) conversations: Vec<(usize, Vec<ConversationId>)>,
    /// Who waits for the round's session writes, in their order.
    pub(crate) session_replies: Vec<Option<ReplyTo>>,
}

impl Inner {
    /// The next round; `None` where there is nothing to do. `late_index` is where index rows wait while D7 is switched off.
    pub(crate) fn gather(&self, late_index: &mut Vec<IndexRow>) -> Option<Gathered> {
        let mut round = Round::default();
        let mut conversations = Vec::new();
        if !self.settings.rules.hold(Rule::D7) {
            round.index.append(late_index);
        }
        for shard_number in self.shards.take_dirty() {
            let mut shard = self.shards.lock(shard_number);
            let index_before = round.index.len();
            conversations.push((shard_number, drain(&mut shard, &mut round)));
            if !self.settings.rules.hold(Rule::D7) {
                late_index.extend(round.index.drain(index_before..));
            }
        }
        let session_replies = self.gather_aside(&mut round);
        (!round.is_empty()).then(|| Gathered { round: Arc::new(round), conversations, session_replies })
    }

    fn gather_aside(&self, round: &mut Round) -> Vec<Option<ReplyTo>> {
        let mut aside = self.aside();
        let (writes, replies): (Vec<SessionWrite>, Vec<_>) = aside.sessions.drain(..).unzip();
        round.sessions = writes;
        round.checkpoints = std::mem::take(&mut aside.checkpoints);
        round.reads =
            (aside.reads.drain()).map(|((user, conversation), seq)| ReadMark { user, conversation, seq }).collect();
        round.fanned_out = aside.fanned_out.take();
        replies
    }
}

/// Moves what a shard staged into the round; its ids are in the round from now on.
fn drain(shard: &mut Shard, round: &mut Round) -> Vec<ConversationId> {
    let dirty = std::mem::take(&mut shard.dirty);
    shard.oldest_in_round = shard.oldest_staged.take();
    for id in &dirty {
        let Some(conversation) = shard.awake(*id) else { continue };
        let events = conversation.staged.iter().map(|staged| Arc::clone(&staged.event)).collect();
        conversation.in_round = conversation.staged.len();
        round.appends.push(Append { events });
        round.index.append(&mut conversation.rows.index);
        round.moved.append(&mut conversation.rows.moved);
        round.listed.append(&mut conversation.rows.listed);
    }
    dirty
}
