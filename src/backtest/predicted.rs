//! What was forecast for the customers of a group.

use super::counts::CountForecast;
use super::metrics::Metrics;

/// Forecasts in the order of the customers; what a method does not say is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Predicted {
    /// Expected purchases.
    pub(super) purchases: Vec<f64>,
    /// P(at least one purchase).
    pub(super) p_active: Option<Vec<f64>>,
    /// The distribution of the count, held against the count that came.
    pub(super) counts: Option<Vec<CountForecast>>,
}

impl Predicted {
    pub(super) fn of_numbers(purchases: Vec<f64>) -> Self {
        Predicted { purchases, p_active: None, counts: None }
    }

    pub(super) fn of_counts(counts: Vec<CountForecast>) -> Self {
        Predicted {
            purchases: counts.iter().map(|count| count.expected).collect(),
            p_active: Some(counts.iter().map(|count| count.p_active).collect()),
            counts: Some(counts),
        }
    }

    /// These customers and then those of another group.
    pub(super) fn and(&self, other: &Predicted) -> Self {
        fn joined<T: Clone>(one: &[T], other: &[T]) -> Vec<T> {
            [one, other].concat()
        }
        Predicted {
            purchases: joined(&self.purchases, &other.purchases),
            p_active: self.p_active.as_ref().zip(other.p_active.as_ref()).map(|(one, other)| joined(one, other)),
            counts: self.counts.as_ref().zip(other.counts.as_ref()).map(|(one, other)| joined(one, other)),
        }
    }

    pub(super) fn metrics(&self, actual: &[f64]) -> Metrics {
        let mut metrics = Metrics::of_numbers(&self.purchases, actual);
        if let Some(p_active) = &self.p_active {
            metrics = metrics.with_activity(p_active, actual);
        }
        if let Some(counts) = &self.counts {
            metrics = metrics.with_counts(counts);
        }
        metrics
    }
}
