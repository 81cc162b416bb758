//! Accounts, passwords, devices and tokens (PROTOCOL "Connecting").
//!
//! Start at [`Accounts`]. It knows the relational store by its port alone, and nothing of MQTT, HTTP or SQL.

mod authenticate;
mod bounded;
mod fields;
mod import;
mod password;
mod people;
mod service;
mod standalone_ids;
mod token;

pub use import::{ImportError, ImportLine};
pub use service::{Accounts, LoggedIn, Settings};
pub use standalone_ids::StandaloneIds;
