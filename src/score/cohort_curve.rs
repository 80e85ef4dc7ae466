//! How a cohort bought from birth on, and how its model says such customers buy.

use super::estimate::{Estimate, Uncertain};
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::models::{Estimable, Retention};

/// More points than anybody reads.
const MOST_POINTS: usize = 520;

/// A cohort up to an age, of those of its customers who are that old; [`CohortStudy`](crate::CohortStudy) has an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CurvePoint {
    /// The age, in the unit of the summary.
    pub age: f64,
    /// Customers of this age or older.
    pub customers: f64,
    /// Repeat purchases they made up to this age.
    pub observed: f64,
    /// The same as the model has it, with the interval in which such a number lies: parameters and chance.
    pub expected: Estimate,
    /// The share of them who bought in the period that ends at this age: retention.
    pub active: f64,
    /// The same share as the model has it of new customers, with the interval in which such a share lies: parameters and chance. All customers of a point are as old
    /// as that, so that each has seen the whole period.
    pub expected_active: Estimate,
}

/// What was counted up to an age.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    customers: f64,
    purchases: f64,
    active: f64,
}

/// What the customers of each cohort did up to the ages that are multiples of `period`. The customers are those of the log, sorted by id; `cohort_of` tells the
/// cohort of a row.
pub(super) fn counted(
    log: &TransactionLog,
    observation: &Observation,
    customers: &Customers,
    (cohort_of, cohorts): (&[usize], usize),
    period: f64,
) -> Result<Vec<Vec<Counted>>> {
    let oldest = customers.age().iter().copied().fold(0.0, f64::max);
    if !(period > 0.0 && oldest / period <= MOST_POINTS as f64) {
        return Err(Error::parameter(format!(
            "periods of {period:.2} {}s are {} in the {oldest:.0} {0}s of the oldest customer; take at most {MOST_POINTS}",
            customers.unit(),
            (oldest / period).floor()
        )));
    }
    let mut counts = vec![Vec::new(); cohorts];
    let mut row = 0;
    let mut ages: Vec<f64> = Vec::new();
    log.for_each_customer(observation, |id, purchases| {
        if row == customers.len() || customers.id(row) != id {
            return;
        }
        let first = purchases.first().map_or(0, |purchase| purchase.time.hours_since_1970());
        ages.clear();
        ages.extend(purchases.iter().map(|purchase| f64::from(purchase.time.hours_since_1970() - first) / customers.unit().hours()));
        let points = (customers.age()[row] / period).floor() as usize;
        let counts: &mut Vec<Counted> = &mut counts[cohort_of[row]];
        if counts.len() < points {
            counts.resize(points, Counted::default());
        }
        let mut before = 1;
        for (k, counted) in counts.iter_mut().enumerate().take(points) {
            let until = ages.partition_point(|age| *age <= (k + 1) as f64 * period);
            counted.customers += 1.0;
            counted.purchases += (until - 1) as f64;
            counted.active += f64::from(u8::from(until > before));
            before = until;
        }
        row += 1;
    })?;
    if row < customers.len() {
        return Err(Error::data("the customers are not those of the log"));
    }
    Ok(counts)
}

/// A cohort's curve next to its model's.
pub(super) fn curve<M: Retention + Estimable>(counts: &[Counted], period: f64, model: &Uncertain<M>, level: Level) -> Vec<CurvePoint> {
    let point = |(k, counted): (usize, &Counted)| {
        let (age, n) = ((k + 1) as f64 * period, counted.customers);
        let expected = model.count(|model| n * model.expected_purchases(age), n * model.centre.purchase_variance(age), level);
        let retained = |model: &M| model.p_active_between(k as f64 * period, age);
        let p = retained(&model.centre);
        let expected_active = model.share(retained, p * (1.0 - p) / n, level);
        CurvePoint { age, customers: n, observed: counted.purchases, expected, active: counted.active / n, expected_active }
    };
    counts.iter().enumerate().map(point).collect()
}
