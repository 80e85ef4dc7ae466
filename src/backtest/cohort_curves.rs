//! Customers by when they came: what each cohort has bought since, and what the model has expected of it.

use std::collections::BTreeMap;

use crate::data::{Observation, TransactionLog};
use crate::error::Result;
use crate::models::{AnyPurchaseModel, PurchaseModel};
use crate::time::Date;

/// Cohorts are made wide enough that there are no more than these.
const MOST_COHORTS: usize = 6;

/// Months of a cohort.
const WIDTHS: [i32; 8] = [1, 3, 6, 12, 24, 60, 120, 1200];

/// Points of a curve at most, each some weeks after the one before.
const MOST_POINTS: i32 = 40;
const WEEK: i32 = 7;

/// Cumulative repeat purchases of cohorts, by month, quarter, half-year, year or more of the first purchase.
///
/// What is expected of a customer born on day b by day d is E\[X(d - b)\] of the model, without a look at what the customer did: the model is held against the very
/// customers it was fitted to. A cohort that lies off its curve is one that the model, which has one set of parameters for all, does not know.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BgNbd, CohortCurves, Fit, Observation, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let observation = Observation::until("1998-06-30".parse()?).in_weeks();
/// let model = *BgNbd::fit(&log.summarize(&observation)?)?.model();
/// let curves = CohortCurves::of(&log, &observation, &model.into())?;
/// let january = &curves.cohorts()[0];
/// assert_eq!((curves.months(), january.born_from.to_string(), january.customers), (1, "1997-01-01".to_owned(), 781));
/// assert_eq!(format!("{:.2}", january.points.last().unwrap().actual), "1.83");
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CohortCurves {
    months: i32,
    cohorts: Vec<CohortCurve>,
}

/// Customers whose first purchase lies in one span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortCurve {
    /// The first day of the span.
    pub born_from: Date,
    /// How many they are.
    pub customers: u64,
    /// The curve, from the first point at which somebody is there.
    pub points: Vec<CohortPoint>,
}

/// Repeat purchases up to a day, for each customer of the cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CohortPoint {
    /// The day.
    pub end: Date,
    /// What was bought.
    pub actual: f64,
    /// What the model expects.
    pub expected: f64,
}

/// Births by day since the first one of the log, and repeat purchases by month of birth, counted from the first, and point of the curve. Days and months without a
/// birth have no entry: one row of long ago would make the others millions.
#[derive(Default)]
struct Counts {
    births: BTreeMap<i32, u64>,
    repeats: BTreeMap<i32, Vec<u64>>,
}

impl Counts {
    fn of(log: &TransactionLog, observation: &Observation, calendar: &Calendar) -> Result<Self> {
        let parts = log.fold_customers(observation, Counts::default, |counts, purchases| {
            let Some((born, repeats)) = purchases.split_first() else { return };
            let born = born.time.date();
            *counts.births.entry(born.days_since(calendar.first)).or_default() += 1;
            let own = counts.repeats.entry(calendar.month_of(born)).or_insert_with(|| vec![0; calendar.points()]);
            repeats.iter().for_each(|purchase| own[calendar.point_of(purchase.time.date())] += 1);
        })?;
        let mut all = Counts::default();
        for part in parts {
            part.births.into_iter().for_each(|(day, births)| *all.births.entry(day).or_default() += births);
            for (month, repeats) in part.repeats {
                let sums = all.repeats.entry(month).or_insert_with(|| vec![0; calendar.points()]);
                sums.iter_mut().zip(repeats).for_each(|(sum, part)| *sum += part);
            }
        }
        Ok(all)
    }
}

/// What a model expects of a new customer up to an age in days, for the ages that are asked for.
struct Expected<'a> {
    model: &'a AnyPurchaseModel,
    unit_hours: f64,
    by_age: BTreeMap<i32, f64>,
}

impl Expected<'_> {
    fn until(&mut self, days: i32) -> f64 {
        let Expected { model, unit_hours, by_age } = self;
        *by_age.entry(days).or_insert_with(|| model.expected_purchases(f64::from(days) * 24.0 / *unit_hours))
    }
}

/// Where in time a log lies.
struct Calendar {
    first: Date,
    end: Date,
    step: i32,
}

