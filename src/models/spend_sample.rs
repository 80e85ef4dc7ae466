//! Spend histories as a likelihood sees them.

use rand::Rng;

use super::sample::{Sample, check_redrawn, draw_copies, sum_chunks};
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::numeric::block::{Term, weighted_sum};
use crate::numeric::jet::Jet;
use crate::parallel::sort_unstable;

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

impl SpendRow {
    /// By the purchase count and the mean, which tell rows apart, then by weight. Numbers from 0 are in the order of their bits.
    fn order(&self) -> (u32, u64, u64) {
        (self.purchases, self.mean.to_bits(), self.weight.to_bits())
    }
}

impl Sample for SpendSample {
    type Source = Customers;

    fn new(customers: &Customers) -> Result<Self> {
        // A mean of 0 says nothing of a price.
        let basis = customers.spend_basis();
        let known = customers.frequency().iter().zip(customers.average_spend()).enumerate().filter(|(_, (_, mean))| **mean > 0.0);
        let rows: Vec<SpendRow> =
            known.map(|(i, (&x, &mean))| SpendRow { purchases: basis.purchases(x), mean, weight: customers.weight(i) }).collect();
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
        let rows: Vec<SpendRow> = rows.filter(|row| row.weight > 0.0).collect();
        if rows.is_empty() { Err(nobody()) } else { Ok(SpendSample::of_distinct(&rows)) }
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
        sort_unstable(&mut rows, SpendRow::order);
        rows.dedup_by(|next, kept| {
            let same = (next.purchases, next.mean) == (kept.purchases, kept.mean);
            if same {
                kept.weight += next.weight;
            }
            same
        });
        SpendSample::of_distinct(&rows)
    }

    /// Puts rows that are distinct and in order into columns.
    fn of_distinct(rows: &[SpendRow]) -> Self {
        let mut counts: Vec<(u32, f64)> = Vec::new();
        for row in rows {
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
        if rows.is_empty() { Err(nobody()) } else { Ok(SpendSample::of(rows)) }
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
        spend_term: impl Term<2, N> + Copy + Sync,
    ) -> Jet<N> {
        let mut sum = sum_chunks(self.counts.len(), |range| {
            let mut sum = Jet::ZERO;
            for &(purchases, weight) in &self.counts[range] {
                sum.add_scaled(weight, &count_term(purchases));
            }
            sum
        });
        let by_row = sum_chunks(self.mean.len(), |range| {
            weighted_sum([&self.purchases[range.clone()], &self.mean[range.clone()]], &self.weight[range], spend_term)
        });
        sum.add_scaled(1.0, &by_row);
        sum
    }
}

fn nobody() -> Error {
    Error::fit("nobody spent anything")
}
