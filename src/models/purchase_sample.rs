//! Purchase histories as a likelihood sees them.

use std::mem;
use std::ops::Range;
use std::sync::OnceLock;

use rand::Rng;

use super::packed::{pack, unpack};
use super::pairs::Pairs;
use super::sample::{GroupedSample, Sample, check_redrawn, draw_copies, sum_chunks};
use crate::data::{Customers, History};
use crate::error::{Error, Result};
use crate::numeric::block::{Term, weighted_sum};
use crate::numeric::jet::Jet;
use crate::parallel::sort_unstable;

/// Distinct purchase histories.
#[derive(Debug, Clone)]
pub struct PurchaseSample {
    /// The distinct histories by column, in the order of x, T and t_x.
    x: Vec<f64>,
    t_x: Vec<f64>,
    t_cal: Vec<f64>,
    weight: Vec<f64>,
    /// Distinct x with the number of customers who have it.
    frequencies: Vec<(f64, f64)>,
    customers: f64,
    mean_age: f64,
    /// Made when a likelihood first asks for them.
    pairs: OnceLock<Option<Pairs>>,
}

#[derive(Debug, Clone, Copy)]
struct PurchaseRow {
    x: f64,
    t_x: f64,
    t_cal: f64,
    weight: f64,
}

impl PurchaseRow {
    fn of(customers: &Customers, i: usize) -> Self {
        PurchaseRow {
            x: f64::from(customers.frequency()[i]),
            // Adding 0 turns -0 into 0, whose bits come first.
            t_x: customers.recency()[i] + 0.0,
            t_cal: customers.age()[i] + 0.0,
            weight: customers.weight(i),
        }
    }

    /// By x, T and t_x, which tell rows apart, then by weight. Numbers from 0 are in the order of their bits.
    fn order(&self) -> ((u64, u64, u64), u64) {
        ((self.x.to_bits(), self.t_cal.to_bits(), self.t_x.to_bits()), self.weight.to_bits())
    }
}

/// The distinct rows, in order, each with the weight of all that are equal.
fn distinct(mut rows: Vec<PurchaseRow>) -> Vec<PurchaseRow> {
    sort_unstable(&mut rows, PurchaseRow::order);
    rows.dedup_by(|next, kept| {
        let same = next.order().0 == kept.order().0;
        if same {
            kept.weight += next.weight;
        }
        same
    });
    rows
}

/// The distinct rows, in order, of customers whose times are whole hours, as those of every log are, and whose weights are all 1: packed into one number each,
/// they are sorted many times as fast. `None` for other customers.
fn distinct_by_hours(customers: &Customers) -> Option<Vec<PurchaseRow>> {
    if customers.is_weighted() {
        return None;
    }
    let hours_per_unit = customers.unit().hours();
    let mut packed = Vec::new();
    if !pack(customers.frequency(), customers.recency(), customers.age(), hours_per_unit, &mut packed) {
        return None;
    }
    sort_unstable(&mut packed, |&row| row);
    let row = |equal: &[u64]| {
        let (x, t_x, t_cal) = unpack(equal[0], hours_per_unit);
        PurchaseRow { x, t_x, t_cal, weight: equal.len() as f64 }
    };
    Some(packed.chunk_by(|row, next| row == next).map(row).collect())
}

/// A stretch of a sample's columns.
pub(crate) struct PurchaseColumns<'a> {
    /// Which rows of the sample these are.
    pub(crate) range: Range<usize>,
    pub(crate) x: &'a [f64],
    pub(crate) t_x: &'a [f64],
    pub(crate) t_cal: &'a [f64],
    pub(crate) weight: &'a [f64],
}

impl PurchaseColumns<'_> {
    /// The weighted sum of a term of (x, t_x, T).
    pub(crate) fn sum<const N: usize>(&self, term: impl Term<3, N>) -> Jet<N> {
        weighted_sum([self.x, self.t_x, self.t_cal], self.weight, term)
    }
}

impl GroupedSample for PurchaseSample {
    fn by_group(customers: &Customers, group_of: &[usize], groups: usize) -> Vec<Self> {
        let mut rows = vec![Vec::new(); groups];
        for (i, &group) in group_of.iter().enumerate() {
            rows[group].push(PurchaseRow::of(customers, i));
        }
        rows.into_iter().map(|rows| PurchaseSample::in_columns(&distinct(rows))).collect()
    }
}

impl Sample for PurchaseSample {
    type Source = Customers;

    fn new(customers: &Customers) -> Result<Self> {
        if customers.has_births() {
            return Err(Error::data(
                "some customers were born before the log, or at a time that is not known, and this likelihood is one of complete histories; take those of known birth \
                 (of_known_birth) as left-truncated (Customers::left_truncated)",
            ));
        }
        if let Some(rows) = distinct_by_hours(customers) {
            return PurchaseSample::of_distinct(&rows);
        }
        PurchaseSample::of((0..customers.len()).map(|i| PurchaseRow::of(customers, i)).collect())
    }

