//! Rules of thumb that a model has to beat. Like the models they see nothing after the cut. (NBD, where nobody drops out, is a model.)

use super::predicted::{Predicted, Revenue};
use super::spend::{OWN_AVERAGE, Spending};
use super::split::Split;
use super::sums::{ratio, sum};
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
    /// the calibration if that is shorter (Wuebben & Wangenheim 2008 have theirs from managers).
    Hiatus,
    /// Average order value x purchase frequency x customer lifespan, as shop dashboards have it, the same for everybody: the mean amount of all purchases; all
    /// purchases over all ages; the mean time from the first purchase to the last, as far as it lasts into the holdout.
    OrderValue,
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
    /// What each customer's purchases are worth on average.
    pub(super) spending: &'a Spending,
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
    pub(super) parameters: Vec<(&'static str, f64)>,
    /// Nothing more is expected after this time; infinite, mostly.
    pub(super) lasts: f64,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Baseline; 6] =
        [Baseline::AlwaysZero, Baseline::MeanRate, Baseline::OwnRate, Baseline::LastPeriod, Baseline::Hiatus, Baseline::OrderValue];

    /// The name: `always-zero`, `mean-rate`, `own-rate`, `last-period`, `hiatus`, `order-value`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Baseline::AlwaysZero => "always-zero",
            Baseline::MeanRate => "mean-rate",
            Baseline::OwnRate => "own-rate",
            Baseline::LastPeriod => "last-period",
            Baseline::Hiatus => "hiatus",
            Baseline::OrderValue => "order-value",
        }
    }

    /// The forecasts for the customers known at the cut, and for customers acquired these times before the end of the holdout.
    pub(super) fn forecast(self, seen: &Calibration<'_>, acquired: &[f64]) -> Result<Said> {
        let rows = seen.customers.len();
        Ok(match self {
            Baseline::AlwaysZero => {
                let nothing = |count: usize| at_value(vec![0.0; count], |_| 0.0).with_p_active(vec![0.0; count]);
                Said { acquired: Some(nothing(acquired.len())), ..Said::of(nothing(rows)) }
            }
            Baseline::MeanRate => {
                let rate = rate(seen.repeat_purchases(), sum(seen.customers.age()));
                let known = vec![rate * seen.length(); rows];
                let newer = acquired.iter().map(|age| rate * age).collect();
                let value = seen.spending.new.mean;
                Said {
                    acquired: Some(at_value(newer, |_| value)),
                    parameters: vec![("rate", rate)],
                    ..Said::of(at_value(known, |_| value))
                }
            }
            Baseline::OwnRate => Said::of(seen.worth((0..rows).map(|row| seen.at_own_rate(row)).collect())),
            Baseline::LastPeriod => Said::of(seen.last_period()?),
            Baseline::Hiatus => {
                let threshold = seen.hiatus()?;
                let active: Vec<bool> = (0..rows).map(|row| silence(seen.customers, row) <= threshold).collect();
                let purchases = (0..rows).map(|row| if active[row] { seen.at_own_rate(row) } else { 0.0 }).collect();
                let p_active = active.iter().map(|&active| f64::from(u8::from(active))).collect();
                Said { parameters: vec![("threshold", threshold)], ..Said::of(seen.worth(purchases).with_p_active(p_active)) }
            }
            Baseline::OrderValue => seen.order_value(acquired),
        })
    }
}

impl Said {
    fn of(known: Predicted) -> Self {
        Said { known, acquired: None, parameters: Vec::new(), lasts: f64::INFINITY }
    }

    /// The share of what is expected of the customers known at the cut that has come by each of some times after it, of a holdout of this length.
    pub(super) fn share_by(&self, times: &[f64], length: f64) -> Vec<f64> {
        let all = length.min(self.lasts);
        times.iter().map(|&t| if all > 0.0 { t.min(all) / all } else { 0.0 }).collect()
    }
}

/// Purchases and what they are worth: the rules tell amounts by averages of what was spent so far.
fn at_value(purchases: Vec<f64>, value: impl Fn(usize) -> f64) -> Predicted {
    let amounts = purchases.iter().enumerate().map(|(row, purchases)| purchases * value(row)).collect();
    Predicted::of_numbers(purchases, Revenue { spend: OWN_AVERAGE, amounts, variance: None })
}

