//! A forecast and what came, side by side: evaluated once for the customers there were, and again for every sample drawn from them.

use super::counts::{COUNT_FIGURES, CountForecast};
use super::metrics::{LEVELS, Metrics, PerLevel};
use super::ranking::Ranking;
use super::sums::{dot, mean, ratio, sum, sums, triple};

/// What came, with what all forecasts of it share.
#[derive(Debug, Clone)]
pub(super) struct Actual {
    pub(super) values: Vec<f64>,
    active: Vec<bool>,
    ranking: Ranking,
    /// The mean, and the deviations from it.
    centre: f64,
    centred: Vec<f64>,
    squares: Vec<f64>,
}

/// What a sample of the customers has in common for all forecasts.
#[derive(Debug, Clone)]
pub(super) struct Sampled<'a> {
    /// How often each customer is in the sample.
    weights: &'a [f64],
    customers: f64,
    total: f64,
    ranks: Vec<f64>,
    is_constant: bool,
    /// Sum of the deviations, and of their squares.
    deviation: f64,
    square: f64,
    /// Sum of actual deviation x actual rank, and of squared ranks.
    by_rank: f64,
    rank_square: f64,
}

impl Actual {
    pub(super) fn new(values: Vec<f64>) -> Self {
        let centre = mean(&values);
        let centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
        Actual {
            active: values.iter().map(|&value| value > 0.0).collect(),
            ranking: Ranking::of(&values),
            squares: centred.iter().map(|value| value * value).collect(),
            centre,
            centred,
            values,
        }
    }

    /// What all forecasts share in a sample in which each customer comes as often as their weight says.
    pub(super) fn sampled<'a>(&self, weights: &'a [f64]) -> Sampled<'a> {
        let mut ranks = Vec::new();
        self.ranking.ranks(weights, &mut ranks);
        let customers = sum(weights);
        let mean_rank = 0.5 * (customers + 1.0);
        ranks.iter_mut().for_each(|rank| *rank -= mean_rank);
        Sampled {
            customers,
            total: dot(weights, &self.values),
            is_constant: self.ranking.is_constant(weights),
            deviation: dot(weights, &self.centred),
            square: dot(weights, &self.squares),
            by_rank: triple(weights, &self.centred, &ranks),
            rank_square: triple(weights, &ranks, &ranks),
            ranks,
            weights,
        }
    }
}

/// A forecast of the same customers. Hundreds of samples pass over it: what takes a few operations is worked out in passing, because reading it from
/// memory takes longer.
#[derive(Debug, Clone)]
pub(super) struct Matched {
    ranking: Ranking,
    predicted: Vec<f64>,
    /// The mean of the predicted values.
    centre: f64,
    activity: Option<Activity>,
    /// Of the distribution of each customer's count: log score, CRPS, whether the interval of each level holds it, and how wide that is.
    counts: Option<Vec<[f64; COUNT_FIGURES]>>,
}

/// P(at least one purchase).
#[derive(Debug, Clone)]
struct Activity {
    ranking: Ranking,
    squared_errors: Vec<f64>,
}

impl Matched {
    /// Of predicted numbers alone.
    pub(super) fn of_numbers(predicted: &[f64]) -> Self {
        Matched { ranking: Ranking::of(predicted), predicted: predicted.to_vec(), centre: mean(predicted), activity: None, counts: None }
    }

    /// Adds a probability of at least one purchase.
    pub(super) fn with_activity(mut self, p_active: &[f64], actual: &Actual) -> Self {
        let error = |(&p, &active): (&f64, &bool)| if active { 1.0 - p } else { p };
        let squared_errors = p_active.iter().zip(&actual.active).map(error).map(|error| error * error).collect();
        self.activity = Some(Activity { ranking: Ranking::of(p_active), squared_errors });
        self
    }

