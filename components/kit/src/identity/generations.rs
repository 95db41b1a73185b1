//! A bounded cache of two generations: what is in use moves into the young one, and when that is full, the old one
//! is dropped. A cache that is emptied at once would miss for every caller, again and again.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Entries of one generation.
    size: usize,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    pub fn new(size: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            size,
        }
    }

    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        // An empty map would hash the key, too.
        if !self.old.is_empty()
            && let Some((key, value)) = self.old.remove_entry(key)
        {
            self.insert(key, value);
        }
        self.young.get(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.size {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_a_generation_in_rotation_is_remembered() {
        let mut cache = Generations::new(512);
        let mut hits = 0;
        for number in (0..513).cycle().take(5 * 513) {
            match cache.get(&number) {
                Some(_) => hits += 1,
                None => cache.insert(number, ()),
            }
        }
        assert_eq!(hits, 4 * 513);
    }

    #[test]
    fn it_holds_two_generations_at_most() {
        let mut cache = Generations::new(4);
        for number in 0..100 {
            cache.insert(number, number);
        }
        assert!(cache.young.len() + cache.old.len() <= 8);
        assert_eq!(cache.get(&99), Some(&99));
        assert_eq!(cache.get(&1), None);
        cache.remove(&99);
        assert_eq!(cache.get(&99), None);
    }
}
