//! Something to read from: a file or standard input, CSV, gzip or Parquet, recognised by its first bytes.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
#[cfg(feature = "parquet")]
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::{Customers, SharedLog, TransactionLog};
use crate::error::{Error, Result};
#[cfg(feature = "csv")]
use crate::io::blocks::Blocks;
use crate::io::fields::Header;
use crate::io::intake::{self, ReadProgress};
#[cfg(feature = "csv")]
use crate::io::numbers::check_decimal;
#[cfg(feature = "csv")]
use crate::io::options::DecimalMark;
use crate::io::options::{BadRows, InputKind, LogColumns, ReadOptions, SummaryOptions};
#[cfg(feature = "parquet")]
use crate::io::parquet::ParquetLog;
use crate::io::pieces::Pieces;
use crate::io::summary::{self, SummaryRead, SummaryReader, Taker};
#[cfg(feature = "csv")]
use crate::io::text_log::TextLog;

/// A file or standard input, opened: what it holds is known before it is read.
///
/// CSV, plain or compressed with gzip, and Parquet are told apart by their first bytes, not by their names.
///
/// ```no_run
/// use clv::{InputKind, Observation, ReadOptions, Source, SummaryOptions};
///
/// let source = Source::open("orders.csv.gz")?;
/// let options = ReadOptions::default();
/// let customers = match source.kind(&options)? {
///     InputKind::Log => source.read_log(&options)?.summarize(&Observation::until("2026-06-30".parse()?))?,
///     InputKind::Summary => source.read_summary(&SummaryOptions::default())?,
/// };
/// # Ok::<(), clv::Error>(())
/// ```
pub struct Source<'a> {
    name: String,
    content: Content<'a>,
}

enum Content<'a> {
    /// Text, decompressed: what has been read to look at the header, the rest, and the number of bytes taken from the file so far.
    #[cfg_attr(not(feature = "csv"), expect(dead_code, reason = "text is recognised only to say that it cannot be read"))]
    Text { head: Vec<u8>, rest: Box<dyn Read + Send + 'a>, taken: Arc<AtomicU64> },
    #[cfg(feature = "parquet")]
    Parquet(crate::io::parquet::ParquetFile),
}

/// How much is read ahead to see the header.
const HEAD: usize = 64 * 1024;

/// How a Parquet file begins.
const PARQUET: &[u8] = b"PAR1";

/// A file and its first bytes, which have been read from it.
struct Opened {
    name: String,
    file: File,
    magic: Vec<u8>,
}

impl Opened {
    fn new(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| Error::file(format!("cannot read {name}: {error}"));
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(Error::file(format!("cannot read {name}: it is a directory")));
        }
        let magic = read_up_to(&mut file, PARQUET.len()).map_err(failed)?;
        Ok(Opened { name, file, magic })
    }
}

impl Source<'static> {
    /// Opens a file; `-` is standard input, for CSV.
    ///
    /// # Errors
    /// When the file cannot be opened or is neither CSV, gzip nor Parquet.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Source::from_reader(std::io::stdin(), "<stdin>");
        }
        let Opened { name, file, magic } = Opened::new(path)?;
        if magic == PARQUET { Source::parquet(name, file) } else { Source::text(name, Cursor::new(magic).chain(file)) }
    }

    /// Opens a file that is to be CSV, plain or gzip.
    #[cfg(feature = "csv")]
    pub(super) fn open_csv(path: impl AsRef<Path>) -> Result<Self> {
        let Opened { name, file, magic } = Opened::new(path.as_ref())?;
        if magic == PARQUET {
            return Err(Error::file(format!("cannot read {name} as CSV: it is Parquet; from_parquet or Source::open reads it")));
        }
        Source::text(name, Cursor::new(magic).chain(file))
    }

    /// Opens a file that is to be Parquet.
    #[cfg(feature = "parquet")]
    pub(super) fn open_parquet(path: impl AsRef<Path>) -> Result<Self> {
        let Opened { name, file, magic } = Opened::new(path.as_ref())?;
        if magic != PARQUET {
            return Err(Error::file(format!(
                "cannot read {name} as Parquet: it does not begin as Parquet does; from_csv or Source::open reads CSV"
            )));
        }
        Source::parquet(name, file)
    }

    #[cfg(feature = "parquet")]
    fn parquet(name: String, file: File) -> Result<Self> {
        let content = crate::io::parquet::ParquetFile::open(&name, file)?;
        Ok(Source { name, content: Content::Parquet(content) })
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(name: String, _: File) -> Result<Self> {
        Err(Error::file(format!("cannot read {name}: it is Parquet, and this build is without the feature parquet")))
    }
}

