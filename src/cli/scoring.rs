//! Scores of many customers with their intervals: the table of `score` and `run`.

use std::path::Path;

use super::args::Intervals;
use super::console::Console;
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
        let with_intervals = !wanted.no_intervals && !definition.horizon.is_lifetime();
        say_of_intervals(model, &forecaster, definition, wanted, with_intervals, console);
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

    /// Scores customers.
    pub(super) fn score(&self, customers: &Customers, watch: Option<&Watch<'_>>) -> Result<Scored<'a>> {
        let scores = self.expectations(customers)?;
        let intervals = self.intervals(customers, watch)?;
        Ok(self.scored(customers, scores, intervals))
    }

    /// The scores of customers without intervals: batches of those born in the log, and one by one those born before it.
    pub(super) fn expectations(&self, customers: &Customers) -> Result<Vec<Score>> {
        if !customers.has_born_before() {
            return self.batches.score_all(customers);
        }
        let mut complete = self.batches.score_all(&customers.where_birth(|birth| !is_before(birth))?)?.into_iter();
        let score = |row| {
            let complete = if is_before(customers.birth(row)) { None } else { complete.next() };
            complete.unwrap_or_else(|| self.batches.scorer().score_row(customers, row))
        };
        Ok((0..customers.len()).map(score).collect())
    }

    /// The intervals, if there are to be any.
    fn intervals(&self, customers: &Customers, watch: Option<&Watch<'_>>) -> Result<Vec<Option<ValueInterval>>> {
        if !self.with_intervals {
            return Ok(Vec::new());
        }
        let &Intervals { level, threshold, .. } = self.wanted;
        self.forecaster.value_intervals_by_birth(customers, level, threshold, watch)
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

    /// The total of customers with its uncertainty; `None` when there are no intervals.
    pub(super) fn total(&self, customers: &Customers, totals: &Totals, console: &Console) -> Result<Option<(Level, GroupForecast)>> {
        if !self.with_intervals {
            return Ok(None);
        }
        let busy = console.busy("total");
        if customers.has_born_before() {
            let total = self.forecaster.total_by_birth(customers, self.wanted.level, self.seed.unwrap_or(0))?;
            if total.as_ref().is_none_or(|total| total.clv.is_none() && self.forecaster.has_value_intervals()) {
                console.say(
                    "note: the total has no interval: some customers were born before the log, and all together are too few, or too unlike, for one; each of them \
                     has one of their own",
                );
            }
            return Ok(total.map(|total| (self.wanted.level, total)));
        }
        let replications = ((DRAWS / totals.customers.max(1.0)) as u32).clamp(FEWEST_REPLICATIONS, REPLICATIONS);
        let (everybody, level, seed) = (vec![0; customers.len()], self.wanted.level, self.seed.unwrap_or(0));
        let forecast = self.forecaster.groups(customers, &everybody, level, replications, seed, Some(&busy.watch()))?;
        Ok(forecast.into_iter().next().map(|total| (level, total)))
    }
}

/// Says why there are no intervals of value, or what they take as known, of customers known by whatever counts or purchases.
pub(super) fn say_of_intervals(
    model: &ModelFile,
    forecaster: &Forecaster<AnyPurchaseModel>,
    definition: &ClvDefinition,
    wanted: &Intervals,
    with_intervals: bool,
    console: &Console,
) {
    if model.spend().is_none() && wanted.threshold.is_some() {
        console.say("note: without a spend model there is no CLV to exceed a threshold; p_clv_above is empty");
    }
    if !wanted.no_intervals && model.spend().is_some() && forecaster.scorer().terms().has_costs() {
        console.say("note: there are no intervals with a cost to serve, which goes with what is bought and how long the customer stays");
    } else if !wanted.no_intervals && model.spend().is_some() && !forecaster.has_value_intervals() {
        console.say(&format!(
            "note: there are no intervals for a horizon of {} at a discount of {}: they need an end, and money that keeps four fifths of its worth until \
             then (two years at 10 %)",
            definition.horizon,
            percent(definition.annual_discount.annual_rate())
        ));
    }
    let open = [NoticeKind::AtBoundary, NoticeKind::FlatRidge];
    let mut records = [Some(model.purchases()), model.spend()].into_iter().flatten();
    let is_open =
        |record: &FitRecord| record.notices().iter().any(|notice| open.contains(&notice.kind)) || record.parameter_distribution().is_none();
    if with_intervals && records.any(is_open) {
        console.say(
            "note: the data leave parameters of a model open (it ended at a bound, or on a ridge); the intervals take what is open as known, or as nearly \
             normal, and may be too narrow",
        );
    }
}

/// The day from which the horizon counts: the last one on which the customers were seen, or else that of the model. Says where that is before the model's.
pub(super) fn horizon_start(own: Option<Date>, model: &ModelFile, console: &Console) -> Option<Date> {
    if let (Some(own), Some(fitted)) = (own, model.observation_end())
        && own < fitted
    {
        console.say(&format!(
            "note: the customers are seen until {own}, and the model was fitted to data until {fitted}: it knows what came after {own}, so that these scores are \
             no forecast that could have been made then"
        ));
    }
    own.or(model.observation_end())
}

fn is_before(birth: Birth) -> bool {
    matches!(birth, Birth::Before(_))
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
