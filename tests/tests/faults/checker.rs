//! Whether a history keeps what is promised: a pure function, tested on doctored histories in `checker_tests.rs`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::history::{Event, History, Outcome, Receiver, Sender};

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// INV-1: acknowledged, and not in history.
    Lost { sender: String, text: String },
    /// INV-2: in history twice.
    StoredTwice { conversation: String, text: String, seqs: (u64, u64) },
    /// INV-3: stored before what the same session had sent earlier.
    Overtaken { sender: String, text: String, earlier: String },
    /// INV-3: the seq that should have been there.
    Hole { conversation: String, seq: u64 },
    /// INV-3, INV-8: an id that is not above the one before it.
    IdNotAbove { conversation: String, seq: u64 },
    /// Nobody sent it, or somebody else, or to another conversation, or under another key.
    Stranger { conversation: String, seq: u64 },
    /// The acknowledgement named another place than where it is.
    OtherPlace { sender: String, text: String },
    /// Nothing here is refused.
    Refused { sender: String, text: String, reason: String },
    /// INV-3: shown, and not in history, or not as it was shown.
    Vanished { receiver: String, conversation: String, seq: u64 },
    /// INV-3: shown in another order than by ones.
    OutOfOrder { receiver: String, conversation: String, seq: u64, before: u64 },
    /// INV-4: never shown, up to the head.
    Missed { receiver: String, conversation: String, seq: u64 },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Every broken promise.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for (conversation, events) in &history.stored {
        check_order(conversation, events, &mut found);
    }
    let places = places(history, &mut found);
    check_senders(history, &places, &mut found);
    check_strangers(history, &mut found);
    for receiver in &history.receivers {
        check_receiver(receiver, &history.stored, &mut found);
    }
    found
}

/// Seqs 1, 2, 3 …, ids ascending.
fn check_order(conversation: &str, events: &[Event], found: &mut Vec<Violation>) {
    let (mut seq, mut id) = (0, 0);
    for event in events {
        if event.seq != seq + 1 {
            found.push(Violation::Hole { conversation: conversation.to_owned(), seq: seq + 1 });
        }
        if event.id <= id {
            found.push(Violation::IdNotAbove { conversation: conversation.to_owned(), seq: event.seq });
        }
        (seq, id) = (event.seq, event.id);
    }
}

/// Where each message is, by its text.
fn places<'a>(history: &'a History, found: &mut Vec<Violation>) -> HashMap<&'a str, &'a Event> {
    let mut places: HashMap<&str, &Event> = HashMap::new();
    for event in history.stored.values().flatten() {
        let Some(text) = event.text.as_deref() else { continue };
        match places.get(text) {
            Some(first) => found.push(Violation::StoredTwice {
                conversation: event.conversation.clone(),
                text: text.to_owned(),
                seqs: (first.seq, event.seq),
            }),
            None => {
                places.insert(text, event);
            }
        }
    }
    places
}

fn check_senders(history: &History, places: &HashMap<&str, &Event>, found: &mut Vec<Violation>) {
    for sender in &history.senders {
        check_outcomes(sender, places, found);
        check_sent_order(sender, places, found);
    }
}

fn check_outcomes(sender: &Sender, places: &HashMap<&str, &Event>, found: &mut Vec<Violation>) {
    for sent in &sender.sent {
        let (sender, text) = (sender.name.clone(), sent.text.clone());
        match (&sent.outcome, places.get(sent.text.as_str())) {
            (Outcome::Open, _) | (Outcome::Acknowledged(None), Some(_)) => {}
            (Outcome::Acknowledged(_), None) => found.push(Violation::Lost { sender, text }),
            (Outcome::Acknowledged(Some(place)), Some(event)) => {
                if *place != (event.id, event.seq) {
                    found.push(Violation::OtherPlace { sender, text });
                }
            }
            (Outcome::Refused(reason), _) => found.push(Violation::Refused { sender, text, reason: reason.clone() }),
        }
    }
}

fn check_sent_order(sender: &Sender, places: &HashMap<&str, &Event>, found: &mut Vec<Violation>) {
    let mut last: BTreeMap<&str, &Event> = BTreeMap::new();
    for sent in &sender.sent {
        let Some(event) = places.get(sent.text.as_str()) else { continue };
        if let Some(earlier) = last.get(sent.conversation.as_str())
            && earlier.seq > event.seq
        {
            found.push(Violation::Overtaken {
                sender: sender.name.clone(),
                text: sent.text.clone(),
                earlier: earlier.text.clone().unwrap_or_default(),
            });
        }
        last.insert(&sent.conversation, event);
    }
}

/// Every stored message is one that was sent, by that user, to that conversation, under that key.
fn check_strangers(history: &History, found: &mut Vec<Violation>) {
    let mut sent = HashMap::new();
    for sender in &history.senders {
        for message in &sender.sent {
            sent.insert(message.text.as_str(), (sender.user.as_str(), message));
        }
    }
    for event in history.stored.values().flatten().filter(|event| event.kind == "message") {
        let known = event.text.as_deref().and_then(|text| sent.get(text));
        let is_known = known.is_some_and(|(user, message)| {
            *user == event.from && message.conversation == event.conversation && message.key == event.key
        });
        if !is_known {
            found.push(Violation::Stranger { conversation: event.conversation.clone(), seq: event.seq });
        }
    }
}

/// On one connection a conversation goes up by ones; a new connection of a kept session goes on where the earlier ones ended or
/// before (the same again is dropped by its id), never behind it.
fn check_receiver(receiver: &Receiver, stored: &BTreeMap<String, Vec<Event>>, found: &mut Vec<Violation>) {
    let mut shown = receiver.owed_after.clone();
    for connection in &receiver.connections {
        let mut on_this: BTreeMap<&str, u64> = BTreeMap::new();
        for event in connection {
            let conversation = event.conversation.as_str();
            let (name, seq) = (receiver.name.clone(), event.seq);
            if !is_as_stored(event, stored) {
                found.push(Violation::Vanished { receiver: name.clone(), conversation: conversation.to_owned(), seq });
            }
            let shown = shown.entry(conversation.to_owned()).or_insert(0);
            let is_next = match on_this.insert(conversation, seq) {
                Some(before) => seq == before + 1,
                None => !receiver.is_kept || seq <= *shown + 1,
            };
            if !is_next {
                let before = *shown;
                let conversation = conversation.to_owned();
                found.push(Violation::OutOfOrder { receiver: name, conversation, seq, before });
            }
            *shown = seq.max(*shown);
        }
    }
    if receiver.is_kept {
        check_complete(receiver, &shown, stored, found);
    }
}

fn is_as_stored(event: &Event, stored: &BTreeMap<String, Vec<Event>>) -> bool {
    let events = stored.get(&event.conversation);
    let at = events.and_then(|events| events.binary_search_by_key(&event.seq, |stored| stored.seq).ok());
    events.zip(at).is_some_and(|(events, at)| events[at] == *event)
}

fn check_complete(
    receiver: &Receiver,
    shown: &BTreeMap<String, u64>,
    stored: &BTreeMap<String, Vec<Event>>,
    found: &mut Vec<Violation>,
) {
    for conversation in receiver.owed_after.keys() {
        let head = stored.get(conversation).and_then(|events| events.last()).map_or(0, |event| event.seq);
        let shown = shown.get(conversation).copied().unwrap_or(0);
        if shown < head {
            let (receiver, conversation) = (receiver.name.clone(), conversation.clone());
            found.push(Violation::Missed { receiver, conversation, seq: shown + 1 });
        }
    }
}
