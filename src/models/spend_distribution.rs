//! The distribution of what the next purchases come to, together and on average, by the Gamma-Gamma model.
//!
//! total / (gamma + total) of the next n is beta(p n, q): both tails have all their digits, and quantiles are found in log-odds.

use super::gamma_gamma::GammaGamma;
use crate::numeric::beta_quantile::beta_log_odds_quantile;
use crate::numeric::log_concave::beta_cdf;
use crate::numeric::stirling::{binomial_deviance, ln_beta_saddle};

impl GammaGamma {
    /// The density of the mean of the next `n` purchases at `m`; 0 where m <= 0, and for n = 0.
    ///
    /// This and the methods below are about a customer of whom nothing is known; about others they are asked of [`given`](Self::given).
    #[must_use]
    pub fn average_spend_density(&self, n: u64, m: f64) -> f64 {
        n as f64 * self.total_spend_density(n, n as f64 * m)
    }

    /// P(mean of the next `n` purchases <= m). Nothing spent counts as a mean of 0.
    #[must_use]
    pub fn average_spend_cdf(&self, n: u64, m: f64) -> f64 {
        self.total_spend_cdf(n, n.max(1) as f64 * m)
    }

    /// P(mean of the next `n` purchases > m), with all its digits where it is tiny.
    #[must_use]
    pub fn average_spend_sf(&self, n: u64, m: f64) -> f64 {
        self.total_spend_sf(n, n.max(1) as f64 * m)
    }

    /// The amount the mean of the next `n` purchases does not exceed with probability `q`, for 0 < q < 1.
    #[must_use]
    pub fn average_spend_quantile(&self, n: u64, q: f64) -> f64 {
        self.total_spend_quantile(n, q) / n.max(1) as f64
    }

    /// The density of the sum of the next `n` purchases at `total`; 0 where total <= 0, and for n = 0.
    #[must_use]
    pub fn total_spend_density(&self, n: u64, total: f64) -> f64 {
        if n == 0 || !(total > 0.0 && total.is_finite()) {
            return 0.0;
        }
        let shape = self.p * n as f64;
        (ln_beta_saddle(shape, self.q) - binomial_deviance(shape, self.q, total, self.gamma).value - total.ln()).exp()
    }

    /// P(sum of the next `n` purchases <= total).
    #[must_use]
    pub fn total_spend_cdf(&self, n: u64, total: f64) -> f64 {
        match self.spend_range(n, total) {
            SpendRange::Below => 0.0,
            SpendRange::Within => beta_cdf(self.p * n as f64, self.q, total, self.gamma),
            SpendRange::Above => 1.0,
        }
    }

    /// P(sum of the next `n` purchases > total), with all its digits where it is tiny.
    #[must_use]
    pub fn total_spend_sf(&self, n: u64, total: f64) -> f64 {
        match self.spend_range(n, total) {
            SpendRange::Below => 1.0,
            SpendRange::Within => beta_cdf(self.q, self.p * n as f64, self.gamma, total),
            SpendRange::Above => 0.0,
        }
    }

    /// The amount the sum of the next `n` purchases does not exceed with probability `q`, for 0 < q < 1.
    ///
    /// Amounts below e^-600 gamma come out as 0, and those above e^600 gamma as infinite: with q of the model near 0 spend knows no bounds.
    #[must_use]
    pub fn total_spend_quantile(&self, n: u64, q: f64) -> f64 {
        if n == 0 {
            return 0.0;
        }
        self.gamma * beta_log_odds_quantile(self.p * n as f64, self.q, q).exp()
    }

    /// Where an amount lies with regard to the range of the distribution.
    fn spend_range(&self, n: u64, total: f64) -> SpendRange {
        match (n, total) {
            (_, total) if total.is_nan() || total < 0.0 => SpendRange::Below,
            (0, _) => SpendRange::Above,
            (_, 0.0) => SpendRange::Below,
            (_, total) if total == f64::INFINITY => SpendRange::Above,
            _ => SpendRange::Within,
        }
    }
}

