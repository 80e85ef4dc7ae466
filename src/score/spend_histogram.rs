//! Average spends as they are, and as the Gamma-Gamma model has them.

use std::collections::BTreeMap;

use crate::data::Customers;
use crate::models::GammaGamma;
use crate::parallel::map_indices;

/// About so many classes up to the spend that all but [`ABOVE`] of the customers stay below; they are one class.
const CLASSES: f64 = 20.0;
const ABOVE: f64 = 0.03;

/// Customers whose average spend lies between two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendClass {
    /// Average spends from this on.
    pub from: f64,
    /// To less than this; `None` for the last class.
    pub to: Option<f64>,
    /// Customers, by weight.
    pub customers: f64,
    /// How many there would be by the model, given how often each of them bought.
    pub expected: f64,
}

/// The distribution of the customers' average spends against that of the model.
///
/// The average of n purchases has the distribution function P(m <= v) = I(n v / (gamma + n v); p n, q), with I the regularised incomplete beta function (from Fader &
/// Hardie 2013, "The Gamma-Gamma Model of Monetary Value", eq. 1a); customers with the same n are looked up together.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{Fit, GammaGamma, Observation, SpendHistogram, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let customers = log.summarize(&Observation::until("1997-09-30".parse()?).in_weeks())?;
/// let histogram = SpendHistogram::of(GammaGamma::fit(&customers)?.model(), &customers).unwrap();
/// let (seen, expected): (f64, f64) = histogram.classes().iter().fold((0.0, 0.0), |sum, class| (sum.0 + class.customers, sum.1 + class.expected));
/// assert_eq!(seen, 946.0);
/// assert!((expected - 946.0).abs() < 1e-9);
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SpendHistogram {
    classes: Vec<SpendClass>,
}

impl SpendHistogram {
    /// Of the customers with a known average spend above 0; `None` when there is none.
    #[must_use]
    pub fn of(model: &GammaGamma, customers: &Customers) -> Option<Self> {
        let spends: Vec<(u32, f64, f64)> = (0..customers.len())
            .map(|row| (customers.spend(row).purchases(), customers.spend(row).mean(), customers.weight(row)))
            .filter(|&(purchases, mean, _)| purchases > 0 && mean > 0.0)
            .collect();
        let mut means: Vec<f64> = spends.iter().map(|&(_, mean, _)| mean).collect();
        let place = ((1.0 - ABOVE) * means.len() as f64) as usize;
        let last = *means.get_mut(..)?.select_nth_unstable_by(place.min(spends.len().checked_sub(1)?), f64::total_cmp).1;
        let width = round_up(last / CLASSES).filter(|width| width.is_normal())?;
        let ends: Vec<f64> = (1..).map(|class| width * f64::from(class)).take_while(|end| *end < last + width).collect();
        let mut counts = vec![0.0; ends.len() + 1];
        let mut by_purchases: BTreeMap<u32, f64> = BTreeMap::new();
        for (purchases, mean, weight) in spends {
            counts[ends.partition_point(|&end| end <= mean)] += weight;
            *by_purchases.entry(purchases).or_default() += weight;
        }
        let below = |end: f64| by_purchases.iter().fold(0.0, |sum, (&n, weight)| sum + weight * model.average_spend_cdf(n.into(), end));
        let mut expected_below = vec![0.0];
        expected_below.extend(map_indices(ends.len(), |class| below(ends[class])));
        expected_below.push(by_purchases.values().sum());
        let classes = counts.iter().enumerate().map(|(class, &customers)| SpendClass {
            from: if class == 0 { 0.0 } else { ends[class - 1] },
            to: ends.get(class).copied(),
            customers,
            expected: (expected_below[class + 1] - expected_below[class]).max(0.0),
        });
        Some(SpendHistogram { classes: classes.collect() })
    }

    /// The classes from low to high, the last one open.
    #[must_use]
    pub fn classes(&self) -> &[SpendClass] {
        &self.classes
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, the next one from `value` on.
fn round_up(value: f64) -> Option<f64> {
    let power = value.log10().floor();
    if !power.is_finite() {
        return None;
    }
    let steps = ["1", "2", "2.5", "5", "10"].iter().filter_map(|step| format!("{step}e{power}").parse::<f64>().ok());
    steps.into_iter().find(|&step| step >= value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, History};
    use crate::models::GammaGammaParams;
    use crate::time::TimeUnit;

    #[test]
    fn widths_are_round() {
        assert_eq!([3.1, 0.021, 200.0].map(round_up), [Some(5.0), Some(0.025), Some(200.0)]);
        assert_eq!((round_up(0.0), round_up(f64::INFINITY)), (None, None));
    }

    #[test]
    fn every_customer_is_in_one_class_and_the_model_has_as_many() {
        let mut customers = Customers::new(TimeUnit::Week);
        for row in 0..200 {
            let history = History::new(1 + row % 3, 1.0, 2.0).unwrap();
            customers
                .push(Customer { id: &row.to_string(), history, average_spend: f64::from(row), weight: 2.0, purchases: None })
                .unwrap();
        }
        let model = GammaGamma::new(GammaGammaParams { p: 4.0, q: 3.0, gamma: 50.0 }).unwrap();
        let histogram = SpendHistogram::of(&model, &customers).unwrap();
        let classes = histogram.classes();
        // One spent nothing. Of the others, 0 to 10 holds 1 to 9.
        assert_eq!(
            (classes[0].to, classes[0].customers, classes.iter().map(|class| class.customers).sum::<f64>()),
            (Some(10.0), 18.0, 398.0)
        );
        let by_hand: f64 = [(1, 134.0), (2, 134.0), (3, 132.0)].map(|(n, weight)| weight * model.average_spend_cdf(n, 10.0)).iter().sum();
        // The customer without spend bought once.
        assert!((classes[0].expected - (by_hand - 2.0 * model.average_spend_cdf(1, 10.0))).abs() < 1e-9);
        assert!((classes.iter().map(|class| class.expected).sum::<f64>() - 398.0).abs() < 1e-9);
        assert_eq!(classes.last().unwrap().to, None);
        assert_eq!(SpendHistogram::of(&model, &Customers::new(TimeUnit::Week)), None);
    }
}
