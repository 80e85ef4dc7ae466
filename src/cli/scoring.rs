//! Scores of many customers: the table of `score` and `run`, and what it comes to.

use std::cmp::Reverse;

use crate::data::Customers;
use crate::error::Result;
use crate::io::{Table, Values};
use crate::report::terminal::Totals;
use crate::score::Score;

/// The table of scores, one row per customer, in the order of the summary.
pub(super) fn table<'a>(customers: &'a Customers, scores: &[Score]) -> Result<Table<'a>> {
    let number = |of: fn(&Score) -> f64| Values::Number(scores.iter().map(of).collect());
    let optional = |of: fn(&Score) -> Option<f64>| Values::Optional(scores.iter().map(of).collect());
    let status = |score: &Score| if score.clv.is_some() { "scored" } else { "no_spend_estimate" };
    Table::new()
        .with("customer_id", Values::Text(customers.ids().collect()))?
        .with("frequency", Values::Count(customers.frequency().into()))?
        .with("recency", Values::Number(customers.recency().into()))?
        .with("age", Values::Number(customers.age().into()))?
        .with("p_alive", number(|score| score.p_alive))?
        .with("p_active", number(|score| score.p_active))?
        .with("expected_purchases", number(|score| score.expected_purchases))?
        .with("expected_average_spend", optional(|score| score.expected_average_spend))?
        .with("clv", optional(|score| score.clv))?
        .with("status", Values::Text(scores.iter().map(status).collect()))
}

/// What the scores of a customer base come to. A row that stands for several customers counts as often.
pub(super) fn totals(customers: &Customers, scores: &[Score]) -> Totals {
    let weight = |row: usize| customers.weight(row);
    let value = |row: usize| scores[row].clv.unwrap_or(0.0);
    let sum = |of: &dyn Fn(usize) -> f64| (0..scores.len()).map(of).sum::<f64>();
    let all = sum(&weight);
    let any_clv = scores.iter().any(|score| score.clv.is_some());
    let clv = any_clv.then(|| sum(&|row| weight(row) * value(row)));
    let worth = |row: usize| if any_clv { value(row) } else { scores[row].expected_purchases };
    let mut ranking: Vec<usize> = (0..scores.len()).collect();
    // Worths are at least 0, where the order of the bits is the order of the numbers.
    ranking.sort_by_key(|&row| Reverse(worth(row).to_bits()));
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
        expected_purchases: sum(&|row| weight(row) * scores[row].expected_purchases),
        clv,
        without_clv: sum(&|row| if scores[row].clv.is_some() { 0.0 } else { weight(row) }),
        share_of_top_tenth: clv.filter(|&clv| clv > 0.0).map(|clv| held(0.1) / clv),
        ranking,
    }
}