impl Calibration<'_> {
    fn length(&self) -> f64 {
        self.split.length(self.observation.unit)
    }

    fn repeat_purchases(&self) -> f64 {
        self.customers.frequency().iter().map(|&x| f64::from(x)).sum()
    }

    fn worth(&self, purchases: Vec<f64>) -> Predicted {
        at_value(purchases, |row| self.spending.known[row].mean)
    }

    fn at_own_rate(&self, row: usize) -> f64 {
        rate(f64::from(self.customers.frequency()[row]), self.customers.age()[row]) * self.length()
    }

    fn last_period(&self) -> Result<Predicted> {
        let rows = self.customers.len();
        let (mut counts, mut amounts) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        self.log.for_each_customer(&self.observation, |id, purchases| {
            let next = counts.len();
            if let Some((_, repeated)) = purchases.split_first().filter(|_| next < rows && self.customers.id(next) == id) {
                let lately = repeated.iter().filter(|purchase| self.split.cut().days_since(purchase.time.date()) < self.split.days());
                counts.push(lately.clone().count() as f64);
                amounts.push(lately.fold(0.0, |sum, purchase| sum + purchase.amount));
            }
        })?;
        Ok(Predicted::of_numbers(counts, Revenue { spend: OWN_AVERAGE, amounts, variance: None }))
    }

    fn order_value(&self, acquired: &[f64]) -> Said {
        let customers = self.customers;
        let purchases = self.repeat_purchases() + customers.len() as f64;
        let spend = customers.purchases().iter().fold(0.0, |sum, record| sum + record.total_spend);
        let value = ratio(spend, purchases).unwrap_or(0.0);
        let frequency = rate(purchases, sum(customers.age()));
        let lifespan = ratio(sum(customers.recency()), customers.len() as f64).unwrap_or(0.0);
        let known = vec![frequency * lifespan.min(self.length()); customers.len()];
        let newer = acquired.iter().map(|age| frequency * lifespan.min(*age)).collect();
        Said {
            acquired: Some(at_value(newer, |_| value)),
            parameters: vec![("order_value", value), ("frequency", frequency), ("lifespan", lifespan)],
            lasts: lifespan,
            ..Said::of(at_value(known, |_| value))
        }
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
        let inner = self.split.within_calibration(Date::from_days_since_1970(cut.days_since_1970() - days)?);
        let known = inner.calibrated_on(self.log.summarize(&Observation { end: inner.cut(), ..self.observation })?)?;
        let truth = Truth::of(self.log, &self.observation, &inner, &known)?;
        let seen = (0..known.len()).map(|row| (silence(&known, row), truth.known[row].purchases > 0)).collect();
        Ok(best_threshold(seen))
    }
}

fn rate(purchases: f64, time: f64) -> f64 {
    ratio(purchases, time).unwrap_or(0.0)
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
            amount: f64::from(january),
        }))
        .unwrap();
        let cut = day("2026-01-29");
        let observation = Observation::until(cut).in_days();
        let customers = log.summarize(&observation).unwrap();
        let split = Split::new(cut, day("2026-02-12"), day("2026-01-01"), day("2026-02-12")).unwrap();
        let spending = Spending::own_average(&customers);
        let first = day("2026-01-01");
        baseline
            .forecast(&Calibration { log: &log, first, observation, customers: &customers, spending: &spending, split }, &[7.0])
            .unwrap()
    }

    #[test]
    fn each_rule_by_hand() {
        // x = 2, 1, 2; T = 28, 28, 14; silent for 7, 25, 0 days; repeat purchases worth 8 + 22, 4, 20 + 29.
        let revenue = |predicted: &Predicted| predicted.revenue[0].amounts.clone();
        assert_eq!(said(Baseline::AlwaysZero).known.purchases, [0.0; 3]);
        assert_eq!(said(Baseline::MeanRate).known.purchases, [1.0; 3]);
        assert_eq!(said(Baseline::MeanRate).acquired.unwrap().purchases, [0.5]);
        assert_eq!(revenue(&said(Baseline::MeanRate).known), [83.0 / 5.0; 3]);
        assert_eq!(said(Baseline::OwnRate).known.purchases, [1.0, 0.5, 2.0]);
        assert_eq!(revenue(&said(Baseline::OwnRate).known), [15.0, 2.0, 49.0]);
        // From 16 January: the 22nd of a; the 20th and 29th of c, whose first purchase on the 15th is no repeat purchase anyway.
        assert_eq!(said(Baseline::LastPeriod).known.purchases, [1.0, 0.0, 2.0]);
        assert_eq!(revenue(&said(Baseline::LastPeriod).known), [22.0, 0.0, 49.0]);
        // At the inner cut, 15 January, a is silent for 7 days, b for 11 and c for 0; a and c buy until the 29th: up to 7 days is without error.
        let hiatus = said(Baseline::Hiatus);
        assert_eq!(hiatus.parameters, [("threshold", 7.0)]);
        assert_eq!(hiatus.known.purchases, [1.0, 0.0, 2.0]);
        assert_eq!(hiatus.known.p_active, Some(vec![1.0, 0.0, 1.0]));
        assert!(hiatus.acquired.is_none());
        // Eight purchases worth 31 + 5 + 64 in 70 days; from first to last 21, 3 and 14 days, of which the mean is shorter than the holdout.
        let rule = said(Baseline::OrderValue);
        assert_eq!(rule.parameters, [("order_value", 12.5), ("frequency", 8.0 / 70.0), ("lifespan", 38.0 / 3.0)]);
        let purchases = 8.0 / 70.0 * (38.0 / 3.0);
        assert_eq!((rule.known.purchases.clone(), revenue(&rule.known)), (vec![purchases; 3], vec![12.5 * purchases; 3]));
        assert_eq!(rule.acquired.as_ref().unwrap().purchases, [8.0 / 70.0 * 7.0]);
        // Half of the lifespan, and beyond it.
        assert_eq!(rule.share_by(&[19.0 / 3.0, 13.0, 14.0], 14.0), [0.5, 1.0, 1.0]);
        assert_eq!(said(Baseline::OwnRate).share_by(&[7.0, 14.0], 14.0), [0.5, 1.0]);
    }

    #[test]
    fn the_best_silence_is_the_shortest_of_equals() {
        assert_eq!(best_threshold(vec![(3.0, true), (1.0, true), (2.0, false), (4.0, false)]), 1.0);
        assert_eq!(best_threshold(vec![(1.0, true), (2.0, false), (2.0, true), (3.0, true), (9.0, false)]), 3.0);
        assert_eq!(best_threshold(vec![(5.0, false)]), 5.0);
    }
}
