//! Logs and summaries from Parquet, and tables into it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Date64Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, Schema, TimeUnit as ArrowUnit};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::data::{Customers, SkipReason, TransactionLog};
use crate::error::{Error, Result};
use crate::io::fields::{self, Checked, Fault, Header};
use crate::io::options::{ReadOptions, SummaryOptions};
use crate::io::source::Source;
use crate::io::summary::SummaryReader;
use crate::io::table::{Table, Values, print_hour};
use crate::time::Moment;

/// Rows in memory at a time.
const BATCH: usize = 16 * 1024;

impl TransactionLog {
    /// Reads a log from a Parquet file.
    ///
    /// Ids may be text, integers or dictionaries of them; times dates, timestamps or ISO text; amounts integers, floating point, decimals
    /// or text. A null is a missing value. A timestamp with a zone is taken by the wall clock of that zone. Messages name the row, counted
    /// from 1.
    ///
    /// # Errors
    /// When the file cannot be read or a row cannot be used and is not to be skipped: see [`Source::read_log`].
    pub fn from_parquet(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        Source::open_parquet(path)?.read_log(options)
    }
}

/// A Parquet file whose footer has been read.
pub(super) struct ParquetFile {
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl ParquetFile {
    pub(super) fn open(name: &str, file: File) -> Result<Self> {
        let builder = guarded(name, || ParquetRecordBatchReaderBuilder::try_new(file))?;
        Ok(ParquetFile { builder })
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.builder.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    pub(super) fn read_log(self, name: &str, options: &ReadOptions) -> Result<TransactionLog> {
        let header = Header { name, columns: self.columns() };
        let columns = &options.columns;
        let positions = [
            header.position(&columns.customer, "--customer-column")?,
            header.position(&columns.date, "--date")?,
            header.position(&columns.amount, "--amount")?,
        ];
        let mut log = TransactionLog::new();
        self.for_each_batch(name, &positions, |batch, first_row| {
            let customers = ids(batch(positions[0]), &columns.customer).map_err(|error| error.at(name))?;
            let times = times(batch(positions[1]), &columns.date).map_err(|error| error.at(name))?;
            let amounts = amounts(batch(positions[2]), &columns.amount).map_err(|error| error.at(name))?;
            for row in 0..customers.len() {
                let customer = if customers.is_null(row) {
                    Err(fields::missing_customer(&columns.customer))
                } else {
                    fields::customer(customers.value(row), &columns.customer)
                };
                let place = || format!("{name}:{}", first_row + row);
                fields::push_transaction(&mut log, options, customer, times(row), amounts(row), place)?;
            }
            Ok(())
        })?;
        Ok(log)
    }

    pub(super) fn read_summary(self, name: &str, options: &SummaryOptions) -> Result<Customers> {
        let header = Header { name, columns: self.columns() };
        let mut summary = SummaryReader::new(&header, options)?;
        let positions = summary.positions();
        self.for_each_batch(name, &positions, |batch, first_row| {
            let mut texts: Vec<Option<StringArray>> = vec![None; header.columns.len()];
            let mut rows = 0;
            for &position in &positions {
                let text = text_of(batch(position), &header.columns[position]).map_err(|error| error.at(name))?;
                rows = text.len();
                texts[position] = Some(text);
            }
            for row in 0..rows {
                let field = |position: usize| -> Checked<Cow<'_, str>> {
                    let text = texts[position].as_ref().filter(|text| text.is_valid(row));
                    Ok(Cow::Borrowed(text.map_or("", |text| text.value(row))))
                };
                summary.push(Ok(field), || format!("{name}:{}", first_row + row))?;
            }
            Ok(())
        })?;
        summary.finish()
    }

    /// Hands over the columns at `positions` batch by batch, with the number of the batch's first row, counted from 1.
    fn for_each_batch(
        self,
        name: &str,
        positions: &[usize],
        mut each: impl FnMut(&dyn Fn(usize) -> ArrayRef, usize) -> Result<()>,
    ) -> Result<()> {
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), positions.iter().copied());
        // The batches hold the columns in the order of the file.
        let mut kept = positions.to_vec();
        kept.sort_unstable();
        kept.dedup();
        let mut reader = guarded(name, || self.builder.with_projection(mask).with_batch_size(BATCH).build())?;
        let mut first_row = 1;
        while let Some(batch) = guarded(name, || reader.next().transpose())? {
            let column = |position: usize| {
                let index = kept.binary_search(&position).expect("only columns that were asked for are looked up");
                Arc::clone(batch.column(index))
            };
            each(&column, first_row)?;
            first_row += batch.num_rows();
        }
        Ok(())
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a step whose panics are caught and become errors: there is nothing to tell of them.
#[cfg(feature = "cli")]
pub(crate) fn panics_are_caught() -> bool {
    GUARDED.get()
}

/// Runs a step of the Parquet reader. It panics on some damaged files; that is an error like the others, and the reader is not used again.
fn guarded<T, E: std::fmt::Display>(name: &str, step: impl FnOnce() -> std::result::Result<T, E>) -> Result<T> {
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(step));
    GUARDED.set(false);
    match result {
        Ok(result) => result.map_err(|error| damaged(name, &error)),
        Err(_) => Err(damaged(name, &"its pages contradict themselves")),
    }
}

