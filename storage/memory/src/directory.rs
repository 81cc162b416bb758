//! Who is connected where, in this process.

use std::sync::Mutex;

use hashbrown::HashTable;
use talaria_core::{ConversationId, UserId};
use talaria_port::deliver::Address;
use talaria_port::directory::Directory;

use crate::lock;

/// Locks among which users are divided: many more than threads, so that two rarely meet at one.
const SHARDS: usize = 64;

/// A table is given back in part when less than one in this many of its places is taken; it then has at least half of them free, so that
/// neither joining nor leaving moves it again soon.
const SPARSE: usize = 8;

/// Below this many places a table is not worth shrinking.
const PLACES_KEPT: usize = 64;

/// Live sessions of users, for a million and more: a session costs 21 bytes at the table's fill, which is 7/16 at worst, so 48 bytes;
/// there is no list per user. All sessions of a user lie in one probe sequence, which the bound on sessions per user keeps short.
#[derive(Debug)]
pub struct LocalDirectory {
    shards: Box<[Shard]>,
}

/// On a cache line of its own, or threads at neighbouring locks would slow each other.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(Mutex<HashTable<Entry>>);

/// Without the padding that 8-byte alignment would bring: 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, packed(4))]
struct Entry {
    user: UserId,
    address: Address,
}

impl LocalDirectory {
    /// A directory without sessions.
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let tables: usize = self.shards.iter().map(|shard| lock(&shard.0).allocation_size()).sum();
        tables + size_of_val(&*self.shards)
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Entry>> {
        &self.shards[shard_of(hash, SHARDS)].0
    }
}

impl Default for LocalDirectory {
    fn default() -> Self {
        Self::new()
    }
}

impl Directory for LocalDirectory {
    fn register(&self, user: UserId, address: Address) {
        let (hash, entry) = (hash(user), Entry { user, address });
        let mut table = lock(self.shard(hash));
        // A session that stood there twice would get everything twice.
        if table.find(hash, |there| *there == entry).is_none() {
            table.insert_unique(hash, entry, rehash);
        }
    }

    fn unregister(&self, user: UserId, address: Address) {
        let (hash, entry) = (hash(user), Entry { user, address });
        let mut table = lock(self.shard(hash));
        if let Ok(there) = table.find_entry(hash, |there| *there == entry) {
            there.remove();
            shrink(&mut table, rehash);
        }
    }

    fn addresses(&self, user: UserId, into: &mut Vec<Address>) {
        let hash = hash(user);
        let table = lock(self.shard(hash));
        into.extend(table.iter_hash(hash).filter(|entry| { entry.user } == user).map(|entry| entry.address));
    }
}

fn rehash(entry: &Entry) -> u64 {
    hash(entry.user)
}

/// The same in every run, so that a simulation repeats itself. Nobody chooses user ids to collide: the server draws them.
pub(crate) fn hash(user: UserId) -> u64 {
    ConversationId::Own(user).spread()
}

/// Of bits that the tables do not use: they take the lowest for the place and the highest 7 for the tag.
pub(crate) fn shard_of(hash: u64, shards: usize) -> usize {
    (hash >> 32) as usize % shards
}

/// Gives memory back after many have left.
pub(crate) fn shrink<T>(table: &mut HashTable<T>, rehash: impl Fn(&T) -> u64) {
    if table.capacity() > PLACES_KEPT && table.len() < table.capacity() / SPARSE {
        table.shrink_to(table.len() * 2, rehash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    fn address(number: u32) -> Address {
        Address { mailbox: (number % 4) as u16, slot: number, nonce: number ^ 0xFFFF }
    }

    fn of(directory: &LocalDirectory, id: u64) -> Vec<Address> {
        let mut found = Vec::new();
        directory.addresses(user(id), &mut found);
        found
    }

    #[test]
    fn a_session_registered_twice_is_there_once_and_gone_when_taken_out() {
        let directory = LocalDirectory::new();
        directory.register(user(1), address(7));
        directory.register(user(1), address(7));
        directory.register(user(1), address(8));
        assert_eq!(of(&directory, 1), [address(7), address(8)]);
        directory.unregister(user(1), address(7));
        assert_eq!(of(&directory, 1), [address(8)]);
    }

    #[test]
    fn an_entry_takes_less_than_60_bytes_and_memory_comes_back_after_a_mass_leave() {
        let directory = LocalDirectory::new();
        let empty = directory.heap_bytes();
        let mut worst = 0;
        let users = 1_000_000;
        for id in 1..=users {
            directory.register(user(id), address(id as u32));
            if id >= 100_000 && id % 10_000 == 0 {
                worst = worst.max(directory.heap_bytes() / id as usize);
            }
        }
        assert!(worst < 60, "{worst} bytes an entry");
        for id in 1..=users {
            assert_eq!(of(&directory, id), [address(id as u32)]);
            directory.unregister(user(id), address(id as u32));
        }
        assert!(directory.heap_bytes() < empty + 200_000, "{} bytes left", directory.heap_bytes());
    }
}
