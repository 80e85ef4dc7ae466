//! What was forecast for the customers of a group.

use std::borrow::Cow;

use super::alike::Alike;
use super::counts::{COUNT_FIGURES, CountForecast};
use super::matched::{Actual, Matched};

/// Forecasts in the order of the customers; what a method does not say is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Predicted {
    /// Expected purchases.
    pub(super) purchases: Vec<f64>,
    /// P(at least one purchase).
    pub(super) p_active: Option<Vec<f64>>,
    /// The distribution of the count, held against the count that came.
    pub(super) counts: Option<Vec<CountForecast>>,
    /// What they will spend, by one way of telling the amounts or several.
    pub(super) revenue: Vec<Revenue>,
}

/// Expected spend.
#[derive(Debug, Clone)]
pub(super) struct Revenue {
    /// How amounts are told: the name of the spend model, or `own-average`.
    pub(super) spend: &'static str,
    pub(super) amounts: Vec<f64>,
    /// Variance of their total.
    pub(super) variance: Option<f64>,
}

impl Predicted {
    pub(super) fn of_numbers(purchases: Vec<f64>, revenue: Revenue) -> Self {
        Predicted { purchases, p_active: None, counts: None, revenue: vec![revenue] }
    }

    pub(super) fn with_p_active(self, p_active: Vec<f64>) -> Self {
        Predicted { p_active: Some(p_active), ..self }
    }

    pub(super) fn of_counts(counts: Vec<CountForecast>, revenue: Vec<Revenue>) -> Self {
        Predicted {
            purchases: counts.iter().map(|count| count.expected).collect(),
            p_active: Some(counts.iter().map(|count| count.p_active).collect()),
            counts: Some(counts),
            revenue,
        }
    }

    /// These customers and then those of another group.
    pub(super) fn and(&self, other: &Predicted) -> Self {
        fn joined<T: Clone>(one: &[T], other: &[T]) -> Vec<T> {
            [one, other].concat()
        }
        let revenue = self.revenue.iter().zip(&other.revenue).map(|(one, other)| Revenue {
            spend: one.spend,
            amounts: joined(&one.amounts, &other.amounts),
            variance: one.variance.zip(other.variance).map(|(one, other)| one + other),
        });
        Predicted {
            purchases: joined(&self.purchases, &other.purchases),
            p_active: self.p_active.as_ref().zip(other.p_active.as_ref()).map(|(one, other)| joined(one, other)),
            counts: self.counts.as_ref().zip(other.counts.as_ref()).map(|(one, other)| joined(one, other)),
            revenue: revenue.collect(),
        }
    }

    /// What figures of purchases are made of.
    pub(super) fn purchase_columns(&self) -> Vec<Cow<'_, [f64]>> {
        let mut columns = vec![Cow::from(&self.purchases)];
        columns.extend(self.p_active.as_ref().map(Cow::from));
        if let Some(counts) = &self.counts {
            let figures: Vec<_> = counts.iter().map(CountForecast::figures).collect();
            columns.extend((0..COUNT_FIGURES).map(|k| figures.iter().map(|figures| figures[k]).collect()));
        }
        columns
    }

    /// The purchases against those that came, a row for all customers who are alike in both.
    pub(super) fn against(&self, actual: &Actual, alike: &Alike) -> Matched {
        let mut matched = Matched::of_numbers(&alike.values(&self.purchases));
        if let Some(p_active) = &self.p_active {
            matched = matched.with_activity(&alike.values(p_active), actual);
        }
        if let Some(counts) = &self.counts {
            matched = matched.with_counts(&alike.values(counts));
        }
        matched
    }

    /// Variance of each customer's purchases.
    pub(super) fn variances(&self) -> Option<Vec<f64>> {
        self.counts.as_ref().map(|counts| counts.iter().map(|count| count.variance).collect())
    }

    /// Variance of the total of purchases, of customers who are independent given the parameters.
    pub(super) fn variance(&self) -> Option<f64> {
        self.counts.as_ref().map(|counts| counts.iter().fold(0.0, |sum, count| sum + count.variance))
    }
}
