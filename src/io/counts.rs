//! Counts per period from files: a row for every customer and period.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::data::{CalendarCount, CountedCustomers, counted_from};
use crate::error::{Error, Result, quoted};
use crate::io::fields::{self, FIRST_PURCHASE, PERIOD_END, PERIOD_START, PURCHASES};
use crate::io::files::LogFiles;
use crate::io::options::{BadRows, LogColumns, ReadOptions, SummaryOptions};
use crate::io::rows::Place;
use crate::io::source::{Source, no_rows};
use crate::time::Date;

/// A table of counts, read.
///
/// ```
/// use clv::{CountsRead, LogFiles, SummaryOptions};
///
/// let files = LogFiles::find(["examples/data/cdnow_monthly.csv"])?;
/// let counts = CountsRead::per_period(&files, &SummaryOptions::default())?;
/// assert_eq!((counts.rows, counts.counted.customers().len()), (2359, 294));
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct CountsRead<T = CountedCustomers> {
    /// What the counts are of.
    pub counted: T,
    /// How many customers are counted; one who is counted in several periods is one.
    pub customers: u64,
    /// The rows below the header.
    pub rows: u64,
    /// SHA-256 of the rows, in an order of their own.
    pub fingerprint: String,
}

impl CountsRead<CountedCustomers> {
    /// Reads counts per customer and period: CSV (plain or gzip) or Parquet with the columns `customer_id`, `first_purchase`, `period_start`, `period_end`
    /// and `purchases`, and no others.
    ///
    /// `purchases` counts all purchases from the first to the last day of the period, both included; that of the first purchase counts it. Every period from
    /// that of the first purchase on has a row, those without a purchase included, and the last one of every customer ends on the same day, which is the
    /// observation end. Order of rows and files has no influence.
    ///
    /// # Errors
    /// With file and line: when a column is missing or not known, a count is negative, no whole number or more than the period has days from the first
    /// purchase on, a day cannot be read, periods overlap or are missing, one lies before the first purchase, rows of a customer disagree on it, or the
    /// counts do not end on the observation end.
    pub fn per_period(files: &LogFiles, options: &SummaryOptions) -> Result<Self> {
        let id = options.customer.as_deref().unwrap_or("customer_id");
        let columns = [(id, "--customer"), (FIRST_PURCHASE, HEADER), (PERIOD_START, HEADER), (PERIOD_END, HEADER), (PURCHASES, HEADER)];
        let mut customers: BTreeMap<String, Vec<Counted>> = BTreeMap::new();
        let rows = read_counts(files, columns, options, &mut |[customer, first, start, end, purchases], place| {
            let count = CalendarCount {
                start: day(start, PERIOD_START)?,
                end: day(end, PERIOD_END)?,
                purchases: u32::try_from(whole(purchases, PURCHASES)?)
                    .map_err(|_| Error::data(format!("purchases {purchases} is too large a number")))?,
            };
            let counted = Counted { first_purchase: day(first, FIRST_PURCHASE)?, count, place };
            match customers.get_mut(customer) {
                Some(periods) => periods.push(counted),
                None => {
                    let customer = fields::customer(customer, id).map_err(fields::Fault::into_error)?;
                    customers.insert(customer.to_owned(), vec![counted]);
                }
            }
            Ok(())
        })?;
        let end = observation_end(&customers, options.observation_end, files)?;
        let mut counted = CountedCustomers::new(options.unit).observed_until(end);
        let mut hash = Sha256::new();
        for (id, mut rows) in customers {
            rows.sort_by_key(|row| (row.count.start, row.count.end, row.place));
            counted.push(&id, of_customer(&id, &rows, end, options, files)?)?;
            rows.iter().for_each(|Counted { first_purchase, count: CalendarCount { start, end, purchases }, .. }| {
                hash.update(format!("{id:?},{first_purchase},{start},{end},{purchases}\n"));
            });
        }
        Ok(CountsRead { customers: counted.customers().len() as u64, counted, rows, fingerprint: hex(hash) })
    }
}

/// The count of one row.
struct Counted {
    first_purchase: Date,
    count: CalendarCount,
    place: RowPlace,
}

/// The counts of one customer, in order.
fn of_customer(id: &str, rows: &[Counted], end: Date, options: &SummaryOptions, files: &LogFiles) -> Result<crate::data::PeriodCounts> {
    let named = |row: &Counted, error: Error| error.about(&format!("customer {}", quoted(id))).at(row.place.of(files));
    let first_purchase = rows[0].first_purchase;
    if let Some(other) = rows.iter().find(|row| row.first_purchase != first_purchase) {
        let message = format!(
            "first_purchase {} here and {first_purchase} at {}; a customer has one first purchase",
            other.first_purchase,
            rows[0].place.of(files)
        );
        return Err(named(other, Error::data(message)));
    }
    let periods: Vec<CalendarCount> = rows.iter().map(|row| row.count).collect();
    let counts = counted_from(first_purchase, &periods, options.unit).map_err(|(row, error)| named(&rows[row], error))?;
    match rows.last() {
        Some(last) if last.count.end != end => Err(named(
            last,
            Error::data(format!(
                "the last period ends on {}, and the counts of others reach to {end}; write a row for every period up to the end, those without a \
                 purchase included",
                last.count.end
            )),
        )),
        _ => Ok(counts),
    }
}

