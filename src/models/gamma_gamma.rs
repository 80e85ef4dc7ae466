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

use super::check_parameters;
use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::notice::{Notice, NoticeKind};
use super::sample::Sample;
use super::spend_by_frequency::SpendByFrequency;
use super::spend_sample::SpendSample;
use crate::data::SpendHistory;
use crate::error::{Error, Result};
use crate::numeric::block::Term;
use crate::numeric::elementary::ln;
use crate::numeric::jet::Jet;
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
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) gamma: f64,
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
