//! The suites of the relational contract on SQLite, in a file that is closed and opened again.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

use std::path::PathBuf;
use std::sync::Arc;

use talaria_storage_contract::relational::Fresh;
use talaria_storage_sql::SqliteStore;
use tempfile::TempDir;

struct InFile {
    store: Arc<SqliteStore>,
    folder: TempDir,
}

impl InFile {
    fn path(&self) -> PathBuf {
        self.folder.path().join("talaria.db")
    }
}

impl Fresh for InFile {
    type Store = SqliteStore;

    fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    async fn beside(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open_beside(self.path()).await.unwrap())
    }

    async fn reopen(&mut self) {
        self.store.close().await.unwrap();
        // Without its seal every row is read and summed: what the rule wrote is vouched for. Others may have it open, then there is none.
        let _ = std::fs::remove_file(self.path().with_added_extension("seal"));
        self.store = Arc::new(SqliteStore::open(self.path()).await.unwrap());
    }
}

async fn make() -> InFile {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("talaria.db")).await.unwrap());
    InFile { store, folder }
}

talaria_storage_contract::account_store_suite!(make);
talaria_storage_contract::device_store_suite!(make);
talaria_storage_contract::signing_key_store_suite!(make);
talaria_storage_contract::channel_store_suite!(make);
talaria_storage_contract::id_ranges_suite!(make);
