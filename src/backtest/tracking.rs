//! Expected and actual purchases week by week, from the day each customer was born.
//!
//! # Formulas
//! A customer born on day b is expected to make E\[X(u2)\] - E\[X(u1)\] repeat purchases in a week that ends u2 after b, where u1 is its beginning, or 0 when the birth
//! lies within it. For the variance of that number Y: in all these models two purchases at v < w come with a density g(w) that depends on the later one
//! alone (alive then, whenever the earlier one was), so that E\[X(u) (X(u) - 1)\] = f(u) is the integral of 2 w g(w), and
//! ```text
//! E[Y (Y - 1)] = int_u1^u2 2 (w - u1) g(w) dw = (1 - u1/u2) f(u2) - int_u1^u2 u1/w^2 f(w) dw
//! ```
//! by parts. The integrand is smooth, f(w)/w^2 hardly changes within a week, and Simpson's rule takes it.

use std::collections::BTreeMap;

use super::periods::{MOST_DAYS, PERIOD};
use super::spend::Amount;
use super::split::Split;
use super::sums::ratio;
use super::truth::{Bought, Calendar};
use crate::error::Result;
use crate::fit::Level;
use crate::models::{AnyPurchaseModel, PurchaseModel};
use crate::time::{Date, TimeUnit};

/// A model's expectation for all customers, those acquired later included, from their births to the end of the holdout, against what came.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tracking {
    /// Until when was calibrated.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model.
    pub model: &'static str,
    /// How amounts are told: `gamma-gamma` or `own-average`.
    pub spend: &'static str,
    /// The share of cases that the intervals are meant to cover, parameters taken as known and customers as independent.
    pub level: f64,
    /// Week by week; a partial one at the end of the holdout is left out. Empty where there are more than 1,044 weeks (20 years) from the first birth on.
    pub weeks: Vec<TrackingRow>,
}

impl Tracking {
    /// Expected over actual repeat purchases after the cut, less 1; `None` when there were none.
    #[must_use]
    pub fn holdout_bias(&self) -> Option<f64> {
        let held_out = || self.weeks.iter().filter(|week| week.held_out);
        let sum = |of: fn(&Tracked) -> f64| held_out().fold(0.0, |sum, week| sum + of(&week.purchases));
        ratio(sum(|purchases| purchases.expected), sum(|purchases| purchases.actual)).map(|ratio| ratio - 1.0)
    }

    /// Weeks after the cut: those in which the purchases lie within their interval, and all.
    #[must_use]
    pub fn weeks_within(&self) -> (usize, usize) {
        let held_out = || self.weeks.iter().filter(|week| week.held_out);
        let is_within = |purchases: &Tracked| purchases.interval.is_some_and(|[lower, upper]| (lower..=upper).contains(&purchases.actual));
        (held_out().filter(|week| is_within(&week.purchases)).count(), held_out().count())
    }
}

/// A week.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrackingRow {
    /// Its last day.
    pub end: Date,
    /// Whether it lies after the cut.
    pub held_out: bool,
    /// Repeat purchases in it.
    pub purchases: Tracked,
    /// Repeat purchases up to its end.
    pub cumulative_purchases: Tracked,
    /// What was spent in them.
    pub revenue: Tracked,
    /// What was spent up to its end.
    pub cumulative_revenue: Tracked,
}

/// A number that came, and what was expected.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tracked {
    /// What came.
    pub actual: f64,
    /// What the model expects.
    pub expected: f64,
    /// The ends of the interval; `None` where there is no model of amounts, or their variance is infinite.
    pub interval: Option<[f64; 2]>,
}

/// What one customer is expected to do in a span of their life, and its variance.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    purchases: f64,
    purchase_variance: f64,
    revenue: f64,
    revenue_variance: Option<f64>,
}

impl Span {
    fn new(expected: f64, second_factorial_moment: f64, variance: f64, amount: &Amount) -> Self {
        Span {
            purchases: expected,
            purchase_variance: variance,
            revenue: expected * amount.mean,
            revenue_variance: amount.variance_of_sum(expected, second_factorial_moment),
        }
    }

    fn add(&mut self, times: f64, other: &Span) {
        self.purchases += times * other.purchases;
        self.purchase_variance += times * other.purchase_variance;
        self.revenue += times * other.revenue;
        self.revenue_variance = self.revenue_variance.zip(other.revenue_variance).map(|(own, other)| own + times * other);
    }
}

/// The spans of a life that have been worked out, by their ends in days.
struct Lives<'a> {
    model: &'a AnyPurchaseModel,
    amount: &'a Amount,
    unit: TimeUnit,
    known: BTreeMap<(i32, i32), Span>,
}

impl Lives<'_> {
    fn span(&mut self, from: i32, to: i32) -> Span {
        if let Some(known) = self.known.get(&(from, to)) {
            return *known;
        }
        let units = |days: i32| f64::from(days) * 24.0 / self.unit.hours();
        let span = between(self.model, units(from), units(to), self.amount);
        self.known.insert((from, to), span);
        span
    }
}