impl Calendar {
    fn new(first: Date, end: Date) -> Self {
        let step = (end.days_since(first) / MOST_POINTS / WEEK + 1) * WEEK;
        Calendar { first, end, step }
    }

    /// The points, counted back from the end.
    fn points(&self) -> usize {
        (self.end.days_since(self.first) / self.step + 1) as usize
    }

    /// The first point not before a day.
    fn point_of(&self, day: Date) -> usize {
        self.points() - 1 - (self.end.days_since(day) / self.step) as usize
    }

    fn day_of_point(&self, point: usize) -> Result<Date> {
        Date::from_days_since_1970(self.end.days_since_1970() - self.step * (self.points() - 1 - point) as i32)
    }

    fn month_of(&self, day: Date) -> i32 {
        day.month_number() - self.first.month_number()
    }
}

impl CohortCurves {
    /// Of a log as it was observed, by a model in the unit of the observation.
    ///
    /// # Errors
    /// When a summary cannot be made ([`TransactionLog::summarize`]).
    pub fn of(log: &TransactionLog, observation: &Observation, model: &AnyPurchaseModel) -> Result<Self> {
        let Some(first) = log.first_date().filter(|&first| first <= observation.end) else {
            return Ok(CohortCurves { months: WIDTHS[0], cohorts: Vec::new() });
        };
        let calendar = Calendar::new(first, observation.end);
        let counts = Counts::of(log, observation, &calendar)?;
        let mut expected = Expected { model, unit_hours: observation.unit.hours(), by_age: BTreeMap::new() };
        let (months, spans) = spans(&calendar, &counts);
        let cohorts = spans.into_iter().map(|month| cohort(&calendar, &counts, &mut expected, month, months)).collect::<Result<_>>()?;
        Ok(CohortCurves { months, cohorts })
    }

    /// The width of a cohort in months.
    #[must_use]
    pub fn months(&self) -> i32 {
        self.months
    }

    /// The cohorts in order of time; those without a customer are left out.
    #[must_use]
    pub fn cohorts(&self) -> &[CohortCurve] {
        &self.cohorts
    }
}

/// The width of the cohorts, and the month numbers at which those with customers begin.
fn spans(calendar: &Calendar, counts: &Counts) -> (i32, Vec<i32>) {
    let days = counts.births.keys().filter_map(|day| Date::from_days_since_1970(calendar.first.days_since_1970() + day).ok());
    let mut months: Vec<i32> = days.map(Date::month_number).collect();
    months.dedup();
    let begin = |width: i32| {
        let mut begin: Vec<i32> = months.iter().map(|month| month.div_euclid(width) * width).collect();
        begin.dedup();
        (width, begin)
    };
    WIDTHS.into_iter().map(begin).find(|(_, begin)| begin.len() <= MOST_COHORTS).unwrap_or((WIDTHS[0], Vec::new()))
}

