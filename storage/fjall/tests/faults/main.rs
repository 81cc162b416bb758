//! Faults of the disk under a store with every kind of row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows them in tests, and does not know the functions they share"
)]

mod content;
mod damage;
mod disk;
mod full;
mod image;
