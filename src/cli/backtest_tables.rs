//! The tables of a back-test, as CSV files of a directory.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::backtest::BACKTEST;
use super::failure::Outcome;
use super::output::refuse_inputs;
use super::result_directory::{NamedFile, ResultDirectory};
use crate::backtest::{
    BackTestReport, DecileRow, FrequencyRow, Group, IntervalPerLevel, Metrics, RecencyRow, ReliabilityRow, Run, Split, Tables, Tracked,
};
use crate::error::Result;
use crate::io::{Table, TableFormat, Values};
use crate::time::Date;

/// Where the tables go.
#[derive(Debug, clap::Args)]
pub(super) struct TablesOutput {
    /// Directory for the tables as CSV, made when it is not there: figures, by_frequency, by_recency, deciles, by_period, reliability, pit, differences,
    /// totals, tracking
    #[arg(long, value_name = "DIR", help_heading = BACKTEST)]
    tables: Option<PathBuf>,
}

const FILES: [&str; 10] = [
    "figures.csv",
    "by_frequency.csv",
    "by_recency.csv",
    "deciles.csv",
    "by_period.csv",
    "reliability.csv",
    "pit.csv",
    "differences.csv",
    "totals.csv",
    "tracking.csv",
];

impl TablesOutput {
    /// Makes sure, before the work, that they can be written.
    pub(super) fn check(&self, inputs: &[impl AsRef<Path>]) -> Outcome {
        let Some(directory) = &self.tables else { return Ok(()) };
        ResultDirectory::check(directory, &FILES)?;
        FILES.iter().try_for_each(|name| refuse_inputs(&directory.join(name), inputs))
    }

    /// All of them or none.
    pub(super) fn write(&self, report: &BackTestReport) -> Result<()> {
        let Some(directory) = &self.tables else { return Ok(()) };
        let tables = tables(report)?;
        let writers: Vec<_> = tables.iter().map(|table| move |out: &mut BufWriter<File>| table.write(TableFormat::Csv, out)).collect();
        let files: Vec<NamedFile<'_>> = FILES.iter().zip(&writers).map(|(name, write)| (*name, write as _)).collect();
        ResultDirectory::create(directory)?.write(&files)
    }
}

/// What a line is about, and its numbers.
struct Line<'a, const N: usize> {
    split: Split,
    model: &'a str,
    group: Group,
    /// `purchases`, or `revenue` and how amounts are told.
    of: &'a str,
    numbers: [Option<f64>; N],
}

