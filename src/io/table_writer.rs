//! Tables written piece by piece: the same bytes as at once.

use std::io::Write;

use crate::error::{Error, Result};
#[cfg(feature = "parquet")]
use crate::io::parquet::ParquetTable;
use crate::io::table::{Table, TableFormat};

/// Writes tables with the same columns one below the other.
///
/// ```
/// use clv::{Table, TableFormat, TableWriter, Values};
///
/// let mut csv = Vec::new();
/// let mut writer = TableWriter::new(TableFormat::Csv, &mut csv)?;
/// for clv in [vec![12.5], vec![0.0, 3.0]] {
///     writer.write(&Table::new().with("clv", Values::Number(clv.into()))?)?;
/// }
/// writer.finish()?;
/// assert_eq!(csv, b"clv\n12.5\n0\n3\n");
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug)]
pub struct TableWriter<W: Write + Send> {
    to: To<W>,
    rows: usize,
    columns: Option<Vec<String>>,
}

#[derive(Debug)]
enum To<W: Write + Send> {
    #[cfg(feature = "csv")]
    Csv(Box<csv::Writer<W>>),
    #[cfg(feature = "serde")]
    Json(W),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetTable<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a table.
    ///
    /// # Errors
    /// When this build is without the feature of the format.
    pub fn new(format: TableFormat, out: W) -> Result<Self> {
        let to = match format {
            #[cfg(feature = "csv")]
            TableFormat::Csv => To::Csv(Box::new(csv::Writer::from_writer(out))),
            #[cfg(feature = "serde")]
            TableFormat::Json => To::Json(out),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => To::Parquet(Box::new(ParquetTable::new(out))),
            #[cfg(not(all(feature = "csv", feature = "serde", feature = "parquet")))]
            other => {
                return Err(Error::parameter(format!("this build cannot write {}: it is without the feature for it", other.name())));
            }
        };
        Ok(TableWriter { to, rows: 0, columns: None })
    }

    /// Writes the rows of a table.
    ///
    /// # Errors
    /// When the writer fails, or the columns are not those of the tables before.
    pub fn write(&mut self, table: &Table<'_>) -> Result<()> {
        let names: Vec<String> = table.columns().iter().map(|column| column.name.to_owned()).collect();
        #[cfg(any(feature = "csv", feature = "serde"))]
        let first = self.columns.is_none();
        let columns = self.columns.get_or_insert(names.clone());
        if *columns != names {
            return Err(Error::data(format!(
                "a table with the columns {} does not go below one with {}",
                names.join(", "),
                columns.join(", ")
            )));
        }
        match &mut self.to {
            #[cfg(feature = "csv")]
            To::Csv(csv) => table.write_csv(csv, first).map_err(write_failed)?,
            #[cfg(feature = "serde")]
            To::Json(out) => table.write_json(out, first, self.rows).map_err(write_failed)?,
            #[cfg(feature = "parquet")]
            To::Parquet(parquet) => parquet.write(table)?,
        }
        self.rows += table.rows();
        Ok(())
    }

    /// Notes something about the whole table, once its first rows are written: in the metadata of a Parquet file. CSV and JSON, whose rows are all there is, have no place
    /// for it.
    ///
    /// ```
    /// use clv::{Table, TableFormat, TableWriter, Values};
    ///
    /// let mut csv = Vec::new();
    /// let mut writer = TableWriter::new(TableFormat::Csv, &mut csv)?;
    /// writer.write(&Table::new().with("clv", Values::Number(vec![12.5].into()))?)?;
    /// writer.note("clv.definition_hash", "1f3a");
    /// writer.finish()?;
    /// assert_eq!(csv, b"clv\n12.5\n");
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn note(&mut self, key: &str, value: &str) {
        #[cfg(not(feature = "parquet"))]
        let _ = (key, value);
        match &mut self.to {
            #[cfg(feature = "csv")]
            To::Csv(_) => {}
            #[cfg(feature = "serde")]
            To::Json(_) => {}
            #[cfg(feature = "parquet")]
            To::Parquet(parquet) => parquet.note(key, value),
        }
    }

    /// Ends the table.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn finish(self) -> Result<()> {
        match self.to {
            #[cfg(feature = "csv")]
            To::Csv(mut csv) => csv.flush().map_err(write_failed),
            #[cfg(feature = "serde")]
            To::Json(mut out) => out.write_all(if self.columns.is_some() { b"\n]\n" } else { b"[\n]\n" }).map_err(write_failed),
            #[cfg(feature = "parquet")]
            To::Parquet(parquet) => parquet.finish(),
        }
    }
}

#[cfg(any(feature = "csv", feature = "serde"))]
fn write_failed(error: std::io::Error) -> Error {
    Error::file("cannot write the table").because(error)
}
