//! How the birth of a customer is known: by the first purchase of the log, by a date from elsewhere, or, for those first seen soon after its start, not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::customer::{Customer, PurchaseRecord};
use super::customers::Customers;
#[cfg(feature = "cli")]
use super::ends::{Far, FarEnd, is_beyond_a_year};
use super::exclusion::Exclusion;
use super::history::History;
use super::report::Tally;
use super::spend_basis::SpendBasis;
use crate::error::{Error, Result};
use crate::time::{Date, Horizon, Moment};

/// When a customer was acquired, as far as a log that starts on some day can tell.
///
/// ```
/// use clv::Birth;
///
/// // As in the column before_log of a summary.
/// assert_eq!(Birth::from_before_log(Some(26.0))?, Birth::Before(26.0));
/// assert_eq!(Birth::InLog.before_log(), Some(0.0));
/// assert_eq!(Birth::Unknown.before_log(), None);
/// assert!(Birth::from_before_log(Some(-1.0)).is_err());
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Birth {
    /// Within the log: the first purchase in it is the first of all.
    #[default]
    InLog,
    /// This long before the log starts, in the unit of the summary. Frequency then counts *all* purchases of the log, recency and age run from the birth, and the
    /// purchases before the log are not known.
    Before(f64),
    /// Not known: first seen so soon after the start of the log that the customer may be an old one.
    Unknown,
}

impl Birth {
    /// The time from birth to the start of the log: 0 within it, none where it is not known.
    #[must_use]
    pub fn before_log(self) -> Option<f64> {
        match self {
            Birth::InLog => Some(0.0),
            Birth::Before(w) => Some(w),
            Birth::Unknown => None,
        }
    }

    /// The inverse of [`before_log`](Self::before_log).
    ///
    /// # Errors
    /// When the time is negative or no number.
    pub fn from_before_log(before: Option<f64>) -> Result<Self> {
        match before {
            None => Ok(Birth::Unknown),
            Some(0.0) => Ok(Birth::InLog),
            Some(w) if w > 0.0 && w <= 1e100 => Ok(Birth::Before(w)),
            Some(w) => Err(Error::data(format!("a birth {w} before the log must be a length of time of at least 0"))),
        }
    }
}

/// How the births of the customers of a log are known.
///
/// ```
/// use clv::{Acquisition, Birth, Observation, TransactionLog};
///
/// // The log starts on 5 January; "a" is first seen on that day, "b" three weeks later.
/// let days = ["2026-01-05".parse()?, "2026-01-26".parse()?];
/// let log = TransactionLog::from_columns(&["a", "b"], &days, &[20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
///
/// // "a" may have bought before. Nobody is taken for new who is first seen in the first two weeks.
/// let (customers, _) = Acquisition::RunIn("2 weeks".parse()?).apply(customers)?;
/// assert_eq!((customers.birth(0), customers.birth(1)), (Birth::Unknown, Birth::InLog));
/// assert_eq!(customers.of_known_birth()?.len(), 1);
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Acquisition {
    /// The log starts before everyone: whoever is first seen is new.
    #[default]
    FirstPurchase,
    /// A quiet run-in: who is first seen within this time of the start may be old. Such customers are scored, but no model is fitted to them.
    RunIn(Horizon),
    /// Dates of acquisition from elsewhere, one for every customer.
    Dates(AcquisitionDates),
}

/// Dates of acquisition by customer.
///
/// ```
/// use clv::{Acquisition, AcquisitionDates, Birth, Observation, TransactionLog};
///
/// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-01-26".parse()?], &[20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
/// let dates = [("a", "2025-12-22"), ("b", "2026-01-26"), ("c", "2025-12-29")];
/// let dates = dates.iter().map(|(id, date)| Ok((id.to_string(), date.parse()?))).collect::<clv::Result<Vec<_>>>()?;
/// let (customers, _) = Acquisition::Dates(AcquisitionDates::new(dates)?).apply(customers)?;
/// // Two weeks before the log, which starts with the purchase of "a"; "c" has been silent in it.
/// let row = |id: &str| customers.find(id).unwrap();
/// assert_eq!((customers.birth(row("a")), customers.birth(row("b"))), (Birth::Before(2.0), Birth::InLog));
/// assert_eq!((customers.birth(row("c")), customers.frequency()[row("c")]), (Birth::Before(1.0), 0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct AcquisitionDates {
    dates: BTreeMap<String, DatedAt>,
    /// The files that they were read from.
    files: Vec<String>,
}

