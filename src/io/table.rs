//! A table of typed columns, and three ways to write it: CSV, JSON and Parquet.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use crate::data::{Customers, MergePeriod};
use crate::error::{Error, Result};
use crate::io::table_writer::TableWriter;
use crate::time::{Date, Moment};

/// The values of a column, borrowed where they can be.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// Text.
    Text(Vec<&'a str>),
    /// Whole numbers from 0.
    Count(Cow<'a, [u32]>),
    /// Whole numbers from 0 that may be missing; a missing one is written as null.
    OptionalCount(Vec<Option<u32>>),
    /// Numbers; one that is not finite is written as null.
    Number(Cow<'a, [f64]>),
    /// Numbers that may be missing; a missing one, or one that is not finite, is written as null.
    Optional(Cow<'a, [Option<f64>]>),
    /// Days.
    Date(Vec<Date>),
    /// Hours of the clock.
    Hour(Vec<Moment>),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Values::Text(values) => values.len(),
            Values::Count(values) => values.len(),
            Values::OptionalCount(values) => values.len(),
            Values::Number(values) => values.len(),
            Values::Optional(values) => values.len(),
            Values::Date(values) => values.len(),
            Values::Hour(values) => values.len(),
        }
    }
}

/// A column: a name and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Column<'a> {
    /// The name in the header.
    pub name: &'a str,
    /// One value per row.
    pub values: Values<'a>,
}

/// Columns of equal length under names of their own, on their way to a file.
///
/// ```
/// use clv::{Table, TableFormat, Values};
///
/// let table = Table::new()
///     .with("customer_id", Values::Text(vec!["a,b", "c"]))?
///     .with("clv", Values::Optional(vec![Some(12.5), None].into()))?;
/// let mut csv = Vec::new();
/// table.write(TableFormat::Csv, &mut csv)?;
/// assert_eq!(csv, b"customer_id,clv\n\"a,b\",12.5\nc,\n");
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table<'a> {
    columns: Vec<Column<'a>>,
}

impl<'a> Table<'a> {
    /// A table without a column.
    #[must_use]
    pub fn new() -> Self {
        Table::default()
    }

    /// Adds a column on the right.
    ///
    /// # Errors
    /// When its length is not that of the columns that are there, or its name is taken.
    pub fn with(mut self, name: &'a str, values: Values<'a>) -> Result<Self> {
        if !self.columns.is_empty() && values.len() != self.rows() {
            return Err(Error::data(format!("column {name:?} has {} values, but the table has {} rows", values.len(), self.rows())));
        }
        if self.columns.iter().any(|column| column.name == name) {
            return Err(Error::data(format!("there is a column {name:?} already")));
        }
        self.columns.push(Column { name, values });
        Ok(self)
    }

    /// The columns from left to right.
    #[must_use]
    pub fn columns(&self) -> &[Column<'a>] {
        &self.columns
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Writes the table. Numbers are written in the shortest form that reads back as the same number; null is an empty field in CSV.
    ///
    /// # Errors
    /// When the writer fails, or this build is without the feature of the format.
    pub fn write(&self, format: TableFormat, out: &mut (impl Write + Send)) -> Result<()> {
        let mut writer = TableWriter::new(format, out)?;
        writer.write(self)?;
        writer.finish()
    }

    /// The rows, below a header where they are the first.
    #[cfg(feature = "csv")]
    pub(super) fn write_csv(&self, csv: &mut csv::Writer<impl Write>, header: bool) -> std::io::Result<()> {
        if header {
            csv.write_record(self.columns.iter().map(|column| column.name))?;
        }
        let mut field = String::new();
        for row in 0..self.rows() {
            for column in &self.columns {
                field.clear();
                column.values.print(row, &mut field);
                csv.write_field(&field)?;
            }
            csv.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// The rows of an array that has so many already; the end is not written.
    #[cfg(feature = "serde")]
    pub(super) fn write_json(&self, out: &mut impl Write, begin: bool, rows_before: usize) -> std::io::Result<()> {
        let names: Vec<String> = self.columns.iter().map(|column| serde_json::to_string(column.name)).collect::<serde_json::Result<_>>()?;
        let mut field = String::new();
        if begin {
            out.write_all(b"[")?;
        }
        for row in 0..self.rows() {
            out.write_all(if rows_before + row == 0 { b"\n{" } else { b",\n{" })?;
            for (index, (column, name)) in self.columns.iter().zip(&names).enumerate() {
                field.clear();
                column.values.print(row, &mut field);
                write!(out, "{}{name}:", if index == 0 { "" } else { "," })?;
                match column.values {
                    Values::Text(_) | Values::Date(_) | Values::Hour(_) => serde_json::to_writer(&mut *out, &field)?,
                    Values::OptionalCount(_) | Values::Number(_) | Values::Optional(_) if field.is_empty() => out.write_all(b"null")?,
                    Values::Count(_) | Values::OptionalCount(_) | Values::Number(_) | Values::Optional(_) => {
                        out.write_all(field.as_bytes())?
                    }
                }
            }
            out.write_all(b"}")?;
        }
        Ok(())
    }
}

impl Values<'_> {
    /// The value of a row as text, nothing for null.
    #[cfg(any(feature = "csv", feature = "serde"))]
    fn print(&self, row: usize, text: &mut String) {
        use std::fmt::Write;
        // Writing to a String cannot fail.
        let _ = match self {
            Values::Text(values) => text.write_str(values[row]),
            Values::Count(values) => write!(text, "{}", values[row]),
            Values::OptionalCount(values) => values[row].map_or(Ok(()), |value| write!(text, "{value}")),
            Values::Number(values) => print_number(values[row], text),
            Values::Optional(values) => values[row].map_or(Ok(()), |value| print_number(value, text)),
            Values::Date(values) => write!(text, "{}", values[row]),
            Values::Hour(values) => text.write_str(&print_hour(values[row])),
        };
    }
}

/// A day and an hour of the clock, also when it is hour 0.
#[cfg(any(feature = "csv", feature = "serde"))]
fn print_hour(time: Moment) -> String {
    format!("{}T{:02}:00", time.date(), time.hour_of_day())
}

/// The shortest digits that read back as the same number; with an exponent where there would be many zeros.
#[cfg(any(feature = "csv", feature = "serde"))]
fn print_number(value: f64, text: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    let size = value.abs();
    if !value.is_finite() {
        Ok(())
    } else if size != 0.0 && !(1e-5..1e16).contains(&size) {
        write!(text, "{value:e}")
    } else {
        write!(text, "{value}")
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// Comma-separated values with a header.
    Csv,
    /// An array of objects.
    Json,
    /// Parquet, compressed with Snappy.
    Parquet,
}

impl TableFormat {
    /// The format that the ending of a file asks for: `.csv`, `.json`, `.parquet` (or `.pq`).
    ///
    /// ```
    /// assert_eq!(clv::TableFormat::of_path("out/scores.parquet"), Some(clv::TableFormat::Parquet));
    /// ```
    #[must_use]
    pub fn of_path(path: impl AsRef<Path>) -> Option<Self> {
        match path.as_ref().extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(TableFormat::Csv),
            "json" => Some(TableFormat::Json),
            "parquet" | "pq" => Some(TableFormat::Parquet),
            _ => None,
        }
    }

    /// The word for it: `csv`, `json`, `parquet`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TableFormat::Csv => "csv",
            TableFormat::Json => "json",
            TableFormat::Parquet => "parquet",
        }
    }
}

