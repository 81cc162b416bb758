//! Channels, members and intents.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use talaria_core::{ChannelId, Seq, UserId};
use talaria_port::channels::{Change, Channel, ChannelStore, Intent, Roster};
use talaria_port::intervals::Intervals;
use talaria_port::{StoreError, StoreErrorKind};

use crate::SqliteStore;
use crate::digest::{CHANNEL, INTENT, MEMBER, Query};
use crate::error::failed;
use crate::row::{self, kept};
use crate::write::Write;

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn create(&self, channel: &Channel, intents: &[Intent]) -> Result<(), StoreError> {
        let mut tx = self.write("create channel").await?;
        let known = sqlx::query("SELECT * FROM channel WHERE id = ?").bind(kept(channel.id.get())?);
        if let Some(found) = tx.select(known).await?.first() {
            // A repeat writes nothing, also not intents that were settled since.
            let is_same = row::channel(found)? == *channel;
            return if is_same { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Conflict, "create channel")) };
        }
        let new = sqlx::query(
            "INSERT INTO channel (id, name, owner, created_unix_ms, history_shared) VALUES (?, ?, ?, ?, ?) RETURNING *",
        )
        .bind(kept(channel.id.get())?)
        .bind(&channel.name)
        .bind(kept(channel.owner.get())?)
        .bind(kept(channel.created_unix_ms)?)
        .bind(channel.history_shared);
        tx.insert(&CHANNEL, new).await?;
        insert(&mut tx, intents).await?;
        tx.commit().await
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, StoreError> {
        let found = sqlx::query("SELECT * FROM channel WHERE id = ?").bind(kept(id.get())?);
        let found = found.fetch_optional(&self.readers).await.map_err(failed("channel"))?;
        found.as_ref().map(row::channel).transpose()
    }

    async fn roster(&self, id: ChannelId) -> Result<Option<Roster>, StoreError> {
        // One transaction: all three from one moment.
        let mut tx = self.readers.begin().await.map_err(failed("roster"))?;
        let id = kept(id.get())?;
        let found = sqlx::query("SELECT * FROM channel WHERE id = ?").bind(id).fetch_optional(&mut *tx).await;
        let Some(found) = found.map_err(failed("roster"))? else { return Ok(None) };
        let members =
            sqlx::query("SELECT user, joined_seq FROM member WHERE channel = ? AND left_seq IS NULL ORDER BY user")
                .bind(id)
                .fetch_all(&mut *tx)
                .await
                .map_err(failed("roster"))?;
        let intents = sqlx::query("SELECT * FROM intent WHERE channel = ? ORDER BY id").bind(id).fetch_all(&mut *tx);
        let intents = intents.await.map_err(failed("roster"))?;
        let members = members.iter().map(|found| Ok((row::user(found, "user")?, row::seq(found, "joined_seq")?)));
        Ok(Some(Roster {
            channel: row::channel(&found)?,
            members: members.collect::<Result<_, StoreError>>()?,
            intents: intents.iter().map(row::intent).collect::<Result<_, _>>()?,
        }))
    }

    async fn begin(&self, intents: &[Intent]) -> Result<(), StoreError> {
        let mut tx = self.write("begin").await?;
        insert(&mut tx, intents).await?;
        tx.commit().await
    }

    async fn settle(&self, settled: &[(Intent, Seq)]) -> Result<(), StoreError> {
        let mut tx = self.write("settle").await?;
        for (intent, seq) in settled {
            settle_one(&mut tx, intent, *seq).await?;
        }
        tx.commit().await
    }

    async fn withdraw(&self, intent: u64) -> Result<(), StoreError> {
        let mut tx = self.write("withdraw").await?;
        remove(&mut tx, intent).await?;
        tx.commit().await
    }

    async fn unsettled(&self) -> Result<Vec<Intent>, StoreError> {
        let found = sqlx::query("SELECT * FROM intent ORDER BY id").fetch_all(&self.readers).await;
        found.map_err(failed("unsettled"))?.iter().map(row::intent).collect()
    }

    async fn intervals(&self, id: ChannelId, user: UserId) -> Result<Intervals, StoreError> {
        let rows = rows_of(kept(id.get())?, kept(user.get())?).fetch_all(&self.readers).await;
        intervals(&rows.map_err(failed("intervals"))?)
    }

    async fn channels_of(&self, user: UserId) -> Result<Vec<Channel>, StoreError> {
        let found = sqlx::query(
            "SELECT channel.* FROM member JOIN channel ON channel.id = member.channel \
             WHERE member.user = ? AND left_seq IS NULL ORDER BY channel.id",
        )
        .bind(kept(user.get())?)
        .fetch_all(&self.readers)
        .await;
        found.map_err(failed("channels_of"))?.iter().map(row::channel).collect()
    }
}

