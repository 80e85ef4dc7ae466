//! The Pareto/NBD model (Schmittlein, Morrison & Colombo 1987).
//!
//! # Story
//! 1. While alive, a customer buys at random with a steady rate lambda (a Poisson process).
//! 2. lambda differs between customers: gamma(shape r, rate alpha).
//! 3. A customer drops out, unnoticed and for good, after an exponential lifetime with rate mu.
//! 4. mu differs between customers: gamma(shape s, rate beta).
//! 5. lambda and mu are independent.
//!
//! Do not use it when customers buy at regular intervals (a pause is then stronger evidence than the model takes it for), or for contracts, where
//! leaving is seen.
//!
//! # Parameters
//! | symbol | unit | meaning |
//! |---|---|---|
//! | r | - | how alike the purchase rates are |
//! | alpha | time | rate of their gamma; the mean purchase rate is r / alpha per unit |
//! | s | - | how alike the dropout rates are |
//! | beta | time | rate of their gamma; the mean dropout rate is s / beta per unit |
//!
//! # Formulas, and the form computed
//! With n = r + x, the likelihood is that of being alive at T plus that of every earlier dropout time (note 009, eq. A1, before integration):
//! ```text
//! L = (r)_x alpha^r beta^s { (alpha+T)^-n (beta+T)^-s + s Int_{t_x}^T (alpha+tau)^-n (beta+tau)^-(s+1) dtau }
//! ```
//! Everything is taken relative to t_x. The remaining integral runs over v = ln of the time axis measured from minus the *smaller* of alpha and beta:
//! ```text
//! J(p, q, kappa, V) = Int_0^V exp(-p v - q ln(1 - kappa + kappa e^v)) dv
//! ```
//! The papers solve it by differences of 2F1, which overflow for beta >> alpha and cancel for T near t_x; the integrand of J is positive and analytic
//! for |Im v| < pi whatever the parameters are, so a few Gauss-Legendre nodes give it to the last digits. Gradient and Hessian come from the same nodes: the
//! nodes carry the posterior of the dropout time, and derivatives are its means and covariances (Louis 1982).
//! ```text
//! P(alive) = E / (E + s c J)          E = exp(-n ln((alpha+T)/(alpha+t_x)) - s ln((beta+T)/(beta+t_x)))
//! E[X(t)]  = r beta/alpha M,  M = (1 - e^(-(s-1) l)) / (s - 1),  l = ln(1 + t/beta)
//! DERT     = r beta/alpha Int exp(-(s-1) v - delta beta (e^v - 1)) dv       (a Tricomi U in the papers)
//! P(X(t) >= k) = Int_0^t g_k(tau) (1 + tau/beta)^-s dtau                    g_k the density of the k-th purchase time without dropout
//! given alive: Pareto/NBD (r + x, alpha + T, s, beta + T)
//! ```
//!
//! # Special points
//! s = 1: M = l, by expm1. t_x = T: J = 0, P(alive) = 1. alpha = beta: kappa = 1. x = 1e5: everything relative to t_x. P(dead) is formed from J, never as
//! 1 - P(alive).
//!
//! # References
//! Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What Will They Do Next?, Management Science 33(1), 1-24.
//! Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions, note 009, brucehardie.com/notes/009.

use ndarray::Array1;

use super::alive_column::{SeenHistories, alive_column};
use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::nbd::Nbd;
use super::purchase_model::{PurchaseModel, time_quantile};
use super::purchase_sample::PurchaseSample;
use super::tail_moments::TailMoments;
use super::{at_most_one, check_parameters, discount_rate, duration};
use crate::data::{Histories, History};
use crate::error::{Error, Result};
use crate::numeric::decay::{NEGLIGIBLE, exponential_decay, for_each_node};
use crate::numeric::elementary::{ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::log_concave::{Tail, crossing, left_integral};
use crate::numeric::rising::ln_rising;
use crate::numeric::stirling::{binomial_deviance, ln_beta_saddle};
use crate::numeric::two_axes::TwoAxes;

/// The parameters of [`ParetoNbd`], by name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct ParetoNbdParams {
    /// Shape of the purchase rates' gamma distribution.
    pub r: f64,
    /// Rate of that gamma distribution, in units of time.
    pub alpha: f64,
    /// Shape of the dropout rates' gamma distribution.
    pub s: f64,
    /// Rate of that gamma distribution, in units of time.
    pub beta: f64,
}

