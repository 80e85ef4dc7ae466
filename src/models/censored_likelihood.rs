//! What a purchase model must tell so that it can be fitted to, and asked about, customers of whom less is known than a history.

use super::censored_sample::CensoredSample;
use super::estimable::{CompositeScore, Estimable};
use super::purchase_model::PurchaseModel;
use super::purchase_sample::PurchaseSample;
use crate::data::Censored;
use crate::numeric::jet::Jet;

/// Purchase models that have a likelihood for data of kind `D`. Where one has none, there is no exact way to write it, and the compiler says so.
pub trait CensoredLikelihood<D: Censored>: Estimable<Sample = PurchaseSample> {
    /// ln L of a row with gradient and Hessian in the model's parameters, without [`Censored::ln_constant`].
    fn censored_jet(&self, row: &D) -> Jet<4>;

    /// How the gradient of ln L varies over samples like this one: see [`Estimable::composite_score`].
    fn censored_composite_score(&self, sample: &CensoredSample<D>) -> Option<CompositeScore> {
        let _ = sample;
        None
    }

    /// ln L of a row; of counts, the logarithm of their probability.
    ///
    /// ```
    /// use clv::{CensoredLikelihood, EveryCustomer, History, LeftTruncated, ParetoNbd, ParetoNbdParams, PurchaseModel};
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let history = History::new(2, 30.43, 38.86)?;
    /// // Born within the log: the ordinary likelihood. Born a year before it: most would be gone by now.
    /// let new = LeftTruncated::<EveryCustomer>::born_within(history);
    /// let old = LeftTruncated::<EveryCustomer>::born_before(52.0, history)?;
    /// assert!((model.censored_ln_likelihood(&new) - model.ln_likelihood(&history)).abs() < 1e-14);
    /// assert!((model.censored_ln_likelihood(&old) - -10.057_271_203_119_104).abs() < 1e-12);
    /// # Ok::<(), clv::Error>(())
    /// ```
    fn censored_ln_likelihood(&self, row: &D) -> f64 {
        self.censored_jet(row).value + row.ln_constant()
    }
}

/// Purchase models that know whether such a customer is alive, and what they will do.
pub trait CensoredFuture<D: Censored>: PurchaseModel {
    /// The model of the future of a customer who is alive; its time 0 is the end of what is known.
    type Alive: PurchaseModel;

    /// P(alive at the end | what is known).
    fn censored_p_alive(&self, row: &D) -> f64;

    /// The future of the customer, given that they are alive at the end of what is known.
    fn censored_given_alive(&self, row: &D) -> <Self as CensoredFuture<D>>::Alive;

    /// Expected number of purchases in a time t after the end of what is known.
    ///
    /// ```
    /// use clv::{CensoredFuture, EveryCustomer, History, LeftTruncated, ParetoNbd, ParetoNbdParams};
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// // Acquired two years before the log, and silent for all of its 39 weeks.
    /// let silent = LeftTruncated::<EveryCustomer>::born_before(104.0, History::new(0, 0.0, 39.0)?)?;
    /// assert!((model.censored_p_alive(&silent) - 0.102_775).abs() < 1e-6);
    /// assert!((model.censored_expected_purchases(&silent, 52.0) - 0.054_438).abs() < 1e-6);
    /// # Ok::<(), clv::Error>(())
    /// ```
    fn censored_expected_purchases(&self, row: &D, t: f64) -> f64 {
        self.censored_p_alive(row) * self.censored_given_alive(row).expected_purchases(t)
    }
}

/// The share of e^part in e^part + e^rest.
pub(super) fn share(part: f64, rest: f64) -> f64 {
    1.0 / (1.0 + (rest - part).exp())
}
