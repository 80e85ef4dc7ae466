//! The models: valid parameters, and everything that follows from them in closed form or by one positive integral.
//!
//! Given that a customer with history (x, t_x, T) is still alive, their future is *the same model with updated parameters*
//! ([`PurchaseModel::given_alive`]). So a model has four things of its own: the likelihood of a history, P(alive), the update, and what a *new*
//! customer does. Everything conditional is `p_alive * (new-customer quantity of the updated model)`: one formula, one place to be wrong.

mod alive_column;
mod any;
mod beta_dropout;
mod beta_dropout_parts;
mod beta_dropout_periods;
mod beta_dropout_truncated;
mod bg_nbd;
mod bg_nbd_survivor;
mod censored_likelihood;
mod censored_sample;
mod cross_sections_of_one;
mod dropout_time;
mod estimable;
mod gamma_gamma;
mod mbg_nbd;
mod nbd;
mod notice;
mod packed;
mod pairs;
mod pareto_nbd;
mod pareto_nbd_periods;
mod pareto_nbd_truncated;
mod purchase_model;
mod purchase_sample;
mod retention;
mod sample;
mod sample_source;
mod seen_through;
mod spend_by_frequency;
mod spend_distribution;
mod spend_sample;
mod tail_moments;

pub use alive_column::SeenHistories;
pub use any::AnyPurchaseModel;
pub use bg_nbd::{BgNbd, BgNbdParams};
pub use bg_nbd_survivor::BgNbdSurvivor;
pub use censored_likelihood::{CensoredFuture, CensoredLikelihood};
pub use censored_sample::CensoredSample;
pub(crate) use cross_sections_of_one::Counted;
pub use estimable::{CompositeScore, Estimable, Evaluation, ParameterInfo, ParameterKind};
pub use gamma_gamma::{GammaGamma, GammaGammaParams};
pub use mbg_nbd::{MbgNbd, MbgNbdParams};
pub use nbd::{Nbd, NbdParams};
pub use notice::{Notice, NoticeKind};
pub use pareto_nbd::{ParetoNbd, ParetoNbdParams};
pub use purchase_model::PurchaseModel;
pub(crate) use purchase_model::count_quantile;
pub use purchase_sample::PurchaseSample;
pub use retention::Retention;
pub use sample::{GroupedSample, Sample};
pub(crate) use sample::{check_redrawn, draw_copies};
pub use sample_source::SampleSource;
pub use seen_through::SeenThrough;
pub use spend_by_frequency::{FrequencyClass, SpendByFrequency};
pub use spend_sample::SpendSample;

use crate::error::{Error, Result};

/// The smallest and largest parameter a model accepts: beyond, sums of parameters and times lose all their digits.
pub(crate) const PARAMETER_RANGE: std::ops::RangeInclusive<f64> = 1e-12..=1e15;

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

/// A level as the models take it: 0 when negative or no number.
fn at_least_zero(value: f64) -> f64 {
    value.max(0.0)
}

/// For ever, in any unit. Much longer, and the square of the purchases of that time would overflow for the most extreme parameters.
const FOR_EVER: f64 = 1e120;

/// A moment, in any unit. Much shorter, and its product with a small share of the customers would have lost digits to underflow.
const AT_ONCE: f64 = 1e-120;

/// A length of time as the models take it: 0 when negative or no number or below [`AT_ONCE`], [`FOR_EVER`] when infinite.
fn duration(t: f64) -> f64 {
    if t >= AT_ONCE { t.min(FOR_EVER) } else { 0.0 }
}

/// A discount rate as the models take it: 0 when negative or no number; beyond this limit, where next to nothing counts, the limit, so that its products
/// do not overflow.
fn discount_rate(delta: f64) -> f64 {
    const LARGEST: f64 = 1e120;
    at_least_zero(delta).min(LARGEST)
}

/// A probability that was summed up: rounding may have carried it past 1.
fn at_most_one(sum: f64) -> f64 {
    sum.min(1.0)
}