    fn customers(&self) -> f64 {
        self.customers
    }

    fn repeat_buyers(&self) -> f64 {
        self.frequencies.iter().filter(|(x, _)| *x > 0.0).map(|(_, weight)| weight).sum()
    }

    fn magnitude(&self) -> f64 {
        let of_time = self.mean_age.ln().abs();
        self.frequencies.iter().map(|&(x, weight)| weight * (1.0 + x) * (1.0 + x.ln_1p() + of_time)).sum()
    }

    fn scale(&self) -> f64 {
        self.mean_age
    }

    fn weights(&self) -> Vec<f64> {
        self.weight.clone()
    }

    fn with_weights(&self, weights: &[f64]) -> Result<Self> {
        let rows = self.rows().zip(weights).map(|(row, &weight)| PurchaseRow { weight, ..row });
        PurchaseSample::of_distinct(&rows.filter(|row| row.weight > 0.0).collect::<Vec<_>>())
    }

    /// The customers with their times rounded to the middle of a stretch, so that many are alike. Unlike a part of the customers it errs by the square of the
    /// stretch only.
    fn sketch(&self) -> Option<Self> {
        /// Stretches of the longest age, and histories that are so few that they are quickly passed over.
        const STRETCHES: usize = 48;
        const FEW: usize = 65_536;
        /// Rows of one x that a table of all stretches pays for.
        const WORTH_A_TABLE: usize = 512;

        if self.distinct() <= FEW {
            return None;
        }
        let width = self.t_cal.iter().copied().fold(0.0, f64::max) / STRETCHES as f64;
        let stretch = |time: f64| ((time / width) as usize).min(STRETCHES - 1);
        let middle = |stretch: usize| (stretch as f64 + 0.5) * width;
        let mut rows: Vec<PurchaseRow> = Vec::new();
        let mut table = vec![0.0; STRETCHES * STRETCHES];
        let mut start = 0;
        for same in self.x.chunk_by(|one, other| one == other) {
            let (x, range) = (same[0], start..start + same.len());
            start = range.end;
            if range.len() < WORTH_A_TABLE {
                rows.extend(range.map(|i| self.row(i)));
                continue;
            }
            for i in range {
                table[stretch(self.t_cal[i]) * STRETCHES + stretch(self.t_x[i])] += self.weight[i];
            }
            for (cell, weight) in table.iter_mut().enumerate().filter(|(_, weight)| **weight > 0.0) {
                let t_x = if x > 0.0 { middle(cell % STRETCHES) } else { 0.0 };
                rows.push(PurchaseRow { x, t_x, t_cal: middle(cell / STRETCHES), weight: mem::take(weight) });
            }
        }
        PurchaseSample::of_distinct(&rows).ok()
    }

    fn extremes(&self) -> Vec<usize> {
        // Rows are in the order of x: the most frequent buyer, and the one who bought most often for their age.
        let rate = |row: &PurchaseRow| row.x / (row.t_cal + 0.05 * self.mean_age);
        let rates: Vec<f64> = self.rows().map(|row| rate(&row)).collect();
        let quickest = (0..rates.len()).max_by(|&i, &j| rates[i].total_cmp(&rates[j]));
        let mut rows: Vec<usize> = quickest.into_iter().chain([rates.len() - 1]).collect();
        rows.dedup();
        rows
    }

    fn describe(&self, row: usize) -> String {
        let (x, t_x, t_cal) = (self.x[row], self.t_x[row], self.t_cal[row]);
        format!("{x} repeat purchases, the last one {t_x:.1} after the first, of an age of {t_cal:.1}")
    }
}

impl PurchaseSample {
    /// Sorts, and counts equal rows once.
    fn of(rows: Vec<PurchaseRow>) -> Result<Self> {
        PurchaseSample::of_distinct(&distinct(rows))
    }

    /// The sample of histories, each with the number of customers who have it.
    pub(super) fn of_histories(rows: impl Iterator<Item = (History, f64)>) -> Result<Self> {
        let row = |(history, weight): (History, f64)| PurchaseRow {
            x: f64::from(history.frequency()),
            t_x: history.recency() + 0.0,
            t_cal: history.age() + 0.0,
            weight,
        };
        PurchaseSample::of(rows.map(row).collect())
    }

