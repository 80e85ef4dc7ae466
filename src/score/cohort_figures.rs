//! One cohort: what it did, what is to come, what its customers are worth.

use super::cohort_curve::CurvePoint;
use super::cohort_fits::Pooling;
use super::cohort_study::CohortStudy;
use super::cohort_value::{NewCustomers, Payback};
use super::estimate::{Estimate, Uncertain};
#[cfg(feature = "serde")]
use super::fit_record::FitRecord;
use super::forecast::Forecaster;
use super::totals::Totals;
use crate::data::Customers;
use crate::error::Result;
use crate::fit::Fitted;
use crate::models::{Estimable, GammaGamma, PurchaseModel};
use crate::simulate::Simulate;
use crate::time::Date;

/// Replications of the simulation of a cohort that is too small to be drawn at once.
const REPLICATIONS: u32 = 500;

/// A cohort; [`CohortStudy`] has an example.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CohortFigures {
    /// Its name.
    pub name: String,
    /// Customers.
    pub customers: f64,
    /// The day of the earliest first purchase.
    pub born_from: Option<Date>,
    /// The day of the latest one.
    pub born_until: Option<Date>,
    /// The sum of their ages.
    pub exposure: f64,
    /// Which fit speaks for it.
    pub fit: Pooling,
    /// Why it is not the one that was asked for.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub fallback: Option<String>,
    /// How much of the partially pooled fit is that of all cohorts; none where there is no such fit.
    pub prior_weight: Option<f64>,
    /// The parameters, with intervals where they are known.
    pub parameters: Vec<(&'static str, Estimate)>,
    /// The fit that speaks for it, as a model file keeps it: parameters with standard errors and covariance, and how it ended.
    #[cfg(feature = "serde")]
    pub fit_record: Option<FitRecord>,
    /// Repeat purchases so far.
    pub observed_purchases: f64,
    /// The same as the model has it of customers of whom nothing is known but their age.
    pub expected_purchases: Estimate,
    /// By age.
    pub curve: Vec<CurvePoint>,
    /// Expected purchases within the horizon; none for a lifetime in which they add up for ever.
    pub residual_purchases: Option<f64>,
    /// Their interval; none for a lifetime.
    pub residual_purchases_between: Option<(f64, f64)>,
    /// Margin x spend so far.
    pub value_to_date: f64,
    /// The sum of the CLV; none without a spend model.
    pub residual_value: Option<f64>,
    /// Its interval; none where values have none.
    pub residual_value_between: Option<(f64, f64)>,
    /// Value so far and value to come.
    pub total_value: Option<f64>,
    /// What a new customer of this cohort is worth over the horizon, on average; none without a spend model, and none with a cost to serve.
    pub new_customer_value: Option<Estimate>,
    /// Cost of acquisition per customer, where it is known.
    pub acquisition_cost: Option<f64>,
    /// New customer's value over cost.
    pub value_to_cost: Option<Estimate>,
    /// When the value pays for the cost.
    pub payback: Option<Payback>,
}

impl CohortStudy<'_> {
    /// What a cohort has done so far.
    pub(super) fn bought<M: PurchaseModel + Estimable>(&self, name: &str, members: &Customers, model: &Uncertain<M>) -> CohortFigures {
        let births = || members.purchases().iter().map(|record| record.first.date());
        let mut ages = members.age().to_vec();
        ages.sort_unstable_by(f64::total_cmp);
        let by_age: Vec<(f64, f64)> = ages.chunk_by(|one, other| one == other).map(|equal| (equal[0], equal.len() as f64)).collect();
        let over = |of: &dyn Fn(f64) -> f64| by_age.iter().map(|&(age, count)| count * of(age)).sum::<f64>();
        let chance = over(&|age| model.centre.purchase_variance(age));
        let spent: f64 = members.purchases().iter().map(|record| record.total_spend).sum();
        CohortFigures {
            name: name.to_owned(),
            customers: members.len() as f64,
            born_from: births().min(),
            born_until: births().max(),
            exposure: over(&|age| age),
            fit: Pooling::Pooled,
            fallback: None,
            prior_weight: None,
            parameters: Vec::new(),
            #[cfg(feature = "serde")]
            fit_record: None,
            observed_purchases: members.frequency().iter().map(|&x| f64::from(x)).sum(),
            expected_purchases: model.count(|model| over(&|age| model.expected_purchases(age)), chance, self.level),
            curve: Vec::new(),
            residual_purchases: None,
            residual_purchases_between: None,
            value_to_date: self.definition.margin.share() * spent,
            residual_value: None,
            residual_value_between: None,
            total_value: None,
            new_customer_value: None,
            acquisition_cost: None,
            value_to_cost: None,
            payback: None,
        }
    }

    pub(super) fn parameters<M: Estimable>(&self, fitted: &Fitted<M>) -> Vec<(&'static str, Estimate)> {
        let values = fitted.model().parameters();
        let estimate = |i: usize| {
            let (lower, upper) = fitted.interval(i, self.level).unwrap_or((values[i], values[i]));
            (M::PARAMETERS[i].name, Estimate { value: values[i], lower, upper })
        };
        (0..values.len()).map(estimate).collect()
    }

    /// What is to come, and what new customers are worth.
    pub(super) fn value<M>(
        &self,
        cohort: &mut CohortFigures,
        members: &Customers,
        fitted: &Fitted<M>,
        model: &Uncertain<M>,
        spend: Option<&Uncertain<GammaGamma>>,
    ) -> Result<()>
    where
        M: PurchaseModel + Simulate<Alive: Simulate> + Estimable,
    {
        let forecaster = Forecaster::from_fits(fitted, self.spend, &self.definition, members.observation_end())?;
        let totals = Totals::of(members, &forecaster.scorer().score_all(members)?);
        cohort.residual_purchases = totals.expected_purchases;
        cohort.residual_value = totals.clv;
        cohort.total_value = totals.clv.map(|clv| cohort.value_to_date + clv);
        let terms = *forecaster.scorer().terms();
        if terms.horizon().is_finite() {
            let groups = forecaster.groups(members, &vec![0; members.len()], self.level, REPLICATIONS, self.seed, None)?;
            cohort.residual_purchases_between = groups.first().map(|group| (group.purchases.lower, group.purchases.upper));
            let valued = groups.first().filter(|_| forecaster.has_value_intervals());
            cohort.residual_value_between = valued.and_then(|group| group.clv).map(|clv| (clv.lower, clv.upper));
        }
        let cost = self.costs.iter().find(|(name, _)| *name == cohort.name).map(|(_, cost)| cost / cohort.customers);
        cohort.acquisition_cost = cost;
        // Costs to serve go with the time a customer stays, which these figures do not know; without the costs they would be too high.
        let Some(spend) = spend.filter(|_| !terms.has_costs()) else { return Ok(()) };
        let new =
            NewCustomers { purchases: model, spend, terms: &terms, with_first: self.definition.first_purchase.is_in(), level: self.level };
        cohort.new_customer_value = new.value();
        if let Some(cost) = cost {
            let over = |Estimate { value, lower, upper }| Estimate { value: value / cost, lower: lower / cost, upper: upper / cost };
            cohort.value_to_cost = cohort.new_customer_value.filter(|_| cost > 0.0).map(over);
            cohort.payback = cohort.new_customer_value.map(|_| new.payback(cost));
        }
        Ok(())
    }
}
