//! Customers by when they came: what each cohort has bought since, and what the model has expected of it.

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

/// Births by day, and repeat purchases by month of birth and point of the curve.
struct Counts {
    births: Vec<u64>,
    repeats: Vec<Vec<u64>>,
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

    fn month_of(&self, day: Date) -> usize {
        (day.month_number() - self.first.month_number()) as usize
    }

    fn counts(&self) -> Counts {
        let days = (self.end.days_since(self.first) + 1) as usize;
        Counts { births: vec![0; days], repeats: vec![vec![0; self.points()]; self.month_of(self.end) + 1] }
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
        let parts = log.fold_customers(
            observation,
            || calendar.counts(),
            |counts, purchases| {
                let Some((born, repeats)) = purchases.split_first() else { return };
                let born = born.time.date();
                counts.births[born.days_since(calendar.first) as usize] += 1;
                let own = &mut counts.repeats[calendar.month_of(born)];
                repeats.iter().for_each(|purchase| own[calendar.point_of(purchase.time.date())] += 1);
            },
        )?;
        let counts = parts.into_iter().fold(calendar.counts(), |mut sum, part| {
            let all = sum.births.iter_mut().chain(sum.repeats.iter_mut().flatten());
            all.zip(part.births.iter().chain(part.repeats.iter().flatten())).for_each(|(sum, part)| *sum += part);
            sum
        });
        let expected: Vec<f64> =
            (0..counts.births.len()).map(|days| model.expected_purchases(days as f64 * 24.0 / observation.unit.hours())).collect();
        let (months, spans) = spans(&calendar, &counts);
        let cohorts = spans.into_iter().map(|month| cohort(&calendar, &counts, &expected, month, months)).collect::<Result<_>>()?;
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
    let births = counts.births.iter().zip(calendar.first.days_since_1970()..).filter(|&(&births, _)| births > 0);
    let days = births.filter_map(|(_, day)| Date::from_days_since_1970(day).ok());
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
fn cohort(calendar: &Calendar, counts: &Counts, expected: &[f64], month: i32, months: i32) -> Result<CohortCurve> {
    let (born_from, born_before) = (Date::of_month_number(month)?, Date::of_month_number(month + months)?);
    let within = |day: Date| day.days_since(calendar.first).clamp(0, counts.births.len() as i32) as usize;
    let days = within(born_from)..within(born_before);
    let births: Vec<(usize, u64)> = days.map(|day| (day, counts.births[day])).filter(|&(_, births)| births > 0).collect();
    let customers: u64 = births.iter().map(|&(_, births)| births).sum();
    let first = month - calendar.first.month_number();
    let own = first.max(0) as usize..((first + months).max(0) as usize).min(counts.repeats.len());
    let per_customer = 1.0 / (customers.max(1) as f64);
    let (mut actual, mut points) = (0_u64, Vec::new());
    for point in 0..calendar.points() {
        actual += counts.repeats[own.clone()].iter().map(|repeats| repeats[point]).sum::<u64>();
        let end = calendar.day_of_point(point)?;
        let day = end.days_since(calendar.first) as usize;
        let there = births.iter().take_while(|&&(born, _)| born <= day);
        if there.clone().next().is_some() {
            let sum = there.fold(0.0, |sum, &(born, births)| sum + births as f64 * expected[day - born]);
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
}
