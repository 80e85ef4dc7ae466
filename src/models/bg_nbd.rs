//! The BG/NBD model (Fader, Hardie & Lee 2005).
//!
//! # Story
//! 1. While alive, a customer buys at random with a steady rate lambda (a Poisson process).
//! 2. lambda differs between customers: gamma(shape r, rate alpha).
//! 3. After every *repeat* purchase the customer drops out with probability p, unnoticed and for good.
//! 4. p differs between customers: beta(a, b).
//! 5. lambda and p are independent.
//!
//! Do not use it when many customers buy once and never again: by (3) a customer without a repeat purchase is alive with certainty, however long
//! ago the first purchase was. MBG/NBD and Pareto/NBD do not have this property.
//!
//! # Parameters
//! | symbol | unit | meaning |
//! |---|---|---|
//! | r | - | how alike the purchase rates are; small: most buy rarely, some often |
//! | alpha | time | rate of the gamma; the mean purchase rate is r / alpha per unit |
//! | a, b | - | dropout: its mean probability after a purchase is a / (a + b) |
//!
//! # Formulas, and the form computed
//! With n = r + x, d = ln((alpha + T) / (alpha + t_x)) and b_x = b + x - 1 (eq. 6 of the paper, rearranged):
//! ```text
//! ln L = ln (r)_x + ln [B(a, b+x) / B(a, b)] - r ln(1 + T/alpha) - x ln(alpha + T) + [x > 0] ln(1 + e^u)
//! u    = ln(a / b_x) + n d
//! P(alive) = 1 / (1 + [x > 0] e^u)
//! E[X(t)]  = E_p[ (1 - (1 + p tau)^-r) / p ],   p ~ Beta(a, b), tau = t / alpha
//! given alive: BG/NBD (r + x, alpha + T, a, b + x)
//! ```
//! (z)_x is a rising factorial. The paper's eq. 9 writes E\[X(t)\] with a 2F1 that divides by a - 1 and takes logs of negative numbers for
//! a + b < 1; the expectation over p is the same number, positive and regular everywhere. Discounting goes under the same integral:
//! with v = ln(1 + p u/alpha), the inner one is (r/p) Int exp(-r v - (delta alpha/p)(e^v - 1)) dv.
//!
//! # Special points
//! x = 0: no softplus, P(alive) = 1. t_x = T: d = 0. a = 1 and a + b < 1: nothing special. x = 1e5: rising factorials by Stirling differences.
//!
//! # References
//! Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284.

use ndarray::Array1;

use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::sample::PurchaseSample;
use super::{PurchaseModel, at_least_zero, check_parameters};
use crate::data::{Customers, History};
use crate::error::{Error, Result};
use crate::numeric::decay::exponential_decay;
use crate::numeric::elementary::{exp, ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::log_odds::beta_mean;
use crate::numeric::rising::{ln_beta_ratio, ln_rising};

/// The parameters of [`BgNbd`], by name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct BgNbdParams {
    /// Shape of the purchase rates' gamma distribution.
    pub r: f64,
    /// Rate of that gamma distribution, in units of time.
    pub alpha: f64,
    /// First shape of the dropout probabilities' beta distribution.
    pub a: f64,
    /// Second shape of that beta distribution.
    pub b: f64,
}

/// The BG/NBD model: gamma purchase rates, beta dropout probabilities after each repeat purchase.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, History, PurchaseModel};
///
/// // CDNOW, weeks: table 2 of Fader, Hardie & Lee (2005)
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let customer = History::new(2, 30.43, 38.86)?;
/// assert!((model.p_alive(&customer) - 0.726_578_570_080_672_9).abs() < 1e-15);
/// assert!((model.conditional_expected_purchases(&customer, 39.0) - 1.226_028_174_767_144).abs() < 1e-13);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "BgNbdParams", into = "BgNbdParams"))]
pub struct BgNbd {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
}

