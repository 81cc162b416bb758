//! The relational store on SQLite: accounts and channels in one file.
//!
//! Several processes may have it open at once (commands beside the server): readers never wait (WAL), writers wait for each
//! other. A write is on stable storage when it returns (`synchronous = FULL`). No type of the driver shows. Start at [`SqliteStore`].
//!
//! SQLite notices damage of its structure and no other. So that nothing is lost or changed in silence, `digest` sums all rows, `commits` counts
//! what was acknowledged, and `seal` vouches for a closed file; every row is written through `write`, which keeps the first two.

mod accounts;
mod channels;
mod commits;
mod devices;
mod digest;
mod error;
mod ids;
mod row;
mod seal;
mod signing_keys;
mod store;
mod write;

pub use store::SqliteStore;
