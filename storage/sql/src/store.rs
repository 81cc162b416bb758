//! Opening the file, and the connections to it.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};
use talaria_port::{StoreError, StoreErrorKind};

use crate::error::failed;

/// Connections that read at once; more wait.
const READERS_MAX: u32 = 4;

/// How long a writer waits for one of another process before it is answered as unavailable.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Accounts and channels in one SQLite file. Clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    writer: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, checks it and brings its tables up to date. A damaged file is refused.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await;
        let writer = writer.map_err(failed("open"))?;
        let found: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&writer).await.map_err(failed("check"))?;
        if found != "ok" {
            return Err(StoreError::new(StoreErrorKind::Damaged, "check").because(found));
        }
        sqlx::migrate!().run(&writer).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => failed("migrate")(error),
            error => StoreError::new(StoreErrorKind::Misuse, "migrate").because(error),
        })?;
        let readers = SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options.read_only(true)).await;
        Ok(Self { readers: readers.map_err(failed("open"))?, writer })
    }

    /// A transaction that has the right to write from its beginning, so that it never has to give up halfway.
    pub(crate) async fn write(&self, operation: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed(operation))
    }
}
