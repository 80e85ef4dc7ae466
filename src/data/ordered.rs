//! A summary of a log in order of time, made without keeping its rows: what is kept grows with the customers only.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::data::batch::{Batch, Intake, lock};
use crate::data::books::Books;
use crate::data::clean::{Account, Cleaner, Row};
use crate::data::customers::Customers;
use crate::data::exclusion::Exclusion;
use crate::data::ids::{IdHasher, Interner, ids_in_order};
use crate::data::log::TransactionLog;
use crate::data::observation::Observation;
use crate::data::partition::{Event, PARTITIONS, Partition};
use crate::data::report::Skipped;
use crate::data::summarize::{Summarized, check_covers, finish, observed, summarize_partition};
use crate::error::{Error, Result};
use crate::time::Moment;

/// Accounts of all customers, carried on day by day.
///
/// What a refund takes away are the latest purchases before it, so an account alone, first, last, number and sum, cannot bear one. Customers with
/// refunds to net are marked on the way, and their rows, and only theirs, are asked for a second time.
pub(crate) struct OrderedLog<'a> {
    observation: &'a Observation,
    hasher: IdHasher,
    lanes: Vec<Lane<'a>>,
    order: Mutex<Order>,
}

/// How far the log has been seen.
#[derive(Default)]
struct Order {
    last_period: Option<i32>,
    first_period: Option<i32>,
    skipped: Skipped,
    rows_read: u64,
}

/// The customers of one partition. Pieces pass through all lanes in the order of their numbers, one behind the other.
struct Lane<'a> {
    content: Mutex<LaneContent<'a>>,
    next: Condvar,
}

struct LaneContent<'a> {
    /// The piece whose turn it is.
    turn: u64,
    customers: Interner,
    accounts: Vec<Account>,
    /// Whose rows are needed again.
    marked: Vec<bool>,
    /// The period that is not over, and its rows by customer.
    today: Option<i32>,
    rows: Vec<(u32, Row)>,
    cleaner: Cleaner<'a>,
}

impl LaneContent<'_> {
    fn add(&mut self, id: &str, hash: u64, row: Row) -> Result<()> {
        let period = row.period;
        if self.today != Some(period) {
            self.close_the_day()?;
            self.today = Some(period);
        }
        let (number, new) = self.customers.intern(id, hash)?;
        if new {
            self.accounts.push(Account::default());
            self.marked.push(false);
        }
        self.rows.push((number, row));
        Ok(())
    }

    /// Enters the rows of the day in the accounts.
    fn close_the_day(&mut self) -> Result<()> {
        if self.today.take().is_none() {
            return Ok(());
        }
        self.rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.order(&b.1)));
        let mut of_one = Vec::new();
        for rows in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let number = rows[0].0 as usize;
            of_one.clear();
            of_one.extend(rows.iter().map(|&(_, row)| row));
            let id = self.customers.ids().get(number);
            let (account, marked) = (&mut self.accounts[number], &mut self.marked[number]);
            *marked |= self.cleaner.take_next_day(id, account, &mut of_one)?;
        }
        self.rows.clear();
        Ok(())
    }
}

impl<'a> OrderedLog<'a> {
    pub(crate) fn new(observation: &'a Observation) -> Self {
        let lane = || Lane {
            content: Mutex::new(LaneContent {
                turn: 0,
                customers: Interner::default(),
                accounts: Vec::new(),
                marked: Vec::new(),
                today: None,
                rows: Vec::new(),
                cleaner: Cleaner::new(observation),
            }),
            next: Condvar::new(),
        };
        OrderedLog { observation, hasher: IdHasher::default(), lanes: (0..PARTITIONS).map(|_| lane()).collect(), order: Mutex::default() }
    }

    /// Refuses rows that are dated before others that were read before them.
    fn keep_order(&self, batch: &Batch) -> Result<()> {
        let mut order = lock(&self.order);
        order.rows_read += batch.rows_read();
        order.skipped.add_all(batch.skipped());
        let Some(span) = batch.span() else { return Ok(()) };
        if let Some(before) = order.last_period.filter(|&last| span.first < last) {
            return Err(out_of_order(span.first, before, self.observation.merge.hours()).at(span.place.clone()));
        }
        order.first_period = order.first_period.or(Some(span.first));
        order.last_period = Some(span.last);
        Ok(())
    }

    /// Closes the last day, and tells whether rows are needed again.
    pub(crate) fn close(&mut self) -> Result<bool> {
        let mut again = false;
        for lane in &mut self.lanes {
            let content = lane.content.get_mut().unwrap_or_else(PoisonError::into_inner);
            content.close_the_day()?;
            again |= content.marked.contains(&true);
        }
        Ok(again)
    }

    /// What takes in the rows that are needed again.
    pub(crate) fn marked_rows(&self) -> MarkedRows<'_, 'a> {
        MarkedRows { ordered: self, partitions: (0..PARTITIONS).map(|_| Mutex::default()).collect() }
    }