impl<'a> Source<'a> {
    /// Reads CSV, plain or gzip, from any reader; `name` stands for it in messages.
    ///
    /// # Errors
    /// When the reader fails, or delivers something other than text or gzip.
    pub fn from_reader(reader: impl Read + Send + 'a, name: impl Into<String>) -> Result<Self> {
        Source::text(name.into(), reader)
    }

    fn text(name: String, reader: impl Read + Send + 'a) -> Result<Self> {
        let taken = Arc::default();
        let reader = Counted { reader, taken: Arc::clone(&taken) };
        let mut rest: Box<dyn Read + Send + 'a> = Box::new(BufReader::with_capacity(HEAD, reader));
        let failed = |error| read_failed(&name, &error);
        let magic = read_up_to(&mut rest, 4).map_err(failed)?;
        let gzip = magic.starts_with(&[0x1f, 0x8b]);
        rest = Box::new(Cursor::new(magic).chain(rest));
        if gzip {
            rest = decompress(&name, rest)?;
        }
        let head = read_up_to(&mut rest, HEAD).map_err(failed)?;
        refuse_other_formats(&name, &head, gzip)?;
        refuse_lone_returns(&name, &head)?;
        Ok(Source { name, content: Content::Text { head, rest, taken } })
    }

    /// The name of the file, as it was given, or `<stdin>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds, by its columns: a summary when there are the columns frequency, recency and age (or x, t_x and T), otherwise a log.
    /// Nothing is consumed.
    ///
    /// # Errors
    /// When it is empty or its header cannot be read.
    pub fn kind(&self, options: &ReadOptions) -> Result<InputKind> {
        Ok(if summary::is_summary(&self.header(options)?) { InputKind::Summary } else { InputKind::Log })
    }

    /// Whether a summary says what the customers spent on average.
    #[cfg(feature = "cli")]
    pub(crate) fn has_average_spend(&self, options: &ReadOptions) -> Result<bool> {
        Ok(summary::has_average_spend(&self.header(options)?))
    }

