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
//! P(X(t) >= n) = P(N(t) >= n) B(a, b+n-1) / B(a, b)     N the NBD process without dropout: the coin tosses are independent of the times
//! P(alive at t) = E_p[ (1 + p tau)^-r ]
//! given alive: BG/NBD (r + x, alpha + T, a, b + x)
//! ```
//! (z)_x is a rising factorial. The paper's eq. 9 writes E\[X(t)\] with a 2F1 that divides by a - 1 and takes logs of negative numbers for
//! a + b < 1; the expectation over p is the same number, positive and regular everywhere. Discounting goes under the same integral:
//! with v = ln(1 + p u/alpha), the inner one is (r/p) Int exp(-r v - (delta alpha/p)(e^v - 1)) dv. Up to a few times alpha the same two numbers are had a
//! hundred times faster with time as the outer integral, r Int e^(-delta alpha w) E_p[(1 + p w)^-(r+1)] dw over 0..tau (see numeric::beta_decay).
//!
//! # Special points
//! x = 0: no softplus, P(alive) = 1. t_x = T: d = 0. a = 1 and a + b < 1: nothing special. x = 1e5: rising factorials by Stirling differences.
//!
//! # References
//! Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284.
//! Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD Model, brucehardie.com/notes/021.

use ndarray::Array1;

use super::beta_dropout::{BetaDropout, TimingTerm};
use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::nbd::Nbd;
use super::purchase_model::PurchaseModel;
use super::purchase_sample::PurchaseSample;
use super::{at_most_one, check_parameters, discount_rate, duration};
use crate::data::{Histories, History};
use crate::error::{Error, Result};
use crate::numeric::beta_decay::BetaDecay;
use crate::numeric::decay::{NEGLIGIBLE, exponential_decay};
use crate::numeric::jet::Jet;
use crate::numeric::log_odds::beta_mean;
use crate::numeric::rising::ln_beta_ratio;
use crate::numeric::stirling::ln_1p_minus;

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
pub struct BgNbd(pub(super) BetaDropout);

impl BgNbd {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-12..1e15.
    pub fn new(params: BgNbdParams) -> Result<Self> {
        let BgNbdParams { r, alpha, a, b } = params;
        check_parameters("BG/NBD", &[("r", r), ("alpha", alpha), ("a", a), ("b", b)])?;
        Ok(BgNbd(BetaDropout { r, alpha, a, b }))
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> BgNbdParams {
        let BetaDropout { r, alpha, a, b } = self.0;
        BgNbdParams { r, alpha, a, b }
    }

    /// ln L of one customer with gradient and Hessian in (r, alpha, a, b).
    #[must_use]
    pub fn ln_likelihood_jet(&self, history: &History) -> Jet<4> {
        self.0.ln_likelihood_jet(history, chances(history))
    }

    /// The customer after `x` further purchases without dropout and `age` of time: also what [`MbgNbd`](super::MbgNbd) becomes.
    pub(super) fn updated(BetaDropout { r, alpha, a, b }: BetaDropout, x: f64, age: f64, chances: f64) -> Self {
        BgNbd(BetaDropout { r: r + x, alpha: alpha + age, a, b: b + chances })
    }

    /// The purchases there would be if nobody dropped out.
    fn without_dropout(&self) -> Nbd {
        Nbd::from_shape_and_rate(self.0.r, self.0.alpha)
    }

    /// Expected purchases to tau, plain and discounted, as integrals of the purchase rate over time: by far the faster way, where it is one.
    fn over_time(&self, tau: f64, decay: f64) -> Option<(f64, f64)> {
        let BetaDropout { r, a, b, .. } = self.0;
        BetaDecay { a, b, n: r + 1.0 }.integrals(tau, decay).map(|(plain, discounted)| (r * plain, r * discounted))
    }

    /// Expected purchases to tau as a mean over the dropout probability: for any tau and any parameters.
    fn expected_over_dropout(&self, tau: f64) -> f64 {
        let BetaDropout { r, a, b, .. } = self.0;
        beta_mean(a, b, (r + 1.0) * tau, |p| -(-r * (p * tau).ln_1p()).exp_m1() / p)
    }

    /// The same, discounted.
    fn discounted_over_dropout(&self, tau: f64, decay: f64) -> f64 {
        if decay == 0.0 {
            return self.expected_over_dropout(tau);
        }
        let BetaDropout { r, a, b, .. } = self.0;
        // What is discounted away does not count: beyond that time the integrand no longer depends on p.
        let reach = tau.min(NEGLIGIBLE / decay);
        beta_mean(a, b, (r + 1.0) * reach, |p| r / p * exponential_decay(r, decay / p, (p * tau).ln_1p()))
    }
}

/// A chance to drop out after every repeat purchase.
fn chances(history: &History) -> f64 {
    f64::from(history.frequency())
}

impl PurchaseModel for BgNbd {
    type Alive = BgNbd;

