//! What a conversation remembers of its senders, so that nothing is stored twice (INV-2, PROTOCOL "Never twice").

use std::collections::VecDeque;

use talaria_core::event::hash;
use talaria_core::limits::{KEY_WINDOW_MS, KEYS_PER_SENDER_MAX, SESSIONS_PER_USER_MAX};
use talaria_core::{Event, EventId, EventKind, Origin, Seq, UserId};
use talaria_port::ingest::OriginClaim;
use talaria_port::messages::{Fingerprint, Remembered};

/// Where an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) seq: Seq,
    pub(crate) id: EventId,
}

/// The memory of one conversation. Senders are few, so they are searched in a row.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    senders: Vec<Sender>,
}

#[derive(Debug)]
struct Sender {
    user: UserId,
    /// Keyed messages and publishes of stock clients apart, so that neither pushes the other out.
    keys: VecDeque<(u64, Place)>,
    origins: VecDeque<(Origin, Place)>,
    /// The newest connection seen of each of the user's sessions.
    generations: Vec<(u64, u64)>,
}

/// By what a keyed event is recognized. Keys of the server's own events are numbers of intents; they live in a space of
/// their own, which no client's key can reach.
pub(crate) fn key_fingerprint(kind: EventKind, key: &str) -> u64 {
    let hash = hash(key.as_bytes());
    if kind.is_message() { hash } else { !hash }
}

/// The key of the event that an intent brings.
pub(crate) fn intent_key(intent: u64) -> Box<str> {
    format!("intent-{intent}").into()
}

impl Keys {
    /// The first event with that key.
    pub(crate) fn by_key(&self, user: UserId, fingerprint: u64) -> Option<Place> {
        let sender = self.senders.iter().find(|sender| sender.user == user)?;
        sender.keys.iter().rev().find(|(known, _)| *known == fingerprint).map(|(_, place)| *place)
    }

    /// The event of which this publish is a resend. Only the latest publish under the packet id can be meant: a new
    /// one under the same id ended those before it.
    pub(crate) fn by_origin(&self, user: UserId, claim: &OriginClaim) -> Option<Place> {
        let floor = claim.resend_above?;
        let sender = self.senders.iter().find(|sender| sender.user == user)?;
        let (origin, place) = sender
            .origins
            .iter()
            .rev()
            .find(|(known, _)| known.client == claim.origin.client && known.packet_id == claim.origin.packet_id)?;
        (origin.payload == claim.origin.payload && place.id > floor).then_some(*place)
    }

    /// Whether the publish comes from a connection that a later one has replaced. Nothing is kept of it here: whether its sender may
    /// write at all is not known yet.
    pub(crate) fn is_stale(&self, user: UserId, claim: &OriginClaim) -> bool {
        let sender = self.senders.iter().find(|sender| sender.user == user);
        let mut generations = sender.into_iter().flat_map(|sender| &sender.generations);
        generations.any(|(client, newest)| *client == claim.origin.client && claim.generation < *newest)
    }

    /// Remembers the newest connection of a session whose publish was let in.
    pub(crate) fn hear(&mut self, user: UserId, claim: &OriginClaim) {
        let generations = &mut self.sender(user).generations;
        if let Some((_, newest)) = generations.iter_mut().find(|(client, _)| *client == claim.origin.client) {
            *newest = claim.generation.max(*newest);
            return;
        }
        if generations.len() >= SESSIONS_PER_USER_MAX {
            generations.remove(0);
        }
        generations.push((claim.origin.client, claim.generation));
    }

    /// Remembers an event that was just numbered, or read while waking.
    pub(crate) fn remember(&mut self, event: &Event) {
        let place = Place { seq: event.seq, id: event.id };
        if let Some(key) = &event.key {
            self.put_key(event.from, key_fingerprint(event.kind, key), place);
        } else if let Some(origin) = event.origin {
            self.put_origin(event.from, origin, place);
        }
    }

    /// Takes over what a checkpoint remembered.
    pub(crate) fn restore(&mut self, remembered: &[Remembered]) {
        for entry in remembered {
            let place = Place { seq: entry.seq, id: entry.id };
            match entry.fingerprint {
                Fingerprint::Key(key) => self.put_key(entry.sender, key, place),
                Fingerprint::Origin(origin) => self.put_origin(entry.sender, origin, place),
            }
        }
    }

    /// For a checkpoint that covers events up to `upto`: what is still inside the window, oldest first.
    pub(crate) fn remembered(&self, upto: Seq, now_unix_ms: u64) -> Vec<Remembered> {
        let oldest = EventId::at_unix_ms(now_unix_ms.saturating_sub(KEY_WINDOW_MS));
        let mut all = Vec::new();
        for sender in &self.senders {
            let keys = sender.keys.iter().map(|(key, place)| (Fingerprint::Key(*key), *place));
            let origins = sender.origins.iter().map(|(origin, place)| (Fingerprint::Origin(*origin), *place));
            all.extend(keys.chain(origins).filter(|(_, place)| place.seq <= upto && place.id >= oldest).map(
                |(fingerprint, place)| Remembered { sender: sender.user, fingerprint, seq: place.seq, id: place.id },
            ));
        }
        all.sort_unstable_by_key(|entry| entry.seq);
        all
    }

    fn put_key(&mut self, user: UserId, key: u64, place: Place) {
        push_bounded(&mut self.sender(user).keys, (key, place));
    }

    fn put_origin(&mut self, user: UserId, origin: Origin, place: Place) {
        push_bounded(&mut self.sender(user).origins, (origin, place));
    }

    fn sender(&mut self, user: UserId) -> &mut Sender {
        let at = match self.senders.iter().position(|sender| sender.user == user) {
            Some(at) => at,
            None => {
                self.senders.push(Sender {
                    user,
                    keys: VecDeque::new(),
                    origins: VecDeque::new(),
                    generations: Vec::new(),
                });
                self.senders.len() - 1
            }
        };
        &mut self.senders[at]
    }
}

fn push_bounded<T>(deque: &mut VecDeque<T>, entry: T) {
    if deque.len() >= KEYS_PER_SENDER_MAX {
        deque.pop_front();
    }
    deque.push_back(entry);
}
