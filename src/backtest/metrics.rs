//! How far forecasts were from what came. Each figure is `None` where it has no meaning, and never NaN.

use super::counts::{CountForecast, LEVELS};

/// The figures of one forecast for one group of customers. All ratios are fractions.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Metrics {
    /// Predicted total over actual total, less 1.
    pub bias: Option<f64>,
    /// Mean absolute error per customer. It is smallest for a forecast of medians, which are mostly 0: never rank by it alone.
    pub mae: Option<f64>,
    /// Root of the mean squared error per customer.
    pub rmse: Option<f64>,
    /// Weighted absolute percentage error: the absolute errors of all customers over the actual total.
    pub wape: Option<f64>,
    /// Pearson's correlation of predicted and actual purchases.
    pub correlation: Option<f64>,
    /// Spearman's: the correlation of their ranks, equal values sharing the mean of theirs.
    pub spearman: Option<f64>,
    /// Gini coefficient of the actual purchases in the order of the predicted ones, over that in their own order: 1 is a perfect ranking, 0 a random
    /// one.
    pub gini: Option<f64>,
    /// Share of the actual purchases made by the tenth of customers predicted to buy most; customers with equal predictions share their purchases.
    pub top_decile_capture: Option<f64>,
    /// Mean of -ln P(the count that came); lower is better. A probability of 0 counts as 2.2e-308.
    pub log_score: Option<f64>,
    /// Mean of the continuous ranked probability score of the count, in purchases; lower is better.
    pub crps: Option<f64>,
    /// Share of customers whose count lies in the central interval.
    pub coverage: Coverage,
    /// Mean squared error of P(at least one purchase).
    pub brier: Option<f64>,
    /// Probability that, of a customer who bought and one who did not, the former had the higher P(at least one purchase); a tie is half.
    pub auc: Option<f64>,
}

/// Share of customers within the central interval of their count, from the smallest k with F(k) >= (1 - level) / 2 to the smallest with
/// F(k) >= (1 + level) / 2. Counts are whole, so that more than the level is usual.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Coverage {
    /// Of the interval meant to cover 50 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.5"))]
    pub level_50: Option<f64>,
    /// 80 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.8"))]
    pub level_80: Option<f64>,
    /// 90 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.9"))]
    pub level_90: Option<f64>,
    /// 95 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.95"))]
    pub level_95: Option<f64>,
}

impl Metrics {
    /// Of predicted numbers alone.
    pub(super) fn of_numbers(predicted: &[f64], actual: &[f64]) -> Self {
        let (predicted_ranks, actual_ranks) = (ranks(predicted), ranks(actual));
        Metrics {
            bias: ratio(sum(predicted), sum(actual)).map(|ratio| ratio - 1.0),
            mae: mean(&pairwise(predicted, actual, |p, a| (p - a).abs())),
            rmse: mean(&pairwise(predicted, actual, |p, a| (p - a) * (p - a))).map(f64::sqrt),
            wape: ratio(sum(&pairwise(predicted, actual, |p, a| (p - a).abs())), sum(actual)),
            correlation: correlation(predicted, actual),
            spearman: correlation(&predicted_ranks, &actual_ranks),
            // The area below a concentration curve is the covariance with the ranks, but for a factor that cancels.
            gini: ratio(covariance(actual, &predicted_ranks), covariance(actual, &actual_ranks)),
            top_decile_capture: top_decile_capture(predicted, actual),
            ..Metrics::default()
        }
    }

    /// Adds those of a probability of at least one purchase.
    pub(super) fn with_activity(mut self, p_active: &[f64], actual: &[f64]) -> Self {
        let active: Vec<f64> = actual.iter().map(|&a| f64::from(u8::from(a > 0.0))).collect();
        self.brier = mean(&pairwise(p_active, &active, |p, a| (p - a) * (p - a)));
        self.auc = auc(p_active, &active);
        self
    }

    /// Adds those of a distribution of counts.
    pub(super) fn with_counts(mut self, forecasts: &[CountForecast]) -> Self {
        let over = |of: &dyn Fn(&CountForecast) -> f64| mean(&forecasts.iter().map(of).collect::<Vec<f64>>());
        let share = |level: f64| {
            let index = LEVELS.iter().position(|&other| other >= level)?;
            over(&|forecast| f64::from(u8::from(forecast.covered[index])))
        };
        self.log_score = over(&|forecast| forecast.log_score);
        self.crps = over(&|forecast| forecast.crps);
        self.coverage = Coverage { level_50: share(0.5), level_80: share(0.8), level_90: share(0.9), level_95: share(0.95) };
        self
    }
}

pub(super) fn sum(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value)
}

fn mean(values: &[f64]) -> Option<f64> {
    ratio(sum(values), values.len() as f64)
}

fn pairwise(predicted: &[f64], actual: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    predicted.iter().zip(actual).map(|(&p, &a)| of(p, a)).collect()
}

fn ratio(above: f64, below: f64) -> Option<f64> {
    (below > 0.0).then(|| above / below).filter(|ratio| ratio.is_finite())
}

/// Sum of the products of the deviations; 0 exactly when either side is constant.
fn covariance(one: &[f64], other: &[f64]) -> f64 {
    let constant = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
    let (Some(m), Some(n)) = (mean(one), mean(other)) else { return 0.0 };
    if constant(one) || constant(other) { 0.0 } else { sum(&pairwise(one, other, |x, y| (x - m) * (y - n))) }
}

fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let scale = covariance(one, one).sqrt() * covariance(other, other).sqrt();
    ratio(covariance(one, other), scale).map(|correlation| correlation.clamp(-1.0, 1.0))
}