    /// The summary; `again` are the rows of the customers who are marked.
    pub(crate) fn into_summary(self, again: Option<TransactionLog>) -> Result<Customers> {
        let order = self.order.into_inner().unwrap_or_else(PoisonError::into_inner);
        let hours = self.observation.merge.hours();
        let first = order.first_period.map(|period| Moment::from_hours_since_1970(period * hours).date());
        check_covers(first, &order.skipped, self.observation)?;
        let mut parts: Vec<Summarized> = Vec::with_capacity(2 * PARTITIONS);
        for lane in self.lanes {
            parts.push(summarize_lane(lane.content.into_inner().unwrap_or_else(PoisonError::into_inner), self.observation));
        }
        for partition in again.iter().flat_map(TransactionLog::partitions) {
            // The rows themselves have been counted when they were read first.
            parts.push(summarize_partition(partition, self.observation).map(|(customers, books)| (customers, books.without_rows())));
        }
        finish(parts, self.observation, order.rows_read, &order.skipped)
    }
}

impl Intake for OrderedLog<'_> {
    fn hasher(&self) -> &IdHasher {
        &self.hasher
    }

    fn ordered_by(&self) -> Option<i32> {
        Some(self.observation.merge.hours())
    }

    fn take(&self, piece: u64, batch: &Batch, last: bool) -> Result<()> {
        let mut outcome = Ok(());
        for (index, lane) in self.lanes.iter().enumerate() {
            let mut content = lock(&lane.content);
            while content.turn != piece {
                content = lane.next.wait(content).unwrap_or_else(PoisonError::into_inner);
            }
            // It is this piece's turn, so all rows before it have been seen.
            if index == 0 {
                outcome = self.keep_order(batch);
            }
            if outcome.is_ok() {
                outcome = batch.parts()[index]
                    .for_each(|id, hash, hour, amount| content.add(id, hash, Row::new(hour, amount, self.observation.merge)));
            }
            if last {
                content.turn = piece + 1;
                lane.next.notify_all();
            }
        }
        outcome
    }
}

fn summarize_lane(lane: LaneContent<'_>, observation: &Observation) -> Summarized {
    let ids = lane.customers.ids();
    let mut customers = observed(observation).with_capacity(ids.len(), ids.bytes());
    let mut cleaner = lane.cleaner;
    for (_, number) in ids_in_order(&[ids]) {
        let number = number as usize;
        if lane.marked[number] {
            continue;
        }
        let (id, account) = (ids.get(number), &lane.accounts[number]);
        let entered = cleaner.enter(id, account).and_then(|()| account.customer(id, observation));
        if let Some(revenue) = account.revenue_after_end() {
            customers.exclude(id, Exclusion::SeenAfterEnd, revenue);
        }
        let pushed = entered.and_then(|customer| customer.map_or(Ok(()), |customer| customers.push(customer)));
        pushed.map_err(|error| (id.to_owned(), error))?;
    }
    cleaner.books.customers_seen = ids.len() as u64;
    Ok((customers, cleaner.books))
}

/// The rows of customers who are marked, and of no other.
pub(crate) struct MarkedRows<'o, 'a> {
    ordered: &'o OrderedLog<'a>,
    partitions: Vec<Mutex<Partition>>,
}

impl MarkedRows<'_, '_> {
    pub(crate) fn into_log(self) -> TransactionLog {
        let partitions = self.partitions.into_iter().map(|partition| partition.into_inner().unwrap_or_else(PoisonError::into_inner));
        TransactionLog::from_parts(self.ordered.hasher.clone(), partitions.collect(), Skipped::default())
    }
}

impl Intake for MarkedRows<'_, '_> {
    fn hasher(&self) -> &IdHasher {
        &self.ordered.hasher
    }

    fn take(&self, _: u64, batch: &Batch, _: bool) -> Result<()> {
        for (index, part) in batch.parts().iter().enumerate() {
            let content = lock(&self.ordered.lanes[index].content);
            let mut partition = lock(&self.partitions[index]);
            part.for_each(|id, hash, hour, amount| {
                if content.customers.find(id, hash).is_some_and(|number| content.marked[number as usize]) {
                    let customer = partition.number(id, hash)?;
                    partition.push(Event { customer, hour, amount });
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The error of a row that comes too late.
pub(crate) fn out_of_order(period: i32, before: i32, hours: i32) -> Error {
    let time = |period: i32| Moment::from_hours_since_1970(period * hours);
    Error::data(format!(
        "{} comes after {}, but the log was said to be in order of time; sort it, or leave --time-ordered out",
        time(period),
        time(before)
    ))
}

impl Books {
    /// Without what is counted row by row and day by day.
    fn without_rows(self) -> Books {
        Books {
            refunds_netted: self.refunds_netted,
            refunds_unmatched: self.refunds_unmatched,
            netted_away: self.netted_away,
            zero_amount_purchases: self.zero_amount_purchases,
            customers_excluded: self.customers_excluded,
            customers: self.customers,
            purchases: self.purchases,
            ..Books::default()
        }
    }
}
