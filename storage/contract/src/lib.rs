//! Suites of rules that every backend of a store must pass. A backend's test file holds one line a suite:
//!
//! `talaria_storage_contract::message_store_suite!(Backend::make);`, where `make()` yields a fresh [`messages::Fresh`].
//!
//! Only what a wide-column store can keep too is asked for: rows idempotent by key, no transaction across conversations. The [`relational`] stores
//! have suites of their own.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a broken rule is told by a panic, as in any test")]
#![allow(clippy::needless_pass_by_value, reason = "a suite gives each rule a store of its own")]

pub mod messages;
pub mod relational;
