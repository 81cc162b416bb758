//! The data folder's lock and the id ceiling (INV-8).
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

use std::path::Path;

use talaria_core::EventId;
use talaria_port::StoreErrorKind;
use talaria_port::lease::Lease as _;
use talaria_storage_fjall::{FjallStore, FolderLease, Options};

#[test]
fn a_folder_has_one_holder_and_the_other_is_told_which_folder() {
    let folder = tempfile::tempdir().unwrap();
    let lease = FolderLease::open(folder.path(), true).unwrap();
    let error = FolderLease::open(folder.path(), true).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    drop(lease);
    FolderLease::open(folder.path(), true).unwrap();
}

#[test]
fn a_store_is_open_once_and_the_second_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), Options::default()).unwrap();
    let error = FjallStore::open(folder.path(), Options::default()).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    drop(store);
    FjallStore::open(folder.path(), Options::default()).unwrap();
}

#[test]
fn a_ceiling_is_found_by_the_next_holder_and_never_falls() {
    let folder = tempfile::tempdir().unwrap();
    let lease = FolderLease::open(folder.path(), true).unwrap();
    assert_eq!((lease.worker(), lease.ceiling()), (0, EventId::ZERO));
    for (reserved, ceiling) in [(10, 10), (9, 10), (30, 30), (EventId::MAX.0, EventId::MAX.0)] {
        lease.reserve(EventId(reserved)).unwrap();
        assert_eq!(lease.ceiling(), EventId(ceiling));
    }
    drop(lease);
    assert_eq!(FolderLease::open(folder.path(), true).unwrap().ceiling(), EventId::MAX);
}

#[test]
fn a_flipped_bit_never_brings_a_lower_ceiling_back() {
    let folder = tempfile::tempdir().unwrap();
    let ceiling = folder.path().join("ceiling");
    let lease = FolderLease::open(folder.path(), true).unwrap();
    for reserved in [10, 20, 30] {
        lease.reserve(EventId(reserved)).unwrap();
    }
    drop(lease);
    let whole = std::fs::read(&ceiling).unwrap();
    for at in (0..whole.len()).filter(|at| at % 4096 < 24) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&ceiling, bytes).unwrap();
        assert_eq!(FolderLease::open(folder.path(), true).unwrap().ceiling(), EventId(30), "byte {at}");
    }
}

#[test]
fn a_ceiling_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ceiling = folder.path().join("ceiling");
    drop(FolderLease::open(folder.path(), true).unwrap());
    let refused = |path: &Path| {
        let error = FolderLease::open(path, true).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Damaged);
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    };
    let mut bytes = std::fs::read(&ceiling).unwrap();
    bytes[3] ^= 1;
    bytes[4096 + 15] ^= 1;
    std::fs::write(&ceiling, bytes).unwrap();
    refused(folder.path());
    std::fs::write(&ceiling, b"").unwrap();
    refused(folder.path());
}

#[test]
fn a_folder_with_messages_is_not_opened_without_its_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let error = FolderLease::open(folder.path(), false).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Damaged);
    drop(FolderLease::open(folder.path(), true).unwrap());
    FolderLease::open(folder.path(), false).unwrap();
}
