//! The model that gave what came the highest probability, at cuts of the past.

use super::outcome::{BackTestReport, Role};
use super::run::BackTest;
use super::scheme::Scheme;
use super::sums::{ratio, sum};
use crate::data::{Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Prior;

/// A model chosen by its log score at cuts of the past.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{Choice, Observation, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let choice = Choice::by_log_score(&log, &Observation::until("1998-06-30".parse()?).in_weeks(), None)?;
/// assert_eq!((choice.model, choice.cuts, choice.days), ("pareto-nbd", 4, 63));
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The model.
    pub model: &'static str,
    /// The mean log score of each model that could be fitted at every cut, the best first.
    pub log_scores: Vec<(&'static str, f64)>,
    /// The number of cuts.
    pub cuts: u64,
    /// The days of each holdout.
    pub days: i32,
}

impl Choice {
    /// Back-tests all models at four cuts over the second half of the log ([`Scheme::rolling_over`]) and takes the one with the best log score.
    ///
    /// # Errors
    /// When the log is too short, or no model can be fitted at every cut.
    pub fn by_log_score(log: &TransactionLog, observation: &Observation, prior: Option<Prior>) -> Result<Self> {
        let Some(first) = log.first_date() else { return Err(Error::data("there is no transaction to choose a model by")) };
        let test = BackTest::new(Scheme::rolling_over(first, observation.end)?).with_spend_model(false).samples(0, 0).prior(prior);
        let report = test.run(log, observation)?;
        let log_scores = report.log_scores();
        let Some((model, _)) = log_scores.first() else { return Err(Error::fit("no model could be fitted at every cut")) };
        let splits = || report.find(model, report.held_out()).map(|run| run.split);
        Ok(Choice { model, cuts: splits().count() as u64, days: splits().next().map_or(0, |split| split.days()), log_scores })
    }
}

impl BackTestReport {
    /// The log score of each model asked about that has one at every cut, averaged over the cuts; the best first.
    #[must_use]
    pub fn log_scores(&self) -> Vec<(&'static str, f64)> {
        let mut of_models: Vec<(&'static str, Vec<f64>)> = Vec::new();
        for run in self.runs.iter().filter(|run| run.role == Role::Model && run.group == self.held_out()) {
            let score = run.metrics.log_score;
            match of_models.iter_mut().find(|(model, _)| *model == run.model) {
                Some((_, scores)) => scores.extend(score),
                None => of_models.push((run.model, score.into_iter().collect())),
            }
        }
        let cuts = of_models.iter().map(|(_, scores)| scores.len()).max().unwrap_or_default();
        of_models.retain(|(_, scores)| scores.len() == cuts);
        let mean = |(model, scores): (&'static str, Vec<f64>)| Some((model, ratio(sum(&scores), scores.len() as f64)?));
        let mut means: Vec<(&'static str, f64)> = of_models.into_iter().filter_map(mean).collect();
        means.sort_by(|one, other| one.1.total_cmp(&other.1));
        means
    }
}