impl FromStr for TableFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "csv" => Ok(TableFormat::Csv),
            "json" => Ok(TableFormat::Json),
            "parquet" => Ok(TableFormat::Parquet),
            _ => Err(Error::parameter(format!("format {text:?} is not known; it is one of csv, json, parquet"))),
        }
    }
}

impl<'a> From<&'a Customers> for Table<'a> {
    /// The columns `customer_id, first_purchase, last_purchase, frequency, recency, age, average_spend, total_spend`; the purchase dates
    /// (hours, when purchases were merged by the hour) and the total are there when the customers come from a log, and a `weight` follows
    /// when some row stands for other than one customer, then `before_log` when some are born before the log (the time from birth to its start) or at a
    /// time that is not known (null).
    fn from(customers: &'a Customers) -> Self {
        let mut columns = vec![Column { name: "customer_id", values: Values::Text(customers.ids().collect()) }];
        let records = customers.purchases();
        if !records.is_empty() {
            let first = records.iter().map(|record| record.first).collect();
            let last = records.iter().map(|record| record.last).collect();
            columns.push(Column { name: "first_purchase", values: times(first, customers.merge()) });
            columns.push(Column { name: "last_purchase", values: times(last, customers.merge()) });
        }
        columns.push(Column { name: "frequency", values: Values::Count(customers.frequency().into()) });
        columns.push(Column { name: "recency", values: Values::Number(customers.recency().into()) });
        columns.push(Column { name: "age", values: Values::Number(customers.age().into()) });
        columns.push(Column { name: "average_spend", values: Values::Number(customers.average_spend().into()) });
        if !records.is_empty() {
            let total = records.iter().map(|record| record.total_spend).collect();
            columns.push(Column { name: "total_spend", values: Values::Number(total) });
        }
        if customers.is_weighted() {
            let weight = (0..customers.len()).map(|row| customers.weight(row)).collect();
            columns.push(Column { name: "weight", values: Values::Number(weight) });
        }
        if customers.has_births() {
            let before = (0..customers.len()).map(|row| customers.birth(row).before_log()).collect();
            columns.push(Column { name: "before_log", values: Values::Optional(before) });
        }
        Table { columns }
    }
}

/// Times as fine as purchases are told apart, whatever the hours in these: the type of a column must not depend on the rows.
fn times(times: Vec<Moment>, merge: MergePeriod) -> Values<'static> {
    match merge {
        MergePeriod::Day => Values::Date(times.into_iter().map(Moment::date).collect()),
        MergePeriod::Hour => Values::Hour(times),
    }
}

/// Writes the summary as CSV: see [`Table::from`](Table#impl-From<%26Customers>-for-Table) for the columns.
///
/// # Errors
/// When the writer fails.
#[cfg(feature = "csv")]
pub fn write_customers_csv(customers: &Customers, out: &mut (impl Write + Send)) -> Result<()> {
    Table::from(customers).write(TableFormat::Csv, out)
}