impl BgNbd {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-8..1e10.
    pub fn new(params: BgNbdParams) -> Result<Self> {
        let BgNbdParams { r, alpha, a, b } = params;
        check_parameters("BG/NBD", &[("r", r), ("alpha", alpha), ("a", a), ("b", b)])?;
        Ok(BgNbd { r, alpha, a, b })
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> BgNbdParams {
        let &BgNbd { r, alpha, a, b } = self;
        BgNbdParams { r, alpha, a, b }
    }

    /// ln L of one customer with gradient and Hessian in (r, alpha, a, b).
    #[must_use]
    pub fn ln_likelihood_jet(&self, history: &History) -> Jet<4> {
        let mut jet = self.frequency_term(history.frequency());
        jet.add_scaled(1.0, &self.timing_term(f64::from(history.frequency()), history.recency(), history.age()));
        jet
    }

    /// The part of ln L that depends on x alone: ln (r)_x + ln [B(a, b+x) / B(a, b)].
    fn frequency_term(&self, x: u32) -> Jet<4> {
        let &BgNbd { r, a, b, .. } = self;
        let (rate, stay, all) = (ln_rising(r, x), ln_rising(b, x), ln_rising(a + b, x));
        let mut jet = Jet::ZERO;
        jet.value = rate.value + ln_beta_ratio(a, b, x);
        jet.gradient = [rate.first, 0.0, -all.first, stay.first - all.first];
        jet.hessian[0][0] = rate.second;
        jet.hessian[2][2] = -all.second;
        jet.hessian[2][3] = -all.second;
        jet.hessian[3][3] = stay.second - all.second;
        jet.symmetric()
    }

    /// The part of ln L that depends on the times: -r ln(1 + T/alpha) - x ln(alpha + T) + [x > 0] ln(1 + e^u).
    #[inline(always)]
    fn timing_term(&self, x: f64, t_x: f64, t_cal: f64) -> Jet<4> {
        let &BgNbd { r, alpha, a, .. } = self;
        let n = r + x;
        let to_end = 1.0 / (alpha + t_cal);
        let to_last = 1.0 / (alpha + t_x);
        // d and its derivatives in alpha
        let gap = (t_cal - t_x) * to_last;
        let d = ln_1p(gap);
        let d_alpha = -gap * to_end;
        let d_alpha_alpha = gap * (to_end + to_last) * to_end;
        // x = 0: nobody can have dropped out. b_x is then any positive number, since it meets sigma = 0.
        let b_x = if x > 0.0 { self.stayed(x) } else { 1.0 };
        let (softplus, sigma, spread) = if x > 0.0 { softplus(ln(a / b_x) + n * d) } else { (0.0, 0.0, 0.0) };
        // u and its derivatives
        let (u_r, u_alpha, u_a, u_b) = (d, n * d_alpha, 1.0 / a, -1.0 / b_x);
        let ratio = t_cal / alpha;
        let mut jet = Jet::ZERO;
        jet.value = -r * ln_1p(ratio) - x * ln(alpha + t_cal) + softplus;
        jet.gradient = [-ln_1p(ratio) + sigma * u_r, (r * ratio - x) * to_end + sigma * u_alpha, sigma * u_a, sigma * u_b];
        let h = &mut jet.hessian;
        h[0][0] = spread * u_r * u_r;
        h[0][1] = ratio * to_end + spread * u_r * u_alpha + sigma * d_alpha;
        h[0][2] = spread * u_r * u_a;
        h[0][3] = spread * u_r * u_b;
        h[1][1] = (x - r * ratio * (2.0 + ratio)) * to_end * to_end + spread * u_alpha * u_alpha + sigma * n * d_alpha_alpha;
        h[1][2] = spread * u_alpha * u_a;
        h[1][3] = spread * u_alpha * u_b;
        h[2][2] = (spread - sigma) * u_a * u_a;
        h[2][3] = spread * u_a * u_b;
        h[3][3] = (spread + sigma) * u_b * u_b;
        jet.symmetric()
    }

    /// b + x - 1: the second shape after x - 1 purchases without dropout. Written so that it does not cancel for small b.
    #[inline(always)]
    fn stayed(&self, x: f64) -> f64 {
        self.b + (x - 1.0)
    }

    /// u = ln odds of having dropped out at the last purchase, for x > 0.
    #[inline(always)]
    fn ln_odds_dead(&self, history: &History) -> f64 {
        let (x, t_x, t_cal) = (f64::from(history.frequency()), history.recency(), history.age());
        ln(self.a / self.stayed(x)) + (self.r + x) * ln_1p((t_cal - t_x) / (self.alpha + t_x))
    }
}

/// (ln(1 + e^u), its first, its second derivative), each from e^-|u|, so that nothing overflows.
#[inline(always)]
fn softplus(u: f64) -> (f64, f64, f64) {
    let e = exp(-u.abs());
    let low = e / (1.0 + e);
    let sigma = if u > 0.0 { 1.0 / (1.0 + e) } else { low };
    (u.max(0.0) + ln_1p(e), sigma, low / (1.0 + e))
}

impl PurchaseModel for BgNbd {
    type Alive = BgNbd;

