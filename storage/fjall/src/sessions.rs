//! Sessions and their marks: later writes win by (generation, write).

use std::ops::Bound;

use talaria_port::sessions::{SessionKey, SessionWrite, StoredSession};

use crate::batch::Batch;
use crate::engine::Engine;
use crate::error::Failure;
use crate::rows::key::{self, SessionPart};
use crate::rows::session;

/// Adds a write to a batch.
pub(crate) fn apply(batch: &mut Batch<'_>, write: &SessionWrite) -> Result<(), Failure> {
    let (SessionWrite::Row(name, _) | SessionWrite::Mark(name, _) | SessionWrite::End(name, _)) = write;
    if name.client_id.as_bytes().contains(&0) {
        return Err(Failure::Misuse("a client id with a NUL"));
    }
    let (row_key, mark_key) = (key::session(name, SessionPart::Row), key::session(name, SessionPart::Mark));
    match write {
        SessionWrite::Row(_, row) => {
            if batch.stored(&row_key, session::generation)?.is_none_or(|stored| stored <= row.generation) {
                batch.replace(&row_key, |out| session::put_row(out, row));
            }
        }
        SessionWrite::Mark(_, mark) => {
            let order = (mark.generation, mark.write);
            if batch.stored(&mark_key, session::order)?.is_none_or(|stored| stored < order) {
                batch.replace(&mark_key, |out| session::put_mark(out, mark));
            }
        }
        SessionWrite::End(_, generation) => {
            // Nothing is kept of what is gone, and of what never was there nothing is written: clean sessions come and go.
            for key in [row_key, mark_key] {
                if batch.stored(&key, session::generation)?.is_some_and(|stored| stored <= *generation) {
                    batch.remove(key);
                }
            }
        }
    }
    Ok(())
}

/// The session of that name. A mark alone is no session.
pub(crate) fn one(engine: &Engine, name: &SessionKey) -> Result<Option<StoredSession>, Failure> {
    let Some(row) = engine.rows.get(key::session(name, SessionPart::Row))? else { return Ok(None) };
    let row = session::read_row(&row).ok_or_else(|| damaged(name))?;
    let mark = engine.rows.get(key::session(name, SessionPart::Mark))?;
    let mark = mark.map(|mark| session::read_mark(&mark).ok_or_else(|| damaged(name))).transpose()?;
    Ok(Some(StoredSession { row, mark }))
}

/// Sessions in the order of their keys.
pub(crate) fn page(
    engine: &Engine,
    after: Option<&SessionKey>,
    limit: usize,
) -> Result<Vec<(SessionKey, StoredSession)>, Failure> {
    let (first, end) = key::sessions();
    let from = after.map_or_else(|| first.to_vec(), key::behind_session);
    let mut found = Vec::new();
    // A mark stands before its row; it waits here for it.
    let mut waiting = None;
    for pair in engine.rows.range::<&[u8], _>((Bound::Included(from.as_slice()), Bound::Excluded(end.as_slice()))) {
        if found.len() >= limit {
            break;
        }
        let (key, value) = pair.into_inner()?;
        let (name, part) = key::session_of(&key).ok_or_else(|| Failure::damaged("the key of a session"))?;
        match part {
            SessionPart::Mark => {
                let mark = session::read_mark(&value).ok_or_else(|| damaged(&name))?;
                waiting = Some((name, mark));
            }
            SessionPart::Row => {
                let row = session::read_row(&value).ok_or_else(|| damaged(&name))?;
                let mark = waiting.take().filter(|(of, _)| *of == name).map(|(_, mark)| mark);
                found.push((name, StoredSession { row, mark }));
            }
        }
    }
    Ok(found)
}

fn damaged(name: &SessionKey) -> Failure {
    Failure::damaged(format_args!("the session {:?} of user {}", name.client_id, name.user))
}
