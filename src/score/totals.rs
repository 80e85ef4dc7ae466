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
}

impl Default for Totals {
    /// Of nobody.
    fn default() -> Self {
        Totals { customers: 0.0, expected_purchases: Some(0.0), clv: None, without_clv: 0.0 }
    }
}

impl Totals {
    /// Adds up the scores of these customers, which are in the same order.
    #[must_use]
    pub fn of(customers: &Customers, scores: &[Score]) -> Self {
        let mut totals = Totals::default();
        totals.add(customers, scores);
        totals
    }

    /// Adds those of more customers.
    pub fn add(&mut self, customers: &Customers, scores: &[Score]) {
        self.add_weighted(scores.iter().enumerate().map(|(row, score)| (customers.weight(row), score)));
    }

    /// Adds scores, each with the number of customers that it stands for.
    ///
    /// ```
    /// use clv::{BgNbd, BgNbdParams, ClvDefinition, History, Scorer, SpendHistory, TimeUnit, Totals};
    ///
    /// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
    /// let terms = ClvDefinition { horizon: "39 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None)?;
    /// let score = Scorer::new(model, None, terms).score(&History::new(2, 30.43, 38.86)?, &SpendHistory::UNKNOWN);
    /// let mut totals = Totals::default();
    /// totals.add_weighted([(200.0, &score), (50.0, &score)]);
    /// assert_eq!((totals.customers, totals.without_clv, totals.clv), (250.0, 250.0, None));
    /// assert_eq!(format!("{:.1}", totals.expected_purchases.unwrap()), "306.5");      // 1.226 of each
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn add_weighted<'a>(&mut self, scores: impl IntoIterator<Item = (f64, &'a Score)>) {
        for (weight, score) in scores {
            self.customers += weight;
            self.expected_purchases = self.expected_purchases.zip(score.expected_purchases).map(|(sum, expected)| sum + weight * expected);
            match score.clv {
                Some(clv) => self.clv = Some(self.clv.unwrap_or(0.0) + weight * clv),
                None => self.without_clv += weight,
            }
        }
    }
}

/// Who is worth most.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Rows from the most valuable on: by CLV, without any CLV by discounted purchases.
    pub rows: Vec<usize>,
    /// The share of the CLV that the most valuable tenth of the customers holds; `None` where some customer costs more than they bring, or of fewer than ten
    /// customers, who have no tenth.
    pub share_of_top_tenth: Option<f64>,
}

impl Ranking {
    /// Ranks these customers, whose scores are in the same order.
    #[must_use]
    pub fn of(customers: &Customers, scores: &[Score]) -> Self {
        let totals = Totals::of(customers, scores);
        let value = |row: usize| scores[row].clv.unwrap_or(0.0);
        let worth = |row: usize| if totals.clv.is_some() { value(row) } else { scores[row].discounted_purchases };
        let mut rows: Vec<usize> = (0..scores.len()).collect();
        rows.sort_by(|&row, &other| worth(other).total_cmp(&worth(row)));
        let held = |share: f64| {
            let mut left = share * totals.customers;
            rows.iter().fold(0.0, |held, &row| {
                let taken = customers.weight(row).min(left);
                left -= taken;
                held + taken * value(row)
            })
        };
        // Shares are of something that nobody takes away from.
        let nobody_costs = rows.last().is_none_or(|&row| value(row) >= 0.0);
        let share_of_top_tenth = totals.clv.filter(|&clv| clv > 0.0 && nobody_costs && totals.customers >= 10.0).map(|clv| held(0.1) / clv);
        Ranking { rows, share_of_top_tenth }
    }
}
