//! Actual and predicted values by what was known of the customers at the cut: the tables that show where a forecast is off.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::line_interval::mean_interval;
use super::ranking::Ranking;
use super::sums::{ratio, sum};
use crate::data::Customers;
use crate::fit::Level;

/// The class of this frequency holds all higher ones, too.
const LAST: u32 = 7;

/// The classes of recency above 0 over the calibration.
const RECENCY_CLASSES: usize = 10;

/// Customers of one calibration frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FrequencyRow {
    /// Repeat purchases up to the cut; the last class holds this many or more.
    pub frequency: u32,
    /// Whether higher frequencies are in this class, too.
    pub or_more: bool,
    /// The number of customers.
    pub customers: u64,
    /// Purchases (or spend) per customer within the holdout; `None` without a customer.
    pub actual: Option<f64>,
    /// What was predicted.
    pub predicted: Option<f64>,
    /// Variance of the purchases of all customers of the class by the model, its parameters taken as known and customers as independent; `None` of a rule and of
    /// spend.
    pub predicted_variance: Option<f64>,
    /// The interval of `actual`, as far as it depends on who the customers are; `None` of fewer than two.
    pub actual_interval: Option<[f64; 2]>,
}

/// Customers whose last purchase before the cut was so long after their first.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RecencyRow {
    /// Recencies above this; the first class holds the customers without a repeat purchase.
    pub above: f64,
    /// Up to this, in the unit of the observation.
    pub up_to: f64,
    /// The number of customers.
    pub customers: u64,
    /// Purchases (or spend) per customer within the holdout; `None` without a customer.
    pub actual: Option<f64>,
    /// What was predicted.
    pub predicted: Option<f64>,
    /// The interval of `actual`, as far as it depends on who the customers are; `None` of fewer than two.
    pub actual_interval: Option<[f64; 2]>,
}

/// A tenth of the customers in the order of their predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DecileRow {
    /// From 1, those of whom least is expected, to 10.
    pub decile: u32,
    /// Customers; not a whole number where equal predictions are divided between two deciles.
    pub customers: f64,
    /// Purchases (or spend) per customer within the holdout; `None` without a customer.
    pub actual: Option<f64>,
    /// What was predicted.
    pub predicted: Option<f64>,
    /// The interval of `actual`, as far as it depends on who the customers are; `None` of fewer than two.
    pub actual_interval: Option<[f64; 2]>,
}

/// The classes 0, 1, ... 7 and more of customers, whose values are in the same order; `variances` are those of each customer's purchases by the model.
pub(super) fn by_frequency(
    customers: &Customers,
    actual: &[f64],
    predicted: &[f64],
    variances: Option<&[f64]>,
    level: Level,
) -> Vec<FrequencyRow> {
    let class = |row: usize| customers.frequency()[row].min(LAST) as usize;
    let classes = means(LAST as usize + 1, class, actual, predicted, level);
    let of_class = |variances: &[f64], frequency: u32| {
        let of_row = |(row, &variance): (usize, &f64)| if class(row) == frequency as usize { variance } else { 0.0 };
        variances.iter().enumerate().map(of_row).fold(0.0, |sum, variance| sum + variance)
    };
    (0..=LAST)
        .zip(classes)
        .map(|(frequency, Class { customers, actual, predicted, actual_interval })| FrequencyRow {
            frequency,
            or_more: frequency == LAST,
            customers,
            actual,
            predicted,
            predicted_variance: variances.map(|variances| of_class(variances, frequency)),
            actual_interval,
        })
        .collect()
}

