//! What counts as the resend of a stock client's publish (PROTOCOL "Never twice"), and what an ended connection leaves of it for the next one
//! of its name. In memory only, but for one floor in the mark: after a crash only DUP counts.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use talaria_core::{EventId, UserId, event};

/// Names of sessions for which something is left. Beyond: the oldest is forgotten, and only DUP counts for it.
const LEFT_MAX: usize = 65_536;
/// Packet ids that are unanswered, and that keep the floor of an earlier connection: as many as any client has under way. Beyond: they
/// count as ended.
const CARRIED_MAX: usize = 4_096;

/// What counts as a resend on a connection.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Resend {
    /// Publishes stored up to here were acknowledged and cleanly ended, or ended by a later one.
    pub(crate) floor: EventId,
    /// Packet ids of publishes whose acknowledgement was surely not written.
    pub(crate) unanswered: Vec<u16>,
    /// Packet ids that were resent and may be resent again, for which an earlier floor holds.
    carried: Vec<u16>,
    carried_floor: EventId,
    /// A new publish ended what was not resent before it.
    has_published: bool,
}

impl Resend {
    /// What a mark says: publishes stored up to here do not count.
    pub(crate) fn of_mark(floor: EventId) -> Self {
        Self { floor, ..Self::default() }
    }

    /// A publish under that packet id on the connection of that generation. `Some`: it is the resend of an event above that floor, where
    /// there is one.
    pub(crate) fn on_publish(&mut self, packet_id: u16, dup: bool, generation: u64) -> Option<EventId> {
        let is_carried = self.carried.contains(&packet_id);
        let was_unanswered = self.unanswered.contains(&packet_id);
        if dup || was_unanswered {
            // From here on it is answered, or left unanswered anew.
            self.unanswered.retain(|unanswered| *unanswered != packet_id);
            if is_carried {
                return Some(self.carried_floor);
            }
            if !self.has_published {
                self.carry(packet_id);
            }
            return Some(self.floor);
        }
        if !self.has_published {
            self.has_published = true;
            // Everything of this connection has an id above its generation, for both come from one clock.
            self.floor = EventId(generation);
            self.unanswered = Vec::new();
        }
        self.carried.retain(|carried| *carried != packet_id);
        None
    }

    fn carry(&mut self, packet_id: u16) {
        if self.carried.is_empty() {
            self.carried_floor = self.floor;
        }
        if self.carried.len() < CARRIED_MAX {
            self.carried_floor = self.carried_floor.min(self.floor);
            self.carried.push(packet_id);
        }
    }

    /// The lowest floor that holds for any packet id: one floor for all, in a mark, must not be higher.
    pub(crate) fn lowest_floor(&self) -> EventId {
        if self.carried.is_empty() { self.floor } else { self.carried_floor.min(self.floor) }
    }

    /// For the next connection, after one whose publishes of these packet ids surely were not acknowledged.
    pub(crate) fn after_loss(mut self, unanswered: Vec<u16>) -> Self {
        // What was unanswered before and not resent yet still is.
        self.unanswered.extend(unanswered);
        self.unanswered = bounded(self.unanswered);
        self.has_published = false;
        self
    }

    /// For the next connection, after a clean DISCONNECT: it ends what was acknowledged; `settled` is M of that moment.
    pub(crate) fn after_clean_end(mut self, unanswered: Vec<u16>, settled: EventId) -> Self {
        let unanswered = bounded(unanswered);
        self.carried_floor = self.lowest_floor();
        self.carried.clone_from(&unanswered);
        Self { floor: settled, unanswered, has_published: false, ..self }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Each once: the same packet id may have been answered often without being heard.
fn bounded(mut packet_ids: Vec<u16>) -> Vec<u16> {
    packet_ids.sort_unstable();
    packet_ids.dedup();
    packet_ids.truncate(CARRIED_MAX);
    packet_ids
}

/// The name of a session, its client id hashed.
type Name = (UserId, u64);

/// What is left, of all loops.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    left: Mutex<Left>,
}

#[derive(Debug, Default)]
struct Left {
    of: HashMap<Name, (u64, Resend)>,
    /// Oldest first; an entry whose number is not that of `of` was taken or replaced.
    order: VecDeque<(Name, u64)>,
    next: u64,
}

impl Resends {
    /// Leaves something; replaces what an earlier connection left.
    pub(crate) fn leave(&self, user: UserId, client_id: &str, resend: Resend) {
        if resend.is_empty() {
            return;
        }
        let name = (user, event::hash(client_id.as_bytes()));
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.next += 1;
        let number = left.next;
        left.of.insert(name, (number, resend));
        left.order.push_back((name, number));
        while left.of.len() > LEFT_MAX || left.order.len() > 2 * LEFT_MAX {
            let Some((name, number)) = left.order.pop_front() else { break };
            if left.of.get(&name).is_some_and(|(current, _)| *current == number) {
                left.of.remove(&name);
            }
        }
    }

