//! Methods held against each other: skill against the baselines, and differences on the same samples of customers.

use super::metrics::Metrics;
use super::split::Split;

/// How much better than a baseline: 1 - score / score of the baseline. 1 is perfect, 0 no better, below 0 worse; `None` where the baseline has no such
/// score or a perfect one.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Skill {
    /// In the mean absolute error.
    pub mae: Option<f64>,
    /// In the root mean squared error.
    pub rmse: Option<f64>,
    /// In the CRPS. That of a baseline which says one number only is its absolute error (Gneiting & Raftery 2007, sec. 4.2).
    pub crps: Option<f64>,
    /// In the Brier score of P(at least one purchase).
    pub brier: Option<f64>,
    /// In the size of the bias.
    pub bias: Option<f64>,
    /// In the log score.
    pub log_score: Option<f64>,
}

impl Skill {
    pub(super) fn against(own: &Metrics, baseline: &Metrics) -> Self {
        let skill = |own: Option<f64>, other: Option<f64>| {
            own.zip(other).filter(|&(_, other)| other > 0.0).map(|(own, other)| 1.0 - own / other).filter(|skill| skill.is_finite())
        };
        Skill {
            mae: skill(own.mae, baseline.mae),
            rmse: skill(own.rmse, baseline.rmse),
            crps: skill(own.crps, baseline.crps.or(baseline.mae)),
            brier: skill(own.brier, baseline.brier),
            bias: skill(own.bias.map(f64::abs), baseline.bias.map(f64::abs)),
            log_score: skill(own.log_score, baseline.log_score),
        }
    }
}

/// A figure of one method less that of another, over the same customers.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Difference {
    /// Where.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model.
    pub model: &'static str,
    /// The other model, or a baseline.
    pub against: &'static str,
    /// The figure, by its [name](Metrics::NAMES).
    pub metric: &'static str,
    /// Its value for the model less that for the other.
    pub difference: f64,
    /// Its interval: both methods on the same samples of the customers, so that what they have in common cancels. One without 0 is a difference
    /// beyond chance.
    pub interval: [f64; 2],
}

/// The figures of which differences are worth a line.
pub(super) const COMPARED: [&str; 9] =
    ["mae", "rmse", "correlation", "spearman", "gini", "top_decile_capture", "log_score", "crps", "brier"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skill_by_hand() {
        let own = Metrics { mae: Some(0.5), rmse: Some(3.0), crps: Some(0.25), bias: Some(-0.1), ..Metrics::default() };
        let baseline = Metrics { mae: Some(1.0), rmse: Some(2.0), bias: Some(0.4), brier: Some(0.2), ..Metrics::default() };
        let skill = Skill::against(&own, &baseline);
        assert_eq!((skill.mae, skill.rmse, skill.crps, skill.bias), (Some(0.5), Some(-0.5), Some(0.75), Some(0.75)));
        assert_eq!((skill.brier, skill.log_score), (None, None));
        // Nothing is better than perfect.
        assert_eq!(Skill::against(&own, &Metrics { mae: Some(0.0), ..Metrics::default() }).mae, None);
    }
}
