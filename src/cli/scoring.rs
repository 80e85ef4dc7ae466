//! Scores of many customers: the table of `score` and `run`.

use crate::data::Customers;
use crate::error::Result;
use crate::io::{Table, Values};
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
        .with("expected_purchases", optional(|score| score.expected_purchases))?
        .with("expected_average_spend", optional(|score| score.expected_average_spend))?
        .with("clv", optional(|score| score.clv))?
        .with("status", Values::Text(scores.iter().map(status).collect()))
}
