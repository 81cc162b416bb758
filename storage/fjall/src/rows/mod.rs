//! Rows as they lie on disk: their own types, versioned; old samples stay in `tests/` of this module and are re-read.
//!
//! Two tables. `events` holds one row for each conversation and round: most of the bytes, read in long runs. `rows` holds
//! everything else, told apart by the first byte of the key.

pub(crate) mod bytes;
pub(crate) mod checkpoint;
pub(crate) mod event;
pub(crate) mod key;
pub(crate) mod number;
pub(crate) mod session;
#[cfg(test)]
mod tests;
