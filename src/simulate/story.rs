//! A model's story as something to draw from: a new customer, or the future of one with a history.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1};

use super::customer_traits::CustomerTraits;
use super::variates::{draw_chances_survived, draw_gamma};
use crate::data::History;
use crate::models::{
    AnyPurchaseModel, BgNbd, BgNbdParams, MbgNbd, MbgNbdParams, Nbd, NbdParams, ParetoNbd, ParetoNbdParams, PurchaseModel,
};

/// A model whose customers can be drawn.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, PurchaseModel, Simulate, random_stream};
///
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let mut rng = random_stream(42, 0);
/// let purchases: usize = (0..10_000).map(|_| model.draw_traits(&mut rng).purchase_times(39.0, &mut rng).count()).sum();
/// let mean = purchases as f64 / 10_000.0;
/// assert!((mean - model.expected_purchases(39.0)).abs() < 0.1);           // 1.08
/// # Ok::<(), clv::Error>(())
/// ```
pub trait Simulate: PurchaseModel {
    /// Draws what sets a new customer apart.
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits;

    /// What can be drawn of the future of a customer with a history.
    fn future_of(&self, history: &History) -> CustomerFuture<Self::Alive> {
        CustomerFuture { p_alive: self.p_alive(history), given_alive: self.given_alive(history) }
    }
}

/// The future of a customer with a history, to draw from as often as needed: alive with P(alive), and then as the updated model says.
///
/// ```
/// use clv::{History, ParetoNbd, ParetoNbdParams, PurchaseModel, Simulate, random_stream};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let customer = History::new(2, 30.43, 38.86)?;
/// let (future, mut rng) = (model.future_of(&customer), random_stream(42, 0));
/// let none = (0..10_000).filter(|_| future.draw_purchase_count(39.0, &mut rng) == 0).count();
/// assert!((none as f64 / 10_000.0 - model.conditional_purchase_pmf(&customer, 0, 39.0)).abs() < 0.02);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CustomerFuture<M> {
    p_alive: f64,
    given_alive: M,
}

impl<M: Simulate> CustomerFuture<M> {
    /// Draws what sets this customer apart, times counted from T; `None` for one who has dropped out.
    pub fn draw_traits<R: Rng>(&self, rng: &mut R) -> Option<CustomerTraits> {
        (rng.random::<f64>() < self.p_alive).then(|| self.given_alive.draw_traits(rng))
    }

    /// Draws the number of purchases in (T, T + t].
    pub fn draw_purchase_count<R: Rng>(&self, t: f64, rng: &mut R) -> u64 {
        self.draw_traits(rng).map_or(0, |traits| traits.draw_purchase_count(t, rng))
    }
}

impl Simulate for Nbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let NbdParams { r, alpha } = self.params();
        CustomerTraits { purchase_rate: draw_gamma(r, alpha, rng), lifetime: f64::INFINITY, lifetime_purchases: u64::MAX }
    }
}

impl Simulate for ParetoNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let ParetoNbdParams { r, alpha, s, beta } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        let dropout_rate = draw_gamma(s, beta, rng);
        let lifetime: f64 = Exp1.sample(rng);
        CustomerTraits { purchase_rate, lifetime: lifetime / dropout_rate, lifetime_purchases: u64::MAX }
    }
}

impl Simulate for BgNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let BgNbdParams { r, alpha, a, b } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        // The first chance comes with the first repeat purchase.
        CustomerTraits { purchase_rate, lifetime: f64::INFINITY, lifetime_purchases: draw_chances_survived(a, b, rng).saturating_add(1) }
    }
}

impl Simulate for MbgNbd {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let MbgNbdParams { r, alpha, a, b } = self.params();
        let purchase_rate = draw_gamma(r, alpha, rng);
        CustomerTraits { purchase_rate, lifetime: f64::INFINITY, lifetime_purchases: draw_chances_survived(a, b, rng) }
    }
}

impl Simulate for AnyPurchaseModel {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        match self {
            AnyPurchaseModel::BgNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::MbgNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::ParetoNbd(model) => model.draw_traits(rng),
            AnyPurchaseModel::Nbd(model) => model.draw_traits(rng),
        }
    }
}