/// The date of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatedAt {
    pub(crate) date: Date,
    /// The number of the file and the line, where it was read.
    pub(crate) place: Option<(usize, u64)>,
}

/// Dates are the same wherever they were read.
impl PartialEq for AcquisitionDates {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl AcquisitionDates {
    /// The dates of these customers.
    ///
    /// # Errors
    /// When a customer is there twice with different dates.
    pub fn new(dates: impl IntoIterator<Item = (String, Date)>) -> Result<Self> {
        let mut known = BTreeMap::new();
        for (id, date) in dates {
            if let Some(DatedAt { date: other, .. }) = known.get(&id).filter(|other: &&DatedAt| other.date != date) {
                return Err(Error::data(format!(
                    "customer {id:?} was acquired on {other} and on {date}; a customer has one day of acquisition"
                )));
            }
            known.insert(id, DatedAt { date, place: None });
        }
        Ok(AcquisitionDates { dates: known, files: Vec::new() })
    }

    /// Dates that were read from these files.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn read_from(files: Vec<String>, dates: BTreeMap<String, DatedAt>) -> Self {
        AcquisitionDates { dates, files }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Date)> {
        self.dates.iter().map(|(id, dated)| (id.as_str(), dated.date))
    }

    /// Days on which several customers were acquired, each far before all later ones: what mostly stands for a day that is not known, such as 1900-01-01. With
    /// the number of these customers, from the earliest day on.
    #[cfg(feature = "cli")]
    pub(crate) fn shared_and_far(&self) -> Vec<(FarEnd, u64)> {
        let mut counts: BTreeMap<Date, u64> = BTreeMap::new();
        self.iter().for_each(|(_, date)| *counts.entry(date).or_default() += 1);
        let Some(&last) = counts.keys().next_back() else { return Vec::new() };
        let is_far = |day: Date, next: Date| is_beyond_a_year(next.days_since(day), last.days_since(next));
        let far = counts.iter().zip(counts.keys().skip(1)).take_while(|((day, _), next)| is_far(**day, **next));
        let alone = |day, next| FarEnd { what: Far::First, day, near: day, next, customer: None };
        far.filter(|((_, count), _)| **count > 1).map(|((&day, &count), &next)| (alone(day, next), count)).collect()
    }

    /// The error of the date of a customer, with the file and the line that it is from.
    fn named(&self, id: &str, error: Error) -> Error {
        let place = self.dates.get(id).and_then(|dated| dated.place);
        match place.and_then(|(file, line)| Some((self.files.get(file)?, line))) {
            Some((file, line)) => error.at(format!("{file}:{line}")),
            None => error,
        }
    }

    /// The dates of those alone who have rows within the observation, kept as customers or excluded.
    ///
    /// For dates that come from rows of the log itself: a customer all of whose rows lie after the observation end is not known yet, and would be taken for one
    /// who was silent.
    ///
    /// ```
    /// use clv::{Acquisition, AcquisitionDates, Observation, TransactionLog};
    ///
    /// let (end, later) = ("2026-03-02".parse()?, "2026-04-01".parse()?);
    /// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, later], &[20.0, 30.0])?;
    /// let customers = log.summarize(&Observation::until(end).in_weeks())?;
    /// let dates = AcquisitionDates::new([("a".to_owned(), "2026-01-05".parse()?), ("b".to_owned(), "2025-12-01".parse()?)])?;
    /// let (_, acquired) = Acquisition::Dates(dates.of_those_seen(&customers)).apply(customers)?;
    /// assert_eq!(acquired.silent, 0);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn of_those_seen(mut self, customers: &Customers) -> Self {
        let seen = seen(customers);
        self.dates.retain(|id, _| seen.contains(id.as_str()));
        self
    }
}

/// Customers and what they spent in the log, by what is known of their birth.
///
/// ```
/// use clv::{Acquisition, Observation, TransactionLog};
///
/// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-01-26".parse()?], &[20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
/// let (customers, _) = Acquisition::RunIn("2 weeks".parse()?).apply(customers)?;
/// let births = customers.births();
/// assert_eq!((births.in_log.count, births.unknown.value, births.all().value), (1, 20.0, 50.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BirthCounts {
    /// Born within the log.
    pub in_log: Tally,
    /// Born a known time before it.
    pub before: Tally,
    /// Not known.
    pub unknown: Tally,
}

impl BirthCounts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        [self.in_log, self.before, self.unknown].iter().for_each(|group| all.add(group.count, group.value));
        all
    }
}

