//! The account of what was read, merged, netted, dropped and skipped. Nothing vanishes silently.

use std::fmt;

use crate::data::observation::{MergePeriod, RefundPolicy};
use crate::time::Date;

/// A number of things and the amount of money they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tally {
    /// How many: rows, unless the field says otherwise.
    pub count: u64,
    /// The sum of their amounts.
    pub value: f64,
}

impl Tally {
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
#[cfg_attr(feature = "serde", serde(default))]
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

/// Skipped rows as they are met. Amounts are kept apart and summed in sorted order, so that the sum does not depend on the order of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skipped {
    counts: [u64; 5],
    amounts: [Vec<f64>; 5],
}

impl Skipped {
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn add(&mut self, reason: SkipReason, amount: Option<f64>) {
        self.counts[reason as usize] += 1;
        self.amounts[reason as usize].extend(amount);
    }

    pub(crate) fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn tally(&self) -> SkippedRows {
        let tally = |reason: SkipReason| {
            let mut amounts = self.amounts[reason as usize].clone();
            amounts.sort_unstable_by(f64::total_cmp);
            Tally { count: self.counts[reason as usize], value: amounts.iter().fold(0.0, |sum, amount| sum + amount) }
        };
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
/// It adds up: `rows_read` is the sum of the counts of `used`, `after_end` and the skipped rows; the used rows are the `purchases`, the
/// rows `merged` into them, the purchases `netted_away` and the refunds; the value of the purchases is that of the used rows plus that of
/// the refunds that were unmatched or dropped.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct DataReport {
    /// What became of negative amounts.
    pub refunds: RefundPolicy,
    /// The span within which all transactions of a customer were one purchase.
    pub merge: MergePeriod,
    /// Rows below the header, whatever became of them.
    pub rows_read: u64,
    /// Rows that could not be used.
    pub skipped: SkippedRows,
    /// Rows dated after the observation end: they have no influence.
    pub after_end: Tally,
    /// Rows dated up to the observation end, refunds included as negative amounts.
    pub used: Tally,
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
    pub first_date: Option<Date>,
    /// The day of the last row used; none in a report on a summary.
    pub last_date: Option<Date>,
}

impl fmt::Display for DataReport {
    /// A short account for people: one fact a line, and only what occurred.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows read", grouped(self.rows_read))?;
        if let (Some(first), Some(last)) = (self.first_date, self.last_date) {
            write!(f, ", {} of them used, dated {first} to {last}", grouped(self.used.count))?;
        }
        for (tally, what) in self.skipped.named() {
            line(f, tally, "rows", &format!("skipped: {what}"))?;
        }
        line(f, self.after_end, "rows", "after the observation end, ignored")?;
        line(f, self.merged, "rows", "merged into another purchase of the same time")?;
        line(f, self.refunds_netted, "refund rows", "set against purchases")?;
        line(f, self.refunds_unmatched, "refund rows", "exceeding the purchases before them")?;
        line(f, self.refunds_dropped, "refund rows", "dropped")?;
        line(f, self.netted_away, "purchases", "refunded to nothing")?;
        if self.zero_amount_purchases > 0 {
            write!(f, "\n{} purchases with an amount of 0", grouped(self.zero_amount_purchases))?;
        }
        line(f, self.customers_excluded, "customers", "without a purchase, left out")?;
        if self.customers_after_end > 0 {
            write!(f, "\n{} customers only seen after the observation end", grouped(self.customers_after_end))?;
        }
        write!(f, "\n{} customers", grouped(self.customers))?;
        if self.purchases.count > 0 {
            write!(f, " with {} purchases worth {:.2}", grouped(self.purchases.count), self.purchases.value)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, tally: Tally, unit: &str, what: &str) -> fmt::Result {
    match (tally.count, tally.value) {
        (0, 0.0) => Ok(()),
        (count, 0.0) => write!(f, "\n{} {unit} {what}", grouped(count)),
        (count, value) => write!(f, "\n{} {unit} {what}, worth {value:.2}", grouped(count)),
    }
}

/// 1234567 as 1,234,567.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_account_names_only_what_occurred() {
        let mut report = DataReport { rows_read: 3, customers: 1, ..DataReport::default() };
        assert_eq!(report.to_string(), "3 rows read\n1 customers");
        report.skipped.bad_date = Tally { count: 1, value: 12.5 };
        assert_eq!(report.to_string(), "3 rows read\n1 rows skipped: without a readable date, worth 12.50\n1 customers");
    }
}
