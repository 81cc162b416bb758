//! The embedded stores of a data folder.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use talaria_storage_fjall::{FjallStore, FolderLease, Options};
use talaria_storage_sql::SqliteStore;

use super::DATABASE;
use crate::config::Config;

/// The folder of the message store in the data folder.
const MESSAGES: &str = "messages";

/// Keys, hashes of passwords and all messages lie in the data folder.
const OWNER_ONLY: u32 = 0o700;

pub(super) struct Stores {
    pub(super) messages: Arc<FjallStore>,
    pub(super) relational: Arc<SqliteStore>,
    pub(super) lease: Arc<FolderLease>,
}

/// Locks the folder first, so that a second server touches nothing.
pub(super) async fn open(config: &Config) -> anyhow::Result<Stores> {
    let folder = &config.data_dir;
    make_folder(folder)?;
    let is_new = !folder.join(MESSAGES).try_exists()?;
    let lease = Arc::new(FolderLease::open(folder, is_new)?);
    let options = Options { reserve_bytes: config.limits.disk_reserve_bytes, ..Options::default() };
    let messages = Arc::new(FjallStore::open(&folder.join(MESSAGES), options)?);
    let relational = Arc::new(SqliteStore::open(folder.join(DATABASE)).await?);
    tracing::info!(folder = %folder.display(), "data folder is open");
    Ok(Stores { messages, relational, lease })
}

/// Makes the data folder where there is none.
pub(crate) fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(folder);
    made.with_context(|| format!("the data folder {} cannot be made", folder.display()))
}
