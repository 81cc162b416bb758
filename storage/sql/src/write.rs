//! A transaction that writes, and what vouches for its rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use talaria_port::StoreError;

use crate::commits::Commits;
use crate::digest::{self, Query, Table};
use crate::error::failed;

/// Every row that is written or taken away goes through here. Dropped, nothing of it happened.
pub(crate) struct Write {
    tx: Transaction<'static, Sqlite>,
    commits: Commits,
    operation: &'static str,
    /// What the rows so far change of the sum of all.
    difference: u64,
    is_changed: bool,
}

impl Write {
    pub(crate) fn new(tx: Transaction<'static, Sqlite>, commits: Commits, operation: &'static str) -> Self {
        Self { tx, commits, operation, difference: 0, is_changed: false }
    }

    /// Rows as this transaction sees them.
    pub(crate) async fn select(&mut self, query: Query<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        query.fetch_all(&mut *self.tx).await.map_err(failed(self.operation))
    }

    /// `INSERT … RETURNING *`; gives the rows that were really inserted.
    pub(crate) async fn insert(&mut self, table: &Table, query: Query<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        let rows = self.select(query).await?;
        for row in &rows {
            self.difference = self.difference.wrapping_add(table.hash_of(row)?);
            self.is_changed = true;
        }
        Ok(rows)
    }

    /// `DELETE … RETURNING *`; gives how many.
    pub(crate) async fn delete(&mut self, table: &Table, query: Query<'_>) -> Result<u64, StoreError> {
        let rows = self.select(query).await?;
        for row in &rows {
            self.difference = self.difference.wrapping_sub(table.hash_of(row)?);
            self.is_changed = true;
        }
        Ok(rows.len() as u64)
    }

    /// `SELECT *` of what is to be changed, and `UPDATE … RETURNING *` of the same; gives how many.
    pub(crate) async fn update(
        &mut self,
        table: &Table,
        before: Query<'_>,
        after: Query<'_>,
    ) -> Result<u64, StoreError> {
        for row in self.select(before).await? {
            self.difference = self.difference.wrapping_sub(table.hash_of(&row)?);
        }
        Ok(self.insert(table, after).await?.len() as u64)
    }

    /// Makes it durable, and then known to be so.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if !self.is_changed {
            return self.tx.rollback().await.map_err(failed(self.operation));
        }
        let (sum, commits) = digest::kept(&mut self.tx).await?;
        digest::keep(&mut self.tx, sum.wrapping_add(self.difference), commits + 1).await?;
        self.tx.commit().await.map_err(failed(self.operation))?;
        self.commits.raise(commits + 1).await
    }
}
