//! Scores of many customers with their intervals: the table of `score` and `run`.

use std::path::Path;

use super::args::Intervals;
use super::output::Console;
use super::standing::Standing;
use crate::data::{Birth, Customers};
use crate::error::Result;
use crate::fit::{Level, Watch};
use crate::io::{Table, score_table};
use crate::models::{AnyPurchaseModel, NoticeKind};
use crate::report::format::percent;
use crate::score::{
    BatchScorer, ClvDefinition, FitRecord, Forecaster, GroupForecast, ModelFile, Score, ScoreStatus, Scorer, Totals, ValueInterval,
    score_status,
};
use crate::time::Date;

/// Replications of the simulation of the total, and the draws of customers after which fewer have to do.
const REPLICATIONS: u32 = 1000;
const FEWEST_REPLICATIONS: u32 = 200;
const DRAWS: f64 = 3e7;

/// How customers are scored: by which models, and with which intervals.
pub(super) struct Scoring<'a> {
    model: AnyPurchaseModel,
    forecaster: Forecaster<AnyPurchaseModel>,
    batches: BatchScorer<AnyPurchaseModel>,
    standing: Option<Standing<'a>>,
    wanted: &'a Intervals,
    /// Whether intervals are wanted, and the horizon has an end.
    with_intervals: bool,
    seed: Option<u64>,
}

/// What is known of the value of some customers.
pub(super) struct Scored<'a> {
    pub(super) scores: Vec<Score>,
    standing: Vec<Option<(&'a str, u8)>>,
    intervals: Vec<Option<ValueInterval>>,
    pub(super) statuses: Vec<ScoreStatus>,
    prior_weights: Vec<f64>,
    threshold: Option<f64>,
}

impl<'a> Scoring<'a> {
    /// By a model file. What is to be said of the intervals is said.
    pub(super) fn new(
        model: &'a ModelFile,
        definition: &ClvDefinition,
        end: Option<Date>,
        wanted: &'a Intervals,
        bands_before: Option<&Path>,
        seed: Option<u64>,
        console: &Console,
    ) -> Result<Self> {
        let forecaster = model.forecaster_by(definition, end)?;
        let standing = match (Standing::of(model, definition, console), bands_before) {
            (Some(standing), Some(path)) => Some(standing.moving_from(path, &forecaster)?),
            (standing, _) => standing,
        };
        if model.spend().is_none() && wanted.threshold.is_some() {
            console.say("note: without a spend model there is no CLV to exceed a threshold; p_clv_above is empty");
        }
        if !wanted.no_intervals && model.spend().is_some() && forecaster.scorer().terms().has_costs() {
            console
                .say("note: there are no intervals with a cost to serve, which goes with what is bought and how long the customer stays");
        } else if !wanted.no_intervals && model.spend().is_some() && !forecaster.has_value_intervals() {
            console.say(&format!(
                "note: there are no intervals for a horizon of {} at a discount of {}: they need an end, and money that keeps four fifths of its worth until \
                 then (two years at 10 %)",
                definition.horizon,
                percent(definition.annual_discount.annual_rate())
            ));
        }
        let with_intervals = !wanted.no_intervals && !definition.horizon.is_lifetime();
        let open = [NoticeKind::AtBoundary, NoticeKind::FlatRidge];
        let mut records = [Some(model.purchases()), model.spend()].into_iter().flatten();
        let is_open = |record: &FitRecord| {
            record.notices().iter().any(|notice| open.contains(&notice.kind)) || record.parameter_distribution().is_none()
        };
        if with_intervals && records.any(is_open) {
            console.say(
                "note: the data leave parameters of a model open (it ended at a bound, or on a ridge); the intervals take what is open as known, or as nearly \
                 normal, and may be too narrow",
            );
        }
        let batches = forecaster.scorer().in_batches();
        Ok(Scoring { model: *model.purchase_model(), forecaster, batches, standing, wanted, with_intervals, seed })
    }

