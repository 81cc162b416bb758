//! A map with a bound (INV-7): at the bound an arbitrary entry makes room, which costs its next reader one look-up.

use std::hash::Hash;

use hashbrown::HashMap;

pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    max: usize,
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { entries: HashMap::new(), max: max.max(1) }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.len() >= self.max
            && !self.entries.contains_key(&key)
            && let Some(victim) = self.entries.keys().next().cloned()
        {
            self.entries.remove(&victim);
        }
        self.entries.insert(key, value);
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.entries.retain(|_, value| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_bound_and_always_the_newest() {
        let mut map = Bounded::new(3);
        for key in 0..100 {
            map.insert(key, key);
            assert_eq!(map.get(&key), Some(&key));
            assert!(map.entries.len() <= 3);
        }
    }
}
