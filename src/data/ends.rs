//! The first and the last day of a log where they lie far from all others: mostly a wrong date.

use crate::data::log::TransactionLog;
use crate::time::{Date, Moment};

/// A gap of more than a year is looked at.
const DAYS: i32 = 365;

/// It is far where it is more than this share of what the rest of the log covers.
const SHARE_OF_REST: i32 = 4;

/// The first or last of some days, and the day next to it, when they lie far from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FarEnd {
    pub(crate) day: Date,
    pub(crate) next: Date,
}

/// Whether days that are so far from the rest, which covers so many days, are to be looked at.
pub(super) fn is_far(gap: i32, rest: i32) -> bool {
    gap > DAYS && gap > rest / SHARE_OF_REST
}

impl FarEnd {
    pub(crate) fn is_last(&self) -> bool {
        self.day > self.next
    }

    /// The gap in years where it is two or more, else in days.
    pub(crate) fn gap(&self) -> String {
        let days = self.day.days_since(self.next).unsigned_abs();
        let years = (f64::from(days) / 365.25).round();
        if years < 2.0 { format!("{days} days") } else { format!("{years} years") }
    }
}

impl TransactionLog {
    /// The ends of the log, up to the observation end, that lie far from all else.
    pub(crate) fn far_ends(&self, observation_end: Date) -> Vec<FarEnd> {
        let end = observation_end.days_since_1970();
        let days = || {
            let events = self.partitions().iter().flat_map(|partition| partition.events());
            events.map(|event| Moment::from_hours_since_1970(event.hour).date().days_since_1970()).filter(move |&day| day <= end)
        };
        let (Some(first), Some(last)) = (days().min(), days().max()) else { return Vec::new() };
        let (Some(second), Some(before)) = (days().filter(|&day| day > first).min(), days().filter(|&day| day < last).max()) else {
            return Vec::new();
        };
        // With two days alone there is no rest.
        let far = |gap: i32, rest: i32| before > first && is_far(gap, rest);
        let ends = [(first, second, far(second - first, last - second)), (last, before, far(last - before, before - first))];
        let named = |(day, next, far): (i32, i32, bool)| {
            let (day, next) = (Date::from_days_since_1970(day).ok()?, Date::from_days_since_1970(next).ok()?);
            far.then_some(FarEnd { day, next })
        };
        ends.into_iter().filter_map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far_ends(days: &[&str], end: &str) -> Vec<(String, String)> {
        let dates: Vec<Date> = days.iter().map(|day| day.parse().unwrap()).collect();
        let log = TransactionLog::from_columns(&vec!["a"; days.len()], &dates, &vec![1.0; days.len()]).unwrap();
        let end = end.parse().unwrap();
        log.far_ends(end).iter().map(|far| (far.day.to_string(), far.gap())).collect()
    }

    #[test]
    fn a_day_far_from_all_others_is_found_at_either_end() {
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
}
