//! What came after the cut, customer by customer, and what came when.

use super::split::Split;
use crate::data::{Customers, Observation, Purchase, TransactionLog};
use crate::error::Result;
use crate::time::{Date, Moment};

/// Purchases, and what was spent in them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bought {
    /// Repeat purchases.
    pub(super) purchases: u64,
    /// The spend in them.
    pub(super) spend: f64,
}

impl Bought {
    fn of(amounts: impl ExactSizeIterator<Item = f64>) -> Self {
        Bought { purchases: amounts.len() as u64, spend: amounts.fold(0.0, |sum, amount| sum + amount) }
    }

    fn add(&mut self, amount: f64) {
        self.purchases += 1;
        self.spend += amount;
    }
}

/// Customers whose first purchase lies after the last one of those known: that they came is taken as given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Acquired {
    /// From the first purchase to the end of the holdout, in the unit of the observation.
    pub(super) age: f64,
    /// When the first purchase was made.
    pub(super) born: Date,
    /// What they bought after the first purchase.
    pub(super) bought: Bought,
}

/// What came.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    /// What each customer known at the cut bought after it, in their order.
    pub(super) known: Vec<Bought>,
    /// The customers acquired later, in byte order of their ids.
    pub(super) acquired: Vec<Acquired>,
    /// What those known at the cut bought on each day after it.
    pub(super) after_cut: Vec<Bought>,
    /// All of them, from the first birth to the end of the holdout.
    pub(super) calendar: Calendar,
}

/// Births and repeat purchases, day by day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calendar {
    pub(super) first: Date,
    /// First purchases.
    pub(super) births: Vec<u64>,
    /// Purchases after the first.
    pub(super) repeats: Vec<Bought>,
}

impl Calendar {
    fn new(first: Date, last: Date) -> Self {
        let days = usize::try_from(last.days_since(first) + 1).unwrap_or(0);
        Calendar { first, births: vec![0; days], repeats: vec![Bought::default(); days] }
    }

    fn add(&mut self, purchases: &[Purchase]) {
        let day = |purchase: &Purchase| usize::try_from(purchase.time.date().days_since(self.first)).unwrap_or(0);
        if let Some((first, repeated)) = purchases.split_first() {
            self.births[day(first)] += 1;
            for purchase in repeated {
                let day = day(purchase);
                self.repeats[day].add(purchase.amount);
            }
        }
    }
}

impl Truth {
    /// Cleans the log as it stood at the end of the holdout and takes the purchases after the cut. A refund belongs to the purchase that it reduces:
    /// one that came after the cut for a purchase before it changes neither the holdout nor, since that was made first, the calibration.
    ///
    /// `known` are the customers summarised at the cut, in byte order of their ids. Others were acquired after them, or are of no concern because
    /// they were born before a sliding window.
    pub(super) fn of(log: &TransactionLog, observation: &Observation, split: &Split, known: &Customers) -> Result<Self> {
        let first = log.first_date().unwrap_or(split.cut());
        let mut truth = Truth {
            known: Vec::with_capacity(known.len()),
            acquired: Vec::new(),
            after_cut: vec![Bought::default(); usize::try_from(split.days()).unwrap_or(0)],
            calendar: Calendar::new(first, split.holdout_end()),
        };
        let seen = Observation { end: split.holdout_end(), ..*observation };
        log.for_each_customer(&seen, |id, purchases| {
            let next = truth.known.len();
            if next < known.len() && known.id(next) == id {
                let after = &purchases[purchases.partition_point(|purchase| purchase.time.date() <= split.cut())..];
                truth.known.push(Bought::of(after.iter().map(|purchase| purchase.amount)));
                for purchase in after {
                    let day = purchase.time.date().days_since(split.cut()) - 1;
                    truth.after_cut[usize::try_from(day).unwrap_or(0)].add(purchase.amount);
                }
            } else if let Some((first, repeated)) =
                purchases.split_first().filter(|(first, _)| first.time.date() > split.last_known_birth())
            {
                let last_hour = Moment::from(split.holdout_end()).hours_since_1970() + 24 - observation.merge.hours();
                let age = f64::from(last_hour - first.time.hours_since_1970()) / observation.unit.hours();
                let bought = Bought::of(repeated.iter().map(|purchase| purchase.amount));
                truth.acquired.push(Acquired { age, born: first.time.date(), bought });
            } else {
                return;
            }
            truth.calendar.add(purchases);
        })?;
        Ok(truth)
    }
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
        assert_eq!(truth.known, [Bought { purchases: 2, spend: 70.0 }, Bought::default(), Bought::default()]);
        let acquired = [
            Acquired { age: 3.0, born: day("2026-02-08"), bought: Bought { purchases: 1, spend: 8.0 } },
            Acquired { age: 1.0, born: day("2026-02-22"), bought: Bought::default() },
        ];
        assert_eq!(truth.acquired, acquired);
        // Day by day: the 30 on 2 February, the 40 on 1 March.
        assert_eq!((truth.after_cut[0].spend, truth.after_cut[27].spend, truth.after_cut.len()), (30.0, 40.0, 28));
        let calendar = &truth.calendar;
        assert_eq!((calendar.first, calendar.births.iter().sum::<u64>(), calendar.births[0]), (day("2026-01-01"), 4, 1));
        // a three times, c once; the purchase of f was given back.
        assert_eq!(calendar.repeats.iter().map(|bought| bought.purchases).sum::<u64>(), 4);
    }
}
