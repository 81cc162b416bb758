//! Connections by number, in pages that are given back when their last connection leaves: a slab in one piece would keep, and move,
//! as much as ever stood in it.

use std::collections::BTreeSet;

/// Entries of a page: some 150 KiB, large enough for the allocator to hand it back to the system.
const PAGE_ENTRIES: usize = 1024;

struct Page<T> {
    entries: Box<[Option<T>]>,
    /// Places that were given back.
    free: Vec<u16>,
    /// Places from here on were never taken.
    fresh: u16,
    taken: u16,
}

impl<T> Page<T> {
    fn new() -> Self {
        Self { entries: (0..PAGE_ENTRIES).map(|_| None).collect(), free: Vec::new(), fresh: 0, taken: 0 }
    }

    fn next(&self) -> usize {
        usize::from(self.free.last().copied().unwrap_or(self.fresh))
    }

    fn is_full(&self) -> bool {
        usize::from(self.taken) == self.entries.len()
    }
}

/// A slab of pages. Low numbers are given out first, so that the last pages empty first.
pub(crate) struct Pages<T> {
    pages: Vec<Option<Page<T>>>,
    /// Pages that are not full, the missing ones among them; one page beyond the end always is.
    open: BTreeSet<usize>,
    len: usize,
}

impl<T> Pages<T> {
    /// Without entries.
    pub(crate) fn new() -> Self {
        Self { pages: Vec::new(), open: BTreeSet::from([0]), len: 0 }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number that [`insert`](Self::insert) gives next.
    pub(crate) fn vacant_key(&self) -> usize {
        let at = self.open.first().copied().unwrap_or(self.pages.len());
        let place = self.pages.get(at).and_then(Option::as_ref).map_or(0, Page::next);
        at * PAGE_ENTRIES + place
    }

    /// Puts an entry in; its number.
    pub(crate) fn insert(&mut self, entry: T) -> usize {
        let key = self.vacant_key();
        let (at, place) = (key / PAGE_ENTRIES, key % PAGE_ENTRIES);
        if at == self.pages.len() {
            self.pages.push(None);
            self.open.insert(at + 1);
        }
        if let Some(page) = self.pages.get_mut(at) {
            let page = page.get_or_insert_with(Page::new);
            if page.free.pop().is_none() {
                page.fresh += 1;
            }
            page.taken += 1;
            if let Some(vacant) = page.entries.get_mut(place) {
                *vacant = Some(entry);
            }
            if page.is_full() {
                self.open.remove(&at);
            }
        }
        self.len += 1;
        key
    }

    /// The entry of that number.
    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        self.pages.get(key / PAGE_ENTRIES)?.as_ref()?.entries.get(key % PAGE_ENTRIES)?.as_ref()
    }

    /// The entry of that number.
    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.pages.get_mut(key / PAGE_ENTRIES)?.as_mut()?.entries.get_mut(key % PAGE_ENTRIES)?.as_mut()
    }

    /// Takes an entry out, and its page with it if it was the last.
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let (at, place) = (key / PAGE_ENTRIES, key % PAGE_ENTRIES);
        let slot = self.pages.get_mut(at)?;
        let page = slot.as_mut()?;
        let entry = page.entries.get_mut(place)?.take()?;
        self.len -= 1;
        page.taken -= 1;
        page.free.push(place as u16);
        if page.taken == 0 {
            *slot = None;
        }
        self.open.insert(at);
        while let Some(None) = self.pages.last() {
            self.pages.pop();
            self.open.remove(&(self.pages.len() + 1));
        }
        Some(entry)
    }

    /// Every number that is taken, ascending.
    pub(crate) fn keys(&self) -> Vec<usize> {
        let pages = self.pages.iter().enumerate().filter_map(|(at, page)| Some((at, page.as_ref()?)));
        pages
            .flat_map(|(at, page)| {
                let taken = page.entries.iter().enumerate().filter(|(_, entry)| entry.is_some());
                taken.map(move |(place, _)| at * PAGE_ENTRIES + place)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_out_low_first_and_again() {
        let mut pages = Pages::new();
        let many = 3 * PAGE_ENTRIES + 5;
        for number in 0..many {
            assert_eq!(pages.vacant_key(), number);
            assert_eq!(pages.insert(number), number);
        }
        assert_eq!(pages.remove(2000), Some(2000));
        assert_eq!(pages.remove(7), Some(7));
        assert_eq!(pages.remove(7), None);
        assert_eq!((pages.get(7), pages.get(8), pages.len()), (None, Some(&8), many - 2));
        assert_eq!(pages.insert(70), 7);
        assert_eq!(pages.insert(71), 2000);
        assert_eq!(pages.insert(72), many);
        assert_eq!(pages.keys().len(), many + 1);
    }

    #[test]
    fn a_page_without_entries_is_given_back() {
        let mut pages = Pages::new();
        let many = 4 * PAGE_ENTRIES;
        (0..many).for_each(|number| assert_eq!(pages.insert(number), number));
        // One stays in the last page: those before it go all the same.
        (0..many - 1).for_each(|key| assert_eq!(pages.remove(key), Some(key)));
        assert_eq!(pages.pages.iter().filter(|page| page.is_some()).count(), 1);
        assert_eq!(pages.remove(many - 1), Some(many - 1));
        assert!(pages.pages.is_empty() && pages.is_empty());
        assert_eq!(pages.open, BTreeSet::from([0]));
        assert_eq!(pages.insert(1), 0);
    }
}
