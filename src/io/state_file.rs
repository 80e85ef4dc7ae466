//! Customer states as a file: compact, checked by a checksum, written whole or not at all.
//!
//! ```text
//! "CLVSTATE", version
//! files taken in: number; of each the name, the rows, SHA-256
//! skipped rows by reason: number, and the digits of the exact sum of their amounts
//! customers in byte order of the ids: number; of each the id, and the rows in order of time and amount: number; of each
//!     the hours since the row before (of the first: since 1970) and the amount
//! CRC-32 of all that
//! ```
//!
//! Numbers are written in groups of 7 bits, the lowest first, signed ones with the sign in the lowest bit. An amount of whole hundredths is their
//! number and a lowest bit of 0; any other is a 1 and its 8 bytes.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::data::{CustomerStates, Skipped, TakenIn, TransactionLog};
use crate::error::{Error, Result};
use crate::io::atomic::write_atomically;
use crate::io::fields;
use crate::numeric::exact_sum::ExactSum;

const MAGIC: &[u8; 8] = b"CLVSTATE";
const VERSION: u64 = 1;

/// The CRC-32 of anything that ends with its own.
const WHOLE: u32 = 0x2144_df1c;

const BUFFER: usize = 1 << 18;

/// Text longer than this is damage.
const LONGEST_TEXT: u64 = 1 << 20;

impl CustomerStates {
    /// Writes the states to a file, whole or not at all. Equal states, whatever the order in which they came to be, make equal files.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path, |out| self.write(out))
    }

    /// Reads states that were saved.
    ///
    /// ```
    /// use clv::{CustomerStates, LogFiles, Observation, ReadOptions};
    ///
    /// let path = tempfile::tempdir().unwrap().path().with_extension("clv");
    /// let mut states = CustomerStates::new();
    /// states.take_files(&LogFiles::find(["examples/data/cdnow_sample.csv"])?, &ReadOptions::default(), &|_| {})?;
    /// states.save(&path)?;
    ///
    /// let again = CustomerStates::load(&path)?;
    /// assert_eq!(again.summarize(&Observation::until("1997-09-30".parse()?))?.len(), 2357);
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, is no state file, was written by a later version, or is damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::file(format!("cannot read {name}: the file is cut off; take the one of the run before")),
            _ => Error::file(format!("cannot read {name}: {error}")),
        };
        let file = File::open(path).map_err(unreadable)?;
        Input(BufReader::with_capacity(BUFFER, Summed::new(file))).states().map_err(unreadable)
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> Result<()> {
        let out = Output(BufWriter::with_capacity(BUFFER, Summed::new(out)));
        out.states(self).map_err(|error| Error::file("cannot write the states").because(error))
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the state file is damaged: {what}; take the one of the run before"))
}

/// What is read or written, and its checksum.
struct Summed<T> {
    inner: T,
    checksum: crc32fast::Hasher,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Self {
        Summed { inner, checksum: crc32fast::Hasher::new() }
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.checksum.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.checksum.update(&buffer[..length]);
        Ok(length)
    }
}

struct Output<W: Write>(BufWriter<Summed<W>>);

impl<W: Write> Output<W> {
    fn states(mut self, states: &CustomerStates) -> io::Result<()> {
        self.bytes(MAGIC)?;
        self.number(VERSION)?;
        self.number(states.taken_in().len() as u64)?;
        for file in states.taken_in() {
            self.text(&file.name)?;
            self.number(file.rows)?;
            self.bytes(&file.fingerprint)?;
        }
        let log = states.log();
        for tally in &log.skipped().tallies {
            self.number(tally.count)?;
            tally.sum.digits().into_iter().try_for_each(|digit| self.signed(digit))?;
        }
        self.number(log.customer_count() as u64)?;
        log.for_each_in_order(
            |event| (event.hour, event.amount),
            |id, rows| {
                rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                self.text(id)?;
                self.number(rows.len() as u64)?;
                let mut before = 0;
                for &mut (hour, amount) in rows {
                    self.signed(i64::from(hour) - before)?;
                    self.amount(amount)?;
                    before = i64::from(hour);
                }
                Ok::<(), io::Error>(())
            },
        )?;
        self.0.flush()?;
        let checksum = self.0.get_ref().checksum.clone().finalize();
        self.bytes(&checksum.to_le_bytes())?;
        self.0.flush()
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.number(text.len() as u64)?;
        self.bytes(text.as_bytes())
    }

