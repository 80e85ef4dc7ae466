//! The models: valid parameters, and everything that follows from them in closed form or by one positive integral.
//!
//! Given that a customer with history (x, t_x, T) is still alive, their future is *the same model with updated parameters*
//! ([`PurchaseModel::given_alive`]). So a model has four things of its own: the likelihood of a history, P(alive), the update, and what a *new*
//! customer does. Everything conditional is `p_alive * (new-customer quantity of the updated model)`: one formula, one place to be wrong.

mod bg_nbd;
mod estimable;
mod gamma_gamma;
mod sample;

pub use bg_nbd::{BgNbd, BgNbdParams};
pub use estimable::{Estimable, Evaluation, ParameterInfo, ParameterKind};
pub use gamma_gamma::{GammaGamma, GammaGammaParams};
pub use sample::{PurchaseSample, SpendSample};

use crate::data::History;
use crate::error::{Error, Result};

/// A model of when customers buy and when they stop, for customers who need not tell that they left.
///
/// Times (`t`, the recency and age of a history) are in the unit of the parameters; `delta` is a continuous discount rate per that unit. Both count as
/// 0 when they are negative or no number, so that after construction nothing fails and nothing is NaN.
pub trait PurchaseModel: Copy + std::fmt::Debug + Send + Sync {
    /// The model of a customer who is known to be alive.
    type Alive: PurchaseModel;

    /// ln L(x, t_x, T): the log-density of one customer's purchase times, without combinatorial constants, as the papers print it.
    fn ln_likelihood(&self, history: &History) -> f64;

    /// P(alive at T | x, t_x, T): the customer has not dropped out.
    fn p_alive(&self, history: &History) -> f64;

    /// P(dropped out by T | x, t_x, T), accurate also where it is tiny and 1 - P(alive) would be rounding noise.
    fn p_dead(&self, history: &History) -> f64;

    /// The model of this customer's future, given that they are alive at T; its time 0 is T.
    fn given_alive(&self, history: &History) -> Self::Alive;

    /// E\[X(t)\]: expected number of purchases of a new customer in (0, t], the first one (at time 0) not counted.
    fn expected_purchases(&self, t: f64) -> f64;

    /// P(X(t) > 0): a new customer buys again at least once in (0, t].
    fn p_active(&self, t: f64) -> f64;

    /// Expected purchases of a new customer in (0, t], each discounted by e^(-delta u) to time 0.
    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64;

    /// E\[Y(t) | x, t_x, T\]: expected number of purchases in (T, T + t].
    fn conditional_expected_purchases(&self, history: &History, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).expected_purchases(t)
    }

    /// P(at least one purchase in (T, T + t] | x, t_x, T). Unlike P(alive) it can be checked against what happens.
    fn conditional_p_active(&self, history: &History, t: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).p_active(t)
    }

    /// Expected purchases in (T, T + t], each discounted by e^(-delta u) from T + u to T.
    fn conditional_discounted_expected_purchases(&self, history: &History, t: f64, delta: f64) -> f64 {
        self.p_alive(history) * self.given_alive(history).discounted_expected_purchases(t, delta)
    }
}

/// The smallest and largest parameter a model accepts: beyond, sums of parameters and times lose all their digits.
const PARAMETER_RANGE: std::ops::RangeInclusive<f64> = 1e-8..=1e10;

/// Checks parameters by name: positive, finite, within [`PARAMETER_RANGE`].
fn check_parameters(model: &str, parameters: &[(&str, f64)]) -> Result<()> {
    for &(name, value) in parameters {
        if !(value > 0.0 && value.is_finite()) {
            return Err(Error::parameter(format!("{model}: {name} = {value} must be a positive finite number")));
        }
        if !PARAMETER_RANGE.contains(&value) {
            return Err(Error::parameter(format!(
                "{model}: {name} = {value:e} lies outside {:e} to {:e}; choose a unit of time or money in which it does not",
                PARAMETER_RANGE.start(),
                PARAMETER_RANGE.end()
            )));
        }
    }
    Ok(())
}

/// A length of time or a discount rate as the models take it: 0 when negative or no number.
fn at_least_zero(value: f64) -> f64 {
    value.max(0.0)
}
