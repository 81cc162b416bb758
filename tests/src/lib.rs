//! End-to-end tests: the real program on a fresh data folder and free loopback ports, and what talks to it.
//!
//! **Where to start:** [`Home`] is a data folder with its settings and runs the program's commands; [`Server`] is the program serving it.
//! People are made with [`Home::person`]. [`http`] asks the API, [`stock`] are MQTT clients that nobody here wrote, [`wire`] is a bare connection
//! whose every byte the test decides,
//! [`proxy`] stands between a client and the server and cuts. Everything that waits has a deadline ([`PATIENCE`]); nothing sleeps.
//!
//! `cargo xtask test` names the program in `TALARIA_TEST_SERVER` and the clients' Python in `TALARIA_TEST_PYTHON`; without them the
//! tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken rule is told by a panic, as in any test")]

pub mod home;
pub mod http;
pub mod log;
pub mod program;
pub mod proxy;
pub mod server;
pub mod stock;
pub mod wire;

use std::time::Duration;

pub use home::{Home, Person};
pub use server::Server;

/// How long anything may take that a test waits for. Far above what it takes, so that only what never comes is missed.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// What the environment must name.
///
/// # Panics
/// It does not.
pub fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run the tests with `cargo xtask test`"))
}