    fn number(&mut self, mut number: u64) -> io::Result<()> {
        let (mut groups, mut length) = ([0; 10], 0);
        loop {
            let rest = number >> 7;
            groups[length] = (number & 0x7f) as u8 | u8::from(rest > 0) << 7;
            (number, length) = (rest, length + 1);
            if number == 0 {
                return self.bytes(&groups[..length]);
            }
        }
    }

    fn signed(&mut self, number: i64) -> io::Result<()> {
        self.number((number << 1 ^ number >> 63) as u64)
    }

    fn amount(&mut self, amount: f64) -> io::Result<()> {
        match hundredths(amount) {
            Some(hundredths) => self.signed(hundredths << 1),
            None => {
                self.signed(1)?;
                self.bytes(&amount.to_le_bytes())
            }
        }
    }
}

/// The number of hundredths that an amount is, to the bit.
fn hundredths(amount: f64) -> Option<i64> {
    let count = (amount * 100.0).round();
    (count.abs() < 1e15 && (count / 100.0).to_bits() == amount.to_bits()).then_some(count as i64)
}

struct Input<R>(BufReader<Summed<R>>);

impl<R: Read> Input<R> {
    fn states(mut self) -> io::Result<CustomerStates> {
        if self.bytes::<8>().ok().as_ref() != Some(MAGIC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no state file; name one that --state has written, or a new one"));
        }
        let version = self.number()?;
        if version != VERSION {
            let message =
                format!("it is a state file of format {version}, and this program knows format {VERSION}; use the program that wrote it");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let mut taken_in = Vec::new();
        for _ in 0..self.number()? {
            taken_in.push(TakenIn { name: self.text()?, rows: self.number()?, fingerprint: self.bytes()? });
        }
        let mut skipped = Skipped::default();
        for tally in &mut skipped.tallies {
            tally.count = self.number()?;
            tally.sum = self.sum()?;
        }
        let mut log = TransactionLog::new().with_skipped(skipped);
        let mut rows = Vec::new();
        for _ in 0..self.number()? {
            let (id, mut hour) = (self.text()?, 0);
            rows.clear();
            for _ in 0..self.number()? {
                hour = self.signed()?.checked_add(hour).ok_or_else(|| damaged("a date is out of range"))?;
                let time = fields::moment(hour).ok_or_else(|| damaged("a date is out of range"))?;
                rows.push((time.hours_since_1970(), self.amount()?));
            }
            log.push_all(&id, &rows).map_err(|error| damaged(&error.to_string()))?;
        }
        let _checksum: [u8; 4] = self.bytes()?;
        if self.0.read(&mut [0])? > 0 || self.0.get_ref().checksum.clone().finalize() != WHOLE {
            return Err(damaged("the checksum is not that of its contents"));
        }
        Ok(CustomerStates::from_parts(log, taken_in))
    }

    fn sum(&mut self) -> io::Result<ExactSum> {
        let mut digits = ExactSum::default().digits();
        for digit in &mut digits {
            *digit = self.signed()?;
            if !(-(1 << 32)..1 << 32).contains(digit) {
                return Err(damaged("a sum is out of range"));
            }
        }
        Ok(ExactSum::from_digits(digits))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        let length = self.number()?;
        if length > LONGEST_TEXT {
            return Err(damaged("a text is too long"));
        }
        let mut bytes = vec![0; length as usize];
        self.0.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [group] = self.bytes()?;
            number |= u64::from(group & 0x7f) << shift;
            if group & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged("a number has no end"))
    }

    fn signed(&mut self) -> io::Result<i64> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn amount(&mut self) -> io::Result<f64> {
        let code = self.signed()?;
        Ok(if code & 1 == 0 { (code >> 1) as f64 / 100.0 } else { f64::from_le_bytes(self.bytes()?) })
    }
}
