//! Results that come again: kept under the bits of what they were worked out from.

/// The results of a costly function of two doubles, by the exact bits of its arguments.
///
/// Each key has a few places that it can be in, and a newcomer to full ones displaces another: looking up costs a few nanoseconds and no memory per
/// row. Whether a result was there or was worked out anew makes no difference to it, so that nothing depends on what was looked up before.
#[derive(Debug)]
pub(crate) struct Remembered<V> {
    pairs: Vec<Pair<V>>,
    /// Results that were found, and results that lost their place to another, since the table has this size.
    found: usize,
    displaced: usize,
}

/// The bits of the two.
type Key = [u64; 2];

/// Two places of a key, which come into the cache together. The pair next to it has the other two: with a single place, two keys that come often would
/// displace each other for ever.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Pair<V>([Slot<V>; 2]);

#[derive(Debug, Clone, Copy)]
struct Slot<V> {
    key: Key,
    value: V,
}

/// Pairs to begin with, and at the most: 16 MB of results that are one number.
const FEWEST: usize = 1 << 9;
const MOST: usize = 1 << 18;

/// The table grows once one in so many of its places was taken from another result.
const CROWDED: usize = 8;

/// The bits of no number that is looked up.
const EMPTY: u64 = u64::MAX;

impl<V: Copy + Default> Default for Remembered<V> {
    fn default() -> Self {
        Remembered { pairs: vec![Pair::empty(); FEWEST], found: 0, displaced: 0 }
    }
}

impl<V> Slot<V> {
    /// Whether it holds the result for this key. Word by word: compared as arrays, the key would be written to memory and read back in wider pieces, for which the
    /// processor waits.
    #[inline(always)]
    fn is_of(&self, key: &Key) -> bool {
        (self.key[0] ^ key[0]) | (self.key[1] ^ key[1]) == 0
    }
}

impl<V: Copy + Default> Pair<V> {
    fn empty() -> Self {
        Pair([Slot { key: [EMPTY; 2], value: V::default() }; 2])
    }

    /// The slot of a key, if it is in one of the two; the second if it is in neither. Chosen without a branch, which could not be guessed.
    #[inline(always)]
    fn slot(&self, key: &Key) -> &Slot<V> {
        &self.0[usize::from(!self.0[0].is_of(key))]
    }
}

impl<V: Copy + Default> Remembered<V> {
    /// The result for a key, worked out when it is not there. None of the numbers is NaN.
    #[inline]
    pub(crate) fn get(&mut self, key: [f64; 2], work_out: impl FnOnce() -> V) -> V {
        match self.find(key) {
            Some(value) => {
                self.found += 1;
                value
            }
            None => {
                let value = work_out();
                self.keep(key, value);
                value
            }
        }
    }

    /// Results of many rows by their keys, into `out`. The rows whose results are not there are put into `missing`.
    ///
    /// A first look at all rows takes no branch that depends on what is there, so that many rows wait for memory at a time.
    #[inline]
    pub(crate) fn look_up(&mut self, key: impl Fn(usize) -> [f64; 2], out: &mut [V], missing: &mut Vec<usize>) {
        missing.clear();
        missing.resize(out.len(), 0);
        let mut count = 0;
        for (row, out) in out.iter_mut().enumerate() {
            let key = key(row).map(f64::to_bits);
            let slot = self.pairs[place(&key, self.pairs.len())].slot(&key);
            *out = slot.value;
            missing[count] = row;
            count += usize::from(!slot.is_of(&key));
        }
        missing.truncate(count);
        missing.retain(|&row| self.find(key(row)).map(|value| out[row] = value).is_none());
        self.found += out.len() - missing.len();
    }

    #[inline]
    fn find(&self, key: [f64; 2]) -> Option<V> {
        let key = key.map(f64::to_bits);
        let first = place(&key, self.pairs.len());
        [first, first ^ 1].into_iter().map(|pair| self.pairs[pair].slot(&key)).find(|slot| slot.is_of(&key)).map(|slot| slot.value)
    }

    /// Puts a result in its place.
    pub(crate) fn keep(&mut self, key: [f64; 2], value: V) {
        // A larger table is of use only where results do come again.
        if self.displaced > 2 * self.pairs.len() / CROWDED && self.found > 2 * self.pairs.len() && self.pairs.len() < MOST {
            self.grow();
        }
        self.put(Slot { key: key.map(f64::to_bits), value });
    }

