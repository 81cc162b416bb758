//! Accounts, passwords, devices and tokens (PROTOCOL "Connecting").
//!
//! Start at [`Accounts`]. It knows the relational store by its ports alone, and nothing of MQTT, HTTP or SQL.

mod attempts;
mod authenticate;
mod cache;
mod command_ids;
mod fields;
mod hashing;
mod import;
mod password;
mod people;
mod ring;
mod secret;
mod service;
mod token;

pub use command_ids::CommandIds;
pub use import::{ImportError, Imported, Made, OnMade};
pub use secret::Secret;
pub use service::{Accounts, LoggedIn, Settings, Store};
