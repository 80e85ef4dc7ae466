//! The transaction log: who bought when for how much, compactly.

use crate::data::ids::{IdHasher, ids_in_order, is_blank};
use crate::data::partition::{Event, PARTITIONS, Partition, partition_of};
use crate::data::report::Skipped;
use crate::error::{Error, Result};
use crate::parallel::map_indices;
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

impl Transaction<'_> {
    pub(crate) fn check(&self) -> Result<()> {
        if is_blank(self.customer) {
            return Err(Error::data("the customer id is missing; every transaction belongs to a customer"));
        }
        if !self.amount.is_finite() {
            return Err(Error::data(format!("amount {} is not finite", self.amount)));
        }
        Ok(())
    }

    /// The amount; -0 is 0, which is what it means.
    pub(crate) fn unsigned_zero(&self) -> f64 {
        self.amount + 0.0
    }
}

/// A transaction log: rows of customer, time and amount in any order.
///
/// Read from files (`from_csv`, `Source` and `LogFiles`, with the features `csv` and `parquet`) or built from rows one has. A row takes 16 bytes,
/// a customer the length of the id and some 20 bytes.
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
#[derive(Debug, Clone)]
pub struct TransactionLog {
    hasher: IdHasher,
    /// By hash of the customer.
    partitions: Vec<Partition>,
    skipped: Skipped,
}

impl Default for TransactionLog {
    fn default() -> Self {
        TransactionLog { hasher: IdHasher::default(), partitions: vec![Partition::default(); PARTITIONS], skipped: Skipped::default() }
    }
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
        let mut log = TransactionLog::new();
        for (index, event) in events.into_iter().enumerate() {
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
        transaction.check()?;
        let hash = self.hasher.hash(transaction.customer);
        let hour = transaction.time.hours_since_1970();
        let partition = &mut self.partitions[partition_of(hash)];
        let customer = partition.number(transaction.customer, hash)?;
        partition.push(Event { customer, hour, amount: transaction.unsigned_zero() });
        Ok(())
    }

