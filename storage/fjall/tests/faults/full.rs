//! A full disk: nothing is acknowledged that is not stored, reads go on, and it works again when there is room.
//!
//! The disk is a small file system in memory, which takes the right to mount one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use talaria_port::StoreErrorKind;
use talaria_port::messages::{CommitError, MessageStore as _, Round};
use talaria_storage_fjall::{FjallStore, Options};

use crate::content::{Rounds, commit, everything};
use crate::disk::Disk;

const MIB: u64 = 1024 * 1024;

fn try_commit(store: &FjallStore, round: Round) -> Result<(), CommitError> {
    let (tell, told) = mpsc::channel();
    store.commit(Arc::new(round), Box::new(move |outcome| tell.send(outcome).unwrap()));
    told.recv().unwrap()
}

/// Commits until a round fails for want of room, and gives how many were stored.
fn fill(store: &FjallStore, content: &mut Rounds) -> usize {
    for stored in 0..100_000 {
        let before = content.clone();
        match try_commit(store, content.next()) {
            Ok(()) => {}
            Err(CommitError::Failed(error)) => {
                assert_eq!(error.kind, StoreErrorKind::Full, "{error}");
                *content = before.changed();
                return stored;
            }
            Err(CommitError::Unknown(error)) => panic!("unknown: {error}"),
        }
    }
    panic!("the disk never got full");
}

/// Fills the disk with `options`, makes room, goes on, and opens it again.
fn full_and_free_again(options: Options) {
    let disk = Disk::mount(24 * MIB);
    disk.put_ballast(12 * MIB);
    let store = FjallStore::open(&disk.folder(), options).unwrap();
    let mut content = Rounds::new(7);
    content.more_bytes = 2_000;
    assert!(fill(&store, &mut content) > 5);
    content.check(&store);
    for _ in 0..3 {
        fill(&store, &mut content);
    }
    disk.remove_ballast();
    for _ in 0..5 {
        commit(&store, content.next());
    }
    content.check(&store);
    let acknowledged = everything(&store);
    drop(store);
    let store = FjallStore::open(&disk.folder(), options).unwrap();
    content.check(&store);
    assert!(everything(&store) == acknowledged);
}

#[test]
fn a_journal_that_meets_a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    full_and_free_again(Options { reserve_bytes: 0, ..Options::default() });
}

#[test]
fn a_flush_that_meets_a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    let (events_memtable_bytes, rows_memtable_bytes) = (MIB, MIB / 4);
    full_and_free_again(Options { reserve_bytes: 0, events_memtable_bytes, rows_memtable_bytes, ..Options::default() });
}

#[test]
fn a_round_is_refused_below_the_reserve_and_the_engine_never_meets_a_full_disk() {
    let disk = Disk::mount(24 * MIB);
    disk.put_ballast(12 * MIB);
    let options = Options { reserve_bytes: 4 * MIB, ..Options::default() };
    let store = FjallStore::open(&disk.folder(), options).unwrap();
    let mut content = Rounds::new(8);
    content.more_bytes = 2_000;
    assert!(fill(&store, &mut content) > 5);
    assert!(disk.free_bytes() > 3 * MIB, "the reserve is still there");
    disk.remove_ballast();
    commit(&store, content.next());
    assert!(fill(&store, &mut content) > 5);
}

#[test]
fn the_reserve_is_looked_at_before_each_round() {
    static FREE: AtomicU64 = AtomicU64::new(100);
    let folder = tempfile::tempdir().unwrap();
    let free_bytes = |_: &std::path::Path| Ok(FREE.load(Ordering::Relaxed));
    let options = Options { reserve_bytes: 100, free_bytes, ..Options::default() };
    let store = FjallStore::open(folder.path(), options).unwrap();
    let mut content = Rounds::new(9);
    commit(&store, content.next());
    FREE.store(99, Ordering::Relaxed);
    assert_eq!(fill(&store, &mut content), 0);
    FREE.store(100, Ordering::Relaxed);
    commit(&store, content.next());
}
