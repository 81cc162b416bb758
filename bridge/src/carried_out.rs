//! Which membership changes a task of this process carries out just now. Each is carried out by one: of two, one could find it already so
//! and take the intent back while the other stores its event.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use talaria_port::channels::Intent;

/// The intents that are being carried out. Bounded by the calls and wakings under way.
#[derive(Debug, Default)]
pub(crate) struct CarriedOut(Mutex<HashSet<u64>>);

/// The right to carry out some of them; given back when dropped, also where its call was given up in the middle.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    all: &'a CarriedOut,
    pub(crate) intents: Vec<Intent>,
}

impl CarriedOut {
    /// The right to those that nobody else carries out.
    pub(crate) fn take(&self, mut intents: Vec<Intent>) -> Turn<'_> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        intents.retain(|intent| taken.insert(intent.id));
        Turn { all: self, intents }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        for intent in &self.intents {
            taken.remove(&intent.id);
        }
    }
}
