//! Tests of what follows when a step fails, and of what a start finds after a crash at each of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use talaria_core::{ConversationId, Event, EventId, EventKind, Seq, UserId};
use talaria_port::StoreErrorKind;
use talaria_port::messages::{Amount, Append, CommitError, Round, Span};
use talaria_port::sessions::{SessionKey, SessionRow, SessionWrite};
use tempfile::TempDir;

use super::{Trouble, Writer};
use crate::options::Options;
use crate::{engine, events, watermark};

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn dm() -> ConversationId {
    ConversationId::dm(user(1), user(2))
}

/// The round with that event.
fn round(seq: u64) -> Arc<Round> {
    let event = Event {
        conversation: dm(),
        seq: Seq(seq),
        id: EventId(seq * 100),
        prev_id: EventId((seq - 1) * 100),
        messages: seq,
        epoch: 1,
        from: user(1),
        kind: EventKind::Message,
        key: None,
        origin: None,
        body: Bytes::from(vec![b'1'; 300]),
    };
    Arc::new(Round { appends: vec![Append { events: vec![Arc::new(event)] }], ..Round::default() })
}

fn open(folder: &Path) -> Result<Writer, talaria_port::StoreError> {
    Writer::open(folder, Options::default())
}

fn head(writer: &Writer) -> u64 {
    let open = writer.open.read().unwrap();
    let all = Amount { events: usize::MAX, bytes: usize::MAX };
    events::read(open.as_ref().unwrap(), dm(), Span::After(Seq(0)), all).unwrap().last().map_or(0, |event| event.seq.0)
}

/// A closed store with three rounds, of which `acknowledged` were.
fn three(acknowledged: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    for seq in 1..=3 {
        writer.commit(&round(seq)).unwrap();
    }
    drop(writer);
    watermark::create(folder.path(), acknowledged).unwrap();
    // The zeros at its end, which the engine takes away at its next start, would be in the way of the tests.
    let bytes = std::fs::read(journal(folder.path())).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    std::fs::write(journal(folder.path()), &bytes[..end]).unwrap();
    folder
}

fn journal(folder: &Path) -> PathBuf {
    folder.join(engine::FOLDER).join("0.jnl")
}

/// Where the third round begins: behind the second end mark.
fn third_begins(journal: &[u8]) -> usize {
    let ends: Vec<usize> =
        journal.windows(4).enumerate().filter(|(_, four)| four == b"FJL\x03").map(|(at, _)| at).collect();
    assert_eq!(ends.len(), 3);
    ends[1] + 4
}

#[test]
fn a_round_that_was_stored_and_not_acknowledged_stays() {
    let folder = three(2);
    let writer = open(folder.path()).unwrap();
    assert_eq!((head(&writer), writer.watermark.value()), (3, 3));
}

#[test]
fn a_round_that_could_not_be_written_is_cut_off_and_another_takes_its_place() {
    let folder = three(2);
    let mut writer = open(folder.path()).unwrap();
    // As after a failed sync: the round is in the journal, whole, and nobody knows what of it is on the disk.
    writer.watermark = watermark::create(folder.path(), 2).unwrap();
    writer.trouble = Some(Trouble::Tail);
    writer.recover().unwrap();
    assert_eq!((head(&writer), writer.last.number), (2, 2));
    writer.commit(&round(3)).unwrap();
    drop(writer);
    assert_eq!(head(&open(folder.path()).unwrap()), 3);
}

#[test]
fn a_torn_tail_is_cut_wherever_it_is_torn_and_reported() {
    let whole = std::fs::read(journal(three(2).path())).unwrap();
    let third = third_begins(&whole);
    for at in (third + 1..whole.len()).step_by(7) {
        let folder = three(2);
        std::fs::write(journal(folder.path()), &whole[..at]).unwrap();
        let said = logged(|| assert_eq!(head(&open(folder.path()).unwrap()), 2, "torn at {at}"));
        assert!(said.contains("cut off") && said.contains("0.jnl") && said.contains(&third.to_string()), "{said}");
    }
}

#[test]
fn a_tail_with_a_hole_is_a_torn_one() {
    // Pages reach the disk in any order: the end may be there, and something before it not.
    let whole = std::fs::read(journal(three(2).path())).unwrap();
    let third = third_begins(&whole);
    for (from, to) in [(third, third + 60), (third + 100, third + 200)] {
        let folder = three(2);
        let mut bytes = whole.clone();
        bytes[from..to].fill(0);
        std::fs::write(journal(folder.path()), &bytes).unwrap();
        assert_eq!(head(&open(folder.path()).unwrap()), 2, "zeros from {from}");
    }
}

#[test]
fn an_acknowledged_tail_is_never_cut() {
    let whole = std::fs::read(journal(three(3).path())).unwrap();
    for at in (third_begins(&whole)..whole.len()).step_by(31) {
        let folder = three(3);
        std::fs::write(journal(folder.path()), &whole[..at]).unwrap();
        assert_eq!(open(folder.path()).map(|_| ()).unwrap_err().kind, StoreErrorKind::Damaged);
        assert_eq!(std::fs::read(journal(folder.path())).unwrap(), &whole[..at], "nothing was touched");
    }
}

#[test]
fn a_number_that_the_engine_does_not_guard_is_guarded() {
    let whole = std::fs::read(journal(three(3).path())).unwrap();
    // Behind the tag and the count of items: what orders the batches.
    let order = third_begins(&whole) + 5;
    for bit in 0..64 {
        let mut bytes = whole.clone();
        bytes[order + bit / 8] ^= 1 << (bit % 8);
        let folder = three(3);
        std::fs::write(journal(folder.path()), &bytes).unwrap();
        match open(folder.path()) {
            Ok(writer) => assert_eq!(head(&writer), 3, "bit {bit}"),
            Err(error) => assert_eq!(error.kind, StoreErrorKind::Damaged, "bit {bit}"),
        }
    }
}

