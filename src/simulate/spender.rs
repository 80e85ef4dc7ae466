//! How a customer spends: amounts drawn from the Gamma-Gamma model.

use rand::Rng;

use super::variates::draw_ln_gamma;
use crate::models::{GammaGamma, GammaGammaParams};

/// Cents are lost above; with q < 1 some customer spends more than any bound.
const LARGEST_AMOUNT: f64 = 1e13;

/// Sums of totals must not overflow.
const LARGEST_TOTAL: f64 = 1e300;

/// Amounts below are nothing: with p near 0 most are, and no summary takes their mean.
const SMALLEST_AMOUNT: f64 = 1e-200;

/// How one customer spends: gamma(shape p) around a mean of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spender {
    p: f64,
    /// ln of the rate of this customer's gamma.
    ln_rate: f64,
}

impl Spender {
    /// The mean amount of this customer's purchases, at most 1e13.
    #[must_use]
    pub fn mean_spend(&self) -> f64 {
        (self.p * (-self.ln_rate).exp()).min(LARGEST_AMOUNT)
    }

    /// Draws the amount of a purchase: at most 1e13, and 0 where it would be below 1e-200.
    pub fn draw_amount<R: Rng>(&self, rng: &mut R) -> f64 {
        self.draw_total_amount(1, rng).min(LARGEST_AMOUNT)
    }

    /// Draws the mean amount of a number of purchases, at once: takes no longer when there are many.
    ///
    /// A random number of its own: not the mean of [`draw_amount`](Self::draw_amount) with the same generator.
    pub fn draw_mean_amount<R: Rng>(&self, purchases: u32, rng: &mut R) -> f64 {
        let purchases = u64::from(purchases.max(1));
        self.draw_total_amount(purchases, rng) / purchases as f64
    }

    /// Draws the total of a number of purchases, at once; at most 1e300.
    pub fn draw_total_amount<R: Rng>(&self, purchases: u64, rng: &mut R) -> f64 {
        if purchases == 0 {
            return 0.0;
        }
        let total = (draw_ln_gamma(self.p * purchases as f64, rng) - self.ln_rate).exp().min(LARGEST_TOTAL);
        if total < SMALLEST_AMOUNT { 0.0 } else { total }
    }
}

impl GammaGamma {
    /// Draws a new customer; one with a spend history is drawn from [`given`](Self::given).
    ///
    /// ```
    /// use clv::{GammaGamma, GammaGammaParams, SpendHistory, random_stream};
    ///
    /// let model = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let mut rng = random_stream(42, 0);
    /// let total: f64 = (0..10_000).map(|_| model.draw_spender(&mut rng).draw_amount(&mut rng)).sum();
    /// let expected = model.expected_average_spend(&SpendHistory::UNKNOWN).unwrap();
    /// assert!((total / 10_000.0 - expected).abs() < 1.5);               // 35.2
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn draw_spender<R: Rng>(&self, rng: &mut R) -> Spender {
        let GammaGammaParams { p, q, gamma } = self.params();
        Spender { p, ln_rate: draw_ln_gamma(q, rng) - gamma.ln() }
    }
}
