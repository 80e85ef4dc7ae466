//! Arrow arrays: columns of logs and summaries out of them, tables into them, and customers scored from batch to batch.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Date64Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, Schema, TimeUnit as ArrowUnit};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::data::{Customers, SkipReason};
use crate::error::{Error, Result};
use crate::io::fields::{self, Checked, Fault, Header};
use crate::io::options::{DecimalMark, SummaryOptions};
use crate::io::score_table::score_table;
use crate::io::summary::{Figure, SummaryReader};
use crate::io::table::{Table, Values};
use crate::models::PurchaseModel;
use crate::score::{BatchScorer, score_status};
use crate::time::Moment;

impl Customers {
    /// The customers of a record batch, one row each, with the columns of a summary: see [`Source::read_summary`](crate::Source::read_summary).
    ///
    /// # Errors
    /// When a column is missing or of an unsuitable type, or a row breaks a rule and is not to be skipped; rows are counted from 1.
    pub fn from_record_batch(batch: &RecordBatch, options: &SummaryOptions) -> Result<Self> {
        let columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let header = Header { name: "record batch", columns };
        let mut summary = SummaryReader::new(&header, options, None)?;
        push_rows(&mut summary, &header, &|position| Arc::clone(batch.column(position)), 1)?;
        summary.finish()
    }
}

