//! Devices, their tokens and the log of revocations.

use async_trait::async_trait;
use talaria_core::limits::{DEVICES_PER_USER_MAX, REVOCATIONS_PAGE_MAX};
use talaria_core::{DeviceId, UserId};
use talaria_port::StoreError;
use talaria_port::accounts::{Account, Device};
use talaria_port::authenticate::Revoked;
use talaria_port::devices::DeviceStore;

use crate::SqliteStore;
use crate::digest::{ACCOUNT, DEVICE, REVOCATION};
use crate::error::failed;
use crate::row::{self, kept};
use crate::write::Write;

/// A device with its account, by that condition.
macro_rules! holder {
    ($condition:literal) => {
        concat!(
            "SELECT account.*, device.id AS device_id, device.account, device.name AS device_name, ",
            "device.created_unix_ms AS device_created ",
            "FROM device JOIN account ON account.id = device.account WHERE ",
            $condition
        )
    };
}

#[async_trait]
impl DeviceStore for SqliteStore {
    async fn add_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<bool, StoreError> {
        let mut tx = self.write("add device").await?;
        if !make_room(&mut tx, device.user).await? {
            return Ok(false);
        }
        let new = sqlx::query(
            "INSERT INTO device (id, account, name, created_unix_ms, token_sha256) VALUES (?, ?, ?, ?, ?) RETURNING *",
        )
        .bind(kept(device.id.get())?)
        .bind(kept(device.user.get())?)
        .bind(&device.name)
        .bind(kept(device.created_unix_ms)?)
        .bind(token_sha256.as_ref().map(<[u8; 32]>::as_slice));
        tx.insert(&DEVICE, new).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn device(&self, id: DeviceId) -> Result<Option<(Account, Device)>, StoreError> {
        let found = sqlx::query(holder!("device.id = ?")).bind(kept(id.get())?);
        let found = found.fetch_optional(&self.readers).await.map_err(failed("device"))?;
        found.map(|found| Ok((row::account(&found)?, row::device(&found)?))).transpose()
    }

    async fn by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<(Account, Device)>, StoreError> {
        let found = sqlx::query(holder!("token_sha256 = ?")).bind(token_sha256.as_slice());
        let found = found.fetch_optional(&self.readers).await.map_err(failed("by_token"))?;
        found.map(|found| Ok((row::account(&found)?, row::device(&found)?))).transpose()
    }

    async fn devices(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        let found = sqlx::query(
            "SELECT id AS device_id, account, name AS device_name, created_unix_ms AS device_created \
             FROM device WHERE account = ? ORDER BY id",
        )
        .bind(kept(user.get())?)
        .fetch_all(&self.readers)
        .await;
        found.map_err(failed("devices"))?.iter().map(row::device).collect()
    }

    async fn revoke_device(&self, user: UserId, device: DeviceId) -> Result<bool, StoreError> {
        let mut tx = self.write("revoke device").await?;
        if !remove(&mut tx, kept(user.get())?, kept(device.get())?).await? {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn revoke_user(&self, user: UserId) -> Result<bool, StoreError> {
        let mut tx = self.write("revoke user").await?;
        let user = kept(user.get())?;
        let account = sqlx::query("SELECT * FROM account WHERE id = ?").bind(user);
        let raised = sqlx::query("UPDATE account SET token_version = token_version + 1 WHERE id = ? RETURNING *");
        if tx.update(&ACCOUNT, account, raised.bind(user)).await? == 0 {
            return Ok(false);
        }
        let devices = sqlx::query("SELECT * FROM device WHERE account = ?").bind(user);
        let cleared = sqlx::query("UPDATE device SET token_sha256 = NULL WHERE account = ? RETURNING *").bind(user);
        tx.update(&DEVICE, devices, cleared).await?;
        log_revocation(&mut tx, user, None).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError> {
        let found = sqlx::query("SELECT * FROM revocation WHERE number > ? ORDER BY number LIMIT ?")
            .bind(kept(after)?)
            .bind(i64::try_from(REVOCATIONS_PAGE_MAX).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("revoked"))?;
        let last = found.last().map_or(Ok(after), |last| row::number(last, "number"))?;
        Ok((found.iter().map(row::revoked).collect::<Result<_, _>>()?, last))
    }

    async fn last_revocation(&self) -> Result<u64, StoreError> {
        let found = sqlx::query("SELECT coalesce(max(number), 0) AS number FROM revocation").fetch_one(&self.readers);
        row::number(&found.await.map_err(failed("last_revocation"))?, "number")
    }
}

/// `false` where the user holds as many devices as allowed, all with device tokens.
async fn make_room(tx: &mut Write, user: UserId) -> Result<bool, StoreError> {
    let user = kept(user.get())?;
    let held = tx.select(sqlx::query("SELECT count(*) AS number FROM device WHERE account = ?").bind(user)).await?;
    if row::number(held.first().ok_or_else(row::damaged)?, "number")? < DEVICES_PER_USER_MAX as u64 {
        return Ok(true);
    }
    let oldest = sqlx::query("SELECT id FROM device WHERE account = ? AND token_sha256 IS NULL ORDER BY id LIMIT 1");
    match tx.select(oldest.bind(user)).await?.first() {
        Some(oldest) => remove(tx, user, kept(row::number(oldest, "id")?)?).await,
        None => Ok(false),
    }
}

async fn remove(tx: &mut Write, user: i64, device: i64) -> Result<bool, StoreError> {
    let gone = sqlx::query("DELETE FROM device WHERE id = ? AND account = ? RETURNING *").bind(device).bind(user);
    if tx.delete(&DEVICE, gone).await? == 0 {
        return Ok(false);
    }
    log_revocation(tx, user, Some(device)).await?;
    Ok(true)
}

/// Writers take turns, so numbers become visible in their order.
async fn log_revocation(tx: &mut Write, user: i64, device: Option<i64>) -> Result<(), StoreError> {
    let entry =
        sqlx::query("INSERT INTO revocation (account, device) VALUES (?, ?) RETURNING *").bind(user).bind(device);
    tx.insert(&REVOCATION, entry).await.map(drop)
}
