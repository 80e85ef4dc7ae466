//! A stored model's forecast against what has happened since.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::model;
#[cfg(feature = "serde")]
use super::outcome::json;
use super::outcome::{BackTestReport, Role};
use super::prepared::{Candidate, Prepared, Setting};
use super::run::SAMPLES;
use super::split::Split;
use super::sums::{ratio, sum};
use super::verdict::CHANCE;
use crate::data::{Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::{Level, Watch, Work};
use crate::models::{AnyPurchaseModel, Estimable, GammaGamma, Nbd};
use crate::time::Date;

/// The word for its scheme.
pub(crate) const AUDIT: &str = "audit";

/// A forecast off by more than this, and by more than chance, has drifted; a cohort off by less has not, however many customers make it sure.
const DRIFT: f64 = 0.1;

/// What chance does more seldom than this is no chance.
const ONCE_IN_A_HUNDRED: f64 = 0.01;

/// An audit: the forecast that a model made when it was fitted, for the customers known then, against what they have done since.
///
/// The model is not fitted anew: the parameters are its own. The baselines, calibrated on the log up to the fit, stand next to it.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{Audit, Drift, Observation, ParetoNbd, ParetoNbdParams, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let audit = Audit::new(model, "1997-09-30".parse()?);
/// let found = audit.run(&log, &Observation::until("1998-06-30".parse()?).in_weeks())?;
/// let january = &found.cohorts[0];
/// assert_eq!((january.born_from.to_string(), january.customers, january.actual_purchases), ("1997-01-01".to_owned(), 781, 522.0));
/// assert_eq!((january.drift, found.cohorts[1].drift, found.together.drift), (Drift::CannotTell, Drift::Above, Drift::Above));
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Audit {
    purchases: AnyPurchaseModel,
    spend: Option<GammaGamma>,
    fitted_until: Date,
    samples: u32,
    seed: u64,
    level: Level,
}

/// How a cohort's purchases compare with their forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Drift {
    /// As forecast: off by no more than 10 %, or by no more than chance, which would show a drift of 10 %.
    None,
    /// Within chance, of which there is so much that a drift of 10 % would not show: too few customers or too short a time.
    CannotTell,
    /// More was bought than forecast.
    Above,
    /// Less was bought than forecast.
    Below,
}

/// Customers born in one month, and what became of their forecast.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CohortDrift {
    /// The first day of the month.
    pub born_from: Date,
    /// How many they are.
    pub customers: u64,
    /// What they have bought since the fit.
    pub actual_purchases: f64,
    /// What was forecast.
    pub predicted_purchases: f64,
    /// Predicted over actual, less 1; `None` when nothing was bought.
    pub bias: Option<f64>,
    /// Actual less predicted, in standard deviations of chance by the model; `None` when it leaves nothing to chance.
    pub deviations: Option<f64>,
    /// The verdict.
    pub drift: Drift,
}

/// All cohorts taken together: many that are off the same way by less than chance do in one are off together.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JointDrift {
    /// What all have bought since the fit.
    pub actual_purchases: f64,
    /// What was forecast.
    pub predicted_purchases: f64,
    /// Predicted over actual, less 1; `None` when nothing was bought.
    pub bias: Option<f64>,
    /// Actual less predicted, in standard deviations of chance by the model: cohorts are independent, and their variances add up.
    pub deviations: Option<f64>,
    /// The sum of the squared deviations of the cohorts.
    pub chi_squared: f64,
    /// How many cohorts are in it.
    pub degrees_of_freedom: u64,
    /// The probability of so large a sum by chance alone, by a chi-squared distribution; `None` without a cohort in it.
    pub p_value: Option<f64>,
    /// The verdict on the total.
    pub drift: Drift,
}

/// What an audit found.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AuditReport {
    /// The same figures as of a back-test, in one run per group and method.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub report: BackTestReport,
    /// By month of the first purchase.
    pub cohorts: Vec<CohortDrift>,
    /// The cohorts together.
    pub together: JointDrift,
}

impl Audit {
    /// Of a model that was fitted to all up to the day `fitted_until`.
    #[must_use]
    pub fn new(purchases: impl Into<AnyPurchaseModel>, fitted_until: Date) -> Self {
        Audit { purchases: purchases.into(), spend: None, fitted_until, samples: SAMPLES, seed: 0, level: Level::default() }
    }

    /// Amounts are told by this model.
    #[must_use]
    pub fn spend(mut self, spend: impl Into<Option<GammaGamma>>) -> Self {
        self.spend = spend.into();
        self
    }

