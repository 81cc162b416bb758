//! Opening the file, and the connections to it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, Transaction};
use talaria_port::{StoreError, StoreErrorKind};

use crate::error::failed;

/// Connections that read at once; more wait.
const READERS_MAX: u32 = 4;

/// How long a writer waits for one of another process before it is answered as unavailable.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Beside the file: its lock is held by the one process that is opening it.
const OPENING: &str = "opening";

/// It holds keys and hashes of passwords; SQLite gives its other files the same mode.
const OWNER_ONLY: u32 = 0o600;

/// Accounts and channels in one SQLite file. Clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    writer: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, reads all of it to check it, and brings its tables up to date. A damaged file is refused, and
    /// so is one of a newer release.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::connect(path.as_ref(), true).await
    }

    /// The same without the check, which takes seconds for a million users: for a command beside the server, which made it.
    pub async fn open_unchecked(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::connect(path.as_ref(), false).await
    }

    async fn connect(path: &Path, is_checked: bool) -> Result<Self, StoreError> {
        // Neither the change to WAL nor a migration can be done by two at once, and SQLite's busy timeout covers neither.
        let _turn = take_turn(path.to_owned()).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await;
        let writer = writer.map_err(failed("open"))?;
        if is_checked {
            check(&writer).await?;
        }
        sqlx::migrate!().run(&writer).await.map_err(not_migrated)?;
        let readers = pool(READERS_MAX).connect_with(options.read_only(true)).await;
        Ok(Self { readers: readers.map_err(failed("open"))?, writer })
    }

    /// A transaction that has the right to write from its beginning, so that it never has to give up halfway.
    pub(crate) async fn write(&self, operation: &'static str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed(operation))
    }

    /// Lets running calls end and closes the file. Dropping does the same, some time later.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Connections to a file do not go stale, and the last one that closes has to carry the whole log over into it. One that cannot
/// begin any more makes room for a new one: SQLite ends a transaction by itself where the disk is full or fails
/// (<https://www.sqlite.org/lang_transaction.html>, "Response To Errors Within A Transaction"), and the driver then counts it as open
/// for ever, because its own ROLLBACK fails.
fn pool(connections_max: u32) -> SqlitePoolOptions {
    let pool = SqlitePoolOptions::new().max_connections(connections_max).idle_timeout(None).max_lifetime(None);
    pool.before_acquire(|connection, _| {
        let is_free = !connection.is_in_transaction();
        Box::pin(async move { Ok(is_free) })
    })
}

/// Makes the file where there is none, and waits until no other process is opening it. The kernel ends a turn with its process.
async fn take_turn(path: PathBuf) -> Result<File, StoreError> {
    let turn = move || -> io::Result<File> {
        let mut open = OpenOptions::new();
        open.write(true).mode(OWNER_ONLY);
        let turn = open.clone().create(true).truncate(false).open(path.with_added_extension(OPENING))?;
        turn.lock()?;
        // Never opened where it exists: closing it again would take SQLite's own locks from this process (fcntl(2)).
        match open.create_new(true).open(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(turn),
        }
    };
    let unavailable = |error| StoreError::new(StoreErrorKind::Unavailable, "open").because(error);
    tokio::task::spawn_blocking(turn)
        .await
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "open").because(error))?
        .map_err(unavailable)
}

async fn check(writer: &SqlitePool) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(failed("check"))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Damaged, "check").because(found)) }
}

fn not_migrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed("migrate")(error),
        MigrateError::VersionMissing(_) => {
            StoreError::new(StoreErrorKind::Misuse, "migrate").because("the database was made by a newer release")
        }
        error => StoreError::new(StoreErrorKind::Misuse, "migrate").because(error),
    }
}
