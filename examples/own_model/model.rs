//! The parameters. A model is a set of valid ones: what is wrong with them is said here, and nowhere later.

use clv::{Error, ErrorKind};

/// Everybody buys with the rate lambda and drops out with the rate mu.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedRates {
    /// Purchases per unit of time while alive.
    pub lambda: f64,
    /// Dropouts per unit of time.
    pub mu: f64,
}

impl FixedRates {
    /// A model from its rates.
    ///
    /// # Errors
    /// When one is not within 1e-12 to 1e12.
    pub fn new(lambda: f64, mu: f64) -> clv::Result<Self> {
        let valid = |rate: f64| (1e-12..=1e12).contains(&rate);
        if !(valid(lambda) && valid(mu)) {
            return Err(Error::new(ErrorKind::Parameter, format!("lambda = {lambda} and mu = {mu} must lie within 1e-12 to 1e12")));
        }
        Ok(FixedRates { lambda, mu })
    }

    /// The rate of all events.
    pub(super) fn k(&self) -> f64 {
        self.lambda + self.mu
    }
}
