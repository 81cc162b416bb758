//! The ring of signing keys.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use talaria_port::StoreError;
use talaria_port::signing_keys::{SigningKey, SigningKeyStore};

use crate::SqliteStore;
use crate::digest::SIGNING_KEY;
use crate::error::failed;
use crate::row::{self, kept};

#[async_trait]
impl SigningKeyStore for SqliteStore {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let found = sqlx::query("SELECT * FROM signing_key ORDER BY created_unix_ms DESC, id").fetch_all(&self.readers);
        found.await.map_err(failed("signing_keys"))?.iter().map(key).collect()
    }

    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let mut tx = self.write("add signing key").await?;
        let key = sqlx::query("INSERT INTO signing_key (id, secret, created_unix_ms) VALUES (?, ?, ?) RETURNING *")
            .bind(&key.id)
            .bind(key.secret.as_slice())
            .bind(kept(key.created_unix_ms)?);
        tx.insert(&SIGNING_KEY, key).await?;
        tx.commit().await
    }

    async fn retire_signing_keys(&self, before_unix_ms: u64) -> Result<u64, StoreError> {
        let mut tx = self.write("retire signing keys").await?;
        let old = sqlx::query(
            "DELETE FROM signing_key WHERE created_unix_ms < ? \
             AND id <> (SELECT id FROM signing_key ORDER BY created_unix_ms DESC, id LIMIT 1) RETURNING *",
        );
        let retired = tx.delete(&SIGNING_KEY, old.bind(kept(before_unix_ms)?)).await?;
        tx.commit().await?;
        Ok(retired)
    }
}

fn key(found: &SqliteRow) -> Result<SigningKey, StoreError> {
    let secret: Vec<u8> = found.try_get("secret").map_err(failed("signing_keys"))?;
    Ok(SigningKey {
        id: row::text(found, "id")?,
        secret: secret.try_into().map_err(|_| row::damaged())?,
        created_unix_ms: row::number(found, "created_unix_ms")?,
    })
}
