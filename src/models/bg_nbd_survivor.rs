//! A BG/NBD customer who has survived a time of unknown purchases: the future of one born before the log, given alive.
//!
//! # Story
//! As [BG/NBD](super::BgNbd), but (4) and (5) no longer hold: whoever survived a time w in which purchases were not seen bought little or drops out rarely.
//!
//! # Formulas, and the form computed
//! Surviving w has probability e^(-lambda p w) given lambda and p, which ties the two together:
//! ```text
//! p        has a density proportional to p^(a-1) (1-p)^(b-1) (1 + p w/alpha)^-r
//! lambda | p ~ gamma(r, alpha + p w)
//! ```
//! Given p the customer is a BG/NBD customer with the one dropout probability p, so every quantity is a mean over that density of the quantity for
//! (r, alpha + p w) and p. It is formed as a sum over the nodes of the likelihood, divided by the same sum of the density; powers of (1-p) shift b. After x
//! purchases in a further time T, alive: the same with (r + x, alpha + T, a, b + x, w).
//!
//! # Special points
//! w = 0: BG/NBD (r, alpha, a, b). a = 1: nothing special. x = 0: P(alive) = 1, as nobody drops out without a purchase.

use super::beta_dropout::BetaDropout;
use super::bg_nbd::{BgNbd, at_least_two, twice_two_less_square_of_one};
use super::censored_likelihood::share;
use super::nbd::Nbd;
use super::purchase_model::{PurchaseModel, time_quantile};
use super::{at_most_one, discount_rate, duration};
use crate::data::History;
use crate::numeric::beta_nodes::BetaNodes;
use crate::numeric::decay::{NEGLIGIBLE, exponential_decay};
use crate::numeric::rising::ln_beta_ratio;

/// Below this p nobody drops out in any time there is, and no quantity depends on p: its square is still a number.
const HARDLY_EVER: f64 = 1e-130;

/// BG/NBD after a time of unknown purchases that was survived.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, BgNbdSurvivor, PurchaseModel};
///
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// // Who is known to be alive after a year is likely to buy rarely, and so expected to buy less than a new customer.
/// let survivor = BgNbdSurvivor::new(model, 52.0);
/// assert!(survivor.expected_purchases(39.0) < model.expected_purchases(39.0));
/// assert!((BgNbdSurvivor::new(model, 0.0).expected_purchases(39.0) - model.expected_purchases(39.0)).abs() < 1e-12);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbdSurvivor {
    model: BetaDropout,
    /// w
    survived: f64,
}

impl BgNbdSurvivor {
    /// A customer of the model who has survived a time `survived` in which purchases were not seen. Negative or no number counts as 0.
    #[must_use]
    pub fn new(model: BgNbd, survived: f64) -> Self {
        BgNbdSurvivor { model: model.0, survived: duration(survived) }
    }

    /// The rate alpha + p w of lambda's gamma distribution, given p.
    fn rate(&self, p: f64) -> f64 {
        self.model.alpha + p * self.survived
    }

    /// The purchases there would be without dropout, given p.
    fn without_dropout(&self, p: f64) -> Nbd {
        Nbd::from_shape_and_rate(self.model.r, self.rate(p))
    }

    /// The mean of (1-p)^`stayed` e^f g over p, where `of_p` gives (f, g): f carries what may be steep, and g is of order 1. `t` is the time the quantity
    /// is about, which bounds where it bends.
    fn mean(&self, stayed: f64, t: f64, of_p: impl Fn(f64) -> (f64, f64)) -> f64 {
        let BetaDropout { r, alpha, a, b } = self.model;
        let z = self.survived / alpha;
        let nodes = |b: f64, far: f64| BetaNodes { a, b, z, tilt: r, far, power: r + 2.0 };
        let ln_density = |p: f64| -r * (z * p).ln_1p();
        let mut of_density = 0.0;
        let scale = nodes(b, z).for_each(|p| (ln_density(p), ()), |weight, _, ()| of_density += weight);
        let mut sum = 0.0;
        let ln_value = nodes(b + stayed, z + t / alpha).for_each(
            |p| {
                let (f, g) = of_p(p.max(HARDLY_EVER));
                (ln_density(p) + f, g)
            },
            |weight, _, g| sum += weight * g,
        );
        // Where e^f is 0 everywhere, so is the mean.
        if ln_value > f64::NEG_INFINITY { (ln_value - scale + ln_beta_ratio(a, b, stayed)).exp() * (sum / of_density) } else { 0.0 }
    }

    /// ln of the chance of having survived, as the likelihood has it.
    fn ln_survived(&self) -> f64 {
        self.model.bought_until(0.0, 0.0, self.survived, (self.model.a, self.model.b)).value
    }
}