    fn ln_likelihood(&self, history: &History) -> f64 {
        self.0.ln_likelihood(history, chances(history))
    }

    fn p_alive(&self, history: &History) -> f64 {
        self.0.p_alive(f64::from(history.frequency()), history.recency(), history.age(), chances(history))
    }

    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        self.0.p_alive_column(histories, 0.0, p_alive);
    }

    fn p_dead(&self, history: &History) -> f64 {
        if history.frequency() == 0 { 0.0 } else { self.0.p_dead(history, chances(history)) }
    }

    fn given_alive(&self, history: &History) -> BgNbd {
        BgNbd::updated(self.0, f64::from(history.frequency()), history.age(), chances(history))
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        let tau = duration(t) / self.0.alpha;
        self.over_time(tau, 0.0).map_or_else(|| self.expected_over_dropout(tau), |(expected, _)| expected)
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        // E[X (X - 1) | p] = 2 (1 - p) / p^2 P(at least 2 purchases in p t without dropout); the factor 1 - p shifts the beta distribution.
        let BetaDropout { r, alpha, a, b } = self.0;
        let tau = duration(t) / alpha;
        let of_p = |p: f64| 2.0 * at_least_two(r, p * tau) / p / p;
        b / (a + b) * beta_mean(a, b + 1.0, (r + 2.0) * tau, of_p)
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        // E[X^2] - E[X]^2 would cancel where many purchases are expected. Instead, with P1 and P2 the chances of at least 1 and 2 purchases in p t without
        // dropout: Var[X | p] = P1 (1 - P1) / p + (1 - p) (2 P2 - P1^2) / p^2, two positive terms, to which the variance of E[X | p] = P1 / p is added.
        let BetaDropout { r, alpha, a, b } = self.0;
        let tau = duration(t) / alpha;
        let mean = self.expected_purchases(t);
        let first = |p: f64| {
            let exponent = -r * (p * tau).ln_1p();
            let some = -exponent.exp_m1();
            let difference = some / p - mean;
            some * exponent.exp() / p + difference * difference
        };
        let second = |p: f64| twice_two_less_square_of_one(r, p * tau) / p / p;
        beta_mean(a, b, (r + 1.0) * tau, first) + b / (a + b) * beta_mean(a, b + 1.0, (r + 2.0) * tau, second)
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        let BetaDropout { a, b, .. } = self.0;
        let rates = self.without_dropout();
        if n == 0 {
            return rates.purchase_pmf(0, t);
        }
        // Alive after n purchases, or dropped out at the n-th with any number of purchases suppressed after it.
        let n_f = n as f64;
        let alive = ln_beta_ratio(a, b, n_f).exp() * rates.purchase_pmf(n, t);
        let dropped = ln_beta_ratio(a, b, n_f - 1.0).exp() * (a / (a + b + (n_f - 1.0))) * rates.purchase_sf(n - 1, t);
        at_most_one(alive + dropped)
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        let BetaDropout { a, b, .. } = self.0;
        ln_beta_ratio(a, b, n as f64).exp() * self.without_dropout().purchase_sf(n, t)
    }