/// The Pareto/NBD model: gamma purchase rates, exponential lifetimes with gamma rates.
///
/// ```
/// use clv::{History, ParetoNbd, ParetoNbdParams, PurchaseModel};
///
/// // CDNOW, weeks: Fader, Hardie & Lee (2005)
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let customer = History::new(7, 29.43, 38.86)?;
/// assert!((model.p_alive(&customer) - 0.749_501_407_667_034_3).abs() < 1e-14);
/// assert!((model.conditional_expected_purchases(&customer, 39.0) - 3.712_251_380_470_545).abs() < 1e-13);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "ParetoNbdParams", into = "ParetoNbdParams"))]
pub struct ParetoNbd {
    pub(super) r: f64,
    pub(super) alpha: f64,
    pub(super) s: f64,
    pub(super) beta: f64,
}

impl ParetoNbd {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-12..1e15.
    pub fn new(params: ParetoNbdParams) -> Result<Self> {
        let ParetoNbdParams { r, alpha, s, beta } = params;
        check_parameters("Pareto/NBD", &[("r", r), ("alpha", alpha), ("s", s), ("beta", beta)])?;
        Ok(ParetoNbd { r, alpha, s, beta })
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> ParetoNbdParams {
        let &ParetoNbd { r, alpha, s, beta } = self;
        ParetoNbdParams { r, alpha, s, beta }
    }

    /// ln L of one customer with gradient and Hessian in (r, alpha, s, beta).
    #[must_use]
    pub fn ln_likelihood_jet(&self, history: &History) -> Jet<4> {
        let x = f64::from(history.frequency());
        let (t_x, t_cal) = (history.recency(), history.age());
        let mut jet = self.frequency_term(x);
        jet.add_scaled(1.0, &self.timing_jet(x, t_x, t_cal));
        jet
    }

    /// The model of a customer whose dropout rate has been at work for `w` already, and who is alive.
    pub(super) fn older_by(&self, w: f64) -> Self {
        ParetoNbd { beta: self.beta + w, ..*self }
    }

    /// The purchases there would be if nobody dropped out.
    pub(super) fn without_dropout(&self) -> Nbd {
        Nbd::from_shape_and_rate(self.r, self.alpha)
    }

    /// The part of ln L that depends on x alone: ln (r)_x.
    pub(super) fn frequency_term(&self, x: f64) -> Jet<4> {
        let rate = ln_rising(self.r, x);
        let mut jet = Jet::ZERO;
        jet.value = rate.value;
        jet.gradient[0] = rate.first;
        jet.hessian[0][0] = rate.second;
        jet
    }
}

impl PurchaseModel for ParetoNbd {
    type Alive = ParetoNbd;

    fn ln_likelihood(&self, history: &History) -> f64 {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let (x, t_x) = (f64::from(history.frequency()), history.recency());
        ln_rising(r, x).value - r * ln_1p(t_x / alpha) - x * ln(alpha + t_x) - s * ln_1p(t_x / beta) + self.posterior_of(history).ln_bracket
    }

    fn p_alive(&self, history: &History) -> f64 {
        self.posterior_of(history).alive
    }

    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        alive_column(self, &mut SeenHistories::default(), histories, p_alive);
    }

    fn p_alive_column_after(&self, seen: &mut SeenHistories, histories: &Histories<'_>, p_alive: &mut [f64]) {
        alive_column(self, seen, histories, p_alive);
    }

    fn p_dead(&self, history: &History) -> f64 {
        self.posterior_of(history).dead
    }

