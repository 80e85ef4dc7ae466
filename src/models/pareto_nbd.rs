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

use super::estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
use super::nbd::Nbd;
use super::purchase_model::PurchaseModel;
use super::purchase_sample::{PurchaseColumns, PurchaseSample};
use super::{FOR_EVER, at_least_zero, at_most_one, check_parameters, discount_rate, duration};
use crate::data::History;
use crate::error::{Error, Result};
use crate::numeric::block::{Term, weighted_sum};
use crate::numeric::decay::{NEGLIGIBLE, exponential_decay, for_each_node};
use crate::numeric::elementary::{exp, ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::log_concave::{Tail, crossing, left_integral};
use crate::numeric::rising::ln_rising;
use crate::numeric::stirling::{binomial_deviance, ln_beta_saddle};
use crate::numeric::two_axes::{MOMENTS, TwoAxes, TwoAxesColumns, TwoAxesRows};

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
    r: f64,
    alpha: f64,
    s: f64,
    beta: f64,
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
        let moments = self.dropout_integral(x, t_x, t_cal).moments();
        let times = [x, t_x, t_cal];
        let mut jet = self.frequency_term(x);
        let row = std::array::from_fn(|k| if k < times.len() { times[k] } else { moments[k - times.len()] });
        jet.add_scaled(1.0, &TimingTerm(self).at(row));
        jet
    }

    /// The purchases there would be if nobody dropped out.
    fn without_dropout(&self) -> Nbd {
        Nbd::from_shape_and_rate(self.r, self.alpha)
    }

    /// The part of ln L that depends on x alone: ln (r)_x.
    fn frequency_term(&self, x: f64) -> Jet<4> {
        let rate = ln_rising(self.r, x);
        let mut jet = Jet::ZERO;
        jet.value = rate.value;
        jet.gradient[0] = rate.first;
        jet.hessian[0][0] = rate.second;
        jet
    }

    /// The integral over dropout times since t_x, relative to the density at t_x.
    #[inline(always)]
    fn dropout_integral(&self, x: f64, t_x: f64, t_cal: f64) -> TwoAxes {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let n = r + x;
        let since = t_cal - t_x;
        let (from_alpha, from_beta) = (alpha + t_x, beta + t_x);
        // v runs on the axis of the smaller of alpha and beta, so that the other one grows no faster.
        if self.rates_first() {
            TwoAxes { p: n - 1.0, q: s + 1.0, kappa: from_alpha / from_beta, end: ln_1p(since / from_alpha) }
        } else {
            TwoAxes { p: s, q: n, kappa: from_beta / from_alpha, end: ln_1p(since / from_beta) }
        }
    }

    /// The sum over customers of the part of ln L that depends on the times.
    fn timing_sum(&self, rows: PurchaseColumns<'_>) -> Jet<4> {
        let PurchaseColumns { x, t_x, t_cal, weight } = rows;
        let moments = TwoAxesColumns::of(x.len(), DropoutIntegrals { model: self, x, t_x, t_cal }).moments();
        let times = [x, t_x, t_cal];
        let columns = std::array::from_fn(|k| if k < times.len() { times[k] } else { moments[k - times.len()].as_slice() });
        weighted_sum(columns, weight, TimingTerm(self))
    }

    /// Whether v of the integral over dropout times is the logarithm of the axis that purchase rates are measured on.
    fn rates_first(&self) -> bool {
        self.alpha <= self.beta
    }

    /// The posterior of a customer's state: alive at T, or dropped out at some time since t_x.
    #[inline(always)]
    fn posterior(&self, x: f64, t_x: f64, t_cal: f64, integral: f64) -> Posterior {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let n = r + x;
        let since = t_cal - t_x;
        let (from_alpha, from_beta) = (1.0 / (alpha + t_x), 1.0 / (beta + t_x));
        let (a_end, b_end) = (ln_1p(since * from_alpha), ln_1p(since * from_beta));
        // dtau = (alpha + t_x) e^v dv on the axis of alpha, relative to beta + t_x.
        let factor = if self.rates_first() { s * ((alpha + t_x) * from_beta) } else { s };
        let alive = exp(-n * a_end - s * b_end);
        let dead = factor * integral;
        let bracket = alive + dead;
        Posterior { a_end, b_end, alive: alive / bracket, dead: dead / bracket, scale: factor / bracket, ln_bracket: ln(bracket) }
    }

    /// The posterior of one customer.
    fn posterior_of(&self, history: &History) -> Posterior {
        let (x, t_x, t_cal) = (f64::from(history.frequency()), history.recency(), history.age());
        self.posterior(x, t_x, t_cal, self.dropout_integral(x, t_x, t_cal).integral())
    }
}

