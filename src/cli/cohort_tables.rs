//! The tables of a report on cohorts, as CSV files of a directory.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::failure::Outcome;
use super::output::refuse_inputs;
use super::result_directory::{NamedFile, ResultDirectory};
use crate::error::Result;
use crate::io::{Table, TableFormat, Values};
use crate::score::{CohortFigures, CohortReport, CurvePoint, Estimate, PathPoint};

/// Where the tables go.
#[derive(Debug, clap::Args)]
pub(super) struct CohortTables {
    /// Directory for the tables as CSV, made when it is not there: cohorts, curves, parameters, path
    #[arg(long, value_name = "DIR", help_heading = "Cohorts")]
    tables: Option<PathBuf>,
}

const FILES: [&str; 4] = ["cohorts.csv", "curves.csv", "parameters.csv", "path.csv"];

impl CohortTables {
    /// Makes sure, before the work, that they can be written.
    pub(super) fn check(&self, inputs: &[impl AsRef<Path>]) -> Outcome {
        let Some(directory) = &self.tables else { return Ok(()) };
        ResultDirectory::check(directory, &FILES)?;
        FILES.iter().try_for_each(|name| refuse_inputs(&directory.join(name), inputs))
    }

    /// All of them or none.
    pub(super) fn write(&self, report: &CohortReport) -> Result<()> {
        let Some(directory) = &self.tables else { return Ok(()) };
        let tables = [cohorts(report)?, curves(report)?, parameters(report)?, path(report)?];
        let writers: Vec<_> = tables.iter().map(|table| move |out: &mut BufWriter<File>| table.write(TableFormat::Csv, out)).collect();
        let files: Vec<NamedFile<'_>> = FILES.iter().zip(&writers).map(|(name, write)| (*name, write as _)).collect();
        ResultDirectory::create(directory)?.write(&files)
    }
}

/// A column of numbers of some rows.
fn column<'a, R>(rows: &[R], of: impl Fn(&R) -> Option<f64>) -> Values<'a> {
    Values::Optional(rows.iter().map(of).collect())
}

type Number = (&'static str, fn(&CohortFigures) -> Option<f64>);

fn cohorts(report: &CohortReport) -> Result<Table<'_>> {
    let rows = &report.cohorts;
    let numbers: [Number; 25] = [
        ("customers", |cohort| Some(cohort.customers)),
        ("exposure", |cohort| Some(cohort.exposure)),
        ("prior_weight", |cohort| cohort.prior_weight),
        ("observed_purchases", |cohort| Some(cohort.observed_purchases)),
        ("expected_purchases", |cohort| Some(cohort.expected_purchases.value)),
        ("expected_purchases_lower", |cohort| Some(cohort.expected_purchases.lower)),
        ("expected_purchases_upper", |cohort| Some(cohort.expected_purchases.upper)),
        ("residual_purchases", |cohort| cohort.residual_purchases),
        ("residual_purchases_lower", |cohort| cohort.residual_purchases_between.map(|(lower, _)| lower)),
        ("residual_purchases_upper", |cohort| cohort.residual_purchases_between.map(|(_, upper)| upper)),
        ("value_to_date", |cohort| Some(cohort.value_to_date)),
        ("residual_value", |cohort| cohort.residual_value),
        ("residual_value_lower", |cohort| cohort.residual_value_between.map(|(lower, _)| lower)),
        ("residual_value_upper", |cohort| cohort.residual_value_between.map(|(_, upper)| upper)),
        ("total_value", |cohort| cohort.total_value),
        ("new_customer_value", |cohort| cohort.new_customer_value.map(|value| value.value)),
        ("new_customer_value_lower", |cohort| cohort.new_customer_value.map(|value| value.lower)),
        ("new_customer_value_upper", |cohort| cohort.new_customer_value.map(|value| value.upper)),
        ("acquisition_cost", |cohort| cohort.acquisition_cost),
        ("value_to_cost", |cohort| cohort.value_to_cost.map(|ratio| ratio.value)),
        ("value_to_cost_lower", |cohort| cohort.value_to_cost.map(|ratio| ratio.lower)),
        ("value_to_cost_upper", |cohort| cohort.value_to_cost.map(|ratio| ratio.upper)),
        ("payback", |cohort| cohort.payback.and_then(|payback| payback.time)),
        ("payback_lower", |cohort| cohort.payback.and_then(|payback| payback.lower)),
        ("payback_upper", |cohort| cohort.payback.and_then(|payback| payback.upper)),
    ];
    let mut table = Table::new().with("cohort", Values::Text(rows.iter().map(|cohort| cohort.name.as_str()).collect()))?;
    for (name, of) in numbers {
        table = table.with(name, column(rows, of))?;
    }
    Ok(table)
}

