//! The values that can be asked for, by their names in a file.

use clv::{AnyPurchaseModel, GammaGamma, History, PurchaseModel, SpendHistory};

use super::Outcome;
use super::fields::argument;

/// The output named `key`; `None` where it does not exist.
pub(super) fn purchase_output(model: &AnyPurchaseModel, history: &History, key: &str) -> Outcome<Option<f64>> {
    if let Some(t) = argument(key, "cexp_t=") {
        return Ok(Some(model.conditional_expected_purchases(history, t?)));
    }
    if let Some(delta) = argument(key, "dert_delta=") {
        return Ok(model.conditional_dert(history, delta?));
    }
    match key {
        "log_likelihood" => Ok(Some(model.ln_likelihood(history))),
        "p_alive" => Ok(Some(model.p_alive(history))),
        "p_dead" => Ok(Some(model.p_dead(history))),
        _ => Err(format!(
            "{key:?} is neither an input nor an output; outputs are log_likelihood, p_alive, p_dead, cexp_t=..., dert_delta=..."
        )),
    }
}

pub(super) fn spend_output(model: &GammaGamma, spend: &SpendHistory, key: &str) -> Outcome<Option<f64>> {
    match key {
        "log_likelihood" => Ok(Some(model.ln_likelihood(spend))),
        "cond_mean" => Ok(model.expected_average_spend(spend)),
        _ => Err(format!("{key:?} is neither an input nor an output; outputs are log_likelihood, cond_mean")),
    }
}
