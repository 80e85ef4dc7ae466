//! One customer drawn: how fast they buy, and when they drop out. Simulated logs and bootstraps need no more.

use clv::{CustomerTraits, Simulate};
use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::model::FixedRates;

impl Simulate for FixedRates {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let lifetime: f64 = Exp1.sample(rng);
        CustomerTraits { purchase_rate: self.lambda, lifetime: lifetime / self.mu, lifetime_purchases: u64::MAX }
    }
}