    fn header(&self, options: &ReadOptions) -> Result<Header<'_>> {
        let columns = match &self.content {
            #[cfg(feature = "csv")]
            Content::Text { head, .. } => {
                check_decimal(options.delimiter, options.decimal)?;
                crate::io::csv::header_of(&self.name, head, options.delimiter)?
            }
            #[cfg(not(feature = "csv"))]
            Content::Text { .. } => return Err(without_csv(&self.name, options.delimiter)),
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => file.columns(),
        };
        Ok(Header { name: &self.name, columns })
    }

    /// Reads a transaction log.
    ///
    /// # Errors
    /// When a column is missing or named twice, the file is empty, damaged or cut off, or a row cannot be used and is not to be skipped.
    pub fn read_log(self, options: &ReadOptions) -> Result<TransactionLog> {
        let name = self.name.clone();
        let shared = SharedLog::default();
        intake::read_all([Ok(self)], options, &shared, &|_| {})?;
        let log = shared.into_log()?;
        if log.rows_read() == 0 {
            return Err(no_rows(&name));
        }
        Ok(log)
    }

    /// The pieces of the log it is, to be read by several threads.
    pub(super) fn into_pieces(self, options: &ReadOptions) -> Result<Pieces<'a>> {
        match self.content {
            #[cfg(feature = "csv")]
            Content::Text { head, rest, taken } => {
                check_decimal(options.delimiter, options.decimal)?;
                let input: Box<dyn Read + Send + 'a> = Box::new(Cursor::new(head).chain(rest));
                let mut blocks = Blocks::new(&self.name, input, options.delimiter)?;
                let (log, first) = TextLog::open(&self.name, &mut blocks, options)?;
                Ok(Pieces::Text { log: Arc::new(log), first: Some(first), blocks, taken })
            }
            #[cfg(not(feature = "csv"))]
            Content::Text { .. } => Err(without_csv(&self.name, options.delimiter)),
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => {
                Ok(Pieces::Parquet { log: Arc::new(ParquetLog::open(&self.name, file, options)?), next: 0, source: PhantomData })
            }
        }
    }

    /// How a table that stands beside a log is read: by the delimiter of its own header, its customers under the name that the log has for them or else under the
    /// usual one.
    pub(super) fn beside_a_log(&self, log: &ReadOptions) -> Result<ReadOptions> {
        let mut options = log.clone();
        match &self.content {
            #[cfg(feature = "csv")]
            Content::Text { head, .. } => {
                options.delimiter = crate::io::csv::likely_delimiter(head).unwrap_or(log.delimiter);
                if options.delimiter == b',' {
                    options.decimal = DecimalMark::Point;
                }
            }
            // A table that is no text has no delimiter.
            #[allow(unreachable_patterns, reason = "without other formats text is all there is")]
            _ => {}
        }
        let usual = LogColumns::default().customer;
        let header = self.header(&options)?;
        if !header.has(&options.columns.customer) && header.has(&usual) {
            options.columns.customer = usual;
        }
        Ok(options)
    }

    /// Refuses a table with other columns than these, those of counts; a log and a summary by their names.
    pub(super) fn check_columns(&self, known: &[&str], options: &ReadOptions) -> Result<()> {
        let header = self.header(options)?;
        header.check_counts(known)?;
        let is_counts = known.iter().all(|name| header.has(name));
        let log = LogColumns::default();
        let what = if is_counts {
            None
        } else if summary::is_summary(&header) {
            Some("a summary")
        } else {
            [&log.date, &log.amount].iter().all(|name| header.has(name)).then_some("a transaction log")
        };
        match what {
            Some(what) => Err(Error::data(format!("this is {what} and no table of counts; leave --counts out")).at(header.name)),
            None => header.check_no_others(known),
        }
    }

    /// Hands over the text of some columns, each with the flag that names it, row by row; `bad_rows` says what becomes of one that cannot be used, `None` where
    /// none can be left out.
    pub(super) fn for_each_row<const N: usize>(
        self,
        columns: [(&str, &str); N],
        options: &ReadOptions,
        bad_rows: Option<BadRows>,
        each: &mut crate::io::rows::EachRow<'_, N>,
    ) -> Result<()> {
        let name = self.name;
        // A row of Parquet has all columns.
        #[cfg(not(feature = "csv"))]
        let _ = bad_rows;
        match self.content {
            #[cfg(feature = "csv")]
            Content::Text { head, rest, .. } => {
                check_decimal(options.delimiter, options.decimal)?;
                crate::io::csv::for_each_row(&name, Cursor::new(head).chain(rest), columns, options.delimiter, bad_rows, each)
            }
            #[cfg(not(feature = "csv"))]
            Content::Text { .. } => Err(without_csv(&name, options.delimiter)),
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => file.for_each_row(&name, columns, each),
        }
    }

    /// Reads a summary: one row per customer.
    ///
    /// Columns are `frequency` (or `x`), `recency` (`t_x`, `t.x`), `age` (`T`, `T.cal`), and when they are there `average_spend` (`m_x`,
    /// `monetary_value`), `weight`, `before_log` (the time from birth to the start of the log, empty where it is not known), and an id: `customer_id`, `id`, `cust` or `sample_id`; without one, the number of the row. Of
    /// `first_purchase` and `last_purchase`, when they are there, recency and age must be the differences, which catches a wrong unit.
    ///
    /// # Errors
    /// When a column is missing, the file is empty, damaged or cut off, an id occurs twice, the dates contradict the unit, or a row breaks
    /// a rule and is not to be skipped.
    pub fn read_summary(self, options: &SummaryOptions) -> Result<Customers> {
        let name = self.name;
        self.content.read_summary(&name, options, None)?.0.finish()
    }

    /// Reads a summary batch by batch, `rows` customers at a time or a few more, in memory that does not grow with the file; each batch goes to `take`, with how
    /// far the reading has come.
    ///
    /// That no id occurs twice is checked for the first 1,048,576 rows (by their hashes of 64 bits), and beyond for as long as ids are in ascending byte order,
    /// as this crate writes them; [`SummaryRead::unchecked_ids`] tells of the rest.
    ///
    /// # Errors
    /// As for [`read_summary`](Self::read_summary), and when `take` fails.
    pub fn read_summary_in_batches(
        self,
        options: &SummaryOptions,
        rows: usize,
        take: &mut dyn FnMut(Customers, ReadProgress) -> Result<()>,
    ) -> Result<SummaryRead> {
        let name = self.name;
        let (summary, bytes) = self.content.read_summary(&name, options, Some(Taker { rows, take }))?;
        summary.finish_batches(bytes)
    }
}

