//! The first and the last days of a log where they lie far from all others, and an observation end far behind the log: mostly a wrong date.

use crate::data::log::TransactionLog;
use crate::data::partition::Partition;
use crate::error::Result;
use crate::time::{Date, Moment};

/// Of a log whose usual gaps are not known, one of more than a year is looked at.
const DAYS: i32 = 365;

/// It is far where it is more than this share of what the rest of the log covers.
const SHARE_OF_REST: i32 = 4;

/// The usual gaps are known of a log with rows on so many days, of so many customers: where gaps are chance alone, that at the one end is [`TIMES`] as long as
/// all others but that at the other once in C(21, 3), 1,330, such logs, and two ends are looked at. The gaps of one customer are no chance: they may come back after years.
const ENOUGH_DAYS: usize = 20;
const ENOUGH_CUSTOMERS: usize = 10;

/// Then a gap is far that is longer than so many times the longest of all others, and longer than a shop is closed for.
const TIMES: i32 = 3;
const CLOSED: i32 = 28;

/// Gaps of so many days are told in years.
const TWO_YEARS: u32 = 731;

/// One day in so many days with rows may be a wrong one; at least one.
const WRONG: usize = 100;

/// What lies far from the rest of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Far {
    First,
    Last,
    /// The observation end, which was given.
    End,
}

/// The first or last days of a log, or its observation end, far from the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FarEnd {
    pub(crate) what: Far,
    /// The day furthest from the rest.
    pub(crate) day: Date,
    /// The one nearest to it: the same where there is one alone.
    pub(crate) near: Date,
    /// The day of the rest that is next.
    pub(crate) next: Date,
    /// A customer with a row on the furthest day.
    pub(crate) customer: Option<String>,
}

impl FarEnd {
    /// The gap in years where it is two or more, else in days.
    pub(crate) fn gap(&self) -> String {
        let days = self.near.days_since(self.next).unsigned_abs();
        if days < TWO_YEARS { format!("{days} days") } else { format!("{:.0} years", f64::from(days) / 365.25) }
    }
}

impl TransactionLog {
    /// What lies far from all else of the log up to the observation end; this one too, where it `was_given`.
    pub(crate) fn far_ends(&self, observation_end: Date, was_given: bool) -> Result<Vec<FarEnd>> {
        let (days, customers) = (self.days(observation_end), self.customer_count());
        // A wrong day at the one end must not hide one at the other.
        let last = far_at_the_end(days[far_at_the_start(&days, customers)..].iter().copied(), customers);
        let first = far_at_the_start(&days[..days.len() - last], customers);
        let rest = &days[first..days.len() - last];
        let (Some(&start), Some(&end)) = (rest.first(), rest.last()) else { return Ok(Vec::new()) };
        let far = |what, day: i32, near: i32, next: i32| -> Result<FarEnd> {
            let [day, near, next] = [day, near, next].map(Date::from_days_since_1970);
            let day = day?;
            Ok(FarEnd { what, day, near: near?, next: next?, customer: if what == Far::End { None } else { self.customer_of(day) } })
        };
        let mut found = Vec::new();
        if first > 0 {
            found.push(far(Far::First, days[0], days[first - 1], start)?);
        }
        if last > 0 {
            found.push(far(Far::Last, days[days.len() - 1], days[days.len() - last], end)?);
        }
        let (given, latest) = (observation_end.days_since_1970(), days[days.len() - 1]);
        if was_given && last == 0 && is_beyond_usual(given - latest, longest_gap(rest), rest.len(), customers) {
            found.push(far(Far::End, given, given, latest)?);
        }
        Ok(found)
    }

    /// The days with rows up to the observation end, in order.
    fn days(&self, observation_end: Date) -> Vec<i32> {
        let day = |hour| Moment::from_hours_since_1970(hour).date().days_since_1970();
        let Some(first) = self.partitions().iter().filter_map(|partition| partition.span()).map(|(first, _)| day(first)).min() else {
            return Vec::new();
        };
        let mut has_rows: Vec<bool> = Vec::new();
        for event in self.partitions().iter().flat_map(|partition| partition.events()) {
            let (day, end) = (day(event.hour), observation_end.days_since_1970());
            if let Some(place) = usize::try_from(day - first).ok().filter(|_| day <= end) {
                if has_rows.len() <= place {
                    has_rows.resize(place + 1, false);
                }
                has_rows[place] = true;
            }
        }
        (first..).zip(has_rows).filter_map(|(day, has_rows)| has_rows.then_some(day)).collect()
    }

