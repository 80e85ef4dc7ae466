//! Rules of thumb that a model has to beat. Like the models they see nothing after the cut. (NBD, where nobody drops out, is a model.)

use super::predicted::Predicted;
use super::scheme::Split;
use super::truth::Truth;
use crate::data::{Customers, Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::time::Date;

/// A rule of thumb.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Baseline {
    /// Nobody buys again.
    AlwaysZero,
    /// Everybody buys at the mean rate: all repeat purchases over all ages.
    MeanRate,
    /// Everybody goes on at their own rate so far, x / T.
    OwnRate,
    /// Everybody repeats the repeat purchases of the last period before the cut, as long as the holdout. Where the data are shorter, all of them.
    LastPeriod,
    /// Who has been silent for longer than a threshold buys no more; the others go on at their own rate.
    ///
    /// The threshold is the silence that told best, within the calibration, who would buy in its last part: a part as long as the holdout, or half
    /// the calibration if that is shorter.
    Hiatus,
}

/// What a baseline sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calibration<'a> {
    pub(super) log: &'a TransactionLog,
    /// The day of the first transaction.
    pub(super) first: Date,
    /// Until the cut.
    pub(super) observation: Observation,
    pub(super) customers: &'a Customers,
    /// How far ahead to look.
    pub(super) split: Split,
}

/// What a baseline says.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) known: Predicted,
    /// Of customers acquired in the holdout; `None` when the rule needs a history.
    pub(super) acquired: Option<Predicted>,
    /// What was chosen in the calibration.
    pub(super) parameter: Option<(&'static str, f64)>,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Baseline; 5] = [Baseline::AlwaysZero, Baseline::MeanRate, Baseline::OwnRate, Baseline::LastPeriod, Baseline::Hiatus];

    /// The name: `always-zero`, `mean-rate`, `own-rate`, `last-period`, `hiatus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Baseline::AlwaysZero => "always-zero",
            Baseline::MeanRate => "mean-rate",
            Baseline::OwnRate => "own-rate",
            Baseline::LastPeriod => "last-period",
            Baseline::Hiatus => "hiatus",
        }
    }

    /// The forecasts for the customers known at the cut, and for customers acquired these times before the end of the holdout.
    pub(super) fn forecast(self, seen: &Calibration<'_>, acquired: &[f64]) -> Result<Said> {
        let customers = seen.customers;
        let numbers = |known| Said { known: Predicted::of_numbers(known), acquired: None, parameter: None };
        Ok(match self {
            Baseline::AlwaysZero => {
                let nothing = |count| Predicted { p_active: Some(vec![0.0; count]), ..Predicted::of_numbers(vec![0.0; count]) };
                Said { known: nothing(customers.len()), acquired: Some(nothing(acquired.len())), parameter: None }
            }
            Baseline::MeanRate => {
                let repeated: f64 = customers.frequency().iter().map(|&x| f64::from(x)).sum();
                let rate = rate(repeated, customers.age().iter().sum());
                let known = vec![rate * seen.length(); customers.len()];
                let acquired = acquired.iter().map(|age| rate * age).collect();
                Said { acquired: Some(Predicted::of_numbers(acquired)), parameter: Some(("rate", rate)), ..numbers(known) }
            }
            Baseline::OwnRate => numbers((0..customers.len()).map(|row| seen.at_own_rate(row)).collect()),
            Baseline::LastPeriod => numbers(seen.last_period()?),
            Baseline::Hiatus => {
                let threshold = seen.hiatus()?;
                let active: Vec<bool> = (0..customers.len()).map(|row| silence(customers, row) <= threshold).collect();
                let purchases = (0..customers.len()).map(|row| if active[row] { seen.at_own_rate(row) } else { 0.0 }).collect();
                let p_active = active.iter().map(|&active| f64::from(u8::from(active))).collect();
                let known = Predicted { p_active: Some(p_active), ..Predicted::of_numbers(purchases) };
                Said { known, acquired: None, parameter: Some(("threshold", threshold)) }
            }
        })
    }
}

