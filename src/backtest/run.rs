//! Models and baselines side by side, at every cut, for every group of customers.

use super::model;
use super::outcome::{BackTestReport, Group, Role};
use super::prepared::{Candidate, Part, Prepared, Setting};
use super::scheme::Scheme;
use super::split::Split;
use super::totals::totals;
use super::verdict::verdicts;
use crate::data::{Observation, TransactionLog};
use crate::error::{Error, ErrorKind, Result};
use crate::fit::{Level, Prior, Watch, Work};
use crate::models::{AnyPurchaseModel, Estimable, Nbd};
use crate::parallel::map_indices;

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
    with_spend_model: bool,
    samples: u32,
    seed: u64,
    level: Level,
}

/// Samples of the customers behind each interval, unless told otherwise.
pub(super) const SAMPLES: u32 = 200;

impl BackTest {
    /// All models and all baselines, with intervals from 200 samples of the customers.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        BackTest {
            scheme,
            models: AnyPurchaseModel::NAMES.to_vec(),
            prior: None,
            with_spend_model: true,
            samples: SAMPLES,
            seed: 0,
            level: Level::default(),
        }
    }

    /// These models instead of all, in this order. The baselines are always there, NBD among them when it is not named.
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

    /// Whether amounts are also told by the Gamma-Gamma model, as they are unless told otherwise; by each customer's own average they always are.
    #[must_use]
    pub fn with_spend_model(mut self, with_spend_model: bool) -> Self {
        self.with_spend_model = with_spend_model;
        self
    }

    /// Draws this many samples of the customers for the intervals of the figures, from this seed; of none there are no intervals. The same seed gives the same
    /// intervals, whatever the number of threads.
    #[must_use]
    pub fn samples(mut self, samples: u32, seed: u64) -> Self {
        (self.samples, self.seed) = (samples, seed);
        self
    }

    /// The share that the intervals of the figures, and of the tracking, are meant to cover; 90 % unless told otherwise.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Runs it on a log observed until the end of `observation`.
    ///
    /// # Errors
    /// When the scheme does not fit into the data ([`Scheme::splits`]), when a summary cannot be made ([`TransactionLog::summarize`]), when nobody is
    /// calibrated on or held out, or when no model could be fitted at any cut.
    pub fn run(&self, log: &TransactionLog, observation: &Observation) -> Result<BackTestReport> {
        self.run_watched(log, observation, None)
    }

    /// The same, with somebody who watches how far it has come and may stop it.
    ///
    /// # Errors
    /// As for [`run`](Self::run), or when the work was stopped.
    pub fn run_watched(&self, log: &TransactionLog, observation: &Observation, watch: Option<&Watch<'_>>) -> Result<BackTestReport> {
        let Some(first) = log.first_date() else { return Err(Error::data("there is no transaction to back-test on")) };
        let splits = self.scheme.splits(first, observation.end)?;
        let splits_in_all = splits.len() as u64;
        let work = Work::new(splits_in_all * (1 + u64::from(self.samples)), watch);
        let calibrations: Vec<&[Split]> = splits.chunk_by(Split::shares_calibration).collect();
        let parts = map_indices(calibrations.len(), |index| {
            let splits = calibrations[index];
            let until_cut = Observation { end: splits[0].cut(), ..*observation };
            let at_cut = |error: Error| error.at(format!("cut {}", splits[0].cut()));
            let prepared = self.prepare(log, until_cut, splits[0]).map_err(at_cut)?;
            let last = splits_in_all - 1;
            let setting = Setting { scheme: self.scheme.name(), first, samples: self.samples, seed: self.seed, level: self.level, last };
            let before: usize = calibrations[..index].iter().map(|splits| splits.len()).sum();
            (before..)
                .zip(splits)
                .map(|(place, &split)| prepared.run(log, &setting, split, place as u64, &work))
                .collect::<Result<Vec<Part>>>()
        });
        let parts: Vec<Part> = parts.into_iter().collect::<Result<Vec<Vec<Part>>>>()?.into_iter().flatten().collect();
        work.finish("the back-test")?;
        let report = BackTestReport::of(parts, self.scheme.rolls(), self.level);
        match report.failures.iter().find(|failure| self.models.contains(&failure.model)) {
            Some(failure) if !report.runs.iter().any(|run| self.models.contains(&run.model)) => {
                Err(Error::new(ErrorKind::Fit, format!("no model could be fitted at any cut: {}", failure.message))
                    .at(format!("cut {}", failure.split.cut())))
            }
            _ => Ok(report),
        }
    }

    /// Fits everything to what was known at a cut.
    fn prepare(&self, log: &TransactionLog, until_cut: Observation, split: Split) -> Result<Prepared> {
        let customers = split.calibrated_on(log.summarize(&until_cut)?)?;
        let asked = self.models.iter().map(|&name| (name, Role::Model));
        let nbd = Some((Nbd::NAME, Role::Baseline)).filter(|_| !self.models.contains(&Nbd::NAME));
        let names: Vec<(&'static str, Role)> = asked.chain(nbd).collect();
        let spend = self.with_spend_model.then(|| model::fit_spend(&customers, self.prior));
        let fits = map_indices(names.len(), |index| model::fit(names[index].0, &customers, self.prior));
        let models = names.into_iter().zip(fits).map(|((name, role), calibrated)| Candidate { name, role, calibrated }).collect();
        Ok(Prepared::new(customers, until_cut, models, spend))
    }
}

impl BackTestReport {
    /// Of what was found at the splits, in their order.
    pub(super) fn of(parts: Vec<Part>, rolls: bool, level: Level) -> Self {
        let mut report = BackTestReport::without_runs();
        for part in parts {
            report.runs.extend(part.runs);
            report.differences.extend(part.differences);
            report.failures.extend(part.failures);
            report.tracking.extend(part.tracking);
        }
        (report.totals, report.shocks) = totals(&report.runs, rolls);
        report.verdicts = verdicts(&report.runs, &report.differences, level);
        report
    }

    /// The group that is held out: the customers known at the cut, or those of the newer cohorts.
    #[must_use]
    pub fn held_out(&self) -> Group {
        self.runs.first().map_or(Group::KnownAtCut, |run| run.group)
    }
}
