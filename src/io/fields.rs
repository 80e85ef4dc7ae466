//! Headers and fields: the rules that do not depend on the file format, and the words for breaking them.

use crate::data::{Batch, SkipReason, Skipped, Transaction, is_blank};
use crate::error::{Error, Result, quoted};
use crate::io::numbers::number;
use crate::io::options::{BadRows, DecimalMark, LogColumns};
use crate::time::{Date, Moment};

pub(super) const FIRST_PURCHASE: &str = "first_purchase";
pub(super) const PERIOD_START: &str = "period_start";
pub(super) const PERIOD_END: &str = "period_end";
pub(super) const PURCHASES: &str = "purchases";
pub(super) const COHORT: &str = "cohort";
pub(super) const CUSTOMERS: &str = "customers";

/// What is counted in a table of counts, by its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountsOf {
    Customers,
    Cohorts,
}

impl CountsOf {
    /// None for the columns of any other table.
    fn columns(has: impl Fn(&str) -> bool) -> Option<Self> {
        match [PERIOD_START, PERIOD_END, PURCHASES, COHORT, CUSTOMERS].map(has) {
            [true, true, true, false, false] => Some(CountsOf::Customers),
            [true, true, true, true, true] => Some(CountsOf::Cohorts),
            _ => None,
        }
    }

    /// The words for it, and the flag by which commands take it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            CountsOf::Customers => ("counts per customer and period", "`clv fit` and `clv score` take them by --counts per-period"),
            CountsOf::Cohorts => ("histograms of the purchases of cohorts", "`clv fit` takes them by --counts histograms"),
        }
    }
}

/// The column names of a file, trimmed.
#[derive(Debug)]
pub(super) struct Header<'a> {
    /// The file.
    pub(super) name: &'a str,
    pub(super) columns: Vec<String>,
}

impl Header<'_> {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// The position of a column that must be there once; `way` is the flag by which its name is given, or the header that the file is to have.
    pub(super) fn position(&self, column: &str, way: &str) -> Result<usize> {
        self.optional(column)?.ok_or_else(|| {
            let does = if way.starts_with("--") { "name the right one with" } else { "give it" };
            let hint = self.delimiter_hint().unwrap_or_else(|| format!("{does} {way}"));
            Error::data(format!("there is no column {column:?} among the columns found: {}; {hint}", self.listed())).at(self.name)
        })
    }

    /// Tells of all columns that are missing at once, where it is several of them, with the flags by which their names are given.
    fn check_has<const N: usize>(&self, wanted: [(&String, &str); N]) -> Result<()> {
        let (missing, flags): (Vec<String>, Vec<&str>) =
            wanted.into_iter().filter(|(column, _)| !self.has(column)).map(|(column, flag)| (format!("{column:?}"), flag)).unzip();
        if missing.len() < 2 {
            return Ok(());
        }
        let hint = self.delimiter_hint().unwrap_or_else(|| format!("name the right ones with {}", flags.join(", ")));
        Err(Error::data(format!("there are no columns {} among the columns found: {}; {hint}", missing.join(", "), self.listed()))
            .at(self.name))
    }

    /// The position of a column that may be missing, but not be there twice.
    pub(super) fn optional(&self, column: &str) -> Result<Option<usize>> {
        let mut found = (0..self.columns.len()).filter(|&index| self.columns[index] == column);
        let position = found.next();
        if found.next().is_some() {
            return Err(Error::data(format!("there are two columns {column:?}; rename or remove one of them")).at(self.name));
        }
        Ok(position)
    }

    /// Refuses a table that is not of the counts with these columns but of others.
    pub(super) fn check_counts(&self, columns: &[&str]) -> Result<()> {
        let wanted = CountsOf::columns(|name| columns.contains(&name));
        match (CountsOf::columns(|name| self.has(name)), wanted) {
            (Some(found), Some(wanted)) if found != wanted => {
                let ((these, way), (needed, _)) = (found.words(), wanted.words());
                Err(Error::data(format!("these are {these}, and {needed} are needed; {way}")).at(self.name))
            }
            _ => Ok(()),
        }
    }

    /// Refuses columns that are none of these.
    pub(super) fn check_no_others(&self, known: &[&str]) -> Result<()> {
        match self.columns.iter().find(|column| !known.contains(&column.as_str())) {
            Some(other) if known.iter().all(|name| self.has(name)) => Err(Error::data(format!(
                "there is a column {} that is not known; the columns are {}: leave it out, since several rows that differ in it would count twice",
                quoted(other),
                known.join(", ")
            ))
            .at(format!("{}:1", self.name))),
            // What is missing is told by those who look for it.
            _ => Ok(()),
        }
    }

    pub(super) fn listed(&self) -> String {
        const MOST: usize = 20;
        let mut names: Vec<String> = self.columns.iter().take(MOST).map(|name| quoted(name)).collect();
        if self.columns.len() > MOST {
            names.push(format!("and {} more", self.columns.len() - MOST));
        }
        names.join(", ")
    }

    /// A header of one column that contains a usual delimiter was most likely split by the wrong one.
    pub(super) fn delimiter_hint(&self) -> Option<String> {
        let [only] = &self.columns[..] else { return None };
        let found = [";", "\t", "|", ","].into_iter().find(|&delimiter| only.contains(delimiter))?;
        let (name, flag) =
            if found == "\t" { ("a tab".to_owned(), r"'\t'".to_owned()) } else { (format!("{found:?}"), format!("'{found}'")) };
        Some(format!("the delimiter seems to be {name}; set it with --delimiter {flag}"))
    }
}

