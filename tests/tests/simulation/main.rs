//! The simulation: the broker's loops without the kernel, the bridge, and clients that speak MQTT in bytes, on virtual time over the
//! memory stores. One seeded dice decides what happens next and what goes wrong; at the end everything calms down, and every promise
//! of DESIGN §3 and PROTOCOL that clients and the store can see is checked.
//!
//! `SIMULATION_SEED=n` replays one round, with `SIMULATION_TRACE=1` step by step; `SIMULATION_ROUNDS=n` runs so many.
//!
//! Where to start: `world` (what a round is made of and what may happen), `client` (what clients do and hold against the server),
//! `check` (what must hold in the end), `without` (that the checks see what is broken).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what does not hold ends the test, as in any")]

mod calm;
mod check;
mod client;
mod dice;
mod doorman;
mod ledger;
mod node;
mod observer;
mod plan;
mod round;
mod sabotage;
mod slow_stores;
mod tasks;
mod without;
mod world;