    /// Adds a distribution of counts.
    pub(super) fn with_counts(mut self, forecasts: &[CountForecast]) -> Self {
        self.counts = Some(forecasts.iter().map(CountForecast::figures).collect());
        self
    }

    /// The figures for a sample of the customers.
    pub(super) fn metrics(&self, actual: &Actual, sampled: &Sampled<'_>) -> Metrics {
        let &Sampled { weights, customers: n, total, .. } = sampled;
        let [predicted, deviation, square, product, absolute, squared_error] = self.sums(actual, weights);
        let spread = self.spread([deviation, square, product], actual, sampled);
        let mut metrics = Metrics {
            bias: ratio(predicted, total).map(|ratio| ratio - 1.0),
            mae: ratio(absolute, n),
            rmse: ratio(squared_error, n).map(f64::sqrt),
            wape: ratio(absolute, total),
            correlation: spread.correlation,
            spearman: spread.spearman,
            gini: spread.gini,
            calibration_slope: spread.slope,
            top_decile_capture: ratio(self.ranking.top_decile_sum(&actual.values, weights, n), total),
            ..Metrics::default()
        };
        if let Some(activity) = &self.activity {
            metrics.brier = ratio(dot(weights, &activity.squared_errors), n);
            metrics.auc = activity.ranking.auc(&actual.active, weights);
        }
        if let Some(counts) = &self.counts {
            let [log_score, crps, levels @ ..] = sums(weights, counts.iter().copied()).map(|sum| ratio(sum, n));
            let (covered, widths) = levels.split_at(LEVELS.len());
            (metrics.log_score, metrics.crps) = (log_score, crps);
            (metrics.coverage, metrics.width) = (PerLevel::new(covered), PerLevel::new(widths));
        }
        metrics
    }

    /// Of the predicted values; of their deviations from the mean, the squares of these and their products with the actual ones; of absolute and squared
    /// errors.
    fn sums(&self, actual: &Actual, weights: &[f64]) -> [f64; 6] {
        let figures = |(p, a): (&f64, &f64)| {
            let (deviation, error) = (p - self.centre, p - a);
            [*p, deviation, deviation * deviation, deviation * (a - actual.centre), error.abs(), error * error]
        };
        sums(weights, self.predicted.iter().zip(&actual.values).map(figures))
    }

