//! The Gamma-Gamma model of spend (Colombo & Jiang 1999; Fader & Hardie 2013).
//!
//! # Story
//! 1. What a customer spends at a purchase varies around a mean of their own: gamma(shape p, rate nu).
//! 2. nu differs between customers: gamma(shape q, rate gamma), so mean spends differ.
//! 3. Spend does not depend on how often a customer buys, or whether they left.
//!
//! Do not use it when frequent buyers spend visibly more (or less) per purchase, (3); or for amounts that can be negative.
//!
//! # Parameters
//! | symbol | unit | meaning |
//! |---|---|---|
//! | p | - | how alike one customer's purchases are |
//! | q | - | how alike customers are; the mean spend is infinite for q <= 1 |
//! | gamma | money | scale; mean spend over customers is p gamma / (q - 1). Other packages call it v |
//!
//! # Formulas, and the form computed
//! For a mean spend m of x purchases, with A = p x, N = A + q, u = x m / (gamma + x m) and mu = A / N (note 025, eq. 1a, rearranged):
//! ```text
//! ln L = -D + S - ln m
//! D    = A ln(mu / u) + q ln((1 - mu) / (1 - u))            a binomial deviance, never negative
//! S    = Stirling remainder of -ln B(A, q)                  (see numeric::stirling::ln_beta_saddle)
//! E[M | x, m] = p (gamma + x m) / (p x + q - 1)             eq. 5
//! ```
//! The textbook form adds terms of size p x that cancel; D is small where they do.
//!
//! The spend of the next n purchases, for a customer of whom nothing is known, is nu^-1 gamma(p n), so total / (gamma + total) is beta(p n, q):
//! ```text
//! P(total <= c) = I_u(p n, q),   u = c / (gamma + c)
//! given (x, m): Gamma-Gamma (p, q + p x, gamma + x m)
//! ```
//!
//! # Special points
//! x = 0: nothing is known, E\[M\] = p gamma / (q - 1). p x + q <= 1: no mean exists; the answer is `None`, not a negative number.
//! D near 0: from ln(1 + e) - e. Both tails of the spend distribution have all their digits; its quantiles are found in log-odds of u.
//!
//! # References
//! Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025, brucehardie.com/notes/025.
//! Colombo & Jiang (1999), A Stochastic RFM Model, Journal of Interactive Marketing 13(3), 2-12.

use ndarray::Array1;

use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::notice::{Notice, NoticeKind};
use super::sample::Sample;
use super::spend_by_frequency::SpendByFrequency;
use super::spend_sample::SpendSample;
use super::{at_least_zero, check_parameters};
use crate::data::SpendHistory;
use crate::error::{Error, Result};
use crate::numeric::block::Term;
use crate::numeric::elementary::ln;
use crate::numeric::jet::Jet;
use crate::numeric::log_concave::beta_cdf;
use crate::numeric::stirling::{Stirling, binomial_deviance, ln_beta_saddle};

/// The parameters of [`GammaGamma`], by name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct GammaGammaParams {
    /// Shape of one customer's spends.
    pub p: f64,
    /// Shape of the distribution of their rates over customers.
    pub q: f64,
    /// Rate of that distribution, an amount of money.
    pub gamma: f64,
}

/// The Gamma-Gamma model: what a purchase of this customer will be worth.
///
/// ```
/// use clv::{GammaGamma, GammaGammaParams, SpendHistory};
///
/// // CDNOW: Fader & Hardie (2013)
/// let model = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
/// let spend = SpendHistory::new(2, 22.35)?;
/// assert!((model.expected_average_spend(&spend).unwrap() - 24.663_713_910_761_155).abs() < 1e-13);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "GammaGammaParams", into = "GammaGammaParams"))]
pub struct GammaGamma {
    p: f64,
    q: f64,
    gamma: f64,
}

