//! Channels, members and intents.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use talaria_core::{ChannelId, Seq, UserId};
use talaria_port::channels::{Change, Channel, ChannelStore, Intent, Interval, Roster};
use talaria_port::{StoreError, StoreErrorKind};

use crate::SqliteStore;
use crate::error::failed;
use crate::row::{self, kept};

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn create(&self, channel: &Channel, intents: &[Intent]) -> Result<(), StoreError> {
        let mut tx = self.write("create channel").await?;
        let known = sqlx::query("SELECT * FROM channel WHERE id = ?").bind(kept(channel.id.get())?);
        if let Some(found) = known.fetch_optional(&mut *tx).await.map_err(failed("create channel"))? {
            // A repeat writes nothing, also not intents that were settled since.
            let same = row::channel(&found)? == *channel;
            return if same { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Conflict, "create channel")) };
        }
        sqlx::query("INSERT INTO channel (id, name, owner, created_unix_ms, history_shared) VALUES (?, ?, ?, ?, ?)")
            .bind(kept(channel.id.get())?)
            .bind(&channel.name)
            .bind(kept(channel.owner.get())?)
            .bind(kept(channel.created_unix_ms)?)
            .bind(channel.history_shared)
            .execute(&mut *tx)
            .await
            .map_err(failed("create channel"))?;
        insert(&mut tx, intents).await?;
        tx.commit().await.map_err(failed("create channel"))
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
        tx.commit().await.map_err(failed("begin"))
    }

    async fn settle(&self, settled: &[(Intent, Seq)]) -> Result<(), StoreError> {
        let mut tx = self.write("settle").await?;
        for (intent, seq) in settled {
            settle_one(&mut tx, intent, kept(seq.0)?).await?;
        }
        tx.commit().await.map_err(failed("settle"))
    }

    async fn withdraw(&self, intent: u64) -> Result<(), StoreError> {
        let mut tx = self.write("withdraw").await?;
        remove(&mut tx, intent).await?;
        tx.commit().await.map_err(failed("withdraw"))
    }

    async fn unsettled(&self) -> Result<Vec<Intent>, StoreError> {
        let found = sqlx::query("SELECT * FROM intent ORDER BY id").fetch_all(&self.readers).await;
        found.map_err(failed("unsettled"))?.iter().map(row::intent).collect()
    }

    async fn intervals(&self, id: ChannelId, user: UserId) -> Result<Vec<Interval>, StoreError> {
        let found =
            sqlx::query("SELECT joined_seq, left_seq FROM member WHERE channel = ? AND user = ? ORDER BY joined_seq")
                .bind(kept(id.get())?)
                .bind(kept(user.get())?)
                .fetch_all(&self.readers)
                .await
                .map_err(failed("intervals"))?;
        let interval = |found| {
            let left: Option<i64> = Row::try_get(found, "left_seq").map_err(failed("intervals"))?;
            let left_seq = left.map(|left| u64::try_from(left).map(Seq)).transpose().map_err(|_| row::damaged())?;
            Ok(Interval { joined_seq: row::seq(found, "joined_seq")?, left_seq })
        };
        found.iter().map(interval).collect()
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

async fn insert(tx: &mut SqliteConnection, intents: &[Intent]) -> Result<(), StoreError> {
    for intent in intents {
        sqlx::query(
            "INSERT INTO intent (id, channel, user, by, change) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(kept(intent.id)?)
        .bind(kept(intent.channel.get())?)
        .bind(kept(intent.user.get())?)
        .bind(kept(intent.by.get())?)
        .bind(match intent.change {
            Change::Join => 1,
            Change::Leave => 2,
        })
        .execute(&mut *tx)
        .await
        .map_err(failed("begin"))?;
    }
    Ok(())
}

async fn remove(tx: &mut SqliteConnection, intent: u64) -> Result<(), StoreError> {
    let removed = sqlx::query("DELETE FROM intent WHERE id = ?").bind(kept(intent)?).execute(tx).await;
    removed.map(drop).map_err(failed("remove intent"))
}

/// Repeated late, after further changes, it changes nothing either: a seq that an interval covers or has passed is old.
async fn settle_one(tx: &mut SqliteConnection, intent: &Intent, seq: i64) -> Result<(), StoreError> {
    remove(tx, intent.id).await?;
    let sql = match intent.change {
        Change::Join => {
            "INSERT INTO member (channel, user, joined_seq) SELECT ?1, ?2, ?3 WHERE NOT EXISTS \
             (SELECT 1 FROM member WHERE channel = ?1 AND user = ?2 AND (left_seq IS NULL OR left_seq > ?3))"
        }
        Change::Leave => {
            "UPDATE member SET left_seq = ?3 WHERE channel = ?1 AND user = ?2 AND left_seq IS NULL AND joined_seq < ?3"
        }
    };
    let done = sqlx::query(sql).bind(kept(intent.channel.get())?).bind(kept(intent.user.get())?).bind(seq);
    done.execute(tx).await.map(drop).map_err(failed("settle"))
}
