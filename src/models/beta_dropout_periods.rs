//! BG/NBD and MBG/NBD for customers of whom only numbers of purchases per period are known.
//!
//! # Formulas, and the form computed
//! Counts x_1 .. x_K in periods of lengths D_k that end at T_1 < .. < T_K = T; the last purchases, x_j of them, fall into period j; n = r + x, and c chances
//! to drop out. The customer is alive at T, or dropped out at the last purchase, whose time within period j is integrated over:
//! ```text
//! P = (r)_x B(a, b+c)/B(a, b) alpha^r prod_{k<=j} D_k^x_k / x_k! {
//!       (alpha+T)^-n + a/(b+c-1) x_j Int_0^1 u^(x_j-1) (alpha + T_(j-1) + D_j u)^-n du }
//! ```
//! As the periods become short the integral tends to (alpha+t_x)^-n, and P / prod D_k^x_k to the ordinary likelihood. For x = 0 it is the ordinary one.
//!
//! # Special points
//! x = 0: the ordinary likelihood. a = 1, a + b < 1, x = 1e5, all purchases in one period: nothing special.

use super::beta_dropout::BetaDropout;
use super::bg_nbd::BgNbd;
use super::censored_likelihood::{CensoredFuture, CensoredLikelihood, share};
use super::mbg_nbd::MbgNbd;
use super::purchase_model::PurchaseModel;
use crate::data::{Censored, History, PeriodCounts};
use crate::numeric::jet::Jet;
use crate::numeric::ln_sum::{LnSum, ln_add_exp};
use crate::numeric::power_integral::PowerIntegral;

impl CensoredLikelihood<PeriodCounts> for BgNbd {
    fn censored_jet(&self, row: &PeriodCounts) -> Jet<4> {
        self.0.counted_jet(row, 0.0)
    }
}

impl CensoredLikelihood<PeriodCounts> for MbgNbd {
    fn censored_jet(&self, row: &PeriodCounts) -> Jet<4> {
        self.0.counted_jet(row, 1.0)
    }
}

impl CensoredFuture<PeriodCounts> for BgNbd {
    type Alive = BgNbd;

    fn censored_p_alive(&self, row: &PeriodCounts) -> f64 {
        if row.frequency() == 0 { 1.0 } else { self.0.counted_p_alive(row, 0.0) }
    }

    fn censored_given_alive(&self, row: &PeriodCounts) -> BgNbd {
        self.given_alive(&row.approximately())
    }
}

impl CensoredFuture<PeriodCounts> for MbgNbd {
    type Alive = BgNbd;

    fn censored_p_alive(&self, row: &PeriodCounts) -> f64 {
        if row.frequency() == 0 { self.p_alive(&row.approximately()) } else { self.0.counted_p_alive(row, 1.0) }
    }

    fn censored_given_alive(&self, row: &PeriodCounts) -> BgNbd {
        self.given_alive(&row.approximately())
    }
}

impl BetaDropout {
    /// ln P of counts per period, without its constant; `at_birth` is the chances to drop out at the first purchase.
    pub(super) fn counted_jet(&self, row: &PeriodCounts, at_birth: f64) -> Jet<4> {
        let x = f64::from(row.frequency());
        if x == 0.0 {
            return self.ln_likelihood_jet(&History::after_checks(0, 0.0, row.age()), at_birth);
        }
        let (alive, dropped) = self.counted_parts(row, x + at_birth);
        let mut jet = ln_add_exp(&alive, &dropped);
        jet.add_scaled(1.0, &self.frequency_term(x, x + at_birth));
        jet
    }

    /// P(alive at the end of the last period) of a customer with a repeat purchase.
    pub(super) fn counted_p_alive(&self, row: &PeriodCounts, at_birth: f64) -> f64 {
        let (alive, dropped) = self.counted_parts(row, f64::from(row.frequency()) + at_birth);
        share(alive.value, dropped.value)
    }

    /// ln of the two parts, without what they share: alive at T, and dropped out at the last purchase.
    fn counted_parts(&self, row: &PeriodCounts, chances: f64) -> (Jet<4>, Jet<4>) {
        let &BetaDropout { r, alpha, .. } = self;
        let x = f64::from(row.frequency());
        let n = r + x;
        let (start, end, last_count) = row.last_period();
        let from_start = 1.0 / (alpha + start);
        let last_count = f64::from(last_count);
        let integral = PowerIntegral { m: last_count - 1.0, n, q: 0.0, by_a: (end - start) * from_start, by_b: 0.0 };
        let mut sum = LnSum::<4>::new();
        let constant = integral.for_each_node(|weight, l, _| {
            let left = (-l).exp_m1();
            let mut hessian = [[0.0; 4]; 4];
            hessian[0][1] = -left * from_start;
            hessian[1][1] = n * left * (2.0 + left) * from_start * from_start;
            sum.add(weight, &[-l, -n * left * from_start, 0.0, 0.0], &hessian);
        });
        let mut dropped = sum.jet(constant + last_count.ln());
        dropped.add_scaled(1.0, &self.silent_until(x, start));
        dropped.add_scaled(1.0, &self.dropped_at_last(chances));
        (self.silent_until(x, row.age()), dropped)
    }
}
