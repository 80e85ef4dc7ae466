//! From a log to a summary: partition by partition, on all cores, and in the order of the ids.

use std::borrow::Borrow;
use std::mem;
use std::sync::{Mutex, PoisonError};

use crate::data::books::Books;
use crate::data::clean::{Cleaner, Purchase, Row, last_period};
use crate::data::customers::Customers;
use crate::data::exclusion::Exclusion;
use crate::data::ids::ids_in_order;
use crate::data::log::TransactionLog;
use crate::data::observation::Observation;
use crate::data::partition::Partition;
use crate::data::report::Skipped;
use crate::error::{Error, Result};
use crate::parallel::map_indices;
use crate::time::Date;

impl TransactionLog {
    /// Summarises the log as it was on the observation end: one row per customer with a purchase, sorted by id.
    ///
    /// The result does not depend on the order of the rows or the number of threads, not by a bit. What was merged, netted, ignored or left
    /// out stands in [`Customers::report`].
    ///
    /// ```
    /// use clv::{Observation, TransactionLog};
    ///
    /// let day = |text: &str| text.parse();
    /// let dates = [day("2026-01-05")?, day("2026-01-12")?, day("2026-01-12")?, day("2026-01-14")?];
    /// let log = TransactionLog::from_columns(&["7"; 4], &dates, &[20.0, 30.0, 5.0, -10.0])?;
    /// let customers = log.summarize(&Observation::until(day("2026-01-19")?).in_days())?;
    /// assert_eq!((customers.frequency()[0], customers.recency()[0], customers.age()[0]), (1, 7.0, 14.0));
    /// assert_eq!(customers.average_spend()[0], 25.0);                     // 30 + 5 on the 12th, less the refund
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the log has no row, all rows are dated after the observation end, no purchase is left, a refund is met under
    /// [`RefundPolicy::Error`](crate::RefundPolicy::Error), or amounts sum to infinity: those of a customer, or of all customers under one
    /// head of the report.
    pub fn summarize(&self, observation: &Observation) -> Result<Customers> {
        check_covers(self.first_date(), self.skipped(), observation)?;
        let parts = map_indices(self.partitions().len(), |index| summarize_partition(&self.partitions()[index], observation));
        finish(parts, observation, self.rows_read(), self.skipped())
    }

    /// The summary of a log that is not needed any more: its memory is given back on the way.
    ///
    /// ```
    /// use clv::{Date, Observation, TransactionLog};
    ///
    /// let days: [Date; 2] = ["2026-01-05".parse()?, "2026-01-12".parse()?];
    /// let log = TransactionLog::from_columns(&["7"; 2], &days, &[20.0, 30.0])?;
    /// assert_eq!(log.into_summary(&Observation::until(days[1]))?.recency(), [1.0]);
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`summarize`](Self::summarize).
    pub fn into_summary(self, observation: &Observation) -> Result<Customers> {
        check_covers(self.first_date(), self.skipped(), observation)?;
        let rows_read = self.rows_read();
        let (_, partitions, skipped) = self.into_parts();
        let partitions: Vec<_> = partitions.into_iter().map(Mutex::new).collect();
        let parts = map_indices(partitions.len(), |index| {
            let partition = mem::take(&mut *partitions[index].lock().unwrap_or_else(PoisonError::into_inner));
            summarize_partition(partition, observation)
        });
        finish(parts, observation, rows_read, &skipped)
    }

    /// The purchases of one customer up to the observation end, in order: what [`summarize`](Self::summarize) makes its figures of. None
    /// when the customer has no purchase, or is not in the log.
    ///
    /// # Errors
    /// When a refund of this customer is met under [`RefundPolicy::Error`](crate::RefundPolicy::Error).
    pub fn purchases_of(&self, customer: &str, observation: &Observation) -> Result<Vec<Purchase>> {
        let Some((partition, number)) = self.find(customer) else { return Ok(Vec::new()) };
        let mut rows: Vec<Row> = partition.events_of(number).map(|event| Row::of(event, observation)).collect();
        let mut cleaner = Cleaner::new(observation);
        cleaner.take(customer, &mut rows)?;
        Ok(cleaner.days().iter().map(|day| day.purchase(observation)).collect())
    }

    /// Hands the purchases of each customer up to the observation end to `each`, in byte order of the ids; a customer without any has none to hand.
    pub(crate) fn for_each_customer(&self, observation: &Observation, mut each: impl FnMut(&str, &[Purchase])) -> Result<()> {
        let (mut cleaner, mut purchases) = (Cleaner::new(observation), Vec::new());
        self.for_each_in_order(
            |event| Row::of(event, observation),
            |id, rows| {
                cleaner.take(id, rows)?;
                purchases.clear();
                purchases.extend(cleaner.days().iter().map(|day| day.purchase(observation)));
                each(id, &purchases);
                Ok(())
            },
        )
    }
}

