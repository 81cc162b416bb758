//! A map with a bound (INV-7) that keeps what was used last.

use std::hash::Hash;

use hashbrown::HashMap;

/// Two generations of half the bound each: when the younger is full, the older is forgotten and the younger takes its place. What is read moves to
/// the younger, so that what is in use stays; reading and writing cost the same at every fill.
pub(crate) struct Cache<K, V> {
    younger: HashMap<K, V>,
    older: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq + Clone, V: Copy> Cache<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { younger: HashMap::new(), older: HashMap::new(), half: (max / 2).max(1) }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.younger.get(key) {
            return Some(*value);
        }
        let value = self.older.remove(key)?;
        self.insert(key.clone(), value);
        Some(value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.older.remove(&key);
        if self.younger.len() >= self.half && !self.younger.contains_key(&key) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.younger.remove(key);
        self.older.remove(key);
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.younger.retain(|_, value| keep(value));
        self.older.retain(|_, value| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len<K, V>(cache: &Cache<K, V>) -> usize {
        cache.younger.len() + cache.older.len()
    }

    #[test]
    fn it_never_holds_more_than_its_bound_and_always_the_newest() {
        for max in [2, 3, 10, 64] {
            let mut cache = Cache::new(max);
            for key in 0..1000 {
                cache.insert(key, key);
                assert_eq!(cache.get(&key), Some(key));
                assert!(len(&cache) <= max, "{} of {max}", len(&cache));
            }
        }
    }

    #[test]
    fn what_is_read_again_and_again_is_never_forgotten() {
        let mut cache = Cache::new(10);
        cache.insert(0, 0);
        for key in 1..1000 {
            cache.insert(key, key);
            assert_eq!(cache.get(&0), Some(0), "after {key}");
        }
    }

    #[test]
    fn a_new_value_replaces_the_old_one_in_both_generations() {
        let mut cache = Cache::new(4);
        for round in 0..5 {
            cache.insert('a', round);
            cache.insert('b', round);
            cache.insert('c', round);
            assert_eq!((cache.get(&'c'), cache.get(&'b')), (Some(round), Some(round)));
        }
        cache.remove(&'b');
        cache.retain(|value| *value != 4);
        assert_eq!(len(&cache), 0);
    }
}
