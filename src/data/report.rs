//! The account of what was read, merged, netted, dropped and skipped. Nothing vanishes silently.

use std::fmt;

use crate::data::digits::{counted, grouped};
use crate::data::observation::{DuplicatePolicy, MergePeriod, RefundPolicy};
use crate::numeric::exact_sum::ExactSum;
use crate::time::Date;

/// A number of things and the amount of money they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tally {
    /// How many: rows, unless the field says otherwise.
    pub count: u64,
    /// The sum of their amounts.
    pub value: f64,
}

impl Tally {
    /// A file without it says as much.
    #[cfg(feature = "serde")]
    fn is_none(&self) -> bool {
        *self == Tally::default()
    }

    pub(crate) fn add(&mut self, count: u64, value: f64) {
        self.count += count;
        self.value += value;
    }
}

/// Why a row could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    Malformed,
    MissingCustomer,
    BadDate,
    BadAmount,
    BadHistory,
}

/// Rows that were skipped because the reader was told to skip what it cannot use. The value counts those whose amount could be read.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SkippedRows {
    /// A wrong number of fields, or text that is not UTF-8.
    pub malformed: Tally,
    /// No customer id.
    pub missing_customer: Tally,
    /// No date, or none that can be read.
    pub bad_date: Tally,
    /// No amount, or none that is a finite number.
    pub bad_amount: Tally,
    /// In a summary: a frequency, recency, age, average spend or weight that breaks a rule.
    pub bad_history: Tally,
}

impl SkippedRows {
    /// All skipped rows together.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for (tally, _) in self.named() {
            total.add(tally.count, tally.value);
        }
        total
    }

    fn named(&self) -> [(Tally, &'static str); 5] {
        [
            (self.malformed, "malformed"),
            (self.missing_customer, "without a customer"),
            (self.bad_date, "without a readable date"),
            (self.bad_amount, "without a readable amount"),
            (self.bad_history, "with figures that contradict each other"),
        ]
    }
}

/// A tally while it is taken: the order of its terms does not show.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningTally {
    pub(crate) count: u64,
    pub(crate) sum: ExactSum,
}

impl RunningTally {
    pub(crate) fn add(&mut self, count: u64, value: f64) {
        self.count += count;
        self.sum.add(value);
    }

    pub(crate) fn add_all(&mut self, other: &RunningTally) {
        self.count += other.count;
        self.sum.add_sum(&other.sum);
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally { count: self.count, value: self.sum.value() }
    }
}

/// The first of the rows that were skipped: where it stands and what is wrong with it.
#[derive(Debug, Clone)]
struct FirstSkipped {
    /// The piece of the files that it was read in, by their order.
    piece: u64,
    what: String,
}

/// Skipped rows as they are met, by [`SkipReason`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Skipped {
    pub(crate) tallies: [RunningTally; 5],
    /// The piece of the files that is read.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    piece: u64,
    first: Option<FirstSkipped>,
}

impl Skipped {
    /// None yet, for the rows of a piece of the files: the first is that of the first piece, whichever thread has met it.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn of_piece(piece: u64) -> Self {
        Skipped { piece, ..Skipped::default() }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn piece(&self) -> u64 {
        self.piece
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn add(&mut self, reason: SkipReason, amount: Option<f64>, what: impl FnOnce() -> String) {
        self.tallies[reason as usize].add(1, amount.unwrap_or(0.0));
        if self.first.is_none() {
            self.first = Some(FirstSkipped { piece: self.piece, what: what() });
        }
    }

    pub(crate) fn add_all(&mut self, other: &Skipped) {
        for (tally, other) in self.tallies.iter_mut().zip(&other.tallies).filter(|(_, other)| other.count > 0) {
            tally.add_all(other);
        }
        if let Some(first) = other.first.as_ref().filter(|first| self.first.as_ref().is_none_or(|own| first.piece < own.piece)) {
            self.first = Some(first.clone());
        }
    }

    /// Adds those of a later reading, whose pieces are numbered from 0 again: the first of all is the first of the earlier one.
    pub(crate) fn append(&mut self, later: &Skipped) {
        let own = self.first.take();
        self.add_all(later);
        self.first = own.or_else(|| later.first.clone());
    }

    pub(crate) fn rows(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.count).sum()
    }

    /// The first of them: where it stands, and what is wrong with it.
    pub(crate) fn first(&self) -> Option<String> {
        self.first.as_ref().map(|first| first.what.clone())
    }

    pub(crate) fn tally(&self) -> SkippedRows {
        let tally = |reason: SkipReason| self.tallies[reason as usize].tally();
        SkippedRows {
            malformed: tally(SkipReason::Malformed),
            missing_customer: tally(SkipReason::MissingCustomer),
            bad_date: tally(SkipReason::BadDate),
            bad_amount: tally(SkipReason::BadAmount),
            bad_history: tally(SkipReason::BadHistory),
        }
    }
}

