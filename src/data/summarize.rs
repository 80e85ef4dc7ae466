//! From the rows of a log to the purchases of each customer, and from these to (x, t_x, T) and the average spend.

use crate::data::customers::{Customer, Customers, PurchaseRecord};
use crate::data::history::History;
use crate::data::log::{Event, TransactionLog};
use crate::data::observation::{Observation, RefundPolicy};
use crate::data::report::DataReport;
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

impl TransactionLog {
    /// Summarises the log as it was on the observation end: one row per customer with a purchase, sorted by id.
    ///
    /// The result does not depend on the order of the rows, not by a bit. What was merged, netted, ignored or left out stands in
    /// [`Customers::report`].
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
    /// [`RefundPolicy::Error`], or amounts sum to infinity: those of a customer, or of all customers under one head of the report.
    pub fn summarize(&self, observation: &Observation) -> Result<Customers> {
        self.check_covers(observation)?;
        let unit_hours = observation.unit.hours();
        let period_hours = observation.merge.hours();
        let mut customers = Customers::new(observation.unit)
            .observed_until(observation.end)
            .spend_over(observation.spend_basis)
            .merged_by(observation.merge);
        let report = self.clean(observation, |id, purchases| {
            let (Some(first), Some(last)) = (purchases.first(), purchases.last()) else { return Ok(()) };
            let units = |period: i32| f64::from((period - first.period) * period_hours) / unit_hours;
            let frequency = u32::try_from(purchases.len() - 1)
                .map_err(|_| Error::data(format!("{} purchases are more than can be counted", purchases.len())))?;
            let repeat_spend = purchases[1..].iter().fold(0.0, |sum, purchase| sum + purchase.value);
            let total_spend = first.value + repeat_spend;
            let behind_the_mean = observation.spend_basis.purchases(frequency);
            let spend = if behind_the_mean == frequency { repeat_spend } else { total_spend };
            customers.push(Customer {
                id,
                history: History::new(frequency, units(last.period), units(last_period(observation)))?,
                average_spend: if behind_the_mean == 0 { 0.0 } else { spend / f64::from(behind_the_mean) },
                weight: 1.0,
                purchases: Some(PurchaseRecord { first: first.time(period_hours), last: last.time(period_hours), total_spend }),
            })
        })?;
        if customers.is_empty() {
            return Err(Error::data(format!(
                "no customer has a purchase up to the observation end {}: {} rows up to that day are refunds, or fully refunded",
                observation.end, report.used.count
            )));
        }
        Ok(customers.with_report(report))
    }

    /// The purchases of one customer up to the observation end, in order: what [`summarize`](Self::summarize) makes its figures of. None
    /// when the customer has no purchase, or is not in the log.
    ///
    /// # Errors
    /// When a refund of this customer is met under [`RefundPolicy::Error`].
    pub fn purchases_of(&self, customer: &str, observation: &Observation) -> Result<Vec<Purchase>> {
        let Some(number) = self.interner().find(customer) else { return Ok(Vec::new()) };
        let period_hours = observation.merge.hours();
        let mut rows: Vec<Row> =
            self.events().iter().filter(|event| event.customer == number).map(|event| Row::of(event, period_hours)).collect();
        let mut cleaner = Cleaner::new(observation);
        cleaner.take(customer, &mut rows)?;
        Ok(cleaner.days.iter().map(|day| Purchase { time: day.time(period_hours), amount: day.value }).collect())
    }

    /// Hands the purchases of each customer up to the observation end to `each`, in byte order of the ids; a customer without any has none to hand.
    pub(crate) fn for_each_customer(&self, observation: &Observation, mut each: impl FnMut(&str, &[Purchase])) -> Result<()> {
        let period_hours = observation.merge.hours();
        let mut purchases = Vec::new();
        self.clean(observation, |id, days| {
            purchases.clear();
            purchases.extend(days.iter().map(|day| Purchase { time: day.time(period_hours), amount: day.value }));
            each(id, &purchases);
            Ok(())
        })?;
        Ok(())
    }

