//! Ranges of ids for commands.

use std::ops::Range;

use async_trait::async_trait;
use talaria_core::EventId;
use talaria_core::id::{EPOCH_UNIX_MS, TIME_SHIFT};
use talaria_core::limits::COMMAND_RANGE_MS_MAX;
use talaria_port::ids::IdRanges;
use talaria_port::{StoreError, StoreErrorKind};

use crate::SqliteStore;
use crate::digest::COMMAND_IDS;
use crate::row::{self, kept};

/// Times that an id can say end here.
const END_UNIX_MS: u64 = EPOCH_UNIX_MS + (EventId::MAX.0 >> TIME_SHIFT);

#[async_trait]
impl IdRanges for SqliteStore {
    async fn reserve(&self, now_unix_ms: u64, ms: u64) -> Result<Range<u64>, StoreError> {
        let refused = |why: &'static str| Err(StoreError::new(StoreErrorKind::Misuse, "reserve ids").because(why));
        if !(1..=COMMAND_RANGE_MS_MAX).contains(&ms) {
            return refused("too many ids at once");
        }
        let mut tx = self.write("reserve ids").await?;
        let found = tx.select(sqlx::query("SELECT * FROM command_ids")).await?;
        let reserved = row::number(found.first().ok_or_else(row::damaged)?, "reserved_unix_ms")?;
        let start = now_unix_ms.max(reserved).max(EPOCH_UNIX_MS + 1);
        let end = start.saturating_add(ms);
        if end > END_UNIX_MS {
            return refused("the clock is beyond what ids can say");
        }
        let before = sqlx::query("SELECT * FROM command_ids");
        let after = sqlx::query("UPDATE command_ids SET reserved_unix_ms = ? RETURNING *").bind(kept(end)?);
        tx.update(&COMMAND_IDS, before, after).await?;
        tx.commit().await?;
        Ok(start..end)
    }
}