/// What dates of acquisition said that the log alone would not.
///
/// ```
/// use clv::{Acquisition, AcquisitionDates, Observation, TransactionLog};
///
/// let log = TransactionLog::from_columns(&["a"], &["2026-01-05".parse()?], &[20.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
/// let dates = [("a", "2026-01-05"), ("silent", "2025-12-29"), ("registered", "2026-02-02")];
/// let dates = dates.iter().map(|(id, date)| Ok((id.to_string(), date.parse()?))).collect::<clv::Result<Vec<_>>>()?;
/// let (_, acquired) = Acquisition::Dates(AcquisitionDates::new(dates)?).apply(customers)?;
/// assert_eq!((acquired.silent, acquired.without_purchase, acquired.before_first_purchase), (1, 1, 0));
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acquired {
    /// Customers acquired within the log, but before their first purchase. As everywhere their age counts from the first purchase.
    pub before_first_purchase: u64,
    /// Customers acquired before the log who bought nothing during it.
    pub silent: u64,
    /// Customers acquired within the log who have not bought yet: they have no history, and are left out.
    pub without_purchase: u64,
}

impl Acquisition {
    /// Marks the customers of a log with what is known of their birth. The log starts on the day of its first row.
    ///
    /// # Errors
    /// When the customers do not come from a log; when a run-in is not shorter than the log; when a customer of the log has no date of acquisition, or one after
    /// the first purchase; when a date lies after the observation end; or when the average spend is to include first purchases, which are not known of customers
    /// born before the log.
    pub fn apply(&self, customers: Customers) -> Result<(Customers, Acquired)> {
        match self {
            Acquisition::FirstPurchase => Ok((customers, Acquired::default())),
            Acquisition::RunIn(length) => Ok((run_in(*length, &customers)?, Acquired::default())),
            Acquisition::Dates(dates) => dates.apply(&customers),
        }
    }
}

/// The first day of the log and the last one observed.
fn span(customers: &Customers) -> Result<(Date, Date)> {
    match (customers.report().and_then(|report| report.first_date), customers.observation_end()) {
        (Some(start), Some(end)) => Ok((start, end)),
        _ => Err(Error::data("births are marked in the customers of a log; a summary says itself, in its column before_log")),
    }
}

/// Everyone with rows within the observation.
fn seen(customers: &Customers) -> BTreeSet<&str> {
    let excluded = customers.excluded().filter(|(_, why)| *why != Exclusion::SeenAfterEnd);
    customers.ids().chain(excluded.map(|(id, _)| id)).collect()
}

fn run_in(length: Horizon, customers: &Customers) -> Result<Customers> {
    let (start, end) = span(customers)?;
    let first_fitted = length.steps_from(start, 1)?;
    if first_fitted > end {
        return Err(Error::parameter(format!(
            "a run-in of {length} is not shorter than the log, which covers {} days from {start} to {end}; nobody would be left to fit a model to",
            end.days_since(start) + 1
        )));
    }
    let birth = |record: &PurchaseRecord| if record.first.date() < first_fitted { Birth::Unknown } else { Birth::InLog };
    let births: Vec<Birth> = customers.purchases().iter().map(birth).collect();
    if births.iter().all(|birth| *birth == Birth::Unknown) {
        return Err(Error::data(format!(
            "all {} customers are first seen within the run-in of {length} from {start}; take a shorter run-in",
            customers.len()
        )));
    }
    Ok(customers.clone().with_births(births))
}

impl AcquisitionDates {
    fn apply(&self, customers: &Customers) -> Result<(Customers, Acquired)> {
        let (start, end) = span(customers)?;
        if let Some((id, date)) = self.iter().find(|(_, date)| *date > end) {
            let others = self.iter().filter(|(_, other)| *other == date).count() - 1;
            let message = match others {
                0 => {
                    format!(
                        "customer {id:?} was acquired on {date}, after the observation end {end}; correct the date, or leave the customer out"
                    )
                }
                _ => format!(
                    "customer {id:?} and {others} more were acquired on {date}, after the observation end {end}; correct the dates, or leave the customers out: a day \
                     that stands for one that is not known is no date"
                ),
            };
            return Err(self.named(id, Error::data(message)));
        }
        let missing: Vec<&str> = customers.ids().filter(|id| !self.dates.contains_key(*id)).collect();
        if let Some(first) = missing.first() {
            let error = Error::data(format!(
                "{} of the {} customers of the log have no date of acquisition, the first of them {first:?}; give the dates of all, or take a run-in",
                missing.len(),
                customers.len()
            ));
            return Err(if self.files.is_empty() { error } else { error.at(self.files.join(", ")) });
        }
        let mut marked = customers.emptied();
        let mut acquired = Acquired::default();
        for row in 0..customers.len() {
            self.mark(customers, row, start, &mut marked, &mut acquired)?;
        }
        self.add_silent(customers, (start, end), &mut marked, &mut acquired)?;
        for ((id, why), revenue) in customers.excluded().zip(customers.excluded_revenue_after_end()) {
            // Who has a date of acquisition was there before being seen, and is on the list of those already.
            if why != Exclusion::SeenAfterEnd || !self.dates.contains_key(id) {
                marked.exclude(id, why, revenue);
            }
        }
        let sorted = marked.emptied().joined(vec![marked]);
        let sorted = match customers.report() {
            Some(report) => sorted.with_report(report.clone()),
            None => sorted,
        };
        Ok((sorted, acquired))
    }

