//! The embedded stores of a data folder.

use std::sync::Arc;

use anyhow::Context as _;
use talaria_storage_fjall::{FjallStore, FolderLease, Options};
use talaria_storage_sql::SqliteStore;

use super::DATABASE;
use crate::config::Config;

/// The folder of the message store in the data folder.
const MESSAGES: &str = "messages";

pub(super) struct Stores {
    pub(super) messages: Arc<FjallStore>,
    pub(super) relational: Arc<SqliteStore>,
    pub(super) lease: Arc<FolderLease>,
}

/// Locks the folder first, so that a second server touches nothing.
pub(super) async fn open(config: &Config) -> anyhow::Result<Stores> {
    let folder = &config.data_dir;
    std::fs::create_dir_all(folder).with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let lease = Arc::new(FolderLease::open(folder)?);
    let options = Options { reserve_bytes: config.limits.disk_reserve_bytes, ..Options::default() };
    let messages = Arc::new(FjallStore::open(&folder.join(MESSAGES), options)?);
    let relational = Arc::new(SqliteStore::open(folder.join(DATABASE)).await?);
    tracing::info!(folder = %folder.display(), "data folder is open");
    Ok(Stores { messages, relational, lease })
}