/// The curve of those born in `months` months from month number `month` on.
fn cohort(calendar: &Calendar, counts: &Counts, expected: &mut Expected<'_>, month: i32, months: i32) -> Result<CohortCurve> {
    let (born_from, born_before) = (Date::of_month_number(month)?, Date::of_month_number(month + months)?);
    let within = born_from.days_since(calendar.first)..born_before.days_since(calendar.first);
    let births: Vec<(i32, u64)> = counts.births.range(within).map(|(&day, &births)| (day, births)).collect();
    let customers: u64 = births.iter().map(|&(_, births)| births).sum();
    let first = month - calendar.first.month_number();
    let own: Vec<&Vec<u64>> = counts.repeats.range(first..first + months).map(|(_, repeats)| repeats).collect();
    let per_customer = 1.0 / (customers.max(1) as f64);
    let (mut actual, mut points) = (0_u64, Vec::new());
    for point in 0..calendar.points() {
        actual += own.iter().map(|repeats| repeats[point]).sum::<u64>();
        let end = calendar.day_of_point(point)?;
        let day = end.days_since(calendar.first);
        let there = births.iter().take_while(|&&(born, _)| born <= day);
        if there.clone().next().is_some() {
            let sum = there.fold(0.0, |sum, &(born, births)| sum + births as f64 * expected.until(day - born));
            points.push(CohortPoint { end, actual: actual as f64 * per_customer, expected: sum * per_customer });
        }
    }
    Ok(CohortCurve { born_from, customers, points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Transaction;
    use crate::models::{Nbd, NbdParams};

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn curves(rows: &[(&str, &str)], end: &str) -> CohortCurves {
        let log =
            TransactionLog::from_events(rows.iter().map(|(customer, date)| Transaction { customer, time: day(date).into(), amount: 1.0 }));
        let nbd = Nbd::new(NbdParams { r: 1.0, alpha: 10.0 }).unwrap();
        CohortCurves::of(&log.unwrap(), &Observation::until(day(end)).in_days(), &nbd.into()).unwrap()
    }

    #[test]
    fn two_months_by_hand() {
        let rows =
            [("a", "2026-01-01"), ("a", "2026-01-20"), ("b", "2026-01-11"), ("c", "2026-02-10"), ("c", "2026-02-10"), ("c", "2026-02-12")];
        let curves = curves(&rows, "2026-02-26");
        assert_eq!((curves.months(), curves.cohorts().len()), (1, 2));
        let [january, february] = curves.cohorts() else { panic!("two cohorts") };
        assert_eq!((january.customers, february.customers, february.born_from), (2, 1, day("2026-02-01")));
        // Weeks back from the end: the first point of January is the first day.
        assert_eq!((january.points[0].end, january.points[0].actual, january.points[0].expected), (day("2026-01-01"), 0.0, 0.0));
        let last = january.points.last().unwrap();
        // One repeat purchase of two customers; a tenth a day for 56 and 46 days.
        assert_eq!((last.end, last.actual), (day("2026-02-26"), 0.5));
        assert!((last.expected - 5.1).abs() < 1e-12);
        assert_eq!((february.points.len(), february.points[0].end, february.points[2].actual), (3, day("2026-02-12"), 1.0));
    }

    #[test]
    fn a_long_log_has_wide_cohorts_and_few_points() {
        let rows: Vec<(String, String)> = (0..100).map(|k| (k.to_string(), format!("{}-{:02}-15", 2016 + k / 12, k % 12 + 1))).collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(id, date)| (id.as_str(), date.as_str())).collect();
        let curves = curves(&rows, "2024-12-31");
        // Nine years: in spans of two there are five.
        assert_eq!((curves.months(), curves.cohorts().len()), (24, 5));
        assert_eq!(curves.cohorts().iter().map(|cohort| cohort.customers).collect::<Vec<_>>(), [24, 24, 24, 24, 4]);
        assert!(curves.cohorts().iter().all(|cohort| (2..=40).contains(&cohort.points.len())));
    }
    #[test]
    fn a_row_of_long_ago_makes_no_entries_of_the_time_between() {
        let rows = [("old", "0001-01-01"), ("a", "2026-01-01"), ("a", "2026-01-20"), ("b", "2026-01-11"), ("c", "2026-02-10")];
        let transaction = |&(customer, date): &(&'static str, &str)| Transaction { customer, time: day(date).into(), amount: 1.0 };
        let log = TransactionLog::from_events(rows.iter().map(transaction)).unwrap();
        let observation = Observation::until(day("2026-02-26")).in_days();
        let calendar = Calendar::new(day("0001-01-01"), observation.end);
        let counts = Counts::of(&log, &observation, &calendar).unwrap();
        // Four days and three months with births; a curve has at most 41 points.
        assert_eq!((counts.births.len(), counts.repeats.len()), (4, 3));
        assert!(counts.repeats.values().all(|repeats| repeats.len() == calendar.points()) && calendar.points() <= MOST_POINTS as usize + 1);
        let model = Nbd::new(NbdParams { r: 1.0, alpha: 10.0 }).unwrap().into();
        let mut expected = Expected { model: &model, unit_hours: 24.0, by_age: BTreeMap::new() };
        let (months, spans) = spans(&calendar, &counts);
        let cohorts: Vec<CohortCurve> =
            spans.into_iter().map(|month| cohort(&calendar, &counts, &mut expected, month, months).unwrap()).collect();
        assert_eq!(cohorts.iter().map(|cohort| cohort.customers).collect::<Vec<_>>(), [1, 2, 1]);
        assert!(expected.by_age.len() <= counts.births.len() * calendar.points(), "{}", expected.by_age.len());
    }
}
