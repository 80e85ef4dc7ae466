//! Customers as a likelihood sees them: equal rows once, with their weight, in an order of their own.
//!
//! A likelihood is a sum over customers, and many customers have the same history: counting equal ones once saves most of the work and makes the
//! sum independent of the order of the rows.

use std::ops::Range;

use rand::{Rng, RngExt};

use crate::data::Customers;
use crate::error::{Error, Result};
use crate::numeric::block::weighted_sum;
use crate::numeric::jet::Jet;
use crate::parallel::map_indices;

/// The part of a customer base that a model learns from.
pub trait Sample: Sized + Send + Sync {
    /// The sample of a customer base.
    ///
    /// # Errors
    /// When there is nothing to learn from: no repeat purchase, no spend.
    fn new(customers: &Customers) -> Result<Self>;

    /// How many customers stand behind it, by weight.
    fn customers(&self) -> f64;

    /// How many of them came back after their first purchase: the ones an estimate rests on.
    fn repeat_buyers(&self) -> f64;

    /// The sum of the absolute values of the terms that ln L is a sum of, up to a small factor: its rounding error is this times 1e-16.
    fn magnitude(&self) -> f64;

    /// The unit of a model's scale parameters in this sample (mean age, mean spend), so that a fit does not depend on weeks or cents.
    fn scale(&self) -> f64;

    /// How many customers each distinct row stands for.
    fn weights(&self) -> Vec<f64>;

    /// The same rows standing for other numbers of customers; those of weight 0 are left out.
    ///
    /// # Errors
    /// When there is nothing to learn from what is left.
    fn with_weights(&self, weights: &[f64]) -> Result<Self>;

    /// Rows of customers who stand out from the rest and might move an estimate on their own; none are looked at unless a sample names them.
    fn extremes(&self) -> Vec<usize> {
        Vec::new()
    }

    /// A customer of a row, in words.
    fn describe(&self, row: usize) -> String {
        format!("row {row}")
    }
}

/// More customers are not drawn one by one: a bootstrap would take hours and gigabytes.
const MOST_REDRAWN: f64 = 1e8;

/// Checks that a sample of so many customers can be drawn anew.
fn check_redrawn(customers: f64) -> Result<()> {
    if customers > MOST_REDRAWN {
        return Err(Error::parameter(format!(
            "{customers:e} customers, by weight, are too many to be drawn one by one (at most {MOST_REDRAWN:e}); bootstrap the cases instead"
        )));
    }
    Ok(())
}

/// How many customers are drawn for a row of this weight: its whole part, and one more as often as the rest says.
fn draw_copies<R: Rng>(weight: f64, rng: &mut R) -> usize {
    weight as usize + usize::from(weight.fract() > 0.0 && rng.random::<f64>() < weight.fract())
}

/// Rows that are summed without interruption. Chunk sums are added in order, so that the result does not depend on the number of threads.
const CHUNK: usize = 4096;

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
}

#[derive(Debug, Clone, Copy)]
struct PurchaseRow {
    x: f64,
    t_x: f64,
    t_cal: f64,
    weight: f64,
}

