//! Sessions and their marks.

use std::collections::BTreeMap;
use std::ops::Bound;

use talaria_port::sessions::{Mark, SessionKey, SessionRow, SessionWrite, StoredSession};

#[derive(Clone, Default)]
pub(crate) struct Sessions {
    of: BTreeMap<SessionKey, Rows>,
}

/// What is known of one name.
#[derive(Clone, Default)]
struct Rows {
    row: Option<SessionRow>,
    mark: Option<Mark>,
}

impl Rows {
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
                if rows.row.as_ref().is_none_or(|stored| stored.generation <= row.generation) {
                    rows.row = Some(row.clone());
                }
            }
            SessionWrite::Mark(key, mark) => {
                let rows = self.of.entry(key.clone()).or_default();
                let order = (mark.generation, mark.write);
                if rows.mark.as_ref().is_none_or(|stored| (stored.generation, stored.write) < order) {
                    rows.mark = Some(mark.clone());
                }
            }
            SessionWrite::End(key, generation) => {
                let Some(rows) = self.of.get_mut(key) else { return };
                rows.row.take_if(|row| row.generation <= *generation);
                rows.mark.take_if(|mark| mark.generation <= *generation);
                if rows.row.is_none() && rows.mark.is_none() {
                    self.of.remove(key);
                }
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
