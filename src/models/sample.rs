//! Customers as a likelihood sees them: equal rows once, with their weight, in an order of their own.
//!
//! A likelihood is a sum over customers, and many customers have the same history: counting equal ones once saves most of the work and makes the
//! sum independent of the order of the rows.

use std::mem;
use std::ops::Range;

use rand::{Rng, RngExt};

use super::sample_source::SampleSource;
use crate::error::{Error, Result};
use crate::numeric::jet::Jet;
use crate::parallel::map_indices;

/// The part of a customer base that a model learns from.
pub trait Sample: Sized + Send + Sync {
    /// What it is taken from: [`Customers`](crate::Customers), or [`CensoredCustomers`](crate::CensoredCustomers) of whom less is known.
    type Source: SampleSource;

    /// The sample of a customer base.
    ///
    /// # Errors
    /// When there is nothing to learn from: no repeat purchase, no spend.
    fn new(customers: &Self::Source) -> Result<Self>;

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

    /// A smaller sample with nearly the same optimum, from which a fit to many customers begins, so that a step or two over all of them is enough. It depends
    /// on the sample alone, not on the order in which customers came. `None` where there are few.
    ///
    /// Unless a sample knows better these are every so manieth of the customers in its order.
    fn sketch(&self) -> Option<Self> {
        let step = self.customers() / SKETCHED;
        if step < WORTH_SKETCHING {
            return None;
        }
        let weights: Vec<f64> = evenly_spaced(self.weights(), step).collect();
        self.with_weights(&weights).ok()
    }

    /// One customer of a row.
    ///
    /// # Errors
    /// When there is nothing to learn from one.
    fn customer(&self, row: usize) -> Result<Self> {
        let mut alone = vec![0.0; self.weights().len()];
        alone[row] = 1.0;
        self.with_weights(&alone)
    }

    /// Whether several rows are known to count the same customers, so that rows cannot be drawn one by one and their likelihood is a composite one.
    fn shares_customers(&self) -> bool {
        false
    }

    /// Rows of customers who stand out from the rest and might move an estimate on their own; none are looked at unless a sample names them.
    fn extremes(&self) -> Vec<usize> {
        Vec::new()
    }

    /// A customer of a row, in words.
    fn describe(&self, row: usize) -> String {
        format!("row {row}")
    }
}

/// Customers in a sketch, and how many times more there must be for it to pay.
const SKETCHED: f64 = 32_768.0;
const WORTH_SKETCHING: f64 = 4.0;

/// The weights of rows in the order of a sample when of every `step` customers one is taken, the one in the middle.
pub(super) fn evenly_spaced(weights: impl IntoIterator<Item = f64>, step: f64) -> impl Iterator<Item = f64> {
    let (mut passed, mut taken) = (0.0, 0.0);
    weights.into_iter().map(move |weight| {
        passed += weight;
        let before = mem::replace(&mut taken, (passed / step).round());
        taken - before
    })
}

/// Samples that can be taken of each group of a customer base.
pub trait GroupedSample: Sample {
    /// The sample of every group, `group_of[i]` below `groups` being that of row i. A group may hold nothing to learn from on its own.
    fn by_group(customers: &Self::Source, group_of: &[usize], groups: usize) -> Vec<Self>;
}

/// More customers are not drawn one by one: a bootstrap would take hours and gigabytes.
const MOST_REDRAWN: f64 = 1e8;

/// Checks that a sample of so many customers can be drawn anew.
pub(crate) fn check_redrawn(customers: f64) -> Result<()> {
    if customers > MOST_REDRAWN {
        return Err(Error::parameter(format!(
            "{customers:e} customers, by weight, are too many to be drawn one by one (at most {MOST_REDRAWN:e}); bootstrap the cases instead"
        )));
    }
    Ok(())
}

/// How many customers are drawn for a row of this weight: its whole part, and one more as often as the rest says.
pub(crate) fn draw_copies<R: Rng>(weight: f64, rng: &mut R) -> usize {
    weight as usize + usize::from(weight.fract() > 0.0 && rng.random::<f64>() < weight.fract())
}

/// Rows that are summed without interruption. Chunk sums are added in order, so that the result does not depend on the number of threads.
const CHUNK: usize = 4096;

/// The sum over rows, in chunks of a fixed size whose sums are added in order.
pub(super) fn sum_chunks<const N: usize>(rows: usize, sum_of: impl Fn(Range<usize>) -> Jet<N> + Sync + Send) -> Jet<N> {
    let sums = map_indices(rows.div_ceil(CHUNK), |chunk| sum_of(chunk * CHUNK..rows.min((chunk + 1) * CHUNK)));
    let mut total = Jet::ZERO;
    for sum in &sums {
        total.add_scaled(1.0, sum);
    }
    total
}