impl PurchaseModel for BgNbdSurvivor {
    type Alive = BgNbdSurvivor;

    fn ln_likelihood(&self, history: &History) -> f64 {
        let (alive, dropped) = self.model.truncated_parts(self.survived, history, 0.0);
        if history.frequency() == 0 {
            return alive.value - self.ln_survived();
        }
        let (large, small) = (alive.value.max(dropped.value), alive.value.min(dropped.value));
        large + (small - large).exp().ln_1p() - self.ln_survived()
    }

    fn p_alive(&self, history: &History) -> f64 {
        let (alive, dropped) = self.model.truncated_parts(self.survived, history, 0.0);
        if history.frequency() == 0 { 1.0 } else { share(alive.value, dropped.value) }
    }

    fn p_dead(&self, history: &History) -> f64 {
        let (alive, dropped) = self.model.truncated_parts(self.survived, history, 0.0);
        if history.frequency() == 0 { 0.0 } else { share(dropped.value, alive.value) }
    }

    fn given_alive(&self, history: &History) -> BgNbdSurvivor {
        let x = f64::from(history.frequency());
        BgNbdSurvivor { model: BgNbd::updated(self.model, x, history.age(), x).0, ..*self }
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        let (r, t) = (self.model.r, duration(t));
        if t == 0.0 {
            return 0.0;
        }
        self.mean(0.0, t, |p| ((-(-r * (p * t / self.rate(p)).ln_1p()).exp_m1() / p).ln(), 1.0))
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        let (r, t) = (self.model.r, duration(t));
        if t == 0.0 {
            return 0.0;
        }
        self.mean(1.0, t, |p| ((2.0 * at_least_two(r, p * t / self.rate(p)) / p / p).ln(), 1.0))
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        // As for BG/NBD: two positive terms given p, and the variance of the mean given p.
        let (r, t) = (self.model.r, duration(t));
        if t == 0.0 {
            return 0.0;
        }
        let mean = self.expected_purchases(t);
        let first = self.mean(0.0, t, |p| {
            let exponent = -r * (p * t / self.rate(p)).ln_1p();
            let given_p = -exponent.exp_m1() / p;
            let from_mean = 1.0 - mean / given_p;
            (2.0 * given_p.ln(), exponent.exp() / given_p + from_mean * from_mean)
        });
        let second = self.mean(1.0, t, |p| ((twice_two_less_square_of_one(r, p * t / self.rate(p)) / p / p).ln(), 1.0));
        first + second
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        let t = duration(t);
        if t == 0.0 {
            return if n == 0 { 1.0 } else { 0.0 };
        }
        let n_f = n as f64;
        let alive = self.mean(n_f, t, |p| (self.without_dropout(p).purchase_pmf(n, t).ln(), 1.0));
        if n == 0 {
            return at_most_one(alive);
        }
        let dropped = self.mean(n_f - 1.0, t, |p| ((p * self.without_dropout(p).purchase_sf(n - 1, t)).ln(), 1.0));
        at_most_one(alive + dropped)
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        let t = duration(t);
        if t == 0.0 {
            return 0.0;
        }
        at_most_one(self.mean(n as f64, t, |p| (self.without_dropout(p).purchase_sf(n, t).ln(), 1.0)))
    }

    fn p_active(&self, t: f64) -> f64 {
        self.purchase_sf(0, t)
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        time_quantile(q, |t| self.p_active(t))
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        let (r, t) = (self.model.r, duration(t));
        at_most_one(self.mean(0.0, t, |p| (-r * (p * t / self.rate(p)).ln_1p(), 1.0)))
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let (r, t, delta) = (self.model.r, duration(t), discount_rate(delta));
        if delta == 0.0 || t == 0.0 {
            return self.expected_purchases(t);
        }
        // What is discounted away does not count.
        let reach = t.min(NEGLIGIBLE / delta);
        self.mean(0.0, reach, |p| {
            let rate = self.rate(p);
            ((r / p * exponential_decay(r, delta * rate / p, (p * t / rate).ln_1p())).ln(), 1.0)
        })
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        if discount_rate(delta) > 0.0 {
            return Some(self.discounted_expected_purchases(f64::INFINITY, delta));
        }
        // E[1/p]: the factor 1/p shifts a.
        let BetaDropout { a, b, .. } = self.model;
        let shifted = || self.model.bought_until(0.0, 0.0, self.survived, (a - 1.0, b)).value - self.ln_survived();
        (a > 1.0).then(|| (b + (a - 1.0)) / (a - 1.0) * shifted().exp())
    }
}