    /// Takes what was left, once.
    pub(crate) fn take(&self, user: UserId, client_id: &str) -> Option<Resend> {
        let name = (user, event::hash(client_id.as_bytes()));
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.of.remove(&name).map(|(_, resend)| resend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u64 = 10;
    const B: u64 = 20;

    fn left(packet_id: u16) -> Resend {
        Resend::default().after_loss(vec![packet_id])
    }

    #[test]
    fn dup_and_what_was_surely_not_answered_are_resends() {
        let mut resend = left(7);
        assert_eq!(resend.on_publish(7, false, B), Some(EventId::ZERO));
        assert_eq!(resend.on_publish(8, true, B), Some(EventId::ZERO));
        assert_eq!(resend.on_publish(9, false, B), None);
    }

    #[test]
    fn the_first_new_publish_ends_what_was_not_resent_before_it() {
        let mut resend = left(7);
        assert_eq!(resend.on_publish(9, false, B), None);
        assert_eq!(resend.on_publish(7, false, B), None);
        assert_eq!(resend.on_publish(8, true, B), Some(EventId(B)));
    }

    #[test]
    fn what_was_resent_before_a_new_publish_is_known_on_the_next_connection_too() {
        let mut resend = left(2);
        assert_eq!(resend.on_publish(2, true, A), Some(EventId::ZERO));
        assert_eq!(resend.on_publish(28, false, A), None);
        assert_eq!(resend.on_publish(2, true, A), Some(EventId::ZERO));
        let mut next = resend.after_loss(vec![2, 28]);
        assert_eq!(next.lowest_floor(), EventId::ZERO);
        assert_eq!(next.on_publish(2, true, B), Some(EventId::ZERO));
        assert_eq!(next.on_publish(28, false, B), Some(EventId(A)));
    }

    #[test]
    fn a_new_publish_under_a_packet_id_ends_the_one_before() {
        let mut resend = Resend::default();
        assert_eq!(resend.on_publish(2, true, A), Some(EventId::ZERO));
        assert_eq!(resend.on_publish(2, false, A), None);
        assert_eq!(resend.on_publish(2, true, A), Some(EventId(A)));
    }

    #[test]
    fn a_clean_end_ends_what_was_acknowledged_and_nothing_else() {
        let mut resend = Resend::default();
        assert_eq!(resend.on_publish(1, false, A), None);
        assert_eq!(resend.on_publish(2, false, A), None);
        let mut next = resend.after_clean_end(vec![2], EventId(15));
        assert_eq!(next.lowest_floor(), EventId(A));
        assert_eq!(next.on_publish(1, true, B), Some(EventId(15)));
        assert_eq!(next.on_publish(2, false, B), Some(EventId(A)));
    }

    #[test]
    fn what_was_unanswered_still_is_after_connections_that_resent_nothing() {
        let mut resend = left(2).after_loss(vec![]);
        assert_eq!(resend.on_publish(2, false, A), Some(EventId::ZERO));
        let mut resend = resend.after_loss(vec![2]).after_loss(vec![]);
        assert_eq!(resend.on_publish(2, false, B), Some(EventId::ZERO));
        assert_eq!(resend.on_publish(2, false, B), None, "the one before was answered, or this would not come");
        let mut resend = Resend::default().after_clean_end(vec![3], EventId(15)).after_loss(vec![]);
        assert_eq!(resend.on_publish(3, false, A), Some(EventId::ZERO));
    }

    #[test]
    fn what_is_unanswered_is_bounded_however_many_connections_are_lost() {
        let mut resend = Resend::default();
        for _ in 0..3 {
            resend = resend.after_loss((0..=u16::MAX).chain([7, 7]).collect());
            assert_eq!(resend.unanswered.len(), CARRIED_MAX);
        }
        let ended = resend.after_clean_end((0..=u16::MAX).collect(), EventId(15));
        assert_eq!((ended.unanswered.len(), ended.carried.len()), (CARRIED_MAX, CARRIED_MAX));
    }

    #[test]
    fn what_is_left_is_taken_once_and_by_its_name() {
        let (resends, kim, lee) = (Resends::default(), UserId::new(1).unwrap(), UserId::new(2).unwrap());
        resends.leave(kim, "phone", left(1));
        resends.leave(kim, "phone", left(2));
        assert_eq!(resends.take(lee, "phone"), None);
        assert_eq!(resends.take(kim, "phone"), Some(left(2)));
        assert_eq!(resends.take(kim, "phone"), None);
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let (resends, kim) = (Resends::default(), UserId::new(1).unwrap());
        for number in 0..=LEFT_MAX {
            resends.leave(kim, &number.to_string(), left(1));
        }
        assert_eq!(resends.take(kim, "0"), None);
        assert_eq!(resends.take(kim, "1"), Some(left(1)));
    }
}
