//! Subscriptions to one's own tree in 32 bits: five forms in three spellings, two bits each.

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