fn between(model: &AnyPurchaseModel, from: f64, to: f64, amount: &Amount) -> Span {
    let moment = |u: f64| model.second_factorial_moment(u);
    if from <= 0.0 {
        return Span::new(model.expected_purchases(to), moment(to), model.purchase_variance(to), amount);
    }
    let integrand = |w: f64| from / w * (moment(w) / w);
    let quarter = 0.25 * (to - from);
    let simpson = [1.0, 4.0, 2.0, 4.0, 1.0].into_iter().zip(0..).map(|(weight, k)| weight * integrand(from + f64::from(k) * quarter));
    let factorial = ((1.0 - from / to) * moment(to) - simpson.sum::<f64>() * quarter / 3.0).max(0.0);
    let expected = (model.expected_purchases(to) - model.expected_purchases(from)).max(0.0);
    Span::new(expected, factorial, (factorial + expected - expected * expected).max(0.0), amount)
}

/// Holds the expectation of a model against the calendar. Weeks are counted from the cut in both directions, so that it lies between two of them.
pub(super) fn track(
    (name, model): (&'static str, &AnyPurchaseModel),
    (spend, amount): (&'static str, &Amount),
    calendar: &Calendar,
    split: Split,
    unit: TimeUnit,
    level: Level,
) -> Result<Tracking> {
    let mut lives = Lives { model, amount, unit, known: BTreeMap::new() };
    let start = Span { revenue_variance: Some(0.0), ..Span::default() };
    let mut came = Bought::default();
    let mut weeks = Vec::new();
    let days_to_cut = split.cut().days_since(calendar.first) + 1;
    // The end of each week, as days from the first birth; that of the first week is the first day or one of the six after it.
    let mut end = (days_to_cut - 1).rem_euclid(PERIOD);
    let days = if calendar.births.len() > MOST_DAYS { 0 } else { calendar.births.len() };
    while (end as usize) < days {
        let before = end - PERIOD;
        let (mut week, mut so_far) = (start, start);
        for (born, &births) in (0..=end).zip(&calendar.births) {
            if births > 0 {
                week.add(births as f64, &lives.span((before - born).max(0), end - born));
                so_far.add(births as f64, &lives.span(0, end - born));
            }
        }
        let mut own = Bought::default();
        for day in &calendar.repeats[(before + 1).max(0) as usize..=end as usize] {
            own = Bought { purchases: own.purchases + day.purchases, spend: own.spend + day.spend };
        }
        came = Bought { purchases: came.purchases + own.purchases, spend: came.spend + own.spend };
        weeks.push(TrackingRow {
            end: Date::from_days_since_1970(calendar.first.days_since_1970() + end)?,
            held_out: end >= days_to_cut,
            purchases: tracked(own.purchases as f64, week.purchases, Some(week.purchase_variance), level),
            cumulative_purchases: tracked(came.purchases as f64, so_far.purchases, Some(so_far.purchase_variance), level),
            revenue: tracked(own.spend, week.revenue, week.revenue_variance, level),
            cumulative_revenue: tracked(came.spend, so_far.revenue, so_far.revenue_variance, level),
        });
        end += PERIOD;
    }
    Ok(Tracking { split, model: name, spend, level: level.share(), weeks })
}

/// Many customers: their total is taken to be normal.
fn tracked(actual: f64, expected: f64, variance: Option<f64>, level: Level) -> Tracked {
    let interval = variance.map(|variance| {
        let half = level.normal_quantile() * variance.sqrt();
        [(expected - half).max(0.0), expected + half]
    });
    Tracked { actual, expected, interval }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Simulate, random_stream};
    use approx::assert_relative_eq;

    const AMOUNT: Amount = Amount { mean: 10.0, squares: Some((150.0, 120.0)) };

    fn model(name: &str, parameters: &[f64]) -> AnyPurchaseModel {
        AnyPurchaseModel::from_name(name, parameters).unwrap()
    }

    #[test]
    fn a_span_of_nbd_is_nbd() {
        // Without dropout every span of 7 is like the first: negative binomial with mean 3 x 7 / 5 and variance mean + mean^2 / 3.
        let nbd = model("nbd", &[3.0, 5.0]);
        let (first, later) = (between(&nbd, 0.0, 7.0, &AMOUNT), between(&nbd, 30.0, 37.0, &AMOUNT));
        let mean = 4.2;
        for span in [first, later] {
            assert_relative_eq!(span.purchases, mean, max_relative = 1e-12);
            assert_relative_eq!(span.purchase_variance, mean + mean * mean / 3.0, max_relative = 1e-12);
            let factorial = mean * mean * (1.0 + 1.0 / 3.0);
            assert_relative_eq!(span.revenue_variance.unwrap(), mean * 150.0 + factorial * 120.0 - 1764.0, max_relative = 1e-11);
        }
    }

    /// The variance of a variance over 200,000 draws, of which 4 standard errors are allowed.
    #[test]
    fn spans_have_the_variance_of_simulated_customers() {
        const DRAWS: u32 = 200_000;
        for (stream, (name, parameters)) in
            [("pareto-nbd", [0.8, 4.0, 0.7, 6.0]), ("bg-nbd", [0.8, 4.0, 0.8, 2.4]), ("mbg-nbd", [0.8, 4.0, 0.8, 2.4])]
                .into_iter()
                .enumerate()
        {
            let model = model(name, &parameters);
            let span = between(&model, 5.0, 9.0, &AMOUNT);
            let mut rng = random_stream(11, stream as u64);
            let (mut sum, mut square, mut fourth) = (0.0, 0.0, 0.0);
            for _ in 0..DRAWS {
                let traits = model.draw_traits(&mut rng);
                let count = traits.purchase_times(9.0, &mut rng).filter(|time| *time > 5.0).count() as f64;
                let deviation = count - span.purchases;
                sum += deviation;
                square += deviation.powi(2);
                fourth += deviation.powi(4);
            }
            let n = f64::from(DRAWS);
            let (variance, spread) = (square / n, (fourth / n - (square / n).powi(2)).sqrt());
            assert!((sum / n).abs() < 4.0 * (variance / n).sqrt(), "{name}: mean off by {}", sum / n);
            assert!(
                (variance - span.purchase_variance).abs() < 4.0 * spread / n.sqrt(),
                "{name}: {variance} and {}",
                span.purchase_variance
            );
        }
    }

    #[test]
    fn centuries_are_not_told_week_by_week() {
        let day = |text: &str| -> Date { text.parse().unwrap() };
        let nbd = model("nbd", &[1.0, 10.0]);
        let weeks = |days: usize| {
            let calendar = Calendar { first: day("2026-01-01"), births: vec![0; days], repeats: vec![Bought::default(); days] };
            let split = Split::new(day("2026-01-10"), day("2026-01-28"), day("2026-01-01"), day("2026-01-28")).unwrap();
            track(("nbd", &nbd), ("own-average", &AMOUNT), &calendar, split, TimeUnit::Day, Level::default()).unwrap().weeks.len()
        };
        assert_eq!([MOST_DAYS, MOST_DAYS + 1].map(weeks), [1044, 0]);
    }

    #[test]
    fn weeks_meet_at_the_cut_and_add_up() {
        let day = |text: &str| -> Date { text.parse().unwrap() };
        let split = Split::new(day("2026-01-10"), day("2026-01-28"), day("2026-01-01"), day("2026-01-28")).unwrap();
        let mut calendar = Calendar { first: day("2026-01-01"), births: vec![0; 28], repeats: vec![Bought::default(); 28] };
        (calendar.births[0], calendar.births[12]) = (2, 1);
        (calendar.repeats[1], calendar.repeats[20]) = (Bought { purchases: 1, spend: 5.0 }, Bought { purchases: 2, spend: 8.0 });
        let nbd = model("nbd", &[1.0, 10.0]);
        let tracking = track(("nbd", &nbd), ("own-average", &AMOUNT), &calendar, split, TimeUnit::Day, Level::default()).unwrap();
        let ends: Vec<String> = tracking.weeks.iter().map(|week| week.end.to_string()).collect();
        // From 25 January a partial week is left out.
        assert_eq!(ends, ["2026-01-03", "2026-01-10", "2026-01-17", "2026-01-24"]);
        assert_eq!(tracking.weeks.iter().map(|week| week.held_out).collect::<Vec<_>>(), [false, false, true, true]);
        // 0.1 a day: two customers for 2 days; then one more, born on the 13th, for 4 days of a week.
        let expected: Vec<f64> = tracking.weeks.iter().map(|week| week.purchases.expected).collect();
        for (ours, by_hand) in expected.iter().zip([0.4, 1.4, 1.8, 2.1]) {
            assert_relative_eq!(*ours, by_hand, max_relative = 1e-12);
        }
        let last = tracking.weeks[3];
        assert_relative_eq!(last.cumulative_purchases.expected, 5.7, max_relative = 1e-12);
        assert_relative_eq!(last.cumulative_revenue.expected, 57.0, max_relative = 1e-12);
        assert_eq!((last.cumulative_purchases.actual, last.cumulative_revenue.actual, last.purchases.actual), (3.0, 13.0, 2.0));
        // After the cut 3.9 are expected and 2 came: none in the third week, for which 0 to 4.6 are expected, and two of 2.1 in the fourth.
        assert_relative_eq!(tracking.holdout_bias().unwrap(), 0.95, max_relative = 1e-12);
        assert_eq!(tracking.weeks_within(), (2, 2));
    }
}