    fn p_active(&self, t: f64) -> f64 {
        // Before the first repeat purchase nobody can drop out.
        self.without_dropout().p_active(t)
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        self.without_dropout().next_purchase_quantile(q)
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        let BetaDropout { r, alpha, a, b } = self.0;
        let tau = duration(t) / alpha;
        at_most_one(beta_mean(a, b, (r + 1.0) * tau, |p| (-r * (p * tau).ln_1p()).exp()))
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let (tau, decay) = (duration(t) / self.0.alpha, discount_rate(delta) * self.0.alpha);
        self.over_time(tau, decay).map_or_else(|| self.discounted_over_dropout(tau, decay), |(_, discounted)| discounted)
    }

    fn expected_and_discounted_purchases(&self, t: f64, delta: f64) -> (f64, f64) {
        let (tau, decay) = (duration(t) / self.0.alpha, discount_rate(delta) * self.0.alpha);
        self.over_time(tau, decay).unwrap_or_else(|| (self.expected_purchases(t), self.discounted_over_dropout(tau, decay)))
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        let BetaDropout { a, b, .. } = self.0;
        if discount_rate(delta) > 0.0 {
            return Some(self.discounted_expected_purchases(f64::INFINITY, delta));
        }
        // E[1/p]: the purchases of a lifetime, all alike, end after 1/p of them.
        (a > 1.0).then(|| (b + (a - 1.0)) / (a - 1.0))
    }
}

/// P(at least 2 purchases) for a gamma rate of shape r over a time w in units of its scale; all digits where it is tiny.
pub(super) fn at_least_two(r: f64, w: f64) -> f64 {
    let u = w / (1.0 + w);
    let exponent = -r * w.ln_1p();
    let none = exponent.exp();
    if (r + 1.0) * u >= 0.1 {
        // 1 - P(0) - P(1), where both of the first may be of the order of r: not 1 - (P(0) + P(1)).
        return -exponent.exp_m1() - r * u * none;
    }
    // The probabilities of 2, 3, ... purchases: their quotient is below 0.07.
    let (mut term, mut sum, mut n) = (none * 0.5 * r * (r + 1.0) * u * u, 0.0, 2.0);
    while term > sum * (0.1 * f64::EPSILON) {
        sum += term;
        term *= (r + n) / (n + 1.0) * u;
        n += 1.0;
    }
    sum
}

/// 2 P(at least 2 purchases) - P(at least 1)^2 for a gamma rate of shape r over a time w in units of its scale.
///
/// With y = r ln(1 + w), u = w / (1 + w): 1 - e^(-2 y) - 2 r u e^-y = 2 e^-y [(sinh y - y) + r (ln(1 + w) - u)], positive terms for small y.
pub(super) fn twice_two_less_square_of_one(r: f64, w: f64) -> f64 {
    let (u, l) = (w / (1.0 + w), w.ln_1p());
    let y = r * l;
    if y >= 1.0 {
        return -(-2.0 * y).exp_m1() - 2.0 * r * u * (-y).exp();
    }
    // The series of sinh y - y: for y < 1 the first term left out is y^17 / 17!.
    let y2 = y * y;
    let mut series = 1.0;
    for k in [7.0, 6.0, 5.0, 4.0, 3.0, 2.0] {
        series = 1.0 + y2 / (2.0 * k * (2.0 * k + 1.0)) * series;
    }
    let rest = if u < 0.25 { -ln_1p_minus(-u) } else { l - u };
    2.0 * (-y).exp() * (y * y2 / 6.0 * series + r * rest)
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
        let BetaDropout { r, alpha, a, b } = self.0;
        ndarray::array![r, alpha, a, b]
    }

    fn start(sample: &PurchaseSample) -> Self {
        let (r, alpha) = sample.nbd_moments();
        BgNbd(BetaDropout { r, alpha, a: 1.0, b: 2.5 })
    }

    fn elsewhere(&self, _: &PurchaseSample) -> Vec<Self> {
        self.0.elsewhere().map(BgNbd).to_vec()
    }

    fn at_bound(&self, parameter: usize, lower: bool) -> Option<&'static str> {
        self.0.at_bound(parameter, lower)
    }

    fn ln_likelihood_sum(&self, sample: &PurchaseSample) -> Evaluation {
        sample.sum(|x| self.0.frequency_term(x, x), |rows| rows.sum(TimingTerm { model: &self.0, more_chances: 0.0 })).into()
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
