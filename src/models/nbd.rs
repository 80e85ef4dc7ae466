//! The NBD model (Ehrenberg 1959): purchases without dropout.
//!
//! # Story
//! 1. A customer buys at random with a steady rate lambda (a Poisson process), for ever.
//! 2. lambda differs between customers: gamma(shape r, rate alpha).
//!
//! Nobody drops out. That makes it the honest baseline: what a model with dropout must beat, and the boundary to which it goes when the data
//! show no dropout. Do not use it for forecasts of a customer base that loses customers: on CDNOW it forecasts half as much again as is bought.
//!
//! # Parameters
//! | symbol | unit | meaning |
//! |---|---|---|
//! | r | - | how alike the purchase rates are; small: most buy rarely, some often |
//! | alpha | time | rate of the gamma; the mean purchase rate is r / alpha per unit |
//!
//! # Formulas, and the form computed
//! ```text
//! ln L = ln (r)_x - r ln(1 + T/alpha) - x ln(alpha + T)
//! P(X(t) = n)  = (r)_n / n! (alpha/(alpha+t))^r (t/(alpha+t))^n     as -D + S - ln n, a binomial deviance and a Stirling remainder
//! P(X(t) >= n) = I_u(n, r), u = t/(alpha+t)                        the beta distribution, each tail by its own positive integral
//! given alive: NBD (r + x, alpha + T)
//! ```
//!
//! # Special points
//! Recency does not matter. x = 0, t = 0: exact. DERT without discounting is infinite: `None`.
//!
//! # References
//! Ehrenberg (1959), The Pattern of Consumer Purchases, Applied Statistics 8(1), 26-41.

use ndarray::Array1;

use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::purchase_model::PurchaseModel;
use super::purchase_sample::PurchaseSample;
use super::{at_least_zero, check_parameters, discount_rate, duration};
use crate::data::{Histories, History};
use crate::error::{Error, Result};
use crate::numeric::block::Term;
use crate::numeric::elementary::{ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::log_concave::beta_cdf;
use crate::numeric::rising::ln_rising;
use crate::numeric::stirling::{binomial_deviance, ln_beta_saddle};

/// The parameters of [`Nbd`], by name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct NbdParams {
    /// Shape of the purchase rates' gamma distribution.
    pub r: f64,
    /// Rate of that gamma distribution, in units of time.
    pub alpha: f64,
}

/// The NBD model: gamma purchase rates, nobody drops out.
///
/// ```
/// use clv::{Nbd, NbdParams, PurchaseModel};
///
/// // CDNOW, weeks
/// let model = Nbd::new(NbdParams { r: 0.38477, alpha: 12.0720 })?;
/// assert!((model.expected_purchases(52.0) - 0.38477 * 52.0 / 12.0720).abs() < 1e-15);
/// assert!((model.purchase_pmf(0, 52.0) - 0.526_120).abs() < 1e-6);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "NbdParams", into = "NbdParams"))]
pub struct Nbd {
    r: f64,
    alpha: f64,
}

impl Nbd {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-12..1e15.
    pub fn new(params: NbdParams) -> Result<Self> {
        let NbdParams { r, alpha } = params;
        check_parameters("NBD", &[("r", r), ("alpha", alpha)])?;
        Ok(Nbd { r, alpha })
    }

    /// The purchases of another model's customers if nobody dropped out; its parameters are valid already.
    pub(super) fn from_shape_and_rate(r: f64, alpha: f64) -> Self {
        Nbd { r, alpha }
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> NbdParams {
        let &Nbd { r, alpha } = self;
        NbdParams { r, alpha }
    }

    /// ln L of one customer with gradient and Hessian in (r, alpha).
    #[must_use]
    pub fn ln_likelihood_jet(&self, history: &History) -> Jet<2> {
        let x = f64::from(history.frequency());
        let mut jet = self.frequency_term(x);
        jet.add_scaled(1.0, &self.timing_term(x, history.age()));
        jet
    }

    /// ln P(X(t) = n) for n >= 1, t > 0.
    pub(super) fn ln_purchase_pmf(&self, n: f64, t: f64) -> f64 {
        let &Nbd { r, alpha } = self;
        ln_beta_saddle(n, r) - binomial_deviance(n, r, t, alpha).value - n.ln()
    }

    /// The part of ln L that depends on x alone.
    fn frequency_term(&self, x: f64) -> Jet<2> {
        let rate = ln_rising(self.r, x);
        Jet { value: rate.value, gradient: [rate.first, 0.0], hessian: [[rate.second, 0.0], [0.0, 0.0]] }
    }

    /// The part of ln L that depends on the time: -r ln(1 + T/alpha) - x ln(alpha + T).
    #[inline(always)]
    fn timing_term(&self, x: f64, t_cal: f64) -> Jet<2> {
        let &Nbd { r, alpha } = self;
        let to_end = 1.0 / (alpha + t_cal);
        let ratio = t_cal / alpha;
        let mixed = ratio * to_end;
        Jet {
            value: -r * ln_1p(ratio) - x * ln(alpha + t_cal),
            gradient: [-ln_1p(ratio), (r * ratio - x) * to_end],
            hessian: [[0.0, mixed], [mixed, (x - r * ratio * (2.0 + ratio)) * to_end * to_end]],
        }
    }
}

/// The part of ln L that depends on the time.
struct TimingTerm<'a>(&'a Nbd);

