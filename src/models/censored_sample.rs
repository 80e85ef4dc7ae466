//! Customers of whom less is known than a history, as a likelihood sees them: rows with the same key once, with their weight.

use rand::Rng;

use super::purchase_sample::PurchaseSample;
use super::sample::{Sample, check_redrawn, draw_copies, sum_chunks};
use crate::data::{Censored, CensoredCustomers};
use crate::error::Result;
use crate::numeric::jet::Jet;

/// Distinct rows of one kind.
#[derive(Debug, Clone)]
pub struct CensoredSample<D> {
    rows: Vec<CensoredRow<D>>,
    /// Histories much like them: start values, scale of time and the size of a sum of log-likelihoods come from these.
    approximate: PurchaseSample,
}

#[derive(Debug, Clone, Copy)]
struct CensoredRow<D> {
    row: D,
    weight: f64,
    /// The mean of the constants of the customers of this row.
    ln_constant: f64,
}

impl<D: Censored> Sample for CensoredSample<D> {
    type Source = CensoredCustomers<D>;

    fn new(customers: &CensoredCustomers<D>) -> Result<Self> {
        D::check(customers.rows().map(|(row, _)| row))?;
        let row = |(row, weight): (&D, f64)| CensoredRow { row: *row, weight, ln_constant: row.ln_constant() };
        CensoredSample::of(customers.rows().map(row).collect())
    }

    fn customers(&self) -> f64 {
        self.approximate.customers()
    }

    fn repeat_buyers(&self) -> f64 {
        self.approximate.repeat_buyers()
    }

    fn magnitude(&self) -> f64 {
        self.approximate.magnitude()
    }

    fn scale(&self) -> f64 {
        self.approximate.scale()
    }

    fn weights(&self) -> Vec<f64> {
        self.rows.iter().map(|row| row.weight).collect()
    }

    fn with_weights(&self, weights: &[f64]) -> Result<Self> {
        let rows = self.rows.iter().zip(weights).map(|(row, &weight)| CensoredRow { weight, ..*row });
        CensoredSample::of(rows.filter(|row| row.weight > 0.0).collect())
    }

    fn shares_customers(&self) -> bool {
        D::shares_customers(self.rows.iter().map(|row| &row.row))
    }

    fn extremes(&self) -> Vec<usize> {
        // Rows are in the order of purchases: the last one has most.
        vec![self.rows.len() - 1]
    }

    fn describe(&self, row: usize) -> String {
        self.rows[row].row.describe()
    }
}

impl<D: Censored> CensoredSample<D> {
    /// Checks, sorts, and counts equal rows once.
    fn of(mut rows: Vec<CensoredRow<D>>) -> Result<Self> {
        let approximate = PurchaseSample::of_histories(rows.iter().map(|row| (row.row.approximately(), row.weight)))?;
        rows.sort_unstable_by(|p, q| {
            let (one, other) = (p.row.key(), q.row.key());
            let by_key = one.iter().zip(&other).map(|(one, other)| one.total_cmp(other)).find(|order| order.is_ne());
            by_key.unwrap_or_else(|| p.ln_constant.total_cmp(&q.ln_constant).then(p.weight.total_cmp(&q.weight)))
        });
        rows.dedup_by(|next, kept| {
            let same = next.row.key() == kept.row.key();
            if same {
                let weight = kept.weight + next.weight;
                kept.ln_constant += (next.ln_constant - kept.ln_constant) * (next.weight / weight);
                kept.weight = weight;
            }
            same
        });
        Ok(CensoredSample { rows, approximate })
    }

    /// As many customers, each drawn anew by what is known of the row.
    pub(crate) fn redrawn<R: Rng>(&self, rng: &mut R, mut draw: impl FnMut(&D, &mut R) -> Result<D>) -> Result<Self> {
        check_redrawn(self.customers())?;
        let mut rows = Vec::new();
        for CensoredRow { row, weight, .. } in &self.rows {
            for _ in 0..draw_copies(*weight, rng) {
                let row = draw(row, rng)?;
                rows.push(CensoredRow { row, weight: 1.0, ln_constant: row.ln_constant() });
            }
        }
        CensoredSample::of(rows)
    }

    /// A sample of these rows, each with the number of customers it stands for.
    pub(crate) fn of_rows(rows: impl Iterator<Item = (D, f64)>) -> Result<Self> {
        CensoredSample::of(rows.map(|(row, weight)| CensoredRow { row, weight, ln_constant: row.ln_constant() }).collect())
    }

    /// The distinct rows, with the number of customers that each stands for.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&D, f64)> {
        self.rows.iter().map(|row| (&row.row, row.weight))
    }

    /// The number of distinct rows.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.rows.len()
    }

    /// Histories much like the rows.
    pub(super) fn approximate(&self) -> &PurchaseSample {
        &self.approximate
    }

    /// The sum over customers of a log-likelihood, constants included.
    pub(super) fn sum<const N: usize>(&self, ln_likelihood: impl Fn(&D) -> Jet<N> + Sync) -> Jet<N> {
        sum_chunks(self.rows.len(), |range| {
            let mut sum = Jet::ZERO;
            for row in &self.rows[range] {
                sum.add_scaled(row.weight, &ln_likelihood(&row.row));
                sum.value += row.weight * row.ln_constant;
            }
            sum
        })
    }
}