    /// The first of the customers, by id, who have a row on this day.
    fn customer_of(&self, day: Date) -> Option<String> {
        let of = |partition: &Partition| {
            let on_day = partition.events().filter(|event| Moment::from_hours_since_1970(event.hour).date() == day);
            on_day.map(|event| partition.customers().ids().get(event.customer as usize).to_owned()).min()
        };
        self.partitions().iter().filter_map(of).min()
    }
}

/// How many of the days, in order, are far from those before them.
fn far_at_the_end(days: impl ExactSizeIterator<Item = i32> + Clone, customers: usize) -> usize {
    let Some(start) = days.clone().next() else { return 0 };
    let (count, mut longest, mut before) = (days.len(), 0, start);
    let (mut far, wrong) = (0, (count / WRONG).max(1));
    for (rest, day) in days.enumerate().skip(1) {
        let gap = day - before;
        let is_far = is_beyond_usual(gap, longest, rest, customers) || is_beyond_a_year(gap, before - start);
        if far == 0 && is_far && count - rest <= wrong {
            far = count - rest;
        }
        // Days at the other end may be wrong as well, and say nothing of usual gaps.
        longest = if rest > wrong { longest.max(gap) } else { longest };
        before = day;
    }
    far
}

/// The same from the other end.
fn far_at_the_start(days: &[i32], customers: usize) -> usize {
    far_at_the_end(days.iter().rev().map(|day| -day), customers)
}

