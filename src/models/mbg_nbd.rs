//! The MBG/NBD model (Batislam, Denizel & Filiztekin 2007; Hoppe & Wagner 2007).
//!
//! # Story
//! As [BG/NBD](super::BgNbd), but (3) reads: after *every* purchase, the first one included, the customer drops out with probability p.
//! So a customer who bought once may be gone at once, which is what most customer bases look like.
//!
//! Do not use it when dropout is a matter of time rather than of purchases (a customer who buys often has many chances to leave): that is Pareto/NBD.
//!
//! # Parameters
//! | symbol | unit | meaning |
//! |---|---|---|
//! | r | - | how alike the purchase rates are; small: most buy rarely, some often |
//! | alpha | time | rate of the gamma; the mean purchase rate is r / alpha per unit |
//! | a, b | - | dropout: its mean probability after a purchase is a / (a + b) |
//!
//! # Formulas, and the form computed
//! With n = r + x, d = ln((alpha + T) / (alpha + t_x)), for every x (Batislam et al. 2007, eq. 5, rearranged):
//! ```text
//! ln L = ln (r)_x + ln [B(a, b+x+1) / B(a, b)] - r ln(1 + T/alpha) - x ln(alpha + T) + ln(1 + e^u)
//! u    = ln(a / (b + x)) + n d
//! P(alive) = 1 / (1 + e^u)
//! given alive: BG/NBD (r + x, alpha + T, a, b + x + 1)
//! ```
//! A new customer is the case x = T = 0: alive with probability b / (a + b), and then BG/NBD (r, alpha, a, b + 1).
//!
//! # Special points
//! x = 0: P(alive) < 1. t_x = T: d = 0. a = 1 and a + b < 1: nothing special. x = 1e5: rising factorials by Stirling differences.
//!
//! # References
//! Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer base analysis, International Journal of
//! Research in Marketing 24(3), 201-209. Hoppe & Wagner (2007), Customer Base Analysis: The Case for a Central Variant of the Betageometric/NBD
//! Model, Marketing JRM 3(2), 75-90.

use ndarray::Array1;

use super::beta_dropout::{BetaDropout, TimingTerm};
use super::bg_nbd::BgNbd;
use super::check_parameters;
use super::estimable::{Estimable, Evaluation, ParameterInfo};
use super::purchase_model::PurchaseModel;
use super::purchase_sample::PurchaseSample;
use crate::data::{Histories, History};
use crate::error::{Error, Result};
use crate::numeric::jet::Jet;

/// The parameters of [`MbgNbd`], by name.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct MbgNbdParams {
    /// Shape of the purchase rates' gamma distribution.
    pub r: f64,
    /// Rate of that gamma distribution, in units of time.
    pub alpha: f64,
    /// First shape of the dropout probabilities' beta distribution.
    pub a: f64,
    /// Second shape of that beta distribution.
    pub b: f64,
}

/// The MBG/NBD model: gamma purchase rates, beta dropout probabilities after every purchase, the first one included.
///
/// ```
/// use clv::{History, MbgNbd, MbgNbdParams, PurchaseModel};
///
/// let model = MbgNbd::new(MbgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let bought_once = History::new(0, 0.0, 38.86)?;
/// assert!((model.p_alive(&bought_once) - 0.637_253_337_964_895_3).abs() < 1e-15);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "MbgNbdParams", into = "MbgNbdParams"))]
pub struct MbgNbd(pub(super) BetaDropout);

impl MbgNbd {
    /// A model from its parameters.
    ///
    /// # Errors
    /// When a parameter is not a positive finite number within 1e-12..1e15.
    pub fn new(params: MbgNbdParams) -> Result<Self> {
        let MbgNbdParams { r, alpha, a, b } = params;
        check_parameters("MBG/NBD", &[("r", r), ("alpha", alpha), ("a", a), ("b", b)])?;
        Ok(MbgNbd(BetaDropout { r, alpha, a, b }))
    }