impl Sample for PurchaseSample {
    fn new(customers: &Customers) -> Result<Self> {
        let rows = (0..customers.len()).map(|i| PurchaseRow {
            x: f64::from(customers.frequency()[i]),
            t_x: customers.recency()[i],
            t_cal: customers.age()[i],
            weight: customers.weight(i),
        });
        PurchaseSample::of(rows.collect())
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
        PurchaseSample::of(rows.filter(|row| row.weight > 0.0).collect())
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
    /// Checks, sorts, and counts equal rows once.
    fn of(mut rows: Vec<PurchaseRow>) -> Result<Self> {
        if rows.iter().all(|row| row.x == 0.0) {
            return Err(Error::fit(format!(
                "none of the {} customers has a repeat purchase, so neither purchase rates nor dropout can be estimated; observe them for longer \
                 or check that the log holds all purchases, not only first ones",
                rows.len()
            )));
        }
        if rows.iter().all(|row| row.t_cal == 0.0) {
            return Err(Error::fit("every customer has age 0: nobody was observed after the first purchase"));
        }
        rows.sort_unstable_by(|p, q| {
            p.x.total_cmp(&q.x).then(p.t_cal.total_cmp(&q.t_cal)).then(p.t_x.total_cmp(&q.t_x)).then(p.weight.total_cmp(&q.weight))
        });
        rows.dedup_by(|next, kept| {
            let same = (next.x, next.t_x, next.t_cal) == (kept.x, kept.t_x, kept.t_cal);
            if same {
                kept.weight += next.weight;
            }
            same
        });
        let mut frequencies: Vec<(f64, f64)> = Vec::new();
        for row in &rows {
            match frequencies.last_mut() {
                Some((x, weight)) if *x == row.x => *weight += row.weight,
                _ => frequencies.push((row.x, row.weight)),
            }
        }
        let customers = rows.iter().map(|row| row.weight).sum();
        let mean_age = rows.iter().map(|row| row.weight * row.t_cal).sum::<f64>() / customers;
        let column = |of: fn(&PurchaseRow) -> f64| rows.iter().map(of).collect();
        Ok(PurchaseSample {
            x: column(|row| row.x),
            t_x: column(|row| row.t_x),
            t_cal: column(|row| row.t_cal),
            weight: column(|row| row.weight),
            frequencies,
            customers,
            mean_age,
        })
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
        (0..self.x.len()).map(|i| PurchaseRow { x: self.x[i], t_x: self.t_x[i], t_cal: self.t_cal[i], weight: self.weight[i] })
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

    /// Sums a log-likelihood given as a part that depends on x alone and a part that depends on (x, t_x, T).
    pub(crate) fn sum<const N: usize>(
        &self,
        frequency_term: impl Fn(f64) -> Jet<N> + Sync,
        timing_term: impl Fn(f64, f64, f64) -> Jet<N> + Sync,
    ) -> Jet<N> {
        let mut sum = sum_chunks(self.frequencies.len(), |range| {
            let mut sum = Jet::ZERO;
            for &(x, weight) in &self.frequencies[range] {
                sum.add_scaled(weight, &frequency_term(x));
            }
            sum
        });
        let by_row = sum_chunks(self.x.len(), |range| {
            let columns = [&self.x[range.clone()], &self.t_x[range.clone()], &self.t_cal[range.clone()]];
            weighted_sum(columns, &self.weight[range], |[x, t_x, t_cal]| timing_term(x, t_x, t_cal))
        });
        sum.add_scaled(1.0, &by_row);
        sum
    }
}

/// Distinct spend histories: (number of purchases, mean spend) of the customers whose spend is known.
#[derive(Debug, Clone)]
pub struct SpendSample {
    /// The distinct histories by column, in the order of the purchase count and the mean.
    purchases: Vec<f64>,
    mean: Vec<f64>,
    weight: Vec<f64>,
    /// Distinct purchase counts with the number of customers who have it.
    counts: Vec<(u32, f64)>,
    customers: f64,
    mean_spend: f64,
}

/// Customers with the same number of purchases and the same mean spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpendRow {
    pub(super) purchases: u32,
    pub(super) mean: f64,
    pub(super) weight: f64,
}

impl Sample for SpendSample {
    fn new(customers: &Customers) -> Result<Self> {
        let rows: Vec<SpendRow> = (0..customers.len())
            .map(|i| (customers.spend(i), customers.weight(i)))
            .filter(|(spend, _)| spend.purchases() > 0)
            .map(|(spend, weight)| SpendRow { purchases: spend.purchases(), mean: spend.mean(), weight })
            .collect();
        if rows.is_empty() {
            return Err(Error::fit(format!(
                "none of the {} customers has a repeat purchase with a positive amount, so spend cannot be estimated; check the amount column, or \
                 leave the spend model out",
                customers.len()
            )));
        }
        Ok(SpendSample::of(rows))
    }

    fn customers(&self) -> f64 {
        self.customers
    }

    fn repeat_buyers(&self) -> f64 {
        self.customers
    }

    fn magnitude(&self) -> f64 {
        let of_money = self.mean_spend.ln().abs();
        // Four times: what the logarithms of the parameters lose is the same for all rows and adds up, where other losses largely cancel.
        self.counts.iter().map(|&(purchases, weight)| 4.0 * weight * (2.0 + f64::from(purchases).ln_1p() + of_money)).sum()
    }

    fn scale(&self) -> f64 {
        self.mean_spend
    }

    fn weights(&self) -> Vec<f64> {
        self.weight.clone()
    }

    fn with_weights(&self, weights: &[f64]) -> Result<Self> {
        let rows = self.rows().zip(weights).map(|(row, &weight)| SpendRow { weight, ..row });
        SpendSample::of_some(rows.filter(|row| row.weight > 0.0).collect())
    }

    fn extremes(&self) -> Vec<usize> {
        let by_mean = |&i: &usize, &j: &usize| self.mean[i].total_cmp(&self.mean[j]);
        let rows = || 0..self.mean.len();
        let mut rows: Vec<usize> = rows().min_by(by_mean).into_iter().chain(rows().max_by(by_mean)).collect();
        rows.dedup();
        rows
    }

