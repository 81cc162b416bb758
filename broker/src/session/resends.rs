//! What an ended connection leaves for the next one of its name, so that a client which resends without DUP is understood
//! (PROTOCOL "Never twice"). In memory only: after a crash it is not known, and only DUP counts.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use talaria_core::{EventId, UserId, event};

/// Names of sessions for which something is left. Beyond: the oldest is forgotten, and only DUP counts for it.
const LEFT_MAX: usize = 65_536;

/// What counts as a resend on a connection, until its first new publish.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Resend {
    /// Publishes stored up to here were acknowledged and cleanly ended.
    pub(crate) floor: EventId,
    /// Packet ids of publishes whose acknowledgement was surely not written.
    pub(crate) unanswered: Box<[u16]>,
}

impl Resend {
    fn is_empty(&self) -> bool {
        self.floor == EventId::ZERO && self.unanswered.is_empty()
    }
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

    fn resend(packet_id: u16) -> Resend {
        Resend { floor: EventId::ZERO, unanswered: [packet_id].into() }
    }

    #[test]
    fn what_is_left_is_taken_once_and_by_its_name() {
        let (resends, kim, lee) = (Resends::default(), UserId::new(1).unwrap(), UserId::new(2).unwrap());
        resends.leave(kim, "phone", resend(1));
        resends.leave(kim, "phone", resend(2));
        assert_eq!(resends.take(lee, "phone"), None);
        assert_eq!(resends.take(kim, "phone"), Some(resend(2)));
        assert_eq!(resends.take(kim, "phone"), None);
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let (resends, kim) = (Resends::default(), UserId::new(1).unwrap());
        for number in 0..=LEFT_MAX {
            resends.leave(kim, &number.to_string(), resend(1));
        }
        assert_eq!(resends.take(kim, "0"), None);
        assert_eq!(resends.take(kim, "1"), Some(resend(1)));
    }
}
