//! The real program under faults: killed, without room, with damaged files, on a clock that jumps, stopped in its tracks.
//!
//! `load` plays people on `sender` and `receiver` sessions, which note what they see in a `history`; `checker` says which promises a
//! history breaks, and knows nothing else. `FAULTS_SEED=n` replays what a printed seed drew.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken rule is told by a panic, as in any test")]

mod checker;
mod checker_tests;
mod clock;
mod connection;
mod damage;
mod disk_full;
mod history;
mod image;
mod kill;
mod load;
mod proof;
mod receiver;
mod seed;
mod sender;
mod stage;
mod stalls;
mod takeover;
