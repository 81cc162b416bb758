//! Opens the accounts of a data folder for one command, also while a server runs on it.

use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use talaria_accounts::{Accounts, Settings};
use talaria_storage_memory::SystemClock;
use talaria_storage_sql::SqliteStore;

use crate::assemble::{DATABASE, make_folder, standalone_ids};
use crate::config::Config;
use crate::logs;

/// Runs `work` on the accounts of the data folder, which is made where there is none.
pub(super) fn open<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<Accounts>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    make_folder(&config.data_dir)?;
    run(&config.data_dir, work)
}

/// The same where it must be there already: a mistyped folder is told and not made.
pub(super) fn open_existing<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<Accounts>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let folder = &config.data_dir;
    anyhow::ensure!(
        folder.join(DATABASE).exists(),
        "there are no accounts in {}: `data_dir` or TALARIA_DATA_DIR says where they are",
        folder.display()
    );
    run(folder, work)
}

fn run<T>(folder: &Path, work: impl AsyncFnOnce(&Arc<Accounts>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    // What a refusal does not tell, the cause of a store's trouble, is told there.
    logs::init("warn")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open_beside(folder.join(DATABASE)).await?);
        let clock = Arc::new(SystemClock::new());
        let ids = standalone_ids(&store, clock.clone()).await?;
        let hashes_at_once_max = available_parallelism().map_or(1, usize::from);
        let settings = Settings { hashes_at_once_max, ..Settings::default() };
        let accounts = Accounts::open(store.clone(), ids, clock, settings).await?;
        let done = work(&accounts).await;
        if let Err(error) = store.close().await {
            // What the command did is done; the next server looks at every row.
            tracing::warn!(%error, "the database is closed without its seal");
        }
        done
    })
}