#[test]
fn batches_out_of_order_are_damage() {
    let whole = std::fs::read(journal(three(3).path())).unwrap();
    let order = |begin: usize| begin + 5..begin + 13;
    let (first, third) = (order(0), order(third_begins(&whole)));
    let number = |range: std::ops::Range<usize>| u64::from_le_bytes(whole[range].try_into().unwrap());
    // The first as if it came behind the third, the third as if it came with the first, the third long after it came.
    for (at, wrong) in [(first.clone(), number(third.clone()) + 1), (third.clone(), number(first)), (third, 1 << 40)] {
        let folder = three(3);
        let mut bytes = whole.clone();
        bytes[at].copy_from_slice(&wrong.to_le_bytes());
        std::fs::write(journal(folder.path()), &bytes).unwrap();
        assert_eq!(open(folder.path()).map(|_| ()).unwrap_err().kind, StoreErrorKind::Damaged, "{wrong}");
        assert_eq!(std::fs::read(journal(folder.path())).unwrap(), bytes, "nothing was touched");
    }
}

#[test]
fn a_store_without_its_watermark_is_refused_and_one_without_anything_is_made_anew() {
    let folder = three(3);
    std::fs::remove_file(folder.path().join(watermark::FILE)).unwrap();
    assert_eq!(open(folder.path()).map(|_| ()).unwrap_err().kind, StoreErrorKind::Damaged);

    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    std::fs::remove_file(folder.path().join(watermark::FILE)).unwrap();
    std::fs::remove_file(folder.path().join(engine::FOLDER).join("version")).unwrap();
    assert_eq!(head(&open(folder.path()).unwrap()), 0);
}

#[test]
fn a_watermark_that_cannot_be_written_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    writer.commit(&round(1)).unwrap();
    writer.watermark.deny_writes();
    writer.commit(&round(2)).unwrap();
    writer.commit(&round(3)).unwrap();
    drop(writer);
    assert_eq!(watermark::open(folder.path()).unwrap().unwrap().value(), 3);
}

#[test]
fn without_its_watermark_the_outcome_is_unknown_until_the_same_round_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    writer.commit(&round(1)).unwrap();
    writer.watermark.deny_writes();
    writer.watermark.move_to(&folder.path().join("no such folder").join("watermark"));
    let second = round(2);
    for _ in 0..2 {
        assert!(matches!(writer.commit(&second), Err(CommitError::Unknown(_))));
    }
    writer.watermark.move_to(&folder.path().join(watermark::FILE));
    writer.commit(&second).unwrap();
    assert_eq!((writer.last.number, writer.watermark.value()), (2, 2), "it was not written twice");
    writer.commit(&round(3)).unwrap();
    assert_eq!(head(&writer), 3);
}

#[test]
fn a_cut_that_fails_leaves_the_outcome_unknown_and_the_next_try_settles_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    writer.commit(&round(1)).unwrap();
    let moved = folder.path().join("moved away");
    let engine = folder.path().join(engine::FOLDER);
    // The folder is gone under the writer, so that neither the cut nor a new start can be made.
    std::fs::rename(&engine, &moved).unwrap();
    let second = round(2);
    let failure = crate::error::Failure::Unavailable("injected".into());
    let outcome = writer.after(Trouble::Tail, &second, 2, failure);
    assert!(matches!(outcome, Err(CommitError::Unknown(_))));
    assert!(matches!(writer.commit(&second), Err(CommitError::Unknown(_))));
    std::fs::rename(&moved, &engine).unwrap();
    writer.commit(&second).unwrap();
    assert_eq!((head(&writer), writer.last.number), (2, 2));
}

#[test]
fn an_engine_that_stopped_is_opened_anew_before_the_next_round() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    writer.commit(&round(1)).unwrap();
    // One of its workers meets a file where it wants to make a folder's entry: it stops, as with any failed flush.
    let tables = folder.path().join(engine::FOLDER).join("keyspaces/1/tables");
    std::fs::remove_dir(&tables).unwrap();
    std::fs::write(&tables, b"").unwrap();
    {
        let open = writer.open.read().unwrap();
        let engine = open.as_ref().unwrap();
        assert!(engine.events.rotate_memtable().unwrap());
        while engine.is_running() {
            std::thread::yield_now();
        }
    }
    std::fs::remove_file(&tables).unwrap();
    std::fs::create_dir(&tables).unwrap();
    writer.commit(&round(2)).unwrap();
    assert_eq!(head(&writer), 2);
}

#[test]
fn an_end_of_what_is_not_there_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path()).unwrap();
    let name = SessionKey { user: user(1), client_id: "phone".into() };
    let write = |sessions| Arc::new(Round { sessions, ..Round::default() });
    let before = writer.last.number;
    writer.commit(&write(vec![SessionWrite::End(name.clone(), 5)])).unwrap();
    assert_eq!(writer.last.number, before);
    let row = SessionRow { generation: 5, expiry_s: 1, subscriptions: Vec::new() };
    writer.commit(&write(vec![SessionWrite::Row(name.clone(), row)])).unwrap();
    writer.commit(&write(vec![SessionWrite::End(name, 5)])).unwrap();
    assert_eq!(writer.last.number, before + 2);
}

/// What is logged meanwhile on this thread.
fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Said {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, run);
    let bytes = said.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    String::from_utf8(bytes).unwrap()
}
