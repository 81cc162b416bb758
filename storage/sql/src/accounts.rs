//! Accounts, devices, revocations and signing keys.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use talaria_core::{DeviceId, Handle, UserId};
use talaria_port::StoreError;
use talaria_port::accounts::{Account, AccountStore, Device, NewAccount, SigningKey};
use talaria_port::authenticate::Revoked;

use crate::SqliteStore;
use crate::error::failed;
use crate::row::{self, kept};

#[async_trait]
impl AccountStore for SqliteStore {
    async fn create(&self, accounts: &[NewAccount]) -> Result<Vec<usize>, StoreError> {
        let mut tx = self.write("create accounts").await?;
        let mut taken = Vec::new();
        for (place, new) in accounts.iter().enumerate() {
            if !insert_account(&mut tx, new).await? {
                taken.push(place);
            } else if let Some((device, sha256)) = &new.device {
                insert_device(&mut tx, device, Some(sha256)).await?;
            }
        }
        tx.commit().await.map_err(failed("create accounts"))?;
        Ok(taken)
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let found = sqlx::query("SELECT * FROM account WHERE id = ?").bind(kept(id.get())?);
        let found = found.fetch_optional(&self.readers).await.map_err(failed("account"))?;
        found.as_ref().map(row::account).transpose()
    }

    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Account>, StoreError> {
        let mut accounts = Vec::with_capacity(ids.len());
        for id in ids {
            accounts.extend(AccountStore::account(self, *id).await?);
        }
        Ok(accounts)
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<(Account, Option<String>)>, StoreError> {
        let found = sqlx::query("SELECT * FROM account WHERE handle = ?").bind(handle.as_str());
        let Some(found) = found.fetch_optional(&self.readers).await.map_err(failed("by_handle"))? else {
            return Ok(None);
        };
        Ok(Some((row::account(&found)?, found.try_get("password_hash").map_err(failed("by_handle"))?)))
    }

    async fn add_device(&self, device: &Device, token_sha256: Option<[u8; 32]>) -> Result<(), StoreError> {
        let mut tx = self.write("add device").await?;
        insert_device(&mut tx, device, token_sha256.as_ref()).await?;
        tx.commit().await.map_err(failed("add device"))
    }

    async fn by_token(&self, token_sha256: &[u8; 32]) -> Result<Option<(Account, Device)>, StoreError> {
        let found = sqlx::query(
            "SELECT account.*, device.id AS device_id, device.account, device.name AS device_name, \
             device.created_unix_ms AS device_created \
             FROM device JOIN account ON account.id = device.account WHERE token_sha256 = ?",
        )
        .bind(token_sha256.as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed("by_token"))?;
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
        let (user, device) = (kept(user.get())?, kept(device.get())?);
        let gone = sqlx::query("DELETE FROM device WHERE id = ? AND account = ?").bind(device).bind(user);
        if gone.execute(&mut *tx).await.map_err(failed("revoke device"))?.rows_affected() == 0 {
            return Ok(false);
        }
        log_revocation(&mut tx, user, Some(device)).await?;
        tx.commit().await.map_err(failed("revoke device"))?;
        Ok(true)
    }

    async fn revoke_user(&self, user: UserId) -> Result<(), StoreError> {
        let mut tx = self.write("revoke user").await?;
        let user = kept(user.get())?;
        let raised = sqlx::query("UPDATE account SET token_version = token_version + 1 WHERE id = ?").bind(user);
        raised.execute(&mut *tx).await.map_err(failed("revoke user"))?;
        // Its device tokens end too: all tokens, says the port.
        let cleared = sqlx::query("UPDATE device SET token_sha256 = NULL WHERE account = ?").bind(user);
        cleared.execute(&mut *tx).await.map_err(failed("revoke user"))?;
        log_revocation(&mut tx, user, None).await?;
        tx.commit().await.map_err(failed("revoke user"))
    }

    async fn revoked(&self, after: u64) -> Result<(Vec<Revoked>, u64), StoreError> {
        let found = sqlx::query("SELECT * FROM revocation WHERE number > ? ORDER BY number").bind(kept(after)?);
        let found = found.fetch_all(&self.readers).await.map_err(failed("revoked"))?;
        let mut last = after;
        let mut revoked = Vec::with_capacity(found.len());
        for found in &found {
            last = row::number(found, "number")?;
            let device: Option<i64> = found.try_get("device").map_err(failed("revoked"))?;
            let user = row::user(found, "account")?;
            revoked.push(match device {
                None => Revoked::User(user),
                Some(device) => {
                    let device = u64::try_from(device).ok().and_then(DeviceId::new);
                    Revoked::Device(user, device.ok_or_else(row::damaged)?)
                }
            });
        }
        Ok((revoked, last))
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let found = sqlx::query("SELECT * FROM signing_key ORDER BY created_unix_ms DESC, id").fetch_all(&self.readers);
        let key = |found| {
            let secret: Vec<u8> = Row::try_get(found, "secret").map_err(failed("signing_keys"))?;
            Ok(SigningKey {
                id: row::text(found, "id")?,
                secret: secret.try_into().map_err(|_| row::damaged())?,
                created_unix_ms: row::number(found, "created_unix_ms")?,
            })
        };
        found.await.map_err(failed("signing_keys"))?.iter().map(key).collect()
    }

    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let mut tx = self.write("add signing key").await?;
        sqlx::query("INSERT INTO signing_key (id, secret, created_unix_ms) VALUES (?, ?, ?)")
            .bind(&key.id)
            .bind(key.secret.as_slice())
            .bind(kept(key.created_unix_ms)?)
            .execute(&mut *tx)
            .await
            .map_err(failed("add signing key"))?;
        tx.commit().await.map_err(failed("add signing key"))
    }
}

/// `false` where the handle is taken; an id that exists is a conflict.
async fn insert_account(tx: &mut SqliteConnection, new: &NewAccount) -> Result<bool, StoreError> {
    let account = &new.account;
    let made = sqlx::query(
        "INSERT INTO account (id, handle, name, created_unix_ms, token_version, password_hash) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (handle) DO NOTHING",
    )
    .bind(kept(account.id.get())?)
    .bind(account.handle.as_str())
    .bind(&account.name)
    .bind(kept(account.created_unix_ms)?)
    .bind(account.token_version)
    .bind(&new.password_hash)
    .execute(tx)
    .await
    .map_err(failed("create accounts"))?;
    Ok(made.rows_affected() == 1)
}

async fn insert_device(
    tx: &mut SqliteConnection,
    device: &Device,
    sha256: Option<&[u8; 32]>,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO device (id, account, name, created_unix_ms, token_sha256) VALUES (?, ?, ?, ?, ?)")
        .bind(kept(device.id.get())?)
        .bind(kept(device.user.get())?)
        .bind(&device.name)
        .bind(kept(device.created_unix_ms)?)
        .bind(sha256.map(<[u8; 32]>::as_slice))
        .execute(tx)
        .await
        .map(drop)
        .map_err(failed("add device"))
}

async fn log_revocation(tx: &mut SqliteConnection, user: i64, device: Option<i64>) -> Result<(), StoreError> {
    let logged = sqlx::query("INSERT INTO revocation (account, device) VALUES (?, ?)").bind(user).bind(device);
    logged.execute(tx).await.map(drop).map_err(failed("log revocation"))
}
