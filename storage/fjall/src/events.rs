//! Reading events. Seqs have no holes, so that a row which does not join the one before is damage.

use std::ops::Bound;

use talaria_core::{ConversationId, Event, EventId, Seq};
use talaria_port::messages::{Amount, Span};

use crate::engine::{Engine, Pair};
use crate::error::Failure;
use crate::rows::event::{self, Extent};
use crate::rows::key::{self, EventsKey};

pub(crate) fn read(
    engine: &Engine,
    conversation: ConversationId,
    span: Span,
    amount: Amount,
) -> Result<Vec<Event>, Failure> {
    let reader = Reader { engine, conversation };
    match span {
        Span::After(seq) => reader.after(seq, amount),
        Span::Before(seq) => reader.before(seq, amount),
    }
}

/// The seq of the last event with an id up to `id`.
pub(crate) fn seq_at(engine: &Engine, conversation: ConversationId, id: EventId) -> Result<Seq, Failure> {
    let reader = Reader { engine, conversation };
    let Some(head) = reader.last_up_to(Seq(u64::MAX))? else { return Ok(Seq::ZERO) };
    find(reader.ids(&head)?, id, |seq| reader.ids(&reader.holding(seq)?))
}

/// Looks for an id from the row at the head backwards. Ids ascend with seqs: steps that double find between which two rows it
/// lies, halving finds it there; so a recent id costs little, and any the logarithm.
fn find(
    head: Vec<(Seq, EventId)>,
    id: EventId,
    mut row_holding: impl FnMut(Seq) -> Result<Vec<(Seq, EventId)>, Failure>,
) -> Result<Seq, Failure> {
    let mut row = head;
    // Every event up to `within` has an id up to `id`, every event from `beyond` on has not.
    let (mut within, mut beyond) = (0, u64::MAX);
    let mut step = 1_u64;
    loop {
        let up_to = row.partition_point(|(_, found)| *found <= id);
        match (row.first(), up_to.checked_sub(1).and_then(|at| row.get(at))) {
            (_, Some((seq, _))) if up_to < row.len() || beyond == u64::MAX => return Ok(*seq),
            (_, Some((seq, _))) => within = seq.0,
            (Some((first, _)), None) => beyond = first.0,
            (None, None) => return Err(Failure::damaged("an event row without events")),
        }
        if beyond - within <= 1 {
            return Ok(Seq(within));
        }
        let middle = within + (beyond - within) / 2;
        let probe = if within == 0 { beyond.saturating_sub(step).max(middle) } else { middle };
        step = step.saturating_mul(2);
        row = row_holding(Seq(probe))?;
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    engine: &'a Engine,
    conversation: ConversationId,
}

struct Row {
    extent: Extent,
    value: fjall::Slice,
}

impl Reader<'_> {
    fn after(self, seq: Seq, amount: Amount) -> Result<Vec<Event>, Failure> {
        let mut taken = Taken::of(amount);
        let Some(mut expected) = seq.0.checked_add(1).map(Seq) else { return Ok(Vec::new()) };
        let range = (Bound::Included(self.key(expected)), Bound::Included(self.key(Seq(u64::MAX))));
        for guard in self.engine.events.range(range) {
            let row = self.row(guard.into_inner()?)?;
            if row.extent.first > expected {
                return Err(self.hole(expected));
            }
            for event in self.events(&row, expected)? {
                if taken.take(event) {
                    return Ok(taken.events);
                }
            }
            expected = row.extent.last.next();
        }
        Ok(taken.events)
    }

    fn before(self, seq: Seq, amount: Amount) -> Result<Vec<Event>, Failure> {
        let mut taken = Taken::of(amount);
        let mut end = Seq(seq.0.saturating_sub(1));
        let range = (Bound::Included(self.key(Seq(0))), Bound::Included(self.key(end)));
        let mut rows = self.engine.events.range(range).rev().map(|guard| self.row(guard.into_inner()?)).peekable();
        let is_at_end = matches!(rows.peek(), Some(Ok(row)) if row.extent.last == end);
        let containing = if is_at_end || end == Seq(0) { None } else { self.first_from(end)? };
        match &containing {
            Some(row) if row.extent.first > end => return Err(self.hole(end)),
            Some(_) => {}
            // Nothing lies at or after `end`: the newest event is the end.
            None => match rows.peek() {
                Some(Ok(row)) => end = row.extent.last,
                Some(Err(_)) => {}
                None => return Ok(Vec::new()),
            },
        }
        for row in containing.map(Ok).into_iter().chain(rows) {
            let row = row?;
            if row.extent.last < end {
                return Err(self.hole(end));
            }
            let mut events = self.events(&row, Seq(0))?;
            events.truncate(usize::try_from(end.0 - row.extent.first.0 + 1).unwrap_or(usize::MAX));
            for event in events.into_iter().rev() {
                if taken.take(event) {
                    return Ok(taken.reversed());
                }
            }
            end = Seq(row.extent.first.0 - 1);
        }
        if end > Seq(0) { Err(self.hole(end)) } else { Ok(taken.reversed()) }
    }

    /// The row that holds that seq, which is known to be stored.
    fn holding(self, seq: Seq) -> Result<Row, Failure> {
        let row = self.first_from(seq)?.filter(|row| row.extent.first <= seq);
        row.ok_or_else(|| self.hole(seq))
    }

    fn first_from(self, seq: Seq) -> Result<Option<Row>, Failure> {
        let (from, to) = (self.key(seq), self.key(Seq(u64::MAX)));
        let pair = Engine::first(&self.engine.events, Bound::Included(from.as_ref()), Bound::Included(to.as_ref()))?;
        pair.map(|pair| self.row(pair)).transpose()
    }

    fn last_up_to(self, seq: Seq) -> Result<Option<Row>, Failure> {
        let (from, to) = (self.key(Seq(0)), self.key(seq));
        let pair = Engine::last(&self.engine.events, Bound::Included(from.as_ref()), Bound::Included(to.as_ref()))?;
        pair.map(|pair| self.row(pair)).transpose()
    }

    fn key(self, seq: Seq) -> EventsKey {
        key::events(self.conversation, seq)
    }

    fn row(self, (key, value): Pair) -> Result<Row, Failure> {
        let extent = key::last_seq(&key).and_then(|last| event::extent(&value, last));
        let extent = extent.ok_or_else(|| Failure::damaged(format_args!("an event row of {}", self.conversation)))?;
        Ok(Row { extent, value })
    }

    fn events(self, row: &Row, from: Seq) -> Result<Vec<Event>, Failure> {
        event::events(&row.value, self.conversation, row.extent, from).ok_or_else(|| self.damaged(row.extent))
    }

    fn ids(self, row: &Row) -> Result<Vec<(Seq, EventId)>, Failure> {
        event::ids(&row.value, row.extent).ok_or_else(|| self.damaged(row.extent))
    }

    fn hole(self, at: Seq) -> Failure {
        Failure::damaged(format_args!("seq {at} of {} is missing", self.conversation))
    }

    fn damaged(self, extent: Extent) -> Failure {
        Failure::damaged(format_args!("seqs {} to {} of {}", extent.first, extent.last, self.conversation))
    }
}

