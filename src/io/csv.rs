//! Logs and summaries from CSV.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::path::Path;
use std::str;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use crate::data::{Customers, Skipped, TransactionLog};
use crate::error::{Error, Result};
use crate::io::fields::{self, Checked, Fault, Header};
use crate::io::options::{BadRows, ReadOptions, SummaryOptions};
use crate::io::quotes::{Quotes, check_delimiter, line_ends, never_closed};
use crate::io::rows::{EachRow, Place};
use crate::io::source::{Source, read_failed};
use crate::io::summary::{Figure, SummaryReader};

impl TransactionLog {
    /// Reads a log from a CSV file, plain or gzip, with the columns `customer_id`, `date` and `amount`.
    ///
    /// ```
    /// use clv::{Observation, TransactionLog};
    ///
    /// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
    /// let customers = log.summarize(&Observation::until("1997-09-30".parse()?).in_weeks())?;
    /// assert_eq!((log.len(), customers.len()), (6919, 2357));
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or a row cannot be used: see [`Source::read_log`].
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Self> {
        TransactionLog::from_csv_with(path, &ReadOptions::default())
    }

    /// Reads a log from a CSV file, plain or gzip.
    ///
    /// # Errors
    /// When the file cannot be read or a row cannot be used and is not to be skipped: see [`Source::read_log`].
    pub fn from_csv_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        Source::open_csv(path)?.read_log(options)
    }

    /// Reads a log from CSV, plain or gzip; `name` stands for the reader in messages.
    ///
    /// ```
    /// use clv::{ReadOptions, TransactionLog};
    ///
    /// let csv = "customer_id,date,amount\n0001,2026-01-05,20.00\n0001,2026-01-19,abc\n";
    /// let error = TransactionLog::from_csv_reader(csv.as_bytes(), "orders.csv", &ReadOptions::default()).unwrap_err();
    /// assert!(error.to_string().starts_with(r#"orders.csv:3: column "amount": amount "abc" is no number"#));
    /// ```
    ///
    /// # Errors
    /// When the reader fails or a row cannot be used and is not to be skipped: see [`Source::read_log`].
    pub fn from_csv_reader(reader: impl Read + Send, name: impl Into<String>, options: &ReadOptions) -> Result<Self> {
        Source::from_reader(reader, name)?.read_log(options)
    }
}

impl Customers {
    /// Reads a summary from a CSV file, plain or gzip: see [`Source::read_summary`] for the columns.
    ///
    /// # Errors
    /// When the file cannot be read or a row breaks a rule and is not to be skipped.
    pub fn from_csv(path: impl AsRef<Path>, options: &SummaryOptions) -> Result<Self> {
        Source::open_csv(path)?.read_summary(options)
    }
}

/// The column names at the beginning of a file. An open quote is for the reading of the whole file to tell.
pub(super) fn header_of(name: &str, head: &[u8], delimiter: u8) -> Result<Vec<String>> {
    Records::open(name, head, delimiter).map(|records| records.header)
}

/// The delimiter that the first line has most of, outside quotes; none where it has none of the usual ones.
pub(super) fn likely_delimiter(head: &[u8]) -> Option<u8> {
    let line = head.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let mut counts = [b'|', b'\t', b';', b','].map(|delimiter| (delimiter, 0));
    let mut within_quotes = false;
    for &byte in line {
        within_quotes ^= byte == b'"';
        counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte && !within_quotes).for_each(|(_, count)| *count += 1);
    }
    counts.into_iter().filter(|&(_, count)| count > 0).max_by_key(|&(_, count)| count).map(|(delimiter, _)| delimiter)
}

/// Hands the rows of a summary to its reader, who is made by the header.
pub(super) fn read_summary<'a>(
    name: &'a str,
    input: impl Read,
    delimiter: u8,
    reader: impl FnOnce(&Header<'a>) -> Result<SummaryReader<'a>>,
    bytes: impl Fn() -> u64,
) -> Result<SummaryReader<'a>> {
    let mut records = Records::new(name, input, delimiter)?;
    let mut summary = reader(&records.header())?;
    while records.advance()? {
        let records = &records;
        let row = records.check_length();
        summary.push(row.map(|()| |column| Ok(Figure::Text(Cow::Borrowed(records.text(column)?)))), || records.place())?;
        summary.batch_read(bytes())?;
    }
    Ok(summary)
}

/// Hands over the text of some columns, row by row.
pub(super) fn for_each_row<const N: usize>(
    name: &str,
    input: impl Read,
    columns: [(&str, &str); N],
    delimiter: u8,
    bad_rows: Option<BadRows>,
    each: &mut EachRow<'_, N>,
) -> Result<()> {
    let mut records = Records::new(name, input, delimiter)?;
    let header = records.header();
    let mut positions = [0; N];
    for (position, (column, flag)) in positions.iter_mut().zip(columns) {
        *position = header.position(column, flag)?;
    }
    while records.advance()? {
        let mut fields = [""; N];
        let mut read = records.check_length();
        for (field, position) in fields.iter_mut().zip(positions) {
            read = read.and_then(|()| records.text(position).map(|text| *field = text));
        }
        match read {
            Ok(()) => each(fields, &|| Place { file: name, line: records.line() })?,
            Err(fault) => match bad_rows {
                Some(bad_rows) => fault.settle(bad_rows, &mut Skipped::default(), None, || records.place())?,
                None => return Err(fault.into_error().at(records.place())),
            },
        }
    }
    Ok(())
}

