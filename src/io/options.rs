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
    /// What to do with rows without a customer, a readable date or a finite amount.
    pub bad_rows: BadRows,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { columns: LogColumns::default(), delimiter: b',', bad_rows: BadRows::default() }
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