    fn mark(&self, customers: &Customers, row: usize, start: Date, marked: &mut Customers, acquired: &mut Acquired) -> Result<()> {
        let (id, history, record) = (customers.id(row), customers.history(row), customers.purchases()[row]);
        let first = record.first.date();
        let date = self.dates.get(id).map_or(first, |dated| dated.date);
        if date > first {
            let message = format!(
                "customer {id:?} was acquired on {date}, but the first purchase in the log is of {first}; nobody buys before being acquired: correct one of them"
            );
            return Err(self.named(id, Error::data(message)));
        }
        let unit_hours = customers.unit().hours();
        let own =
            Customer { id, history, average_spend: customers.average_spend()[row], weight: customers.weight(row), purchases: Some(record) };
        if date >= start {
            acquired.before_first_purchase += u64::from(date < first);
            return marked.push(own);
        }
        if customers.spend_basis() == SpendBasis::AllPurchases {
            return Err(self.named(id, first_purchases_unknown(id, date)));
        }
        let born = Moment::from(date);
        let since_birth = f64::from(record.first.hours_since_1970() - born.hours_since_1970()) / unit_hours;
        let before = f64::from(start.days_since(date)) * 24.0 / unit_hours;
        let purchases = history.frequency().saturating_add(1);
        let history = History::new(purchases, since_birth + history.recency(), since_birth + history.age())?;
        let average_spend = record.total_spend / f64::from(purchases);
        let record = PurchaseRecord { first: born, ..record };
        marked.push_born(Customer { history, average_spend, purchases: Some(record), ..own }, Birth::Before(before))
    }

    /// Those who are not in the log.
    fn add_silent(&self, customers: &Customers, (start, end): (Date, Date), marked: &mut Customers, acquired: &mut Acquired) -> Result<()> {
        let seen = seen(customers);
        let after_end: BTreeMap<&str, f64> = customers
            .excluded()
            .zip(customers.excluded_revenue_after_end())
            .filter(|((_, why), _)| *why == Exclusion::SeenAfterEnd)
            .map(|((id, _), revenue)| (id, revenue))
            .collect();
        for (id, date) in self.iter().filter(|(id, _)| !seen.contains(id)) {
            if date >= start {
                acquired.without_purchase += 1;
                marked.exclude(id, Exclusion::NotBoughtYet, after_end.get(id).copied().unwrap_or(0.0));
                continue;
            }
            if customers.spend_basis() == SpendBasis::AllPurchases {
                return Err(self.named(id, first_purchases_unknown(id, date)));
            }
            acquired.silent += 1;
            let unit_hours = customers.unit().hours();
            let last_hour = customers.merge().hours() * super::clean::last_period_of(end, customers.merge());
            let born = Moment::from(date);
            let age = f64::from(last_hour - born.hours_since_1970()) / unit_hours;
            let before = f64::from(start.days_since(date)) * 24.0 / unit_hours;
            let record = PurchaseRecord { first: born, last: born, total_spend: 0.0 };
            let customer = Customer { id, history: History::new(0, 0.0, age)?, average_spend: 0.0, weight: 1.0, purchases: Some(record) };
            marked.push_born(customer, Birth::Before(before))?;
        }
        Ok(())
    }
}

fn first_purchases_unknown(id: &str, date: Date) -> Error {
    Error::data(format!(
        "customer {id:?} was acquired on {date}, before the log starts, and what the first purchase was worth is not known; an average spend over all purchases \
         cannot be taken: leave --spend-basis at repeat"
    ))
}
