//! Models at a cut, fitted or given, and their forecasts from there.

use super::audit::CohortDrift;
use super::baselines::{Baseline, Calibration};
use super::compare::Difference;
use super::evaluate::{Case, Forecast, Samples, evaluate};
use super::groups::Groups;
use super::model::{self, Calibrated};
use super::outcome::{FailedRun, Role, Run};
use super::periods::Weeks;
use super::spend::Spending;
use super::split::Split;
use super::sums::sum;
use super::tracking::{Tracking, track};
use super::truth::Truth;
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::{Level, Work};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma};
use crate::time::Date;

/// What does not depend on the cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) scheme: &'static str,
    /// The day of the first transaction.
    pub(super) first: Date,
    pub(super) samples: u32,
    pub(super) seed: u64,
    pub(super) level: Level,
    /// The place of the last split, whose tracking is shown.
    pub(super) last: u64,
}

/// A purchase model at a cut, or why there is none.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) calibrated: Result<Calibrated<AnyPurchaseModel>>,
}

/// Models at a cut, and what they were fitted to.
#[derive(Debug)]
pub(super) struct Prepared {
    customers: Customers,
    cohorts: Groups,
    observation: Observation,
    models: Vec<Candidate>,
    /// By the spend model, where there is one; by averages.
    spending: Vec<Spending>,
    /// Why there is no spend model that was asked for.
    spend_failure: Option<Error>,
}

/// What was found at a split.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) runs: Vec<Run>,
    pub(super) differences: Vec<Difference>,
    pub(super) tracking: Vec<Tracking>,
    pub(super) failures: Vec<FailedRun>,
}

impl Prepared {
    pub(super) fn new(customers: Customers, observation: Observation, models: Vec<Candidate>, spend: Option<Result<GammaGamma>>) -> Self {
        let by_model = spend.map(|spend| {
            spend.and_then(|spend| {
                Spending::by_model(&spend, &customers).ok_or_else(|| {
                    Error::fit("by this spend model the mean spend of some customers is infinite (q is at most 1), so that there is no forecast of it")
                })
            })
        });
        let average = Spending::own_average(&customers);
        let (spending, spend_failure) = match by_model {
            Some(Ok(by_model)) => (vec![by_model, average], None),
            Some(Err(error)) => (vec![average], Some(error)),
            None => (vec![average], None),
        };
        Prepared { cohorts: model::cohorts(&customers), customers, observation, models, spending, spend_failure }
    }

    /// Holds all forecasts against what came; `place` is that of the split among all of a back-test.
    pub(super) fn run(&self, log: &TransactionLog, setting: &Setting, split: Split, place: u64, work: &Work<'_>) -> Result<Part> {
        let (customers, unit) = (&self.customers, self.observation.unit);
        let truth = Truth::of(log, &self.observation, &split, customers)?;
        if let Some(born_until) = split.born_until().filter(|_| truth.acquired.is_empty()) {
            return Err(Error::data(format!(
                "no customer is born after {born_until} and until {}, so that there is no newer cohort to forecast; the first purchases are of {} to {}",
                split.holdout_end(),
                setting.first,
                last_birth(&truth).unwrap_or(born_until)
            )));
        }
        let weeks = Weeks::of(&truth.after_cut, &split, unit)?;
        let (forecasts, failures) = self.forecasts(log, setting, split, &truth, &weeks);
        let calibration = f64::from(split.cut().days_since(setting.first) + 1) * 24.0 / unit.hours();
        let case = Case { scheme: setting.scheme, split, customers, calibration, truth: &truth, weeks: &weeks };
        let first_stream = place * 3 * u64::from(setting.samples);
        let samples = Samples { count: setting.samples, seed: setting.seed, first_stream, level: setting.level };
        let (runs, differences) = evaluate(&case, &forecasts, samples, work);
        let tracking = if place == setting.last { self.tracking(&truth, split, setting.level)? } else { Vec::new() };
        work.done_one();
        Ok(Part { runs, differences, tracking, failures })
    }