    fn put(&mut self, newcomer: Slot<V>) {
        let first = place(&newcomer.key, self.pairs.len());
        let places = [(first, 0), (first, 1), (first ^ 1, 0), (first ^ 1, 1)];
        let free = places.into_iter().find(|&(pair, slot)| {
            let taken = &self.pairs[pair].0[slot].key;
            *taken == newcomer.key || taken[0] == EMPTY
        });
        let (pair, slot) = free.unwrap_or(places[self.displaced % places.len()]);
        self.pairs[pair].0[slot] = newcomer;
        self.displaced += usize::from(free.is_none());
    }

    #[cold]
    fn grow(&mut self) {
        let length = 2 * self.pairs.len();
        let before = std::mem::replace(&mut self.pairs, vec![Pair::empty(); length]);
        (self.found, self.displaced) = (0, 0);
        before.into_iter().flat_map(|pair| pair.0).filter(|slot| slot.key[0] != EMPTY).for_each(|slot| self.put(slot));
    }
}

/// The first pair of a key among `pairs` of them, a power of two.
#[inline(always)]
fn place(key: &Key, pairs: usize) -> usize {
    // Times that are whole days in weeks differ in the high bits of their mantissas, and small counts too: each is multiplied upwards, and the high half comes down.
    const ODD: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];
    let sum = key[0].wrapping_mul(ODD[0]).wrapping_add(key[1].wrapping_mul(ODD[1]));
    let mixed = (sum ^ (sum >> 32)).wrapping_mul(ODD[0]);
    (mixed >> 40) as usize & (pairs - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_that_of_its_key_whoever_else_was_looked_up() {
        let mut remembered = Remembered::<f64>::default();
        let mut worked_out = 0;
        for round in 0..6 {
            for x in 0..300_u32 {
                for day in 0..2000_u32 {
                    let key = [f64::from(x), f64::from(day) / 7.0];
                    // Now and then one that comes often.
                    for key in [key, [0.0, f64::from(day % 84)]] {
                        let value = remembered.get(key, || {
                            worked_out += 1;
                            key[0] + 1000.0 * key[1]
                        });
                        assert_eq!(value, key[0] + 1000.0 * key[1], "round {round}");
                    }
                }
            }
        }
        assert!(remembered.pairs.len() == MOST && worked_out >= 600_000, "{} {worked_out}", remembered.pairs.len());
    }

    #[test]
    fn few_results_are_worked_out_once() {
        let mut remembered = Remembered::<f64>::default();
        let mut worked_out = 0;
        for _ in 0..1000 {
            for day in 0..84_u32 {
                for x in 0..20_u32 {
                    remembered.get([f64::from(x), f64::from(188 + day) / 7.0], || {
                        worked_out += 1;
                        0.0
                    });
                }
            }
        }
        // Some are displaced until the table has grown.
        assert!(worked_out < 5 * 1680, "{worked_out}");
        // -0 and 0 are keys of their own.
        assert!(remembered.find([-0.0, 188.0 / 7.0]).is_none());
    }

    #[test]
    fn rows_together_find_what_each_would_find() {
        let mut remembered = Remembered::<f64>::default();
        let key = |row: usize| [(row % 7) as f64, (row % 1000) as f64];
        (0..5000).step_by(3).for_each(|row| remembered.keep(key(row), row as f64));
        let (mut out, mut missing) = (vec![f64::NAN; 5000], vec![1, 2, 3]);
        remembered.look_up(key, &mut out, &mut missing);
        for (row, &out) in out.iter().enumerate() {
            let alone = remembered.find(key(row));
            assert_eq!(missing.contains(&row), alone.is_none());
            assert!(alone.is_none_or(|value| value == out));
        }
        assert!(missing.len() > 1000 && missing.len() < 4000, "{}", missing.len());
    }

    #[test]
    fn a_table_does_not_grow_for_results_that_never_come_again() {
        let mut remembered = Remembered::<f64>::default();
        (0..100_000).for_each(|row| remembered.keep([0.0, f64::from(row)], 0.0));
        assert_eq!(remembered.pairs.len(), FEWEST);
    }
}