/// A table of lines: their subject, a column of text or of days where there is one, and the numbers.
fn table<'a, const N: usize>(lines: &[Line<'a, N>], named: Option<(&'a str, Values<'a>)>, numbers: [&'a str; N]) -> Result<Table<'a>> {
    let text = |of: &dyn Fn(&Line<'a, N>) -> &'a str| Values::Text(lines.iter().map(of).collect());
    let mut table = Table::new()
        .with("cut", Values::Date(lines.iter().map(|line| line.split.cut()).collect()))?
        .with("holdout_end", Values::Date(lines.iter().map(|line| line.split.holdout_end()).collect()))?
        .with("model", text(&|line| line.model))?
        .with("group", text(&|line| name_of(line.group)))?
        .with("of", text(&|line| line.of))?;
    if let Some((name, values)) = named {
        table = table.with(name, values)?;
    }
    for (column, name) in numbers.into_iter().enumerate() {
        let values: Vec<Option<f64>> = lines.iter().map(|line| line.numbers[column]).collect();
        table = table.with(name, Values::Optional(values.into()))?;
    }
    Ok(table)
}

fn name_of(group: Group) -> &'static str {
    match group {
        Group::KnownAtCut => "known_at_cut",
        Group::AcquiredInHoldout => "acquired_in_holdout",
        Group::All => "all",
    }
}

/// The tables, in the order of the [`FILES`].
fn tables(report: &BackTestReport) -> Result<Vec<Table<'_>>> {
    Ok(vec![
        figures(report)?,
        of_each(report, ["frequency", "customers", "actual", "predicted", "actual_lower", "actual_upper"], |tables| {
            let row = |row: &FrequencyRow| {
                let [lower, upper] = ends(row.actual_interval);
                [Some(f64::from(row.frequency)), Some(row.customers as f64), row.actual, row.predicted, lower, upper]
            };
            tables.by_frequency.iter().map(row).collect()
        })?,
        of_each(report, ["above", "up_to", "customers", "actual", "predicted", "actual_lower", "actual_upper"], |tables| {
            let row = |row: &RecencyRow| {
                let [lower, upper] = ends(row.actual_interval);
                [Some(row.above), Some(row.up_to), Some(row.customers as f64), row.actual, row.predicted, lower, upper]
            };
            tables.by_recency.iter().map(row).collect()
        })?,
        of_each(report, ["decile", "customers", "actual", "predicted", "actual_lower", "actual_upper"], |tables| {
            let row = |row: &DecileRow| {
                let [lower, upper] = ends(row.actual_interval);
                [Some(f64::from(row.decile)), Some(row.customers), row.actual, row.predicted, lower, upper]
            };
            tables.deciles.iter().map(row).collect()
        })?,
        by_period(report)?,
        of_runs(report, ["from", "to", "customers", "predicted", "actual", "actual_lower", "actual_upper"], |run| {
            let row = |row: &ReliabilityRow| {
                let [lower, upper] = ends(row.actual_interval);
                [Some(row.from), Some(row.to), Some(row.customers as f64), row.predicted, row.actual, lower, upper]
            };
            run.reliability.iter().map(row).collect()
        })?,
        of_runs(report, ["from", "to", "share"], |run| {
            let shares = run.pit.iter().flat_map(|pit| pit.shares.into_iter().zip(0..));
            shares.map(|(share, bin)| [Some(f64::from(bin) / 10.0), Some(f64::from(bin + 1) / 10.0), Some(share)]).collect()
        })?,
        differences(report)?,
        totals(report)?,
        tracking(report)?,
    ])
}

const PURCHASES: &str = "purchases";

/// Purchases and revenues of a run, with the name of each.
fn quantities(run: &Run) -> impl Iterator<Item = (&str, &Tables)> {
    [(PURCHASES, &run.tables)].into_iter().chain(run.revenue.iter().map(|revenue| (revenue.spend, &revenue.tables)))
}

fn of_each<'a, const N: usize>(
    report: &'a BackTestReport,
    numbers: [&'a str; N],
    rows: impl Fn(&Tables) -> Vec<[Option<f64>; N]>,
) -> Result<Table<'a>> {
    let mut lines = Vec::new();
    for run in &report.runs {
        for (of, tables) in quantities(run) {
            lines.extend(rows(tables).into_iter().map(|numbers| line(run, of, numbers)));
        }
    }
    table(&lines, None, numbers)
}

fn of_runs<'a, const N: usize>(
    report: &'a BackTestReport,
    numbers: [&'a str; N],
    rows: impl Fn(&Run) -> Vec<[Option<f64>; N]>,
) -> Result<Table<'a>> {
    let lines: Vec<Line<'_, N>> =
        report.runs.iter().flat_map(|run| rows(run).into_iter().map(move |numbers| line(run, PURCHASES, numbers))).collect();
    table(&lines, None, numbers)
}

fn line<'a, const N: usize>(run: &'a Run, of: &'a str, numbers: [Option<f64>; N]) -> Line<'a, N> {
    Line { split: run.split, model: run.model, group: run.group, of, numbers }
}

fn figures(report: &BackTestReport) -> Result<Table<'_>> {
    let (mut lines, mut names) = (Vec::new(), Vec::new());
    for run in &report.runs {
        let purchases = (PURCHASES, &run.metrics, &run.intervals);
        let revenues = run.revenue.iter().map(|revenue| (revenue.spend, &revenue.metrics, &revenue.intervals));
        for (of, metrics, intervals) in [purchases].into_iter().chain(revenues) {
            for (name, value) in Metrics::NAMES.into_iter().zip(metrics.values()).filter(|(_, value)| value.is_some()) {
                let interval = intervals.get(name);
                lines.push(line(run, of, [value, interval.map(|ends| ends[0]), interval.map(|ends| ends[1])]));
                names.push(name);
            }
        }
    }
    table(&lines, Some(("figure", Values::Text(names))), ["value", "lower", "upper"])
}

