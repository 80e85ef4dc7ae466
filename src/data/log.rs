//! The transaction log: who bought when for how much, compactly.

use crate::data::ids::Interner;
use crate::data::report::Skipped;
use crate::error::{Error, Result};
use crate::time::{Date, Moment};

/// One row of a log: a purchase, or a refund when the amount is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transaction<'a> {
    /// The customer's id, as text: leading zeros matter.
    pub customer: &'a str,
    /// When it happened, by the wall clock of the place where it happened.
    pub time: Moment,
    /// The amount; negative for a refund.
    pub amount: f64,
}

/// One event of 16 bytes; `customer` is the number of an interned id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) customer: u32,
    pub(crate) hour: i32,
    pub(crate) amount: f64,
}

/// A transaction log: rows of customer, time and amount in any order.
///
/// Read from a file (`from_csv` and `Source`, with the features `csv` and `parquet`) or built from rows one has:
///
/// ```
/// use clv::{Date, Observation, Transaction, TransactionLog};
///
/// let day = |text: &str| text.parse::<Date>();
/// let log = TransactionLog::from_events([
///     Transaction { customer: "0001", time: day("2026-01-05")?.into(), amount: 20.0 },
///     Transaction { customer: "0001", time: day("2026-01-19")?.into(), amount: 30.0 },
/// ])?;
/// let customers = log.summarize(&Observation::until(day("2026-02-02")?).in_weeks())?;
/// let history = customers.history(0);
/// assert_eq!((history.frequency(), history.recency(), history.age()), (1, 2.0, 4.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TransactionLog {
    customers: Interner,
    events: Vec<Event>,
    skipped: Skipped,
}

impl TransactionLog {
    /// A log without a row.
    #[must_use]
    pub fn new() -> Self {
        TransactionLog::default()
    }

    /// A log of the given rows.
    ///
    /// # Errors
    /// As [`push`](Self::push); the message names the row, counted from 1.
    pub fn from_events<'a>(events: impl IntoIterator<Item = Transaction<'a>>) -> Result<Self> {
        let events = events.into_iter();
        let mut log = TransactionLog::new();
        log.events.reserve(events.size_hint().0);
        for (index, event) in events.enumerate() {
            log.push(event).map_err(|error| error.at(format!("row {}", index + 1)))?;
        }
        Ok(log)
    }

    /// A log of three columns of equal length.
    ///
    /// ```
    /// use clv::TransactionLog;
    ///
    /// let dates = ["2026-01-05".parse()?, "2026-01-19".parse()?];
    /// let log = TransactionLog::from_columns(&["a", "b"], &dates, &[20.0, 30.0])?;
    /// assert_eq!((log.len(), log.last_date()), (2, Some(dates[1])));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the lengths differ; otherwise as [`push`](Self::push), naming the row, counted from 1.
    pub fn from_columns(customers: &[impl AsRef<str>], dates: &[Date], amounts: &[f64]) -> Result<Self> {
        if customers.len() != dates.len() || customers.len() != amounts.len() {
            return Err(Error::data(format!(
                "columns of unequal length: {} customers, {} dates, {} amounts; a log needs one of each per row",
                customers.len(),
                dates.len(),
                amounts.len()
            )));
        }
        let rows = customers.iter().zip(dates).zip(amounts);
        TransactionLog::from_events(rows.map(|((customer, &date), &amount)| Transaction {
            customer: customer.as_ref(),
            time: date.into(),
            amount,
        }))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the customer is blank or the amount is no finite number.
    pub fn push(&mut self, transaction: Transaction<'_>) -> Result<()> {
        let Transaction { customer, time, amount } = transaction;
        if customer.trim().is_empty() {
            return Err(Error::data("the customer id is missing; every transaction belongs to a customer"));
        }
        if !amount.is_finite() {
            return Err(Error::data(format!("amount {amount} is not finite")));
        }
        let (customer, _) = self.customers.intern(customer)?;
        // Adding 0 turns -0 into 0, which is what it means.
        self.events.push(Event { customer, hour: time.hours_since_1970(), amount: amount + 0.0 });
        Ok(())
    }

    /// The number of rows, skipped ones not included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The number of distinct customers.
    #[must_use]
    pub fn customer_count(&self) -> usize {
        self.customers.ids().len()
    }

    /// The number of rows that were read: those of the log and those that were skipped.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.events.len() as u64 + self.skipped.rows()
    }

    /// The day of the first row.
    #[must_use]
    pub fn first_date(&self) -> Option<Date> {
        self.events.iter().map(|event| event.hour).min().map(date_of)
    }

    /// The day of the last row. It is rarely the last day that was observed: a log whose last sale was on a Friday was still watched on
    /// Saturday.
    #[must_use]
    pub fn last_date(&self) -> Option<Date> {
        self.events.iter().map(|event| event.hour).max().map(date_of)
    }

    /// The rows of one customer in order of time, then amount; none when the id is not in the log.
    #[must_use]
    pub fn transactions_of<'a>(&self, customer: &'a str) -> Vec<Transaction<'a>> {
        let number = self.customers.find(customer);
        let rows = self.events.iter().filter(|event| Some(event.customer) == number);
        let mut rows: Vec<_> =
            rows.map(|event| Transaction { customer, time: Moment::from_hours_since_1970(event.hour), amount: event.amount }).collect();
        rows.sort_unstable_by(|a, b| a.time.cmp(&b.time).then(a.amount.total_cmp(&b.amount)));
        rows
    }

    pub(crate) fn interner(&self) -> &Interner {
        &self.customers
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn skipped_mut(&mut self) -> &mut Skipped {
        &mut self.skipped
    }
}

fn date_of(hour: i32) -> Date {
    Moment::from_hours_since_1970(hour).date()
}