fn curves(report: &CohortReport) -> Result<Table<'_>> {
    let rows: Vec<(&str, &CurvePoint)> =
        report.cohorts.iter().flat_map(|cohort| cohort.curve.iter().map(|point| (cohort.name.as_str(), point))).collect();
    Table::new()
        .with("cohort", Values::Text(rows.iter().map(|row| row.0).collect()))?
        .with("age", column(&rows, |row| Some(row.1.age)))?
        .with("customers", column(&rows, |row| Some(row.1.customers)))?
        .with("observed", column(&rows, |row| Some(row.1.observed)))?
        .with("expected", column(&rows, |row| Some(row.1.expected.value)))?
        .with("expected_lower", column(&rows, |row| Some(row.1.expected.lower)))?
        .with("expected_upper", column(&rows, |row| Some(row.1.expected.upper)))?
        .with("active", column(&rows, |row| Some(row.1.active)))?
        .with("expected_active", column(&rows, |row| Some(row.1.expected_active.value)))?
        .with("expected_active_lower", column(&rows, |row| Some(row.1.expected_active.lower)))?
        .with("expected_active_upper", column(&rows, |row| Some(row.1.expected_active.upper)))
}

fn parameters(report: &CohortReport) -> Result<Table<'_>> {
    let rows: Vec<(&str, &str, Estimate)> = report
        .cohorts
        .iter()
        .flat_map(|cohort| cohort.parameters.iter().map(|&(parameter, estimate)| (cohort.name.as_str(), parameter, estimate)))
        .collect();
    Table::new()
        .with("cohort", Values::Text(rows.iter().map(|row| row.0).collect()))?
        .with("parameter", Values::Text(rows.iter().map(|row| row.1).collect()))?
        .with("value", column(&rows, |row| Some(row.2.value)))?
        .with("lower", column(&rows, |row| Some(row.2.lower)))?
        .with("upper", column(&rows, |row| Some(row.2.upper)))
}

fn path(report: &CohortReport) -> Result<Table<'_>> {
    let mut rows: Vec<(&str, &PathPoint)> = Vec::new();
    if let Some(change) = &report.change {
        rows.extend(change.cohorts.iter().map(|point| ("cohort", point)));
        rows.extend(change.windows.iter().map(|point| ("window", point)));
    }
    Table::new()
        .with("of", Values::Text(rows.iter().map(|row| row.0).collect()))?
        .with("from", Values::Text(rows.iter().map(|row| row.1.from.as_str()).collect()))?
        .with("until", Values::Text(rows.iter().map(|row| row.1.until.as_str()).collect()))?
        .with("customers", column(&rows, |row| Some(row.1.customers)))?
        .with("purchase_rate", column(&rows, |row| Some(row.1.purchase_rate.value)))?
        .with("purchase_rate_lower", column(&rows, |row| Some(row.1.purchase_rate.lower)))?
        .with("purchase_rate_upper", column(&rows, |row| Some(row.1.purchase_rate.upper)))?
        .with("gone", column(&rows, |row| row.1.gone.map(|gone| gone.value)))?
        .with("gone_lower", column(&rows, |row| row.1.gone.map(|gone| gone.lower)))?
        .with("gone_upper", column(&rows, |row| row.1.gone.map(|gone| gone.upper)))
}
