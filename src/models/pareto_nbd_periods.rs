//! Pareto/NBD for customers of whom only numbers of purchases per period are known.
//!
//! # Formulas, and the form computed
//! Counts x_1 .. x_K in periods of lengths D_k that end at T_1 < .. < T_K = T; the last purchases, x_j of them, fall into period j; n = r + x. The customer
//! is alive at T, dropped out after period j, or dropped out at some tau within it, after those x_j purchases:
//! ```text
//! P = (r)_x alpha^r beta^s prod_{k<=j} D_k^x_k / x_k! {
//!       (alpha+T)^-n (beta+T)^-s + s Int_{T_j}^T (alpha+tau)^-n (beta+tau)^-(s+1) dtau
//!       + s Int_{T_(j-1)}^{T_j} ((tau-T_(j-1)) / D_j)^x_j (alpha+tau)^-n (beta+tau)^-(s+1) dtau }
//! ```
//! The first two parts are the ordinary likelihood of a last purchase at T_j. As the periods become short the third one vanishes, and P / prod D_k^x_k
//! tends to the ordinary likelihood. For x = 0 it is the ordinary one.
//!
//! A cross-section sees one period (t, t + d) of customers of age t, and no others: with f = (beta/(beta+t))^s, P(alive at t),
//! ```text
//! P(n)         = f P(counts: n in one period of length d; beta + t) + [n = 0] (1 - f)
//! P(n or more) = f (r)_n alpha^r (beta+t)^s / (n-1)! Int_0^d tau^(n-1) (alpha+tau)^-(r+n) (beta+t+tau)^-s dtau
//! ```
//! the latter over the time of the n-th purchase, so that a small tail keeps its digits. n = 1 is the chance of being seen at all.
//!
//! # Special points
//! x = 0: the ordinary likelihood. t = 0: f = 1. s = 1, alpha = beta, x = 1e5, all purchases in one period: nothing special.

use super::censored_likelihood::{CensoredFuture, CensoredLikelihood, share};
use super::censored_sample::CensoredSample;
use super::estimable::CompositeScore;
use super::pareto_nbd::{ParetoNbd, ParetoNbdParams};
use super::purchase_model::PurchaseModel;
use super::sample::Sample;
use crate::data::{Censored, CrossSection, History, PeriodCounts};
use crate::numeric::jet::Jet;
use crate::numeric::ln_sum::{LnSum, ln_add_exp};
use crate::numeric::power_integral::PowerIntegral;

impl CensoredLikelihood<PeriodCounts> for ParetoNbd {
    fn censored_jet(&self, row: &PeriodCounts) -> Jet<4> {
        let (start, end, last_count) = row.last_period();
        let x = f64::from(row.frequency());
        if last_count == 0 {
            return self.ln_likelihood_jet(&History::after_checks(0, 0.0, row.age()));
        }
        let later = self.timing_jet(x, end, row.age());
        let mut jet = ln_add_exp(&later, &self.within_period(x, f64::from(last_count), (start, end - start), Event::Dropout));
        jet.add_scaled(1.0, &self.frequency_term(x));
        jet
    }
}

impl CensoredFuture<PeriodCounts> for ParetoNbd {
    type Alive = ParetoNbd;

    fn censored_p_alive(&self, row: &PeriodCounts) -> f64 {
        let (start, end, last_count) = row.last_period();
        let x = f64::from(row.frequency());
        let after = self.p_alive(&History::after_checks(row.frequency(), end, row.age()));
        if last_count == 0 {
            return after;
        }
        let within = self.within_period(x, f64::from(last_count), (start, end - start), Event::Dropout);
        share(self.timing_jet(x, end, row.age()).value, within.value) * after
    }

    fn censored_given_alive(&self, row: &PeriodCounts) -> ParetoNbd {
        self.given_alive(&row.approximately())
    }
}

impl CensoredLikelihood<CrossSection> for ParetoNbd {
    fn censored_composite_score(&self, sample: &CensoredSample<CrossSection>) -> Option<CompositeScore> {
        sample.shares_customers().then(|| self.score_of_cross_sections(&sample.counted()))
    }