    fn describe(&self, row: usize) -> String {
        let (purchases, mean) = (self.purchases[row], self.mean[row]);
        format!("an average spend of {mean:.2} over {purchases} purchases")
    }
}

impl SpendSample {
    /// Sorts, and counts equal rows once.
    fn of(mut rows: Vec<SpendRow>) -> Self {
        rows.sort_unstable_by(|p, q| p.purchases.cmp(&q.purchases).then(p.mean.total_cmp(&q.mean)).then(p.weight.total_cmp(&q.weight)));
        rows.dedup_by(|next, kept| {
            let same = (next.purchases, next.mean) == (kept.purchases, kept.mean);
            if same {
                kept.weight += next.weight;
            }
            same
        });
        let mut counts: Vec<(u32, f64)> = Vec::new();
        for row in &rows {
            match counts.last_mut() {
                Some((purchases, weight)) if *purchases == row.purchases => *weight += row.weight,
                _ => counts.push((row.purchases, row.weight)),
            }
        }
        let customers = rows.iter().map(|row| row.weight).sum();
        let mean_spend = rows.iter().map(|row| row.weight * row.mean).sum::<f64>() / customers;
        SpendSample {
            purchases: rows.iter().map(|row| f64::from(row.purchases)).collect(),
            mean: rows.iter().map(|row| row.mean).collect(),
            weight: rows.iter().map(|row| row.weight).collect(),
            counts,
            customers,
            mean_spend,
        }
    }

    /// The same customers with as many purchases, and the mean spend that `draw` gives for their number.
    pub(crate) fn redrawn<R: Rng>(&self, rng: &mut R, draw: impl Fn(u32, &mut R) -> f64) -> Result<Self> {
        check_redrawn(self.customers)?;
        let mut rows = Vec::new();
        for row in self.rows() {
            for _ in 0..draw_copies(row.weight, rng) {
                let mean = draw(row.purchases, rng);
                if mean > 0.0 {
                    rows.push(SpendRow { purchases: row.purchases, mean, weight: 1.0 });
                }
            }
        }
        SpendSample::of_some(rows)
    }

    fn of_some(rows: Vec<SpendRow>) -> Result<Self> {
        if rows.is_empty() { Err(Error::fit("nobody spent anything")) } else { Ok(SpendSample::of(rows)) }
    }

    /// The distinct spend histories.
    pub(super) fn rows(&self) -> impl Iterator<Item = SpendRow> + '_ {
        (0..self.mean.len()).map(|i| SpendRow { purchases: self.purchases[i] as u32, mean: self.mean[i], weight: self.weight[i] })
    }

    /// Whether all mean spends are the same but for rounding.
    #[must_use]
    pub fn all_equal(&self) -> bool {
        let (low, high) = self.mean.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), mean| (low.min(*mean), high.max(*mean)));
        high - low <= 1e-12 * high
    }

    /// The mean of their mean spends.
    #[must_use]
    pub fn mean_spend(&self) -> f64 {
        self.mean_spend
    }

    /// Sums a log-likelihood given as a part that depends on the purchase count alone and a part that depends on (count, mean).
    pub(crate) fn sum<const N: usize>(
        &self,
        count_term: impl Fn(u32) -> Jet<N> + Sync,
        spend_term: impl Fn(f64, f64) -> Jet<N> + Sync,
    ) -> Jet<N> {
        let mut sum = sum_chunks(self.counts.len(), |range| {
            let mut sum = Jet::ZERO;
            for &(purchases, weight) in &self.counts[range] {
                sum.add_scaled(weight, &count_term(purchases));
            }
            sum
        });
        let by_row = sum_chunks(self.mean.len(), |range| {
            let columns = [&self.purchases[range.clone()], &self.mean[range.clone()]];
            weighted_sum(columns, &self.weight[range], |[purchases, mean]| spend_term(purchases, mean))
        });
        sum.add_scaled(1.0, &by_row);
        sum
    }
}

/// The sum over rows, in chunks of a fixed size whose sums are added in order.
fn sum_chunks<const N: usize>(rows: usize, sum_of: impl Fn(Range<usize>) -> Jet<N> + Sync + Send) -> Jet<N> {
    let sums = map_indices(rows.div_ceil(CHUNK), |chunk| sum_of(chunk * CHUNK..rows.min((chunk + 1) * CHUNK)));
    let mut total = Jet::ZERO;
    for sum in &sums {
        total.add_scaled(1.0, sum);
    }
    total
}
