//! Every seam of Talaria, one file each, and what it promises.
//!
//! A port states guarantees, order, what a missing or repeated thing means, cost and errors. Ports on the way of a
//! message ([`ingest`], [`deliver`], [`directory`], [`messages::MessageStore::commit`]) are not async: they take batches and
//! answer through mailboxes. Ports off the way are. Only `server` names who implements what.

pub mod accounts;
pub mod authenticate;
pub mod channels;
pub mod clock;
pub mod deliver;
pub mod devices;
pub mod directory;
pub mod error;
pub mod history;
pub mod ids;
pub mod ingest;
pub mod intervals;
pub mod lease;
pub mod membership;
pub mod messages;
pub mod people;
pub mod sessions;
pub mod signing_keys;
pub mod spawn;

pub use error::{Refusal, Retry, StoreError, StoreErrorKind};
