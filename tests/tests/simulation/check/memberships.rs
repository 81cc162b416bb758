//! Who was a member when, as the events of the channels tell it.

use std::collections::BTreeMap;

use talaria_core::{ChannelId, ConversationId, Event, EventKind, Handle, UserId};
use talaria_port::channels::ChannelStore as _;
use talaria_storage_memory::{MemoryChannels, MemoryStore};

use crate::observer;

/// The first seq of a membership, and the first that is none of it any more.
type Interval = (u64, Option<u64>);

pub(crate) struct Memberships(BTreeMap<(ConversationId, UserId), Vec<Interval>>);

/// Whom a membership event concerns.
pub(super) fn subject(event: &Event) -> Option<UserId> {
    let body = std::str::from_utf8(&event.body).ok()?;
    body.strip_prefix("\"user\":\"")?.strip_suffix('"')?.parse().ok()
}

impl Memberships {
    pub(crate) fn read(store: &MemoryStore, conversations: &[ConversationId]) -> Result<Self, String> {
        let mut of: BTreeMap<_, Vec<Interval>> = BTreeMap::new();
        for conversation in conversations.iter().filter(|of| matches!(of, ConversationId::Channel(_))) {
            for event in observer::events(store, *conversation) {
                let Some(user) = subject(&event) else { continue };
                let intervals = of.entry((*conversation, user)).or_default();
                match (event.kind, intervals.last_mut()) {
                    (EventKind::MemberJoined, None | Some((_, Some(_)))) => intervals.push((event.seq.0, None)),
                    (EventKind::MemberLeft, Some((_, left @ None))) => *left = Some(event.seq.0),
                    _ => return Err(format!("{conversation} {}: {user} cannot have {:?}", event.seq, event.kind)),
                }
            }
        }
        Ok(Self(of))
    }

    /// The first seq of the membership in which that event lies; `None` where it lies in none.
    pub(crate) fn around(&self, conversation: ConversationId, user: UserId, seq: u64) -> Option<u64> {
        if let Some(is_named) = conversation.names(user) {
            return is_named.then_some(1);
        }
        let intervals = self.0.get(&(conversation, user))?;
        let within = |&&(joined, left): &&Interval| joined <= seq && left.is_none_or(|left| seq < left);
        intervals.iter().find(within).map(|(joined, _)| *joined)
    }

    /// Since when the user is a member, who is one in the end.
    pub(crate) fn joined(&self, conversation: ConversationId, user: UserId) -> Option<u64> {
        self.around(conversation, user, u64::MAX)
    }

    /// The relational store came to the same, or will once it takes up what waits there (DESIGN §4 "Membership").
    pub(crate) fn check_relational(
        &self,
        store: &MemoryStore,
        channels: &MemoryChannels,
        all: &[ChannelId],
        users: &[(UserId, Handle)],
    ) -> Result<(), String> {
        let channels = channels.durable_copy();
        for intent in observer::now(channels.unsettled()) {
            let key = format!("intent-{}", intent.id);
            let events = observer::events(store, ConversationId::Channel(intent.channel));
            if let Some(event) = events.iter().find(|event| event.key.as_deref() == Some(&key)) {
                observer::now(channels.settle(&[(intent, event.seq)]));
            }
        }
        for channel in all {
            for (user, _) in users {
                let stored = observer::now(channels.intervals(*channel, *user));
                let stored = stored.rows().iter().map(|of| (of.joined_seq.0, of.left_seq.map(|left| left.0)));
                let stored: Vec<Interval> = stored.filter(|(joined, left)| *left != Some(*joined)).collect();
                let told = self.0.get(&(ConversationId::Channel(*channel), *user)).cloned().unwrap_or_default();
                if stored != told {
                    return Err(format!("memberships of {user} in {channel}: {stored:?} in SQL, {told:?} by events"));
                }
            }
        }
        Ok(())
    }

    /// INV-5: nobody wrote who was no member.
    pub(crate) fn check_senders(&self, store: &MemoryStore, conversations: &[ConversationId]) -> Result<(), String> {
        for conversation in conversations {
            for event in observer::events(store, *conversation).iter().filter(|event| event.kind.is_message()) {
                if self.around(*conversation, event.from, event.seq.0).is_none() {
                    return Err(format!("INV-5: {conversation} {} is of {}, no member", event.seq, event.from));
                }
            }
        }
        Ok(())
    }
}