impl GammaGamma {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-12..1e15.
    pub fn new(params: GammaGammaParams) -> Result<Self> {
        let GammaGammaParams { p, q, gamma } = params;
        check_parameters("Gamma-Gamma", &[("p", p), ("q", q), ("gamma", gamma)])?;
        Ok(GammaGamma { p, q, gamma })
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> GammaGammaParams {
        let &GammaGamma { p, q, gamma } = self;
        GammaGammaParams { p, q, gamma }
    }

    /// ln L(m | x): the log-density of a customer's mean spend; 0 when nothing is known of it.
    #[must_use]
    pub fn ln_likelihood(&self, spend: &SpendHistory) -> f64 {
        if spend.purchases() == 0 {
            return 0.0;
        }
        let (x, m) = (f64::from(spend.purchases()), spend.mean());
        ln_beta_saddle(self.p * x, self.q) - binomial_deviance(self.p * x, self.q, x * m, self.gamma).value - ln(m)
    }

    /// ln L of one customer with gradient and Hessian in (p, q, gamma).
    #[must_use]
    pub fn ln_likelihood_jet(&self, spend: &SpendHistory) -> Jet<3> {
        if spend.purchases() == 0 {
            return Jet::ZERO;
        }
        let mut jet = self.count_term(spend.purchases());
        jet.add_scaled(1.0, &self.spend_term(f64::from(spend.purchases()), spend.mean()));
        jet.value -= ln(spend.mean());
        jet
    }

    /// E\[M | x, m\]: the expected spend of this customer's next purchase; `None` when p x + q <= 1, where the mean is infinite.
    #[must_use]
    pub fn expected_average_spend(&self, spend: &SpendHistory) -> Option<f64> {
        let &GammaGamma { p, q, gamma } = self;
        let (x, m) = (f64::from(spend.purchases()), spend.mean());
        let shape = p * x + (q - 1.0);
        (shape > 0.0).then(|| p * (gamma + x * m) / shape)
    }

    /// The model of this customer's next purchases: the same one, with what is known of the customer taken in.
    ///
    /// ```
    /// use clv::{GammaGamma, GammaGammaParams, SpendHistory};
    ///
    /// let model = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    /// let spend = SpendHistory::new(2, 22.35)?;
    /// let next = model.given(&spend);
    /// assert_eq!(next.params(), GammaGammaParams { p: 6.25, q: 3.74 + 2.0 * 6.25, gamma: 15.44 + 2.0 * 22.35 });
    /// // With nine chances in ten the next three purchases together come to between 40 and 123.
    /// assert!((next.total_spend_quantile(3, 0.05) - 39.714_4).abs() < 1e-4);
    /// assert!((next.total_spend_quantile(3, 0.95) - 123.015_7).abs() < 1e-4);
    /// assert_eq!(next.expected_average_spend(&SpendHistory::UNKNOWN), model.expected_average_spend(&spend));
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn given(&self, spend: &SpendHistory) -> Self {
        let &GammaGamma { p, q, gamma } = self;
        let x = f64::from(spend.purchases());
        GammaGamma { p, q: q + p * x, gamma: gamma + x * spend.mean() }
    }

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

    /// The part of ln L that depends on the purchase count alone.
    fn count_term(&self, purchases: u32) -> Jet<3> {
        let (x, q) = (f64::from(purchases), self.q);
        let a = self.p * x;
        let (all, own, other) = (Stirling::at(a + q), Stirling::at(a), Stirling::at(q));
        let mut jet = Jet::ZERO;
        jet.value = ln_beta_saddle(a, q);
        // psi(N) - psi(A) = [ln N - ln A, with the deviance] + these remainders
        jet.gradient = [x * (all.digamma - own.digamma), all.digamma - other.digamma, 0.0];
        jet.hessian[0][0] = x * x * (all.trigamma - own.trigamma);
        jet.hessian[0][1] = x * all.trigamma;
        jet.hessian[1][1] = all.trigamma - other.trigamma;
        jet.symmetric()
    }

    /// The part of ln L that depends on the mean spend and the parameters: -D.
    #[inline(always)]
    fn spend_term(&self, x: f64, m: f64) -> Jet<3> {
        let &GammaGamma { p, q, gamma } = self;
        let (a, total) = (p * x, x * m);
        let deviance = binomial_deviance(a, q, total, gamma);
        // Shares and reciprocals, not squares of sums: those of money overflow first.
        let (reciprocal, per_gamma) = (1.0 / (gamma + total), 1.0 / gamma);
        let share = total * reciprocal;
        let mut jet = Jet::ZERO;
        jet.value = -deviance.value;
        jet.gradient = [-x * deviance.ln_own, -deviance.ln_other, (q * total - a * gamma) * reciprocal * per_gamma];
        // The second derivatives in p and q belong to the count term: they do not depend on m.
        jet.hessian[0][2] = -x * reciprocal;
        jet.hessian[1][2] = share * per_gamma;
        jet.hessian[2][2] = a * reciprocal * reciprocal - q * share * (1.0 + gamma * reciprocal) * per_gamma * per_gamma;
        jet.symmetric()
    }
}

/// The part of ln L that depends on the mean spend and the parameters.
#[derive(Clone, Copy)]
struct SpendTerm<'a>(&'a GammaGamma);

impl Term<2, 3> for SpendTerm<'_> {
    #[inline(always)]
    fn at(&self, [x, m]: [f64; 2]) -> Jet<3> {
        self.0.spend_term(x, m)
    }
}

/// Below, within or above all that can be spent.
enum SpendRange {
    Below,
    Within,
    Above,
}

/// Quantiles further out are 0 or infinite.
const LARGEST_LOG_ODDS: f64 = 600.0;

