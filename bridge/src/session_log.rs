//! Session rows and marks ride in the same rounds as events.

use talaria_port::ingest::ReplyTo;
use talaria_port::sessions::{SessionLog, SessionWrite};

use crate::Bridge;

impl SessionLog for Bridge {
    fn write(&self, write: SessionWrite, reply: Option<ReplyTo>) {
        self.inner.aside().sessions.push((write, reply));
        self.inner.ring();
    }
}
