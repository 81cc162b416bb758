//! Numbers and rows as they are kept. Ids have 63 bits, so they fit SQLite's signed integers.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use talaria_core::{ChannelId, DeviceId, Seq, UserId};
use talaria_port::accounts::{Account, Device};
use talaria_port::authenticate::Revoked;
use talaria_port::channels::{Change, Channel, Intent, Interval};
use talaria_port::{StoreError, StoreErrorKind};

use crate::error::failed;

const READ: &str = "read row";

pub(crate) fn kept(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| StoreError::new(StoreErrorKind::Misuse, "keep number").because(error))
}

pub(crate) fn damaged() -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, READ)
}

pub(crate) fn number(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column).map_err(failed(READ))?;
    u64::try_from(value).map_err(|_| damaged())
}

/// `None` where the column is NULL.
fn optional(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    let value: Option<i64> = row.try_get(column).map_err(failed(READ))?;
    value.map(u64::try_from).transpose().map_err(|_| damaged())
}

pub(crate) fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    row.try_get(column).map_err(failed(READ))
}

pub(crate) fn user(row: &SqliteRow, column: &str) -> Result<UserId, StoreError> {
    UserId::new(number(row, column)?).ok_or_else(damaged)
}

pub(crate) fn account(row: &SqliteRow) -> Result<Account, StoreError> {
    let handle = format!("@{}", text(row, "handle")?);
    Ok(Account {
        id: user(row, "id")?,
        handle: handle.parse().map_err(|_| damaged())?,
        name: text(row, "name")?,
        created_unix_ms: number(row, "created_unix_ms")?,
        token_version: u32::try_from(number(row, "token_version")?).map_err(|_| damaged())?,
    })
}

pub(crate) fn device(row: &SqliteRow) -> Result<Device, StoreError> {
    Ok(Device {
        id: DeviceId::new(number(row, "device_id")?).ok_or_else(damaged)?,
        user: user(row, "account")?,
        name: text(row, "device_name")?,
        created_unix_ms: number(row, "device_created")?,
    })
}

pub(crate) fn revoked(row: &SqliteRow) -> Result<Revoked, StoreError> {
    let user = user(row, "account")?;
    match optional(row, "device")? {
        None => Ok(Revoked::User(user)),
        Some(device) => DeviceId::new(device).map(|device| Revoked::Device(user, device)).ok_or_else(damaged),
    }
}

pub(crate) fn channel(row: &SqliteRow) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: ChannelId::new(number(row, "id")?).ok_or_else(damaged)?,
        name: text(row, "name")?,
        owner: user(row, "owner")?,
        created_unix_ms: number(row, "created_unix_ms")?,
        history_shared: number(row, "history_shared")? != 0,
    })
}

pub(crate) fn intent(row: &SqliteRow) -> Result<Intent, StoreError> {
    Ok(Intent {
        id: number(row, "id")?,
        channel: ChannelId::new(number(row, "channel")?).ok_or_else(damaged)?,
        user: user(row, "user")?,
        by: user(row, "by")?,
        change: match number(row, "change")? {
            1 => Change::Join,
            2 => Change::Leave,
            _ => return Err(damaged()),
        },
    })
}

pub(crate) fn interval(row: &SqliteRow) -> Result<Interval, StoreError> {
    Ok(Interval { joined_seq: seq(row, "joined_seq")?, left_seq: optional(row, "left_seq")?.map(Seq) })
}

pub(crate) fn seq(row: &SqliteRow, column: &str) -> Result<Seq, StoreError> {
    number(row, column).map(Seq)
}
