//! Accounts and passwords.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row, Sqlite};
use talaria_core::{Handle, UserId};
use talaria_port::StoreError;
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, PasswordHash};

use crate::SqliteStore;
use crate::digest::{ACCOUNT, DEVICE};
use crate::error::failed;
use crate::row::{self, kept};
use crate::write::Write;

/// Rows of one statement: SQLite binds 32,766 values at most, an account has six.
const ROWS_MAX: usize = 1_000;

#[async_trait]
impl AccountStore for SqliteStore {
    async fn create(&self, accounts: &[NewAccount]) -> Result<Vec<usize>, StoreError> {
        let mut tx = self.write("create accounts").await?;
        let mut taken = Vec::new();
        for (rows, start) in accounts.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
            let made = insert_accounts(&mut tx, rows).await?;
            let is_made = |new: &&NewAccount| made.contains(&new.account.id.get());
            insert_devices(&mut tx, rows.iter().filter(is_made).filter_map(|new| new.device.as_ref())).await?;
            taken.extend(rows.iter().enumerate().filter(|(_, new)| !is_made(new)).map(|(at, _)| start + at));
        }
        tx.commit().await?;
        Ok(taken)
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let found = sqlx::query("SELECT * FROM account WHERE id = ?").bind(kept(id.get())?);
        let found = found.fetch_optional(&self.readers).await.map_err(failed("account"))?;
        found.as_ref().map(row::account).transpose()
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Account>, StoreError> {
        // One statement for any number: an array in JSON is one value.
        let ids = format!("[{}]", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        let found =
            sqlx::query("SELECT * FROM account WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id").bind(ids);
        let found = found.fetch_all(&self.readers).await.map_err(failed("accounts"))?;
        found.iter().map(row::account).collect()
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<(Account, Option<PasswordHash>)>, StoreError> {
        let found = sqlx::query("SELECT * FROM account WHERE handle = ?").bind(handle.as_str());
        let Some(found) = found.fetch_optional(&self.readers).await.map_err(failed("by_handle"))? else {
            return Ok(None);
        };
        let password: Option<String> = found.try_get("password_hash").map_err(failed("by_handle"))?;
        Ok(Some((row::account(&found)?, password.map(PasswordHash::new))))
    }

    async fn replace_password(&self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<bool, StoreError> {
        let mut tx = self.write("replace password").await?;
        let (id, from) = (kept(user.get())?, from.reveal());
        let before = sqlx::query("SELECT * FROM account WHERE id = ? AND password_hash = ?").bind(id).bind(from);
        let after = sqlx::query("UPDATE account SET password_hash = ? WHERE id = ? AND password_hash = ? RETURNING *");
        let replaced = tx.update(&ACCOUNT, before, after.bind(to.reveal()).bind(id).bind(from)).await?;
        tx.commit().await?;
        Ok(replaced == 1)
    }
}

/// The ids of those whose handle was free; an id that exists is a conflict.
async fn insert_accounts(tx: &mut Write, new: &[NewAccount]) -> Result<HashSet<u64>, StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for new in new {
        rows.push((kept(new.account.id.get())?, kept(new.account.created_unix_ms)?, new));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO account (id, handle, name, created_unix_ms, token_version, password_hash) ",
    );
    insert.push_values(rows, |mut row, (id, created_unix_ms, new)| {
        row.push_bind(id)
            .push_bind(new.account.handle.as_str())
            .push_bind(&new.account.name)
            .push_bind(created_unix_ms)
            .push_bind(new.account.token_version)
            .push_bind(new.password.as_ref().map(PasswordHash::reveal));
    });
    insert.push(" ON CONFLICT (handle) DO NOTHING RETURNING *");
    let made = tx.insert(&ACCOUNT, insert.build()).await?;
    made.iter().map(|made| row::number(made, "id")).collect()
}

async fn insert_devices(tx: &mut Write, devices: impl Iterator<Item = &(Device, [u8; 32])>) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (device, sha256) in devices {
        let (id, account) = (kept(device.id.get())?, kept(device.user.get())?);
        rows.push((id, account, kept(device.created_unix_ms)?, device, sha256));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO device (id, account, name, created_unix_ms, token_sha256) ");
    insert.push_values(rows, |mut row, (id, account, created_unix_ms, device, sha256)| {
        row.push_bind(id)
            .push_bind(account)
            .push_bind(&device.name)
            .push_bind(created_unix_ms)
            .push_bind(sha256.as_slice());
    });
    insert.push(" RETURNING *");
    tx.insert(&DEVICE, insert.build()).await.map(drop)
}
