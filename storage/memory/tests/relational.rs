//! The suites of the relational contract on the memory backends.

use std::sync::Arc;

use talaria_core::{Handle, UserId};
use talaria_storage_contract::relational::Fresh;
use talaria_storage_contract::relational::people::FreshPeople;
use talaria_storage_memory::{MemoryChannels, MemoryPeople};

struct Channels(Arc<MemoryChannels>);

impl Fresh for Channels {
    type Store = MemoryChannels;

    fn store(&self) -> &Arc<MemoryChannels> {
        &self.0
    }

    async fn beside(&self) -> Arc<MemoryChannels> {
        self.0.clone()
    }

    async fn reopen(&mut self) {
        self.0 = Arc::new(self.0.durable_copy());
    }
}

async fn channels() -> Channels {
    Channels(Arc::new(MemoryChannels::new()))
}

struct Users(MemoryPeople);

impl FreshPeople for Users {
    type People = MemoryPeople;

    fn people(&self) -> &MemoryPeople {
        &self.0
    }

    async fn add(&self, id: UserId, handle: Handle) -> UserId {
        self.0.add(id, handle);
        id
    }
}

async fn known() -> Users {
    Users(MemoryPeople::new())
}

async fn unknown() -> Users {
    Users(MemoryPeople::uncached())
}

talaria_storage_contract::channel_store_suite!(channels);

mod known_without_io {
    use super::known;
    talaria_storage_contract::people_suite!(known);
}

mod asked_for {
    use super::unknown;
    talaria_storage_contract::people_suite!(unknown);
}
