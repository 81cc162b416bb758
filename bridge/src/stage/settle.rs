//! What happens when the outcome of a round is known: events become visible and are acknowledged, or their conversations are
//! rolled back without a hole.

use std::sync::atomic::Ordering;

use talaria_core::limits::CHECKPOINT_EVENTS;
use talaria_core::{ConversationId, Seq};
use talaria_port::ingest::Outcome;
use talaria_port::sessions::SessionWrite;

use crate::Inner;
use crate::conversation::{Conversation, Entry, Head};
use crate::posts::Posts;
use crate::shard::Shard;
use crate::stage::commit::Gathered;
use crate::stage::fan_out::FanOut;
use crate::stage::number::EPOCH;

/// Marks that wait while the store takes nothing. Beyond: dropped, which costs repeats on return and nothing else.
const SESSION_WRITES_MAX: usize = 100_000;

impl Inner {
    /// The round is stored: answers what it brought and collects what is to be fanned out.
    pub(crate) fn settle(&self, gathered: &Gathered, fan_out: &mut Vec<FanOut>, posts: &mut Posts) {
        for (shard_number, conversations) in &gathered.conversations {
            let mut shard = self.shards.lock(*shard_number);
            for id in conversations {
                self.settle_conversation(&mut shard, *id, fan_out, posts);
            }
            shard.oldest_in_round = None;
        }
        for reply in gathered.session_replies.iter().flatten() {
            posts.complete(*reply, Outcome::Done);
        }
    }

    fn settle_conversation(&self, shard: &mut Shard, id: ConversationId, fan_out: &mut Vec<FanOut>, posts: &mut Posts) {
        let Some(conversation) = shard.awake(id) else { return };
        let settled: Vec<_> = conversation.staged.drain(..conversation.in_round).collect();
        conversation.in_round = 0;
        conversation.since_checkpoint += settled.len() as u64;
        let mut weight_bytes = 0;
        for staged in settled {
            let event = staged.event;
            weight_bytes += event.weight_bytes();
            conversation.committed = Head::from(event.as_ref());
            conversation.receivers.apply(&event, staged.subject);
            posts.complete(staged.reply, Outcome::Stored { id: event.id, seq: event.seq, repeated: false });
            fan_out.push(FanOut { event, receivers: conversation.receivers.clone() });
        }
        self.staged_bytes.fetch_sub(weight_bytes, Ordering::Relaxed);
        answer_echoes(conversation, posts);
        if conversation.since_checkpoint >= CHECKPOINT_EVENTS {
            conversation.since_checkpoint = 0;
            self.aside().checkpoints.push(conversation.checkpoint(EPOCH, self.deps.clock.unix_ms()));
        }
    }

    /// Surely nothing of the round is stored: its conversations forget all that was staged and wake anew from the store. What
    /// was submitted before its submitter knows is refused, or it would overtake what was rolled back.
    pub(crate) fn roll_back(&self, gathered: &Gathered, posts: &mut Posts) {
        let count = self.rollbacks.fetch_add(1, Ordering::AcqRel) + 1;
        for (shard_number, conversations) in &gathered.conversations {
            let mut shard = self.shards.lock(*shard_number);
            // Something may have been turned away here since the count was drawn.
            shard.rolled_back_at = shard.rolled_back_at.max(count);
            for id in conversations {
                if let Some(Entry::Awake(conversation)) = shard.entries.remove(id) {
                    self.forget(*conversation, posts);
                }
            }
            shard.dirty.retain(|id| !conversations.contains(id));
            shard.oldest_in_round = None;
            if shard.dirty.is_empty() {
                shard.oldest_staged = None;
            }
        }
        posts.rolled_back(count);
        self.keep_aside(gathered, posts);
    }

    fn forget(&self, conversation: Conversation, posts: &mut Posts) {
        let mut weight_bytes = 0;
        for staged in conversation.staged {
            weight_bytes += staged.event.weight_bytes();
            posts.complete(staged.reply, Outcome::Unavailable);
        }
        for echo in conversation.echoes {
            posts.complete(echo.reply, Outcome::Unavailable);
        }
        self.staged_bytes.fetch_sub(weight_bytes, Ordering::Relaxed);
    }

    /// Rows that nobody waits for go into the next round, before what came meanwhile; the others are answered.
    fn keep_aside(&self, gathered: &Gathered, posts: &mut Posts) {
        let mut aside = self.aside();
        let mut kept = Vec::new();
        for (write, reply) in gathered.round.sessions.iter().zip(&gathered.session_replies) {
            let is_mark = matches!(write, SessionWrite::Mark(..));
            match reply {
                Some(reply) => posts.complete(*reply, Outcome::Unavailable),
                None if is_mark && kept.len() + aside.sessions.len() >= SESSION_WRITES_MAX => {}
                None => kept.push((write.clone(), None)),
            }
        }
        kept.append(&mut aside.sessions);
        aside.sessions = kept;
        for read in &gathered.round.reads {
            let seq = aside.reads.entry((read.user, read.conversation)).or_insert(Seq::ZERO);
            *seq = read.seq.max(*seq);
        }
    }
}

fn answer_echoes(conversation: &mut Conversation, posts: &mut Posts) {
    let committed = conversation.committed.seq;
    conversation.echoes.retain(|echo| {
        let is_committed = echo.seq <= committed;
        if is_committed {
            posts.complete(echo.reply, echo.outcome.clone());
        }
        !is_committed
    });
}