impl Content<'_> {
    /// All rows of a summary, with the number of bytes they took.
    fn read_summary<'o>(self, name: &'o str, options: &'o SummaryOptions, taker: Option<Taker<'o>>) -> Result<(SummaryReader<'o>, u64)> {
        match self {
            #[cfg(feature = "csv")]
            Content::Text { head, rest, taken } => {
                check_decimal(options.delimiter, options.decimal)?;
                let bytes = || taken.load(Ordering::Relaxed);
                let reader = |header: &Header<'o>| SummaryReader::new(header, options, taker);
                let summary = crate::io::csv::read_summary(name, Cursor::new(head).chain(rest), options.delimiter, reader, bytes)?;
                Ok((summary, bytes()))
            }
            #[cfg(not(feature = "csv"))]
            Content::Text { .. } => Err(without_csv(name, options.delimiter)),
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => {
                let mut summary = SummaryReader::new(&Header { name, columns: file.columns() }, options, taker)?;
                file.read_summary(name, &mut summary)?;
                Ok((summary, file.bytes()))
            }
        }
    }
}

/// A reader that tells how much was taken from it.
struct Counted<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.taken.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

pub(super) fn no_rows(name: &str) -> Error {
    Error::data("there is a header, but no row below it; look at the export or query that wrote it").at(name)
}

/// The words for a reader that fails: mostly a compressed file that ends too early.
pub(super) fn read_failed(name: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Error::file(format!("cannot read {name}: the compressed data end too early, the file is cut off; fetch it again"))
        }
        _ => Error::file(format!("cannot read {name}: {error}")),
    }
}

fn read_up_to(reader: &mut impl Read, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(feature = "csv")]
fn decompress<'a>(_: &str, compressed: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
    Ok(Box::new(flate2::read::MultiGzDecoder::new(compressed)))
}

#[cfg(not(feature = "csv"))]
fn decompress<'a>(name: &str, _: Box<dyn Read + Send + 'a>) -> Result<Box<dyn Read + Send + 'a>> {
    Err(Error::file(format!("cannot read {name}: it is gzip, and this build is without the feature csv")))
}

#[cfg(not(feature = "csv"))]
fn without_csv(name: &str, _: u8) -> Error {
    Error::file(format!("cannot read {name}: it is no Parquet, and this build is without the feature csv"))
}

/// Lines that end with CR alone would be one line, and the whole file its header.
fn refuse_lone_returns(name: &str, head: &[u8]) -> Result<()> {
    if head.contains(&b'\n') || !head.trim_ascii_end().contains(&b'\r') {
        return Ok(());
    }
    Err(Error::file(format!(
        "cannot read {name}: its lines end with CR alone, as programs of old Macintoshes write them; save it with the line ends LF or CRLF, for example by \
         tr '\\r' '\\n'"
    )))
}

fn refuse_other_formats(name: &str, head: &[u8], gzip: bool) -> Result<()> {
    let formats: [(&[u8], &str); 7] = [
        (PARQUET, if gzip { "Parquet within gzip; decompress it first" } else { "Parquet, which must be a file; give its path" }),
        (b"PK\x03\x04", "a ZIP archive or an Excel workbook; export it as CSV"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it, or use gzip"),
        (b"BZh", "compressed with bzip2; decompress it, or use gzip"),
        (b"\xfd7zXZ", "compressed with xz; decompress it, or use gzip"),
        (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    ];
    match formats.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => Err(Error::file(format!("cannot read {name}: it is {what}"))),
        None => Ok(()),
    }
}
