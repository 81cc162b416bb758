//! The suite of the contract on the embedded store.
#![allow(clippy::unwrap_used, reason = "a test tells what is broken by a panic")]

use talaria_storage_contract::messages::Fresh;
use talaria_storage_fjall::{FjallStore, Options};
use tempfile::TempDir;

struct Folder {
    folder: TempDir,
    store: Option<FjallStore>,
}

impl Folder {
    fn open(&mut self) {
        self.store = Some(FjallStore::open(self.folder.path(), Options::default()).unwrap());
    }
}

impl Fresh for Folder {
    type Store = FjallStore;

    fn store(&self) -> &FjallStore {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.open();
    }
}

fn make() -> Folder {
    let mut folder = Folder { folder: tempfile::tempdir().unwrap(), store: None };
    folder.open();
    folder
}

talaria_storage_contract::message_store_suite!(make);