    /// Draws this many samples of the customers for the intervals of the figures, from this seed; of none there are no intervals.
    #[must_use]
    pub fn samples(mut self, samples: u32, seed: u64) -> Self {
        (self.samples, self.seed) = (samples, seed);
        self
    }

    /// Runs it on a log observed until the end of `observation`, in the unit of the model.
    ///
    /// # Errors
    /// When nothing has been observed since the fit, or a summary cannot be made ([`TransactionLog::summarize`]).
    pub fn run(&self, log: &TransactionLog, observation: &Observation) -> Result<AuditReport> {
        self.run_watched(log, observation, None)
    }

    /// The same, with somebody who watches how far it has come and may stop it.
    ///
    /// # Errors
    /// As for [`run`](Self::run), or when the work was stopped.
    pub fn run_watched(&self, log: &TransactionLog, observation: &Observation, watch: Option<&Watch<'_>>) -> Result<AuditReport> {
        let Some(first) = log.first_date() else { return Err(Error::data("there is no transaction to audit with")) };
        let (fitted_until, end) = (self.fitted_until, observation.end);
        if fitted_until < first || fitted_until >= end {
            return Err(Error::data(format!(
                "the model was fitted until {fitted_until}, and the log has transactions from {first}, observed until {end}: an audit needs what was known \
                 to the model and at least a day since; give the log with all from the beginning, and an observation end of {} or later",
                Date::from_days_since_1970(fitted_until.days_since_1970() + 1)?
            )));
        }
        let split = Split::new(fitted_until, end, first, end)?;
        let until_fit = Observation { end: fitted_until, ..*observation };
        let customers = log.summarize(&until_fit)?;
        let own = Candidate { name: self.purchases.name(), role: Role::Model, calibrated: Ok(self.purchases.into()) };
        let fit_nbd = || Candidate { name: Nbd::NAME, role: Role::Baseline, calibrated: model::fit(Nbd::NAME, &customers, None) };
        let nbd = (own.name != Nbd::NAME).then(fit_nbd);
        let models = [own].into_iter().chain(nbd).collect();
        let spend = self.spend.map(Ok);
        let prepared = Prepared::new(customers, until_fit, models, spend);
        let work = Work::new(1 + u64::from(self.samples), watch);
        let setting = Setting { scheme: AUDIT, first, samples: self.samples, seed: self.seed, level: self.level, last: 0 };
        let part = prepared.run(log, &setting, split, 0, &work)?;
        work.finish("the audit")?;
        let (cohorts, variances): (Vec<CohortDrift>, Vec<f64>) = prepared.drift(&self.purchases, log, split)?.into_iter().unzip();
        let together = JointDrift::of(&cohorts, sum(&variances));
        Ok(AuditReport { report: BackTestReport::of(vec![part], false, self.level), cohorts, together })
    }
}

impl AuditReport {
    /// The cohorts that drifted.
    pub fn drifted(&self) -> impl Iterator<Item = &CohortDrift> {
        self.cohorts.iter().filter(|cohort| cohort.drift.is_certain())
    }

    /// The report as JSON, with the cohorts next to the figures.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn to_json(&self) -> String {
        json(self)
    }
}

impl Drift {
    /// Whether there is a drift beyond 10 % and beyond chance.
    #[must_use]
    pub fn is_certain(self) -> bool {
        matches!(self, Drift::Above | Drift::Below)
    }

    fn of(actual: f64, predicted: f64, variance: f64) -> (Option<f64>, Self) {
        let deviations = ratio(1.0, variance.sqrt()).map(|per_deviation| (actual - predicted) * per_deviation);
        let matters = (actual - predicted).abs() > DRIFT * predicted.max(actual);
        let would_show = CHANCE * variance.sqrt() <= DRIFT * predicted;
        let drift = match deviations {
            Some(deviations) if matters && deviations > CHANCE => Drift::Above,
            Some(deviations) if matters && deviations < -CHANCE => Drift::Below,
            Some(deviations) if deviations.abs() <= CHANCE && !would_show => Drift::CannotTell,
            _ => Drift::None,
        };
        (deviations, drift)
    }
}

impl CohortDrift {
    pub(super) fn new(born_from: Date, customers: u64, actual: f64, predicted: f64, variance: f64) -> Self {
        let bias = ratio(predicted, actual).map(|ratio| ratio - 1.0);
        let (deviations, drift) = Drift::of(actual, predicted, variance);
        CohortDrift { born_from, customers, actual_purchases: actual, predicted_purchases: predicted, bias, deviations, drift }
    }
}