/// Below, within or above all that can be spent.
enum SpendRange {
    Below,
    Within,
    Above,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
mod tests {
    use super::*;
    use crate::data::SpendHistory;
    use crate::models::GammaGammaParams;
    use approx::assert_relative_eq;
    use statrs::distribution::{Beta, ContinuousCDF};

    fn cdnow() -> GammaGamma {
        GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap()
    }

    #[test]
    fn spend_distribution_is_the_beta_distribution_of_statrs() {
        let model = cdnow();
        for n in [1, 2, 7, 40] {
            let beta = Beta::new(6.25 * n as f64, 3.74).unwrap();
            for total in [0.5, 12.0, 35.0, 80.0, 400.0, 3e3_f64] {
                let u = total / (15.44 + total);
                assert_relative_eq!(model.total_spend_cdf(n, total), beta.cdf(u), max_relative = 1e-9);
                assert_relative_eq!(model.total_spend_sf(n, total), beta.sf(u), max_relative = 1e-9);
                assert_relative_eq!(model.average_spend_cdf(n, total / n as f64), beta.cdf(u), max_relative = 1e-9);
            }
        }
    }

    #[test]
    fn density_is_the_derivative_of_the_distribution_function_and_the_likelihood_of_a_mean() {
        let model = cdnow();
        for n in [1, 3, 20] {
            for m in [3.0, 20.0, 35.0, 150.0] {
                let h = 1e-4 * m;
                let slope = (model.average_spend_cdf(n, m + h) - model.average_spend_cdf(n, m - h)) / (2.0 * h);
                assert_relative_eq!(model.average_spend_density(n, m), slope, max_relative = 1e-5);
                let likelihood = model.ln_likelihood(&SpendHistory::new(n as u32, m).unwrap()).exp();
                assert_relative_eq!(model.average_spend_density(n, m), likelihood, max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn quantiles_invert_both_tails() {
        for (p, q) in [(6.25, 3.74), (0.3, 0.4), (1.0, 1.0), (40.0, 0.2), (1e-2, 30.0), (1e5, 1e6)] {
            let model = GammaGamma::new(GammaGammaParams { p, q, gamma: 15.44 }).unwrap();
            for n in [1, 12, 100_000] {
                for tail in [1e-250, 1e-12, 0.01, 0.3, 0.5] {
                    let low = model.total_spend_quantile(n, tail);
                    if low > 0.0 {
                        assert_relative_eq!(model.total_spend_cdf(n, low), tail, max_relative = 1e-9);
                    }
                    let high = model.average_spend_quantile(n, 1.0 - tail);
                    if high.is_finite() {
                        assert_relative_eq!(model.average_spend_sf(n, high), 1.0 - (1.0 - tail), max_relative = 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn edges_are_no_surprise() {
        let model = cdnow();
        assert_eq!((model.total_spend_cdf(0, 0.0), model.total_spend_sf(0, 0.0), model.total_spend_quantile(0, 0.9)), (1.0, 0.0, 0.0));
        assert_eq!(
            (model.average_spend_cdf(0, 1.0), model.average_spend_density(0, 1.0), model.average_spend_quantile(0, 0.9)),
            (1.0, 0.0, 0.0)
        );
        for amount in [f64::NEG_INFINITY, -1.0, 0.0, f64::INFINITY, f64::NAN] {
            assert_eq!(model.total_spend_density(3, amount), 0.0);
            assert_eq!(model.total_spend_cdf(3, amount) + model.total_spend_sf(3, amount), 1.0);
        }
        assert_eq!((model.total_spend_quantile(3, 0.0), model.total_spend_quantile(3, 1.0)), (0.0, f64::INFINITY));
        // Almost all of this distribution lies below e^-600 or above e^600.
        let extreme = GammaGamma::new(GammaGammaParams { p: 1e-6, q: 1e-6, gamma: 1.0 }).unwrap();
        assert_eq!((extreme.total_spend_quantile(1, 0.3), extreme.total_spend_quantile(1, 0.7)), (0.0, f64::INFINITY));
    }
}
