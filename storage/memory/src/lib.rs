//! Backends that live in this process's memory.
//!
//! Two kinds that must not be mixed up. [`LocalDirectory`], [`LocalClaims`] and [`SystemClock`] serve real traffic: what
//! they hold may be lost with the process. [`MemoryStore`], [`MemoryChannels`], [`MemoryPeople`], [`MemoryLease`] and
//! [`ManualClock`] stand in for durable backends where tests need speed, injected faults ([`Faults`]) and restarts on
//! exactly what was committed. Nothing here does IO or knows who calls it.

mod channels;
mod claims;
mod clock;
mod directory;
mod events;
mod faults;
mod index;
mod lease;
mod people;
mod sessions;
mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use channels::MemoryChannels;
pub use claims::LocalClaims;
pub use clock::{ManualClock, SystemClock};
pub use directory::LocalDirectory;
pub use faults::{Fault, Faults, Stored};
pub use lease::MemoryLease;
pub use people::MemoryPeople;
pub use store::MemoryStore;

/// Locks, also after a panic elsewhere: one that ended a connection must not end everybody's.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