/// Where the columns of a log are.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogPositions {
    customer: usize,
    date: usize,
    amount: usize,
}

impl LogPositions {
    pub(super) fn find(header: &Header<'_>, columns: &LogColumns) -> Result<Self> {
        let is_log = [&columns.customer, &columns.date, &columns.amount].iter().all(|name| header.has(name));
        if let Some(found) = CountsOf::columns(|name| header.has(name)).filter(|_| !is_log) {
            let (these, way) = found.words();
            return Err(
                Error::data(format!("these are {these}, and a transaction log is needed, one row per transaction; {way}")).at(header.name)
            );
        }
        header.check_has([(&columns.customer, "--customer-column"), (&columns.date, "--date"), (&columns.amount, "--amount")])?;
        Ok(LogPositions {
            customer: header.position(&columns.customer, "--customer-column")?,
            date: header.position(&columns.date, "--date")?,
            amount: header.position(&columns.amount, "--amount")?,
        })
    }

    /// Customer, date, amount.
    pub(super) fn all(self) -> [usize; 3] {
        [self.customer, self.date, self.amount]
    }
}

/// What is wrong with a row.
#[derive(Debug)]
pub(super) struct Fault {
    reason: SkipReason,
    message: String,
}

impl Fault {
    #[cfg(feature = "csv")]
    pub(super) fn row(message: impl Into<String>) -> Self {
        Fault { reason: SkipReason::Malformed, message: message.into() }
    }

    pub(super) fn column(reason: SkipReason, column: &str, message: impl std::fmt::Display) -> Self {
        Fault { reason, message: format!("column {column:?}: {message}") }
    }

    /// An error, where no row can be left out.
    pub(super) fn into_error(self) -> Error {
        Error::data(self.message)
    }

    /// An error, or a counted exclusion, as the options say. `amount` is the amount of the row, if it could be read.
    pub(super) fn settle(
        self,
        bad_rows: BadRows,
        skipped: &mut Skipped,
        amount: Option<f64>,
        place: impl FnOnce() -> String,
    ) -> Result<()> {
        match bad_rows {
            BadRows::Skip => {
                skipped.add(self.reason, amount, || format!("{}: {}", place(), self.message));
                Ok(())
            }
            BadRows::Error => {
                let message = format!("{}; correct the row, or skip and count such rows with --bad-rows skip", self.message);
                Err(Error::data(message).at(place()))
            }
        }
    }
}