    /// Whether there will be intervals.
    pub(super) fn with_intervals(&self) -> bool {
        self.with_intervals
    }

    /// The scorer of the expectations.
    pub(super) fn scorer(&self) -> &Scorer<AnyPurchaseModel> {
        self.forecaster.scorer()
    }

    /// Scores customers. Those born before the log have no intervals.
    pub(super) fn score(&self, customers: &Customers, watch: Option<&Watch<'_>>) -> Result<Scored<'a>> {
        let is_before = |birth: Birth| matches!(birth, Birth::Before(_));
        if !customers.has_born_before() {
            let (scores, intervals) = self.score_complete(customers, watch)?;
            return Ok(self.scored(customers, scores, intervals));
        }
        let complete = customers.where_birth(|birth| !is_before(birth))?;
        let (scores, intervals) = self.score_complete(&complete, watch)?;
        let (mut scores, mut intervals) = (scores.into_iter(), intervals.into_iter());
        let rows = (0..customers.len()).map(|row| {
            let complete =
                if is_before(customers.birth(row)) { None } else { scores.next().map(|score| (score, intervals.next().flatten())) };
            complete.unwrap_or_else(|| (self.batches.scorer().score_row(customers, row), None))
        });
        let (scores, intervals) = rows.unzip();
        Ok(self.scored(customers, scores, intervals))
    }

    /// With what became of each customer and, where the model has limits, the band and the place.
    fn scored(&self, customers: &Customers, scores: Vec<Score>, intervals: Vec<Option<ValueInterval>>) -> Scored<'a> {
        let status = |(row, score): (usize, &Score)| {
            score_status(score, customers.birth(row), self.model.is_prior_dominated(customers.exposure(row)))
        };
        let statuses = scores.iter().enumerate().map(status).collect();
        let prior_weights = (0..customers.len()).map(|row| self.model.prior_weight(customers.exposure(row))).collect();
        let standing = self.standing.as_ref().map_or_else(Vec::new, |standing| standing.places(customers, &scores, &self.forecaster));
        Scored { scores, standing, intervals, statuses, prior_weights, threshold: self.wanted.threshold }
    }

    /// Scores of customers none of whom is born before the log, and their intervals, if there are to be any.
    fn score_complete(&self, customers: &Customers, watch: Option<&Watch<'_>>) -> Result<(Vec<Score>, Vec<Option<ValueInterval>>)> {
        let scores = self.batches.score_all(customers)?;
        let &Intervals { level, threshold, .. } = self.wanted;
        let intervals = if self.with_intervals { self.forecaster.value_intervals(customers, level, threshold, watch)? } else { Vec::new() };
        Ok((scores, intervals))
    }

    /// The total of customers with its uncertainty; `None` when there are no intervals.
    pub(super) fn total(&self, customers: &Customers, totals: &Totals, console: &Console) -> Result<Option<(Level, GroupForecast)>> {
        if !self.with_intervals {
            return Ok(None);
        }
        if customers.has_born_before() {
            console.say("note: there are no intervals for customers who were born before the log, and so none for the total");
            return Ok(None);
        }
        let busy = console.busy("total");
        let replications = ((DRAWS / totals.customers.max(1.0)) as u32).clamp(FEWEST_REPLICATIONS, REPLICATIONS);
        let (everybody, level, seed) = (vec![0; customers.len()], self.wanted.level, self.seed.unwrap_or(0));
        let forecast = self.forecaster.groups(customers, &everybody, level, replications, seed, Some(&busy.watch()))?;
        Ok(forecast.into_iter().next().map(|total| (level, total)))
    }
}

impl<'a> Scored<'a> {
    /// The table of scores, one row per customer, in the order of the summary.
    pub(super) fn table<'b>(&self, customers: &'b Customers) -> Result<Table<'b>>
    where
        'a: 'b,
    {
        let above = self.threshold.is_some();
        score_table(customers, &self.scores, &self.intervals, above, &self.statuses, &self.prior_weights, Some(&self.standing))
    }
}
