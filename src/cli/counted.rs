//! `clv fit --counts` and `clv score --counts`: customers of whom numbers of purchases per period are known.

use clap::ValueEnum;

use super::args::{AUTO, Intervals, Models};
use super::console::Console;
use super::failure::{Failure, Outcome};
use super::input::Input;
use super::scoring::{horizon_start, say_of_intervals};
use crate::data::{Censored, CensoredCustomers, CountedCustomers, CrossSection, PeriodCounts, SpendBasis, grouped};
use crate::error::Result;
use crate::fit::{Estimator, Prior};
use crate::io::{CountsRead, SummaryOptions, Table, counted_score_table};
use crate::models::{AnyPurchaseModel, BgNbd, CensoredLikelihood, Estimable, MbgNbd, ParetoNbd, SeenThrough};
use crate::report::terminal;
use crate::score::{
    ClvDefinition, Coverage, DataRecord, FitRecord, KnownBirths, ModelFile, Score, ScoreStatus, SeenAs, Totals, ValueInterval,
};
use crate::time::Date;

/// What stands in a table of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Counts {
    /// A row for every customer and period
    PerPeriod,
    /// Numbers of customers of a cohort, by number of purchases and period
    Histograms,
}

/// Flags that are about amounts, single purchases or a log, and say nothing of counts.
pub(super) const WITHOUT_MEANING: [&str; 11] = [
    "date_column",
    "amount_column",
    "decimal",
    "bad_rows",
    "max_skipped",
    "refunds",
    "duplicates",
    "merge",
    "acquired",
    "run_in",
    "first_seen_is_new",
];

/// Those of them that a fit alone has.
pub(super) const WITHOUT_MEANING_IN_A_FIT: [&str; 6] = ["bands", "band_by", "band_limits", "band_confidence", "bands_from", "spend_basis"];

/// Fits a purchase model to counts.
pub(super) fn fit(counts: Counts, models: &Models, input: &Input<'_>, definition: ClvDefinition, console: &Console) -> Outcome<ModelFile> {
    let (name, options) = (models.model.as_str(), options(input));
    check_model(counts, name)?;
    let (record, rows, customers, fingerprint, end) = match counts {
        Counts::PerPeriod => {
            let read = read(input, &options, console)?;
            let customers = read.counted.customers();
            let _busy = console.busy(&format!("fitting {name}"));
            let record = match name {
                BgNbd::NAME => record::<BgNbd, PeriodCounts>(customers, models.prior()),
                MbgNbd::NAME => record::<MbgNbd, PeriodCounts>(customers, models.prior()),
                _ => record::<ParetoNbd, PeriodCounts>(customers, models.prior()),
            };
            (record?, read.rows, read.customers, read.fingerprint, customers.observation_end())
        }
        Counts::Histograms => {
            let read = {
                let _busy = console.busy(&format!("reading {}", input.name()));
                CountsRead::histograms(&input.files, &options)?
            };
            let _busy = console.busy(&format!("fitting {name}"));
            let record = record::<ParetoNbd, CrossSection>(&read.counted, models.prior())?;
            (record, read.rows, read.customers, read.fingerprint, read.counted.observation_end())
        }
    };
    let seen_as = match counts {
        Counts::PerPeriod => SeenAs::PeriodCounts,
        Counts::Histograms => SeenAs::Histograms,
    };
    let data = DataRecord { rows, customers, fingerprint, spend_basis: SpendBasis::default(), cleaning: None };
    let model = ModelFile::new(input.unit, end, record, None, definition, data)?.with_origin(Some(KnownBirths::FirstPurchase), seen_as);
    if models.with_spend() {
        console.say("note: counts hold no amounts, so there is no model of spend, and no CLV (--spend none)");
    }
    if counts == Counts::Histograms {
        console.say(&format!("note: the histograms are of {} customers; the fit counts one in every period", grouped(customers as f64, 0)));
    }
    console.say(&terminal::fits(&model));
    Ok(model)
}