impl Calibration<'_> {
    fn length(&self) -> f64 {
        self.split.length(self.observation.unit)
    }

    fn at_own_rate(&self, row: usize) -> f64 {
        rate(f64::from(self.customers.frequency()[row]), self.customers.age()[row]) * self.length()
    }

    fn last_period(&self) -> Result<Vec<f64>> {
        let mut counts = Vec::with_capacity(self.customers.len());
        self.log.for_each_customer(&self.observation, |_, purchases| {
            if let Some((_, repeated)) = purchases.split_first() {
                let lately = repeated.iter().filter(|purchase| self.split.cut().days_since(purchase.time.date()) < self.split.days());
                counts.push(lately.count() as f64);
            }
        })?;
        Ok(counts)
    }

    /// The threshold: of the silences seen at an inner cut, the one that errs least on who bought between it and the cut; of equals the shortest.
    fn hiatus(&self) -> Result<f64> {
        let cut = self.split.cut();
        let days = self.split.days().min(cut.days_since(self.first) / 2);
        if days < 1 {
            return Err(Error::data(format!(
                "the hiatus rule needs at least two days of calibration to choose its threshold in; the first transaction is of {}, the cut is {cut}",
                self.first
            )));
        }
        let inner = Split::new(Date::from_days_since_1970(cut.days_since_1970() - days)?, cut, self.first, cut)?;
        let known = self.log.summarize(&Observation { end: inner.cut(), ..self.observation })?;
        let truth = Truth::of(self.log, &self.observation, &inner, &known)?;
        let seen = (0..known.len()).map(|row| (silence(&known, row), truth.known[row].purchases > 0)).collect();
        Ok(best_threshold(seen))
    }
}

fn rate(purchases: f64, time: f64) -> f64 {
    if time > 0.0 { purchases / time } else { 0.0 }
}

/// The time since the last purchase.
fn silence(customers: &Customers, row: usize) -> f64 {
    customers.age()[row] - customers.recency()[row]
}

/// The silence s for which "bought again if silent for at most s" errs least.
fn best_threshold(mut seen: Vec<(f64, bool)>) -> f64 {
    seen.sort_by(|one, other| one.0.total_cmp(&other.0));
    // Below every silence, all who bought again are errors; each customer passed by is one error more or less.
    let (mut errors, mut fewest, mut best) = (0_i64, i64::MAX, 0.0);
    for tied in seen.chunk_by(|one, other| one.0 == other.0) {
        errors += tied.iter().map(|&(_, again)| if again { -1 } else { 1 }).sum::<i64>();
        if errors < fewest {
            (fewest, best) = (errors, tied[0].0);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Transaction;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Three customers, cut on 29 January, 14 days ahead; the last day of the year before is day 0.
    fn said(baseline: Baseline) -> Said {
        let rows = [("a", 1), ("a", 8), ("a", 22), ("b", 1), ("b", 4), ("c", 15), ("c", 20), ("c", 29), ("c", 31)];
        let log = TransactionLog::from_events(rows.map(|(customer, january)| Transaction {
            customer,
            time: Date::new(2026, 1, january).unwrap().into(),
            amount: 1.0,
        }))
        .unwrap();
        let cut = day("2026-01-29");
        let observation = Observation::until(cut).in_days();
        let customers = log.summarize(&observation).unwrap();
        let split = Split::new(cut, day("2026-02-12"), day("2026-01-01"), day("2026-02-12")).unwrap();
        baseline.forecast(&Calibration { log: &log, first: day("2026-01-01"), observation, customers: &customers, split }, &[7.0]).unwrap()
    }

    #[test]
    fn each_rule_by_hand() {
        // x = 2, 1, 2; T = 28, 28, 14; silent for 7, 25, 0 days.
        assert_eq!(said(Baseline::AlwaysZero).known.purchases, [0.0; 3]);
        assert_eq!(said(Baseline::MeanRate).known.purchases, [1.0; 3]);
        assert_eq!(said(Baseline::MeanRate).acquired.unwrap().purchases, [0.5]);
        assert_eq!(said(Baseline::OwnRate).known.purchases, [1.0, 0.5, 2.0]);
        // From 16 January: the 22nd of a; the 20th and 29th of c, whose first purchase on the 15th is no repeat purchase anyway.
        assert_eq!(said(Baseline::LastPeriod).known.purchases, [1.0, 0.0, 2.0]);
        // At the inner cut, 15 January, a is silent for 7 days, b for 11 and c for 0; a and c buy until the 29th: up to 7 days is without error.
        let hiatus = said(Baseline::Hiatus);
        assert_eq!(hiatus.parameter, Some(("threshold", 7.0)));
        assert_eq!(hiatus.known.purchases, [1.0, 0.0, 2.0]);
        assert_eq!(hiatus.known.p_active, Some(vec![1.0, 0.0, 1.0]));
        assert!(hiatus.acquired.is_none());
    }

    #[test]
    fn the_best_silence_is_the_shortest_of_equals() {
        assert_eq!(best_threshold(vec![(3.0, true), (1.0, true), (2.0, false), (4.0, false)]), 1.0);
        assert_eq!(best_threshold(vec![(1.0, true), (2.0, false), (2.0, true), (3.0, true), (9.0, false)]), 3.0);
        assert_eq!(best_threshold(vec![(5.0, false)]), 5.0);
    }
}
