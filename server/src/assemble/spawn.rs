//! Tasks run on the tokio runtime.

use talaria_port::spawn::{Spawn, Task};
use tokio::runtime::Handle;

pub(super) struct RuntimeSpawn(Handle);

impl RuntimeSpawn {
    /// The runtime that this is called on.
    pub(super) fn current() -> Self {
        Self(Handle::current())
    }
}

impl Spawn for RuntimeSpawn {
    fn spawn(&self, task: Task) {
        self.0.spawn(task);
    }
}
