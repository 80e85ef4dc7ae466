//! Counts in periods of the calendar, as files have them, and the customers known by them.

use super::censored::CensoredCustomers;
use super::ids::{Ids, is_blank};
use super::period_counts::PeriodCounts;
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// How often a customer bought from one day to another, both included. All transactions of one day are one purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarCount {
    /// The first day of the period.
    pub start: Date,
    /// The last day of the period.
    pub end: Date,
    /// The purchases of the period; where it holds the first purchase of all, with it.
    pub purchases: u32,
}

impl PeriodCounts {
    /// Counts of a customer who first bought on some day, in periods of the calendar that are in order and follow each other day by day. The first of them
    /// holds the first purchase, and counts it.
    ///
    /// Days become times as everywhere: those of a period that ends on a day d are the times up to d - first purchase.
    ///
    /// ```
    /// use clv::{CalendarCount, PeriodCounts, TimeUnit};
    ///
    /// let month = |start: &str, end: &str, purchases| Ok::<_, clv::Error>(CalendarCount { start: start.parse()?, end: end.parse()?, purchases });
    /// let months = [month("1997-01-01", "1997-01-31", 2)?, month("1997-02-01", "1997-02-28", 0)?, month("1997-03-01", "1997-03-31", 1)?];
    /// let customer = PeriodCounts::of_calendar("1997-01-24".parse()?, &months, TimeUnit::Week)?;
    /// assert_eq!((customer.frequency(), customer.last_period(), customer.age()), (2, (5.0, 66.0 / 7.0, 1), 66.0 / 7.0));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no period, one ends before it starts or has more purchases than days from the first purchase on, days are missing between two periods or
    /// are in both, the first period does not hold the first purchase, or does not count it.
    pub fn of_calendar(first_purchase: Date, periods: &[CalendarCount], unit: TimeUnit) -> Result<Self> {
        counted_from(first_purchase, periods, unit).map_err(|(_, error)| error)
    }
}

/// The same, and of an error the period it is about.
pub(crate) fn counted_from(
    first_purchase: Date,
    periods: &[CalendarCount],
    unit: TimeUnit,
) -> std::result::Result<PeriodCounts, (usize, Error)> {
    let Some(opening) = periods.first() else {
        return Err((0, Error::data("there is no period; a customer has at least the one of the first purchase")));
    };
    for (index, period) in periods.iter().enumerate() {
        check_period(first_purchase, period).map_err(|error| (index, error))?;
        if index > 0 {
            check_follows(&periods[index - 1], period).map_err(|error| (index, error))?;
        }
    }
    if opening.start > first_purchase {
        return Err((
            0,
            Error::data(format!(
                "the periods begin on {}, but the first purchase is of {first_purchase}; the days between are missing: add the periods from that of \
                 the first purchase on",
                opening.start
            )),
        ));
    }
    let Some(repeat) = opening.purchases.checked_sub(1) else {
        return Err((
            0,
            Error::data(format!(
                "the period holds the first purchase, of {first_purchase}, but counts no purchase; counts are of all purchases, the first one included"
            )),
        ));
    };
    let (mut ends, mut counts) = (Vec::with_capacity(periods.len()), Vec::with_capacity(periods.len()));
    for (index, period) in periods.iter().enumerate() {
        let count = if index == 0 { repeat } else { period.purchases };
        if period.end > first_purchase {
            ends.push(f64::from(period.end.days_since(first_purchase)) * 24.0 / unit.hours());
            counts.push(count);
        }
    }
    // Who first bought on the last day has no age.
    if ends.is_empty() { Ok(PeriodCounts::NEW_BORN) } else { PeriodCounts::new(&ends, &counts).map_err(|error| (0, error)) }
}

fn check_period(first_purchase: Date, &CalendarCount { start, end, purchases }: &CalendarCount) -> Result<()> {
    check_days(start, end)?;
    if end < first_purchase {
        return Err(Error::data(format!(
            "the period ends on {end}, before the first purchase of {first_purchase}; there is nothing to count before it: leave the row out, or \
             correct one of the days"
        )));
    }
    check_purchases(purchases, start.max(first_purchase), end)
}

/// That a period ends no earlier than it starts.
pub(crate) fn check_days(start: Date, end: Date) -> Result<()> {
    if end < start {
        return Err(Error::data(format!("the period ends on {end}, before it starts on {start}; both days belong to it")));
    }
    Ok(())
}

/// That nobody buys more often from one day to another, both included, than there are days.
pub(crate) fn check_purchases(purchases: u32, from: Date, end: Date) -> Result<()> {
    let days = i64::from(end.days_since(from)) + 1;
    if i64::from(purchases) <= days {
        return Ok(());
    }
    let possible = if days == 1 { format!("{end}") } else { format!("the {days} days from {from} to {end}") };
    Err(Error::data(format!(
        "{purchases} purchases on {possible}; all transactions of a day are one purchase: write the number of days with a purchase"
    )))
}

fn check_follows(before: &CalendarCount, period: &CalendarCount) -> Result<()> {
    match period.start.days_since(before.end) {
        1 => Ok(()),
        days if days > 1 => Err(Error::data(format!(
            "the period starts on {}, and the one before it ends on {}: the days between are missing; write a row for every period, those without a \
             purchase included",
            period.start, before.end
        ))),
        _ => Err(Error::data(format!(
            "the period from {} to {} overlaps that from {} to {}; every day belongs to one period of a customer, so that no purchase is counted twice",
            period.start, period.end, before.start, before.end
        ))),
    }
}

/// Customers known by counts per period, with their ids: what is fitted is [`customers`](Self::customers), what is scored each of its rows.
///
/// ```
/// use clv::{CountedCustomers, PeriodCounts, TimeUnit};
///
/// let mut counted = CountedCustomers::new(TimeUnit::Week);
/// counted.push("0001", PeriodCounts::new(&[6.0, 10.0], &[2, 0])?)?;
/// assert_eq!((counted.id(0), counted.customers().row(0).frequency()), ("0001", 2));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CountedCustomers {
    ids: Ids,
    customers: CensoredCustomers<PeriodCounts>,
}

impl CountedCustomers {
    /// No customer yet, times in `unit`.
    #[must_use]
    pub fn new(unit: TimeUnit) -> Self {
        CountedCustomers { ids: Ids::default(), customers: CensoredCustomers::new(unit) }
    }

    /// Names the day up to which the customers were observed.
    #[must_use]
    pub fn observed_until(mut self, end: Date) -> Self {
        self.customers = self.customers.observed_until(end);
        self
    }

    /// Adds a customer. That no id comes twice is for the caller to see to: it is not looked for here.
    ///
    /// # Errors
    /// When the id is blank.
    pub fn push(&mut self, id: &str, row: PeriodCounts) -> Result<()> {
        if is_blank(id) {
            return Err(Error::data("the id is blank; every row belongs to a customer with an id").at(format!("customer {id:?}")));
        }
        self.customers.push(row, 1.0)?;
        self.ids.push(id);
        Ok(())
    }

    /// The id of row `index`.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index)
    }

    /// The ids in row order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ids.iter()
    }

    /// The counts of each, in the same order.
    #[must_use]
    pub fn customers(&self) -> &CensoredCustomers<PeriodCounts> {
        &self.customers
    }
}
