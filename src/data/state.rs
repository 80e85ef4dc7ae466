//! What is kept of one customer, so that an event can be added at any time and the score is that of the whole history.

use std::cmp::Ordering;

use crate::data::clean::{Cleaner, Row};
use crate::data::history::{History, SpendHistory};
use crate::data::log::Transaction;
use crate::data::observation::Observation;
use crate::error::Result;
use crate::time::Moment;

/// One customer's rows, 16 bytes each, in order of time: the state that a service keeps and carries on event by event.
///
/// It is not first, last, count and sum alone, because those cannot be carried on exactly: a refund reduces the latest purchases before it, and a row
/// that comes late may lie between them, or on a day that is there already. What is asked of a state is therefore worked out of the rows, by the same
/// rules and to the same bits as in a log of all customers, in a few nanoseconds for each.
///
/// ```
/// use clv::{CustomerState, Date, Observation};
///
/// let day = |text: &str| text.parse::<Date>();
/// let mut customer = CustomerState::new();
/// customer.take(day("2026-01-05")?.into(), 20.0)?;
/// customer.take(day("2026-01-19")?.into(), 30.0)?;
/// let observation = Observation::until(day("2026-02-02")?).in_weeks();
/// let (history, spend) = customer.history(&observation)?.expect("there is a purchase");
/// assert_eq!((history.frequency(), history.recency(), history.age(), spend.mean()), (1, 2.0, 4.0, 30.0));
///
/// customer.take(day("2026-01-12")?.into(), 50.0)?;                    // comes late
/// let (history, spend) = customer.history(&observation)?.expect("there is a purchase");
/// assert_eq!((history.frequency(), history.recency(), spend.mean()), (2, 2.0, 40.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomerState {
    /// Hours since 1970 and amounts, sorted.
    rows: Vec<(i32, f64)>,
}

impl CustomerState {
    /// A customer of whom nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        CustomerState::default()
    }

    /// Adds an event: a purchase, or a refund when the amount is negative. In constant time (amortised) when no event is dated later; those that are
    /// make room for one that comes late.
    ///
    /// # Errors
    /// When the amount is no finite number.
    pub fn take(&mut self, time: Moment, amount: f64) -> Result<()> {
        let event = Transaction { customer: "-", time, amount };
        event.check()?;
        let row = (time.hours_since_1970(), event.unsigned_zero());
        let place = match self.rows.last() {
            Some(last) if in_order(last, &row).is_gt() => self.rows.partition_point(|other| in_order(other, &row).is_le()),
            _ => self.rows.len(),
        };
        self.rows.insert(place, row);
        Ok(())
    }

    /// Adds all events of another state of the same customer: the order in which states are merged has no influence.
    pub fn merge(&mut self, other: &CustomerState) {
        self.rows.extend_from_slice(&other.rows);
        self.rows.sort_unstable_by(in_order);
    }

    /// The number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The time of the first event, purchase or refund.
    #[must_use]
    pub fn first(&self) -> Option<Moment> {
        self.rows.first().map(|&(hour, _)| Moment::from_hours_since_1970(hour))
    }

    /// The time of the last event, purchase or refund.
    #[must_use]
    pub fn last(&self) -> Option<Moment> {
        self.rows.last().map(|&(hour, _)| Moment::from_hours_since_1970(hour))
    }

    /// The events in order of time.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (Moment, f64)> + '_ {
        self.rows.iter().map(|&(hour, amount)| (Moment::from_hours_since_1970(hour), amount))
    }

    /// What the models want to know as of the observation end, which may be any day; none without a purchase up to then.
    ///
    /// # Errors
    /// When a refund is met under [`RefundPolicy::Error`](crate::RefundPolicy::Error), or the amounts sum to infinity.
    pub fn history(&self, observation: &Observation) -> Result<Option<(History, SpendHistory)>> {
        let mut rows: Vec<Row> = self.rows.iter().map(|&(hour, amount)| Row::new(hour, amount, observation.merge)).collect();
        let account = Cleaner::new(observation).take("-", &mut rows)?;
        let Some(customer) = account.customer("-", observation)? else { return Ok(None) };
        let purchases = observation.spend_basis.purchases(customer.history.frequency());
        Ok(Some((customer.history, SpendHistory::new(purchases, customer.average_spend)?)))
    }

    pub(super) fn from_rows(mut rows: Vec<(i32, f64)>) -> Self {
        rows.sort_unstable_by(in_order);
        CustomerState { rows }
    }
}

/// By time, then by amount.
fn in_order(one: &(i32, f64), other: &(i32, f64)) -> Ordering {
    one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
}
