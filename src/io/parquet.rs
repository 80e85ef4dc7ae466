//! Logs and summaries from Parquet, and tables into it.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::Schema;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::data::{Batch, TransactionLog};
use crate::error::{Error, Result};
use crate::io::arrow;
use crate::io::fields::{self, Header, LogPositions};
use crate::io::options::ReadOptions;
use crate::io::rows::{EachRow, Place};
use crate::io::shared_file::SharedFile;
use crate::io::source::{Source, read_failed};
use crate::io::summary::SummaryReader;
use crate::io::table::Table;

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
        let header = Header { name, columns: self.columns() };
        let positions = summary.positions();
        let all = self.metadata.metadata().file_metadata().num_rows().max(1) as f64;
        self.for_each_batch(name, &positions, None, |batch, first_row| {
            let rows = arrow::push_rows(summary, &header, batch, first_row)?;
            let read = (first_row + rows) as f64 / all;
            summary.batch_read((read * self.bytes() as f64) as u64)
        })
    }

    /// Hands over the text of some columns, row by row; what is missing is empty.
    pub(super) fn for_each_row<const N: usize>(&self, name: &str, columns: [(&str, &str); N], each: &mut EachRow<'_, N>) -> Result<()> {
        let header = Header { name, columns: self.columns() };
        let mut positions = [0; N];
        for (position, (column, flag)) in positions.iter_mut().zip(columns) {
            *position = header.position(column, flag)?;
        }
        self.for_each_batch(name, &positions, None, |batch, first_row| {
            let texts = (0..N).map(|k| arrow::text_column(batch(positions[k]), columns[k].0)).collect::<Result<Vec<_>>>();
            let texts = texts.map_err(|error| error.at(name))?;
            let rows = texts.first().map_or(0, |column| column.len());
            for row in 0..rows {
                let fields = std::array::from_fn(|k| if texts[k].is_null(row) { "" } else { texts[k].value(row) });
                each(fields, &|| Place { file: name, line: (first_row + row) as u64 })?;
            }
            Ok(())
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
            let customers = arrow::ids(customers, &columns.customer).map_err(|error| error.at(name))?;
            let times = arrow::times_of(times, &columns.date).map_err(|error| error.at(name))?;
            let amounts = arrow::amounts_of(amounts, &columns.amount, self.options.decimal).map_err(|error| error.at(name))?;
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
            let schema = Arc::new(arrow::schema_of(table));
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
            writer.write(&arrow::record_batch(table, schema, start..end)?).map_err(write_failed)?;
        }
        Ok(())
    }

    /// Puts something about the whole table beside its schema.
    pub(super) fn note(&mut self, key: &str, value: &str) {
        if let State::Writing(writer, _) = &mut self.state {
            writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
        }
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
