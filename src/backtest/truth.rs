//! What came after the cut, customer by customer.

use crate::data::{Customers, Observation, TransactionLog};
use crate::error::Result;
use crate::time::Moment;

use super::scheme::Split;

/// What one customer did within the holdout.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Holdout {
    /// Purchases after the cut; of customers acquired then, those after the first one.
    pub(super) purchases: u64,
    /// The spend in them.
    pub(super) spend: f64,
}

/// Customers whose first purchase lies after the cut: that they came is taken as given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Acquired {
    /// From the first purchase to the end of the holdout, in the unit of the observation.
    pub(super) age: f64,
    /// What they bought after the first purchase.
    pub(super) holdout: Holdout,
}

/// What came.
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    /// One entry for each customer known at the cut, in their order.
    pub(super) known: Vec<Holdout>,
    /// The customers acquired within the holdout, in byte order of their ids.
    pub(super) acquired: Vec<Acquired>,
}

impl Truth {
    /// Cleans the log as it stood at the end of the holdout and takes the purchases after the cut. A refund belongs to the purchase that it reduces:
    /// one that came after the cut for a purchase before it changes neither the holdout nor, since that was made first, the calibration.
    ///
    /// `known` are the customers summarised at the cut, in byte order of their ids.
    pub(super) fn of(log: &TransactionLog, observation: &Observation, split: &Split, known: &Customers) -> Result<Self> {
        let mut truth = Truth::default();
        let seen = Observation { end: split.holdout_end(), ..*observation };
        log.for_each_customer(&seen, |id, purchases| {
            let after = &purchases[purchases.partition_point(|purchase| purchase.time.date() <= split.cut())..];
            let next = truth.known.len();
            if next < known.len() && known.id(next) == id {
                truth.known.push(holdout(after.iter().map(|purchase| purchase.amount)));
            } else if let Some((first, repeated)) = after.split_first() {
                let last_hour = Moment::from(split.holdout_end()).hours_since_1970() + 24 - observation.merge.hours();
                let age = f64::from(last_hour - first.time.hours_since_1970()) / observation.unit.hours();
                truth.acquired.push(Acquired { age, holdout: holdout(repeated.iter().map(|purchase| purchase.amount)) });
            }
        })?;
        Ok(truth)
    }
}

fn holdout(amounts: impl ExactSizeIterator<Item = f64>) -> Holdout {
    Holdout { purchases: amounts.len() as u64, spend: amounts.fold(0.0, |sum, amount| sum + amount) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Transaction;
    use crate::time::Date;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn purchases_of_the_cut_day_are_calibration_and_refunds_follow_their_purchase() {
        let row = |customer, date: &str, amount| Transaction { customer, time: day(date).into(), amount };
        let log = TransactionLog::from_events([
            row("a", "2026-01-01", 10.0),
            row("a", "2026-02-01", 20.0), // on the cut day
            row("a", "2026-02-02", 30.0),
            row("a", "2026-03-01", 40.0), // the last day of the holdout
            row("a", "2026-03-02", 50.0), // after it
            row("b", "2026-01-05", 10.0),
            row("b", "2026-02-10", 15.0),
            row("b", "2026-02-12", -20.0), // takes the 15 away, and 5 of the 10 before the cut
            row("c", "2026-02-08", 7.0),   // acquired in the holdout
            row("c", "2026-02-15", 8.0),
            row("d", "2026-01-07", 5.0), // bought and gave back before the cut, came again after it
            row("d", "2026-01-08", -5.0),
            row("d", "2026-02-22", 5.0),
            row("e", "2026-04-01", 1.0), // acquired later still
            row("f", "2026-01-09", 9.0), // its one purchase is given back after the cut: known at the cut all the same
            row("f", "2026-02-03", -9.0),
        ])
        .unwrap();
        let observation = Observation::until(day("2026-04-30"));
        let split = Split::new(day("2026-02-01"), day("2026-03-01"), day("2026-01-01"), day("2026-04-30")).unwrap();
        let known = log.summarize(&Observation { end: split.cut(), ..observation }).unwrap();
        assert_eq!(known.ids().collect::<Vec<_>>(), ["a", "b", "f"]);
        assert_eq!(known.frequency(), [1, 0, 0]);
        let truth = Truth::of(&log, &observation, &split, &known).unwrap();
        assert_eq!(truth.known, [Holdout { purchases: 2, spend: 70.0 }, Holdout::default(), Holdout::default()]);
        let acquired =
            [Acquired { age: 3.0, holdout: Holdout { purchases: 1, spend: 8.0 } }, Acquired { age: 1.0, holdout: Holdout::default() }];
        assert_eq!(truth.acquired, acquired);
    }
}
