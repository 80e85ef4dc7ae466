//! Scores of many customers with their intervals: the table of `score` and `run`.

use super::args::Intervals;
use super::output::Console;
use crate::data::Customers;
use crate::error::Result;
use crate::fit::Level;
use crate::io::{Table, Values};
use crate::models::NoticeKind;
use crate::report::format::percent;
use crate::score::{ClvDefinition, GroupForecast, ModelFile, Score, Totals, ValueInterval};
use crate::time::Date;

/// Replications of the simulation of the total, and the draws of customers after which fewer have to do.
const REPLICATIONS: u32 = 1000;
const FEWEST_REPLICATIONS: u32 = 200;
const DRAWS: f64 = 3e7;

/// What is known of the value of every customer, and of all together.
pub(super) struct Scored {
    pub(super) scores: Vec<Score>,
    pub(super) totals: Totals,
    /// The total with its uncertainty; `None` when no intervals were asked for, or there are none for a lifetime.
    pub(super) forecast: Option<(Level, GroupForecast)>,
    intervals: Vec<Option<ValueInterval>>,
    threshold: Option<f64>,
}

/// Scores customers by a model file.
pub(super) fn score(
    model: &ModelFile,
    definition: &ClvDefinition,
    end: Option<Date>,
    customers: &Customers,
    wanted: &Intervals,
    seed: Option<u64>,
    console: &Console,
) -> Result<Scored> {
    let forecaster = model.forecaster_by(definition, end)?;
    let scores = forecaster.scorer().score_all(customers)?;
    let totals = Totals::of(customers, &scores);
    let threshold = wanted.threshold;
    if model.spend().is_none() && threshold.is_some() {
        console.say("note: without a spend model there is no CLV to exceed a threshold; p_clv_above is empty");
    }
    if !wanted.no_intervals && model.spend().is_some() && !forecaster.has_value_intervals() {
        console.say(&format!(
            "note: there are no intervals for a horizon of {} at a discount of {}: they need an end, and money that keeps four fifths of its worth until \
             then (two years at 10 %)",
            definition.horizon,
            percent(definition.annual_discount.annual_rate())
        ));
    }
    if wanted.no_intervals || definition.horizon.is_lifetime() {
        return Ok(Scored { intervals: vec![None; scores.len()], scores, totals, forecast: None, threshold });
    }
    let open = [NoticeKind::AtBoundary, NoticeKind::FlatRidge];
    let mut records = [Some(model.purchases()), model.spend()].into_iter().flatten();
    if records.any(|record| record.notices().iter().any(|notice| open.contains(&notice.kind)) || record.parameter_distribution().is_none())
    {
        console.say(
            "note: the data leave parameters of a model open (it ended at a bound, or on a ridge); the intervals take what is open as known, or as nearly \
             normal, and may be too narrow",
        );
    }
    let intervals = {
        let busy = console.busy("intervals");
        forecaster.value_intervals(customers, wanted.level, threshold, Some(&busy.watch()))?
    };
    let busy = console.busy("total");
    let replications = ((DRAWS / totals.customers.max(1.0)) as u32).clamp(FEWEST_REPLICATIONS, REPLICATIONS);
    let everybody = vec![0; customers.len()];
    let forecast = forecaster.groups(customers, &everybody, wanted.level, replications, seed.unwrap_or(0), Some(&busy.watch()))?;
    let forecast = forecast.into_iter().next().map(|total| (wanted.level, total));
    Ok(Scored { scores, totals, forecast, intervals, threshold })
}

impl Scored {
    /// The table of scores, one row per customer, in the order of the summary.
    pub(super) fn table<'a>(&self, customers: &'a Customers) -> Result<Table<'a>> {
        let number = |of: fn(&Score) -> f64| Values::Number(self.scores.iter().map(of).collect());
        let optional = |of: fn(&Score) -> Option<f64>| Values::Optional(self.scores.iter().map(of).collect());
        let interval = |of: fn(&ValueInterval) -> Option<f64>| {
            Values::Optional(self.intervals.iter().map(|interval| interval.as_ref().and_then(of)).collect())
        };
        let status = |score: &Score| if score.clv.is_some() { "scored" } else { "no_spend_estimate" };
        let table = Table::new()
            .with("customer_id", Values::Text(customers.ids().collect()))?
            .with("frequency", Values::Count(customers.frequency().into()))?
            .with("recency", Values::Number(customers.recency().into()))?
            .with("age", Values::Number(customers.age().into()))?
            .with("p_alive", number(|score| score.p_alive))?
            .with("p_active", number(|score| score.p_active))?
            .with("expected_purchases", optional(|score| score.expected_purchases))?
            .with("expected_average_spend", optional(|score| score.expected_average_spend))?
            .with("clv", optional(|score| score.clv))?
            .with("clv_lower", interval(|interval| Some(interval.lower)))?
            .with("clv_upper", interval(|interval| Some(interval.upper)))?;
        let table = if self.threshold.is_some() { table.with("p_clv_above", interval(|interval| interval.p_above))? } else { table };
        table.with("status", Values::Text(self.scores.iter().map(status).collect()))
    }
}