    /// The forecasts of all models and baselines, and what has none.
    fn forecasts(
        &self,
        log: &TransactionLog,
        setting: &Setting,
        split: Split,
        truth: &Truth,
        weeks: &Weeks,
    ) -> (Vec<Forecast>, Vec<FailedRun>) {
        let (mut forecasts, mut failures) = (Vec::new(), Vec::new());
        let mut failed = |model: &'static str, error: &Error| {
            failures.push(FailedRun { scheme: setting.scheme, split, model, message: error.to_string() });
        };
        if let Some(error) = &self.spend_failure {
            failed(GammaGamma::NAME, error);
        }
        for Candidate { name, role, calibrated } in &self.models {
            match calibrated {
                Ok(calibrated) => forecasts.push(self.of_model(name, *role, calibrated, truth, weeks, split)),
                Err(error) => failed(name, error),
            }
        }
        let ages: Vec<f64> = truth.acquired.iter().map(|customer| customer.age).collect();
        for baseline in Baseline::ALL {
            match self.of_baseline(baseline, log, setting, split, &ages, weeks) {
                Ok(forecast) => forecasts.push(forecast),
                Err(error) => failed(baseline.name(), &error),
            }
        }
        (forecasts, failures)
    }

    fn tracking(&self, truth: &Truth, split: Split, level: Level) -> Result<Vec<Tracking>> {
        let Some(spending) = self.spending.first() else { return Ok(Vec::new()) };
        let asked = self.models.iter().filter(|candidate| candidate.role == Role::Model);
        let fitted = asked.filter_map(|candidate| Some((candidate.name, &candidate.calibrated.as_ref().ok()?.model)));
        fitted.map(|model| track(model, (spending.name, &spending.new), &truth.calendar, split, self.observation.unit, level)).collect()
    }

    /// What the customers born in each month bought after the cut, against what this model forecasts, and the variance of that.
    pub(super) fn drift(&self, model: &AnyPurchaseModel, log: &TransactionLog, split: Split) -> Result<Vec<(CohortDrift, f64)>> {
        let Prepared { customers, cohorts, observation, .. } = self;
        let truth = Truth::of(log, observation, &split, customers)?;
        let predicted = model::known(model, customers, cohorts, split.length(observation.unit), &truth.known, &[]);
        let month = |row: usize| customers.purchases()[row].first.date().first_of_month();
        let drift = Groups::by(customers.len(), month).map(|rows| {
            let total = |of: &dyn Fn(usize) -> f64| rows.iter().fold(0.0, |sum, &row| sum + of(row));
            let actual = total(&|row| truth.known[row].purchases as f64);
            let counts = predicted.counts.as_deref().unwrap_or_default();
            let (expected, variance) = (total(&|row| counts[row].expected), total(&|row| counts[row].variance));
            (CohortDrift::new(month(rows[0]), rows.len() as u64, actual, expected, variance), variance)
        });
        Ok(drift)
    }

    fn of_model(
        &self,
        model: &'static str,
        role: Role,
        calibrated: &Calibrated<AnyPurchaseModel>,
        truth: &Truth,
        weeks: &Weeks,
        split: Split,
    ) -> Forecast {
        let Prepared { customers, cohorts, spending, .. } = self;
        let length = split.length(self.observation.unit);
        Forecast {
            model,
            role,
            parameters: calibrated.parameters.iter().copied().collect(),
            known: model::known(&calibrated.model, customers, cohorts, length, &truth.known, spending),
            acquired: Some(model::acquired(&calibrated.model, &truth.acquired, spending)),
            by_week: model::by_time(&calibrated.model, customers, cohorts, &weeks.times, spending),
        }
    }

    fn of_baseline(
        &self,
        baseline: Baseline,
        log: &TransactionLog,
        setting: &Setting,
        split: Split,
        acquired: &[f64],
        weeks: &Weeks,
    ) -> Result<Forecast> {
        let Some(average) = self.spending.last() else { return Err(Error::data("there is no average spend")) };
        let (observation, customers) = (self.observation, &self.customers);
        let seen = Calibration { log, first: setting.first, observation, customers, spending: average, split };
        let said = baseline.forecast(&seen, acquired)?;
        let share = said.share_by(&weeks.times, split.length(observation.unit));
        let totals = [&said.known.purchases].into_iter().chain(said.known.revenue.iter().map(|revenue| &revenue.amounts));
        Ok(Forecast {
            model: baseline.name(),
            role: Role::Baseline,
            parameters: said.parameters.iter().copied().collect(),
            by_week: totals.map(|values| share.iter().map(|share| share * sum(values)).collect()).collect(),
            known: said.known,
            acquired: said.acquired,
        })
    }
}

fn last_birth(truth: &Truth) -> Option<Date> {
    let last = truth.calendar.births.iter().rposition(|&births| births > 0)?;
    Date::from_days_since_1970(truth.calendar.first.days_since_1970() + i32::try_from(last).ok()?).ok()
}
