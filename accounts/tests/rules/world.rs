//! A database in a folder, and processes that have it open.

use std::path::PathBuf;
use std::sync::Arc;

use talaria_accounts::{Accounts, CommandIds, Settings};
use talaria_core::id::EPOCH_UNIX_MS;
use talaria_port::accounts::Account;
use talaria_port::authenticate::{Authenticate as _, Checked, Credentials, Identity};
use talaria_storage_memory::ManualClock;
use talaria_storage_sql::SqliteStore;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The first process, and what it has open.
pub(crate) struct World {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) store: SqliteStore,
    pub(crate) clock: ManualClock,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(EPOCH_UNIX_MS + 400 * DAY_MS);
        let store = SqliteStore::open(folder.path().join("talaria.db")).await.unwrap();
        let accounts = process(&store, &clock, settings).await;
        Self { accounts, store, clock, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("talaria.db")
    }

    /// Another process on the same file: connections, caches and ring of its own.
    pub(crate) async fn another(&self) -> (Arc<Accounts>, SqliteStore) {
        let store = SqliteStore::open_beside(self.path()).await.unwrap();
        (process(&store, &self.clock, Settings::default()).await, store)
    }

    /// A user with [`PASSWORD`].
    pub(crate) async fn user(&self, handle: &str) -> Account {
        self.accounts.sign_up(handle, PASSWORD, "somebody").await.unwrap()
    }

    /// A fresh access token of a user with [`PASSWORD`].
    pub(crate) async fn access_token(&self, handle: &str) -> String {
        self.accounts.log_in(handle, PASSWORD, "phone").await.unwrap().access_token.reveal().to_owned()
    }

    pub(crate) async fn device_token(&self, account: &Account) -> String {
        self.accounts.add_device_token(account.id, "lamp").await.unwrap().0.reveal().to_owned()
    }

    /// Whose token it is.
    pub(crate) async fn identify(&self, token: &str) -> Option<Identity> {
        self.accounts.identify(token.as_bytes()).await.unwrap()
    }

    /// What is known of it without IO.
    pub(crate) fn check(&self, token: &str) -> Checked {
        self.accounts.check(&shown(None, token))
    }
}

async fn process(store: &SqliteStore, clock: &ManualClock, settings: Settings) -> Arc<Accounts> {
    let ids = Arc::new(CommandIds::open(Arc::new(store.clone()), Arc::new(clock.clone())).await.unwrap());
    Accounts::open(Arc::new(store.clone()), ids, Arc::new(clock.clone()), settings).await.unwrap()
}

/// As a client shows it in CONNECT.
pub(crate) fn shown(name: Option<&str>, token: &str) -> Credentials {
    Credentials { name: name.map(Into::into), token: token.as_bytes().into() }
}
