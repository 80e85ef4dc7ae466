//! The one way from a customer's rows to purchases: merging by day, refunds, the observation end, and the books that are kept of it.

use std::cmp::Ordering;

use crate::data::books::{Books, TOO_LARGE};
use crate::data::customer::{Customer, PurchaseRecord};
use crate::data::history::History;
use crate::data::observation::{DuplicatePolicy, MergePeriod, Observation, RefundPolicy};
use crate::data::partition::Event;
use crate::error::{Error, Result};
use crate::time::{Date, Moment};

/// A purchase: all transactions of one customer in one merge period, after refunds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase {
    /// The day (or hour) of the purchase.
    pub time: Moment,
    /// What was spent, refunds taken off; at least 0.
    pub amount: f64,
}

/// The last merge period observed.
pub(super) fn last_period(observation: &Observation) -> i32 {
    last_period_of(observation.end, observation.merge)
}

/// The last merge period of a day.
pub(super) fn last_period_of(end: Date, merge: MergePeriod) -> i32 {
    (Moment::from(end).hours_since_1970() + 23).div_euclid(merge.hours())
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// Merge periods since 1970.
    pub(super) period: i32,
    /// Hours since 1970.
    pub(super) hour: i32,
    pub(super) amount: f64,
}

impl Row {
    pub(super) fn new(hour: i32, amount: f64, merge: MergePeriod) -> Self {
        Row { period: hour.div_euclid(merge.hours()), hour, amount }
    }

    /// How rows of one customer are sorted: down to the amount, so that sums do not depend on the order of the rows, and those that are the same together.
    pub(super) fn order(&self, other: &Row) -> Ordering {
        self.period.cmp(&other.period).then(self.amount.total_cmp(&other.amount)).then(self.hour.cmp(&other.hour))
    }

    /// Whether nothing that was read tells these rows of one customer apart.
    fn repeats(&self, other: &Row) -> bool {
        self.hour == other.hour && self.amount.total_cmp(&other.amount).is_eq()
    }

    pub(super) fn of(event: &Event, observation: &Observation) -> Self {
        Row::new(event.hour, event.amount, observation.merge)
    }
}

/// A merge period (mostly a day) with purchases of one customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    period: i32,
    /// Before refunds.
    gross: f64,
    /// After refunds.
    value: f64,
    refunded: bool,
}

impl Day {
    pub(super) fn purchase(&self, observation: &Observation) -> Purchase {
        Purchase { time: moment(self.period, observation), amount: self.value }
    }
}

fn moment(period: i32, observation: &Observation) -> Moment {
    Moment::from_hours_since_1970(period * observation.merge.hours())
}

/// What a customer's purchases come to, taken in order of time: all that a summary says, in 32 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    first: i32,
    last: i32,
    purchases: u32,
    /// Purchases worth 0.
    free: u32,
    first_spend: f64,
    repeat_spend: f64,
}

impl Account {
    fn add(&mut self, day: &Day) -> Result<()> {
        if self.purchases == 0 {
            (self.first, self.first_spend) = (day.period, day.value);
        } else {
            self.repeat_spend += day.value;
        }
        self.last = day.period;
        self.purchases =
            self.purchases.checked_add(1).ok_or_else(|| Error::data(format!("more than {} purchases cannot be counted", u32::MAX)))?;
        self.free += u32::from(day.value <= 0.0);
        Ok(())
    }

    /// What the rows after the observation end add up to, of a customer without any before it.
    pub(super) fn revenue_after_end(&self) -> Option<f64> {
        (self.purchases == 0).then_some(self.first_spend)
    }

    /// The row of the summary; none without a purchase.
    pub(super) fn customer<'a>(&self, id: &'a str, observation: &Observation) -> Result<Option<Customer<'a>>> {
        let Some(frequency) = self.purchases.checked_sub(1) else { return Ok(None) };
        let units = |period: i32| f64::from((period - self.first) * observation.merge.hours()) / observation.unit.hours();
        let total_spend = self.first_spend + self.repeat_spend;
        let behind_the_mean = observation.spend_basis.purchases(frequency);
        let spend = if behind_the_mean == frequency { self.repeat_spend } else { total_spend };
        Ok(Some(Customer {
            id,
            history: History::new(frequency, units(self.last), units(last_period(observation)))?,
            average_spend: if behind_the_mean == 0 { 0.0 } else { spend / f64::from(behind_the_mean) },
            weight: 1.0,
            purchases: Some(PurchaseRecord { first: moment(self.first, observation), last: moment(self.last, observation), total_spend }),
        }))
    }
}

