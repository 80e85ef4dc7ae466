//! Who has no row in a summary: a table beside it, so that no id is lost to those who read the summary.

use std::collections::BTreeMap;
use std::path::Path;

use crate::data::{Customers, Exclusion};
use crate::error::{Error, Result, quoted};
use crate::io::fields::customer;
use crate::io::numbers::number;
use crate::io::options::{DecimalMark, ReadOptions};
use crate::io::rows::Place;
use crate::io::source::Source;
use crate::io::table::{Table, Values};
use crate::score::ScoreStatus;

const CUSTOMER: &str = "customer_id";
const STATUS: &str = "status";
const REVENUE: &str = "revenue_after_end";
const HEADER: &str = "the table that clv summarize --excluded writes";

/// The table of those who have no row: `customer_id, status, revenue_after_end`, in the words of the scores.
pub(crate) fn excluded_table(customers: &Customers) -> Result<Table<'_>> {
    Table::new()
        .with(CUSTOMER, Values::Text(customers.excluded().map(|(id, _)| id).collect()))?
        .with(STATUS, Values::Text(customers.excluded().map(|(_, why)| ScoreStatus::Excluded(why).name()).collect()))?
        .with(REVENUE, Values::Number(customers.excluded_revenue_after_end().collect()))
}

/// The same table, read.
#[derive(Debug)]
pub(crate) struct ExcludedRows {
    file: String,
    rows: BTreeMap<String, Row>,
}

#[derive(Debug)]
struct Row {
    why: Exclusion,
    revenue_after_end: f64,
    line: u64,
}

impl ExcludedRows {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let (file, mut rows) = (source.name().to_owned(), BTreeMap::new());
        let way = "the header customer_id,status,revenue_after_end, as clv summarize --excluded writes it";
        let columns = [(CUSTOMER, way), (STATUS, way), (REVENUE, way)];
        source.for_each_row(columns, &ReadOptions::default(), None, &mut |[id, status, revenue], place| {
            let named = |error: Error| error.at(place().to_string());
            let id = customer(id, CUSTOMER).map_err(|fault| named(fault.into_error()))?;
            let why = ScoreStatus::exclusion(status.trim()).ok_or_else(|| {
                named(Error::data(format!(
                    "column {STATUS:?}: {} is no reason for which a customer has no row; take {HEADER}",
                    quoted(status)
                )))
            })?;
            let revenue_after_end = number(revenue, "revenue", DecimalMark::Point)
                .map_err(|message| named(Error::data(format!("column {REVENUE:?}: {message}"))))?;
            match rows.insert(id.to_owned(), Row { why, revenue_after_end, line: place().line }) {
                None => Ok(()),
                Some(_) => Err(named(Error::data(format!("customer {} is there a second time; a customer has one row", quoted(id))))),
            }
        })?;
        Ok(ExcludedRows { file, rows })
    }

    /// Refuses a customer who is among those with a row.
    pub(crate) fn check_none_of(&self, with_a_row: &Customers) -> Result<()> {
        match with_a_row.ids().find_map(|id| self.rows.get(id).map(|row| (id, row))) {
            None => Ok(()),
            Some((id, &Row { line, .. })) => Err(Error::data(format!(
                "customer {} has a row in the summary as well, and would be scored and excluded at once; take the summary and {HEADER} from one run, or \
                 remove the customer from one of them",
                quoted(id)
            ))
            .at(Place { file: &self.file, line }.to_string())),
        }
    }

    /// As customers without a row, measured as `like` are.
    pub(crate) fn customers(&self, like: Customers) -> Customers {
        let mut customers = like;
        self.rows.iter().for_each(|(id, row)| customers.exclude(id, row.why, row.revenue_after_end));
        customers
    }
}
