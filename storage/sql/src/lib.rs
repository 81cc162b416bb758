//! The relational store on SQLite: accounts and channels in one file.
//!
//! Several processes may have it open at once (commands beside the server): readers never wait (WAL), writers wait for each
//! other. A write is on stable storage when it returns (`synchronous = FULL`). No type of the driver shows. Start at [`SqliteStore`].

mod accounts;
mod channels;
mod devices;
mod error;
mod ids;
mod row;
mod signing_keys;
mod store;

pub use store::SqliteStore;
