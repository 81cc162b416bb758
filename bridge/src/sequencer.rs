//! Takes submissions through the first stages, on the thread that brought them: authorize, dedupe, number.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use talaria_core::limits::{COMMIT_QUEUE_BYTES_MAX, WAITING_PER_CONVERSATION_MAX};
use talaria_core::{ConversationId, Rule};
use talaria_port::ingest::{Intake, Outcome, ReplyTo, Submission};

use crate::Inner;
use crate::conversation::{Conversation, Echo, Entry};
use crate::keys::Place;
use crate::posts::Posts;
use crate::shard::{Shard, Shards};
use crate::stage::authorize::authorize;
use crate::stage::dedupe::{Known, dedupe};
use crate::stage::{hint, number};

impl Inner {
    /// Takes all submissions, in order. One lock at a time, held for one submission.
    pub(crate) fn submit(self: &Arc<Self>, submissions: &mut Vec<Submission>) {
        let mut posts = Posts::new(self.mailboxes.len());
        for submission in submissions.drain(..) {
            self.admit(submission, &mut posts);
        }
        posts.flush(&self.mailboxes);
        if !self.shards.is_clean() {
            self.ring();
        }
    }

    /// Lets a submission in: its conversation may sleep, or have been rolled back since it was made.
    fn admit(self: &Arc<Self>, submission: Submission, posts: &mut Posts) {
        let conversation = submission.conversation;
        let shard_number = Shards::of(conversation);
        let mut shard = self.shards.lock(shard_number);
        if submission.rollbacks < shard.rolled_back_at {
            return posts.complete(submission.reply, Outcome::Unavailable);
        }
        match shard.entries.get_mut(&conversation) {
            Some(Entry::Awake(_)) => self.sequence(&mut shard, shard_number, submission, posts),
            Some(Entry::Waking(waiting)) if waiting.len() >= WAITING_PER_CONVERSATION_MAX => {
                self.turn_away(&mut shard, submission.reply, posts);
            }
            Some(Entry::Waking(waiting)) => waiting.push(submission),
            None => {
                shard.entries.insert(conversation, Entry::Waking(vec![submission]));
                drop(shard);
                self.wake(conversation);
            }
        }
    }

    /// The stages before the commit, under the shard's lock; the conversation is awake.
    pub(crate) fn sequence(&self, shard: &mut Shard, shard_number: usize, submission: Submission, posts: &mut Posts) {
        let Some(conversation) = shard.awake(submission.conversation) else { return };
        let reply = submission.reply;
        // A repeat is answered as the first was, also to someone who has left since.
        match dedupe(&conversation.keys, &submission) {
            Known::New => {}
            Known::Stale => return posts.complete(reply, Outcome::Stale),
            Known::Repeat(place) => return repeat(conversation, place, &submission, posts),
        }
        if let Err(outcome) = authorize(conversation, &submission, self.settings.channel_members_max) {
            return refuse(conversation, outcome, reply, posts);
        }
        // Not before: strangers keep nothing awake.
        conversation.used_at_ms = self.deps.clock.monotonic_ms();
        match submission.intake {
            Intake::Typing => {
                hint::typing(conversation, submission.user, self.deps.directory.as_ref(), posts);
                posts.complete(reply, Outcome::Done);
            }
            Intake::Read(upto) => {
                let seq = hint::read(conversation, submission.user, upto, self.deps.directory.as_ref(), posts);
                let mut aside = self.aside();
                let mark = aside.reads.entry((submission.user, submission.conversation)).or_default();
                *mark = seq.max(*mark);
                posts.complete(reply, Outcome::Done);
            }
            Intake::Message { .. } | Intake::System { .. } => self.stage(shard, shard_number, submission, posts),
        }
    }

    /// Draws the id, registers it as pending under the same hold of the lock (D8), numbers and stages.
    fn stage(&self, shard: &mut Shard, shard_number: usize, submission: Submission, posts: &mut Posts) {
        let id = submission.conversation;
        let Some(conversation) = shard.awake(id) else { return };
        let is_full = self.staged_bytes.load(Ordering::Relaxed) >= COMMIT_QUEUE_BYTES_MAX;
        let drawn = self.deps.ids.draw_after(conversation.head.id);
        let (false, Ok(drawn)) = (is_full, drawn) else {
            return self.turn_away(shard, submission.reply, posts);
        };
        let was_dirty = conversation.is_dirty();
        number::number(conversation, submission, drawn);
        let weight_bytes = conversation.staged.last().map_or(0, |staged| staged.event.weight_bytes());
        self.staged_bytes.fetch_add(weight_bytes, Ordering::Relaxed);
        if self.settings.rules.hold(Rule::D8) {
            shard.register(drawn);
        }
        if !was_dirty {
            shard.dirty.push(id);
            self.shards.mark_dirty(shard_number);
        }
    }

    /// Refuses for now what could be let in a moment later: whatever its submitter sent behind it, not knowing of this, is refused as
    /// well, or it would overtake (INV-3).
    pub(crate) fn turn_away(&self, shard: &mut Shard, reply: ReplyTo, posts: &mut Posts) {
        let count = self.rollbacks.fetch_add(1, Ordering::AcqRel) + 1;
        shard.rolled_back_at = count;
        posts.rolled_back(count);
        posts.complete(reply, Outcome::Unavailable);
    }

    /// Starts reading what a sleeping conversation needs.
    fn wake(self: &Arc<Self>, conversation: ConversationId) {
        let inner = Arc::clone(self);
        self.deps.spawn.spawn(Box::pin(async move { inner.wake_up(conversation).await }));
    }
}

/// Answers a repeat, or lets it wait until the first is committed.
fn repeat(conversation: &mut Conversation, place: Place, submission: &Submission, posts: &mut Posts) {
    let Place { seq, id } = place;
    if let Intake::Message { origin: Some(claim), .. } = &submission.intake {
        conversation.keys.hear(submission.user, claim);
    }
    let outcome = Outcome::Stored { id, seq, repeated: true };
    if seq <= conversation.committed.seq {
        posts.complete(submission.reply, outcome);
    } else {
        conversation.echoes.push(Echo { seq, outcome, reply: submission.reply });
    }
}

/// Answers what is not let in, or already so. An answer that rests on a change which is only staged waits for it: rolled back, the change
/// would not be true (INV-5), and until then its deliveries are not behind those before it.
fn refuse(conversation: &mut Conversation, outcome: Outcome, reply: ReplyTo, posts: &mut Posts) {
    if conversation.members == conversation.receivers {
        posts.complete(reply, outcome);
    } else {
        conversation.echoes.push(Echo { seq: conversation.head.seq, outcome, reply });
    }
}
