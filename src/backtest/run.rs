//! Models and baselines side by side, at every cut, for every group of customers.

use std::collections::BTreeMap;

use super::baselines::{Baseline, Calibration, Said};
use super::frequency::{FrequencyRow, by_frequency};
use super::metrics::{Metrics, sum};
use super::model;
use super::predicted::Predicted;
use super::scheme::{Scheme, Split};
use super::truth::{Holdout, Truth};
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, ErrorKind, Result};
use crate::fit::Prior;
use crate::models::AnyPurchaseModel;

/// A back-test: each model is fitted to what was known at a cut, and its forecast held against what came after it, next to rules of thumb.
///
/// The calibration is the log summarised up to the cut, by the same rules as ever: nothing that happened later has any influence on it.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BackTest, Group, Observation, Scheme, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let observation = Observation::until("1998-06-30".parse()?).in_weeks();
/// let scheme = Scheme::Holdout { cut: "1997-09-30".parse()?, horizon: "39 weeks".parse()? };
/// let report = BackTest::new(scheme).models(&["bg-nbd"])?.run(&log, &observation)?;
///
/// let run = report.find("bg-nbd", Group::KnownAtCut).next().unwrap();
/// assert_eq!((run.customers, run.actual_purchases), (2357, 1882.0));
/// assert_eq!(format!("{:.1}", run.predicted_purchases.unwrap()), "1653.4");
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct BackTest {
    scheme: Scheme,
    models: Vec<&'static str>,
    prior: Option<Prior>,
}

/// Whose purchases are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Group {
    /// Customers with a purchase up to the cut: those a forecast is made for.
    KnownAtCut,
    /// Customers whose first purchase is within the holdout. That and when they came is taken as given; it is their purchases after the first
    /// that are forecast and counted.
    AcquiredInHoldout,
    /// Both.
    All,
}

/// One forecast for one group of customers, and how it came out.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Run {
    /// `holdout` or `rolling`.
    pub scheme: &'static str,
    /// Until when was calibrated, and what for.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model or baseline.
    pub model: &'static str,
    /// The parameters of the model, or what the baseline chose, as calibrated.
    pub parameters: BTreeMap<&'static str, f64>,
    /// Whose purchases.
    pub group: Group,
    /// How many they are.
    pub customers: u64,
    /// What they bought within the holdout.
    pub actual_purchases: f64,
    /// What they spent in these purchases.
    pub actual_spend: f64,
    /// What was forecast; `None` of a baseline that needs a history for customers who have none.
    pub predicted_purchases: Option<f64>,
    /// How far off that was.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub metrics: Metrics,
    /// Actual and predicted purchases by calibration frequency, of the customers known at the cut; empty for other groups.
    pub by_frequency: Vec<FrequencyRow>,
}

/// A model or baseline that could not be calibrated at a cut.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FailedRun {
    /// `holdout` or `rolling`.
    pub scheme: &'static str,
    /// The split at which it failed.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model or baseline.
    pub model: &'static str,
    /// Why.
    pub message: String,
}

/// What a back-test found.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BackTestReport {
    /// The version of the file format.
    pub format: u32,
    /// By cut, then model, then group.
    pub runs: Vec<Run>,
    /// What could not be calibrated; the other runs stand all the same.
    pub failures: Vec<FailedRun>,
}