    fn given_alive(&self, history: &History) -> ParetoNbd {
        let &ParetoNbd { r, alpha, s, beta } = self;
        ParetoNbd { r: r + f64::from(history.frequency()), alpha: alpha + history.age(), s, beta: beta + history.age() }
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        let &ParetoNbd { r, alpha, s, beta } = self;
        r * (beta / alpha) * decay_to(s - 1.0, (duration(t) / beta).ln_1p())
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        let (square, _) = self.buying_time(t);
        self.r * (self.r + 1.0) * square
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        // X is Poisson with mean lambda L: the three terms are those of the Poisson, of lambda and of L.
        let (square, variance) = self.buying_time(t);
        self.expected_purchases(t) + self.r * square + self.r * self.r * variance
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let t = duration(t);
        if t == 0.0 {
            return if n == 0 { 1.0 } else { 0.0 };
        }
        let n_f = n as f64;
        let ln_count = |tau: f64| if n == 0 { -r * (tau / alpha).ln_1p() } else { self.without_dropout().ln_purchase_pmf(n_f, tau) };
        let alive = (ln_count(t) - s * (t / beta).ln_1p()).exp();
        // Dropped out at tau after n purchases, over y = ln(tau/alpha).
        let f = |y: f64| {
            let tau = alpha * y.exp();
            ln_count(tau) + (s * (tau / beta)).ln() - (s + 1.0) * (tau / beta).ln_1p()
        };
        let rise = |y: f64| {
            let tau = alpha * y.exp();
            n_f + 1.0 - (r + n_f) * (tau / (alpha + tau)) - (s + 1.0) * (tau / (beta + tau))
        };
        at_most_one(alive + self.over_ln_time(t, n_f + 1.0, f, rise))
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let t = duration(t);
        if n == 0 || t == 0.0 {
            return self.p_active(t);
        }
        // The density of the k-th purchase time without dropout, times P(alive), over y = ln(tau/alpha).
        let k = n as f64 + 1.0;
        let saddle = ln_beta_saddle(k, r);
        let f = |y: f64| {
            let odds = y.exp();
            saddle - binomial_deviance(k, r, odds, 1.0).value - s * (odds * (alpha / beta)).ln_1p()
        };
        let rise = |y: f64| {
            let tau = alpha * y.exp();
            k - (r + k) * (tau / (alpha + tau)) - s * (tau / (beta + tau))
        };
        at_most_one(self.over_ln_time(t, k, f, rise))
    }

    fn p_active(&self, t: f64) -> f64 {
        // The first purchase at tau, while alive: the kernel again, with nobody's history.
        let &ParetoNbd { r, alpha, s, beta } = self;
        let t = duration(t);
        at_most_one(if alpha <= beta {
            r * TwoAxes { p: r, q: s, kappa: alpha / beta, end: (t / alpha).ln_1p() }.integral()
        } else {
            let kappa = beta / alpha;
            r * kappa * TwoAxes { p: s - 1.0, q: r + 1.0, kappa, end: (t / beta).ln_1p() }.integral()
        })
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        time_quantile(q, |t| self.p_active(t))
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        (-self.s * (duration(t) / self.beta).ln_1p()).exp()
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let delta = discount_rate(delta);
        if delta == 0.0 {
            return self.expected_purchases(t);
        }
        r * (beta / alpha) * exponential_decay(s - 1.0, delta * beta, (duration(t) / beta).ln_1p())
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        let &ParetoNbd { r, alpha, s, beta } = self;
        if discount_rate(delta) > 0.0 {
            return Some(self.discounted_expected_purchases(f64::INFINITY, delta));
        }
        (s > 1.0).then(|| r * (beta / alpha) / (s - 1.0))
    }
}

/// Int_0^l e^(-k v) dv, for k of either sign and 0.
fn decay_to(k: f64, l: f64) -> f64 {
    let exponent = k * l;
    if exponent == 0.0 { l } else { l * (-(-exponent).exp_m1() / exponent) }
}

