//! Tasks without a runtime: polled one at a time, in an order that the seed decides.

use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use talaria_port::spawn::{Spawn, Task};

use crate::dice::Dice;

/// Tasks that are not done. Nobody is woken: each is polled again and again.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Vec<Task>>);

impl Spawn for Tasks {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

impl Tasks {
    /// How many are not done.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Polls one of them once; whether it is done now.
    pub(crate) fn poll_one(&self, dice: &mut Dice) -> bool {
        let mut task = {
            let mut tasks = self.0.lock().unwrap();
            if tasks.is_empty() {
                return false;
            }
            let at = dice.below(tasks.len());
            tasks.swap_remove(at)
        };
        // Not under the lock, for a task may start another.
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => true,
            Poll::Pending => {
                self.0.lock().unwrap().push(task);
                false
            }
        }
    }

    /// Drops all of them, as a crash does.
    pub(crate) fn drop_all(&self) {
        // Dropped outside the lock, for what a task holds may start others.
        let tasks = std::mem::take(&mut *self.0.lock().unwrap());
        drop(tasks);
    }
}
