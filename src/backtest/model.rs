//! What a purchase model, fitted up to the cut, says of the holdout.

use super::counts::{CountForecast, CountTable};
use super::groups::Groups;
use super::predicted::{Predicted, Revenue};
use super::spend::{Amount, Spending};
use super::truth::{Acquired, Bought};
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::fit::{Estimator, Fit, Prior};
use crate::models::{AnyPurchaseModel, BgNbd, Estimable, GammaGamma, MbgNbd, Nbd, ParetoNbd, PurchaseModel};

/// A model with its parameters by name.
#[derive(Debug, Clone)]
pub(super) struct Calibrated<M> {
    pub(super) model: M,
    pub(super) parameters: Vec<(&'static str, f64)>,
}

impl<M: Estimable> Calibrated<M> {
    /// A model as it is.
    pub(super) fn of(model: M) -> Self {
        Calibrated { model, parameters: M::PARAMETERS.iter().map(|parameter| parameter.name).zip(model.parameters()).collect() }
    }
}

impl From<AnyPurchaseModel> for Calibrated<AnyPurchaseModel> {
    fn from(model: AnyPurchaseModel) -> Self {
        fn any<M: Estimable + Into<AnyPurchaseModel>>(model: M) -> Calibrated<AnyPurchaseModel> {
            let Calibrated { model, parameters } = Calibrated::of(model);
            Calibrated { model: model.into(), parameters }
        }
        match model {
            AnyPurchaseModel::BgNbd(model) => any(model),
            AnyPurchaseModel::MbgNbd(model) => any(model),
            AnyPurchaseModel::ParetoNbd(model) => any(model),
            AnyPurchaseModel::Nbd(model) => any(model),
        }
    }
}

/// Fits the model of a name.
pub(super) fn fit(name: &str, customers: &Customers, prior: Option<Prior>) -> Result<Calibrated<AnyPurchaseModel>> {
    fn any<M: Fit + Into<AnyPurchaseModel>>(customers: &Customers, prior: Option<Prior>) -> Result<Calibrated<AnyPurchaseModel>> {
        let model: AnyPurchaseModel = fitted::<M>(customers, prior)?.into();
        Ok(model.into())
    }
    match name {
        BgNbd::NAME => any::<BgNbd>(customers, prior),
        MbgNbd::NAME => any::<MbgNbd>(customers, prior),
        ParetoNbd::NAME => any::<ParetoNbd>(customers, prior),
        Nbd::NAME => any::<Nbd>(customers, prior),
        other => Err(Error::parameter(format!("there is no fit for {other:?}; it is one of {}", AnyPurchaseModel::NAMES.join(", ")))),
    }
}

/// Fits the model of spend.
pub(super) fn fit_spend(customers: &Customers, prior: Option<Prior>) -> Result<GammaGamma> {
    fitted::<GammaGamma>(customers, prior)
}

fn fitted<M: Fit>(customers: &Customers, prior: Option<Prior>) -> Result<M> {
    Ok(*Estimator::<M>::new().prior(prior).fit(customers)?.model())
}

/// Customers in groups whose future, given that they are alive, is the same: it depends on x and T alone.
pub(super) fn cohorts(customers: &Customers) -> Groups {
    Groups::by(customers.len(), |row| (customers.frequency()[row], customers.age()[row].to_bits()))
}

/// The forecasts for the customers known at the cut, over `length`, against what came.
pub(super) fn known(
    model: &AnyPurchaseModel,
    customers: &Customers,
    cohorts: &Groups,
    length: f64,
    came: &[Bought],
    spending: &[Spending],
) -> Predicted {
    let counts = cohorts.map_rows(|rows| {
        let table = CountTable::new(model.given_alive(&customers.history(rows[0])), length);
        rows.iter().map(|&row| table.against(model.p_alive(&customers.history(row)), came[row].purchases)).collect()
    });
    let revenue = spending.iter().map(|spending| revenue(spending.name, &counts, |row| spending.known[row])).collect();
    Predicted::of_counts(counts, revenue)
}

/// The forecasts of the repeat purchases of customers who came within the holdout.
pub(super) fn acquired(model: &AnyPurchaseModel, customers: &[Acquired], spending: &[Spending]) -> Predicted {
    let counts = Groups::by(customers.len(), |row| customers[row].age.to_bits()).map_rows(|rows| {
        let table = CountTable::new(*model, customers[rows[0]].age);
        rows.iter().map(|&row| table.against(1.0, customers[row].bought.purchases)).collect()
    });
    let revenue = spending.iter().map(|spending| revenue(spending.name, &counts, |_| spending.new)).collect();
    Predicted::of_counts(counts, revenue)
}

fn revenue(spend: &'static str, counts: &[CountForecast], amount: impl Fn(usize) -> Amount) -> Revenue {
    let amounts = counts.iter().enumerate().map(|(row, count)| count.expected * amount(row).mean).collect();
    Revenue { spend, amounts, variance: Spending::variance_of_total(counts, (0..counts.len()).map(&amount)) }
}

/// What was forecast of the customers known at the cut by the end of each of some times after it: all their purchases, and their spend by each way of
/// telling it.
pub(super) fn by_time(
    model: &AnyPurchaseModel,
    customers: &Customers,
    cohorts: &Groups,
    times: &[f64],
    spending: &[Spending],
) -> Vec<Vec<f64>> {
    let columns = 1 + spending.len();
    let of_cohorts = cohorts.map(|rows| {
        let future = model.given_alive(&customers.history(rows[0]));
        let mut worth = vec![0.0; columns];
        for &row in rows {
            let p_alive = model.p_alive(&customers.history(row));
            worth[0] += p_alive;
            for (sum, spending) in worth[1..].iter_mut().zip(spending) {
                *sum += p_alive * spending.known[row].mean;
            }
        }
        let expected: Vec<f64> = times.iter().map(|&t| future.expected_purchases(t)).collect();
        (worth, expected)
    });
    let mut totals = vec![vec![0.0; times.len()]; columns];
    for (worth, expected) in &of_cohorts {
        for (total, worth) in totals.iter_mut().zip(worth) {
            for (sum, expected) in total.iter_mut().zip(expected) {
                *sum += worth * expected;
            }
        }
    }
    totals
}
