//! The customers as a fit wants them.

use clv::{Customers, Error, ErrorKind, History, Sample};

/// The histories with their weights.
#[derive(Debug, Clone)]
pub struct Rows(pub Vec<(History, f64)>);

impl Rows {
    pub(super) fn sum(&self, f: impl Fn(&History) -> f64) -> f64 {
        self.0.iter().map(|(history, weight)| weight * f(history)).sum()
    }
}

impl Sample for Rows {
    type Source = Customers;

    fn new(customers: &Customers) -> clv::Result<Self> {
        if customers.frequency().iter().all(|&x| x == 0) {
            return Err(Error::new(ErrorKind::Fit, "nobody bought again, so no purchase rate can be estimated"));
        }
        Ok(Rows((0..customers.len()).map(|row| (customers.history(row), customers.weight(row))).collect()))
    }

    fn customers(&self) -> f64 {
        self.sum(|_| 1.0)
    }

    fn repeat_buyers(&self) -> f64 {
        self.sum(|history| f64::from(u8::from(history.frequency() > 0)))
    }

    fn magnitude(&self) -> f64 {
        self.sum(|history| (1.0 + f64::from(history.frequency())) * (1.0 + history.age().max(1.0).ln()))
    }

    fn scale(&self) -> f64 {
        self.sum(History::age) / self.customers()
    }

    fn weights(&self) -> Vec<f64> {
        self.0.iter().map(|(_, weight)| *weight).collect()
    }

    fn with_weights(&self, weights: &[f64]) -> clv::Result<Self> {
        let rows = self.0.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        Ok(Rows(rows.map(|((history, _), weight)| (*history, *weight)).collect()))
    }
}