    fn ln_likelihood(&self, history: &History) -> f64 {
        let x = history.frequency();
        ln_rising(self.r, x).value
            + ln_beta_ratio(self.a, self.b, x)
            + self.timing_term(f64::from(x), history.recency(), history.age()).value
    }

    fn p_alive(&self, history: &History) -> f64 {
        if history.frequency() == 0 { 1.0 } else { softplus(-self.ln_odds_dead(history)).1 }
    }

    fn p_dead(&self, history: &History) -> f64 {
        if history.frequency() == 0 { 0.0 } else { softplus(self.ln_odds_dead(history)).1 }
    }

    fn given_alive(&self, history: &History) -> BgNbd {
        let x = f64::from(history.frequency());
        BgNbd { r: self.r + x, alpha: self.alpha + history.age(), a: self.a, b: self.b + x }
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        let &BgNbd { r, alpha, a, b } = self;
        let tau = at_least_zero(t) / alpha;
        beta_mean(a, b, (r + 1.0) * tau, |p| -(-r * (p * tau).ln_1p()).exp_m1() / p)
    }

    fn p_active(&self, t: f64) -> f64 {
        // Before the first repeat purchase nobody can drop out.
        -(-self.r * (at_least_zero(t) / self.alpha).ln_1p()).exp_m1()
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let &BgNbd { r, alpha, a, b } = self;
        let (tau, decay) = (at_least_zero(t) / alpha, at_least_zero(delta) * alpha);
        beta_mean(a, b, (r + 1.0) * tau, |p| r / p * exponential_decay(r, decay / p, (p * tau).ln_1p()))
    }
}

impl Estimable for BgNbd {
    const NAME: &'static str = "bg-nbd";

    const PARAMETERS: &'static [ParameterInfo] = &[
        ParameterInfo {
            name: "r",
            kind: ParameterKind::Shape,
            at_lower: "almost nobody buys again",
            at_upper: "all customers buy at the same rate",
        },
        ParameterInfo {
            name: "alpha",
            kind: ParameterKind::Scale,
            at_lower: "purchase rates have no upper limit in these data",
            at_upper: "all customers buy at the same rate",
        },
        ParameterInfo {
            name: "a",
            kind: ParameterKind::Shape,
            at_lower: "no customer ever drops out: this is the NBD model",
            at_upper: "all customers drop out with the same probability",
        },
        ParameterInfo {
            name: "b",
            kind: ParameterKind::Shape,
            at_lower: "customers drop out at their first repeat purchase or never",
            at_upper: "all customers drop out with the same probability, or none does",
        },
    ];

    type Sample = PurchaseSample;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        match *parameters {
            [r, alpha, a, b] => BgNbd::new(BgNbdParams { r, alpha, a, b }),
            _ => Err(Error::parameter(format!("BG/NBD has 4 parameters, not {}", parameters.len()))),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        ndarray::array![self.r, self.alpha, self.a, self.b]
    }

    fn sample(customers: &Customers) -> Result<PurchaseSample> {
        PurchaseSample::new(customers)
    }

    fn customers(sample: &PurchaseSample) -> f64 {
        sample.customers()
    }

    fn scale(sample: &PurchaseSample) -> f64 {
        sample.mean_age()
    }

    fn start(sample: &PurchaseSample) -> Self {
        let (r, alpha) = sample.nbd_moments();
        BgNbd { r, alpha, a: 1.0, b: 2.5 }
    }

    fn ln_likelihood_sum(&self, sample: &PurchaseSample) -> Evaluation {
        sample.sum(|x| self.frequency_term(x), |x, t_x, t_cal| self.timing_term(x, t_x, t_cal)).into()
    }
}

impl TryFrom<BgNbdParams> for BgNbd {
    type Error = Error;

    fn try_from(params: BgNbdParams) -> Result<Self> {
        BgNbd::new(params)
    }
}

impl From<BgNbd> for BgNbdParams {
    fn from(model: BgNbd) -> Self {
        model.params()
    }
}