/// Rows in ascending order, in runs of equal values.
fn ties(values: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    order.chunk_by(|&i, &j| values[i] == values[j]).map(<[usize]>::to_vec).collect()
}

/// Ranks from 1, ascending; equal values have the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for tied in ties(values) {
        let size = tied.len() as f64;
        for row in tied {
            ranks[row] = before + 0.5 * (size + 1.0);
        }
        before += size;
    }
    ranks
}

fn top_decile_capture(predicted: &[f64], actual: &[f64]) -> Option<f64> {
    let mut left = 0.1 * predicted.len() as f64;
    let mut captured = 0.0;
    for tied in ties(predicted).iter().rev() {
        let taken = left.min(tied.len() as f64);
        captured += taken / tied.len() as f64 * tied.iter().map(|&row| actual[row]).sum::<f64>();
        left -= taken;
    }
    ratio(captured, sum(actual))
}

/// From the ranks of those who were active (Mann and Whitney).
fn auc(p_active: &[f64], active: &[f64]) -> Option<f64> {
    let (yes, all) = (sum(active), active.len() as f64);
    let of_the_active = sum(&pairwise(&ranks(p_active), active, |rank, a| rank * a));
    ratio(of_the_active - 0.5 * yes * (yes + 1.0), yes * (all - yes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[track_caller]
    fn is(value: Option<f64>, expected: f64) {
        assert_relative_eq!(value.unwrap(), expected, max_relative = 1e-14, epsilon = 1e-15);
    }

    #[test]
    fn four_customers_by_hand() {
        // Errors 1, -1, 0, -2 of an actual total of 10.
        let metrics = Metrics::of_numbers(&[1.0, 1.0, 3.0, 3.0], &[0.0, 2.0, 3.0, 5.0]);
        is(metrics.bias, -0.2);
        is(metrics.mae, 1.0);
        is(metrics.rmse, 1.5_f64.sqrt());
        is(metrics.wape, 0.4);
        // Deviations -1 -1 1 1 and -2.5 -.5 .5 2.5: 6 / sqrt(4 x 13).
        is(metrics.correlation, 6.0 / 52.0_f64.sqrt());
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
        is(Metrics::of_numbers(&predicted, &actual).top_decile_capture, (6.0 + 2.0) / 20.0);
    }

    #[test]
    fn a_ranking_upside_down() {
        let metrics = Metrics::of_numbers(&[3.0, 2.0, 1.0], &[1.0, 2.0, 3.0]);
        is(metrics.gini, -1.0);
        is(metrics.spearman, -1.0);
        is(metrics.correlation, -1.0);
    }

    #[test]
    fn nobody_bought() {
        let metrics = Metrics::of_numbers(&[1.0, 2.0], &[0.0, 0.0]).with_activity(&[0.5, 0.8], &[0.0, 0.0]);
        is(metrics.mae, 1.5);
        is(metrics.rmse, 2.5_f64.sqrt());
        is(metrics.brier, 0.5 * (0.25 + 0.64));
        let undefined =
            [metrics.bias, metrics.wape, metrics.correlation, metrics.spearman, metrics.gini, metrics.top_decile_capture, metrics.auc];
        assert_eq!(undefined, [None; 7]);
    }

    #[test]
    fn one_forecast_for_all() {
        let metrics = Metrics::of_numbers(&[0.1; 3], &[0.0, 1.0, 3.0]).with_activity(&[0.1; 3], &[0.0, 1.0, 3.0]);
        assert_eq!((metrics.correlation, metrics.spearman), (None, None));
        is(metrics.gini, 0.0);
        is(metrics.auc, 0.5);
        is(metrics.top_decile_capture, 0.1);
    }

    #[test]
    fn a_single_customer() {
        let metrics = Metrics::of_numbers(&[1.5], &[2.0]).with_activity(&[0.75], &[2.0]);
        is(metrics.bias, -0.25);
        is(metrics.mae, 0.5);
        is(metrics.rmse, 0.5);
        is(metrics.wape, 0.25);
        is(metrics.brier, 0.0625);
        // A tenth of the one.
        is(metrics.top_decile_capture, 0.1);
        assert_eq!([metrics.correlation, metrics.spearman, metrics.gini, metrics.auc], [None; 4]);
    }

    #[test]
    fn an_empty_group_has_no_metrics() {
        let metrics = Metrics::of_numbers(&[], &[]).with_activity(&[], &[]).with_counts(&[]);
        assert_eq!(metrics, Metrics::default());
    }

    #[test]
    fn who_was_active_by_hand() {
        // Pairs of an active one (.8, .4) with an inactive one (.4, .2, .6): won 3, won 1, tied 1, lost 1.
        let metrics = Metrics::default().with_activity(&[0.8, 0.4, 0.4, 0.2, 0.6], &[3.0, 1.0, 0.0, 0.0, 0.0]);
        is(metrics.auc, 4.5 / 6.0);
        is(metrics.brier, (0.04 + 0.36 + 0.16 + 0.04 + 0.36) / 5.0);
    }

    #[test]
    fn scores_of_counts_are_means() {
        let forecast = |log_score, crps, covered| CountForecast { expected: 0.0, p_active: 0.0, log_score, crps, covered };
        let forecasts = [forecast(1.0, 0.5, [true, true, true, true]), forecast(2.0, 0.7, [false, false, true, true])];
        let metrics = Metrics::default().with_counts(&forecasts);
        is(metrics.log_score, 1.5);
        is(metrics.crps, 0.6);
        let Coverage { level_50, level_80, level_90, level_95 } = metrics.coverage;
        assert_eq!([level_50, level_80, level_90, level_95], [Some(0.5), Some(0.5), Some(1.0), Some(1.0)]);
    }
}
