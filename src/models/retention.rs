//! Who buys in a later period: the retention of a cohort, as a model expects it.

use super::bg_nbd::BgNbd;
use super::bg_nbd_survivor::BgNbdSurvivor;
use super::mbg_nbd::MbgNbd;
use super::nbd::Nbd;
use super::pareto_nbd::ParetoNbd;
use super::purchase_model::PurchaseModel;
use super::{at_most_one, duration};
use crate::data::History;

/// Purchase models that know how likely a new customer is to buy in a period that begins later.
///
/// Who buys in (u, u + t] has survived until u, whatever was bought up to then, and buys at least once in a time t from there:
/// ```text
/// P(X(u + t) > X(u)) = P(alive at u) P(at least one purchase in t | survived u)
/// NBD:       1 - (alpha/(alpha + t))^r
/// Pareto:    (beta/(beta + u))^s times P(X(t) > 0) of Pareto/NBD (r, alpha, s, beta + u)
/// BG, MBG:   P(alive at u) times P(X(t) > 0) of a BgNbdSurvivor of u
/// ```
pub trait Retention: PurchaseModel {
    /// P(at least one purchase in (from, until]) of a new customer, at time 0 when the first purchase was made; 0 where the period has no length.
    ///
    /// ```
    /// use clv::{Nbd, NbdParams, ParetoNbd, ParetoNbdParams, PurchaseModel, Retention};
    ///
    /// // By NBD one period is like the other: 1 - (12.07/(12.07 + 4))^.385.
    /// let nbd = Nbd::new(NbdParams { r: 0.385, alpha: 12.07 })?;
    /// assert!((nbd.p_active_between(100.0, 104.0) - 0.104_344).abs() < 1e-5);
    /// // By Pareto/NBD fewer are left to buy.
    /// let pareto = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// assert_eq!(pareto.p_active_between(0.0, 4.0), pareto.p_active(4.0));
    /// assert!((pareto.p_active_between(100.0, 104.0) - 0.040_948).abs() < 1e-5);
    /// # Ok::<(), clv::Error>(())
    /// ```
    fn p_active_between(&self, from: f64, until: f64) -> f64;
}

/// Where a period begins, and how long it is.
fn period(from: f64, until: f64) -> (f64, f64) {
    let from = duration(from);
    (from, duration(duration(until) - from))
}

impl Retention for Nbd {
    fn p_active_between(&self, from: f64, until: f64) -> f64 {
        self.p_active(period(from, until).1)
    }
}

impl Retention for ParetoNbd {
    fn p_active_between(&self, from: f64, until: f64) -> f64 {
        let (from, length) = period(from, until);
        at_most_one(self.p_alive_at(from) * self.older_by(from).p_active(length))
    }
}

impl Retention for BgNbd {
    fn p_active_between(&self, from: f64, until: f64) -> f64 {
        let (from, length) = period(from, until);
        if from == 0.0 {
            return self.p_active(length);
        }
        at_most_one(self.p_alive_at(from) * BgNbdSurvivor::new(*self, from).p_active(length))
    }
}

impl Retention for MbgNbd {
    fn p_active_between(&self, from: f64, until: f64) -> f64 {
        let (from, length) = period(from, until);
        if from == 0.0 {
            return self.p_active(length);
        }
        // Who stayed at the first purchase is a BG/NBD customer.
        let stayed = self.given_alive(&History::NEW_CUSTOMER);
        at_most_one(self.p_alive_at(from) * BgNbdSurvivor::new(stayed, from).p_active(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Estimable;

    /// Of customers who all buy alike, and whose dropout is known, by hand: lambda = 0.1 a week (r and alpha large); Pareto/NBD with mu = 0.02.
    #[test]
    fn retention_by_hand() {
        let (lambda, mu) = (0.1_f64, 0.02_f64);
        let (from, length) = (26.0_f64, 4.0_f64);
        // Alive at 26, and the first purchase comes before dropout and before 4 weeks are over.
        let rate = lambda + mu;
        let by_hand = (-mu * from).exp() * lambda / rate * -(-rate * length).exp_m1();
        let model = ParetoNbd::from_parameters(&[1e8, 1e8 / lambda, 1e8, 1e8 / mu]).unwrap();
        assert!((model.p_active_between(from, from + length) - by_hand).abs() < 1e-6, "{by_hand}");
        // BG/NBD with one p: alive at 26 with e^(-lambda p 26), and a purchase within 4 weeks.
        let p = 0.25;
        let model = BgNbd::from_parameters(&[1e8, 1e8 / lambda, 1e8 * p, 1e8 * (1.0 - p)]).unwrap();
        let by_hand = (-lambda * p * from).exp() * -(-lambda * length).exp_m1();
        assert!((model.p_active_between(from, from + length) - by_hand).abs() < 1e-6, "{by_hand}");
        // MBG/NBD: the same after one more chance to leave.
        let model = MbgNbd::from_parameters(&[1e8, 1e8 / lambda, 1e8 * p, 1e8 * (1.0 - p)]).unwrap();
        assert!((model.p_active_between(from, from + length) - (1.0 - p) * by_hand).abs() < 1e-6);
        // A period of no length, or the wrong way round, has no purchase.
        assert_eq!((model.p_active_between(5.0, 5.0), model.p_active_between(5.0, 4.0)), (0.0, 0.0));
    }
}