impl<M: PurchaseModel> BatchScorer<M> {
    /// Scores a record batch of customers into one of scores: `customer_id, frequency, recency, age, p_alive, p_active, expected_purchases,
    /// expected_average_spend, clv, clv_lower, clv_upper, status, prior_weight`, a row for each customer in their order. There are no intervals, and a model of one's
    /// own need not have a prior weight; `clv_lower`, `clv_upper` and `prior_weight` are null.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::cast::AsArray;
    /// use arrow_array::types::Float64Type;
    /// use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
    /// use clv::{BgNbd, BgNbdParams, ClvDefinition, Scorer, SummaryOptions, TimeUnit};
    ///
    /// let purchases = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
    /// let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse()?))?;
    /// let batches = Scorer::new(purchases, None, terms).in_batches();
    /// let customers = RecordBatch::try_from_iter([
    ///     ("customer_id", Arc::new(StringArray::from(vec!["0001"])) as _),
    ///     ("frequency", Arc::new(Int64Array::from(vec![2])) as _),
    ///     ("recency", Arc::new(Float64Array::from(vec![30.43])) as _),
    ///     ("age", Arc::new(Float64Array::from(vec![38.86])) as _),
    /// ]).unwrap();
    /// let scores = batches.score_record_batch(&customers, &SummaryOptions::default())?;
    /// let p_alive = scores.column_by_name("p_alive").unwrap().as_primitive::<Float64Type>();
    /// assert_eq!(format!("{:.4}", p_alive.value(0)), "0.7266");
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Customers::from_record_batch`] and [`Scorer::score_all`](crate::Scorer::score_all).
    pub fn score_record_batch(&self, customers: &RecordBatch, options: &SummaryOptions) -> Result<RecordBatch> {
        let customers = Customers::from_record_batch(customers, options)?;
        let scores = self.score_all(&customers)?;
        let statuses: Vec<_> = scores.iter().enumerate().map(|(row, score)| score_status(score, customers.birth(row), false)).collect();
        let table = score_table(&customers, &scores, &[], false, &statuses, &[], None)?;
        record_batch(&table, &Arc::new(schema_of(&table)), 0..table.rows())
    }
}

/// Hands the rows of a batch to the reader of a summary; `first_row` is the number of the first one.
pub(super) fn push_rows(
    summary: &mut SummaryReader<'_>,
    header: &Header<'_>,
    batch: &dyn Fn(usize) -> ArrayRef,
    first_row: usize,
) -> Result<usize> {
    let name = header.name;
    let mut read: Vec<Option<SummaryColumn>> = header.columns.iter().map(|_| None).collect();
    let mut rows = 0;
    for position in summary.positions() {
        let array = batch(position);
        rows = array.len();
        let text = summary.is_text(position);
        read[position] = Some(SummaryColumn::of(array, &header.columns[position], text).map_err(|error| error.at(name))?);
    }
    for row in 0..rows {
        let field = |position: usize| read[position].as_ref().map_or(Ok(Figure::NONE), |column| column.get(row));
        summary.push(Ok(field), || format!("{name}:{}", first_row + row))?;
    }
    Ok(rows)
}

/// Rows of a table, by the schema of the table.
pub(super) fn record_batch(table: &Table<'_>, schema: &Arc<Schema>, rows: Range<usize>) -> Result<RecordBatch> {
    let arrays = table.columns().iter().map(|column| array_of(&column.values, rows.start, rows.end)).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| Error::data("the table is no record batch").because(error))
}

fn unsuitable(column: &str, kind: &DataType, what: &str) -> Error {
    Error::data(format!("column {column:?} is of type {kind}, but {what}"))
}

fn cast(array: &ArrayRef, kind: &DataType, column: &str) -> Result<ArrayRef> {
    // Told to be safe, a cast turns what it cannot convert into nulls.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, kind, &options).map_err(|error| Error::data(format!("column {column:?} cannot be read ({error})")))
}

/// The values of a dictionary, row by row; other arrays as they are.
fn without_dictionary(array: ArrayRef, column: &str) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(_, values) => cast(&array, &values.clone(), column),
        _ => Ok(array),
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_decimal(kind: &DataType) -> bool {
    matches!(kind, DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..))
}

fn texts(array: &ArrayRef, column: &str) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8, column)?.as_string::<i32>().clone())
}

/// Any column as text; times in ISO.
pub(super) fn text_column(array: ArrayRef, column: &str) -> Result<StringArray> {
    texts(&without_dictionary(array, column)?, column)
}

pub(super) fn ids(array: ArrayRef, column: &str) -> Result<StringArray> {
    let array = without_dictionary(array, column)?;
    let kind = array.data_type();
    let binary = matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    if !(is_text(kind) || kind.is_integer() || is_decimal(kind) || binary) {
        return Err(unsuitable(column, kind, "customer ids must be text or integers"));
    }
    texts(&array, column)
}

/// What one row of a column holds.
pub(super) type Get<T> = Box<dyn Fn(usize) -> Checked<T>>;

pub(super) fn times_of(array: ArrayRef, column: &str) -> Result<Get<Moment>> {
    let array = without_dictionary(array, column)?;
    let name = column.to_owned();
    let hour_of: Box<dyn Fn(i64) -> Option<i64>> =
        match array.data_type() {
            kind if is_text(kind) => {
                let array = texts(&array, column)?;
                return Ok(Box::new(move |row| {
                    if array.is_null(row) { Err(fields::missing_date(&name)) } else { fields::time(array.value(row), &name) }
                }));
            }
            DataType::Date32 => Box::new(|day| Some(day * 24)),
            DataType::Date64 => Box::new(|millisecond| Some(millisecond.div_euclid(3_600_000))),
            DataType::Timestamp(unit, zone) => {
                let per_second = match unit {
                    ArrowUnit::Second => 1,
                    ArrowUnit::Millisecond => 1_000,
                    ArrowUnit::Microsecond => 1_000_000,
                    ArrowUnit::Nanosecond => 1_000_000_000,
                };
                let zone = zone.as_deref().map(|zone| time_zone(zone, column)).transpose()?;
                Box::new(move |count| {
                    let second = count.div_euclid(per_second);
                    let offset = match &zone {
                        Some(zone) => i64::from(zone.to_offset(Timestamp::from_second(second).ok()?).seconds()),
                        None => 0,
                    };
                    Some((second + offset).div_euclid(3_600))
                })
            }
            kind => return Err(unsuitable(column, kind, "dates must be dates, timestamps or ISO text")),
        };
    let counts = match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().iter().map(|day| day.map(i64::from)).collect::<Int64Array>(),
        DataType::Date64 => array.as_primitive::<Date64Type>().reinterpret_cast::<Int64Type>(),
        _ => cast(&array, &DataType::Int64, column)?.as_primitive::<Int64Type>().clone(),
    };
    Ok(Box::new(move |row| {
        if counts.is_null(row) {
            return Err(fields::missing_date(&name));
        }
        let count = counts.value(row);
        hour_of(count).and_then(fields::moment).ok_or_else(|| {
            Fault::column(SkipReason::BadDate, &name, format!("the stored time {count} lies outside the years -9999 to 9999"))
        })
    }))
}

fn time_zone(zone: &str, column: &str) -> Result<TimeZone> {
    DateTimeParser::new().parse_time_zone(zone).map_err(|_| {
        Error::data(format!("column {column:?}: the time zone {zone:?} is not known; it is a name such as Europe/Berlin or an offset"))
    })
}

pub(super) fn amounts_of(array: ArrayRef, column: &str, decimal: DecimalMark) -> Result<Get<f64>> {
    let array = without_dictionary(array, column)?;
    let name = column.to_owned();
    let kind = array.data_type();
    // By way of their digits, decimals and single precision become the number that CSV would have: 29.33, not 29.329999923706055.
    if is_text(kind) || is_decimal(kind) || matches!(kind, DataType::Float16 | DataType::Float32) {
        // The digits of what is a number already have a point.
        let decimal = if is_text(kind) { decimal } else { DecimalMark::Point };
        let array = texts(&array, column)?;
        return Ok(Box::new(move |row| {
            if array.is_null(row) { Err(fields::missing_amount(&name)) } else { fields::amount(array.value(row), &name, decimal) }
        }));
    }
    if !(kind.is_integer() || matches!(kind, DataType::Float64)) {
        return Err(unsuitable(column, kind, "amounts must be numbers"));
    }
    let array = cast(&array, &DataType::Float64, column)?.as_primitive::<Float64Type>().clone();
    Ok(Box::new(
        move |row| {
            if array.is_null(row) { Err(fields::missing_amount(&name)) } else { fields::finite_amount(array.value(row), &name) }
        },
    ))
}

/// A column of a summary.
enum SummaryColumn {
    /// As CSV would have it.
    Text(StringArray),
    Number(Float64Array),
    Time {
        time: Get<Moment>,
        by_hour: bool,
    },
}

impl SummaryColumn {
    fn of(array: ArrayRef, column: &str, text: bool) -> Result<Self> {
        let array = without_dictionary(array, column)?;
        Ok(match array.data_type() {
            kind @ (DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) if !text => {
                let by_hour = matches!(kind, DataType::Timestamp(..));
                SummaryColumn::Time { time: times_of(array, column)?, by_hour }
            }
            kind if !text && (kind.is_integer() || matches!(kind, DataType::Float64)) => {
                SummaryColumn::Number(cast(&array, &DataType::Float64, column)?.as_primitive::<Float64Type>().clone())
            }
            // By way of their digits, as amounts are; these have a point whatever text may have.
            kind if !text && (is_decimal(kind) || matches!(kind, DataType::Float16 | DataType::Float32)) => {
                let digits = texts(&array, column)?;
                let number = |digits: &str| {
                    digits.parse::<f64>().map_err(|error| unsuitable(column, kind, "figures must be numbers").because(error))
                };
                SummaryColumn::Number(digits.iter().map(|digits| digits.map(number).transpose()).collect::<Result<_>>()?)
            }
            _ => SummaryColumn::Text(texts(&array, column)?),
        })
    }

    #[inline]
    fn get(&self, row: usize) -> Checked<Figure<'_>> {
        Ok(match self {
            SummaryColumn::Text(array) if array.is_valid(row) => Figure::Text(Cow::Borrowed(array.value(row))),
            SummaryColumn::Number(array) if array.is_valid(row) => Figure::Number(array.value(row)),
            SummaryColumn::Time { time, by_hour } => Figure::Time { time: time(row)?, by_hour: *by_hour },
            SummaryColumn::Text(_) | SummaryColumn::Number(_) => Figure::NONE,
        })
    }
}

pub(super) fn schema_of(table: &Table<'_>) -> Schema {
    let fields = table.columns().iter().map(|column| {
        let (kind, nullable) = match &column.values {
            Values::Text(_) => (DataType::Utf8, false),
            Values::OptionalText(_) => (DataType::Utf8, true),
            Values::Count(_) => (DataType::Int64, false),
            Values::OptionalCount(_) => (DataType::Int64, true),
            Values::Number(_) | Values::Optional(_) => (DataType::Float64, true),
            Values::Date(_) => (DataType::Date32, false),
            Values::Hour(_) => (DataType::Timestamp(ArrowUnit::Millisecond, None), false),
        };
        Field::new(column.name, kind, nullable)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn array_of(values: &Values<'_>, start: usize, end: usize) -> ArrayRef {
    let finite = |value: f64| value.is_finite().then_some(value);
    match values {
        Values::Text(values) => Arc::new(StringArray::from_iter_values(&values[start..end])),
        Values::OptionalText(values) => Arc::new(values[start..end].iter().collect::<StringArray>()),
        Values::Count(values) => Arc::new(Int64Array::from_iter_values(values[start..end].iter().map(|&count| i64::from(count)))),
        Values::OptionalCount(values) => Arc::new(values[start..end].iter().map(|count| count.map(i64::from)).collect::<Int64Array>()),
        Values::Number(values) => Arc::new(values[start..end].iter().map(|&value| finite(value)).collect::<Float64Array>()),
        Values::Optional(values) => Arc::new(values[start..end].iter().map(|&value| value.and_then(finite)).collect::<Float64Array>()),
        Values::Date(values) => Arc::new(Date32Array::from_iter_values(values[start..end].iter().map(|day| day.days_since_1970()))),
        Values::Hour(values) => {
            let milliseconds = values[start..end].iter().map(|time| i64::from(time.hours_since_1970()) * 3_600_000);
            Arc::new(TimestampMillisecondArray::from_iter_values(milliseconds))
        }
    }
}
