//! The topics of PROTOCOL: what can be published to and what can be subscribed to.
//!
//! Only their shape is read here; who may use which is decided where it acts. Syntax of the standard (empty levels,
//! misplaced wildcards) is the codec's business and was checked before.

use std::str::FromStr;

use crate::handle::Handle;
use crate::id::{ChannelId, UserId};

/// How a topic spells a user. Deliveries use the spelling that was subscribed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserRef {
    /// `me`.
    Me,
    /// A decimal id.
    Id(UserId),
    /// `@handle`.
    Handle(Handle),
}

impl FromStr for UserRef {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "me" {
            Ok(Self::Me)
        } else if text.starts_with('@') {
            text.parse().map(Self::Handle).map_err(|_| ())
        } else {
            text.parse().map(Self::Id).map_err(|_| ())
        }
    }
}

/// Where a message, typing or a read mark goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The 1:1 conversation with that user.
    User(UserRef),
    /// A channel.
    Channel(ChannelId),
}

/// A topic that can be published to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublishTopic<'a> {
    /// `user/{user}/message`, `channel/{channel}/message`.
    Message(Target),
    /// `…/typing`.
    Typing(Target),
    /// `…/read`.
    Read(Target),
    /// `user/me/presence`, in any spelling of oneself.
    Presence(UserRef),
    /// `channel/{channel}/signal/…`; what follows `signal/`.
    Signal(ChannelId, &'a str),
}

impl<'a> PublishTopic<'a> {
    /// Reads a topic name; `None` where nothing can be published.
    pub fn parse(topic: &'a str) -> Option<Self> {
        let (root, rest) = topic.split_once('/')?;
        let (name, what) = rest.split_once('/')?;
        let target = match root {
            "user" => Target::User(name.parse().ok()?),
            "channel" => Target::Channel(name.parse().ok()?),
            _ => return None,
        };
        match (what, target) {
            ("message", target) => Some(Self::Message(target)),
            ("typing", target) => Some(Self::Typing(target)),
            ("read", target) => Some(Self::Read(target)),
            ("presence", Target::User(user)) => Some(Self::Presence(user)),
            (what, Target::Channel(channel)) => {
                what.strip_prefix("signal/").filter(|rest| !rest.is_empty()).map(|rest| Self::Signal(channel, rest))
            }
            _ => None,
        }
    }
}

/// What of a user's own tree a filter asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnTopic {
    /// `inbox`: every stored event of all conversations but `self/`.
    Inbox,
    /// `events`: the `self/` stream and live hints.
    Events,
    /// `presence`: one's own status.
    Presence,
    /// `+`: each of them.
    Any,
    /// `#`: each of them and what may come below.
    All,
}

impl OwnTopic {
    /// Every form, in the order of their numbers in stored and in-memory flags.
    pub const ALL: [Self; 5] = [Self::Inbox, Self::Events, Self::Presence, Self::Any, Self::All];

    /// Whether the filter matches that leaf.
    pub fn covers(self, leaf: Self) -> bool {
        self == leaf || matches!(self, Self::Any | Self::All)
    }

    /// As spelled in the filter.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Events => "events",
            Self::Presence => "presence",
            Self::Any => "+",
            Self::All => "#",
        }
    }
}

/// A filter that can be subscribed to; whether by this user is decided where it acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter<'a> {
    /// `user/{user}/…`: the user's own tree, or a contact's `presence`.
    User(UserRef, OwnTopic),
    /// `channel/{channel}/typing`.
    ChannelTyping(ChannelId),
    /// `channel/{channel}/signal/…`; what follows `signal/`, wildcards included.
    Signal(ChannelId, &'a str),
}

impl<'a> Filter<'a> {
    /// Reads a filter; `None` where it matches nothing that can be subscribed to, or reaches beyond one user or channel.
    pub fn parse(filter: &'a str) -> Option<Self> {
        let (root, rest) = filter.split_once('/')?;
        let (name, what) = rest.split_once('/')?;
        match root {
            "user" => {
                let user = name.parse().ok()?;
                OwnTopic::ALL.into_iter().find(|topic| topic.text() == what).map(|topic| Self::User(user, topic))
            }
            "channel" => {
                let channel = name.parse().ok()?;
                if what == "typing" {
                    return Some(Self::ChannelTyping(channel));
                }
                what.strip_prefix("signal/").filter(|rest| !rest.is_empty()).map(|rest| Self::Signal(channel, rest))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_the_contract_are_read() {
        let user = UserId::new(42).unwrap();
        let channel = ChannelId::new(7).unwrap();
        assert_eq!(
            PublishTopic::parse("user/42/message"),
            Some(PublishTopic::Message(Target::User(UserRef::Id(user))))
        );
        assert_eq!(PublishTopic::parse("user/me/presence"), Some(PublishTopic::Presence(UserRef::Me)));
        assert_eq!(
            PublishTopic::parse("user/@kim/typing"),
            Some(PublishTopic::Typing(Target::User(UserRef::Handle("@kim".parse().unwrap()))))
        );
        assert_eq!(PublishTopic::parse("channel/7/read"), Some(PublishTopic::Read(Target::Channel(channel))));
        assert_eq!(PublishTopic::parse("channel/7/signal/a/b"), Some(PublishTopic::Signal(channel, "a/b")));
    }

    #[test]
    fn nothing_else_can_be_published_to() {
        for topic in [
            "user/42",
            "user/42/inbox",
            "user/042/message",
            "user/@Kim/message",
            "channel/7/signal",
            "channel/7/signal/",
            "channel/@kim/message",
            "channel/7/presence",
            "$SYS/x",
            "한글/x",
            "user//message",
            "user/42/message/x",
            "/user/42/message",
        ] {
            assert_eq!(PublishTopic::parse(topic), None, "{topic}");
        }
    }

    #[test]
    fn filters_stay_inside_one_user_or_channel() {
        assert_eq!(Filter::parse("user/me/#"), Some(Filter::User(UserRef::Me, OwnTopic::All)));
        assert_eq!(Filter::parse("channel/7/signal/#"), Some(Filter::Signal(ChannelId::new(7).unwrap(), "#")));
        for filter in
            ["#", "+/me/inbox", "user/+/inbox", "user/#", "channel/+/typing", "channel/7/#", "user/me/message"]
        {
            assert_eq!(Filter::parse(filter), None, "{filter}");
        }
    }
}
