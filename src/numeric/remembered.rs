//! Results that come again: kept under the bits of what they were worked out from.

/// The results of a costly function of K doubles, by the exact bits of its arguments.
///
/// Each key has a few slots that it can be in, and a newcomer to full ones takes the place of another: looking up costs a few nanoseconds and no memory per
/// row. Whether a result was there or was worked out anew makes no difference to it, so that nothing depends on what was looked up before.
#[derive(Debug)]
pub(crate) struct Remembered<const K: usize, V> {
    slots: Vec<Slot<K, V>>,
    /// Results that lost their place to another since the table has this size.
    displaced: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot<const K: usize, V> {
    key: [u64; K],
    value: V,
}

/// Slots to begin with, and at the most: by then the table is at the edge of the second-level cache.
const FEWEST: usize = 1 << 10;
const MOST: usize = 1 << 16;

/// Slots that a key can be in, one after the other: with a single one, two keys that come often would displace each other for ever.
const WAYS: usize = 4;

/// The bits of no number that is looked up.
const EMPTY: u64 = u64::MAX;

impl<const K: usize, V: Copy + Default> Remembered<K, V> {
    pub(crate) fn new() -> Self {
        Remembered { slots: vec![Slot { key: [EMPTY; K], value: V::default() }; FEWEST], displaced: 0 }
    }

    /// The result for a key, worked out when it is not there. None of the numbers is NaN.
    #[inline]
    pub(crate) fn get(&mut self, key: [f64; K], work_out: impl FnOnce() -> V) -> V {
        match self.find(key) {
            Some(value) => value,
            None => {
                let value = work_out();
                self.keep(key, value);
                value
            }
        }
    }

    /// The result for a key, if it is there.
    #[inline]
    pub(crate) fn find(&self, key: [f64; K]) -> Option<V> {
        let key = key.map(f64::to_bits);
        let first = place(&key, self.slots.len());
        self.slots[first..first + WAYS].iter().find(|slot| slot.key == key).map(|slot| slot.value)
    }

    /// Puts a result in its place.
    pub(crate) fn keep(&mut self, key: [f64; K], value: V) {
        if self.displaced > self.slots.len() && self.slots.len() < MOST {
            self.grow();
        }
        self.put(Slot { key: key.map(f64::to_bits), value });
    }

    fn put(&mut self, newcomer: Slot<K, V>) {
        let first = place(&newcomer.key, self.slots.len());
        let ways = &mut self.slots[first..first + WAYS];
        let free = ways.iter().position(|slot| slot.key == newcomer.key || slot.key[0] == EMPTY);
        ways[free.unwrap_or(self.displaced % WAYS)] = newcomer;
        self.displaced += usize::from(free.is_none());
    }

    #[cold]
    fn grow(&mut self) {
        let length = 4 * self.slots.len();
        let empty = Slot { key: [EMPTY; K], value: V::default() };
        let before = std::mem::replace(&mut self.slots, vec![empty; length]);
        self.displaced = 0;
        before.into_iter().filter(|slot| slot.key[0] != EMPTY).for_each(|slot| self.put(slot));
    }
}

/// The first slot of a key among `slots` of them, a power of two.
#[inline]
fn place<const K: usize>(key: &[u64; K], slots: usize) -> usize {
    // Times that are whole days in weeks differ in the high bits of their mantissas, and small counts too: each is multiplied upwards, and the high half comes down.
    const ODD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let sum = key.iter().zip(ODD).fold(0_u64, |sum, (part, odd)| sum.wrapping_add(part.wrapping_mul(odd)));
    let mixed = (sum ^ (sum >> 32)).wrapping_mul(ODD[0]);
    (mixed >> 40) as usize & (slots - WAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_that_of_its_key_whoever_else_was_looked_up() {
        let mut remembered = Remembered::<2, f64>::new();
        let mut worked_out = 0;
        for round in 0..3 {
            for x in 0..300_u32 {
                for day in 0..400_u32 {
                    let key = [f64::from(x), f64::from(day) / 7.0];
                    let value = remembered.get(key, || {
                        worked_out += 1;
                        key[0] + 1000.0 * key[1]
                    });
                    assert_eq!(value, key[0] + 1000.0 * key[1], "round {round}");
                }
            }
        }
        assert!(remembered.slots.len() == MOST && worked_out >= 120_000);
    }

    #[test]
    fn few_results_are_worked_out_once() {
        let mut remembered = Remembered::<2, f64>::new();
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
}
