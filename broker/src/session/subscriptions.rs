//! Subscriptions of a session: to one's own tree in 32 bits (five forms in three spellings, two bits each), and to channels' typing.

use talaria_core::ChannelId;
use talaria_core::limits::SUBSCRIPTIONS_PER_SESSION_MAX;
use talaria_core::topic::OwnTopic;

/// How a filter spelled its user; deliveries use the same spelling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spelling {
    Me,
    Id,
    Handle,
}

impl Spelling {
    pub(crate) const ALL: [Self; 3] = [Self::Me, Self::Id, Self::Handle];
}

/// The filters of a session in its user's own tree, with the granted QoS of each. Kept without allocation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct OwnFilters(u32);

impl OwnFilters {
    fn shift(topic: OwnTopic, spelling: Spelling) -> u32 {
        2 * (topic as u32 * 3 + spelling as u32)
    }

    /// QoS 0 or 1 of a subscription.
    pub(crate) fn get(self, topic: OwnTopic, spelling: Spelling) -> Option<u8> {
        (self.0 >> Self::shift(topic, spelling) & 3).checked_sub(1).map(|qos| qos as u8)
    }

    /// Subscribes with QoS 0 or 1, or ends with `None`.
    pub(crate) fn set(&mut self, topic: OwnTopic, spelling: Spelling, qos: Option<u8>) {
        let shift = Self::shift(topic, spelling);
        let bits = qos.map_or(0, |qos| u32::from(qos.min(1)) + 1);
        self.0 = self.0 & !(3 << shift) | bits << shift;
    }

    /// Every subscription, in a fixed order.
    pub(crate) fn iter(self) -> impl Iterator<Item = (OwnTopic, Spelling, u8)> {
        OwnTopic::ALL.into_iter().flat_map(move |topic| {
            Spelling::ALL
                .into_iter()
                .filter_map(move |spelling| self.get(topic, spelling).map(|qos| (topic, spelling, qos)))
        })
    }

    /// The subscription that a message to the leaf goes to: the highest QoS of all that match.
    pub(crate) fn best(self, leaf: OwnTopic) -> Option<(Spelling, u8)> {
        // Nothing goes before it, and nearly every session has it.
        if self.get(leaf, Spelling::Me) == Some(1) {
            return Some((Spelling::Me, 1));
        }
        self.iter()
            .filter(|(topic, ..)| topic.covers(leaf))
            .max_by_key(|&(topic, spelling, qos)| (qos, topic == leaf, std::cmp::Reverse(spelling as u8)))
            .map(|(_, spelling, qos)| (spelling, qos))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Channels whose `typing` a session subscribed to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct ChannelFilters(Vec<ChannelId>);

impl ChannelFilters {
    /// Subscribes; `false` where there are as many as may be.
    pub(crate) fn set(&mut self, channel: ChannelId) -> bool {
        let is_there = self.contains(channel);
        if !is_there && self.0.len() < SUBSCRIPTIONS_PER_SESSION_MAX {
            self.0.push(channel);
        }
        is_there || self.contains(channel)
    }

    /// Ends the subscription; whether there was one.
    pub(crate) fn unset(&mut self, channel: ChannelId) -> bool {
        let before = self.0.len();
        self.0.retain(|known| *known != channel);
        self.0.len() < before
    }

    /// Whether there is one.
    pub(crate) fn contains(&self, channel: ChannelId) -> bool {
        self.0.contains(&channel)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ChannelId> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_filters_deliver_once_with_the_highest_qos() {
        let mut own = OwnFilters::default();
        own.set(OwnTopic::All, Spelling::Id, Some(0));
        own.set(OwnTopic::Inbox, Spelling::Me, Some(1));
        assert_eq!(own.best(OwnTopic::Inbox), Some((Spelling::Me, 1)));
        assert_eq!(own.best(OwnTopic::Events), Some((Spelling::Id, 0)));
        own.set(OwnTopic::All, Spelling::Id, None);
        assert_eq!(own.best(OwnTopic::Events), None);
    }
}