/// One that is written already stays as it is.
async fn insert(tx: &mut Write, intents: &[Intent]) -> Result<(), StoreError> {
    for intent in intents {
        let new = sqlx::query(
            "INSERT INTO intent (id, channel, user, by, change) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO NOTHING RETURNING *",
        )
        .bind(kept(intent.id)?)
        .bind(kept(intent.channel.get())?)
        .bind(kept(intent.user.get())?)
        .bind(kept(intent.by.get())?)
        .bind(match intent.change {
            Change::Join => 1,
            Change::Leave => 2,
        });
        if tx.insert(&INTENT, new).await?.is_empty() {
            let found = tx.select(sqlx::query("SELECT * FROM intent WHERE id = ?").bind(kept(intent.id)?)).await?;
            if row::intent(found.first().ok_or_else(row::damaged)?)? != *intent {
                return Err(StoreError::new(StoreErrorKind::Conflict, "begin"));
            }
        }
    }
    Ok(())
}

async fn remove(tx: &mut Write, intent: u64) -> Result<(), StoreError> {
    tx.delete(&INTENT, sqlx::query("DELETE FROM intent WHERE id = ? RETURNING *").bind(kept(intent)?)).await.map(drop)
}

/// The rows of a user in a channel.
fn rows_of(channel: i64, user: i64) -> Query<'static> {
    sqlx::query("SELECT * FROM member WHERE channel = ? AND user = ? ORDER BY joined_seq").bind(channel).bind(user)
}

fn intervals(found: &[SqliteRow]) -> Result<Intervals, StoreError> {
    Ok(Intervals::from_rows(found.iter().map(row::interval).collect::<Result<_, _>>()?))
}

async fn settle_one(tx: &mut Write, intent: &Intent, seq: Seq) -> Result<(), StoreError> {
    remove(tx, intent.id).await?;
    let (channel, user) = (kept(intent.channel.get())?, kept(intent.user.get())?);
    let before = intervals(&tx.select(rows_of(channel, user)).await?)?;
    let mut after = before.clone();
    after.settle(intent.change, seq);
    // A change touches one row or two, wherever it belongs among the others.
    for gone in before.rows().iter().filter(|row| !after.rows().contains(row)) {
        let gone = sqlx::query("DELETE FROM member WHERE channel = ? AND user = ? AND joined_seq = ? RETURNING *")
            .bind(channel)
            .bind(user)
            .bind(kept(gone.joined_seq.0)?);
        tx.delete(&MEMBER, gone).await?;
    }
    for new in after.rows().iter().filter(|row| !before.rows().contains(row)) {
        let new =
            sqlx::query("INSERT INTO member (channel, user, joined_seq, left_seq) VALUES (?, ?, ?, ?) RETURNING *")
                .bind(channel)
                .bind(user)
                .bind(kept(new.joined_seq.0)?)
                .bind(new.left_seq.map(|left| kept(left.0)).transpose()?);
        tx.insert(&MEMBER, new).await?;
    }
    Ok(())
}