fn by_period(report: &BackTestReport) -> Result<Table<'_>> {
    let (mut lines, mut ends) = (Vec::new(), Vec::<Date>::new());
    for run in &report.runs {
        for (of, tables) in quantities(run) {
            lines.extend(tables.by_period.iter().map(|row| line(run, of, [Some(row.actual), Some(row.predicted), row.bias])));
            ends.extend(tables.by_period.iter().map(|row| row.end));
        }
    }
    table(&lines, Some(("end", Values::Date(ends))), ["actual", "predicted", "bias"])
}

fn differences(report: &BackTestReport) -> Result<Table<'_>> {
    let group = report.held_out();
    let lines: Vec<Line<'_, 3>> = (report.differences.iter())
        .map(|row| {
            let numbers = [Some(row.difference), Some(row.interval[0]), Some(row.interval[1])];
            Line { split: row.split, model: row.model, group, of: row.metric, numbers }
        })
        .collect();
    let against = report.differences.iter().map(|row| row.against).collect();
    table(&lines, Some(("against", Values::Text(against))), ["difference", "lower", "upper"])
}

fn totals(report: &BackTestReport) -> Result<Table<'_>> {
    let ends = |intervals: Option<&IntervalPerLevel>| {
        let of = |level: fn(&IntervalPerLevel) -> [f64; 2], end: usize| intervals.map(|intervals| level(intervals)[end]);
        [of(|per| per.level_90, 0), of(|per| per.level_90, 1), of(|per| per.level_95, 0), of(|per| per.level_95, 1)]
    };
    let lines: Vec<Line<'_, 10>> = (report.totals.iter())
        .map(|row| {
            let ([a, b, c, d], [e, f, g, h]) = (ends(Some(&row.plug_in)), ends(row.with_shock.as_ref()));
            let numbers = [Some(row.actual), Some(row.predicted), a, b, c, d, e, f, g, h];
            Line { split: row.split, model: row.model, group: Group::KnownAtCut, of: row.total.name(), numbers }
        })
        .collect();
    let names = [
        "actual",
        "predicted",
        "plug_in_lower_90",
        "plug_in_upper_90",
        "plug_in_lower_95",
        "plug_in_upper_95",
        "shock_lower_90",
        "shock_upper_90",
        "shock_lower_95",
        "shock_upper_95",
    ];
    table(&lines, None, names)
}

fn tracking(report: &BackTestReport) -> Result<Table<'_>> {
    let (mut lines, mut ends) = (Vec::new(), Vec::new());
    for tracking in &report.tracking {
        for week in &tracking.weeks {
            let quantities =
                [(PURCHASES, &week.purchases, &week.cumulative_purchases), (tracking.spend, &week.revenue, &week.cumulative_revenue)];
            for (of, own, cumulative) in quantities {
                let ([a, b, c, d], [e, f, g, h]) = (numbers(own), numbers(cumulative));
                let numbers = [a, b, c, d, e, f, g, h];
                lines.push(Line { split: tracking.split, model: tracking.model, group: Group::All, of, numbers });
                ends.push(week.end);
            }
        }
    }
    let names =
        ["actual", "expected", "lower", "upper", "cumulative_actual", "cumulative_expected", "cumulative_lower", "cumulative_upper"];
    table(&lines, Some(("end", Values::Date(ends))), names)
}

/// The ends of an interval, where there is one.
fn ends(interval: Option<[f64; 2]>) -> [Option<f64>; 2] {
    [0, 1].map(|end| interval.map(|interval| interval[end]))
}

fn numbers(tracked: &Tracked) -> [Option<f64>; 4] {
    let [lower, upper] = ends(tracked.interval);
    [Some(tracked.actual), Some(tracked.expected), lower, upper]
}