/// Customers without a repeat purchase, and ten classes of equal width up to `longest`, the length of the calibration.
pub(super) fn by_recency(customers: &Customers, longest: f64, actual: &[f64], predicted: &[f64], level: Level) -> Vec<RecencyRow> {
    let width = longest / RECENCY_CLASSES as f64;
    let class = |row: usize| {
        let recency = customers.recency()[row];
        if recency > 0.0 && width > 0.0 { ((recency / width).ceil() as usize).clamp(1, RECENCY_CLASSES) } else { 0 }
    };
    let classes = means(RECENCY_CLASSES + 1, class, actual, predicted, level);
    let end = |class: usize| width * class as f64;
    (classes.into_iter().enumerate())
        .map(|(class, Class { customers, actual, predicted, actual_interval })| RecencyRow {
            above: end(class.saturating_sub(1)),
            up_to: end(class),
            customers,
            actual,
            predicted,
            actual_interval,
        })
        .collect()
}

/// A class says something of the forecast with so many customers, of whom so many purchases are expected.
const FEWEST_CUSTOMERS: u64 = 30;
const FEWEST_PURCHASES: f64 = 5.0;

/// All classes of frequency held against what came, together: of eight intervals of 90 %, one is missed as a rule. The forecasts are scaled by the one factor that
/// brings them closest, since a total that is off is a finding of its own and makes most classes off, too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Together {
    /// The probability that chance alone leaves less between them: of the squares of their errors in standard deviations, a chi-squared number.
    pub(super) confidence: f64,
    /// Their absolute errors, as a share of what came.
    pub(super) error: f64,
}

/// A class that says something: its purchases, and their variance by the model.
struct Told {
    actual: f64,
    predicted: f64,
    variance: f64,
}

impl Together {
    /// `None` where fewer than two classes say anything: one can always be scaled.
    pub(super) fn of(rows: &[FrequencyRow]) -> Option<Self> {
        let told = |row: &FrequencyRow| {
            let (count, variance) = (row.customers as f64, row.predicted_variance?);
            let told = Told { actual: count * row.actual?, predicted: count * row.predicted?, variance };
            (row.customers >= FEWEST_CUSTOMERS && told.predicted >= FEWEST_PURCHASES && variance > 0.0).then_some(told)
        };
        let classes: Vec<Told> = rows.iter().filter_map(told).collect();
        let all = |of: &dyn Fn(&Told) -> f64| sum(&classes.iter().map(of).collect::<Vec<_>>());
        // Of least squares: what it leaves is chi-squared with one degree of freedom less, whatever the variances are. Those of the samples would move with what came,
        // so that classes that came low by chance look sure.
        let scale =
            ratio(all(&|class| class.actual * class.predicted / class.variance), all(&|class| class.predicted.powi(2) / class.variance))?;
        let off = |class: &Told| class.actual - scale * class.predicted;
        // More purchases vary by as much more at the least.
        let squares = ratio(all(&|class| off(class).powi(2) / class.variance), scale)?;
        let by_chance = ChiSquared::new(classes.len() as f64 - 1.0).ok()?;
        Some(Together { confidence: by_chance.cdf(squares), error: ratio(all(&|class| off(class).abs()), all(&|class| class.actual))? })
    }
}

/// The decile table of a forecast in this order.
pub(super) fn by_decile(actual: &[f64], predicted: &[f64], level: Level) -> Vec<DecileRow> {
    let squares: Vec<f64> = actual.iter().map(|actual| actual * actual).collect();
    (1..)
        .zip(Ranking::of(predicted).deciles([actual, predicted, &squares]))
        .map(|(decile, (customers, [actual, predicted, squares]))| DecileRow {
            decile,
            customers,
            actual: ratio(actual, customers),
            predicted: ratio(predicted, customers),
            actual_interval: mean_interval(customers, actual, squares, level),
        })
        .collect()
}

/// Customers of a class, and their mean actual and predicted values.
struct Class {
    customers: u64,
    actual: Option<f64>,
    predicted: Option<f64>,
    actual_interval: Option<[f64; 2]>,
}

