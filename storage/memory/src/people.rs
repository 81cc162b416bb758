//! Users and handles in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use talaria_core::{Handle, UserId};
use talaria_port::StoreError;
use talaria_port::people::People;

use crate::lock;

/// Users for tests without SQL. Clones are the same users.
#[derive(Clone, Debug, Default)]
pub struct MemoryPeople {
    users: Arc<Mutex<Users>>,
    is_cached: bool,
}

#[derive(Debug, Default)]
struct Users {
    handles: BTreeMap<UserId, Handle>,
    by_handle: HashMap<Handle, UserId>,
}

impl MemoryPeople {
    /// Nobody, and every later one known without IO.
    pub fn new() -> Self {
        Self { is_cached: true, ..Self::default() }
    }

    /// Nobody, and every handle has to be asked for.
    pub fn uncached() -> Self {
        Self::default()
    }

    /// Enters a user, or changes the handle. A handle that another one has goes over.
    pub fn add(&self, user: UserId, handle: Handle) {
        let mut users = lock(&self.users);
        if let Some(earlier) = users.handles.insert(user, handle.clone()) {
            users.by_handle.remove(&earlier);
        }
        users.by_handle.insert(handle, user);
    }

    fn find(&self, handle: &Handle) -> Option<UserId> {
        lock(&self.users).by_handle.get(handle).copied()
    }
}

#[async_trait]
impl People for MemoryPeople {
    fn cached(&self, handle: &Handle) -> Option<UserId> {
        if self.is_cached { self.find(handle) } else { None }
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<UserId>, StoreError> {
        Ok(self.find(handle))
    }

    async fn exists(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(lock(&self.users).handles.contains_key(&user))
    }
}
