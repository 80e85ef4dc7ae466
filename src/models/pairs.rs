//! The pairs of a purchase count with a time that the rows of a sample are made of.
//!
//! A history (x, t_x, T) is two pairs, (x, t_x) and (x, T). With dates in days there are many times as many histories as pairs, and what is costly in a
//! likelihood can be worked out for the pairs.

use std::ops::Range;

/// Rows for each end of a row's own: with fewer, tables of pairs do not pay.
const ROWS_PER_END: usize = 4;

/// The distinct pairs of a sample, those of one x after the other, times rising.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    x: Vec<f64>,
    t: Vec<f64>,
    /// The next time of the same x; the pair's own where there is none.
    next: Vec<f64>,
    /// The pairs of each x.
    chains: Vec<Range<usize>>,
    /// Of each row, the pairs (x, t_x) and (x, T).
    last: Vec<u32>,
    end: Vec<u32>,
}

impl Pairs {
    /// The pairs of rows in the order of x and T; `None` where they are not many times fewer than the rows.
    pub(super) fn of(x: &[f64], t_x: &[f64], t_cal: &[f64]) -> Option<Self> {
        let rows = x.len();
        let ends = 1 + (1..rows).filter(|&i| (x[i], t_cal[i]) != (x[i - 1], t_cal[i - 1])).count();
        if ROWS_PER_END * ends > rows || u32::try_from(2 * rows).is_err() {
            return None;
        }
        let mut pairs = Pairs {
            x: Vec::new(),
            t: Vec::new(),
            next: Vec::new(),
            chains: Vec::new(),
            last: Vec::with_capacity(rows),
            end: Vec::with_capacity(rows),
        };
        let mut start = 0;
        for group in x.chunk_by(|one, other| one == other) {
            let range = start..start + group.len();
            pairs.push_chain(group[0], &t_x[range.clone()], &t_cal[range.clone()]);
            start = range.end;
        }
        Some(pairs)
    }

    /// The pairs of rows with the same x.
    fn push_chain(&mut self, x: f64, t_x: &[f64], t_cal: &[f64]) {
        let mut times: Vec<f64> = t_x.to_vec();
        times.extend(t_cal.chunk_by(|one, other| one == other).map(|equal| equal[0]));
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let first = self.t.len();
        let place = |time: f64| (first + times.partition_point(|&other| other < time)) as u32;
        self.last.extend(t_x.iter().map(|&time| place(time)));
        self.end.extend(t_cal.iter().map(|&time| place(time)));
        self.x.extend(times.iter().map(|_| x));
        self.next.extend(times.iter().skip(1).chain(times.last()));
        self.t.append(&mut times);
        self.chains.push(first..self.t.len());
    }

    pub(super) fn x(&self) -> &[f64] {
        &self.x
    }

    pub(super) fn t(&self) -> &[f64] {
        &self.t
    }

    /// The next time of the same x, or the pair's own.
    pub(super) fn next(&self) -> &[f64] {
        &self.next
    }

    /// The pairs of each x.
    pub(super) fn chains(&self) -> &[Range<usize>] {
        &self.chains
    }

    /// The pair (x, t_x) of every row.
    pub(super) fn last(&self) -> &[u32] {
        &self.last
    }

    /// The pair (x, T) of every row.
    pub(super) fn end(&self) -> &[u32] {
        &self.end
    }
}