/// 0.1 + 0.2 - 0.3 is not 0 in floating point; what is left of a day after refunds is nothing when it is this part of it, or less.
const NOTHING: f64 = 1e-9;

/// Turns the rows of one customer after the other into purchases and keeps the books.
pub(super) struct Cleaner<'a> {
    pub(super) observation: &'a Observation,
    pub(super) books: Books,
    last_period: i32,
    /// The purchases of the customer taken last.
    days: Vec<Day>,
    /// Days that a refund may still reduce, the latest on top.
    open: Vec<usize>,
}

impl<'a> Cleaner<'a> {
    pub(super) fn new(observation: &'a Observation) -> Self {
        Cleaner { observation, books: Books::default(), last_period: last_period(observation), days: Vec::new(), open: Vec::new() }
    }

    /// The purchases of the customer taken last.
    pub(super) fn days(&self) -> &[Day] {
        &self.days
    }

    /// Takes all rows of a customer, in any order, and gives what they come to.
    pub(super) fn take(&mut self, id: &str, rows: &mut [Row]) -> Result<Account> {
        rows.sort_unstable_by(Row::order);
        let rows = self.without_duplicates(rows);
        let (used, after) = rows.split_at(rows.partition_point(|row| row.period <= self.last_period));
        check_sums(used).map_err(|error| named(error, id))?;
        self.days.clear();
        self.open.clear();
        for rows in used.chunk_by(|a, b| a.period == b.period) {
            self.take_day(rows).map_err(|error| named(error, id))?;
        }
        self.days.retain(|day| !day.refunded);
        let mut account = Account::default();
        self.days.iter().try_for_each(|day| account.add(day)).map_err(|error| named(error, id))?;
        self.settle(&account, used, after);
        if used.is_empty() {
            account.first_spend = sum_by_period(after);
        }
        Ok(account)
    }

    /// Rows in their [order](Row::order), one of each kind where duplicates are dropped; these are entered here, and moved behind those that stay.
    fn without_duplicates<'r>(&mut self, rows: &'r mut [Row]) -> &'r [Row] {
        if self.observation.duplicates == DuplicatePolicy::Keep {
            return rows;
        }
        let mut kept = 0;
        for index in 0..rows.len() {
            if kept > 0 && rows[index].repeats(&rows[kept - 1]) {
                self.books.repeated.add(1, rows[index].amount);
            } else {
                rows.swap(kept, index);
                kept += 1;
            }
        }
        &rows[..kept]
    }

    /// The rows of one period: refunds first, because they are sorted.
    fn take_day(&mut self, rows: &[Row]) -> Result<()> {
        let (mut refunds, paid) = rows.split_at(rows.partition_point(|row| row.amount < 0.0));
        let period = rows[0].period;
        if let Some(refund) = refunds.first() {
            match self.observation.refunds {
                RefundPolicy::Net => {}
                RefundPolicy::Drop => {
                    refunds.iter().for_each(|refund| self.books.refunds_dropped.add(1, -refund.amount));
                    refunds = &[];
                }
                RefundPolicy::Error => {
                    return Err(Error::data(format!(
                        "amount {} on {} is negative, and refunds are set to be an error; the refund policies net and drop accept them",
                        refund.amount,
                        moment(period, self.observation)
                    )));
                }
            }
        }
        let gross = sum(paid);
        if let Some((_, smaller)) = paid.split_last() {
            smaller.iter().for_each(|row| self.books.merged.add(1, row.amount));
            self.days.push(Day { period, gross, value: gross, refunded: false });
            // A free purchase has nothing to give back; only a refund on its own day takes it away.
            if gross > 0.0 || !refunds.is_empty() {
                self.open.push(self.days.len() - 1);
            }
        }
        if !refunds.is_empty() {
            self.take_refunds(refunds);
        }
        Ok(())
    }

    /// Sets refunds against the purchases of their own period, then against the latest earlier ones.
    fn take_refunds(&mut self, refunds: &[Row]) {
        let owed = -sum(refunds);
        let mut left = owed;
        while left > 0.0
            && let Some(&top) = self.open.last()
        {
            let day = &mut self.days[top];
            let residual = day.value - left;
            if residual > NOTHING * day.gross {
                day.value = residual;
                left = 0.0;
            } else {
                left = if residual < -NOTHING * day.gross { -residual } else { 0.0 };
                day.refunded = true;
                self.books.netted_away.add(1, day.gross);
                self.open.pop();
            }
        }
        let matched = owed - left;
        self.books.refunds_netted.sum.add(matched);
        self.books.refunds_unmatched.sum.add(left);
        let mut covered = 0.0;
        for refund in refunds {
            covered -= refund.amount;
            let netted = left <= 0.0 || covered <= matched;
            let tally = if netted { &mut self.books.refunds_netted } else { &mut self.books.refunds_unmatched };
            tally.count += 1;
        }
    }

    /// Enters a customer's rows and what they come to.
    fn settle(&mut self, account: &Account, used: &[Row], after: &[Row]) {
        self.books.customers_seen += 1;
        self.count_rows(used);
        self.count_rows(after);
        if used.is_empty() {
            self.books.customers_after_end += 1;
        } else if account.purchases == 0 {
            self.books.customers_excluded.count += 1;
            used.iter().for_each(|row| self.books.customers_excluded.sum.add(row.amount));
        } else {
            self.count_purchases(account);
        }
    }

    /// Rows in order of time that lie all on one side of the observation end.
    fn count_rows(&mut self, rows: &[Row]) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let used = first.period <= self.last_period;
        let tally = if used { &mut self.books.used } else { &mut self.books.after_end };
        rows.iter().for_each(|row| tally.add(1, row.amount));
        if used {
            self.books.cover(first.period, last.period);
            rows.windows(2).filter(|pair| pair[1].repeats(&pair[0])).for_each(|pair| self.books.repeated.add(1, pair[1].amount));
        }
    }

    fn count_purchases(&mut self, account: &Account) {
        self.books.customers += 1;
        self.books.purchases.add(u64::from(account.purchases), account.first_spend + account.repeat_spend);
        self.books.zero_amount_purchases += u64::from(account.free);
    }
}

