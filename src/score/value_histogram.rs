//! The distribution of value over customers, in classes that people read: 1, 2, 5, 10, 20, 50, ...

use super::scorer::Score;
use crate::data::Customers;

/// Classes below the highest one; what is lower still is one class from 0 on.
const CLASSES: usize = 11;

/// Customers whose CLV lies between two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueClass {
    /// From this value on.
    pub from: f64,
    /// To less than this one.
    pub to: f64,
    /// Customers, by weight.
    pub customers: f64,
    /// The CLV they hold together.
    pub value: f64,
}

/// Customers by classes of their CLV, each class a step of 1, 2, 5, 10.
///
/// ```
/// use clv::{Customer, Customers, History, Score, TimeUnit, ValueHistogram};
///
/// let mut customers = Customers::new(TimeUnit::Week);
/// let history = History::new(1, 1.0, 2.0)?;
/// for id in ["a", "b"] {
///     customers.push(Customer { id, history, average_spend: 20.0, weight: 1.0, purchases: None })?;
/// }
/// let score = Score { p_alive: 1.0, p_active: 0.5, expected_purchases: Some(0.7), discounted_purchases: 0.7, expected_average_spend: Some(20.0), clv: None };
/// let scores = [Score { clv: Some(14.0), ..score }, Score { clv: Some(30.0), ..score }];
/// let histogram = ValueHistogram::of(&customers, &scores).unwrap();
/// let last = histogram.classes().last().unwrap();
/// assert_eq!((last.from, last.to, last.customers, last.value), (20.0, 50.0, 1.0, 30.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ValueHistogram {
    classes: Vec<ValueClass>,
}

impl ValueHistogram {
    /// Of these customers, whose scores are in the same order; `None` where nobody has a CLV above 0.
    #[must_use]
    pub fn of(customers: &Customers, scores: &[Score]) -> Option<Self> {
        let largest = scores.iter().filter_map(|score| score.clv).fold(0.0, f64::max);
        let mut edges = edges_below(largest)?;
        // A customer who costs more than they bring is worth less than 0.
        let smallest = scores.iter().filter_map(|score| score.clv).fold(0.0, f64::min);
        if smallest < 0.0 {
            edges.insert(0, smallest);
        }
        let mut classes: Vec<ValueClass> =
            edges.windows(2).map(|ends| ValueClass { from: ends[0], to: ends[1], customers: 0.0, value: 0.0 }).collect();
        for (row, score) in scores.iter().enumerate() {
            if let Some(clv) = score.clv {
                let class = edges[1..].partition_point(|&edge| edge <= clv).min(classes.len() - 1);
                classes[class].customers += customers.weight(row);
                classes[class].value += customers.weight(row) * clv;
            }
        }
        Some(ValueHistogram { classes })
    }

    /// The classes from low to high: the first begins at 0, or is of those worth less; the last holds the most valuable customer.
    #[must_use]
    pub fn classes(&self) -> &[ValueClass] {
        &self.classes
    }
}

/// 0 and then steps of 1, 2, 5, 10 that end above `largest`; `None` when it is not above 0, or beyond what is worth showing.
fn edges_below(largest: f64) -> Option<Vec<f64>> {
    if !(1e-290..1e300).contains(&largest) {
        return None;
    }
    // Step k is one of 1, 2, 5 times 10^(k / 3): read as text it is the nearest number.
    let step = |k: i32| -> f64 { format!("{}e{}", [1, 2, 5][k.rem_euclid(3) as usize], k.div_euclid(3)).parse().unwrap_or(f64::INFINITY) };
    let mut above = 3 * (largest.log10().floor() as i32);
    while step(above) <= largest {
        above += 1;
    }
    let lowest = above - CLASSES as i32;
    Some([0.0].into_iter().chain((lowest..=above).map(step)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_steps_of_one_two_five() {
        assert_eq!(edges_below(1194.0).unwrap(), [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0]);
        // The end itself belongs to the class above it.
        assert_eq!(edges_below(1000.0).unwrap().last(), Some(&2000.0));
        assert_eq!(edges_below(0.03).unwrap().last(), Some(&0.05));
        assert_eq!((edges_below(0.0), edges_below(f64::INFINITY)), (None, None));
    }
}