/// The records of a CSV file below its header.
pub(super) struct Records<'a, R> {
    name: &'a str,
    header: Vec<String>,
    delimiter: u8,
    /// Lines of the file before the input.
    lines_before: u64,
    reader: Reader<Lines<R>>,
    record: ByteRecord,
}

/// The input, and a line end after its last line; and the eye on its quotes that the csv crate does not keep.
///
/// With the line end every record ends at one and is handed out before the end of the input is met. The one record that is not is one whose
/// last field is an open quote.
struct Lines<R> {
    input: std::io::Chain<R, Cursor<&'static [u8]>>,
    ended: bool,
    quotes: Quotes,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.ended |= length == 0;
        self.quotes.follow(&buffer[..length]);
        Ok(length)
    }
}

impl<'a, R: Read> Records<'a, R> {
    pub(super) fn new(name: &'a str, input: R, delimiter: u8) -> Result<Self> {
        let records = Records::open(name, input, delimiter)?;
        records.check_quotes()?;
        Ok(records)
    }

    /// The records of a part of a file from the line `first_line` on, below a header that has been read.
    pub(super) fn below(header: &Header<'a>, input: R, delimiter: u8, first_line: u64) -> Self {
        let mut records = Records::reading(header.name, input, delimiter);
        records.header.clone_from(&header.columns);
        records.lines_before = first_line - 1;
        records
    }

    fn open(name: &'a str, input: R, delimiter: u8) -> Result<Self> {
        check_delimiter(delimiter)?;
        let mut records = Records::reading(name, input, delimiter);
        if !records.next_record()? {
            return Err(Error::data("the file is empty; expected a line of column names and rows below it").at(name));
        }
        records.header = records.read_header()?;
        Ok(records)
    }

    fn reading(name: &'a str, input: R, delimiter: u8) -> Self {
        // Lines end with \n alone and a \r before it is taken off below: told of both, the csv crate counts lines too low.
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(Lines { input: input.chain(Cursor::new(b"\n" as &'static [u8])), ended: false, quotes: Quotes::new(delimiter) });
        Records { name, header: Vec::new(), delimiter, lines_before: 0, reader, record: ByteRecord::new() }
    }

    /// Bytes and lines that have been read.
    pub(super) fn position(&self) -> (usize, u64) {
        let position = self.reader.position();
        (position.byte() as usize, position.line() - 1)
    }

    fn read_header(&self) -> Result<Vec<String>> {
        let mut names = Vec::with_capacity(self.record.len());
        for field in 0..self.record.len() {
            let text = self
                .text(field)
                .map_err(|_| Error::data("the column names are not UTF-8 text; save the file as UTF-8").at(self.place()))?;
            let text = if field == 0 { text.trim_start_matches('\u{feff}') } else { text };
            // A byte order mark before the first quote keeps the csv crate from seeing the quotes.
            let text = text.trim();
            let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
            names.push(text.trim().to_owned());
        }
        Ok(names)
    }

    pub(super) fn header(&self) -> Header<'a> {
        Header { name: self.name, columns: self.header.clone() }
    }

    /// Reads the next record that is not blank. A quote that is never closed would hide all rows below it in one field, so it is an error
    /// even where bad rows are skipped.
    pub(super) fn advance(&mut self) -> Result<bool> {
        let more = self.next_record()?;
        if more {
            self.check_quotes()?;
        }
        Ok(more)
    }

    fn check_quotes(&self) -> Result<()> {
        self.reader.get_ref().quotes.check(self.name)?;
        if !self.reader.get_ref().ended {
            return Ok(());
        }
        // The open field is the last one and reaches to the end of the file.
        let within = self.record.iter().next_back().map_or(0, line_ends);
        Err(never_closed(self.name, self.reader.position().line() - within))
    }

    fn next_record(&mut self) -> Result<bool> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) => read_failed(self.name, &error),
                other => Error::file(format!("cannot read {}: {other:?}", self.name)),
            })?;
            if !more {
                return Ok(false);
            }
            let open_quote = self.reader.get_ref().ended;
            if open_quote || self.record.len() > 1 || !self.record.as_slice().trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    pub(super) fn check_length(&self) -> Checked<()> {
        fields::check_length(self.record.len(), self.header.len(), self.delimiter)
    }

    /// A field as text.
    pub(super) fn text(&self, field: usize) -> Checked<&str> {
        let mut bytes = &self.record[field];
        if field + 1 == self.record.len() {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        str::from_utf8(bytes).map_err(|_| {
            let column = self.header.get(field).map_or("", |name| name);
            Fault::row(format!("column {column:?}: {:?} is not UTF-8 text; save the file as UTF-8", String::from_utf8_lossy(bytes)))
        })
    }

    /// The file and the line on which the record begins.
    pub(super) fn place(&self) -> String {
        Place { file: self.name, line: self.line() }.to_string()
    }

    fn line(&self) -> u64 {
        let within = line_ends(self.record.as_slice());
        self.lines_before + self.reader.position().line().saturating_sub(1 + within)
    }
}
