//! Whether an id of a summary came before.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::data::{IdHasher, Interner};
use crate::error::Result;

/// Ids whose hashes are kept when not all of them can be: 18 MB.
const HASHES_KEPT: usize = 1 << 20;

/// The ids that came before, as far as they are known.
pub(super) enum Repeats {
    /// All of them: of a summary that is in memory anyway.
    All { ids: Interner, hasher: IdHasher },
    /// As far as constant memory goes: see [`Latest`].
    Latest(Box<Latest>),
}

/// The first ids by their hashes (of 64 bits: one of a million distinct ids is taken for another in one of 37 million files), and those in ascending order, as
/// this crate writes them, however many they are.
#[derive(Default)]
pub(super) struct Latest {
    hashes: HashTable<u64>,
    hasher: IdHasher,
    last: String,
    out_of_order: bool,
    unchecked: u64,
}

impl Repeats {
    pub(super) fn all() -> Self {
        Repeats::All { ids: Interner::default(), hasher: IdHasher::default() }
    }

    pub(super) fn latest() -> Self {
        Repeats::Latest(Box::default())
    }

    /// Whether this id is known to have come before; from now on it has.
    pub(super) fn repeats(&mut self, id: &str) -> Result<bool> {
        match self {
            Repeats::All { ids, hasher } => Ok(!ids.intern(id, hasher.hash(id))?.1),
            Repeats::Latest(latest) => Ok(latest.repeats(id)),
        }
    }

    /// How many ids were not held against all before them.
    pub(super) fn unchecked(&self) -> u64 {
        match self {
            Repeats::All { .. } => 0,
            Repeats::Latest(latest) => latest.unchecked,
        }
    }
}

impl Latest {
    fn repeats(&mut self, id: &str) -> bool {
        let ascends = !self.out_of_order && *self.last < *id;
        self.out_of_order |= !ascends && self.last != id;
        let repeats = if self.hashes.len() < HASHES_KEPT {
            let hash = self.hasher.hash(id);
            match self.hashes.entry(hash, |&other| other == hash, |&other| other) {
                Entry::Occupied(_) => true,
                Entry::Vacant(free) => {
                    free.insert(hash);
                    false
                }
            }
        } else {
            self.unchecked += u64::from(!ascends && self.last != id);
            !ascends && self.last == id
        };
        self.last.clear();
        self.last.push_str(id);
        repeats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(ids: impl IntoIterator<Item = String>) -> (u64, u64) {
        let mut repeats = Repeats::latest();
        let found = ids.into_iter().filter(|id| repeats.repeats(id).unwrap()).count() as u64;
        (found, repeats.unchecked())
    }

    #[test]
    fn ids_in_order_are_checked_however_many_they_are() {
        let many = 2 * HASHES_KEPT as u64;
        let ids = (0..many).map(|id| format!("{id:09}"));
        assert_eq!(repeats(ids.clone().chain([format!("{:09}", many - 1)])), (1, 0));
        // In no order, the first ones are.
        let backwards = (0..many).rev().map(|id| format!("{id:09}"));
        assert_eq!(repeats(backwards), (0, many / 2));
        assert_eq!(repeats(["b", "a", "b", "c"].map(str::to_owned)), (1, 0));
    }
}