fn means(classes: usize, class: impl Fn(usize) -> usize, actual: &[f64], predicted: &[f64], level: Level) -> impl Iterator<Item = Class> {
    let mut sums = vec![(0_u64, 0.0, 0.0, 0.0); classes];
    for (row, (actual, predicted)) in actual.iter().zip(predicted).enumerate() {
        let of = &mut sums[class(row)];
        *of = (of.0 + 1, of.1 + actual, of.2 + predicted, of.3 + actual * actual);
    }
    sums.into_iter().map(move |(customers, actual, predicted, squares)| {
        let count = customers as f64;
        let actual_interval = mean_interval(count, actual, squares, level);
        Class { customers, actual: ratio(actual, count), predicted: ratio(predicted, count), actual_interval }
    })
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_distr::{Distribution, Gamma, Poisson};

    use super::*;
    use crate::data::{Customer, History};
    use crate::simulate::random_stream;
    use crate::time::TimeUnit;

    fn customers(histories: &[(u32, f64)]) -> Customers {
        let mut customers = Customers::new(TimeUnit::Week);
        for (row, &(x, t_x)) in histories.iter().enumerate() {
            let history = History::new(x, t_x, 10.0).unwrap();
            let id = row.to_string();
            customers.push(Customer { id: &id, history, average_spend: 0.0, weight: 1.0, purchases: None }).unwrap();
        }
        customers
    }

    #[test]
    fn seven_and_more_are_one_class_and_an_empty_one_has_no_mean() {
        let customers = customers(&[(0, 0.0), (0, 0.0), (7, 9.0), (19, 9.0)]);
        let classes =
            by_frequency(&customers, &[0.0, 1.0, 4.0, 8.0], &[0.25, 0.25, 5.0, 9.0], Some(&[0.5, 0.25, 6.0, 8.0]), Level::default());
        assert_eq!(classes.iter().map(|class| class.customers).collect::<Vec<_>>(), [2, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!((classes[0].actual, classes[0].predicted), (Some(0.5), Some(0.25)));
        assert_eq!((classes[1].actual, classes[1].predicted), (None, None));
        assert_eq!([0, 1, 7].map(|class| classes[class].predicted_variance), [0.75, 0.0, 14.0].map(Some));
        assert_eq!((classes[7].actual, classes[7].predicted, classes[7].or_more), (Some(6.0), Some(7.0), true));
        // 4 and 8: a standard deviation of 2, over the root of two customers.
        let half = 1.644_853_626_951_472_7 * 2.0 / 2.0_f64.sqrt();
        let [lower, upper] = classes[7].actual_interval.unwrap();
        assert!((lower - (6.0 - half)).abs() < 1e-12 && (upper - (6.0 + half)).abs() < 1e-12);
        assert_eq!(classes[1].actual_interval, None);
    }

    fn row(customers: u64, actual: f64, predicted: f64, predicted_variance: f64) -> FrequencyRow {
        FrequencyRow {
            frequency: 0,
            or_more: false,
            customers,
            actual: Some(actual),
            predicted: Some(predicted),
            predicted_variance: Some(predicted_variance),
            actual_interval: None,
        }
    }

    #[test]
    fn classes_are_judged_together_and_apart_from_the_total() {
        // 400 expected of each, 480 and 360 came: by their variances the factor that fits both best is (0.3 x 400 + 0.45 x 400) / (0.25 x 400 + 0.5 x 400), 1.
        let rows = [row(400, 1.2, 1.0, 1_600.0), row(400, 0.9, 1.0, 800.0), row(29, 9.0, 1.0, 30.0), row(100, 0.9, 0.04, 4.0)];
        let Together { confidence, error } = Together::of(&rows).unwrap();
        // Twice and root two a standard deviation: 6 with one degree of freedom. A class of few, or of few purchases, says nothing.
        assert!((confidence - ChiSquared::new(1.0).unwrap().cdf(6.0)).abs() < 1e-12, "{confidence}");
        // 80 and 40 of 480 and 360.
        assert!((error - 120.0 / 840.0).abs() < 1e-12, "{error}");
        // One class alone can always be scaled.
        assert_eq!(Together::of(&rows[1..]), None);
        // Half as much of every class is a total that is off, and nothing else.
        let halved = [row(400, 0.5, 1.0, 800.0), row(400, 1.0, 2.0, 900.0), row(400, 1.5, 3.0, 1_300.0)];
        let Together { confidence, error } = Together::of(&halved).unwrap();
        assert!(confidence < 1e-9 && error < 1e-12, "{confidence}, {error}");
    }

    /// Forecasts that are true are found to be off once in a hundred times: of customers with gamma distributed rates, of whom more have left who bought less.
    #[test]
    fn true_forecasts_are_off_once_in_a_hundred_times() {
        const LOGS: u64 = 2_000;
        // Three standard deviations of the share of so many logs, and half as much again for sums of few purchases, which are not quite normal.
        const MOST: f64 = 0.02;
        const LEAST: f64 = 0.003;
        const CONFIDENCE: f64 = 0.99;
        let (r, alpha, span, holdout) = (0.25, 4.5, 30.0, 30.0);
        let off = |customers: usize, log: u64| {
            let mut rng = random_stream(11, log);
            let mut classes = [(0_u64, 0.0, 0.0, 0.0); LAST as usize + 1];
            for _ in 0..customers {
                let rate = Gamma::new(r, 1.0 / alpha).unwrap().sample(&mut rng);
                let count = |mean: f64, rng: &mut _| if mean > 1e-9 { Poisson::new(mean).unwrap().sample(rng) } else { 0.0 };
                let x = count(rate * span, &mut rng);
                let stays = 0.8 - 0.6 / (1.0 + x);
                let actual = if rng.random_bool(stays) { count(rate * holdout, &mut rng) } else { 0.0 };
                // Of gamma distributed rates with r + x and alpha + span.
                let mean = (r + x) * holdout / (alpha + span);
                let variance = mean * (1.0 + holdout / (alpha + span));
                let class = &mut classes[x.min(f64::from(LAST)) as usize];
                *class =
                    (class.0 + 1, class.1 + actual, class.2 + stays * mean, class.3 + stays * (variance + (1.0 - stays) * mean * mean));
            }
            let rows = classes.map(|(count, actual, predicted, variance)| {
                let customers = count.max(1) as f64;
                row(count, actual / customers, predicted / customers, variance)
            });
            Together::of(&rows).is_some_and(|together| together.confidence > CONFIDENCE)
        };
        for customers in [670, 2_357] {
            let share = (0..LOGS).filter(|&log| off(customers, log)).count() as f64 / LOGS as f64;
            assert!((LEAST..MOST).contains(&share), "{share} of the logs of {customers} customers");
        }
    }

    #[test]
    fn recency_in_tenths_of_the_calibration() {
        let customers = customers(&[(0, 0.0), (1, 0.5), (1, 1.0), (3, 1.1), (2, 10.0)]);
        let classes = by_recency(&customers, 10.0, &[0.0, 1.0, 2.0, 3.0, 4.0], &[0.5; 5], Level::default());
        assert_eq!(classes.iter().map(|class| class.customers).collect::<Vec<_>>(), [1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((classes[0].above, classes[0].up_to, classes[2].above, classes[2].up_to), (0.0, 0.0, 1.0, 2.0));
        assert_eq!((classes[1].actual, classes[1].predicted, classes[3].actual), (Some(1.5), Some(0.5), None));
    }

    #[test]
    fn deciles_of_twenty() {
        let values: Vec<f64> = (0..20).map(f64::from).collect();
        let rows = by_decile(&values, &values, Level::default());
        assert_eq!((rows[0].decile, rows[0].customers, rows[0].actual), (1, 2.0, Some(0.5)));
        assert_eq!((rows[9].decile, rows[9].predicted), (10, Some(18.5)));
        assert!(by_decile(&[], &[], Level::default()).iter().all(|row| row.customers == 0.0 && row.actual.is_none()));
    }
}