fn longest_gap(days: &[i32]) -> i32 {
    days.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

fn is_beyond_usual(gap: i32, longest: i32, days: usize, customers: usize) -> bool {
    days >= ENOUGH_DAYS && customers >= ENOUGH_CUSTOMERS && gap > CLOSED && gap > TIMES * longest
}

/// With two days alone there is no rest.
pub(super) fn is_beyond_a_year(gap: i32, rest: i32) -> bool {
    rest > 0 && gap > DAYS && gap > rest / SHARE_OF_REST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// A log of a row a day, by as many customers as there are days at most.
    fn log_of(days: &[Date], customers: usize) -> TransactionLog {
        let ids: Vec<String> = (0..days.len()).map(|row| format!("c{}", row % customers)).collect();
        TransactionLog::from_columns(&ids, days, &vec![1.0; days.len()]).unwrap()
    }

    fn found(log: &TransactionLog, end: &str, was_given: bool) -> Vec<(Far, String, String)> {
        let far = log.far_ends(day(end), was_given).unwrap();
        far.iter().map(|far| (far.what, far.day.to_string(), far.gap())).collect()
    }

    fn far_ends(days: &[&str], end: &str) -> Vec<(String, String)> {
        let log = log_of(&days.iter().map(|text| day(text)).collect::<Vec<_>>(), 1);
        found(&log, end, true).into_iter().map(|(_, day, gap)| (day, gap)).collect()
    }

    #[test]
    fn of_few_days_one_far_from_all_others_is_found_at_either_end() {
        let far = |day: &str, gap: &str| vec![(day.to_owned(), gap.to_owned())];
        let log = ["2023-01-01", "2023-06-01", "2024-03-01", "2024-12-30"];
        assert!(far_ends(&log, "2024-12-31").is_empty());
        assert_eq!(far_ends(&[&log[..], &["2999-01-01"]].concat(), "2999-01-01"), far("2999-01-01", "974 years"));
        assert_eq!(far_ends(&[&["0001-01-01"], &log[..]].concat(), "2024-12-31"), far("0001-01-01", "2022 years"));
        // A row after the observation end has no influence.
        assert!(far_ends(&[&log[..], &["2999-01-01"]].concat(), "2024-12-31").is_empty());
        // More than a year, and more than a quarter of the rest: 730 days.
        assert_eq!(far_ends(&[&log[..], &["2026-01-01"]].concat(), "2026-01-01"), far("2026-01-01", "367 days"));
        assert!(far_ends(&[&log[..], &["2025-12-30"]].concat(), "2026-01-01").is_empty());
        // In a log of decades a year without a row is nothing.
        assert!(far_ends(&["2000-01-01", "2001-06-01", "2010-01-01", "2020-01-01", "2022-01-01"], "2022-01-01").is_empty());
        assert!(far_ends(&["2000-01-01", "2010-01-01"], "2022-01-01").is_empty());
    }

    /// So many days, each `every` after the one before.
    fn days(start: &str, count: i32, every: i32) -> Vec<Date> {
        let start = day(start).days_since_1970();
        (0..count).map(|step| Date::from_days_since_1970(start + every * step).unwrap()).collect()
    }

    #[test]
    fn a_gap_is_held_against_the_gaps_that_the_log_has_elsewhere() {
        let with = |days: &[Date], more: &[&str]| log_of(&[days, &more.iter().map(|text| day(text)).collect::<Vec<_>>()].concat(), 50);
        // Every day until 2025-12-30.
        let daily = days("2024-01-01", 730, 1);
        let half_a_year = vec![(Far::Last, "2026-06-30".to_owned(), "182 days".to_owned())];
        assert_eq!(found(&with(&daily, &["2026-06-30"]), "2026-06-30", false), half_a_year);
        assert_eq!(
            found(&with(&daily, &["2023-11-15"]), "2025-12-30", false),
            [(Far::First, "2023-11-15".to_owned(), "47 days".to_owned())]
        );
        // Neither of two hides the other.
        assert_eq!(found(&with(&daily, &["2023-10-01", "2026-06-30"]), "2026-06-30", false).len(), 2);
        // A shop that was closed for four weeks, or for a season once before.
        assert!(found(&with(&daily, &["2026-01-27"]), "2026-01-27", false).is_empty());
        let seasons = [days("2024-05-01", 120, 1), days("2025-05-01", 120, 1)].concat();
        assert!(found(&with(&seasons, &["2026-05-01"]), "2026-05-01", false).is_empty());
        // Every Saturday; every month.
        assert_eq!(found(&with(&days("2024-01-06", 104, 7), &["2026-06-30"]), "2026-06-30", false).len(), 1);
        assert!(found(&with(&days("2024-01-06", 24, 30), &["2026-02-20"]), "2026-02-20", false).is_empty());
        // One customer may come back, and of a handful of days the usual gap is not known.
        assert!(found(&log_of(&[daily.clone(), vec![day("2026-06-30")]].concat(), 1), "2026-06-30", false).is_empty());
        assert!(found(&with(&daily[..15], &["2024-09-01"]), "2024-09-01", false).is_empty());
        // Of 733 days some three may be wrong together, and do not hide one at the other end.
        assert_eq!(
            found(&with(&daily, &["0001-01-01", "2052-03-01", "2062-03-01", "2026-06-30"]), "2062-03-01", false),
            [(Far::First, "0001-01-01".to_owned(), "2023 years".to_owned()), (Far::Last, "2062-03-01".to_owned(), "182 days".to_owned())]
        );
    }

    #[test]
    fn years_are_told_from_two_on() {
        let gap = |days: i32| {
            let next = day("2024-01-01");
            let near = Date::from_days_since_1970(next.days_since_1970() + days).unwrap();
            FarEnd { what: Far::Last, day: near, near, next, customer: None }.gap()
        };
        assert_eq!([367, 549, 730, 731, 1_000].map(gap), ["367 days", "549 days", "730 days", "2 years", "3 years"]);
    }

    #[test]
    fn an_end_that_was_given_is_held_against_the_last_row() {
        let daily = log_of(&days("2024-01-01", 730, 1), 50);
        let far = [(Far::End, "2030-01-01".to_owned(), "4 years".to_owned())];
        assert_eq!(found(&daily, "2030-01-01", true), far);
        assert!(found(&daily, "2030-01-01", false).is_empty());
        assert!(found(&daily, "2026-01-15", true).is_empty());
        assert!(found(&daily, "2024-12-31", true).is_empty());
        assert!(found(&log_of(&days("2024-01-01", 730, 1), 2), "2030-01-01", true).is_empty());
        assert!(TransactionLog::new().far_ends(day("2030-01-01"), true).unwrap().is_empty());
        let odd = TransactionLog::from_columns(&["b", "a", "a"], &["2024-01-01", "2024-01-05", "2999-01-01"].map(day), &[1.0; 3]).unwrap();
        assert_eq!(odd.far_ends(day("2999-01-01"), false).unwrap()[0].customer.as_deref(), Some("a"));
    }
}