/// Events until the amount is reached.
struct Taken {
    events: Vec<Event>,
    bytes: usize,
    amount: Amount,
}

impl Taken {
    fn of(amount: Amount) -> Self {
        Self { events: Vec::new(), bytes: 0, amount }
    }

    /// Takes one more, and says whether it was the last.
    fn take(&mut self, event: Event) -> bool {
        self.bytes += event.body.len();
        self.events.push(event);
        self.bytes > self.amount.bytes || self.events.len() >= self.amount.events
    }

    fn reversed(mut self) -> Vec<Event> {
        self.events.reverse();
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_for_an_id_costs_the_logarithm() {
        const ROW: u64 = 3;
        for head in [1, 2, 3, 4, 100, 1_000_000] {
            let row = |seq: u64| {
                let first = (seq - 1) / ROW * ROW + 1;
                (first..first + ROW).filter(|seq| *seq <= head).map(|seq| (Seq(seq), EventId(seq * 10))).collect()
            };
            for wanted in (0..=head).step_by(1 + head as usize / 5_000) {
                for id in [wanted * 10, wanted * 10 + 9] {
                    let mut probes = 0;
                    let found = find(row(head), EventId(id), |seq| {
                        probes += 1;
                        Ok(row(seq.0))
                    });
                    assert_eq!(found.unwrap(), Seq(wanted), "id {id} of {head}");
                    let distance = (head - wanted).max(2);
                    assert!(probes <= 2 * distance.ilog2() + 2, "{probes} rows for {wanted} of {head}");
                }
            }
        }
    }
}
