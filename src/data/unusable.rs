//! How many rows could not be used: what limits on skipped rows are held against.

use crate::data::log::TransactionLog;
use crate::data::report::DataReport;

/// Rows that were read, and how many of them were skipped because they cannot be used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unusable {
    pub(crate) skipped: u64,
    /// Skipped ones among them.
    pub(crate) read: u64,
    /// Where the first of those skipped stands, and what is wrong with it.
    pub(crate) first: Option<String>,
}

impl Unusable {
    /// Of the rows that came after `before`. Many good rows of earlier nights say nothing of a file of tonight.
    pub(crate) fn since(self, before: &Unusable) -> Self {
        Unusable { skipped: self.skipped - before.skipped, read: self.read - before.read, first: self.first }
    }
}

impl From<&TransactionLog> for Unusable {
    fn from(log: &TransactionLog) -> Self {
        Unusable { skipped: log.skipped().rows(), read: log.rows_read(), first: log.skipped().first() }
    }
}

impl From<&DataReport> for Unusable {
    fn from(report: &DataReport) -> Self {
        Unusable { skipped: report.skipped.total().count, read: report.rows_read, first: report.first_skipped.clone() }
    }
}