/// The day on which the last of all periods ends; it must be the one that was named, if one was.
fn observation_end(customers: &BTreeMap<String, Vec<Counted>>, named: Option<Date>, files: &LogFiles) -> Result<Date> {
    let last = customers.values().flatten().max_by_key(|row| (row.count.end, std::cmp::Reverse(row.place)));
    let Some(last) = last else { return Err(no_rows("the counts")) };
    check_end("counts", last.count.end, named).map_err(|error| error.at(last.place.of(files)))?;
    Ok(last.count.end)
}

/// That the day on which the last period ends is the observation end that was named, if one was.
pub(super) fn check_end(what: &str, last: Date, named: Option<Date>) -> Result<()> {
    match named {
        Some(named) if named != last => Err(Error::data(format!(
            "the last period ends on {last}, and the observation end was given as {named}; {what} cannot be cut: leave --observation-end out, or the \
             periods after it"
        ))),
        _ => Ok(()),
    }
}

/// How messages speak of columns that no flag names.
pub(super) const HEADER: &str = "the header of a table of counts, as clv fit --help has it";

/// Where a row was read: the number of the file and the line. In this order they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowPlace {
    file: usize,
    line: u64,
}

impl RowPlace {
    pub(super) fn of(self, files: &LogFiles) -> String {
        let file = files
            .paths()
            .get(self.file)
            .map(|path| if path.as_os_str() == "-" { "<stdin>".to_owned() } else { path.display().to_string() });
        Place { file: &file.unwrap_or_default(), line: self.line }.to_string()
    }
}

/// Hands over the fields of every row, and counts the rows. An error of `each` is one of its row.
pub(super) fn read_counts<const N: usize>(
    files: &LogFiles,
    columns: [(&str, &str); N],
    options: &SummaryOptions,
    each: &mut dyn FnMut([&str; N], RowPlace) -> Result<()>,
) -> Result<u64> {
    let names = LogColumns { customer: columns[0].0.to_owned(), ..LogColumns::default() };
    // A row that is left out would be a hole in the counts.
    let reading = ReadOptions { columns: names, delimiter: options.delimiter, decimal: options.decimal, bad_rows: BadRows::Error };
    let mut rows = 0;
    for (file, path) in files.paths().iter().enumerate() {
        let source = Source::open(path)?;
        source.check_columns(&columns.map(|(name, _)| name), &reading)?;
        source.for_each_row(columns, &reading, None, &mut |fields, place| {
            rows += 1;
            let line = place().line;
            each(fields, RowPlace { file, line }).map_err(|error| error.at(place().to_string()))
        })?;
    }
    match files.paths() {
        [first, ..] if rows == 0 => Err(no_rows(&first.display().to_string())),
        _ => Ok(rows),
    }
}

/// A whole number from 0.
pub(super) fn whole(text: &str, column: &str) -> Result<u64> {
    let text = text.trim();
    let wrong = |rule: &str| Error::data(format!("column {column:?}: {} {rule}", quoted(text)));
    if text.is_empty() {
        return Err(Error::data(format!("column {column:?}: the count is missing; write 0 where there is none")));
    }
    // A number to a parser; to whoever wrote it perhaps 4+, with its plus on the wrong side.
    if text.starts_with('+') {
        let behind = if column == PURCHASES { ", or write it behind where a cell of a histogram is so many or more, as in 4+" } else { "" };
        return Err(wrong(&format!("has a plus in front; leave it out{behind}")));
    }
    if let Ok(count) = text.parse() {
        return Ok(count);
    }
    // Tools that know one kind of number write 2 as 2.0.
    match text.parse::<f64>() {
        Ok(count) if count < 0.0 => Err(wrong("is negative; a count is a whole number from 0, and what was returned is no purchase")),
        Ok(count) if count.fract() != 0.0 || !count.is_finite() => Err(wrong("is no whole number; a count is a whole number from 0")),
        Ok(count) if count < 9e15 => Ok(count as u64),
        Ok(_) => Err(wrong("is too large a number to be a count")),
        Err(_) => Err(wrong("is no number; a count is a whole number from 0")),
    }
}

/// A day.
pub(super) fn day(text: &str, column: &str) -> Result<Date> {
    fields::time(text, column).map(crate::time::Moment::date).map_err(fields::Fault::into_error)
}

pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