/// ln(u / (1 - u)) at the quantile `q` of Beta(a, b): -infinity where it lies below -600, infinity where above 600.
fn beta_log_odds_quantile(a: f64, b: f64, q: f64) -> f64 {
    // The smaller tail is the one that has all its digits.
    if q > 0.5 { -lower_beta_log_odds_quantile(b, a, 1.0 - q) } else { lower_beta_log_odds_quantile(a, b, q) }
}

/// The same for q <= 1/2. ln P is concave in log-odds, so that Newton's steps go right once and then approach from one side; bisection takes over
/// where P underflows.
fn lower_beta_log_odds_quantile(a: f64, b: f64, q: f64) -> f64 {
    let cdf = |y: f64| beta_cdf(a, b, y.exp(), 1.0);
    let saddle = ln_beta_saddle(a, b);
    let density = |y: f64| (saddle - binomial_deviance(a, b, y.exp(), 1.0).value).exp();
    let (mut low, mut high) = (-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS);
    if at_least_zero(q) <= cdf(low) {
        return f64::NEG_INFINITY;
    }
    if q > cdf(high) {
        return f64::INFINITY;
    }
    let mut y = (a / b).ln().clamp(low, high);
    for _ in 0..100 {
        let p = cdf(y);
        if p > q {
            high = y
        } else {
            low = y
        }
        let step = (p / q).ln() * p / density(y);
        let tolerance = 1e-14 * y.abs().max(1.0);
        if step.abs() <= tolerance || high - low <= tolerance {
            break;
        }
        let newton = y - step;
        y = if low < newton && newton < high { newton } else { 0.5 * (low + high) };
    }
    y
}

impl Estimable for GammaGamma {
    const NAME: &'static str = "gamma-gamma";

    const PARAMETERS: &'static [ParameterInfo] = &[
        ParameterInfo {
            name: "p",
            kind: ParameterKind::Shape,
            at_lower: "one customer's spends differ without limit",
            at_upper: "each customer always spends the same amount",
        },
        ParameterInfo {
            name: "q",
            kind: ParameterKind::Shape,
            at_lower: "customers' mean spends differ without limit",
            at_upper: "all customers have the same mean spend",
        },
        ParameterInfo {
            name: "gamma",
            kind: ParameterKind::Scale,
            at_lower: "spends have no lower limit in these data",
            at_upper: "all customers have the same mean spend",
        },
    ];

    type Sample = SpendSample;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        match *parameters {
            [p, q, gamma] => GammaGamma::new(GammaGammaParams { p, q, gamma }),
            _ => Err(Error::parameter(format!("Gamma-Gamma has 3 parameters, not {}", parameters.len()))),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        ndarray::array![self.p, self.q, self.gamma]
    }

    fn start(sample: &SpendSample) -> Self {
        GammaGamma { p: 2.0, q: 3.0, gamma: sample.mean_spend() }
    }

    fn ln_likelihood_sum(&self, sample: &SpendSample) -> Evaluation {
        let mut sum = sample.sum(|purchases| self.count_term(purchases), SpendTerm(self));
        sum.value -= sample.ln_means();
        sum.into()
    }

    fn cautions(&self, sample: &SpendSample) -> Vec<Notice> {
        let mut notices = Vec::new();
        if self.q <= 1.0 {
            notices.push(Notice::new(
                NoticeKind::InfiniteMeanSpend,
                format!(
                    "q = {:.3} is at most 1: the mean spend over customers is infinite, so customers without a repeat purchase get no expected \
                     spend; look for single huge amounts in the data",
                    self.q
                ),
            ));
        }
        if sample.all_equal() {
            notices.push(Notice::new(
                NoticeKind::EqualSpends,
                if Sample::customers(sample) <= 1.0 {
                    format!(
                        "there is one repeat buyer only, with an average spend of {:.2}: nothing can be learned about how spend differs, and everybody is \
                         expected to go on spending that",
                        sample.mean_spend()
                    )
                } else {
                    format!(
                        "every repeat buyer has the same average spend, {:.2}: nothing can be learned about how spend differs, and everybody is expected \
                         to go on spending that; check that the amounts are not a constant placeholder",
                        sample.mean_spend()
                    )
                },
            ));
        } else {
            notices.extend(SpendByFrequency::of(self, sample).and_then(|spend| spend.notice()));
        }
        notices
    }
}

impl TryFrom<GammaGammaParams> for GammaGamma {
    type Error = Error;

    fn try_from(params: GammaGammaParams) -> Result<Self> {
        GammaGamma::new(params)
    }
}

impl From<GammaGamma> for GammaGammaParams {
    fn from(model: GammaGamma) -> Self {
        model.params()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
mod tests {
    use super::*;
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