impl JointDrift {
    /// Whether the cohorts together are off beyond chance: in total, or by more than they may scatter about it.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.drift.is_certain() || self.scatters()
    }

    /// Whether cohorts are off, this way or that, by more than chance does once in a hundred times.
    #[must_use]
    pub fn scatters(&self) -> bool {
        self.p_value.is_some_and(|p| p < ONCE_IN_A_HUNDRED)
    }

    fn of(cohorts: &[CohortDrift], variance: f64) -> Self {
        let total = |of: fn(&CohortDrift) -> f64| sum(&cohorts.iter().map(of).collect::<Vec<_>>());
        let (actual, predicted) = (total(|cohort| cohort.actual_purchases), total(|cohort| cohort.predicted_purchases));
        let squares: Vec<f64> = cohorts.iter().filter_map(|cohort| cohort.deviations).map(|deviations| deviations * deviations).collect();
        let chi_squared = sum(&squares);
        let (deviations, drift) = Drift::of(actual, predicted, variance);
        JointDrift {
            actual_purchases: actual,
            predicted_purchases: predicted,
            bias: ratio(predicted, actual).map(|ratio| ratio - 1.0),
            deviations,
            chi_squared,
            degrees_of_freedom: squares.len() as u64,
            p_value: ChiSquared::new(squares.len() as f64).ok().map(|by_chance| by_chance.sf(chi_squared)),
            drift,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_beyond_chance_and_of_some_size() {
        let drift = |actual, predicted, variance| CohortDrift::new(Date::new(2026, 1, 1).unwrap(), 100, actual, predicted, variance);
        // 30 more than 100, of a standard deviation of 10; of 20; 8 more, of 1.
        assert_eq!(drift(130.0, 100.0, 100.0).drift, Drift::Above);
        // Of 20 it may be chance, and a drift of 10 % would not show.
        assert_eq!(drift(130.0, 100.0, 400.0).drift, Drift::CannotTell);
        assert_eq!(drift(101.0, 100.0, 9.0).drift, Drift::None);
        assert_eq!(drift(108.0, 100.0, 1.0).drift, Drift::None);
        assert_eq!(drift(60.0, 100.0, 100.0).drift, Drift::Below);
        assert_eq!(drift(130.0, 100.0, 100.0).deviations, Some(3.0));
        let nothing = drift(0.0, 0.0, 0.0);
        assert_eq!((nothing.bias, nothing.deviations, nothing.drift), (None, None, Drift::None));
    }
    #[test]
    fn many_cohorts_that_are_off_a_little_are_off_together() {
        let cohort = |actual| CohortDrift::new(Date::new(2026, 1, 1).unwrap(), 10, actual, 8.0, 16.0);
        // Six cohorts, each 1.5 standard deviations of 4 below: sqrt(6) x 1.5 together, and 6 x 2.25.
        let low: Vec<CohortDrift> = (0..6).map(|_| cohort(2.0)).collect();
        assert!(low.iter().all(|cohort| cohort.drift == Drift::CannotTell));
        let together = JointDrift::of(&low, 6.0 * 16.0);
        assert_eq!((together.actual_purchases, together.predicted_purchases, together.bias), (12.0, 48.0, Some(3.0)));
        approx::assert_relative_eq!(together.deviations.unwrap(), -1.5 * 6_f64.sqrt(), max_relative = 1e-12);
        assert_eq!((together.chi_squared, together.degrees_of_freedom, together.drift), (13.5, 6, Drift::Below));
        // Up and down as much: the total agrees, and nobody can tell; twice as much is beyond chance.
        let balanced = [cohort(2.0), cohort(14.0)];
        let together = JointDrift::of(&balanced, 32.0);
        assert_eq!((together.drift, together.is_certain()), (Drift::CannotTell, false));
        let apart = [cohort(0.0), cohort(16.0), cohort(0.0), cohort(16.0)];
        // 16 with 4 degrees: p = 0.00302.
        let together = JointDrift::of(&apart, 64.0);
        approx::assert_relative_eq!(together.p_value.unwrap(), 0.003_019_163_651_122_607, max_relative = 1e-9);
        assert!(together.scatters() && !together.drift.is_certain());
        let nobody = JointDrift::of(&[], 0.0);
        assert_eq!((nobody.deviations, nobody.p_value, nobody.is_certain()), (None, None, false));
    }
}