/// The same day by day, without the days before.
#[cfg(any(feature = "csv", feature = "parquet"))]
impl Cleaner<'_> {
    /// Carries an account on with the rows, in their [order](Row::order), of a period that comes after all before. Tells whether they hold a refund to be set
    /// against purchases, which an account cannot say: then all rows of the customer are needed.
    pub(super) fn take_next_day(&mut self, id: &str, account: &mut Account, rows: &mut [Row]) -> Result<bool> {
        let rows = self.without_duplicates(rows);
        self.count_rows(rows);
        if rows.iter().any(|row| row.period > self.last_period) {
            // Of one who is only seen after the end it is all that there is.
            if account.purchases == 0 {
                account.first_spend += sum(rows);
            }
            return Ok(false);
        }
        let refunds = rows.partition_point(|row| row.amount < 0.0);
        let dropped = self.observation.refunds == RefundPolicy::Drop;
        let rows = if dropped { rows } else { &rows[refunds..] };
        self.days.clear();
        self.open.clear();
        if !rows.is_empty() {
            self.take_day(rows).map_err(|error| named(error, id))?;
        }
        self.days.iter().try_for_each(|day| account.add(day)).map_err(|error| named(error, id))?;
        // Who has only refunds that are dropped is left out with their value, which an account does not say either.
        Ok(refunds > 0 && (!dropped || account.purchases == 0))
    }

    /// Enters what all rows of a customer came to.
    pub(super) fn enter(&mut self, id: &str, account: &Account) -> Result<()> {
        if account.purchases == 0 {
            self.books.customers_after_end += 1;
        } else if (account.first_spend + account.repeat_spend).is_finite() {
            self.count_purchases(account);
        } else {
            return Err(named(Error::data(format!("the amounts {TOO_LARGE}")), id));
        }
        Ok(())
    }
}

fn named(error: Error, id: &str) -> Error {
    error.at(format!("customer {id:?}"))
}

fn check_sums(rows: &[Row]) -> Result<()> {
    if rows.iter().fold(0.0, |sum, row| sum + row.amount.abs()).is_finite() {
        return Ok(());
    }
    Err(Error::data(format!("the amounts {TOO_LARGE}")))
}

/// The amounts of rows in their order, period by period, as an account that is carried on adds them.
fn sum_by_period(rows: &[Row]) -> f64 {
    rows.chunk_by(|a, b| a.period == b.period).fold(0.0, |all, rows| all + sum(rows))
}

fn sum(rows: &[Row]) -> f64 {
    rows.iter().fold(0.0, |sum, row| sum + row.amount)
}
