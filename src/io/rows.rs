//! Some columns of a file as text, row by row: what a log says of its customers beside dates and amounts, and lists of customers.

use std::collections::BTreeMap;
use std::fmt;

use crate::data::{AcquisitionDates, DatedAt, Skipped};
use crate::error::{Error, Result};
use crate::io::fields;
use crate::io::files::LogFiles;
#[cfg(feature = "cli")]
use crate::io::numbers::number;
use crate::io::options::{BadRows, ReadOptions};
use crate::io::source::{Source, no_rows};
use crate::time::Moment;

impl LogFiles {
    /// What a column of a log says of each customer: the value in the customer's first row, the smallest one where several rows are the first.
    ///
    /// The files are read a second time for it. Rows without a customer or a readable date do not count.
    ///
    /// # Errors
    /// When there is no such column, a file cannot be read, or the log is standard input.
    pub fn read_customer_column(&self, column: &str, flag: &str, options: &ReadOptions) -> Result<BTreeMap<String, String>> {
        if self.is_stdin() {
            return Err(Error::data(format!(
                "a column of the log is read in a second pass, and standard input cannot be read again; give a file for {flag} {column}"
            )));
        }
        let mut values: BTreeMap<String, (Moment, String)> = BTreeMap::new();
        let wanted = [(options.columns.customer.as_str(), "--customer"), (options.columns.date.as_str(), "--date"), (column, flag)];
        for path in self.paths() {
            Source::open(path)?.for_each_row(wanted, options, Some(options.bad_rows), &mut |[id, time, value], _| {
                let Ok(time) = fields::time(time, &options.columns.date) else { return Ok(()) };
                if id.is_empty() {
                    return Ok(());
                }
                let value = value.trim();
                match values.get_mut(id) {
                    None => drop(values.insert(id.to_owned(), (time, value.to_owned()))),
                    Some(kept) if (time, value) < (kept.0, kept.1.as_str()) => *kept = (time, value.to_owned()),
                    Some(_) => {}
                }
                Ok(())
            })?;
        }
        Ok(values.into_iter().map(|(id, (_, value))| (id, value)).collect())
    }

    /// Dates of acquisition from a column of a log; of each customer the rows must agree.
    ///
    /// # Errors
    /// When there is no such column, a date is missing or cannot be read, rows of a customer disagree, or the log is standard input.
    pub fn read_acquisition_column(&self, column: &str, options: &ReadOptions) -> Result<AcquisitionDates> {
        if self.is_stdin() {
            return Err(Error::data(format!(
                "a column of the log is read in a second pass, and standard input cannot be read again; give a file for --acquired {column}"
            )));
        }
        let (mut dates, mut files) = (BTreeMap::new(), Vec::new());
        for path in self.paths() {
            read_dates(Source::open(path)?, (column, "--acquired"), options, &mut dates, &mut files)?;
        }
        Ok(AcquisitionDates::read_from(files, dates))
    }
}

impl AcquisitionDates {
    /// Reads a list of customers with their dates of acquisition: CSV (plain or gzip) or Parquet, with the columns `customer_id` (or the name that the options have
    /// for it in the log) and `acquired`. What separates the fields is taken from the header: a comma, a semicolon, a tab or a bar.
    ///
    /// # Errors
    /// When the file cannot be read, a column is missing, a date is missing or cannot be read, or a customer is there with two dates.
    pub fn read(path: impl AsRef<std::path::Path>, options: &ReadOptions) -> Result<Self> {
        let (mut dates, mut files) = (BTreeMap::new(), Vec::new());
        let source = Source::open(path)?;
        let options = source.beside_a_log(options)?;
        let rows = read_dates(source, ("acquired", "a header such as customer_id,acquired"), &options, &mut dates, &mut files)?;
        if rows == 0 {
            return Err(no_rows(&files.concat()));
        }
        Ok(AcquisitionDates::read_from(files, dates))
    }
}

/// The dates of one source; gives the number of rows.
fn read_dates(
    source: Source<'_>,
    (column, flag): (&str, &str),
    options: &ReadOptions,
    dates: &mut BTreeMap<String, DatedAt>,
    files: &mut Vec<String>,
) -> Result<u64> {
    let file = files.len();
    let mut rows = 0;
    files.push(source.name().to_owned());
    let wanted = [(options.columns.customer.as_str(), "--customer"), (column, flag)];
    source.for_each_row(wanted, options, Some(options.bad_rows), &mut |[id, date], place| {
        rows += 1;
        if id.is_empty() {
            let fault = fields::missing_customer(&options.columns.customer);
            return fault.settle(options.bad_rows, &mut Skipped::default(), None, || place().to_string());
        }
        let date = match fields::time(date, column) {
            Ok(time) => time.date(),
            // A row that is skipped leaves its customer without a date, which is an error of its own: skipping is of use for those alone who are not in the log.
            Err(_) if options.bad_rows == BadRows::Skip => return Ok(()),
            Err(fault) => {
                let message = format!(
                    "{}; every customer of the log needs the day of acquisition: write it, or leave out those first seen early by --run-in in place of --acquired",
                    fault.into_error()
                );
                return Err(Error::data(message).at(place().to_string()));
            }
        };
        match dates.get(id) {
            Some(DatedAt { date: other, .. }) if *other != date => Err(Error::data(format!(
                "customer {id:?} was acquired on {other} by an earlier row and on {date} by this one; a customer has one day of acquisition"
            ))
            .at(place().to_string())),
            Some(_) => Ok(()),
            None => {
                dates.insert(id.to_owned(), DatedAt { date, place: Some((file, place().line)) });
                Ok(())
            }
        }
    })?;
    Ok(rows)
}

/// Reads the costs of acquiring cohorts: a table with the columns `cohort` and `cost`, whose fields are separated as its own header is.
///
/// # Errors
/// When the file cannot be read, a column is missing, a cohort is there twice, or a cost is no number or negative.
#[cfg(feature = "cli")]
pub(crate) fn read_costs(path: impl AsRef<std::path::Path>, options: &ReadOptions) -> Result<Vec<(String, f64)>> {
    let mut costs: BTreeMap<String, f64> = BTreeMap::new();
    let source = Source::open(path)?;
    let options = source.beside_a_log(options)?;
    source.for_each_row(
        [("cohort", "a header such as cohort,cost"), ("cost", "a header such as cohort,cost")],
        &options,
        Some(options.bad_rows),
        &mut |[cohort, cost], place| {
            let cohort = cohort.trim();
            let cost = number(cost, "cost", options.decimal)
                .map_err(|message| Error::data(format!("column \"cost\": {message}")).at(place().to_string()))?;
            if cost < 0.0 {
                return Err(Error::data(format!(
                    "column \"cost\": the acquisition of {cohort:?} cost {cost}; a cost is an amount of at least 0"
                ))
                .at(place().to_string()));
            }
            match costs.insert(cohort.to_owned(), cost) {
                None => Ok(()),
                Some(_) => Err(Error::data(format!(
                    "the cohort {cohort:?} is there twice; a cohort has one cost, that of all its customers together"
                ))
                .at(place().to_string())),
            }
        },
    )?;
    Ok(costs.into_iter().collect())
}

/// Where a row is: the file, and the line on which it begins; of Parquet, the number of the row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What is done with the fields of a row, given where the row is.
pub(super) type EachRow<'a, const N: usize> = dyn for<'p> FnMut([&str; N], &dyn Fn() -> Place<'p>) -> Result<()> + 'a;
