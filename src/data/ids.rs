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
    pub(crate) fn with_capacity(ids: usize, bytes: usize) -> Self {
        Ids { text: String::with_capacity(bytes), ends: Vec::with_capacity(ids) }
    }

    pub(crate) fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The length of all ids together.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// List and place of all ids in byte order; equal ones stay in the order they have. Lists that are in order already are merged, which is quick.
pub(crate) fn ids_in_order(lists: &[&Ids]) -> Vec<(u32, u32)> {
    let all = || lists.iter().flat_map(|list| list.iter());
    // Ids mostly begin alike. What comes after the common beginning tells most of them apart in a single comparison of numbers.
    let first = all().next().unwrap_or_default().as_bytes();
    let alike = all().fold(first.len(), |alike, id| first.iter().zip(id.as_bytes()).take(alike).take_while(|(a, b)| a == b).count());
    let key = |id: &str| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(&id.as_bytes()[alike..]).for_each(|(byte, &of_id)| *byte = of_id);
        u64::from_be_bytes(bytes)
    };
    let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(lists.iter().map(|list| list.len()).sum());
    for (index, list) in lists.iter().enumerate() {
        order.extend(list.iter().enumerate().map(|(place, id)| (key(id), index as u32, place as u32)));
    }
    let id = |list: u32, place: u32| lists[list as usize].get(place as usize);
    order.sort_by(|&(key, list, place), &(other_key, other_list, other_place)| {
        key.cmp(&other_key).then_with(|| id(list, place).cmp(id(other_list, other_place)))
    });
    order.into_iter().map(|(_, list, place)| (list, place)).collect()
}

/// Whether an id names nobody.
#[inline]
pub(crate) fn is_blank(id: &str) -> bool {
    // Nearly all ids begin with a letter or a digit.
    !id.as_bytes().first().is_some_and(u8::is_ascii_graphic) && id.trim().is_empty()
}

/// Distinct ids, each with a number in order of first appearance. The hash of an id is the caller's, who needs it anyway to choose an interner.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    ids: Ids,
    /// Numbers, with as much of the hash as saves hashing again when the table grows.
    numbers: HashTable<(u32, u32)>,
}

impl Interner {
    /// The number of `id`, and whether it is new.
    pub(crate) fn intern(&mut self, id: &str, hash: u64) -> Result<(u32, bool)> {
        let Interner { ids, numbers } = self;
        let short = shorten(hash);
        let entry = numbers.entry(spread(short), |&(n, other)| other == short && ids.get(n as usize) == id, |&(_, other)| spread(other));
        match entry {
            Entry::Occupied(known) => Ok((known.get().0, false)),
            Entry::Vacant(free) => {
                let number = u32::try_from(ids.len()).map_err(|_| Error::data("more than 4,294,967,296 distinct customer ids"))?;
                free.insert((number, short));
                ids.push(id);
                Ok((number, true))
            }
        }
    }

    pub(crate) fn find(&self, id: &str, hash: u64) -> Option<u32> {
        let short = shorten(hash);
        self.numbers.find(spread(short), |&(n, other)| other == short && self.ids.get(n as usize) == id).map(|&(number, _)| number)
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }
}

/// The half of a hash that no interner was chosen by.
fn shorten(hash: u64) -> u32 {
    hash as u32
}

/// The table takes a place from the low bits and a tag from the high ones.
fn spread(short: u32) -> u64 {
    u64::from(short) | u64::from(short) << 32
}

/// The hash function of ids. One random key for all interners of a log, so that a hash is taken once.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdHasher(RandomState);

impl IdHasher {
    #[inline]
    pub(crate) fn hash(&self, id: &str) -> u64 {
        self.0.hash_one(id)
    }
}
