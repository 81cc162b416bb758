//! A round as rows of one batch.

use std::collections::BTreeMap;

use fjall::{OwnedWriteBatch, Slice};
use talaria_port::messages::{Append, Round};

use crate::engine::Engine;
use crate::error::Failure;
use crate::rows::number::{self, RoundRow};
use crate::rows::{checkpoint, event, key};
use crate::sessions;

/// Bytes of bodies and events at which an event row is closed, so that a page of history never reads a row much longer than itself.
const ROW_BYTES_MAX: usize = 128 * 1024;
const ROW_EVENTS_MAX: usize = 128;

/// Builds a batch. `scratch` is kept between rounds, so that encoding allocates only what the engine keeps.
pub(crate) struct Batch<'a> {
    engine: &'a Engine,
    scratch: &'a mut Vec<u8>,
    batch: OwnedWriteBatch,
    /// Rows that only grow are compared with what is stored, and with what this round has written already: a batch may hold
    /// each key only once.
    grown: BTreeMap<Vec<u8>, Option<Slice>>,
}

impl<'a> Batch<'a> {
    /// Every row of the round; `None` where all it says is so already. Reads only for rows that must not fall.
    pub(crate) fn of(
        engine: &'a Engine,
        scratch: &'a mut Vec<u8>,
        round: &Round,
        row: RoundRow,
    ) -> Result<Option<OwnedWriteBatch>, Failure> {
        let rows = 2
            + round.appends.len()
            + round.index.len()
            + round.moved.len()
            + round.listed.len()
            + round.checkpoints.len()
            + round.sessions.len()
            + round.reads.len();
        let batch = OwnedWriteBatch::with_capacity(engine.database.clone(), rows);
        let mut batch = Self { engine, scratch, batch, grown: BTreeMap::new() };
        batch.round(row);
        for append in &round.appends {
            batch.append(append)?;
        }
        batch.sets(round);
        batch.grow(round)?;
        let is_idle = batch.batch.len() == 1 && batch.grown.is_empty() && round.fanned_out.is_none();
        Ok((!is_idle).then(|| batch.finish()))
    }

    /// The row of the round; first, so that whoever reads a journal finds it before anything else.
    fn round(&mut self, row: RoundRow) {
        self.scratch.clear();
        row.put(self.scratch);
        self.batch.insert(&self.engine.rows, key::ROUND, self.scratch.as_slice());
    }

    fn append(&mut self, append: &Append) -> Result<(), Failure> {
        let mut rest = append.events.as_slice();
        if rest.is_empty() {
            return Err(Failure::Misuse("an append without events"));
        }
        while let Some(count) = row_length(rest) {
            let (events, later) = rest.split_at(count);
            if let Some(last) = events.last() {
                self.scratch.clear();
                event::put(self.scratch, events);
                let key = key::events(last.conversation, last.seq);
                self.batch.insert(&self.engine.events, key.as_ref(), self.scratch.as_slice());
            }
            rest = later;
        }
        Ok(())
    }

    /// Rows that say all with their key.
    fn sets(&mut self, round: &Round) {
        let mut keys = Vec::with_capacity(round.index.len() + round.moved.len() + round.listed.len());
        keys.extend(round.index.iter().map(|row| key::index(row.user, row.window, Some(row.conversation))));
        keys.extend(round.moved.iter().map(|row| key::moved(row.window, Some(row.conversation))));
        keys.extend(round.listed.iter().map(|(user, conversation)| key::listed(*user, Some(*conversation))));
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.batch.insert(&self.engine.rows, key, Slice::empty());
        }
    }

    fn grow(&mut self, round: &Round) -> Result<(), Failure> {
        for new in &round.checkpoints {
            let key = key::checkpoint(new.conversation);
            let stored = self.stored(&key, checkpoint::seq)?;
            if stored.is_none_or(|stored| stored <= new.seq) {
                self.replace(&key, |out| checkpoint::put(out, new));
            }
        }
        for write in &round.sessions {
            sessions::apply(self, write)?;
        }
        for new in &round.reads {
            let key = key::read_mark(new.user, new.conversation);
            if self.stored(&key, number::read_read_mark)?.is_none_or(|stored| stored < new.seq) {
                self.replace(&key, |out| number::put_read_mark(out, new.seq));
            }
        }
        Ok(())
    }

    /// What a row holds with this round so far, as `read` sees it.
    pub(crate) fn stored<T>(&self, key: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, Failure> {
        let value = match self.grown.get(key) {
            Some(value) => value.clone(),
            None => self.engine.rows.get(key)?,
        };
        let read = |value: Slice| read(&value).ok_or_else(|| Failure::damaged(format_args!("row {key:x?}")));
        value.map(read).transpose()
    }

    /// Writes a row whole.
    pub(crate) fn replace(&mut self, key: &[u8], put: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        put(self.scratch);
        self.grown.insert(key.to_vec(), Some(self.scratch.as_slice().into()));
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.grown.insert(key, None);
    }

    fn finish(mut self) -> OwnedWriteBatch {
        for (key, value) in self.grown {
            match value {
                Some(value) => self.batch.insert(&self.engine.rows, key, value),
                None => self.batch.remove(&self.engine.rows, key),
            }
        }
        self.batch
    }
}

/// How many of these events the next row takes; `None` where there are none.
fn row_length(events: &[std::sync::Arc<talaria_core::Event>]) -> Option<usize> {
    let mut bytes = 0;
    for (at, event) in events.iter().take(ROW_EVENTS_MAX).enumerate() {
        bytes += event.body.len();
        if bytes > ROW_BYTES_MAX {
            return Some(at.max(1));
        }
    }
    (!events.is_empty()).then_some(events.len().min(ROW_EVENTS_MAX))
}
