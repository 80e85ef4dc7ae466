//! How the value of a customer base is spread: a few customers usually hold most of it.

use super::scorer::Score;
use super::totals::Ranking;
use crate::data::Customers;

/// Steps of the curve.
const STEPS: usize = 100;

/// The most valuable customers and what they hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The share of the customers, from the most valuable on.
    pub customers: f64,
    /// The share of the CLV they hold.
    pub value: f64,
}

/// The concentration of value: a Lorenz curve that begins with the most valuable customers. Where some cost more than they bring, the others hold more than all of
/// it together.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BgNbd, ClvDefinition, Concentration, Fit, GammaGamma, Observation, Ranking, Scorer, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let end = "1997-09-30".parse()?;
/// let customers = log.summarize(&Observation::until(end).in_weeks())?;
/// let (purchases, spend) = (BgNbd::fit(&customers)?, GammaGamma::fit(&customers)?);
/// let scores = Scorer::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end))?.score_all(&customers)?;
/// let spread = Concentration::of(&customers, &scores, &Ranking::of(&customers, &scores)).unwrap();
/// assert_eq!(format!("{:.2} {:.0}", spread.points()[10].value, spread.half_held_by()), "0.57 173");
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Concentration {
    points: Vec<Held>,
    half_held_by: f64,
}

impl Concentration {
    /// Of these customers, whose scores are in the same order, by their ranking; `None` where nobody has a CLV above 0.
    #[must_use]
    pub fn of(customers: &Customers, scores: &[Score], ranking: &Ranking) -> Option<Self> {
        let weight = |row: usize| customers.weight(row);
        let value = |row: usize| scores[row].clv.unwrap_or(0.0);
        let sum = |of: &dyn Fn(usize) -> f64| ranking.rows.iter().fold(0.0, |sum, &row| sum + of(row));
        let (all, total) = (sum(&weight), sum(&|row| weight(row) * value(row)));
        if !(total > 0.0 && all > 0.0) {
            return None;
        }
        let mut points = vec![Held { customers: 0.0, value: 0.0 }];
        let (mut passed, mut held, mut half_held_by) = (0.0, 0.0, None);
        for &row in &ranking.rows {
            let (weight, value) = (weight(row), value(row));
            // A row of several customers is passed in steps.
            while points.len() <= STEPS && passed + weight >= all * points.len() as f64 / STEPS as f64 {
                let customers = points.len() as f64 / STEPS as f64;
                points.push(Held { customers, value: (held + (all * customers - passed) * value) / total });
            }
            if half_held_by.is_none() && held + weight * value >= 0.5 * total {
                half_held_by = Some(passed + (0.5 * total - held) / value);
            }
            passed += weight;
            held += weight * value;
        }
        // What rounding has left open of the last step.
        points.truncate(STEPS);
        points.resize(STEPS, Held { customers: 1.0, value: 1.0 });
        points.push(Held { customers: 1.0, value: 1.0 });
        Some(Concentration { points, half_held_by: half_held_by.unwrap_or(all) })
    }

    /// The curve at every hundredth of the customers, from 0 to all.
    #[must_use]
    pub fn points(&self) -> &[Held] {
        &self.points
    }

    /// How many customers, by weight and from the most valuable on, hold half of the value.
    #[must_use]
    pub fn half_held_by(&self) -> f64 {
        self.half_held_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, History};
    use crate::time::TimeUnit;

    fn base(values: &[(f64, f64)]) -> (Customers, Vec<Score>) {
        let mut customers = Customers::new(TimeUnit::Week);
        for (row, &(weight, _)) in values.iter().enumerate() {
            let history = History::new(1, 1.0, 2.0).unwrap();
            customers.push(Customer { id: &row.to_string(), history, average_spend: 1.0, weight, purchases: None }).unwrap();
        }
        let scores = values.iter().map(|&(_, clv)| Score { clv: Some(clv), ..Score::NOTHING }).collect();
        (customers, scores)
    }

    #[test]
    fn one_of_four_holds_half() {
        let (customers, scores) = base(&[(1.0, 10.0), (1.0, 60.0), (1.0, 30.0), (1.0, 20.0)]);
        let spread = Concentration::of(&customers, &scores, &Ranking::of(&customers, &scores)).unwrap();
        let at = |percent: usize| spread.points()[percent].value;
        assert_eq!((spread.points().len(), at(0), at(25), at(50), at(100)), (101, 0.0, 0.5, 0.75, 1.0));
        assert_eq!(spread.half_held_by(), 1.0);
    }

    #[test]
    fn a_row_of_several_is_passed_in_steps_and_nothing_has_no_curve() {
        let (customers, scores) = base(&[(3.0, 0.0), (1.0, 8.0)]);
        let spread = Concentration::of(&customers, &scores, &Ranking::of(&customers, &scores)).unwrap();
        assert_eq!((spread.points()[10].value, spread.points()[25].value, spread.points()[60].value), (0.4, 1.0, 1.0));
        assert_eq!(spread.half_held_by(), 0.5);
        let (customers, scores) = base(&[(1.0, 0.0)]);
        assert_eq!(Concentration::of(&customers, &scores, &Ranking::of(&customers, &scores)), None);
    }
}