    /// What compares the spread of the predicted values, or of their ranks, with that of the actual ones; a side that is constant has none.
    fn spread(&self, [deviation, square, product]: [f64; 3], actual: &Actual, sampled: &Sampled<'_>) -> Spread {
        let &Sampled { weights, customers: n, .. } = sampled;
        if n <= 0.0 || sampled.is_constant {
            return Spread::default();
        }
        if self.ranking.is_constant(weights) {
            return Spread { gini: Some(0.0), ..Spread::default() };
        }
        let mut ranks = Vec::new();
        self.ranking.ranks(weights, &mut ranks);
        let mean_rank = 0.5 * (n + 1.0);
        ranks.iter_mut().for_each(|rank| *rank -= mean_rank);
        let own = square - deviation * deviation / n;
        let both = product - deviation * sampled.deviation / n;
        let other = sampled.square - sampled.deviation * sampled.deviation / n;
        let correlation = |both: f64, one: f64, other: f64| ratio(both, one.sqrt() * other.sqrt()).map(|c| c.clamp(-1.0, 1.0));
        let rank_square = triple(weights, &ranks, &ranks);
        Spread {
            correlation: correlation(both, own, other),
            spearman: correlation(triple(weights, &ranks, &sampled.ranks), rank_square, sampled.rank_square),
            // The area below a concentration curve is the covariance with the ranks, but for a factor that cancels.
            gini: ratio(triple(weights, &actual.centred, &ranks), sampled.by_rank),
            slope: ratio(both, own),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    correlation: Option<f64>,
    spearman: Option<f64>,
    gini: Option<f64>,
    slope: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::metrics::Metrics;
    use approx::assert_relative_eq;

    #[track_caller]
    fn is(value: Option<f64>, expected: f64) {
        assert_relative_eq!(value.unwrap(), expected, max_relative = 1e-14, epsilon = 1e-15);
    }

    fn all(matched: &Matched, actual: &Actual) -> Metrics {
        matched.metrics(actual, &actual.sampled(&vec![1.0; actual.values.len()]))
    }

    fn of_numbers(predicted: &[f64], actual: &[f64]) -> Metrics {
        let actual = Actual::new(actual.to_vec());
        all(&Matched::of_numbers(predicted), &actual)
    }

    fn of_activity(p_active: &[f64], actual: &[f64]) -> Metrics {
        let actual = Actual::new(actual.to_vec());
        all(&Matched::of_numbers(p_active).with_activity(p_active, &actual), &actual)
    }

    #[test]
    fn four_customers_by_hand() {
        // Errors 1, -1, 0, -2 of an actual total of 10.
        let metrics = of_numbers(&[1.0, 1.0, 3.0, 3.0], &[0.0, 2.0, 3.0, 5.0]);
        is(metrics.bias, -0.2);
        is(metrics.mae, 1.0);
        is(metrics.rmse, 1.5_f64.sqrt());
        is(metrics.wape, 0.4);
        // Deviations -1 -1 1 1 and -2.5 -.5 .5 2.5: 6 / sqrt(4 x 13), and 6 / 4.
        is(metrics.correlation, 6.0 / 52.0_f64.sqrt());
        is(metrics.calibration_slope, 1.5);
        // Ranks 1.5 1.5 3.5 3.5 and 1 2 3 4: deviations -1 -1 1 1 and -1.5 -.5 .5 1.5: 4 / sqrt(4 x 5).
        is(metrics.spearman, 4.0 / 20.0_f64.sqrt());
        // Actual against these ranks: 2.5 + .5 + .5 + 2.5 = 6 of 3.75 + .25 + .25 + 3.75 = 8.
        is(metrics.gini, 0.75);
        // 0.4 of a customer, of two who are tied and bought 8 together: 0.2 x 8 of 10.
        is(metrics.top_decile_capture, 0.16);
    }

    #[test]
    fn top_decile_of_twenty() {
        // Two of twenty: the first bought 6, the second is one of four tied ones with 8 together; the total is 20.
        let mut predicted = vec![0.0; 20];
        let mut actual = vec![0.0; 20];
        predicted[..5].copy_from_slice(&[9.0, 4.0, 4.0, 4.0, 4.0]);
        actual[..7].copy_from_slice(&[6.0, 5.0, 3.0, 0.0, 0.0, 2.0, 4.0]);
        is(of_numbers(&predicted, &actual).top_decile_capture, (6.0 + 2.0) / 20.0);
    }

    #[test]
    fn a_ranking_upside_down() {
        let metrics = of_numbers(&[3.0, 2.0, 1.0], &[1.0, 2.0, 3.0]);
        is(metrics.gini, -1.0);
        is(metrics.spearman, -1.0);
        is(metrics.correlation, -1.0);
        is(metrics.calibration_slope, -1.0);
    }

    #[test]
    fn nobody_bought() {
        let metrics = of_activity(&[0.5, 0.8], &[0.0, 0.0]);
        is(metrics.mae, 0.65);
        is(metrics.rmse, (0.5 * (0.25 + 0.64_f64)).sqrt());
        is(metrics.brier, 0.5 * (0.25 + 0.64));
        let undefined =
            [metrics.bias, metrics.wape, metrics.correlation, metrics.spearman, metrics.gini, metrics.top_decile_capture, metrics.auc];
        assert_eq!(undefined, [None; 7]);
        assert_eq!(metrics.calibration_slope, None);
    }

    #[test]
    fn one_forecast_for_all() {
        let metrics = of_activity(&[0.1; 3], &[0.0, 1.0, 3.0]);
        assert_eq!((metrics.correlation, metrics.spearman, metrics.calibration_slope), (None, None, None));
        is(metrics.gini, 0.0);
        is(metrics.auc, 0.5);
        is(metrics.top_decile_capture, 0.1);
    }

    #[test]
    fn a_single_customer() {
        let metrics = of_numbers(&[1.5], &[2.0]);
        is(metrics.bias, -0.25);
        is(metrics.mae, 0.5);
        is(metrics.rmse, 0.5);
        is(metrics.wape, 0.25);
        is(of_activity(&[0.75], &[2.0]).brier, 0.0625);
        // A tenth of the one.
        is(metrics.top_decile_capture, 0.1);
        assert_eq!([metrics.correlation, metrics.spearman, metrics.gini, metrics.auc], [None; 4]);
    }

    #[test]
    fn an_empty_group_has_no_metrics() {
        let actual = Actual::new(Vec::new());
        let matched = Matched::of_numbers(&[]).with_activity(&[], &actual).with_counts(&[]);
        assert_eq!(all(&matched, &actual), Metrics::default());
    }

    #[test]
    fn who_was_active_by_hand() {
        // Pairs of an active one (.8, .4) with an inactive one (.4, .2, .6): won 3, won 1, tied 1, lost 1.
        let metrics = of_activity(&[0.8, 0.4, 0.4, 0.2, 0.6], &[3.0, 1.0, 0.0, 0.0, 0.0]);
        is(metrics.auc, 4.5 / 6.0);
        is(metrics.brier, (0.04 + 0.36 + 0.16 + 0.04 + 0.36) / 5.0);
    }

    #[test]
    fn scores_of_counts_are_means() {
        let forecast = |log_score, crps, upper| CountForecast { log_score, crps, upper, count: 2, ..CountForecast::default() };
        let forecasts = [forecast(1.0, 0.5, [2, 3, 3, 4]), forecast(2.0, 0.7, [1, 1, 3, 5])];
        let actual = Actual::new(vec![2.0, 2.0]);
        let metrics = all(&Matched::of_numbers(&[1.0, 1.0]).with_counts(&forecasts), &actual);
        is(metrics.log_score, 1.5);
        is(metrics.crps, 0.6);
        assert_eq!(metrics.coverage.values(), [Some(0.5), Some(0.5), Some(1.0), Some(1.0)]);
        assert_eq!(metrics.width.values(), [Some(1.5), Some(2.0), Some(3.0), Some(4.5)]);
    }

    #[test]
    fn a_sample_is_as_good_as_its_customers_one_by_one() {
        let (predicted, actual) = ([0.3, 2.0, 0.3, 1.1, 4.0], [0.0, 3.0, 1.0, 0.0, 2.0]);
        let weights = [2.0, 0.0, 1.0, 3.0, 1.0];
        let repeated =
            |values: &[f64]| -> Vec<f64> { values.iter().zip(weights).flat_map(|(&value, weight)| vec![value; weight as usize]).collect() };
        let p_active: Vec<f64> = predicted.iter().map(|p| p / 5.0).collect();
        let of = |predicted: &[f64], p_active: &[f64], actual: Vec<f64>, weights: &[f64]| {
            let actual = Actual::new(actual);
            Matched::of_numbers(predicted).with_activity(p_active, &actual).metrics(&actual, &actual.sampled(weights))
        };
        let sampled = of(&predicted, &p_active, actual.to_vec(), &weights);
        let one_by_one = of(&repeated(&predicted), &repeated(&p_active), repeated(&actual), &[1.0; 7]);
        for (index, (one, other)) in sampled.values().into_iter().zip(one_by_one.values()).enumerate() {
            assert_eq!(one.is_some(), other.is_some(), "{}", Metrics::NAMES[index]);
            if let Some(other) = other {
                is(one, other);
            }
        }
    }
}
