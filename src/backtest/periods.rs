//! The holdout week by week: what the customers known at the cut bought, and what was forecast of them.

use super::split::Split;
use super::sums::{ratio, sum};
use super::truth::Bought;
use crate::error::Result;
use crate::time::{Date, TimeUnit};

/// Days of a period.
pub(super) const PERIOD: i32 = 7;

/// A span of more than these days, 20 years, is not told week by week: one wrong date would make ten thousands of weeks without anybody in them.
pub(crate) const MOST_DAYS: usize = 1044 * PERIOD as usize;

/// A week of the holdout.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PeriodRow {
    /// Its last day.
    pub end: Date,
    /// Purchases (or spend) of the customers known at the cut.
    pub actual: f64,
    /// What was predicted.
    pub predicted: f64,
    /// Predicted over actual, less 1; `None` when there was nothing.
    pub bias: Option<f64>,
}

/// The whole weeks of a holdout.
#[derive(Debug, Clone)]
pub(super) struct Weeks {
    ends: Vec<Date>,
    /// The ends, as times after the cut in the unit of the model.
    pub(super) times: Vec<f64>,
    purchases: Vec<f64>,
    spend: Vec<f64>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Purchases,
    Spend,
}

impl Weeks {
    /// From what was bought on each day after the cut; none of a holdout longer than [`MOST_DAYS`].
    pub(super) fn of(after_cut: &[Bought], split: &Split, unit: TimeUnit) -> Result<Self> {
        let told = if after_cut.len() > MOST_DAYS { &[] } else { after_cut };
        let weeks = told.chunks_exact(PERIOD as usize);
        let days: Vec<i32> = (1..).take(weeks.len()).map(|week| week * PERIOD).collect();
        let ends = days.iter().map(|days| Date::from_days_since_1970(split.cut().days_since_1970() + days));
        Ok(Weeks {
            ends: ends.collect::<Result<Vec<Date>>>()?,
            times: days.iter().map(|&days| f64::from(days) * 24.0 / unit.hours()).collect(),
            purchases: weeks.clone().map(|week| week.iter().map(|day| day.purchases as f64).sum()).collect(),
            spend: weeks.map(|week| week.iter().fold(0.0, |sum, day| sum + day.spend)).collect(),
        })
    }

    /// The table against a forecast of totals by the end of each week, and the weighted absolute percentage error of its curve.
    pub(super) fn against(&self, quantity: Quantity, predicted_by: &[f64]) -> (Vec<PeriodRow>, Option<f64>) {
        let came = if quantity == Quantity::Purchases { &self.purchases } else { &self.spend };
        let before = [0.0].into_iter().chain(predicted_by.iter().copied());
        let row = |((end, actual), (by, before)): ((&Date, &f64), (&f64, f64))| PeriodRow {
            end: *end,
            actual: *actual,
            predicted: by - before,
            bias: ratio(by - before, *actual).map(|ratio| ratio - 1.0),
        };
        let rows: Vec<PeriodRow> = self.ends.iter().zip(came).zip(predicted_by.iter().zip(before)).map(row).collect();
        let errors = rows.iter().fold(0.0, |sum, row| sum + (row.predicted - row.actual).abs());
        (rows, ratio(errors, sum(came)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_weeks_and_what_is_left_of_a_third() {
        let day = |text: &str| -> Date { text.parse().unwrap() };
        let split = Split::new(day("2026-01-31"), day("2026-02-16"), day("2026-01-01"), day("2026-02-28")).unwrap();
        let mut after_cut = vec![Bought::default(); 16];
        after_cut[0] = Bought { purchases: 2, spend: 30.0 };
        after_cut[6] = Bought { purchases: 1, spend: 10.0 };
        after_cut[15] = Bought { purchases: 9, spend: 90.0 };
        let weeks = Weeks::of(&after_cut, &split, TimeUnit::Day).unwrap();
        assert_eq!(weeks.times, [7.0, 14.0]);
        let (rows, wape) = weeks.against(Quantity::Purchases, &[4.0, 4.5]);
        assert_eq!(rows[0], PeriodRow { end: day("2026-02-07"), actual: 3.0, predicted: 4.0, bias: Some(4.0 / 3.0 - 1.0) });
        // Nothing came in the second week: no ratio, and its error counts.
        assert_eq!((rows[1].predicted, rows[1].bias, wape), (0.5, None, Some(0.5)));
        assert_eq!(weeks.against(Quantity::Spend, &[30.0, 50.0]).1, Some(0.75));
        assert_eq!(Weeks::of(&after_cut[..3], &split, TimeUnit::Day).unwrap().against(Quantity::Spend, &[]), (Vec::new(), None));
        // Centuries have no weeks.
        let of_days = |days: usize| Weeks::of(&vec![Bought::default(); days], &split, TimeUnit::Day).unwrap().times.len();
        assert_eq!([MOST_DAYS, MOST_DAYS + 1].map(of_days), [1044, 0]);
    }
}
