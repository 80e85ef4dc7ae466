//! A figure between two ends, and what is left open of the parameters carried into it.

use crate::fit::{Fitted, Level};
use crate::models::Estimable;

/// A figure with its interval: those of [`CohortFigures`](crate::CohortFigures), of which [`CohortStudy`](crate::CohortStudy) has an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// A fitted model, and others that stand for what is left open of its parameters: all with the same weight.
#[derive(Debug, Clone)]
pub(super) struct Uncertain<M> {
    pub(super) centre: M,
    points: Vec<M>,
}

impl<M: Estimable> Uncertain<M> {
    /// Of a fit; where its likelihood is flat in some direction the parameters are taken as known.
    pub(super) fn of(fitted: &Fitted<M>) -> Self {
        let points = fitted.parameter_distribution().map_or_else(Vec::new, |distribution| distribution.points());
        Uncertain { centre: *fitted.model(), points: points.iter().filter_map(|point| M::from_parameters(point).ok()).collect() }
    }

    /// The variance that the parameters give a figure.
    fn variance(&self, value: f64, of: impl Fn(&M) -> f64) -> f64 {
        let squares = self.points.iter().map(|point| (of(point) - value) * (of(point) - value));
        squares.sum::<f64>() / self.points.len().max(1) as f64
    }

    /// The variance that the parameters give the logarithm of a positive figure.
    pub(super) fn variance_of_log(&self, of: impl Fn(&M) -> f64) -> f64 {
        let ln_of = |model: &M| of(model).max(f64::MIN_POSITIVE).ln();
        self.variance(ln_of(&self.centre), ln_of)
    }

    /// A positive figure, the interval symmetric in its logarithm; `more` is a variance of the logarithm that comes from elsewhere.
    pub(super) fn positive(&self, of: impl Fn(&M) -> f64, more: f64, level: Level) -> Estimate {
        let value = of(&self.centre);
        let reach = (level.normal_quantile() * (self.variance_of_log(of) + more).sqrt()).exp();
        Estimate { value, lower: value / reach, upper: value * reach }
    }

    /// A count that has a variance of its own, too.
    pub(super) fn count(&self, of: impl Fn(&M) -> f64, chance: f64, level: Level) -> Estimate {
        let value = of(&self.centre);
        let reach = level.normal_quantile() * (self.variance(value, of) + chance).sqrt();
        Estimate { value, lower: (value - reach).max(0.0), upper: value + reach }
    }

    /// A share of customers that has a variance of its own, too.
    pub(super) fn share(&self, of: impl Fn(&M) -> f64, chance: f64, level: Level) -> Estimate {
        let Estimate { value, lower, upper } = self.count(of, chance, level);
        Estimate { value, lower, upper: upper.min(1.0) }
    }
}
