//! What a reader has to be told about a file.

use crate::data::SpendBasis;
use crate::time::{Date, TimeUnit};

/// The columns of a transaction log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogColumns {
    /// The column of the customer id.
    pub customer: String,
    /// The column of the date or date-time.
    pub date: String,
    /// The column of the amount.
    pub amount: String,
}

impl Default for LogColumns {
    /// `customer_id`, `date`, `amount`.
    fn default() -> Self {
        LogColumns { customer: "customer_id".into(), date: "date".into(), amount: "amount".into() }
    }
}

/// What stands before the decimals of a number in a text file.
///
/// With a comma, groups of three digits before it may be separated by points, spaces or apostrophes: 1.234,50 is 1234.50. What would have two readings, as 1.234, cannot be
/// used.
///
/// ```
/// use clv::{DecimalMark, ReadOptions, TransactionLog};
///
/// let options = ReadOptions { delimiter: b';', decimal: DecimalMark::Comma, ..ReadOptions::default() };
/// let export = "customer_id;date;amount\n7;2026-01-05;1.234,50\n";
/// let log = TransactionLog::from_csv_reader(export.as_bytes(), "export.csv", &options)?;
/// let customers = log.summarize(&clv::Observation::until("2026-01-31".parse()?))?;
/// assert_eq!(customers.purchases()[0].total_spend, 1234.5);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalMark {
    /// 12.50
    #[default]
    Point,
    /// 12,50
    Comma,
}

/// What to do with a row that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRows {
    /// It is an error, with file, line and column.
    #[default]
    Error,
    /// It is left out and counted in the data report.
    Skip,
}

/// How to read a transaction log.
///
/// ```
/// use clv::{LogColumns, ReadOptions};
///
/// let columns = LogColumns { date: "ordered_at".into(), ..LogColumns::default() };
/// let options = ReadOptions { columns, delimiter: b';', ..ReadOptions::default() };
/// assert_eq!(options.columns.amount, "amount");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// The names of the columns; other columns are not looked at.
    pub columns: LogColumns,
    /// What separates the fields of a CSV line.
    pub delimiter: u8,
    /// What stands before the decimals of numbers that are text.
    pub decimal: DecimalMark,
    /// What to do with rows without a customer, a readable date or a finite amount.
    pub bad_rows: BadRows,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { columns: LogColumns::default(), delimiter: b',', decimal: DecimalMark::default(), bad_rows: BadRows::default() }
    }
}

/// How to read a summary: one row per customer with frequency, recency and age.
///
/// The figures of a file do not say in which unit and over which purchases they were taken, so the reader has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryOptions {
    /// The unit of recency and age.
    pub unit: TimeUnit,
    /// The day up to which the customers were observed. A file with purchase dates tells it itself.
    pub observation_end: Option<Date>,
    /// Which purchases the average spend is the mean of.
    pub spend_basis: SpendBasis,
    /// The column of the customer id, when it has a name of its own.
    pub customer: Option<String>,
    /// What separates the fields of a CSV line.
    pub delimiter: u8,
    /// What stands before the decimals of numbers that are text.
    pub decimal: DecimalMark,
    /// What to do with rows that break a rule.
    pub bad_rows: BadRows,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        SummaryOptions {
            unit: TimeUnit::default(),
            observation_end: None,
            spend_basis: SpendBasis::default(),
            customer: None,
            delimiter: b',',
            decimal: DecimalMark::default(),
            bad_rows: BadRows::default(),
        }
    }
}

/// What a file holds, by its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// One row per transaction.
    Log,
    /// One row per customer: it has the columns frequency, recency and age, or x, t_x and T.
    Summary,
}
