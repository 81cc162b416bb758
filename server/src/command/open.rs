//! Opens the accounts of a data folder for one command, also while a server runs on it.

use std::sync::Arc;

use anyhow::Context as _;
use talaria_accounts::Accounts;
use talaria_storage_memory::SystemClock;
use talaria_storage_sql::SqliteStore;

use crate::assemble::{DATABASE, standalone_ids};
use crate::config::Config;

/// Runs `work` on the accounts.
pub(super) fn open<T>(config: &Config, work: impl AsyncFnOnce(&Accounts) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = &config.data_dir;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        let store = Arc::new(SqliteStore::open(folder.join(DATABASE)).await?);
        let clock = Arc::new(SystemClock::new());
        let ids = standalone_ids(&store, clock.clone()).await?;
        let accounts = Accounts::open(store, ids, clock, talaria_accounts::Settings::default()).await?;
        work(&accounts).await
    })
}