/// The models that have a likelihood for such counts.
fn check_model(counts: Counts, name: &str) -> Outcome {
    let known: &[&str] = match counts {
        Counts::PerPeriod => &[BgNbd::NAME, MbgNbd::NAME, ParetoNbd::NAME],
        Counts::Histograms => &[ParetoNbd::NAME],
    };
    if known.contains(&name) {
        return Ok(());
    }
    let what = match counts {
        Counts::PerPeriod => "counts per period",
        Counts::Histograms => "histograms",
    };
    let why = if name == AUTO {
        "models are chosen by forecasts at days in the past, and counts cannot be cut there"
    } else {
        "it has no likelihood for them"
    };
    Err(Failure::Usage(format!("{name} cannot be fitted to {what}: {why}; name one of those that can by --model: {}", known.join(", "))))
}

fn record<M: CensoredLikelihood<D>, D: Censored>(customers: &CensoredCustomers<D>, prior: Option<Prior>) -> Result<FitRecord> {
    Estimator::<SeenThrough<M, D>>::new().prior(prior).fit(customers).map(|fitted| FitRecord::of(&fitted))
}

fn options(input: &Input<'_>) -> SummaryOptions {
    let Input { reading, customer_column, unit, observing, .. } = input;
    reading.summary_options(*customer_column, *unit, observing.observation_end, SpendBasis::default())
}

fn read(input: &Input<'_>, options: &SummaryOptions, console: &Console) -> Result<CountsRead> {
    let _busy = console.busy(&format!("reading {}", input.name()));
    CountsRead::per_period(&input.files, options)
}

/// Customers known by counts per period, with what a model expects of them.
pub(super) struct CountedScores {
    counted: CountedCustomers,
    scores: Vec<Score>,
    intervals: Vec<Option<ValueInterval>>,
    statuses: Vec<ScoreStatus>,
    prior_weights: Vec<f64>,
    above: bool,
    /// The day from which the horizon counts.
    pub(super) end: Option<Date>,
    pub(super) totals: Totals,
    pub(super) coverage: Coverage,
}

/// Scores customers known by counts per period.
pub(super) fn score(
    input: &Input<'_>,
    model: &ModelFile,
    definition: &ClvDefinition,
    wanted: &Intervals,
    console: &Console,
) -> Outcome<CountedScores> {
    let read = read(input, &options(input), console)?;
    let counted = read.counted;
    let end = horizon_start(counted.customers().observation_end(), model, console);
    let forecaster = model.forecaster_by(definition, end)?;
    if model.spend().is_some() {
        console.say(
            "note: counts hold no amounts: customers are expected to spend what customers do on average, and are in no bands of value",
        );
    }
    let busy = console.busy("scoring");
    let scores = forecaster.scorer().score_counted(&counted)?;
    let &Intervals { level, threshold, no_intervals } = wanted;
    let with_intervals = !no_intervals && forecaster.has_value_intervals();
    say_of_intervals(model, &forecaster, definition, wanted, with_intervals, console);
    if with_intervals {
        console.say("note: the total has no interval; each customer has one");
    }
    let intervals =
        if with_intervals { forecaster.value_intervals_counted(&counted, level, threshold, Some(&busy.watch()))? } else { Vec::new() };
    let any: &AnyPurchaseModel = model.purchase_model();
    let statuses = any.counted_statuses(&counted, &scores);
    let prior_weights = counted.customers().rows().map(|(row, _)| any.prior_weight(row.age())).collect();
    let (mut totals, mut coverage) = (Totals::default(), Coverage::default());
    totals.add_weighted(scores.iter().map(|score| (1.0, score)));
    coverage.add_statuses(&statuses);
    Ok(CountedScores { counted, scores, intervals, statuses, prior_weights, above: threshold.is_some(), end, totals, coverage })
}

impl CountedScores {
    /// The table of scores, one row per customer, in byte order of the ids.
    pub(super) fn table(&self) -> Result<Table<'_>> {
        counted_score_table(&self.counted, &self.scores, &self.intervals, self.above, &self.statuses, &self.prior_weights)
    }
}
