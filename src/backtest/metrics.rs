//! How far forecasts were from what came. Each figure is `None` where it has no meaning, and never NaN.

/// The figures of one forecast for one group of customers. All ratios are fractions.
///
/// Those of a distribution (log score, CRPS, coverage, width) and of P(at least one purchase) are there where a method gives one; forecasts of revenue
/// give neither.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Metrics {
    /// Predicted total over actual total, less 1.
    pub bias: Option<f64>,
    /// Mean absolute error per customer. It is smallest for a forecast of medians, which are mostly 0: never rank by it alone.
    pub mae: Option<f64>,
    /// Root of the mean squared error per customer, plain: not scaled by anything.
    pub rmse: Option<f64>,
    /// Weighted absolute percentage error: the absolute errors of all customers over the actual total.
    pub wape: Option<f64>,
    /// Pearson's correlation of predicted and actual values.
    pub correlation: Option<f64>,
    /// Spearman's: the correlation of their ranks, equal values sharing the mean of theirs.
    pub spearman: Option<f64>,
    /// Gini coefficient of the actual values in the order of the predicted ones, over that in their own order: 1 is a perfect ranking, 0 a random
    /// one.
    pub gini: Option<f64>,
    /// Share of the actual total that falls to the tenth of customers predicted to have most; customers with equal predictions share theirs.
    pub top_decile_capture: Option<f64>,
    /// Slope of the least-squares line of actual on predicted values: 1 when customers of whom twice as much is expected bring twice as much; below
    /// 1, differences between customers are exaggerated.
    pub calibration_slope: Option<f64>,
    /// Mean of -ln P(the count that came); lower is better. A probability of 0 counts as 2.2e-308.
    pub log_score: Option<f64>,
    /// Mean of the continuous ranked probability score of the count, in purchases; lower is better.
    pub crps: Option<f64>,
    /// Share of customers whose count lies in the central interval of their count, from the smallest k with F(k) >= (1 - level) / 2 to the smallest with
    /// F(k) >= (1 + level) / 2. Counts are whole, so that more than the level is usual.
    pub coverage: PerLevel,
    /// Mean width of these intervals: upper less lower end, in purchases.
    pub width: PerLevel,
    /// Mean squared error of P(at least one purchase).
    pub brier: Option<f64>,
    /// Probability that, of a customer who bought and one who did not, the former had the higher P(at least one purchase); a tie is half.
    pub auc: Option<f64>,
}

/// A figure of the intervals meant to cover 50, 80, 90 and 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PerLevel {
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

/// The shares that the [`PerLevel`] intervals are meant to cover.
pub(super) const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];

impl PerLevel {
    /// Of the figures in the order of the [`LEVELS`].
    pub(super) fn new(of_levels: &[Option<f64>]) -> Self {
        let of = |level: usize| of_levels.get(level).copied().flatten();
        PerLevel { level_50: of(0), level_80: of(1), level_90: of(2), level_95: of(3) }
    }

    pub(super) fn values(&self) -> [Option<f64>; 4] {
        [self.level_50, self.level_80, self.level_90, self.level_95]
    }
}

impl Metrics {
    /// The names of all figures, in the order of [`values`](Self::values): as in the file, and `coverage_0.9` for one of a level.
    pub const NAMES: [&'static str; 21] = [
        "bias",
        "mae",
        "rmse",
        "wape",
        "correlation",
        "spearman",
        "gini",
        "top_decile_capture",
        "calibration_slope",
        "log_score",
        "crps",
        "coverage_0.5",
        "coverage_0.8",
        "coverage_0.9",
        "coverage_0.95",
        "width_0.5",
        "width_0.8",
        "width_0.9",
        "width_0.95",
        "brier",
        "auc",
    ];

    /// All figures, in the order of their [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn values(&self) -> [Option<f64>; 21] {
        let [c50, c80, c90, c95] = self.coverage.values();
        let [w50, w80, w90, w95] = self.width.values();
        [
            self.bias,
            self.mae,
            self.rmse,
            self.wape,
            self.correlation,
            self.spearman,
            self.gini,
            self.top_decile_capture,
            self.calibration_slope,
            self.log_score,
            self.crps,
            c50,
            c80,
            c90,
            c95,
            w50,
            w80,
            w90,
            w95,
            self.brier,
            self.auc,
        ]
    }

    /// The figure of a name; `None` when it is undefined, or there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        Self::NAMES.iter().position(|&known| known == name).and_then(|index| self.values()[index])
    }
}
