//! The commands of the program as an operator runs them: alone, beside a running server, beside each other, and killed halfway.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, and does not know the functions they share")]

mod beside;
mod import;
mod prompt;
mod refusals;
mod revoked;
mod talaria;
