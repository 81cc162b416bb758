//! INV-1, INV-2 and the store's half of INV-3: what was acknowledged is there, once, in one order without holes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use talaria_core::{ConversationId, Event, EventId, UserId};
use talaria_storage_memory::MemoryStore;

use super::memberships::subject;
use crate::ledger::{Answer, Ledger, Manner, Said};
use crate::observer;

/// Where a message is stored.
struct Place {
    conversation: ConversationId,
    seq: u64,
    id: u64,
}

/// Places of what was said, by its number.
type Places = BTreeMap<usize, Vec<Place>>;

pub(super) fn check(store: &MemoryStore, conversations: &[ConversationId], ledger: &Ledger) -> Result<(), String> {
    let mut places = Places::new();
    let mut ids = BTreeSet::new();
    for conversation in conversations {
        let events = observer::events(store, *conversation);
        check_chain(*conversation, &events)?;
        for event in &events {
            if !ids.insert(event.id) {
                return Err(format!("INV-8: {conversation} {} has the id of another event", event.seq));
            }
        }
        note_places(&events, ledger, &mut places)?;
        check_order(*conversation, &events, ledger)?;
    }
    check_keys(store, conversations)?;
    check_the_same_again(ledger, &places)?;
    for (number, said) in ledger.said.iter().enumerate() {
        let found = places.get(&number).map_or(&[][..], Vec::as_slice);
        check_said(said, found).map_err(|what| format!("{what}: {:.20} of client {}", said.text, said.client))?;
    }
    Ok(())
}

/// INV-3: seqs without holes, ids that grow, each with the one before.
fn check_chain(conversation: ConversationId, events: &[Event]) -> Result<(), String> {
    let (mut id, mut messages) = (EventId::ZERO, 0);
    for (at, event) in events.iter().enumerate() {
        messages += u64::from(event.kind.is_message());
        let is_next = event.seq.0 == at as u64 + 1 && event.id > id && event.prev_id == id;
        if !is_next || event.conversation != conversation || event.messages != messages || event.epoch != 1 {
            return Err(format!("INV-3: {conversation} {} does not follow what is before it", event.seq));
        }
        id = event.id;
    }
    Ok(())
}

fn text_of(event: &Event) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Body {
        text: String,
    }
    let json = [b"{", &event.body[..], b"}"].concat();
    serde_json::from_slice::<Body>(&json).map(|body| body.text).map_err(|error| format!("a body is no JSON: {error}"))
}

/// Every stored message was said by its sender, in that conversation.
fn note_places(events: &[Event], ledger: &Ledger, places: &mut Places) -> Result<(), String> {
    for event in events.iter().filter(|event| event.kind.is_message()) {
        let said = match &event.key {
            // Of those who share a key any may be the first.
            Some(key) => ledger.said.iter().position(|said| {
                said.key.as_deref() == Some(key) && said.user == event.from && said.conversation == event.conversation
            }),
            None => {
                let text = text_of(event)?;
                ledger.said.iter().position(|said| {
                    said.text == text && said.user == event.from && said.conversation == event.conversation
                })
            }
        };
        let Some(said) = said else {
            return Err(format!("{} {} was never said", event.conversation, event.seq));
        };
        let place = Place { conversation: event.conversation, seq: event.seq.0, id: event.id.0 };
        places.entry(said).or_default().push(place);
    }
    Ok(())
}

/// INV-3: what one session sends to one conversation is stored in the order sent.
fn check_order(conversation: ConversationId, events: &[Event], ledger: &Ledger) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind.is_message()) {
        let Some(number) = ledger.by_text(&text_of(event)?) else { continue };
        let said = &ledger.said[number];
        // What was doubled where it may be: its first place counts.
        if said.manner != Manner::Ordinary || !seen.insert(number) {
            continue;
        }
        let before = last.insert(said.client, number).unwrap_or(number);
        // Refused before its sender joined, it may have come again.
        let may_be_refused = || events.iter().any(|event| event.seq.0 > said.head && subject(event) == Some(said.user));
        if number < before && !may_be_refused() {
            return Err(format!(
                "INV-3: {conversation} {}: {:.20} of client {} came behind {:.20}",
                event.seq, said.text, said.client, ledger.said[before].text
            ));
        }
    }
    Ok(())
}

/// INV-2: one (conversation, sender, key) is stored once.
fn check_keys(store: &MemoryStore, conversations: &[ConversationId]) -> Result<(), String> {
    for conversation in conversations {
        let mut keys: BTreeSet<(UserId, Box<str>)> = BTreeSet::new();
        for event in observer::events(store, *conversation).into_iter().filter(|event| event.kind.is_message()) {
            let (seq, from) = (event.seq, event.from);
            if let Some(key) = event.key
                && !keys.insert((from, key))
            {
                return Err(format!("INV-2: {conversation} {seq} has a key that was stored before"));
            }
        }
    }
    Ok(())
}

fn check_said(said: &Said, found: &[Place]) -> Result<(), String> {
    if said.manner == Manner::SameAgain {
        return Ok(());
    }
    if found.len() > 1 && !said.may_repeat {
        return Err(format!("INV-2: stored {} times", found.len()));
    }
    match said.answer {
        // Whoever shares a key is answered with the first's place, and that is noted with one of them.
        _ if said.manner == Manner::SharesItsKey => Ok(()),
        Some(Answer::Stored(_)) if found.is_empty() => Err("INV-1: acknowledged and not stored".into()),
        Some(Answer::Stored(Some(told))) if !found.iter().any(|place| (place.id, place.seq) == told) => {
            Err(format!("INV-2: acknowledged as {told:?}, which is not its place"))
        }
        Some(Answer::Refused) if !found.is_empty() && !said.may_repeat => Err("refused and stored".into()),
        _ => Ok(()),
    }
}

/// The same again is a new message each time: at least as many as were acknowledged, each with a place of its own, and no more
/// than were sent.
fn check_the_same_again(ledger: &Ledger, places: &Places) -> Result<(), String> {
    /// Sent, acknowledged, and the places that were told.
    type Run = (usize, usize, BTreeSet<(u64, u64)>);
    let mut runs: BTreeMap<(UserId, ConversationId), Run> = BTreeMap::new();
    for said in ledger.said.iter().filter(|said| said.manner == Manner::SameAgain) {
        let (sent, acknowledged, told) = runs.entry((said.user, said.conversation)).or_default();
        *sent += 1;
        let Some(Answer::Stored(place)) = said.answer else { continue };
        *acknowledged += 1;
        if let Some(place) = place
            && !told.insert(place)
        {
            return Err(format!("{} in {}: a new message was taken for a resend", said.text, said.conversation));
        }
    }
    for ((user, conversation), (sent, acknowledged, _)) in runs {
        let is_here = |place: &&Place| place.conversation == conversation;
        let of = |number: &usize| {
            let said = &ledger.said[*number];
            said.manner == Manner::SameAgain && said.user == user
        };
        let stored: usize =
            places.iter().filter(|(number, _)| of(number)).map(|(_, all)| all.iter().filter(is_here).count()).sum();
        if stored < acknowledged || stored > sent {
            return Err(format!(
                "{conversation}: the same of {user} was sent {sent} times, acknowledged {acknowledged}, stored {stored}"
            ));
        }
    }
    Ok(())
}