    /// Adds rows of one customer, by hours since 1970.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn push_all(&mut self, customer: &str, rows: &[(i32, f64)]) -> Result<()> {
        let hash = self.hasher.hash(customer);
        let partition = &mut self.partitions[partition_of(hash)];
        let number = partition.number(customer, hash)?;
        for &(hour, amount) in rows {
            let transaction = Transaction { customer, time: Moment::from_hours_since_1970(hour), amount };
            transaction.check()?;
            partition.push(Event { customer: number, hour, amount: transaction.unsigned_zero() });
        }
        Ok(())
    }

    /// Adds all rows of another log, the skipped ones to the account of those.
    ///
    /// ```
    /// use clv::TransactionLog;
    ///
    /// let mut log = TransactionLog::from_columns(&["a"], &["2026-01-05".parse()?], &[20.0])?;
    /// log.append(TransactionLog::from_columns(&["a", "b"], &["2026-01-06".parse()?; 2], &[5.0, 6.0])?)?;
    /// assert_eq!((log.len(), log.customer_count()), (3, 2));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are more than 4,294,967,296 customers.
    pub fn append(&mut self, other: TransactionLog) -> Result<()> {
        for partition in &other.partitions {
            let places: Vec<(usize, u32)> = partition
                .customers()
                .ids()
                .iter()
                .map(|id| {
                    let hash = self.hasher.hash(id);
                    let own = partition_of(hash);
                    self.partitions[own].number(id, hash).map(|number| (own, number))
                })
                .collect::<Result<_>>()?;
            for event in partition.events() {
                let (own, customer) = places[event.customer as usize];
                self.partitions[own].push(Event { customer, ..*event });
            }
        }
        self.skipped.append(&other.skipped);
        Ok(())
    }

    /// The number of rows, skipped ones not included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.partitions.iter().map(Partition::len).sum()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of distinct customers.
    #[must_use]
    pub fn customer_count(&self) -> usize {
        self.partitions.iter().map(|partition| partition.customers().ids().len()).sum()
    }

    /// The number of rows that were read: those of the log and those that were skipped.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.len() as u64 + self.skipped.rows()
    }

    /// The day of the first row.
    #[must_use]
    pub fn first_date(&self) -> Option<Date> {
        self.span().map(|(first, _)| date_of(first))
    }

    /// The day of the last row. It is rarely the last day that was observed: a log whose last sale was on a Friday was still watched on
    /// Saturday.
    #[must_use]
    pub fn last_date(&self) -> Option<Date> {
        self.span().map(|(_, last)| date_of(last))
    }

    /// The rows of one customer in order of time, then amount; none when the id is not in the log.
    #[must_use]
    pub fn transactions_of<'a>(&self, customer: &'a str) -> Vec<Transaction<'a>> {
        let events = self.find(customer).map(|(partition, number)| partition.events_of(number));
        let mut rows: Vec<_> = events
            .into_iter()
            .flatten()
            .map(|event| Transaction { customer, time: Moment::from_hours_since_1970(event.hour), amount: event.amount })
            .collect();
        rows.sort_unstable_by(|a, b| a.time.cmp(&b.time).then(a.amount.total_cmp(&b.amount)));
        rows
    }

    /// The ids of all customers, in no particular order.
    #[cfg(feature = "cli")]
    pub(crate) fn customer_ids(&self) -> impl Iterator<Item = &str> {
        self.partitions.iter().flat_map(|partition| partition.customers().ids().iter())
    }

    /// The rows of these customers, given in byte order of their ids.
    #[cfg(feature = "cli")]
    pub(crate) fn of_customers(&self, ids: &[&str]) -> Result<TransactionLog> {
        let mut log = TransactionLog { skipped: self.skipped.clone(), ..TransactionLog::default() };
        self.for_each_in_order(
            |event| (event.hour, event.amount),
            |id, rows| if ids.binary_search(&id).is_ok() { log.push_all(id, rows) } else { Ok(()) },
        )?;
        Ok(log)
    }

    /// The partition of a customer, and the customer's number in it.
    pub(crate) fn find(&self, customer: &str) -> Option<(&Partition, u32)> {
        let hash = self.hasher.hash(customer);
        let partition = &self.partitions[partition_of(hash)];
        partition.customers().find(customer, hash).map(|number| (partition, number))
    }

    pub(crate) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub(crate) fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    pub(crate) fn into_parts(self) -> (IdHasher, Vec<Partition>, Skipped) {
        (self.hasher, self.partitions, self.skipped)
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn from_parts(hasher: IdHasher, partitions: Vec<Partition>, skipped: Skipped) -> Self {
        TransactionLog { hasher, partitions, skipped }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn with_skipped(mut self, skipped: Skipped) -> Self {
        self.skipped = skipped;
        self
    }

    /// Hands over `of` each row, customer by customer in byte order of the ids.
    pub(crate) fn for_each_in_order<T: Copy + Default + Send, E>(
        &self,
        of: impl Fn(&Event) -> T + Sync,
        mut each: impl FnMut(&str, &mut [T]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut grouped = map_indices(self.partitions.len(), |index| self.partitions[index].by_customer(&of));
        let ids: Vec<_> = self.partitions.iter().map(|partition| partition.customers().ids()).collect();
        ids_in_order(&ids).into_iter().try_for_each(|(index, number)| {
            let (index, number) = (index as usize, number as usize);
            each(ids[index].get(number), grouped[index].rows_of(number))
        })
    }

    fn span(&self) -> Option<(i32, i32)> {
        let spans = self.partitions.iter().filter_map(Partition::span);
        spans.reduce(|(first, last), (other_first, other_last)| (first.min(other_first), last.max(other_last)))
    }
}

fn date_of(hour: i32) -> Date {
    Moment::from_hours_since_1970(hour).date()
}