/// A value of a row, or what is wrong with the row.
pub(super) type Checked<T> = std::result::Result<T, Fault>;

/// Adds a row to a batch, or settles what is wrong with it: the first of customer, date and amount that cannot be used.
#[inline]
pub(super) fn push_transaction(
    batch: &mut Batch,
    bad_rows: BadRows,
    customer: Checked<&str>,
    time: Checked<Moment>,
    amount: Checked<f64>,
    place: impl Fn() -> String,
) -> Result<()> {
    let (customer, time, amount) = match (customer, time, amount) {
        (Ok(customer), Ok(time), Ok(amount)) => (customer, time, amount),
        (Err(fault), _, amount) | (_, Err(fault), amount) => {
            return fault.settle(bad_rows, batch.skipped_mut(), amount.ok(), place);
        }
        (_, _, Err(fault)) => return fault.settle(bad_rows, batch.skipped_mut(), None, place),
    };
    batch.push(Transaction { customer, time, amount }, place)
}

#[cfg(feature = "csv")]
pub(super) fn check_length(found: usize, expected: usize, delimiter: u8) -> Checked<()> {
    if found == expected {
        return Ok(());
    }
    Err(Fault::row(format!(
        "the row has {found} fields, but the header has {expected}; put a field that contains {:?} in quotes",
        char::from(delimiter)
    )))
}

pub(super) fn missing_customer(column: &str) -> Fault {
    Fault::column(SkipReason::MissingCustomer, column, "the customer is missing; every row belongs to a customer")
}

/// An id, exactly as it is written.
pub(super) fn customer<'a>(text: &'a str, column: &str) -> Checked<&'a str> {
    if is_blank(text) { Err(missing_customer(column)) } else { Ok(text) }
}

pub(super) fn missing_date(column: &str) -> Fault {
    Fault::column(SkipReason::BadDate, column, "the date is missing")
}

#[inline]
pub(super) fn time(text: &str, column: &str) -> Checked<Moment> {
    let text = text.trim();
    if text.is_empty() {
        return Err(missing_date(column));
    }
    text.parse().map_err(|error: Error| Fault::column(SkipReason::BadDate, column, error))
}

/// The day a number of days after 1970-01-01, when it lies in the years -9999 to 9999.
pub(super) fn day(days: i64) -> Option<Date> {
    i32::try_from(days).ok().and_then(|day| Date::from_days_since_1970(day).ok())
}

/// The moment a number of hours after 1970-01-01, when it lies in the years -9999 to 9999.
pub(super) fn moment(hours: i64) -> Option<Moment> {
    Moment::new(day(hours.div_euclid(24))?, hours.rem_euclid(24) as u8).ok()
}

pub(super) fn missing_amount(column: &str) -> Fault {
    Fault::column(SkipReason::BadAmount, column, "the amount is missing")
}

pub(super) fn amount(text: &str, column: &str, decimal: DecimalMark) -> Checked<f64> {
    // As nearly all are; whatever is not is looked at more closely.
    if decimal == DecimalMark::Point
        && let Some(value) = text.parse().ok().filter(|value: &f64| value.is_finite())
    {
        return Ok(value);
    }
    if text.trim().is_empty() {
        return Err(missing_amount(column));
    }
    number(text, "amount", decimal).map_err(|message| Fault::column(SkipReason::BadAmount, column, message))
}

#[cfg(feature = "parquet")]
pub(super) fn finite_amount(amount: f64, column: &str) -> Checked<f64> {
    if amount.is_finite() {
        Ok(amount)
    } else {
        Err(Fault::column(SkipReason::BadAmount, column, format!("amount {amount} is not finite")))
    }
}
