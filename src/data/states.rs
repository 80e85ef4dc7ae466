//! What is kept of a whole customer base from one night to the next.

use crate::data::customers::Customers;
use crate::data::log::{Transaction, TransactionLog};
use crate::data::observation::Observation;
use crate::data::state::CustomerState;
use crate::error::{Error, Result};

/// A file whose rows are in the states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    /// Its name at that time.
    pub name: String,
    /// Its rows, skipped ones among them.
    pub rows: u64,
    /// SHA-256 of its bytes.
    pub fingerprint: [u8; 32],
}

/// The states of all customers: what a nightly run carries on with today's rows instead of reading the whole log again.
///
/// A summary of the states is that of a log of all rows they were given, whatever came in which order on which night: the same bits, and the same
/// [`DataReport`](crate::DataReport); a file keeps no [first row skipped](crate::DataReport::first_skipped). Saved with `save` and read with `load` (features `csv`, `parquet`).
///
/// ```
/// use clv::{CustomerStates, Date, Observation, Transaction};
///
/// let day = |text: &str| text.parse::<Date>();
/// let mut states = CustomerStates::new();
/// states.take(Transaction { customer: "7", time: day("2026-01-05")?.into(), amount: 20.0 })?;
///
/// let mut tonight = CustomerStates::new();
/// tonight.take(Transaction { customer: "7", time: day("2026-01-12")?.into(), amount: 30.0 })?;
/// states.merge(tonight)?;
/// let customers = states.summarize(&Observation::until(day("2026-01-19")?).in_weeks())?;
/// assert_eq!((customers.frequency(), customers.recency(), customers.age()), (&[1][..], &[1.0][..], &[2.0][..]));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CustomerStates {
    log: TransactionLog,
    taken_in: Vec<TakenIn>,
}

impl CustomerStates {
    /// No customer yet.
    #[must_use]
    pub fn new() -> Self {
        CustomerStates::default()
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When the customer is blank or the amount is no finite number.
    pub fn take(&mut self, event: Transaction<'_>) -> Result<()> {
        self.log.push(event)
    }

    /// Adds all events of a log: today's rows.
    ///
    /// # Errors
    /// When there are more than 4,294,967,296 customers.
    pub fn take_log(&mut self, log: TransactionLog) -> Result<()> {
        self.log.append(log)
    }

    /// Adds all that other states have been given.
    ///
    /// # Errors
    /// When both have taken in the same file: its rows would count twice. Nothing is added then.
    pub fn merge(&mut self, other: CustomerStates) -> Result<()> {
        other.taken_in.iter().try_for_each(|file| self.refuse_again(&file.name, &file.fingerprint))?;
        self.log.append(other.log)?;
        self.taken_in.extend(other.taken_in);
        Ok(())
    }

    /// The state of one customer; none when the id is not known. Looks through the rows of a 64th of all customers.
    #[must_use]
    pub fn state(&self, customer: &str) -> Option<CustomerState> {
        let (partition, number) = self.log.find(customer)?;
        Some(CustomerState::from_rows(partition.events_of(number).map(|event| (event.hour, event.amount)).collect()))
    }

    /// The states of all customers, in byte order of the ids: what a service begins with.
    ///
    /// ```
    /// use clv::{CustomerStates, Transaction};
    ///
    /// let mut states = CustomerStates::new();
    /// for customer in ["b", "a", "b"] {
    ///     states.take(Transaction { customer, time: "2026-01-05".parse()?, amount: 20.0 })?;
    /// }
    /// let all = states.states();
    /// assert_eq!((all[0].0.as_str(), all[1].0.as_str(), all[1].1.len()), ("a", "b", 2));
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn states(&self) -> Vec<(String, CustomerState)> {
        let mut states = Vec::with_capacity(self.log.customer_count());
        let Ok(()) = self.log.for_each_in_order(
            |event| (event.hour, event.amount),
            |id, rows| {
                states.push((id.to_owned(), CustomerState::from_rows(rows.to_vec())));
                Ok::<(), std::convert::Infallible>(())
            },
        );
        states
    }

    /// The files whose rows are in the states, in the order in which they were taken in.
    #[must_use]
    pub fn taken_in(&self) -> &[TakenIn] {
        &self.taken_in
    }

    /// All rows.
    #[must_use]
    pub fn log(&self) -> &TransactionLog {
        &self.log
    }

    /// Summarises the states as they were on the observation end.
    ///
    /// # Errors
    /// As [`TransactionLog::summarize`].
    pub fn summarize(&self, observation: &Observation) -> Result<Customers> {
        self.log.summarize(observation)
    }

    /// Refuses a file that has been taken in.
    pub(crate) fn refuse_again(&self, name: &str, fingerprint: &[u8; 32]) -> Result<()> {
        match self.taken_in.iter().find(|file| file.fingerprint == *fingerprint) {
            None => Ok(()),
            Some(known) => Err(Error::data(format!(
                "{name} has been taken in before, as {} with {} rows, and its rows would count twice; leave it out",
                known.name, known.rows
            ))),
        }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn note(&mut self, file: TakenIn) {
        self.taken_in.push(file);
    }

    /// The rows of the files noted, in the same order.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn count_rows(&mut self, rows: &[u64]) {
        for (file, &rows) in self.taken_in.iter_mut().zip(rows) {
            file.rows = rows;
        }
    }

    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn from_parts(log: TransactionLog, taken_in: Vec<TakenIn>) -> Self {
        CustomerStates { log, taken_in }
    }
}
