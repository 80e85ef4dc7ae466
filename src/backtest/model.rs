//! What a purchase model, fitted up to the cut, says of the holdout.

use super::counts::{CountForecast, CountTable};
use super::predicted::Predicted;
use super::truth::{Acquired, Holdout};
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::fit::{Estimator, Fit, Prior};
use crate::models::{AnyPurchaseModel, BgNbd, Estimable, MbgNbd, Nbd, ParetoNbd, PurchaseModel};
use crate::parallel::map_indices;

/// A model with its parameters by name.
#[derive(Debug, Clone)]
pub(super) struct Calibrated {
    pub(super) model: AnyPurchaseModel,
    pub(super) parameters: Vec<(&'static str, f64)>,
}

/// Fits the model of a name.
pub(super) fn fit(name: &str, customers: &Customers, prior: Option<Prior>) -> Result<Calibrated> {
    match name {
        BgNbd::NAME => calibrated::<BgNbd>(customers, prior),
        MbgNbd::NAME => calibrated::<MbgNbd>(customers, prior),
        ParetoNbd::NAME => calibrated::<ParetoNbd>(customers, prior),
        Nbd::NAME => calibrated::<Nbd>(customers, prior),
        other => Err(Error::parameter(format!("there is no fit for {other:?}; it is one of {}", AnyPurchaseModel::NAMES.join(", ")))),
    }
}

fn calibrated<M: Fit + Into<AnyPurchaseModel>>(customers: &Customers, prior: Option<Prior>) -> Result<Calibrated> {
    let fitted = Estimator::<M>::new().prior(prior).fit(customers)?;
    let model = *fitted.model();
    let parameters = M::PARAMETERS.iter().map(|parameter| parameter.name).zip(model.parameters()).collect();
    Ok(Calibrated { model: model.into(), parameters })
}

/// The forecasts for the customers known at the cut, over `length`, against what came.
pub(super) fn known(model: &AnyPurchaseModel, customers: &Customers, length: f64, came: &[Holdout]) -> Predicted {
    // The future of a customer who is alive depends on x and T alone.
    let key = |row: usize| (customers.frequency()[row], customers.age()[row].to_bits());
    let forecasts = in_groups(customers.len(), key, |rows| {
        let table = CountTable::new(model.given_alive(&customers.history(rows[0])), length);
        rows.iter().map(|&row| table.against(model.p_alive(&customers.history(row)), came[row].purchases)).collect()
    });
    Predicted::of_counts(forecasts)
}

/// The forecasts of the repeat purchases of customers who came within the holdout.
pub(super) fn acquired(model: &AnyPurchaseModel, customers: &[Acquired]) -> Predicted {
    let forecasts = in_groups(
        customers.len(),
        |row| customers[row].age.to_bits(),
        |rows| {
            let table = CountTable::new(*model, customers[rows[0]].age);
            rows.iter().map(|&row| table.against(1.0, customers[row].holdout.purchases)).collect()
        },
    );
    Predicted::of_counts(forecasts)
}

/// The forecasts for rows 0 to `count`, worked out together for those of the same key.
fn in_groups<K: Ord>(count: usize, key: impl Fn(usize) -> K, of: impl Fn(&[usize]) -> Vec<CountForecast> + Sync) -> Vec<CountForecast> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&row| key(row));
    let groups: Vec<&[usize]> = order.chunk_by(|&one, &other| key(one) == key(other)).collect();
    let forecasts = map_indices(groups.len(), |group| of(groups[group]));
    let mut placed: Vec<(usize, CountForecast)> = order.iter().copied().zip(forecasts.into_iter().flatten()).collect();
    placed.sort_unstable_by_key(|&(row, _)| row);
    placed.into_iter().map(|(_, forecast)| forecast).collect()
}
