//! What scoring needs: the likelihood of a history, P(alive), the future given alive, and what a new customer does. All else follows from these.
//! Of all events, purchases and the dropout, which come with the rate k = lambda + mu, each is a purchase with probability lambda / k.

use clv::{History, PurchaseModel};

use super::model::FixedRates;
use super::numbers::{poisson, time, variance_of_lifetime};

impl PurchaseModel for FixedRates {
    type Alive = FixedRates;

    fn ln_likelihood(&self, history: &History) -> f64 {
        // Alive at T, or dropped out since t_x.
        let silent = (-self.k() * (history.age() - history.recency())).exp();
        let purchases = f64::from(history.frequency()) * self.lambda.ln() - self.k() * history.recency();
        purchases + ((self.mu + self.lambda * silent) / self.k()).ln()
    }

    fn p_alive(&self, history: &History) -> f64 {
        let silent = (-self.k() * (history.age() - history.recency())).exp();
        self.k() * silent / (self.mu + self.lambda * silent)
    }

    fn p_dead(&self, history: &History) -> f64 {
        let silence = -self.k() * (history.age() - history.recency());
        -self.mu * silence.exp_m1() / (self.mu + self.lambda * silence.exp())
    }

    fn given_alive(&self, _: &History) -> FixedRates {
        *self
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        -self.lambda / self.mu * (-self.mu * time(t)).exp_m1()
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        2.0 * (self.lambda / self.mu).powi(2) * poisson(1, self.mu * time(t)).1
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        // That of a Poisson number, and that of the time until t or dropout.
        self.expected_purchases(t) + (self.lambda / self.mu).powi(2) * variance_of_lifetime(self.mu * time(t))
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        // n purchases and alive at t, or n purchases and then the dropout before t.
        let dropped_out = self.mu / self.k() * (self.lambda / self.k()).powf(n as f64) * poisson(n, self.k() * time(t)).1;
        (self.lambda / self.k()).powf(n as f64) * poisson(n, self.k() * time(t)).0 + dropped_out
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        // The first n + 1 events come before t, and all of them are purchases.
        (self.lambda / self.k()).powf(n as f64 + 1.0) * poisson(n, self.k() * time(t)).1
    }

    fn p_active(&self, t: f64) -> f64 {
        -self.lambda / self.k() * (-self.k() * time(t)).exp_m1()
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        let share = q.max(0.0) * self.k() / self.lambda;
        (share < 1.0).then(|| (-(-share).ln_1p() / self.k()).max(0.0))
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        (-self.mu * time(t)).exp()
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let rate = self.mu + delta.max(0.0);
        -self.lambda / rate * (-rate * time(t)).exp_m1()
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        Some(self.lambda / (self.mu + delta.max(0.0)))
    }
}
