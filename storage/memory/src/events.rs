//! Events of each conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use talaria_core::{ConversationId, Event, EventId, Seq};
use talaria_port::messages::{Amount, Append, Span};
use talaria_port::{StoreError, StoreErrorKind};

/// Every event, by conversation; the one with seq n stands at n − 1, because seqs have no holes.
#[derive(Clone, Default)]
pub(crate) struct Events {
    of: BTreeMap<ConversationId, Vec<Arc<Event>>>,
}

impl Events {
    /// Whether an append is what the port asks for: one conversation, following what is stored or repeating it. A real store need
    /// not notice; here it shows mistakes of the pipeline at once.
    pub(crate) fn check(&self, append: &Append) -> Result<(), StoreError> {
        let misuse =
            |what: String| Err(StoreError::new(StoreErrorKind::Misuse, "commit").because(format!("events: {what}")));
        let Some(first) = append.events.first() else {
            return misuse("an append without events".into());
        };
        let stored = self.of(first.conversation);
        let mut last: Option<&Event> = None;
        for event in &append.events {
            let name = format!("{} seq {} id {}", event.conversation, event.seq, event.id);
            if event.conversation != first.conversation {
                return misuse(format!("{name} in an append of {}", first.conversation));
            }
            let before = match last {
                Some(last) => Some(last),
                None => at(stored, Seq(event.seq.0.wrapping_sub(1))),
            };
            let (seq, id) = before.map_or((Seq::ZERO, EventId::ZERO), |before| (before.seq, before.id));
            if event.seq != seq.next() || event.id <= id || event.prev_id != id {
                return misuse(format!("{name} prev {} does not follow seq {seq} id {id}", event.prev_id));
            }
            if let Some(there) = at(stored, event.seq)
                && there != event.as_ref()
            {
                return misuse(format!("{name} where id {} is stored", there.id));
            }
            last = Some(event);
        }
        Ok(())
    }

    /// Adds what is not there yet. The append was checked.
    pub(crate) fn append(&mut self, append: &Append) {
        let Some(first) = append.events.first() else { return };
        let stored = self.of.entry(first.conversation).or_default();
        let known = Seq(stored.len() as u64);
        stored.extend(append.events.iter().filter(|event| event.seq > known).cloned());
    }

    pub(crate) fn read(&self, conversation: ConversationId, span: Span, amount: Amount) -> Vec<Event> {
        let stored = self.of(conversation);
        match span {
            Span::After(seq) => take(stored.iter().skip(position(seq)), amount),
            Span::Before(seq) => {
                let end = position(Seq(seq.0.saturating_sub(1))).min(stored.len());
                let mut events = take(stored.iter().take(end).rev(), amount);
                events.reverse();
                events
            }
        }
    }

    pub(crate) fn seq_at(&self, conversation: ConversationId, id: EventId) -> Seq {
        Seq(self.of(conversation).partition_point(|event| event.id <= id) as u64)
    }

    fn of(&self, conversation: ConversationId) -> &[Arc<Event>] {
        self.of.get(&conversation).map_or(&[], Vec::as_slice)
    }
}

fn at(stored: &[Arc<Event>], seq: Seq) -> Option<&Event> {
    stored.get(position(Seq(seq.0.checked_sub(1)?))).map(AsRef::as_ref)
}

/// Events up to `seq`, as far as memory could ever hold.
fn position(seq: Seq) -> usize {
    usize::try_from(seq.0).unwrap_or(usize::MAX)
}

fn take<'a>(events: impl Iterator<Item = &'a Arc<Event>>, amount: Amount) -> Vec<Event> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    for event in events {
        bytes += event.body.len();
        taken.push(Event::clone(event));
        if bytes > amount.bytes || taken.len() >= amount.events {
            break;
        }
    }
    taken
}
