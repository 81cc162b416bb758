//! Opening the file, and the connections to it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use talaria_port::{StoreError, StoreErrorKind};

use crate::commits::Commits;
use crate::digest;
use crate::error::failed;
use crate::seal::{self, Seal};
use crate::write::Write;

/// Connections that read at once; more wait.
const READERS_MAX: u32 = 4;

/// How long a writer waits for one of another process before it is answered as unavailable.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Beside the file: its lock is held by the one process that is opening or closing it.
const OPENING: &str = "opening";

/// Beside the file: how many commits were acknowledged.
const COMMITS: &str = "commits";

/// It holds keys and hashes of passwords; SQLite gives its other files the same mode.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// Accounts and channels in one SQLite file. Clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(crate) readers: SqlitePool,
    writer: SqlitePool,
    commits: Commits,
    path: Arc<Path>,
    /// Everything was looked at when it was opened.
    is_checked: bool,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, and brings its tables up to date. A damaged one is refused, and so is one of a newer release.
    ///
    /// One that was closed is compared with its seal, which takes a second for millions of users. Otherwise every row is read: some ten seconds for
    /// a million.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::connect(path.as_ref(), true).await
    }

    /// The same for a command, which does not read every row where a server has the file open or is to check it at its next start.
    pub async fn open_beside(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::connect(path.as_ref(), false).await
    }

    async fn connect(path: &Path, must_be_checked: bool) -> Result<Self, StoreError> {
        // Neither the change to WAL nor a migration can be done by two at once, and SQLite's busy timeout covers neither.
        let _turn = aside("open", path, take_turn).await?;
        let seal = aside("open", path, |path| make(path).and_then(|()| seal::look(path))).await?;
        // Read before the database: what it says is in there by now.
        let (commits, acknowledged) = Commits::open(&path.with_added_extension(COMMITS))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await.map_err(failed("open"))?;
        let reads_everything = seal == Seal::Broken || seal == Seal::Missing && must_be_checked;
        bring_up_to_date(&writer, reads_everything, acknowledged).await?;
        let readers = pool(READERS_MAX).connect_with(options.read_only(true)).await;
        Ok(Self {
            readers: readers.map_err(failed("open"))?,
            writer,
            commits,
            path: path.into(),
            is_checked: seal == Seal::Whole || reads_everything,
        })
    }

    /// A transaction that has the right to write from its beginning, so that it never has to give up halfway.
    pub(crate) async fn write(&self, operation: &'static str) -> Result<Write, StoreError> {
        let tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed(operation))?;
        Ok(Write::new(tx, self.commits.clone(), operation))
    }

    /// Lets running calls end, closes the file, and seals it where nobody else has it open. Dropping closes it too, some time later and without a
    /// seal, so that the next server reads every row.
    ///
    /// # Errors
    /// It is closed, but not sealed.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        self.writer.close().await;
        // What was not looked at is not vouched for.
        if !self.is_checked {
            return Ok(());
        }
        let _turn = aside("close", &self.path, take_turn).await?;
        aside("close", &self.path, seal::put).await
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

/// What blocks, off the runtime.
async fn aside<T: Send + 'static>(
    operation: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&path)).await;
    let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, operation).because(error))
}

/// Waits until no other process is opening or closing the file. The kernel ends a turn with its process.
fn take_turn(path: &Path) -> io::Result<File> {
    let turn = path.with_added_extension(OPENING);
    let turn = OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER_ONLY).open(turn)?;
    turn.lock()?;
    Ok(turn)
}

/// Makes the file where there is none. One that exists is not opened: closing it again would take SQLite's own locks from this process (fcntl(2)).
fn make(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn bring_up_to_date(writer: &SqlitePool, reads_everything: bool, acknowledged: u64) -> Result<(), StoreError> {
    let before = version(writer).await.map_err(unlike_ours)?;
    sqlx::migrate!().run(writer).await.map_err(not_migrated)?;
    let is_migrated = version(writer).await.map_err(unlike_ours)? != before;
    check(writer, is_migrated, reads_everything, acknowledged).await.map_err(unlike_ours)
}

/// SQL that fits every database of ours did not fit this one: its schema is damaged.
fn unlike_ours(error: StoreError) -> StoreError {
    match error.kind {
        StoreErrorKind::Misuse => StoreError::new(StoreErrorKind::Damaged, error.operation).because(error),
        _ => error,
    }
}

async fn check(
    writer: &SqlitePool,
    is_migrated: bool,
    reads_everything: bool,
    acknowledged: u64,
) -> Result<(), StoreError> {
    // One view of everything: others may write meanwhile.
    let mut tx =
        writer.begin_with(if is_migrated { "BEGIN IMMEDIATE" } else { "BEGIN" }).await.map_err(failed("open"))?;
    let (_, commits) = digest::kept(&mut tx).await?;
    if is_migrated {
        // Rows look otherwise than when they were written.
        let sum = digest::count(&mut tx).await?;
        digest::keep(&mut tx, sum, commits).await?;
    }
    if commits < acknowledged {
        let what = format!(
            "{acknowledged} commits were acknowledged, of which the database holds {commits}; \
             of a database put back alone, remove its .{COMMITS} file"
        );
        return Err(StoreError::new(StoreErrorKind::Damaged, "open").because(what));
    }
    if reads_everything {
        digest::check(&mut tx).await?;
    }
    tx.commit().await.map_err(failed("open"))
}

/// Of the last migration; `None` in a new file.
async fn version(writer: &SqlitePool) -> Result<Option<i64>, StoreError> {
    let table = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'");
    let tables: i64 = table.fetch_one(writer).await.map_err(failed("migrate"))?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(writer).await.map_err(failed("migrate"))
}

fn not_migrated(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            unlike_ours(failed("migrate")(error))
        }
        MigrateError::VersionMissing(_) => {
            StoreError::new(StoreErrorKind::Misuse, "migrate").because("the database was made by a newer release")
        }
        // What is written of migrations is not what was run.
        error => StoreError::new(StoreErrorKind::Damaged, "migrate").because(error),
    }
}

#[cfg(test)]
mod tests;