    fn censored_jet(&self, row: &CrossSection) -> Jet<4> {
        let (since, length) = row.period();
        let n = f64::from(row.purchases());
        if row.is_open() {
            return self.ln_at_least(n, since, length);
        }
        let alive = self.older_by(since);
        if row.purchases() == 0 {
            let mut silent = alive.ln_likelihood_jet(&History::after_checks(0, 0.0, length));
            silent.add_scaled(1.0, &self.ln_alive_at(since));
            return if since > 0.0 { ln_add_exp(&silent, &self.ln_gone_by(since)) } else { silent };
        }
        let mut jet = ln_add_exp(&alive.timing_jet(n, length, length), &alive.within_period(n, n, (0.0, length), Event::Dropout));
        jet.add_scaled(1.0, &self.frequency_term(n));
        jet.add_scaled(1.0, &self.ln_alive_at(since));
        jet
    }
}

/// What happens within a period at a time that is integrated over.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    /// The customer drops out.
    Dropout,
    /// The customer buys, and so is alive.
    Purchase,
}

impl ParetoNbd {
    /// ln P(at least n purchases in the period of length d after age t), for n >= 1, without the constant (n - 1) ln d - ln (n - 1)!.
    pub(super) fn ln_at_least(&self, n: f64, since: f64, length: f64) -> Jet<4> {
        let mut jet = self.older_by(since).within_period(n, n - 1.0, (0.0, length), Event::Purchase);
        jet.add_scaled(1.0, &self.frequency_term(n));
        jet.add_scaled(1.0, &self.ln_alive_at(since));
        jet
    }

    /// ln of alpha^r beta^s D Int_0^1 u^m (alpha+tau)^-(r+x) (beta+tau)^-s h du over tau = start + D u, with h = s/(beta+tau) for a dropout and 1 for a purchase.
    fn within_period(&self, x: f64, m: f64, (start, length): (f64, f64), event: Event) -> Jet<4> {
        let ParetoNbdParams { r, alpha, s, beta } = self.params();
        let dead = if event == Event::Dropout { 1.0 } else { 0.0 };
        let (n, q) = (r + x, s + dead);
        let (from_alpha, from_beta) = (1.0 / (alpha + start), 1.0 / (beta + start));
        let integral = PowerIntegral { m, n, q, by_a: length * from_alpha, by_b: length * from_beta };
        let mut sum = LnSum::<4>::new();
        let constant = integral.for_each_node(|weight, a, b| {
            let (left_a, left_b) = ((-a).exp_m1(), (-b).exp_m1());
            let gradient = [-a, -n * left_a * from_alpha, -b, -q * left_b * from_beta];
            let mut hessian = [[0.0; 4]; 4];
            hessian[0][1] = -left_a * from_alpha;
            hessian[1][1] = n * left_a * (2.0 + left_a) * from_alpha * from_alpha;
            hessian[2][3] = -left_b * from_beta;
            hessian[3][3] = q * left_b * (2.0 + left_b) * from_beta * from_beta;
            sum.add(weight, &gradient, &hessian);
        });
        // What stands before the integral: both powers at the start of the period.
        let mut jet = sum.jet(constant);
        let (ratio_a, ratio_b) = (start / alpha, start / beta);
        jet.value += length.ln() - r * ratio_a.ln_1p() - x * (alpha + start).ln() - s * ratio_b.ln_1p();
        jet.gradient[0] -= ratio_a.ln_1p();
        jet.gradient[1] += (r * ratio_a - x) * from_alpha;
        jet.gradient[2] -= ratio_b.ln_1p();
        jet.gradient[3] += (s * ratio_b - dead) * from_beta;
        jet.hessian[0][1] += ratio_a * from_alpha;
        jet.hessian[1][1] += (x - r * ratio_a * (2.0 + ratio_a)) * from_alpha * from_alpha;
        jet.hessian[2][3] += ratio_b * from_beta;
        jet.hessian[3][3] += (dead - s * ratio_b * (2.0 + ratio_b)) * from_beta * from_beta;
        if event == Event::Dropout {
            jet.value += (s * from_beta).ln();
            jet.gradient[2] += 1.0 / s;
            jet.hessian[2][2] -= 1.0 / (s * s);
        }
        jet.symmetric()
    }
}
