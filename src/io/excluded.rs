//! Who has no row in a summary: a table beside it, so that no id is lost to those who read the summary.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::{Customers, is_blank};
use crate::error::{Error, Result, quoted};
use crate::io::numbers::number;
use crate::io::options::{DecimalMark, ReadOptions};
use crate::io::source::Source;
use crate::io::table::{Table, Values};
use crate::score::ScoreStatus;

const STATUS: &str = "status";
const REVENUE: &str = "revenue_after_end";
const HEADER: &str = "the table that clv summarize --excluded writes";

/// The table of those who have no row: `customer_id, status, revenue_after_end`, in the words of the scores.
pub(crate) fn excluded_table(customers: &Customers) -> Result<Table<'_>> {
    Table::new()
        .with("customer_id", Values::Text(customers.excluded().map(|(id, _)| id).collect()))?
        .with(STATUS, Values::Text(customers.excluded().map(|(_, why)| ScoreStatus::Excluded(why).name()).collect()))?
        .with(REVENUE, Values::Number(customers.excluded_revenue_after_end().collect()))
}

/// Reads it, as customers without a row, measured as `like` are.
pub(crate) fn read_excluded(path: &Path, like: Customers) -> Result<Customers> {
    let mut excluded = BTreeMap::new();
    Source::open(path)?.for_each_row(
        [("customer_id", HEADER), (STATUS, HEADER), (REVENUE, HEADER)],
        &ReadOptions::default(),
        None,
        &mut |fields, place| {
            let [id, status, revenue] = fields;
            let named = |error: Error| error.at(place().to_string());
            if is_blank(id) {
                return Err(named(Error::data("column \"customer_id\": the customer is missing; every row belongs to a customer")));
            }
            let why = ScoreStatus::exclusion(status.trim()).ok_or_else(|| {
                named(Error::data(format!(
                    "column {STATUS:?}: {} is no reason for which a customer has no row; take {HEADER}",
                    quoted(status)
                )))
            })?;
            let revenue = number(revenue, "revenue", DecimalMark::Point)
                .map_err(|message| named(Error::data(format!("column {REVENUE:?}: {message}"))))?;
            match excluded.insert(id.to_owned(), (why, revenue)) {
                None => Ok(()),
                Some(_) => Err(named(Error::data(format!("customer {} is there a second time; a customer has one row", quoted(id))))),
            }
        },
    )?;
    let mut customers = like;
    excluded.into_iter().for_each(|(id, (why, revenue))| customers.exclude(&id, why, revenue));
    Ok(customers)
}
