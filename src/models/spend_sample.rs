//! Spend histories as a likelihood sees them.

use rand::Rng;

use super::sample::{Sample, check_redrawn, draw_copies, sum_chunks};
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::numeric::block::{Term, weighted_sum};
use crate::numeric::elementary::ln;
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
    /// The sum of the logarithms of the mean spends: a part of ln L that no parameter changes.
    ln_means: f64,
}

/// ln m of a row (m).
struct LnMean;

impl Term<1, 0> for LnMean {
    #[inline(always)]
    fn at(&self, [mean]: [f64; 1]) -> Jet<0> {
        Jet { value: ln(mean), gradient: [], hessian: [] }
    }
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
        let histories = customers.frequency().iter().zip(customers.average_spend()).map(|(&x, &mean)| (basis.purchases(x), mean));
        if !customers.is_weighted()
            && let Some(sample) = SpendSample::of_single(histories.clone())
        {
            return Ok(sample);
        }
        let known = histories.enumerate().filter(|(_, (_, mean))| *mean > 0.0);
        let rows: Vec<SpendRow> = known.map(|(i, (purchases, mean))| SpendRow { purchases, mean, weight: customers.weight(i) }).collect();
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

    fn customer(&self, row: usize) -> Result<Self> {
        Ok(SpendSample::of_distinct(&[SpendRow { weight: 1.0, ..self.row(row) }]))
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
        if rows.iter().all(|row| row.weight == 1.0)
            && let Some(sample) = SpendSample::of_single(rows.iter().map(|row| (row.purchases, row.mean)))
        {
            return sample;
        }
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

    /// Of (purchase count, mean spend) of customers who count once each, those with a mean of 0 left out; `None` where a purchase count exceeds the number of
    /// customers.
    ///
    /// The order and the bits of [`of`](Self::of) in a fraction of the time: the purchase counts of a customer base are few, and sorting by them is counting.
    fn of_single(histories: impl Iterator<Item = (u32, f64)> + Clone) -> Option<Self> {
        // Selected, not skipped: who bought again is in no order, and would be guessed wrong again and again.
        let known = |(purchases, mean): (u32, f64)| if mean > 0.0 { (purchases as usize, 1) } else { (0, 0) };
        let (most, customers) = histories.clone().map(known).fold((0, 0), |(most, count), (x, one)| (x.max(most), count + one));
        if customers == 0 || most > customers {
            return None;
        }
        let mut next = vec![0_usize; most + 2];
        for (purchases, one) in histories.clone().map(known) {
            next[purchases + 1] += one;
        }
        for purchases in 0..=most {
            next[purchases + 1] += next[purchases];
        }
        // Where the means of a purchase count start moves to where they end as they are put in place; the last place takes what is not known.
        let mut means = vec![0_u64; customers + 1];
        for history in histories {
            let (purchases, one) = known(history);
            means[if one > 0 { next[purchases] } else { customers }] = history.1.to_bits();
            next[purchases] += one;
        }
        let columns = || Vec::with_capacity(customers);
        let (mut purchases, mut mean, mut weight) = (columns(), columns(), columns());
        let mut start = 0;
        for (count, &end) in (0_u32..).zip(&next[..=most]) {
            let means = &mut means[start..end];
            sort_unstable(means, |mean| *mean);
            for equal in means.chunk_by(|one, other| one == other) {
                purchases.push(f64::from(count));
                mean.push(f64::from_bits(equal[0]));
                weight.push(equal.len() as f64);
            }
            start = end;
        }
        Some(SpendSample::of_columns(purchases, mean, weight))
    }

    /// Of rows that are distinct and in order.
    fn of_distinct(rows: &[SpendRow]) -> Self {
        let column = |value: fn(&SpendRow) -> f64| rows.iter().map(value).collect();
        SpendSample::of_columns(column(|row| f64::from(row.purchases)), column(|row| row.mean), column(|row| row.weight))
    }

    /// Of the columns of rows that are distinct and in order.
    fn of_columns(purchases: Vec<f64>, mean: Vec<f64>, weight: Vec<f64>) -> Self {
        let mut counts = Vec::new();
        let mut start = 0;
        for equal in purchases.chunk_by(|one, other| one == other) {
            let end = start + equal.len();
            counts.push((equal[0] as u32, weight[start..end].iter().fold(0.0, |sum, weight| sum + weight)));
            start = end;
        }
        let customers = weight.iter().sum();
        let mean_spend = weight.iter().zip(&mean).map(|(weight, mean)| weight * mean).sum::<f64>() / customers;
        let ln_means = sum_chunks(mean.len(), |range| weighted_sum([&mean[range.clone()]], &weight[range], LnMean)).value;
        SpendSample { purchases, mean, weight, counts, customers, mean_spend, ln_means }
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

    /// The distinct spend histories, in the order of the purchase count and the mean.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = SpendRow> + '_ {
        (0..self.mean.len()).map(|i| self.row(i))
    }

    /// A distinct spend history.
    pub(super) fn row(&self, i: usize) -> SpendRow {
        SpendRow { purchases: self.purchases[i] as u32, mean: self.mean[i], weight: self.weight[i] }
    }

    /// The sum of the logarithms of the mean spends.
    pub(super) fn ln_means(&self) -> f64 {
        self.ln_means
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_and_sorting_give_the_same_sample() {
        // Equal histories, histories without a mean, and a purchase count of its own.
        let histories: Vec<(u32, f64)> =
            (0..2_000).map(|i| (1 + i * i % 7, f64::from(i * 37 % 101) * 0.37)).chain([(1_500, 3.0)]).collect();
        let single = SpendSample::of_single(histories.iter().copied()).unwrap();
        // Weights of 1/2 take the general way, and halve everything exactly.
        let known = histories.iter().filter(|(_, mean)| *mean > 0.0);
        let sorted = SpendSample::of(known.map(|&(purchases, mean)| SpendRow { purchases, mean, weight: 0.5 }).collect());
        assert_eq!((&single.purchases, &single.mean), (&sorted.purchases, &sorted.mean));
        assert!(single.mean.len() < histories.len() / 2);
        assert_eq!(single.weight, sorted.weight.iter().map(|weight| 2.0 * weight).collect::<Vec<_>>());
        assert_eq!(single.counts, sorted.counts.iter().map(|&(purchases, weight)| (purchases, 2.0 * weight)).collect::<Vec<_>>());
        assert_eq!(
            (single.customers, single.mean_spend, single.ln_means),
            (2.0 * sorted.customers, sorted.mean_spend, 2.0 * sorted.ln_means)
        );
    }

    #[test]
    fn a_purchase_count_beyond_the_number_of_customers_is_sorted() {
        assert!(SpendSample::of_single([(3, 1.0), (1, 2.0)].into_iter()).is_none());
        let sample = SpendSample::of([(3, 1.0), (1, 2.0)].map(|(purchases, mean)| SpendRow { purchases, mean, weight: 1.0 }).to_vec());
        assert_eq!((sample.purchases, sample.mean), (vec![1.0, 3.0], vec![2.0, 1.0]));
    }
}
