//! The table of scores.

#[cfg(feature = "cli")]
use crate::data::CountedCustomers;
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
    // Without an excluded customer there is a number in every row, and the columns are the summary's own.
    let number = |values: &'a [f64]| match excluded {
        0 => Values::Number(values.into()),
        _ => Values::Optional((0..rows).map(|row| values.get(row).copied()).collect()),
    };
    // Who was excluded may follow in a later part of the table.
    let frequency = match (excluded, standing) {
        (0, None) => Values::Count(customers.frequency().into()),
        _ => Values::OptionalCount((0..rows).map(|row| customers.frequency().get(row).copied()).collect()),
    };
    let statuses: Vec<ScoreStatus> =
        statuses.iter().copied().chain(customers.excluded().map(|(_, why)| ScoreStatus::Excluded(why))).collect();
    let table = Table::new()
        .with("customer_id", Values::Text(customers.ids().chain(customers.excluded().map(|(id, _)| id)).collect()))?
        .with("frequency", frequency)?
        .with("recency", number(customers.recency()))?
        .with("age", number(customers.age()))?;
    let table = with_scores(table, scores, intervals, above, &statuses, prior_weights)?;
    match standing {
        Some(standing) => with_standing(table, standing),
        None => Ok(table),
    }
}

/// The columns of bands, null in the rows that have none.
fn with_standing<'a>(table: Table<'a>, standing: &[Option<(&'a str, u8)>]) -> Result<Table<'a>> {
    let rows = table.rows();
    let standing = |row: usize| standing.get(row).copied().flatten();
    table
        .with("band", Values::OptionalText((0..rows).map(|row| standing(row).map(|(band, _)| band)).collect()))?
        .with("score", Values::Optional((0..rows).map(|row| standing(row).map(|(_, score)| score.into())).collect()))
}

/// The same of customers known by counts per period: the recency is null, and so are band and score.
#[cfg(feature = "cli")]
pub(crate) fn counted_score_table<'a>(
    counted: &'a CountedCustomers,
    scores: &[Score],
    intervals: &[Option<ValueInterval>],
    above: bool,
    statuses: &[ScoreStatus],
    prior_weights: &[f64],
) -> Result<Table<'a>> {
    let customers = counted.customers();
    let frequency: Vec<u32> = customers.rows().map(|(row, _)| row.frequency()).collect();
    let age: Vec<f64> = customers.rows().map(|(row, _)| row.age()).collect();
    let rows = customers.len();
    let table = Table::new()
        .with("customer_id", Values::Text(counted.ids().collect()))?
        .with("frequency", Values::Count(frequency.into()))?
        .with("recency", Values::Optional(vec![None; rows].into()))?
        .with("age", Values::Number(age.into()))?;
    with_standing(with_scores(table, scores, intervals, above, statuses, prior_weights)?, &[])
}

/// The columns that a model fills.
fn with_scores<'a>(
    table: Table<'a>,
    scores: &[Score],
    intervals: &[Option<ValueInterval>],
    above: bool,
    statuses: &[ScoreStatus],
    prior_weights: &[f64],
) -> Result<Table<'a>> {
    let rows = table.rows();
    let optional = |of: fn(&Score) -> Option<f64>| Values::Optional((0..rows).map(|row| scores.get(row).and_then(of)).collect());
    let interval = |of: fn(&ValueInterval) -> Option<f64>| {
        let value = |row: usize| intervals.get(row).and_then(Option::as_ref).and_then(of);
        Values::Optional((0..rows).map(value).collect())
    };
    let table = table
        .with("p_alive", optional(|score| Some(score.p_alive)))?
        .with("p_active", optional(|score| Some(score.p_active)))?
        .with("expected_purchases", optional(|score| score.expected_purchases))?
        .with("expected_average_spend", optional(|score| score.expected_average_spend))?
        .with("clv", optional(|score| score.clv))?
        .with("clv_lower", interval(|interval| Some(interval.lower)))?
        .with("clv_upper", interval(|interval| Some(interval.upper)))?
        .with("status", Values::Text(statuses.iter().map(|status| status.name()).collect()))?;
    let table = if above { table.with("p_clv_above", interval(|interval| interval.p_above))? } else { table };
    table.with("prior_weight", Values::Optional((0..rows).map(|row| prior_weights.get(row).copied()).collect()))
}