    /// The parameters, by name.
    #[must_use]
    pub fn params(&self) -> MbgNbdParams {
        let BetaDropout { r, alpha, a, b } = self.0;
        MbgNbdParams { r, alpha, a, b }
    }

    /// ln L of one customer with gradient and Hessian in (r, alpha, a, b).
    #[must_use]
    pub fn ln_likelihood_jet(&self, history: &History) -> Jet<4> {
        self.0.ln_likelihood_jet(history, chances(history))
    }
}

/// A chance to drop out after every purchase, the first one included.
fn chances(history: &History) -> f64 {
    f64::from(history.frequency()) + 1.0
}

impl PurchaseModel for MbgNbd {
    type Alive = BgNbd;

    fn ln_likelihood(&self, history: &History) -> f64 {
        self.0.ln_likelihood(history, chances(history))
    }

    fn p_alive(&self, history: &History) -> f64 {
        self.0.p_alive(f64::from(history.frequency()), history.recency(), history.age(), chances(history))
    }

    fn p_alive_column(&self, histories: &Histories<'_>, p_alive: &mut [f64]) {
        self.0.p_alive_column(histories, 1.0, p_alive);
    }

    fn p_dead(&self, history: &History) -> f64 {
        self.0.p_dead(history, chances(history))
    }

    fn given_alive(&self, history: &History) -> BgNbd {
        BgNbd::updated(self.0, f64::from(history.frequency()), history.age(), chances(history))
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        self.conditional_expected_purchases(&History::NEW_CUSTOMER, t)
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        self.p_alive(&History::NEW_CUSTOMER) * self.given_alive(&History::NEW_CUSTOMER).second_factorial_moment(t)
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        self.conditional_purchase_variance(&History::NEW_CUSTOMER, t)
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        self.conditional_purchase_pmf(&History::NEW_CUSTOMER, n, t)
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        self.conditional_purchase_sf(&History::NEW_CUSTOMER, n, t)
    }

    fn p_active(&self, t: f64) -> f64 {
        self.conditional_p_active(&History::NEW_CUSTOMER, t)
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        self.conditional_next_purchase_quantile(&History::NEW_CUSTOMER, q)
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        self.conditional_p_alive_at(&History::NEW_CUSTOMER, t)
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        self.conditional_discounted_expected_purchases(&History::NEW_CUSTOMER, t, delta)
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        self.conditional_dert(&History::NEW_CUSTOMER, delta)
    }
}

impl Estimable for MbgNbd {
    const NAME: &'static str = "mbg-nbd";

    const PARAMETERS: &'static [ParameterInfo] = BgNbd::PARAMETERS;

    type Sample = PurchaseSample;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        match *parameters {
            [r, alpha, a, b] => MbgNbd::new(MbgNbdParams { r, alpha, a, b }),
            _ => Err(Error::parameter(format!("MBG/NBD has 4 parameters, not {}", parameters.len()))),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        let BetaDropout { r, alpha, a, b } = self.0;
        ndarray::array![r, alpha, a, b]
    }

    fn start(sample: &PurchaseSample) -> Self {
        let (r, alpha) = sample.nbd_moments();
        MbgNbd(BetaDropout { r, alpha, a: 1.0, b: 2.5 })
    }

    fn elsewhere(&self, _: &PurchaseSample) -> Vec<Self> {
        self.0.elsewhere().map(MbgNbd).to_vec()
    }

    fn at_bound(&self, parameter: usize, lower: bool) -> Option<&'static str> {
        self.0.at_bound(parameter, lower)
    }

    fn ln_likelihood_sum(&self, sample: &PurchaseSample) -> Evaluation {
        sample.sum(|x| self.0.frequency_term(x, x + 1.0), |rows| rows.sum(TimingTerm { model: &self.0, more_chances: 1.0 })).into()
    }
}

impl TryFrom<MbgNbdParams> for MbgNbd {
    type Error = Error;

    fn try_from(params: MbgNbdParams) -> Result<Self> {
        MbgNbd::new(params)
    }
}

impl From<MbgNbd> for MbgNbdParams {
    fn from(model: MbgNbd) -> Self {
        model.params()
    }
}