fn damaged(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::file(format!("cannot read {name} as Parquet; the file is cut off, damaged or uses a feature that is not supported ({error})"))
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

fn ids(array: ArrayRef, column: &str) -> Result<StringArray> {
    let array = without_dictionary(array, column)?;
    let kind = array.data_type();
    let binary = matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    if !(is_text(kind) || kind.is_integer() || is_decimal(kind) || binary) {
        return Err(unsuitable(column, kind, "customer ids must be text or integers"));
    }
    texts(&array, column)
}

/// What one row of a column holds.
type Get<T> = Box<dyn Fn(usize) -> Checked<T>>;

fn times(array: ArrayRef, column: &str) -> Result<Get<Moment>> {
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
        hour_of(count).and_then(moment).ok_or_else(|| {
            Fault::column(SkipReason::BadDate, &name, format!("the stored time {count} lies outside the years -9999 to 9999"))
        })
    }))
}

fn moment(hour: i64) -> Option<Moment> {
    Moment::new(fields::day(hour.div_euclid(24))?, hour.rem_euclid(24) as u8).ok()
}

fn time_zone(zone: &str, column: &str) -> Result<TimeZone> {
    DateTimeParser::new().parse_time_zone(zone).map_err(|_| {
        Error::data(format!("column {column:?}: the time zone {zone:?} is not known; it is a name such as Europe/Berlin or an offset"))
    })
}

fn amounts(array: ArrayRef, column: &str) -> Result<Get<f64>> {
    let array = without_dictionary(array, column)?;
    let name = column.to_owned();
    let kind = array.data_type();
    // By way of their digits, decimals and single precision become the number that CSV would have: 29.33, not 29.329999923706055.
    if is_text(kind) || is_decimal(kind) || matches!(kind, DataType::Float16 | DataType::Float32) {
        let array = texts(&array, column)?;
        return Ok(Box::new(
            move |row| {
                if array.is_null(row) { Err(fields::missing_amount(&name)) } else { fields::amount(array.value(row), &name) }
            },
        ));
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

/// A column of a summary as the text that CSV would have.
fn text_of(array: ArrayRef, column: &str) -> Result<StringArray> {
    let array = without_dictionary(array, column)?;
    if !matches!(array.data_type(), DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) {
        return texts(&array, column);
    }
    let time = times(Arc::clone(&array), column)?;
    let by_hour = matches!(array.data_type(), DataType::Timestamp(..));
    let text = |time: Moment| if by_hour { print_hour(time) } else { time.to_string() };
    Ok((0..array.len()).map(|row| time(row).ok().map(text)).collect())
}

/// Writes a table as Parquet.
pub(super) fn write_table(table: &Table<'_>, out: &mut (impl Write + Send)) -> Result<()> {
    let failed = |error: ParquetError| Error::file("cannot write the table as Parquet").because(error);
    let fields = table.columns().iter().map(|column| {
        let (kind, nullable) = match &column.values {
            Values::Text(_) => (DataType::Utf8, false),
            Values::Count(_) => (DataType::Int64, false),
            Values::Number(_) | Values::Optional(_) => (DataType::Float64, true),
            Values::Date(_) => (DataType::Date32, false),
            Values::Hour(_) => (DataType::Timestamp(ArrowUnit::Millisecond, None), false),
        };
        Field::new(column.name, kind, nullable)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(failed)?;
    let mut start = 0;
    while start < table.rows() {
        let end = table.rows().min(start + BATCH);
        let arrays = table.columns().iter().map(|column| array_of(&column.values, start, end)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| failed(error.into()))?;
        writer.write(&batch).map_err(failed)?;
        start = end;
    }
    writer.close().map_err(failed)?;
    Ok(())
}

fn array_of(values: &Values<'_>, start: usize, end: usize) -> ArrayRef {
    let finite = |value: f64| value.is_finite().then_some(value);
    match values {
        Values::Text(values) => Arc::new(StringArray::from_iter_values(&values[start..end])),
        Values::Count(values) => Arc::new(Int64Array::from_iter_values(values[start..end].iter().map(|&count| i64::from(count)))),
        Values::Number(values) => Arc::new(values[start..end].iter().map(|&value| finite(value)).collect::<Float64Array>()),
        Values::Optional(values) => Arc::new(values[start..end].iter().map(|&value| value.and_then(finite)).collect::<Float64Array>()),
        Values::Date(values) => Arc::new(Date32Array::from_iter_values(values[start..end].iter().map(|day| day.days_since_1970()))),
        Values::Hour(values) => {
            let milliseconds = values[start..end].iter().map(|time| i64::from(time.hours_since_1970()) * 3_600_000);
            Arc::new(TimestampMillisecondArray::from_iter_values(milliseconds))
        }
    }
}