impl Term<3, 2> for TimingTerm<'_> {
    #[inline(always)]
    fn at(&self, [x, _, t_cal]: [f64; 3]) -> Jet<2> {
        self.0.timing_term(x, t_cal)
    }
}

impl PurchaseModel for Nbd {
    type Alive = Nbd;

    fn ln_likelihood(&self, history: &History) -> f64 {
        let x = f64::from(history.frequency());
        ln_rising(self.r, x).value + self.timing_term(x, history.age()).value
    }

    fn p_alive(&self, _history: &History) -> f64 {
        1.0
    }

    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
        p_alive.fill(1.0);
    }

    fn p_dead(&self, _history: &History) -> f64 {
        0.0
    }

    fn given_alive(&self, history: &History) -> Nbd {
        Nbd { r: self.r + f64::from(history.frequency()), alpha: self.alpha + history.age() }
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        self.r * (duration(t) / self.alpha)
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        let tau = duration(t) / self.alpha;
        self.r * (self.r + 1.0) * tau * tau
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        self.expected_purchases(t) * (1.0 + duration(t) / self.alpha)
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        let t = duration(t);
        match (n, t > 0.0) {
            (0, _) => (-self.r * (t / self.alpha).ln_1p()).exp(),
            (_, false) => 0.0,
            (_, true) => self.ln_purchase_pmf(n as f64, t).exp(),
        }
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        let t = duration(t);
        match (n, t > 0.0) {
            (0, _) => self.p_active(t),
            (_, false) => 0.0,
            (_, true) => beta_cdf(n as f64 + 1.0, self.r, t, self.alpha),
        }
    }

    fn p_active(&self, t: f64) -> f64 {
        -(-self.r * (duration(t) / self.alpha).ln_1p()).exp_m1()
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        let time = self.alpha * (-(-at_least_zero(q)).ln_1p() / self.r).exp_m1();
        time.is_finite().then_some(time)
    }

    fn p_alive_at(&self, _t: f64) -> f64 {
        1.0
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let (t, delta) = (duration(t), discount_rate(delta));
        let length = if delta * t > 0.0 { -(-delta * t).exp_m1() / delta } else { t };
        self.r / self.alpha * length
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        (delta > 0.0).then(|| self.r / (self.alpha * delta))
    }
}

impl Estimable for Nbd {
    const NAME: &'static str = "nbd";

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
    ];

    type Sample = PurchaseSample;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        match *parameters {
            [r, alpha] => Nbd::new(NbdParams { r, alpha }),
            _ => Err(Error::parameter(format!("NBD has 2 parameters, not {}", parameters.len()))),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        ndarray::array![self.r, self.alpha]
    }

    fn start(sample: &PurchaseSample) -> Self {
        let (r, alpha) = sample.nbd_moments();
        Nbd { r, alpha }
    }

    fn ln_likelihood_sum(&self, sample: &PurchaseSample) -> Evaluation {
        sample.sum(|x| self.frequency_term(x), |rows| rows.sum(TimingTerm(self))).into()
    }
}

impl TryFrom<NbdParams> for Nbd {
    type Error = Error;

    fn try_from(params: NbdParams) -> Result<Self> {
        Nbd::new(params)
    }
}

impl From<Nbd> for NbdParams {
    fn from(model: Nbd) -> Self {
        model.params()
    }
}
