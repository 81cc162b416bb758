//! Brings a sleeping conversation into memory: its checkpoint, the events after it, and the members of a channel.

use std::sync::Arc;

use talaria_core::limits::{CHECKPOINT_EVENTS, PAGE_BYTES_MAX};
use talaria_core::{Code, ConversationId, EventKind, Seq, UserId};
use talaria_port::channels::{Change, Intent};
use talaria_port::ingest::Outcome;
use talaria_port::messages::{Amount, Span, Window};
use talaria_port::{Refusal, StoreError};

use crate::Inner;
use crate::conversation::{Conversation, Entry, Head};
use crate::keys::{Keys, intent_key, key_fingerprint};
use crate::members::Members;
use crate::posts::Posts;
use crate::shard::Shards;

/// A page of waking: what a checkpoint leaves at most, plus a round.
const PAGE: Amount = Amount { events: CHECKPOINT_EVENTS as usize * 2, bytes: PAGE_BYTES_MAX };

/// What was found.
enum Woken {
    Conversation(Box<Conversation>, Vec<Intent>),
    /// There is no such conversation.
    Nowhere(Refusal),
}

impl Inner {
    /// Reads, then lets everything in that waited, in order.
    pub(crate) async fn wake_up(self: Arc<Self>, id: ConversationId) {
        let woken = self.read_conversation(id).await;
        let mut posts = Posts::new(self.mailboxes.len());
        let shard_number = Shards::of(id);
        let mut shard = self.shards.lock(shard_number);
        let Some(Entry::Waking(waiting)) = shard.entries.remove(&id) else { return };
        let mut unfinished = Vec::new();
        match woken {
            Ok(Woken::Conversation(conversation, intents)) => {
                shard.entries.insert(id, Entry::Awake(conversation));
                for submission in waiting {
                    self.sequence(&mut shard, shard_number, submission, &mut posts);
                }
                unfinished = intents;
            }
            Ok(Woken::Nowhere(refusal)) => {
                for submission in waiting {
                    posts.complete(submission.reply, Outcome::Refused(refusal.clone()));
                }
            }
            Err(error) => {
                tracing::error!(conversation = %id, %error, "a conversation cannot be read");
                for submission in waiting {
                    self.turn_away(&mut shard, submission.reply, &mut posts);
                }
            }
        }
        drop(shard);
        posts.flush(&self.mailboxes);
        if !self.shards.is_clean() {
            self.ring();
        }
        if !unfinished.is_empty() {
            let inner = Arc::clone(&self);
            self.deps.spawn.spawn(Box::pin(async move { inner.finish_intents(unfinished).await }));
        }
    }

    /// The members of a sleeping channel, by its roster and by those of its unfinished changes whose event is stored; and those changes.
    /// `None`: there is no such channel.
    pub(crate) async fn read_members(&self, id: ConversationId) -> Result<Option<(Members, Vec<Intent>)>, StoreError> {
        let ConversationId::Channel(channel) = id else { return Ok(None) };
        let Some(roster) = self.deps.channels.roster(channel).await? else { return Ok(None) };
        let mut members = roster.members;
        if !roster.intents.is_empty() {
            // Read after the roster: what is settled in it is stored.
            let (_, keys, _) = self.read_events(id).await?;
            self.let_stored_changes_count(&mut members, &roster.intents, &keys).await?;
        }
        Ok(Some((Members::Channel(Arc::new(members)), roster.intents)))
    }

    /// Changes whose event is stored but which the relational store does not show yet. A later change of the same user may be settled, so
    /// that all of them together say who is a member.
    async fn let_stored_changes_count(
        &self,
        members: &mut Vec<(UserId, Seq)>,
        intents: &[Intent],
        keys: &Keys,
    ) -> Result<(), StoreError> {
        let place = |intent: &Intent| {
            keys.by_key(intent.by, key_fingerprint(event_kind(intent.change), &intent_key(intent.id)))
        };
        let stored: Vec<_> = intents.iter().filter_map(|intent| Some((intent, place(intent)?.seq))).collect();
        let mut users: Vec<_> = stored.iter().map(|(intent, _)| (intent.user, intent.channel)).collect();
        users.sort_unstable();
        users.dedup();
        for (user, channel) in users {
            let mut intervals = self.deps.channels.intervals(channel, user).await?;
            for (intent, seq) in stored.iter().filter(|(intent, _)| intent.user == user) {
                intervals.settle(intent.change, *seq);
            }
            members.retain(|(member, _)| *member != user);
            members.extend(intervals.joined().map(|joined| (user, joined)));
        }
        members.sort_unstable();
        Ok(())
    }

    async fn read_conversation(&self, id: ConversationId) -> Result<Woken, StoreError> {
        let (head, keys, since_checkpoint) = self.read_events(id).await?;
        let (members, intents) = match Members::named(id) {
            Some(members) => {
                if head == Head::default()
                    && let Some(stranger) = self.missing(id).await?
                {
                    tracing::debug!(user = %stranger, "no such user");
                    return Ok(Woken::Nowhere(Code::UnknownUser.into()));
                }
                (members, Vec::new())
            }
            // A stranger gets the same answer for a channel that exists.
            None => match self.read_members(id).await? {
                Some(found) => found,
                None => return Ok(Woken::Nowhere(Code::NotAMember.into())),
            },
        };
        let conversation = Conversation {
            id,
            head,
            committed: head,
            window: (head != Head::default()).then(|| Window::of(head.id)),
            receivers: members.clone(),
            members,
            keys,
            staged: Vec::new(),
            in_round: 0,
            rows: crate::conversation::Rows::default(),
            echoes: Vec::new(),
            since_checkpoint,
            used_at_ms: self.deps.clock.monotonic_ms(),
        };
        Ok(Woken::Conversation(Box::new(conversation), intents))
    }

    /// The head, and what is remembered of senders, from the checkpoint and the events after it.
    async fn read_events(&self, id: ConversationId) -> Result<(Head, Keys, u64), StoreError> {
        let mut keys = Keys::default();
        let mut head = Head::default();
        if let Some(checkpoint) = self.deps.store.checkpoint(id).await? {
            keys.restore(&checkpoint.remembered);
            head = Head { seq: checkpoint.seq, id: checkpoint.id, messages: checkpoint.messages };
        }
        let mut since_checkpoint = 0;
        loop {
            let events = self.deps.store.events(id, Span::After(head.seq), PAGE).await?;
            let Some(last) = events.last() else { return Ok((head, keys, since_checkpoint)) };
            head = Head::from(last);
            since_checkpoint += events.len() as u64;
            for event in &events {
                keys.remember(event);
            }
        }
    }

    /// A user of the conversation's name who does not exist.
    async fn missing(&self, id: ConversationId) -> Result<Option<UserId>, StoreError> {
        let users = match id {
            ConversationId::Dm(pair) => [pair.low(), pair.high()],
            ConversationId::Own(owner) => [owner, owner],
            ConversationId::Channel(_) => return Ok(None),
        };
        for user in users {
            if !self.deps.people.exists(user).await? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }
}

/// The event of a change in the channel.
pub(crate) fn event_kind(change: Change) -> EventKind {
    match change {
        Change::Join => EventKind::MemberJoined,
        Change::Leave => EventKind::MemberLeft,
    }
}