/// The integrals over dropout times of customers in columns.
struct DropoutIntegrals<'a> {
    model: &'a ParetoNbd,
    x: &'a [f64],
    t_x: &'a [f64],
    t_cal: &'a [f64],
}

impl TwoAxesRows for DropoutIntegrals<'_> {
    #[inline(always)]
    fn at(&self, row: usize) -> TwoAxes {
        self.model.dropout_integral(self.x[row], self.t_x[row], self.t_cal[row])
    }
}

/// The posterior of a customer's state.
struct Posterior {
    /// ln((alpha+T)/(alpha+t_x)) and ln((beta+T)/(beta+t_x))
    a_end: f64,
    b_end: f64,
    /// P(alive at T)
    alive: f64,
    /// P(dropped out by T)
    dead: f64,
    /// What turns the integral over dropout times, and its moments, into probabilities.
    scale: f64,
    /// ln(E + s c J)
    ln_bracket: f64,
}

/// The part of ln L that depends on the times, from the moments of the dropout time: Louis (1982).
struct TimingTerm<'a>(&'a ParetoNbd);

impl Term<{ 3 + MOMENTS }, 4> for TimingTerm<'_> {
    #[inline(always)]
    fn at(&self, row: [f64; 3 + MOMENTS]) -> Jet<4> {
        let &ParetoNbd { r, alpha, s, beta } = self.0;
        // A and B are the logarithms of the two time axes from t_x, X = 1 - e^-A and Y = 1 - e^-B; the moments come with v first.
        let [x, t_x, t_cal, d_1, m_v, m_u, m_vl, m_ul, m_vv, m_vu, m_v_vl, m_v_ul, m_uu, m_u_vl, m_u_ul, m_vl_vl, m_vl_ul, m_ul_ul] = row;
        let (d_a, d_b, d_x, d_y, d_aa, d_ab, d_ax, d_ay, d_bb, d_bx, d_by, d_xx, d_xy, d_yy) = if self.0.rates_first() {
            (m_v, m_u, m_vl, m_ul, m_vv, m_vu, m_v_vl, m_v_ul, m_uu, m_u_vl, m_u_ul, m_vl_vl, m_vl_ul, m_ul_ul)
        } else {
            (m_u, m_v, m_ul, m_vl, m_uu, m_vu, m_u_ul, m_u_vl, m_vv, m_v_ul, m_v_vl, m_ul_ul, m_vl_ul, m_vl_vl)
        };
        let n = r + x;
        let Posterior { a_end, b_end, alive, dead, scale, ln_bracket } = self.0.posterior(x, t_x, t_cal, d_1);
        let (from_alpha, from_beta) = (1.0 / (alpha + t_x), 1.0 / (beta + t_x));
        let since = t_cal - t_x;
        let (x_end, y_end) = (since / (alpha + t_cal), since / (beta + t_cal));
        // Of those who dropped out.
        let (dead_a, dead_b, dead_x, dead_y) = (scale * d_a, scale * d_b, scale * d_x, scale * d_y);
        let (dead_ay, dead_bx, dead_by) = (scale * d_ay, scale * d_bx, scale * d_by);
        let (dead_xy, dead_yy) = (scale * d_xy, scale * d_yy);
        // Of everybody.
        let (all_a, all_b) = (dead_a + alive * a_end, dead_b + alive * b_end);
        let (all_x, all_y) = (dead_x + alive * x_end, dead_y + alive * y_end);
        let all_xx = scale * d_xx + alive * x_end * x_end;
        let all_yy = dead_yy + alive * y_end * y_end;
        // The score with complete data is (-A, n X/(alpha+t_x), dead/s - B, ((s + dead) Y - dead)/(beta+t_x)): its mean, its second moments.
        let n_from_alpha = n * from_alpha;
        let mean = [-all_a, n_from_alpha * all_x, dead / s - all_b, from_beta * (s * all_y + dead_y - dead)];
        let mut square = [[0.0; 4]; 4];
        square[0][0] = scale * d_aa + alive * a_end * a_end;
        square[0][1] = -n_from_alpha * (scale * d_ax + alive * a_end * x_end);
        square[0][2] = scale * d_ab + alive * a_end * b_end - dead_a / s;
        square[0][3] = -from_beta * (s * (dead_ay + alive * a_end * y_end) + dead_ay - dead_a);
        square[1][1] = n_from_alpha * n_from_alpha * all_xx;
        square[1][2] = n_from_alpha * (dead_x / s - (dead_bx + alive * b_end * x_end));
        square[1][3] = n_from_alpha * from_beta * (s * (dead_xy + alive * x_end * y_end) + dead_xy - dead_x);
        square[2][2] = dead / (s * s) - 2.0 * dead_b / s + scale * d_bb + alive * b_end * b_end;
        square[2][3] = from_beta * (((s + 1.0) * dead_y - dead) / s + dead_b - dead_by - s * (dead_by + alive * b_end * y_end));
        square[3][3] =
            from_beta * from_beta * (s * s * alive * y_end * y_end + (s + 1.0) * (s + 1.0) * dead_yy - 2.0 * (s + 1.0) * dead_y + dead);

        let (ratio_alpha, ratio_beta) = (t_x / alpha, t_x / beta);
        let (ln_alpha, ln_beta) = (ln_1p(ratio_alpha), ln_1p(ratio_beta));
        let mut jet = Jet::ZERO;
        jet.value = -r * ln_alpha - x * ln(alpha + t_x) - s * ln_beta + ln_bracket;
        jet.gradient =
            [mean[0] - ln_alpha, mean[1] + (r * ratio_alpha - x) * from_alpha, mean[2] - ln_beta, mean[3] + s * ratio_beta * from_beta];
        let h = &mut jet.hessian;
        for i in 0..4 {
            for j in i..4 {
                h[i][j] = square[i][j] - mean[i] * mean[j];
            }
        }
        // The derivatives of the complete-data score, averaged, and those of the factors in front.
        h[0][1] += (all_x + ratio_alpha) * from_alpha;
        h[1][1] += (x - r * ratio_alpha * (2.0 + ratio_alpha) - n * (2.0 * all_x - all_xx)) * from_alpha * from_alpha;
        h[2][2] -= dead / (s * s);
        h[2][3] += (all_y + ratio_beta) * from_beta;
        h[3][3] +=
            (dead - 2.0 * dead_y + dead_yy - s * (2.0 * all_y - all_yy) - s * ratio_beta * (2.0 + ratio_beta)) * from_beta * from_beta;
        jet.symmetric()
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
        let q = at_least_zero(q);
        // Some die first: the distribution of the next purchase time does not reach 1.
        if q == 0.0 || q >= self.p_active(FOR_EVER) {
            return (q == 0.0).then_some(0.0);
        }
        Some(crossing(|ln_t| q - self.p_active(ln_t.exp()), f64::MIN_POSITIVE.ln(), FOR_EVER.ln()).exp())
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
        sample.sum(|x| self.frequency_term(x), |rows| self.timing_sum(rows)).into()
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
