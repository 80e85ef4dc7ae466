//! The table of scores.

use crate::data::Customers;
use crate::error::Result;
use crate::io::table::{Table, Values};
use crate::score::{Score, ScoreStatus, ValueInterval};

/// One row per customer, in the order of the summary, then one for each who was excluded. Where there are no `intervals` the ends of them are null; `above` adds
/// the probability of a CLV above the threshold. Where there are no `prior_weights`, they are null. `standing` is the band
/// of each customer and their score from 0 to 100, which are null where it is missing, and no columns where there is none.
pub(crate) fn score_table<'a>(
    customers: &'a Customers,
    scores: &[Score],
    intervals: &[Option<ValueInterval>],
    above: bool,
    statuses: &[ScoreStatus],
    prior_weights: &[f64],
    standing: Option<&[Option<(&'a str, u8)>]>,
) -> Result<Table<'a>> {
    let excluded = customers.excluded().len();
    let rows = customers.len() + excluded;
    let optional = |of: fn(&Score) -> Option<f64>| Values::Optional((0..rows).map(|row| scores.get(row).and_then(of)).collect());
    // Without an excluded customer there is a number in every row, and the columns are the summary's own.
    let number = |values: &'a [f64]| match excluded {
        0 => Values::Number(values.into()),
        _ => Values::Optional((0..rows).map(|row| values.get(row).copied()).collect()),
    };
    let frequency = match excluded {
        0 => Values::Count(customers.frequency().into()),
        _ => Values::OptionalCount((0..rows).map(|row| customers.frequency().get(row).copied()).collect()),
    };
    let interval = |of: fn(&ValueInterval) -> Option<f64>| {
        let value = |row: usize| intervals.get(row).and_then(Option::as_ref).and_then(of);
        Values::Optional((0..rows).map(value).collect())
    };
    let statuses = statuses.iter().copied().chain(customers.excluded().map(|(_, why)| ScoreStatus::Excluded(why)));
    let table = Table::new()
        .with("customer_id", Values::Text(customers.ids().chain(customers.excluded().map(|(id, _)| id)).collect()))?
        .with("frequency", frequency)?
        .with("recency", number(customers.recency()))?
        .with("age", number(customers.age()))?
        .with("p_alive", optional(|score| Some(score.p_alive)))?
        .with("p_active", optional(|score| Some(score.p_active)))?
        .with("expected_purchases", optional(|score| score.expected_purchases))?
        .with("expected_average_spend", optional(|score| score.expected_average_spend))?
        .with("clv", optional(|score| score.clv))?
        .with("clv_lower", interval(|interval| Some(interval.lower)))?
        .with("clv_upper", interval(|interval| Some(interval.upper)))?;
    let table = table.with("status", Values::Text(statuses.map(ScoreStatus::name).collect()))?;
    let table = if above { table.with("p_clv_above", interval(|interval| interval.p_above))? } else { table };
    let table = table.with("prior_weight", Values::Optional((0..rows).map(|row| prior_weights.get(row).copied()).collect()))?;
    let Some(standing) = standing else { return Ok(table) };
    let standing = |row: usize| standing.get(row).copied().flatten();
    table
        .with("band", Values::OptionalText((0..rows).map(|row| standing(row).map(|(band, _)| band)).collect()))?
        .with("score", Values::Optional((0..rows).map(|row| standing(row).map(|(_, score)| score.into())).collect()))
}
