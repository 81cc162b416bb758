//! Accounts on the real relational store: each test states a rule.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

mod between;
mod command_ids;
mod import;
mod passwords;
mod people;
mod signing_keys;
mod tokens;
mod world;
