//! What sets a customer apart, and the purchases that follow from it.

use rand::Rng;
use rand_distr::{Distribution, Exp1, Poisson};

/// More purchases of one customer are not simulated: it would take seconds for one row of a summary.
pub(super) const MOST_PURCHASES: u64 = 100_000_000;

/// What sets a customer apart: how often they buy, and when they drop out. Drawn from a model, and then fixed for life.
///
/// Times are counted from the moment of the first purchase, or from T for a customer with a history, in the unit of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CustomerTraits {
    /// lambda: purchases per unit of time while alive.
    pub purchase_rate: f64,
    /// The time at which the customer drops out; infinite where dropout goes by purchases, or never happens.
    pub lifetime: f64,
    /// The number of purchases after which the customer drops out; `u64::MAX` where dropout goes by time, or never happens.
    pub lifetime_purchases: u64,
}

impl CustomerTraits {
    /// The times of the purchases in (0, t], in order.
    ///
    /// There is no end of them when `t` and the lifetime are infinite.
    pub fn purchase_times<R: Rng>(&self, t: f64, rng: R) -> PurchaseTimes<R> {
        PurchaseTimes { rate: self.purchase_rate, end: t.min(self.lifetime), left: self.lifetime_purchases, now: 0.0, rng }
    }

    /// The number of purchases in (0, t], drawn at once: takes no longer when there are many.
    ///
    /// A random number of its own: not the length of [`purchase_times`](Self::purchase_times) with the same generator.
    pub fn draw_purchase_count<R: Rng>(&self, t: f64, rng: &mut R) -> u64 {
        let mean = self.purchase_rate * t.min(self.lifetime);
        if self.purchase_rate == 0.0 || mean <= 0.0 {
            return 0;
        }
        let poisson = Poisson::new(mean.min(Poisson::<f64>::MAX_LAMBDA)).expect("the mean is positive and below the limit");
        (poisson.sample(rng) as u64).min(self.lifetime_purchases)
    }
}

/// The purchase times of one customer: exponential gaps until time or purchases are up.
#[derive(Debug, Clone)]
pub struct PurchaseTimes<R> {
    rate: f64,
    end: f64,
    left: u64,
    now: f64,
    rng: R,
}

impl<R: Rng> Iterator for PurchaseTimes<R> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.left == 0 {
            return None;
        }
        let gap: f64 = Exp1.sample(&mut self.rng);
        self.now += gap / self.rate;
        // A rate of 0 leads to infinity, which is never.
        if self.now <= self.end && self.now < f64::INFINITY {
            self.left -= 1;
            Some(self.now)
        } else {
            self.left = 0;
            None
        }
    }
}
