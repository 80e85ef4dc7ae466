//! The table of scores.

use crate::data::Customers;
use crate::error::Result;
use crate::io::table::{Table, Values};
use crate::score::{Score, ValueInterval};

/// One row per customer, in the order of the summary. Where there are no `intervals` the ends of them are null; `above` adds the probability of a CLV above the
/// threshold. `standing` is the band of each customer and their score from 0 to 100, which are null where it is missing, and no columns where there is none.
pub(crate) fn score_table<'a>(
    customers: &'a Customers,
    scores: &[Score],
    intervals: &[Option<ValueInterval>],
    above: bool,
    standing: Option<&[Option<(&'a str, u8)>]>,
) -> Result<Table<'a>> {
    let number = |of: fn(&Score) -> f64| Values::Number(scores.iter().map(of).collect());
    let optional = |of: fn(&Score) -> Option<f64>| Values::Optional(scores.iter().map(of).collect());
    let interval = |of: fn(&ValueInterval) -> Option<f64>| {
        let value = |row: usize| intervals.get(row).and_then(Option::as_ref).and_then(of);
        Values::Optional((0..scores.len()).map(value).collect())
    };
    let status = |score: &Score| if score.clv.is_some() { "scored" } else { "no_spend_estimate" };
    let table = Table::new()
        .with("customer_id", Values::Text(customers.ids().collect()))?
        .with("frequency", Values::Count(customers.frequency().into()))?
        .with("recency", Values::Number(customers.recency().into()))?
        .with("age", Values::Number(customers.age().into()))?
        .with("p_alive", number(|score| score.p_alive))?
        .with("p_active", number(|score| score.p_active))?
        .with("expected_purchases", optional(|score| score.expected_purchases))?
        .with("expected_average_spend", optional(|score| score.expected_average_spend))?
        .with("clv", optional(|score| score.clv))?
        .with("clv_lower", interval(|interval| Some(interval.lower)))?
        .with("clv_upper", interval(|interval| Some(interval.upper)))?;
    let table = if above { table.with("p_clv_above", interval(|interval| interval.p_above))? } else { table };
    let table = table.with("status", Values::Text(scores.iter().map(status).collect()))?;
    let Some(standing) = standing else { return Ok(table) };
    let standing = |row: usize| standing.get(row).copied().flatten();
    let rows = 0..scores.len();
    table
        .with("band", Values::OptionalText(rows.clone().map(|row| standing(row).map(|(band, _)| band)).collect()))?
        .with("score", Values::Optional(rows.map(|row| standing(row).map(|(_, score)| score.into())).collect()))
}
