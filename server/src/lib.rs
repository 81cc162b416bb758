//! Puts the parts together: configuration, roles, and what the `talaria` program does.
//!
//! The only crate that names concrete backends. **Where to start:** [`assemble::Server`] is a running node, one file a role beside it;
//! `command/` has one file a command of the program.

pub mod assemble;
pub mod command;
pub mod config;
mod logs;
