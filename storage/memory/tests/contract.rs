//! The suites of the contract on the memory backends.

use talaria_storage_contract::messages::Fresh;
use talaria_storage_memory::MemoryStore;

struct Memory(MemoryStore);

impl Fresh for Memory {
    type Store = MemoryStore;

    fn store(&self) -> &MemoryStore {
        &self.0
    }

    fn reopen(&mut self) {
        self.0 = self.0.durable_copy();
    }
}

fn make() -> Memory {
    Memory(MemoryStore::new())
}

talaria_storage_contract::message_store_suite!(make);
