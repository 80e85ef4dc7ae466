//! Results that come again, and whose neighbours come too: kept side by side.

/// The results of a costly function of a whole number of steps and a key, those of neighbouring steps in one line of the cache.
///
/// Where one step was asked for its neighbours will be: a table of lines has little more to keep than the results themselves, and fits into a cache that a table of single
/// results with a key each would not. Looking up costs a few nanoseconds. Whether a result was there or was worked out anew makes no difference to it.
#[derive(Debug)]
pub(crate) struct Neighbours {
    lines: Vec<Line>,
    /// Results that were found, and lines that lost their place to another, since the table has this size.
    found: usize,
    displaced: usize,
    // Of the rows at hand: those whose results are worked out, these results, and other rows of the same.
    missing: Vec<usize>,
    worked_out: Vec<f64>,
    same: Vec<(usize, usize)>,
}

/// Where a result is: the line's key, and the place in the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    key: u64,
    place: usize,
}

impl Place {
    /// The place of a step and a key that is a multiple of 2^20, for steps below 2^20.
    #[inline(always)]
    pub(crate) fn of(step: u64, key: u64) -> Self {
        Place { key: key + step / WIDTH, place: (step % WIDTH) as usize }
    }
}

/// Results of a line: with its key they fill 64 bytes.
const WIDTH: u64 = 7;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line {
    key: u64,
    /// NaN where there is none.
    values: [f64; WIDTH as usize],
}

/// The key of no line.
const EMPTY: u64 = u64::MAX;

/// Lines to begin with, and at the most: 16 MB.
const FEWEST: usize = 1 << 9;
const MOST: usize = 1 << 18;

/// The table grows once one in so many of its lines was taken from others, and by so much.
const CROWDED: usize = 8;
const GROWTH: usize = 4;

impl Line {
    const NONE: Line = Line { key: EMPTY, values: [NOTHING; WIDTH as usize] };
}

/// There is no result, and nobody works it out.
const NOTHING: f64 = f64::NAN;

/// A result that is being worked out is a NaN that carries its number in the low bits.
fn number_of(value: f64) -> Option<usize> {
    (value.to_bits() as u32 as usize).checked_sub(1)
}

fn being_worked_out(number: usize) -> f64 {
    f64::from_bits(NOTHING.to_bits() | (number as u64 + 1))
}

impl Default for Neighbours {
    fn default() -> Self {
        let lines = vec![Line::NONE; FEWEST];
        Neighbours { lines, found: 0, displaced: 0, missing: Vec::new(), worked_out: Vec::new(), same: Vec::new() }
    }
}

impl Neighbours {
    /// Puts the results of many rows into `out`, by their places. Those that are not known are asked from `work_out`: it has the rows, each result once, and fills in their
    /// results, none of which is NaN.
    #[inline]
    pub(crate) fn fill(&mut self, place: impl Fn(usize) -> Place, out: &mut [f64], work_out: impl FnOnce(&[usize], &mut [f64])) {
        if self.displaced > self.lines.len() / CROWDED && self.found > self.lines.len() && self.lines.len() < MOST {
            // A larger table is of use only where results do come again.
            self.grow();
        }
        self.missing.clear();
        self.missing.resize(out.len(), 0);
        let (lines, missing) = (self.lines.as_slice(), self.missing.as_mut_slice());
        let mut count = 0;
        // Without a branch that depends on what is there, so that many rows wait for memory at a time.
        for (row, out) in out.iter_mut().enumerate() {
            let Place { key, place } = place(row);
            let line = &lines[first_of(key, lines.len())];
            *out = if line.key == key { line.values[place] } else { NOTHING };
            missing[count] = row;
            count += usize::from(out.is_nan());
        }
        self.missing.truncate(count);
        self.number_missing(&place, out);
        self.found += out.len() - self.missing.len();
        self.worked_out.clear();
        self.worked_out.resize(self.missing.len(), NOTHING);
        work_out(&self.missing, &mut self.worked_out);
        for (&row, &result) in self.missing.iter().zip(&self.worked_out) {
            out[row] = result;
            let Place { key, place } = place(row);
            // Unless others have taken its line since.
            if let Some(line) = self.line_of(key) {
                self.lines[line].values[place] = result;
            }
        }
        self.same.iter().for_each(|&(row, number)| out[row] = self.worked_out[number]);
    }

