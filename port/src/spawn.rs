//! Runs what is off the way of a message: reads that must not hold a loop.

use std::future::Future;
use std::pin::Pin;

/// A piece of work that answers through a mailbox.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts tasks. In the server it is the tokio runtime; in tests on virtual time a queue polled in a seeded order.
pub trait Spawn: Send + Sync {
    /// Starts `task`; never blocks.
    fn spawn(&self, task: Task);
}
