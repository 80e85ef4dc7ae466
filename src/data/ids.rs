//! Customer ids: text in one arena, no allocation per customer.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::error::{Error, Result};

/// Ids in the order in which they were pushed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    text: String,
    /// Where each id ends in `text`.
    ends: Vec<usize>,
}

impl Ids {
    pub(crate) fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Distinct ids, each with a number in order of first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    ids: Ids,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Interner {
    /// The number of `id`, and whether it is new.
    pub(crate) fn intern(&mut self, id: &str) -> Result<(u32, bool)> {
        let Interner { ids, numbers, hasher } = self;
        let entry = numbers.entry(hasher.hash_one(id), |&n| ids.get(n as usize) == id, |&n| hasher.hash_one(ids.get(n as usize)));
        match entry {
            Entry::Occupied(known) => Ok((*known.get(), false)),
            Entry::Vacant(free) => {
                let number = u32::try_from(ids.len()).map_err(|_| Error::data("more than 4,294,967,296 distinct customer ids"))?;
                free.insert(number);
                ids.push(id);
                Ok((number, true))
            }
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.numbers.find(self.hasher.hash_one(id), |&n| self.ids.get(n as usize) == id).copied()
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }
}
