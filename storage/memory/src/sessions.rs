//! Sessions and their marks.

use std::collections::BTreeMap;
use std::ops::Bound;

use talaria_port::sessions::{Mark, SessionKey, SessionRow, SessionWrite, StoredSession};

#[derive(Clone, Default)]
pub(crate) struct Sessions {
    of: BTreeMap<SessionKey, Rows>,
}

/// What is known of one name. Writes may come in any order, so that an end is kept: a mark of the connection that was replaced
/// may come after it.
#[derive(Clone, Default)]
struct Rows {
    row: Option<SessionRow>,
    mark: Option<Mark>,
    ended: Option<u64>,
}

impl Rows {
    fn has_ended(&self, generation: u64) -> bool {
        self.ended.is_some_and(|ended| generation <= ended)
    }

    /// A mark alone is no session.
    fn session(&self) -> Option<StoredSession> {
        Some(StoredSession { row: self.row.clone()?, mark: self.mark.clone() })
    }
}

impl Sessions {
    pub(crate) fn apply(&mut self, write: &SessionWrite) {
        match write {
            SessionWrite::Row(key, row) => {
                let rows = self.of.entry(key.clone()).or_default();
                if !rows.has_ended(row.generation)
                    && rows.row.as_ref().is_none_or(|stored| stored.generation <= row.generation)
                {
                    rows.row = Some(row.clone());
                }
            }
            SessionWrite::Mark(key, mark) => {
                let rows = self.of.entry(key.clone()).or_default();
                let order = (mark.generation, mark.write);
                if !rows.has_ended(mark.generation)
                    && rows.mark.as_ref().is_none_or(|stored| (stored.generation, stored.write) < order)
                {
                    rows.mark = Some(mark.clone());
                }
            }
            SessionWrite::End(key, generation) => {
                let rows = self.of.entry(key.clone()).or_default();
                rows.ended = rows.ended.max(Some(*generation));
                rows.row.take_if(|row| row.generation <= *generation);
                rows.mark.take_if(|mark| mark.generation <= *generation);
            }
        }
    }

    pub(crate) fn session(&self, key: &SessionKey) -> Option<StoredSession> {
        self.of.get(key)?.session()
    }

    pub(crate) fn page(&self, after: Option<&SessionKey>, limit: usize) -> Vec<(SessionKey, StoredSession)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.of
            .range::<SessionKey, _>((start, Bound::Unbounded))
            .filter_map(|(key, rows)| Some((key.clone(), rows.session()?)))
            .take(limit)
            .collect()
    }
}