    /// Leaves of the missing rows one for each result.
    fn number_missing(&mut self, place: impl Fn(usize) -> Place, out: &mut [f64]) {
        self.same.clear();
        let mut missing = std::mem::take(&mut self.missing);
        let mut count = 0;
        missing.retain(|&row| {
            let Place { key, place } = place(row);
            let line = self.line(key);
            let value = &mut self.lines[line].values[place];
            out[row] = *value;
            if !value.is_nan() {
                // In the other line that it can be in.
                return false;
            }
            match number_of(*value) {
                Some(number) => self.same.push((row, number)),
                None => {
                    *value = being_worked_out(count);
                    count += 1;
                    return true;
                }
            }
            false
        });
        self.missing = missing;
    }

    /// The line that has a key.
    #[inline(always)]
    fn line_of(&self, key: u64) -> Option<usize> {
        let first = first_of(key, self.lines.len());
        [first, first ^ 1].into_iter().find(|&line| self.lines[line].key == key)
    }

    /// The line of a key: its own, an empty one, or one taken from another key.
    fn line(&mut self, key: u64) -> usize {
        if let Some(line) = self.line_of(key) {
            return line;
        }
        let first = first_of(key, self.lines.len());
        let places = [first, first ^ 1];
        let free = places.into_iter().find(|&line| self.lines[line].key == EMPTY);
        self.displaced += usize::from(free.is_none());
        let line = free.unwrap_or(places[self.displaced % places.len()]);
        self.lines[line] = Line { key, ..Line::NONE };
        line
    }

    #[cold]
    fn grow(&mut self) {
        let length = (GROWTH * self.lines.len()).min(MOST);
        let before = std::mem::replace(&mut self.lines, vec![Line::NONE; length]);
        (self.found, self.displaced) = (0, 0);
        for old in before.into_iter().filter(|line| line.key != EMPTY) {
            let line = self.line(old.key);
            self.lines[line] = old;
        }
    }
}

/// The first of the two lines that a key can be in, of so many: a power of two.
#[inline(always)]
fn first_of(key: u64, lines: usize) -> usize {
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize & (lines - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that tells a step and a key from all others.
    fn result(step: usize, key: u64) -> f64 {
        (step as u64 + 3 * key) as f64
    }

    /// Asks for all steps below so many of each key, three times over in one call, and returns how many results were worked out.
    fn ask(table: &mut Neighbours, steps: usize, keys: u64) -> usize {
        let mut out = vec![0.0; 3 * steps];
        let mut worked_out = 0;
        for key in (0..keys).map(|key| key << 20) {
            table.fill(
                |row| Place::of((row % steps) as u64, key),
                &mut out,
                |rows, results| {
                    worked_out += rows.len();
                    rows.iter().zip(results).for_each(|(row, to)| *to = result(row % steps, key));
                },
            );
            assert!((0..3 * steps).all(|row| out[row] == result(row % steps, key)));
        }
        worked_out
    }

    #[test]
    fn a_result_is_that_of_its_key_whoever_else_was_looked_up() {
        let mut table = Neighbours::default();
        // More than it has room for: two rounds, in which a table without bounds would work out half as many.
        let worked_out = ask(&mut table, 2000, 2000) + ask(&mut table, 2000, 2000);
        assert!(table.lines.len() == MOST && worked_out > 5_000_000, "{} {worked_out}", table.lines.len());
    }

    #[test]
    fn few_results_are_worked_out_once() {
        let mut table = Neighbours::default();
        let worked_out = (0..20).map(|_| ask(&mut table, 273, 400)).sum::<usize>();
        // Some are displaced until the table has grown.
        assert!(worked_out < 2 * 400 * 273, "{worked_out}");
    }

    #[test]
    fn rows_of_one_result_ask_for_it_once() {
        assert_eq!(ask(&mut Neighbours::default(), 100, 1), 100);
    }

    #[test]
    fn a_table_does_not_grow_for_results_that_never_come_again() {
        let mut table = Neighbours::default();
        for key in 0..100_000 {
            table.fill(|_| Place::of(0, key << 20), &mut [0.0], |_, results| results[0] = 1.0);
        }
        assert_eq!(table.lines.len(), FEWEST);
    }
}