    /// Checks rows that are distinct and in order, and puts them into columns.
    fn of_distinct(rows: &[PurchaseRow]) -> Result<Self> {
        let customers: f64 = rows.iter().map(|row| row.weight).sum();
        if rows.iter().all(|row| row.x == 0.0) {
            return Err(Error::fit(format!(
                "none of the {customers} customers has a repeat purchase, so neither purchase rates nor dropout can be estimated; observe them for \
                 longer or check that the log holds all purchases, not only first ones"
            )));
        }
        if rows.iter().all(|row| row.t_cal == 0.0) {
            return Err(Error::fit("every customer has age 0: nobody was observed after the first purchase"));
        }
        Ok(PurchaseSample::in_columns(rows))
    }

    /// Puts rows that are distinct and in order into columns.
    fn in_columns(rows: &[PurchaseRow]) -> Self {
        let customers = rows.iter().map(|row| row.weight).sum();
        let mut frequencies: Vec<(f64, f64)> = Vec::new();
        for row in rows {
            match frequencies.last_mut() {
                Some((x, weight)) if *x == row.x => *weight += row.weight,
                _ => frequencies.push((row.x, row.weight)),
            }
        }
        let mean_age = rows.iter().map(|row| row.weight * row.t_cal).sum::<f64>() / customers;
        let column = |of: fn(&PurchaseRow) -> f64| rows.iter().map(of).collect();
        PurchaseSample {
            x: column(|row| row.x),
            t_x: column(|row| row.t_x),
            t_cal: column(|row| row.t_cal),
            weight: column(|row| row.weight),
            frequencies,
            customers,
            mean_age,
            pairs: OnceLock::new(),
        }
    }

    /// The same customers, observed for as long, with the (x, t_x) that `draw` gives for an age.
    pub(crate) fn redrawn<R: Rng>(&self, rng: &mut R, draw: impl Fn(f64, &mut R) -> Result<(u32, f64)>) -> Result<Self> {
        check_redrawn(self.customers)?;
        let mut rows = Vec::new();
        for row in self.rows() {
            for _ in 0..draw_copies(row.weight, rng) {
                let (x, t_x) = draw(row.t_cal, rng)?;
                rows.push(PurchaseRow { x: f64::from(x), t_x, t_cal: row.t_cal, weight: 1.0 });
            }
        }
        PurchaseSample::of(rows)
    }

    fn rows(&self) -> impl Iterator<Item = PurchaseRow> + '_ {
        (0..self.x.len()).map(|i| self.row(i))
    }

    fn row(&self, i: usize) -> PurchaseRow {
        PurchaseRow { x: self.x[i], t_x: self.t_x[i], t_cal: self.t_cal[i], weight: self.weight[i] }
    }

    /// The pairs (x, t) of a purchase count with a time that rows share; `None` where they share too few to pay.
    pub(super) fn pairs(&self) -> Option<&Pairs> {
        self.pairs.get_or_init(|| Pairs::of(&self.x, &self.t_x, &self.t_cal)).as_ref()
    }

    /// The number of distinct histories.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.x.len()
    }

    /// The mean of T.
    #[must_use]
    pub fn mean_age(&self) -> f64 {
        self.mean_age
    }

    /// (r, alpha) of the NBD model whose mean and variance of purchases are those of the sample, dropout ignored.
    #[must_use]
    pub fn nbd_moments(&self) -> (f64, f64) {
        let total = |f: fn(&PurchaseRow) -> f64| self.rows().map(|row| row.weight * f(&row)).sum::<f64>();
        let rate = total(|row| row.x) / total(|row| row.t_cal);
        let excess: f64 = self.rows().map(|row| row.weight * ((row.x - rate * row.t_cal).powi(2) - rate * row.t_cal)).sum();
        // No less than a twentieth of the squared mean: a start must not lie on the ridge of equal rates.
        let variance = (excess / total(|row| row.t_cal * row.t_cal)).max(0.05 * rate * rate);
        let r = (rate * rate / variance).clamp(0.05, 20.0);
        (r, r / rate)
    }

    /// Sums a log-likelihood given as a part that depends on x alone, and the sum over rows of a part that depends on (x, t_x, T).
    pub(crate) fn sum<const N: usize>(
        &self,
        frequency_term: impl Fn(f64) -> Jet<N> + Sync,
        timing_sum: impl Fn(PurchaseColumns<'_>) -> Jet<N> + Sync,
    ) -> Jet<N> {
        let mut sum = sum_chunks(self.frequencies.len(), |range| {
            let mut sum = Jet::ZERO;
            for &(x, weight) in &self.frequencies[range] {
                sum.add_scaled(weight, &frequency_term(x));
            }
            sum
        });
        let by_row = sum_chunks(self.x.len(), |range| {
            timing_sum(PurchaseColumns {
                range: range.clone(),
                x: &self.x[range.clone()],
                t_x: &self.t_x[range.clone()],
                t_cal: &self.t_cal[range.clone()],
                weight: &self.weight[range],
            })
        });
        sum.add_scaled(1.0, &by_row);
        sum
    }
}
