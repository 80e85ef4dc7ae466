//! The account of the cleaning while it goes on. All sums are exact, so that books kept apart add up to what one would have said.

use crate::data::observation::Observation;
use crate::data::report::{DataReport, RunningTally, Skipped};
use crate::error::{Error, Result};
use crate::time::Moment;

/// What became of the rows and customers so far: see [`DataReport`] for the words.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) after_end: RunningTally,
    pub(super) used: RunningTally,
    pub(super) repeated: RunningTally,
    pub(super) merged: RunningTally,
    pub(super) refunds_netted: RunningTally,
    pub(super) refunds_unmatched: RunningTally,
    pub(super) refunds_dropped: RunningTally,
    pub(super) netted_away: RunningTally,
    pub(super) zero_amount_purchases: u64,
    pub(super) customers_seen: u64,
    pub(super) customers_after_end: u64,
    pub(super) customers_excluded: RunningTally,
    pub(super) customers: u64,
    pub(super) purchases: RunningTally,
    /// The first and the last merge period of the rows used.
    pub(super) span: Option<(i32, i32)>,
}

pub(super) const TOO_LARGE: &str = "sum to more than the largest number there is; check their unit";

impl Books {
    /// Rows used from one merge period to another.
    pub(super) fn cover(&mut self, first: i32, last: i32) {
        self.span = Some(self.span.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
    }

    /// Adds what stands in other books.
    pub(super) fn add_all(&mut self, other: &Books) {
        for (tally, other) in self.tallies_mut().into_iter().zip(other.clone().tallies_mut()) {
            tally.add_all(other);
        }
        self.zero_amount_purchases += other.zero_amount_purchases;
        self.customers_seen += other.customers_seen;
        self.customers_after_end += other.customers_after_end;
        self.customers += other.customers;
        if let Some((first, last)) = other.span {
            self.cover(first, last);
        }
    }

    fn tallies_mut(&mut self) -> [&mut RunningTally; 10] {
        [
            &mut self.after_end,
            &mut self.used,
            &mut self.repeated,
            &mut self.merged,
            &mut self.refunds_netted,
            &mut self.refunds_unmatched,
            &mut self.refunds_dropped,
            &mut self.netted_away,
            &mut self.customers_excluded,
            &mut self.purchases,
        ]
    }

    /// Closes the books: the report, or an error when some sum is too large for a number.
    pub(super) fn report(&self, observation: &Observation, rows_read: u64, skipped: &Skipped) -> Result<DataReport> {
        let date = |period: i32| Moment::from_hours_since_1970(period * observation.merge.hours()).date();
        let report = DataReport {
            refunds: observation.refunds,
            duplicates: observation.duplicates,
            merge: observation.merge,
            rows_read,
            skipped: skipped.tally(),
            first_skipped: skipped.first(),
            after_end: self.after_end.tally(),
            used: self.used.tally(),
            repeated: self.repeated.tally(),
            merged: self.merged.tally(),
            refunds_netted: self.refunds_netted.tally(),
            refunds_unmatched: self.refunds_unmatched.tally(),
            refunds_dropped: self.refunds_dropped.tally(),
            netted_away: self.netted_away.tally(),
            zero_amount_purchases: self.zero_amount_purchases,
            customers_seen: self.customers_seen,
            customers_after_end: self.customers_after_end,
            customers_excluded: self.customers_excluded.tally(),
            customers: self.customers,
            purchases: self.purchases.tally(),
            first_date: self.span.map(|(first, _)| date(first)),
            last_date: self.span.map(|(_, last)| date(last)),
        };
        match report.infinite() {
            Some(what) => Err(Error::data(format!("the amounts of {what} {TOO_LARGE}"))),
            None => Ok(report),
        }
    }
}
