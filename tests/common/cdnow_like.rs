//! A customer base like that of CDNOW, to be drawn.

use clv::{AcquisitionCohort, AnyPurchaseModel, Date, Population, Simulate, TimeUnit};

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Customers who arrive over 12 weeks and are observed for 39 weeks at most, as those of CDNOW.
pub(crate) fn cdnow_like<M: Simulate>(model: M, customers: usize, seed: u64) -> Population<M> {
    let cohort = AcquisitionCohort { first_day: day("1997-01-01"), days: 84, customers };
    Population::new(model, TimeUnit::Week, day("1997-09-30")).cohort(cohort).seed(seed)
}

pub(crate) fn pareto_nbd() -> AnyPurchaseModel {
    AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]).unwrap()
}
