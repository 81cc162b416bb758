//! Who is in a conversation.

use std::sync::Arc;

use talaria_core::conversation::Pair;
use talaria_core::{ConversationId, Event, EventKind, Seq, UserId};

/// The members of a conversation; a copy shares the list until one of the two changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    /// Two users, or one.
    Pair(Pair),
    /// The owner of a `self/` stream.
    Owner(UserId),
    /// A channel's, by user id, each with the seq of the latest join.
    Channel(Arc<Vec<(UserId, Seq)>>),
}

impl Members {
    /// Of a conversation whose members its name tells; `None` for a channel.
    pub(crate) fn named(conversation: ConversationId) -> Option<Self> {
        match conversation {
            ConversationId::Dm(pair) => Some(Self::Pair(pair)),
            ConversationId::Own(owner) => Some(Self::Owner(owner)),
            ConversationId::Channel(_) => None,
        }
    }

    /// From when on the user is a member; `None` where they are none.
    pub(crate) fn joined(&self, user: UserId) -> Option<Seq> {
        match self {
            Self::Pair(pair) => (pair.low() == user || pair.high() == user).then_some(Seq(1)),
            Self::Owner(owner) => (*owner == user).then_some(Seq(1)),
            Self::Channel(list) => list.binary_search_by_key(&user, |(user, _)| *user).ok().map(|at| list[at].1),
        }
    }

    pub(crate) fn contains(&self, user: UserId) -> bool {
        self.joined(user).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Pair(pair) => 1 + usize::from(pair.low() != pair.high()),
            Self::Owner(_) => 1,
            Self::Channel(list) => list.len(),
        }
    }

    /// Adds every member to `into`.
    pub(crate) fn collect(&self, into: &mut Vec<UserId>) {
        match self {
            Self::Pair(pair) => {
                into.push(pair.low());
                if pair.low() != pair.high() {
                    into.push(pair.high());
                }
            }
            Self::Owner(owner) => into.push(*owner),
            Self::Channel(list) => into.extend(list.iter().map(|(user, _)| *user)),
        }
    }

    /// Adds every member to `into` who may see the event with that seq.
    pub(crate) fn collect_for(&self, seq: Seq, into: &mut Vec<UserId>) {
        match self {
            Self::Channel(list) => {
                into.extend(list.iter().filter(|(_, joined)| *joined <= seq).map(|(user, _)| *user));
            }
            Self::Pair(_) | Self::Owner(_) => self.collect(into),
        }
    }

    /// Lets a membership event take effect, at its seq.
    pub(crate) fn apply(&mut self, event: &Event, subject: Option<UserId>) {
        let (Self::Channel(list), Some(subject)) = (self, subject) else { return };
        let place = list.binary_search_by_key(&subject, |(user, _)| *user);
        match (event.kind, place) {
            (EventKind::MemberJoined, Err(at)) => Arc::make_mut(list).insert(at, (subject, event.seq)),
            (EventKind::MemberLeft, Ok(at)) => {
                Arc::make_mut(list).remove(at);
            }
            _ => {}
        }
    }
}