impl BackTest {
    /// All models and all baselines.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        BackTest { scheme, models: AnyPurchaseModel::NAMES.to_vec(), prior: None }
    }

    /// These models instead of all, in this order. The baselines are always there.
    ///
    /// # Errors
    /// When a name is not known, comes twice, or there is none.
    pub fn models(mut self, names: &[impl AsRef<str>]) -> Result<Self> {
        self.models.clear();
        for name in names {
            let name = name.as_ref();
            AnyPurchaseModel::parameters_of(name)?;
            if self.models.contains(&name) {
                return Err(Error::parameter(format!("the model {name:?} is named twice; once is enough")));
            }
            self.models.extend(AnyPurchaseModel::NAMES.iter().find(|&&known| known == name));
        }
        if self.models.is_empty() {
            return Err(Error::parameter(format!("no model is named; they are {}", AnyPurchaseModel::NAMES.join(", "))));
        }
        Ok(self)
    }

    /// Fits with a prior on the parameters, for small samples; `None` is plain maximum likelihood.
    #[must_use]
    pub fn prior(mut self, prior: impl Into<Option<Prior>>) -> Self {
        self.prior = prior.into();
        self
    }

    /// Runs it on a log observed until the end of `observation`.
    ///
    /// # Errors
    /// When the scheme does not fit into the data ([`Scheme::splits`]), when a summary cannot be made ([`TransactionLog::summarize`]), or when no
    /// model could be fitted at any cut.
    pub fn run(&self, log: &TransactionLog, observation: &Observation) -> Result<BackTestReport> {
        let Some(first) = log.first_date() else { return Err(Error::data("there is no transaction to back-test on")) };
        let mut report = BackTestReport::without_runs();
        for split in self.scheme.splits(first, observation.end)? {
            self.run_at(split, &mut report, log, Observation { end: split.cut(), ..*observation })?;
        }
        match report.failures.iter().find(|failure| self.models.contains(&failure.model)) {
            Some(failure) if !report.runs.iter().any(|run| self.models.contains(&run.model)) => {
                Err(Error::new(ErrorKind::Fit, format!("no model could be fitted at any cut: {}", failure.message))
                    .at(format!("cut {}", failure.split.cut())))
            }
            _ => Ok(report),
        }
    }

    fn run_at(&self, split: Split, report: &mut BackTestReport, log: &TransactionLog, until_cut: Observation) -> Result<()> {
        let customers = log.summarize(&until_cut).map_err(|error| error.at(format!("cut {}", split.cut())))?;
        let truth = Truth::of(log, &until_cut, &split, &customers)?;
        let ages: Vec<f64> = truth.acquired.iter().map(|customer| customer.age).collect();
        let first = log.first_date().unwrap_or(split.cut());
        let seen = Calibration { log, first, observation: until_cut, customers: &customers, split };
        let length = split.length(until_cut.unit);
        let models = self.models.iter().map(|&name| {
            let said = model::fit(name, &customers, self.prior).map(|calibrated| Forecast {
                known: model::known(&calibrated.model, &customers, length, &truth.known),
                acquired: Some(model::acquired(&calibrated.model, &truth.acquired)),
                parameters: calibrated.parameters.into_iter().collect(),
            });
            (name, said)
        });
        let baselines = Baseline::ALL.iter().map(|baseline| (baseline.name(), baseline.forecast(&seen, &ages).map(Forecast::from)));
        for (name, forecast) in models.chain(baselines) {
            match forecast {
                Ok(forecast) => self.add(report, split, name, &forecast, &customers, &truth),
                Err(error) => {
                    report.failures.push(FailedRun { scheme: self.scheme.name(), split, model: name, message: error.to_string() });
                }
            }
        }
        Ok(())
    }

    fn add(
        &self,
        report: &mut BackTestReport,
        split: Split,
        name: &'static str,
        forecast: &Forecast,
        customers: &Customers,
        truth: &Truth,
    ) {
        let acquired: Vec<Holdout> = truth.acquired.iter().map(|customer| customer.holdout).collect();
        let all = [truth.known.as_slice(), &acquired].concat();
        let of_all = forecast.acquired.as_ref().map(|acquired| forecast.known.and(acquired));
        let groups = [
            (Group::KnownAtCut, truth.known.as_slice(), Some(&forecast.known)),
            (Group::AcquiredInHoldout, &acquired, forecast.acquired.as_ref()),
            (Group::All, &all, of_all.as_ref()),
        ];
        for (group, came, predicted) in groups {
            let actual: Vec<f64> = came.iter().map(|customer| customer.purchases as f64).collect();
            let by_frequency = match (group, predicted) {
                (Group::KnownAtCut, Some(predicted)) => by_frequency(customers, &actual, &predicted.purchases),
                _ => Vec::new(),
            };
            report.runs.push(Run {
                scheme: self.scheme.name(),
                split,
                model: name,
                parameters: forecast.parameters.clone(),
                group,
                customers: came.len() as u64,
                actual_purchases: sum(&actual),
                actual_spend: came.iter().fold(0.0, |sum, customer| sum + customer.spend),
                predicted_purchases: predicted.map(|predicted| sum(&predicted.purchases)),
                metrics: predicted.map_or_else(Metrics::default, |predicted| predicted.metrics(&actual)),
                by_frequency,
            });
        }
    }
}

/// What a model or baseline says at a cut.
#[derive(Debug, Clone)]
struct Forecast {
    known: Predicted,
    acquired: Option<Predicted>,
    parameters: BTreeMap<&'static str, f64>,
}

impl From<Said> for Forecast {
    fn from(said: Said) -> Self {
        Forecast { known: said.known, acquired: said.acquired, parameters: said.parameter.into_iter().collect() }
    }
}

impl BackTestReport {
    /// Of a back-test that could not be made.
    pub(crate) fn without_runs() -> Self {
        BackTestReport { format: 1, runs: Vec::new(), failures: Vec::new() }
    }

    /// The runs of a model or baseline for a group, in order of their cuts.
    pub fn find<'a>(&'a self, model: &'a str, group: Group) -> impl Iterator<Item = &'a Run> {
        self.runs.iter().filter(move |run| run.model == model && run.group == group)
    }

    /// The report as JSON (`backtest.json`): ratios are fractions, and what is undefined is null.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data with text keys");
        text.push('\n');
        text
    }
}
