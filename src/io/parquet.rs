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
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::data::{Batch, SkipReason, TransactionLog};
use crate::error::{Error, Result};
use crate::io::fields::{self, Checked, Fault, Header, LogPositions};
use crate::io::options::ReadOptions;
use crate::io::shared_file::SharedFile;
use crate::io::source::{Source, read_failed};
use crate::io::summary::{Figure, SummaryReader};
use crate::io::table::{Table, Values};
use crate::time::Moment;

/// Rows in memory at a time.
const BATCH: usize = 16 * 1024;

/// The first column of every table of customers.
const ID: &str = "customer_id";

/// Rows that are handed over together.
const ROWS_AT_ONCE: u64 = 64 * 1024;

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
    file: SharedFile,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    pub(super) fn open(name: &str, file: File) -> Result<Self> {
        let file = SharedFile::new(file).map_err(|error| read_failed(name, &error))?;
        let metadata = guarded(name, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()))?;
        Ok(ParquetFile { file, metadata })
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Hands the rows of a summary to its reader.
    pub(super) fn read_summary(&self, name: &str, summary: &mut SummaryReader<'_>) -> Result<()> {
        let columns = self.columns();
        let positions = summary.positions();
        let all = self.metadata.metadata().file_metadata().num_rows().max(1) as f64;
        self.for_each_batch(name, &positions, None, |batch, first_row| {
            let mut read: Vec<Option<SummaryColumn>> = columns.iter().map(|_| None).collect();
            let mut rows = 0;
            for &position in &positions {
                let array = batch(position);
                rows = array.len();
                let text = summary.is_text(position);
                read[position] = Some(SummaryColumn::of(array, &columns[position], text).map_err(|error| error.at(name))?);
            }
            for row in 0..rows {
                let field = |position: usize| read[position].as_ref().map_or(Ok(Figure::NONE), |column| column.get(row));
                summary.push(Ok(field), || format!("{name}:{}", first_row + row))?;
            }
            let read = (first_row + rows) as f64 / all;
            summary.batch_read((read * self.bytes() as f64) as u64)
        })
    }

    /// Hands over the columns at `positions` batch by batch, of one row group or of all, with the number of the batch's first row in these,
    /// counted from 1.
    fn for_each_batch(
        &self,
        name: &str,
        positions: &[usize],
        group: Option<usize>,
        mut each: impl FnMut(&dyn Fn(usize) -> ArrayRef, usize) -> Result<()>,
    ) -> Result<()> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), positions.iter().copied());
        // The batches hold the columns in the order of the file.
        let mut kept = positions.to_vec();
        kept.sort_unstable();
        kept.dedup();
        let mut reader = guarded(name, || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
            let builder = builder.with_projection(mask).with_batch_size(BATCH);
            match group {
                Some(group) => builder.with_row_groups(vec![group]).build(),
                None => builder.build(),
            }
        })?;
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

/// A log in Parquet: how to read any row group of it.
pub(super) struct ParquetLog {
    name: String,
    file: ParquetFile,
    positions: LogPositions,
    options: ReadOptions,
    /// The number of the first row of each row group, counted from 1, and its compressed size.
    groups: Vec<(usize, u64)>,
}

impl ParquetLog {
    pub(super) fn open(name: &str, file: ParquetFile, options: &ReadOptions) -> Result<Self> {
        let positions = LogPositions::find(&Header { name, columns: file.columns() }, &options.columns)?;
        let groups = file.metadata.metadata().row_groups().iter().scan(1, |next, group| {
            let first = *next;
            *next += usize::try_from(group.num_rows()).unwrap_or(0);
            Some((first, u64::try_from(group.compressed_size()).unwrap_or(0)))
        });
        let groups = groups.collect();
        Ok(ParquetLog { name: name.to_owned(), file, positions, options: options.clone(), groups })
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The compressed size of the row groups before one.
    pub(super) fn bytes_before(&self, group: usize) -> u64 {
        self.groups.iter().take(group).map(|&(_, bytes)| bytes).sum()
    }

    /// Adds the rows of a row group to a batch, which is handed over from time to time.
    pub(super) fn read(&self, group: usize, batch: &mut Batch, mut hand_over: impl FnMut(&mut Batch) -> Result<()>) -> Result<()> {
        let (name, columns) = (&self.name, &self.options.columns);
        let positions = self.positions.all();
        let rows_before = self.groups[group].0 - 1;
        self.file.for_each_batch(name, &positions, Some(group), |array, first_row| {
            if batch.rows_read() >= ROWS_AT_ONCE {
                hand_over(batch)?;
            }
            let [customers, times, amounts] = positions.map(array);
            let customers = ids(customers, &columns.customer).map_err(|error| error.at(name))?;
            let times = times_of(times, &columns.date).map_err(|error| error.at(name))?;
            let amounts = amounts_of(amounts, &columns.amount).map_err(|error| error.at(name))?;
            for row in 0..customers.len() {
                let customer = if customers.is_null(row) {
                    Err(fields::missing_customer(&columns.customer))
                } else {
                    fields::customer(customers.value(row), &columns.customer)
                };
                let place = || format!("{name}:{}", rows_before + first_row + row);
                fields::push_transaction(batch, self.options.bad_rows, customer, times(row), amounts(row), place)?;
            }
            Ok(())
        })
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

fn times_of(array: ArrayRef, column: &str) -> Result<Get<Moment>> {
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

fn amounts_of(array: ArrayRef, column: &str) -> Result<Get<f64>> {
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

/// Rows of a row group that is written: what is not yet compressed of it waits in memory.
const ROW_GROUP: usize = 1 << 17;

/// A table on its way into a Parquet file: its columns are known with the first rows.
#[derive(Debug)]
pub(super) struct ParquetTable<W: Write + Send> {
    state: State<W>,
}

#[derive(Debug)]
enum State<W: Write + Send> {
    Waiting(Option<W>),
    Writing(Box<ArrowWriter<W>>, Arc<Schema>),
}

impl<W: Write + Send> ParquetTable<W> {
    pub(super) fn new(out: W) -> Self {
        ParquetTable { state: State::Waiting(Some(out)) }
    }

    pub(super) fn write(&mut self, table: &Table<'_>) -> Result<()> {
        if let State::Waiting(out) = &mut self.state {
            let schema = Arc::new(schema_of(table));
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_max_row_group_row_count(Some(ROW_GROUP))
                // A dictionary of ids, each of which is there once, is work for nothing.
                .set_column_dictionary_enabled(ColumnPath::from(ID), false)
                .build();
            let Some(out) = out.take() else { return Ok(()) };
            let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(write_failed)?;
            self.state = State::Writing(Box::new(writer), schema);
        }
        let State::Writing(writer, schema) = &mut self.state else { return Ok(()) };
        for start in (0..table.rows()).step_by(BATCH) {
            let end = table.rows().min(start + BATCH);
            let arrays = table.columns().iter().map(|column| array_of(&column.values, start, end)).collect();
            let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|error| write_failed(error.into()))?;
            writer.write(&batch).map_err(write_failed)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        match self.state {
            State::Writing(writer, _) => writer.close().map(drop).map_err(write_failed),
            State::Waiting(_) => Err(Error::data("a Parquet file needs columns, and no table was written to it")),
        }
    }
}

fn write_failed(error: ParquetError) -> Error {
    Error::file("cannot write the table as Parquet").because(error)
}

fn schema_of(table: &Table<'_>) -> Schema {
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
    Schema::new(fields.collect::<Vec<_>>())
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