impl ParetoNbd {
    /// (E\[L^2\], Var\[L\]) of the time L = min(lifetime, t) a customer buys in, in units of alpha.
    ///
    /// With y = ln(1 + u/beta) and V its value at t, both are integrals of positive functions, by parts from P(L > u) = e^(-s y):
    /// E\[L^2\] = 2 beta^2 Int_0^V (e^y - 1) e^(-(s-1) y) dy and Var\[L\] = 2 beta^2 Int_0^V (1 - e^(-s y)) e^(-(s-2) y) M(V - y) dy.
    fn buying_time(&self, t: f64) -> (f64, f64) {
        let &ParetoNbd { alpha, s, beta, .. } = self;
        let whole = (duration(t) / beta).ln_1p();
        let mut end = whole;
        if s > 2.0 {
            // The factors that grow are part of what has to become negligible.
            end = end.min(1.5 * NEGLIGIBLE / (s - 2.0));
        }
        let (mut square, mut variance) = (0.0, 0.0);
        for_each_node(
            end,
            |y| (s - 1.0) * y,
            |y, weight| {
                let weight = weight * (-(s - 1.0) * y).exp();
                square += weight * y.exp_m1();
                variance += weight * y.exp() * -(-s * y).exp_m1() * decay_to(s - 1.0, whole - y);
            },
        );
        let scale = 2.0 * (beta / alpha) * (beta / alpha);
        (scale * square, scale * variance)
    }

    /// The integral of e^f over y = ln(tau/alpha) up to tau = t, for concave f with derivative `rise` and slope `slope` far to the left.
    fn over_ln_time(&self, t: f64, slope: f64, f: impl Fn(f64) -> f64, rise: impl Fn(f64) -> f64) -> f64 {
        let end = (t / self.alpha).ln();
        let peak = crossing(rise, f64::MIN_POSITIVE.ln(), end);
        // Both time scales must be far above tau before f is a straight line.
        let tail = Tail::of_log_odds(slope).below(-(self.alpha / self.beta).ln().max(0.0) - 40.0);
        left_integral(f, peak, end, tail)
    }
}

impl Estimable for ParetoNbd {
    const NAME: &'static str = "pareto-nbd";

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
            name: "s",
            kind: ParameterKind::Shape,
            at_lower: "no customer ever drops out: this is the NBD model",
            at_upper: "all customers drop out at the same rate",
        },
        ParameterInfo {
            name: "beta",
            kind: ParameterKind::Scale,
            at_lower: "customers drop out at once or never",
            at_upper: "all customers drop out at the same rate, or none does",
        },
    ];

    type Sample = PurchaseSample;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        match *parameters {
            [r, alpha, s, beta] => ParetoNbd::new(ParetoNbdParams { r, alpha, s, beta }),
            _ => Err(Error::parameter(format!("Pareto/NBD has 4 parameters, not {}", parameters.len()))),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        ndarray::array![self.r, self.alpha, self.s, self.beta]
    }

    fn start(sample: &PurchaseSample) -> Self {
        let (r, alpha) = sample.nbd_moments();
        ParetoNbd { r, alpha, s: 1.0, beta: sample.mean_age() }
    }

    fn elsewhere(&self, sample: &PurchaseSample) -> Vec<Self> {
        let age = sample.mean_age();
        [(0.01, 0.01 * age), (2.0, 200.0 * age)].map(|(s, beta)| ParetoNbd { s, beta, ..*self }).to_vec()
    }

    fn ln_likelihood_sum(&self, sample: &PurchaseSample) -> Evaluation {
        let tails = sample.pairs().map(|pairs| TailMoments::of(self, pairs));
        sample.sum(|x| self.frequency_term(x), |rows| self.timing_sum(rows, tails.as_ref())).into()
    }
}

impl TryFrom<ParetoNbdParams> for ParetoNbd {
    type Error = Error;

    fn try_from(params: ParetoNbdParams) -> Result<Self> {
        ParetoNbd::new(params)
    }
}

impl From<ParetoNbd> for ParetoNbdParams {
    fn from(model: ParetoNbd) -> Self {
        model.params()
    }
}
