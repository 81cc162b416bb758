//! Who holds which session name, in this process.

use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use hashbrown::HashTable;
use talaria_core::UserId;
use talaria_core::limits::SESSIONS_PER_USER_MAX;
use talaria_port::deliver::Address;
use talaria_port::directory::{Claim, Claimed, Claims};

use crate::directory::{hash, shard_of, shrink};
use crate::lock;

/// Locks among which users are divided.
const SHARDS: usize = 64;

/// The claims of live sessions, for a million and more, at 52 bytes each at worst.
///
/// A client id is kept as a 64-bit SipHash under a key drawn at start, beside its user's id. Two ids of one user that collide would
/// count as one session. A user has at most 64, so by chance that is one user in 10^16 with all of them; and it cannot be brought about,
/// for the key is secret, nor would it reach anyone but the user who tried.
#[derive(Debug)]
pub struct LocalClaims {
    names: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

/// Claims stand densely in a list; the table finds them by user. A table of the claims themselves would waste more than half of them
/// right after it has grown.
#[derive(Debug, Default)]
struct Shard {
    places: HashTable<u32>,
    held: Vec<Held>,
}

/// Without the padding that 8-byte alignment would bring: 36 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
struct Held {
    user: UserId,
    name: u64,
    generation: u64,
    address: Address,
}

impl Held {
    fn claim(&self) -> Claim {
        Claim { generation: self.generation, address: self.address }
    }
}

impl LocalClaims {
    /// Nobody holds anything.
    pub fn new() -> Self {
        Self { names: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let shard = lock(shard);
            shard.places.allocation_size() + shard.held.capacity() * size_of::<Held>()
        });
        shards.sum::<usize>() + size_of_val(&*self.shards)
    }

    fn shard(&self, user: UserId) -> &Mutex<Shard> {
        &self.shards[shard_of(hash(user), SHARDS)]
    }
}

impl Default for LocalClaims {
    fn default() -> Self {
        Self::new()
    }
}

impl Claims for LocalClaims {
    fn claim(&self, user: UserId, client_id: &str, claim: Claim) -> Claimed {
        let name = self.names.hash_one(client_id);
        let mut shard = lock(self.shard(user));
        let Some(place) = shard.find(user, name) else {
            if shard.of(user).count() >= SESSIONS_PER_USER_MAX {
                return Claimed::TooMany;
            }
            let Claim { generation, address } = claim;
            return shard.add(Held { user, name, generation, address });
        };
        let held = &mut shard.held[place as usize];
        let before = held.claim();
        if claim.generation < before.generation {
            return Claimed::Lost;
        }
        (held.generation, held.address) = (claim.generation, claim.address);
        Claimed::From(before)
    }

    fn release(&self, user: UserId, client_id: &str, generation: u64) {
        let name = self.names.hash_one(client_id);
        let mut shard = lock(self.shard(user));
        if let Some(place) = shard.find(user, name)
            && { shard.held[place as usize].generation } == generation
        {
            shard.remove(place);
        }
    }

    fn is_held(&self, user: UserId, client_id: &str) -> bool {
        let name = self.names.hash_one(client_id);
        lock(self.shard(user)).find(user, name).is_some()
    }

    fn held_by(&self, user: UserId) -> Vec<Claim> {
        let shard = lock(self.shard(user));
        shard.of(user).map(|place| shard.held[place as usize].claim()).collect()
    }
}

impl Shard {
    /// Places of the user's claims.
    fn of(&self, user: UserId) -> impl Iterator<Item = u32> {
        self.places.iter_hash(hash(user)).copied().filter(move |place| { self.held[*place as usize].user } == user)
    }

    fn find(&self, user: UserId, name: u64) -> Option<u32> {
        self.of(user).find(|place| { self.held[*place as usize].name } == name)
    }

    fn add(&mut self, held: Held) -> Claimed {
        let Ok(place) = u32::try_from(self.held.len()) else { return Claimed::TooMany };
        if self.held.len() == self.held.capacity() {
            // By an eighth instead of doubling: half of a doubled list may stay empty.
            self.held.reserve_exact(self.held.len() / 8 + 4);
        }
        self.held.push(held);
        let Self { places, held: all } = self;
        places.insert_unique(hash(held.user), place, |place| hash(all[*place as usize].user));
        Claimed::Free
    }

    /// Takes a claim out; the last of the list moves to its place.
    fn remove(&mut self, place: u32) {
        let Self { places, held } = self;
        if let Ok(there) = places.find_entry(hash(held[place as usize].user), |there| *there == place) {
            there.remove();
        }
        held.swap_remove(place as usize);
        let last = held.len();
        if let Some(moved) = held.get(place as usize)
            && let Some(there) = places.find_mut(hash(moved.user), |there| *there as usize == last)
        {
            *there = place;
        }
        shrink(places, |place| hash(held[*place as usize].user));
        if held.len() < held.capacity() / 2 {
            held.shrink_to(held.len() + held.len() / 8 + 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    fn claim(number: u64) -> Claim {
        Claim { generation: number, address: Address { mailbox: 1, slot: number as u32, nonce: 3 } }
    }

    #[test]
    fn an_entry_takes_less_than_60_bytes_and_memory_comes_back_after_a_mass_leave() {
        let claims = LocalClaims::new();
        let empty = claims.heap_bytes();
        let mut worst = 0;
        let users = 1_000_000;
        for id in 1..=users {
            assert_eq!(claims.claim(user(id), "phone", claim(id)), Claimed::Free);
            if id >= 100_000 && id % 10_000 == 0 {
                worst = worst.max(claims.heap_bytes() / id as usize);
            }
        }
        assert!(worst < 60, "{worst} bytes an entry");
        for id in 1..=users {
            assert_eq!(claims.held_by(user(id)), [claim(id)]);
            claims.release(user(id), "phone", id);
        }
        assert!(claims.heap_bytes() < empty + 200_000, "{} bytes left", claims.heap_bytes());
    }
}
