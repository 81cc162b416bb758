//! The sum of the hashes of all rows. Every write changes it by the rows that it takes away and brings, so that a byte that changed by
//! itself, a row that is missing and one that came back are all told by one look at everything.

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _};
use talaria_core::event::hash;
use talaria_port::{StoreError, StoreErrorKind};

use crate::error::failed;
use crate::row;

/// Rows read at once.
const PAGE: i64 = 4096;

/// A table, and how its rows are read page by page: behind the last row of the page before, which the first columns tell.
pub(crate) struct Table {
    name: &'static str,
    first: &'static str,
    next: &'static str,
    /// Columns before the row's own.
    place_columns: usize,
}

/// A table whose rows have a number of their own.
macro_rules! numbered {
    ($name:literal) => {
        Table {
            name: $name,
            first: concat!("SELECT rowid AS place, * FROM ", $name, " ORDER BY rowid LIMIT ?"),
            next: concat!("SELECT rowid AS place, * FROM ", $name, " WHERE rowid > ?2 ORDER BY rowid LIMIT ?1"),
            place_columns: 1,
        }
    };
}

pub(crate) const ACCOUNT: Table = numbered!("account");
pub(crate) const DEVICE: Table = numbered!("device");
pub(crate) const REVOCATION: Table = numbered!("revocation");
pub(crate) const SIGNING_KEY: Table = numbered!("signing_key");
pub(crate) const CHANNEL: Table = numbered!("channel");
pub(crate) const INTENT: Table = numbered!("intent");
pub(crate) const COMMAND_IDS: Table = numbered!("command_ids");
pub(crate) const MEMBER: Table = Table {
    name: "member",
    first: "SELECT * FROM member ORDER BY channel, user, joined_seq LIMIT ?",
    next: "SELECT * FROM member WHERE (channel, user, joined_seq) > (?2, ?3, ?4) ORDER BY channel, user, joined_seq LIMIT ?1",
    place_columns: 0,
};
const ALL: [&Table; 8] = [&ACCOUNT, &DEVICE, &REVOCATION, &SIGNING_KEY, &CHANNEL, &INTENT, &COMMAND_IDS, &MEMBER];

/// A statement with its values.
pub(crate) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

impl Table {
    /// What a row adds to the sum.
    pub(crate) fn hash_of(&self, row: &SqliteRow) -> Result<u64, StoreError> {
        self.hash_from(row, 0)
    }

    fn hash_from(&self, row: &SqliteRow, first_column: usize) -> Result<u64, StoreError> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(self.name.as_bytes());
        for column in first_column..row.len() {
            append(&mut bytes, row, column)?;
        }
        Ok(hash(&bytes))
    }

    async fn sum(&self, connection: &mut SqliteConnection) -> Result<u64, StoreError> {
        let mut sum = 0_u64;
        let mut last: Option<SqliteRow> = None;
        loop {
            let query = match &last {
                None => sqlx::query(self.first).bind(PAGE),
                Some(last) => self.behind(last)?,
            };
            let page = query.fetch_all(&mut *connection).await.map_err(failed("check"))?;
            for row in &page {
                sum = sum.wrapping_add(self.hash_from(row, self.place_columns)?);
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(sum);
            }
        }
    }

    fn behind(&self, last: &SqliteRow) -> Result<Query<'static>, StoreError> {
        let mut query = sqlx::query(self.next).bind(PAGE);
        // Three columns are the key of members.
        for column in 0..if self.place_columns == 0 { 3 } else { 1 } {
            query = query.bind(last.try_get::<i64, _>(column).map_err(failed("check"))?);
        }
        Ok(query)
    }
}

/// Kind, length and content, so that no two rows look alike.
fn append(bytes: &mut Vec<u8>, row: &SqliteRow, column: usize) -> Result<(), StoreError> {
    let value = row.try_get_raw(column).map_err(failed("check"))?;
    if value.is_null() {
        bytes.push(0);
        return Ok(());
    }
    match value.type_info().name() {
        "INTEGER" => {
            let number: i64 = row.try_get_unchecked(column).map_err(failed("check"))?;
            bytes.push(1);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        "TEXT" => {
            let text: &str = row.try_get_unchecked(column).map_err(failed("check"))?;
            bytes.push(2);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        "BLOB" => {
            let blob: &[u8] = row.try_get_unchecked(column).map_err(failed("check"))?;
            bytes.push(3);
            bytes.extend_from_slice(&(blob.len() as u64).to_le_bytes());
            bytes.extend_from_slice(blob);
        }
        _ => return Err(row::damaged()),
    }
    Ok(())
}

/// The sum as it should be, by all rows.
pub(crate) async fn count(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let mut sum = 0_u64;
    for table in ALL {
        sum = sum.wrapping_add(table.sum(connection).await?);
    }
    Ok(sum)
}

/// The sum and the number of commits as they are kept.
pub(crate) async fn kept(connection: &mut SqliteConnection) -> Result<(u64, u64), StoreError> {
    let found = sqlx::query("SELECT sum, commits FROM digest").fetch_one(connection).await.map_err(failed("digest"))?;
    let sum: i64 = found.try_get("sum").map_err(failed("digest"))?;
    Ok((sum.cast_unsigned(), row::number(&found, "commits")?))
}

/// Keeps another one.
pub(crate) async fn keep(connection: &mut SqliteConnection, sum: u64, commits: u64) -> Result<(), StoreError> {
    sqlx::query("UPDATE digest SET sum = ?, commits = ?")
        .bind(sum.cast_signed())
        .bind(row::kept(commits)?)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed("digest"))
}

/// Reads everything: the structure, every index, the tables' definitions, every row.
pub(crate) async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let damaged = |what: String| Err(StoreError::new(StoreErrorKind::Damaged, "check").because(what));
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await.map_err(failed("check"))?;
    if found != "ok" {
        return damaged(found);
    }
    if definitions(connection).await? != expected_definitions().await? {
        return damaged("the definition of a table is not what it was".into());
    }
    let (kept, _) = kept(connection).await?;
    if count(connection).await? != kept {
        return damaged("a row is not what was written".into());
    }
    Ok(())
}

type Definition = (String, String, String, Option<String>);

/// Of all tables and indices but those of the migrations, which are checked by the migrations themselves.
async fn definitions(connection: &mut SqliteConnection) -> Result<Vec<Definition>, StoreError> {
    let found = sqlx::query_as(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations' ORDER BY type, name",
    );
    found.fetch_all(connection).await.map_err(failed("check"))
}

async fn expected_definitions() -> Result<Vec<Definition>, StoreError> {
    let fresh = SqlitePoolOptions::new().max_connections(1).connect_with(SqliteConnectOptions::new().in_memory(true));
    let fresh = fresh.await.map_err(failed("check"))?;
    let migrated = sqlx::migrate!().run(&fresh).await;
    migrated.map_err(|error| StoreError::new(StoreErrorKind::Misuse, "check").because(error))?;
    let mut connection = fresh.acquire().await.map_err(failed("check"))?;
    definitions(&mut connection).await
}