impl TransactionLog {
    /// What `each` makes of the purchases of the customers up to the observation end: partition by partition, on all cores, and so in no order. A customer
    /// without any has none to hand.
    pub(crate) fn fold_customers<T: Send>(
        &self,
        observation: &Observation,
        empty: impl Fn() -> T + Sync + Send,
        each: impl Fn(&mut T, &[Purchase]) + Sync + Send,
    ) -> Result<Vec<T>> {
        let of_partition = |index: usize| {
            let partition = &self.partitions()[index];
            let ids = partition.customers().ids();
            let mut rows = partition.by_customer(|event| Row::of(event, observation));
            let (mut cleaner, mut purchases, mut folded) = (Cleaner::new(observation), Vec::new(), empty());
            for (number, id) in ids.iter().enumerate() {
                cleaner.take(id, rows.rows_of(number))?;
                purchases.clear();
                purchases.extend(cleaner.days().iter().map(|day| day.purchase(observation)));
                each(&mut folded, &purchases);
            }
            Ok(folded)
        };
        map_indices(self.partitions().len(), of_partition).into_iter().collect()
    }
}

/// Refuses an observation that would see nothing of a log that begins on the day `first`.
pub(super) fn check_covers(first: Option<Date>, skipped: &Skipped, observation: &Observation) -> Result<()> {
    let Some(first) = first else {
        return Err(Error::data(match skipped.rows() {
            0 => "there is no transaction to summarise".to_owned(),
            rows => format!("there is no transaction to summarise: all {rows} rows were skipped as unusable"),
        }));
    };
    if first > observation.end {
        return Err(Error::data(format!(
            "the observation end {} lies before all data: the first transaction is dated {first}",
            observation.end
        )));
    }
    Ok(())
}

/// Customers of a partition and the books of their cleaning, or the error of the customer whose id comes first, and this id.
pub(super) type Summarized = std::result::Result<(Customers, Books), (String, Error)>;

/// No customer yet, measured as the observation says.
pub(super) fn observed(observation: &Observation) -> Customers {
    Customers::new(observation.unit).observed_until(observation.end).spend_over(observation.spend_basis).merged_by(observation.merge)
}

pub(super) fn summarize_partition(partition: impl Borrow<Partition>, observation: &Observation) -> Summarized {
    let ids = partition.borrow().customers().ids();
    let mut rows = partition.borrow().by_customer(|event| Row::of(event, observation));
    let mut cleaner = Cleaner::new(observation);
    let last = last_period(observation);
    let mut customers = observed(observation).with_capacity(ids.len(), ids.bytes());
    // In order of the ids, the first error is the one to tell, and all partitions are put together in one pass.
    for (_, number) in ids_in_order(&[ids]) {
        let id = ids.get(number as usize);
        let account = cleaner.take(id, rows.rows_of(number as usize));
        let pushed = account.and_then(|account| match account.customer(id, observation)? {
            Some(customer) => customers.push(customer),
            None => {
                // Rows are sorted by now.
                match rows.rows_of(number as usize).first() {
                    Some(first) if first.period <= last => customers.exclude(id, Exclusion::NoPurchase, 0.0),
                    _ => customers.exclude(id, Exclusion::SeenAfterEnd, account.revenue_after_end().unwrap_or_default()),
                }
                Ok(())
            }
        });
        pushed.map_err(|error| (id.to_owned(), error))?;
    }
    Ok((customers, cleaner.books))
}

/// Puts the partitions together.
pub(super) fn finish(parts: Vec<Summarized>, observation: &Observation, rows_read: u64, skipped: &Skipped) -> Result<Customers> {
    let mut books = Books::default();
    let mut done = Vec::with_capacity(parts.len());
    let mut failure: Option<(String, Error)> = None;
    for part in parts {
        match part {
            Ok((customers, own)) => {
                books.add_all(&own);
                done.push(customers);
            }
            Err((id, error)) if failure.as_ref().is_none_or(|(other, _)| id < *other) => failure = Some((id, error)),
            Err(_) => {}
        }
    }
    if let Some((_, error)) = failure {
        return Err(error);
    }
    let report = books.report(observation, rows_read, skipped)?;
    if books.customers == 0 {
        return Err(Error::data(format!(
            "no customer has a purchase up to the observation end {}: {} rows up to that day are refunds, or fully refunded",
            observation.end, report.used.count
        )));
    }
    Ok(observed(observation).joined(done).with_report(report))
}
