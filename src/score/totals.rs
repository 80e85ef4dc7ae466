//! What the scores of a customer base come to.

use super::scorer::Score;
use crate::data::Customers;

/// What the scores of a customer base come to. A row that stands for several customers counts as often.
#[derive(Debug, Clone)]
pub struct Totals {
    /// Customers, by weight.
    pub customers: f64,
    /// Their expected purchases within the horizon; `None` for a lifetime in which they add up to no finite number.
    pub expected_purchases: Option<f64>,
    /// The sum of their CLV; `None` when no customer has one.
    pub clv: Option<f64>,
    /// Customers without an expected spend, hence without a CLV.
    pub without_clv: f64,
    /// The share of the CLV that the most valuable tenth of the customers holds.
    pub share_of_top_tenth: Option<f64>,
    /// Rows from the most valuable on: by CLV, without any CLV by discounted purchases.
    pub ranking: Vec<usize>,
}

impl Totals {
    /// Adds up the scores of these customers, which are in the same order.
    #[must_use]
    pub fn of(customers: &Customers, scores: &[Score]) -> Self {
        let weight = |row: usize| customers.weight(row);
        let value = |row: usize| scores[row].clv.unwrap_or(0.0);
        let sum = |of: &dyn Fn(usize) -> f64| (0..scores.len()).map(of).sum::<f64>();
        let all = sum(&weight);
        let any_clv = scores.iter().any(|score| score.clv.is_some());
        let clv = any_clv.then(|| sum(&|row| weight(row) * value(row)));
        let worth = |row: usize| if any_clv { value(row) } else { scores[row].discounted_purchases };
        let mut ranking: Vec<usize> = (0..scores.len()).collect();
        ranking.sort_by(|&row, &other| worth(other).total_cmp(&worth(row)));
        let held = |share: f64| {
            let mut left = share * all;
            ranking.iter().fold(0.0, |held, &row| {
                let taken = weight(row).min(left);
                left -= taken;
                held + taken * value(row)
            })
        };
        Totals {
            customers: all,
            expected_purchases: (0..scores.len()).map(|row| scores[row].expected_purchases.map(|expected| weight(row) * expected)).sum(),
            clv,
            without_clv: sum(&|row| if scores[row].clv.is_some() { 0.0 } else { weight(row) }),
            share_of_top_tenth: clv.filter(|&clv| clv > 0.0).map(|clv| held(0.1) / clv),
            ranking,
        }
    }
}