/// What became of every row of a log, and of every customer.
///
/// It adds up: `rows_read` is the sum of the counts of `used`, `after_end`, the skipped rows and the `repeated` ones that were dropped; the
/// used rows are the `purchases`, the rows `merged` into them, the purchases `netted_away` and the refunds; the value of the purchases is that of the used rows plus that of
/// the refunds that were unmatched or dropped.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct DataReport {
    /// What became of negative amounts.
    pub refunds: RefundPolicy,
    /// What became of rows that repeat another one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "DuplicatePolicy::is_keep"))]
    pub duplicates: DuplicatePolicy,
    /// The span within which all transactions of a customer were one purchase.
    pub merge: MergePeriod,
    /// Rows below the header, whatever became of them.
    pub rows_read: u64,
    /// Rows that could not be used.
    pub skipped: SkippedRows,
    /// The first of these rows: where it stands, and what is wrong with it. It shows what is in the data: it is not in model files, and the page shows it.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub first_skipped: Option<String>,
    /// Rows dated after the observation end: they have no influence.
    pub after_end: Tally,
    /// Rows dated up to the observation end, refunds included as negative amounts.
    pub used: Tally,
    /// Rows that are the same as another one in customer, time (to the hour) and amount, each beside the first of its kind. Kept, they are among the rows used,
    /// and counted up to the observation end; dropped, they are among no others, whatever their date.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Tally::is_none"))]
    pub repeated: Tally,
    /// Rows added to a larger one of the same customer and day (or hour).
    pub merged: Tally,
    /// Refunds set against purchases. A row counts here when all of it found a purchase; the value, positive, is the part that did.
    pub refunds_netted: Tally,
    /// Refunds that exceed all purchases before them. A row counts here when some of it found no purchase; the value, positive, is that
    /// part.
    pub refunds_unmatched: Tally,
    /// Refunds ignored because the policy says so; the value is positive.
    pub refunds_dropped: Tally,
    /// Days (or hours) with purchases that refunds reduced to nothing, with their value before refunds.
    pub netted_away: Tally,
    /// Purchases worth 0, counted as purchases.
    pub zero_amount_purchases: u64,
    /// Customers with a readable row.
    pub customers_seen: u64,
    /// Customers all of whose rows are dated after the observation end.
    pub customers_after_end: u64,
    /// Customers with rows but without a purchase up to the observation end, and the sum of these rows: refunds only, or all refunded.
    pub customers_excluded: Tally,
    /// Customers in the summary.
    pub customers: u64,
    /// Purchases of these customers, the first ones included, and what they are worth after refunds.
    pub purchases: Tally,
    /// The day of the first row used; none in a report on a summary.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "Option::deserialize"))]
    pub first_date: Option<Date>,
    /// The day of the last row used; none in a report on a summary.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "Option::deserialize"))]
    pub last_date: Option<Date>,
}

impl DataReport {
    /// What it is of which the sum of amounts is too large for a number, if there is such.
    pub(crate) fn infinite(&self) -> Option<&'static str> {
        let sums = [
            (self.used, "all rows up to the observation end"),
            (self.after_end, "the rows after the observation end"),
            (self.repeated, "the rows that repeat another"),
            (self.merged, "the rows merged into others"),
            (self.refunds_netted, "the refunds"),
            (self.refunds_unmatched, "the refunds"),
            (self.refunds_dropped, "the refunds"),
            (self.netted_away, "the purchases refunded to nothing"),
            (self.customers_excluded, "the customers without a purchase"),
            (self.purchases, "all purchases"),
            (self.skipped.total(), "the rows skipped"),
        ];
        sums.into_iter().find(|(tally, _)| !tally.value.is_finite()).map(|(_, what)| what)
    }
}

impl fmt::Display for DataReport {
    /// A short account for people: one fact a line, and only what occurred.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read", counted(self.rows_read, "row"))?;
        if let (Some(first), Some(last)) = (self.first_date, self.last_date) {
            write!(f, ", {} of them used, dated {first} to {last}", grouped(self.used.count as f64, 0))?;
        }
        for (tally, what) in self.skipped.named() {
            line(f, tally, "row", &format!("skipped: {what}"))?;
        }
        if let Some(first) = &self.first_skipped {
            write!(f, "\nthe first of the rows skipped: {first}")?;
        }
        line(f, self.after_end, "row", "after the observation end, ignored")?;
        let (repeat, became) = (if self.repeated.count == 1 { "repeats" } else { "repeat" }, self.duplicates.past());
        line(f, self.repeated, "row", &format!("{repeat} another (customer, time, amount), {became}"))?;
        line(f, self.merged, "row", &format!("merged into another purchase of the same {}", self.merge))?;
        line(f, self.refunds_netted, "refund row", "set against purchases")?;
        line(f, self.refunds_unmatched, "refund row", "exceeding the purchases before them")?;
        line(f, self.refunds_dropped, "refund row", "dropped")?;
        line(f, self.netted_away, "purchase", "refunded to nothing")?;
        if self.zero_amount_purchases > 0 {
            write!(f, "\n{} with an amount of 0", counted(self.zero_amount_purchases, "purchase"))?;
        }
        line(f, self.customers_excluded, "customer", "without a purchase, left out")?;
        if self.customers_after_end > 0 {
            write!(f, "\n{} only seen after the observation end", counted(self.customers_after_end, "customer"))?;
        }
        write!(f, "\n{}", counted(self.customers, "customer"))?;
        if self.purchases.count > 0 {
            write!(f, " with {} worth {}", counted(self.purchases.count, "purchase"), grouped(self.purchases.value, 2))?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, tally: Tally, unit: &str, what: &str) -> fmt::Result {
    match (tally.count, tally.value) {
        (0, 0.0) => Ok(()),
        (count, 0.0) => write!(f, "\n{} {what}", counted(count, unit)),
        (count, value) => write!(f, "\n{} {what}, worth {}", counted(count, unit), grouped(value, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_names_only_what_occurred() {
        let mut report = DataReport { rows_read: 3, customers: 1, ..DataReport::default() };
        assert_eq!(report.to_string(), "3 rows read\n1 customer");
        report.skipped.bad_date = Tally { count: 1, value: 12.5 };
        report.first_skipped = Some("orders.csv:3: column \"date\": it is empty".to_owned());
        report.purchases = Tally { count: 1234, value: 173_115.546 };
        assert_eq!(
            report.to_string(),
            "3 rows read\n1 row skipped: without a readable date, worth 12.50\nthe first of the rows skipped: orders.csv:3: column \"date\": it is \
             empty\n1 customer with 1,234 purchases worth 173,115.55"
        );
    }
}