    fn check_covers(&self, observation: &Observation) -> Result<()> {
        let Some(first) = self.first_date() else {
            return Err(Error::data(match self.skipped().rows() {
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

    /// Hands the purchases of each customer to `each`, in byte order of the ids.
    fn clean(&self, observation: &Observation, mut each: impl FnMut(&str, &[Day]) -> Result<()>) -> Result<DataReport> {
        let ids = self.interner().ids();
        let (mut rows, ends) = self.rows_by_customer(observation.merge.hours());
        let mut order: Vec<u32> = (0..ids.len() as u32).collect();
        order.sort_unstable_by_key(|&number| ids.get(number as usize));
        let mut cleaner = Cleaner::new(observation);
        for number in order {
            let number = number as usize;
            let id = ids.get(number);
            let start = if number == 0 { 0 } else { ends[number - 1] };
            cleaner.take(id, &mut rows[start..ends[number]])?;
            each(id, &cleaner.days)?;
        }
        let mut report = cleaner.report;
        report.rows_read = self.rows_read();
        report.skipped = self.skipped().tally();
        match report.infinite() {
            Some(what) => Err(Error::data(format!("the amounts of {what} {TOO_LARGE}"))),
            None => Ok(report),
        }
    }

    /// All rows, those of one customer together, and where each customer's rows end: a counting sort.
    fn rows_by_customer(&self, period_hours: i32) -> (Vec<Row>, Vec<usize>) {
        let mut next = vec![0; self.customer_count() + 1];
        for event in self.events() {
            next[event.customer as usize + 1] += 1;
        }
        for number in 1..next.len() {
            next[number] += next[number - 1];
        }
        let mut rows = vec![Row { period: 0, amount: 0.0 }; self.len()];
        for event in self.events() {
            let place = &mut next[event.customer as usize];
            rows[*place] = Row::of(event, period_hours);
            *place += 1;
        }
        // Every start has moved to the end of its customer's rows.
        next.pop();
        (rows, next)
    }
}

/// The last merge period observed.
fn last_period(observation: &Observation) -> i32 {
    let last_hour = Moment::from(observation.end).hours_since_1970() + 23;
    last_hour.div_euclid(observation.merge.hours())
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// Merge periods since 1970.
    period: i32,
    amount: f64,
}

impl Row {
    fn of(event: &Event, period_hours: i32) -> Self {
        Row { period: event.hour.div_euclid(period_hours), amount: event.amount }
    }
}

/// A merge period (mostly a day) with purchases of one customer.
#[derive(Debug, Clone, Copy)]
struct Day {
    period: i32,
    /// Before refunds.
    gross: f64,
    /// After refunds.
    value: f64,
    refunded: bool,
}

impl Day {
    fn time(&self, period_hours: i32) -> Moment {
        Moment::from_hours_since_1970(self.period * period_hours)
    }
}

/// 0.1 + 0.2 - 0.3 is not 0 in floating point; what is left of a day after refunds is nothing when it is this part of it, or less.
const NOTHING: f64 = 1e-9;

/// Turns the rows of one customer after the other into purchases and keeps the account.
struct Cleaner<'a> {
    observation: &'a Observation,
    report: DataReport,
    /// The purchases of the customer taken last.
    days: Vec<Day>,
    /// Days that a refund may still reduce, the latest on top.
    open: Vec<usize>,
}

impl<'a> Cleaner<'a> {
    fn new(observation: &'a Observation) -> Self {
        let report = DataReport { refunds: observation.refunds, merge: observation.merge, ..DataReport::default() };
        Cleaner { observation, report, days: Vec::new(), open: Vec::new() }
    }

    fn take(&mut self, id: &str, rows: &mut [Row]) -> Result<()> {
        // Sorted down to the amount, so that sums do not depend on the order of the rows.
        rows.sort_unstable_by(|a, b| a.period.cmp(&b.period).then(a.amount.total_cmp(&b.amount)));
        let last_period = last_period(self.observation);
        let (used, after) = rows.split_at(rows.partition_point(|row| row.period <= last_period));
        check_sums(id, used)?;
        self.days.clear();
        self.open.clear();
        for rows in used.chunk_by(|a, b| a.period == b.period) {
            self.take_day(id, rows)?;
        }
        self.days.retain(|day| !day.refunded);
        self.account(used, after);
        Ok(())
    }

    /// The rows of one period: refunds first, because they are sorted.
    fn take_day(&mut self, id: &str, rows: &[Row]) -> Result<()> {
        let (mut refunds, paid) = rows.split_at(rows.partition_point(|row| row.amount < 0.0));
        let period = rows[0].period;
        if let Some(refund) = refunds.first() {
            match self.observation.refunds {
                RefundPolicy::Net => {}
                RefundPolicy::Drop => {
                    self.report.refunds_dropped.add(refunds.len() as u64, -sum(refunds));
                    refunds = &[];
                }
                RefundPolicy::Error => {
                    let day = Moment::from_hours_since_1970(period * self.observation.merge.hours());
                    return Err(Error::data(format!(
                        "amount {} on {day} is negative, and refunds are set to be an error; the refund policies net and drop accept them",
                        refund.amount
                    ))
                    .at(format!("customer {id:?}")));
                }
            }
        }
        let gross = sum(paid);
        if let Some((_, smaller)) = paid.split_last() {
            self.report.merged.add(smaller.len() as u64, sum(smaller));
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
                self.report.netted_away.add(1, day.gross);
                self.open.pop();
            }
        }
        let matched = owed - left;
        self.report.refunds_netted.value += matched;
        self.report.refunds_unmatched.value += left;
        let mut covered = 0.0;
        for refund in refunds {
            covered -= refund.amount;
            let tally =
                if left <= 0.0 || covered <= matched { &mut self.report.refunds_netted } else { &mut self.report.refunds_unmatched };
            tally.count += 1;
        }
    }

    fn account(&mut self, used: &[Row], after: &[Row]) {
        let report = &mut self.report;
        let value = sum(used);
        report.customers_seen += 1;
        report.used.add(used.len() as u64, value);
        report.after_end.add(after.len() as u64, sum(after));
        let (Some(first), Some(last)) = (used.first(), used.last()) else {
            report.customers_after_end += 1;
            return;
        };
        let date = |row: &Row| Some(Moment::from_hours_since_1970(row.period * self.observation.merge.hours()).date());
        report.first_date = earliest(report.first_date, date(first));
        report.last_date = report.last_date.max(date(last));
        if self.days.is_empty() {
            report.customers_excluded.add(1, value);
        } else {
            report.customers += 1;
            report.purchases.add(self.days.len() as u64, self.days.iter().fold(0.0, |sum, day| sum + day.value));
            report.zero_amount_purchases += self.days.iter().filter(|day| day.value <= 0.0).count() as u64;
        }
    }
}

const TOO_LARGE: &str = "sum to more than the largest number there is; check their unit";

fn check_sums(id: &str, rows: &[Row]) -> Result<()> {
    if rows.iter().fold(0.0, |sum, row| sum + row.amount.abs()).is_finite() {
        return Ok(());
    }
    Err(Error::data(format!("the amounts {TOO_LARGE}")).at(format!("customer {id:?}")))
}

fn sum(rows: &[Row]) -> f64 {
    rows.iter().fold(0.0, |sum, row| sum + row.amount)
}

fn earliest(a: Option<Date>, b: Option<Date>) -> Option<Date> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
