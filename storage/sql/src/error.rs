//! The driver's errors as kinds of the port.

use talaria_port::{StoreError, StoreErrorKind};

pub(crate) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| StoreError::new(kind(&error), operation).because(error)
}

/// By SQLite's primary result code, the low byte of the extended one (sqlite.org/rescode.html).
fn kind(error: &sqlx::Error) -> StoreErrorKind {
    let code = match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<u32>().ok()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => return StoreErrorKind::Damaged,
        _ => None,
    };
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => StoreErrorKind::Damaged,
        Some(13) => StoreErrorKind::Full,
        Some(19) => StoreErrorKind::Conflict,
        Some(1 | 20 | 21 | 25) => StoreErrorKind::Misuse,
        _ => StoreErrorKind::Unavailable,
    }
}
