//! Actual and predicted purchases by calibration frequency: the table that shows where a model is off.

use crate::data::Customers;

/// The class of this frequency holds all higher ones, too.
const LAST: u32 = 7;

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
    /// Purchases per customer within the holdout; `None` without a customer.
    pub actual: Option<f64>,
    /// What was predicted.
    pub predicted: Option<f64>,
}

/// The classes 0, 1, ... 7 and more of customers, whose purchases and predictions are in the same order.
pub(super) fn by_frequency(customers: &Customers, actual: &[f64], predicted: &[f64]) -> Vec<FrequencyRow> {
    (0..=LAST)
        .map(|class| {
            let rows: Vec<usize> = (0..customers.len()).filter(|&row| customers.frequency()[row].min(LAST) == class).collect();
            let mean = |of: &[f64]| (!rows.is_empty()).then(|| rows.iter().map(|&row| of[row]).sum::<f64>() / rows.len() as f64);
            FrequencyRow {
                frequency: class,
                or_more: class == LAST,
                customers: rows.len() as u64,
                actual: mean(actual),
                predicted: mean(predicted),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, History};
    use crate::time::TimeUnit;

    #[test]
    fn seven_and_more_are_one_class_and_an_empty_one_has_no_mean() {
        let mut customers = Customers::new(TimeUnit::Week);
        for (id, x) in [("a", 0), ("b", 0), ("c", 7), ("d", 19)] {
            let history = History::new(x, if x == 0 { 0.0 } else { 9.0 }, 10.0).unwrap();
            customers.push(Customer { id, history, average_spend: 0.0, weight: 1.0, purchases: None }).unwrap();
        }
        let classes = by_frequency(&customers, &[0.0, 1.0, 4.0, 8.0], &[0.25, 0.25, 5.0, 9.0]);
        assert_eq!(classes.iter().map(|class| class.customers).collect::<Vec<_>>(), [2, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!((classes[0].actual, classes[0].predicted), (Some(0.5), Some(0.25)));
        assert_eq!((classes[1].actual, classes[1].predicted), (None, None));
        assert_eq!((classes[7].actual, classes[7].predicted, classes[7].or_more), (Some(6.0), Some(7.0), true));
    }
}
