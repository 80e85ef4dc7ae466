//! The rows of a log in CSV, block by block.

use std::io::Read;
use std::str;

use crate::data::Batch;
use crate::error::Result;
use crate::io::blocks::{Block, Blocks};
use crate::io::csv::Records;
use crate::io::fields::{self, Checked, Header, LogPositions};
use crate::io::options::ReadOptions;

/// A file whose header has been read: how to read any block of it.
#[derive(Debug)]
pub(super) struct TextLog {
    name: String,
    columns: Vec<String>,
    positions: LogPositions,
    options: ReadOptions,
}

impl TextLog {
    /// Reads the header, which begins the first block, and takes it off.
    pub(super) fn open(name: &str, blocks: &mut Blocks<impl Read>, options: &ReadOptions) -> Result<(Self, Block)> {
        let mut first = blocks.next()?.unwrap_or(Block { bytes: Vec::new(), first_line: 1 });
        let records = Records::new(name, &first.bytes[..], options.delimiter)?;
        let header = records.header();
        let positions = LogPositions::find(&header, &options.columns)?;
        let columns = header.columns;
        let (bytes, lines) = records.position();
        first.bytes.drain(..bytes.min(first.bytes.len()));
        first.first_line += lines;
        Ok((TextLog { name: name.to_owned(), columns, positions, options: options.clone() }, first))
    }

    /// Adds the rows of a block to a batch.
    pub(super) fn read(&self, block: &Block, batch: &mut Batch) -> Result<()> {
        match str::from_utf8(&block.bytes) {
            Ok(text) if memchr::memchr(b'"', &block.bytes).is_none() => self.read_plain(text, block.first_line, batch),
            _ => self.read_records(block, batch),
        }
    }

    /// Text without a quote: every delimiter separates fields, and every line end rows.
    fn read_plain(&self, text: &str, first_line: u64, batch: &mut Batch) -> Result<()> {
        let bytes = text.as_bytes();
        let [customer_at, date_at, amount_at] = self.positions.all();
        let (mut line, mut line_start, mut start, mut field) = (first_line, 0, 0, 0);
        let (mut customer, mut date, mut amount) = ("", "", "");
        for end in memchr::memchr2_iter(self.options.delimiter, b'\n', bytes) {
            let ends_line = bytes[end] == b'\n';
            let mut value = &text[start..end];
            if ends_line {
                value = value.strip_suffix('\r').unwrap_or(value);
            }
            for (position, column) in [(customer_at, &mut customer), (date_at, &mut date), (amount_at, &mut amount)] {
                if field == position {
                    *column = value;
                }
            }
            (start, field) = (end + 1, field + 1);
            if ends_line {
                let blank = field == 1 && text[line_start..end].trim_ascii().is_empty();
                if !blank {
                    let place = || format!("{}:{line}", self.name);
                    match fields::check_length(field, self.columns.len(), self.options.delimiter) {
                        Ok(()) => self.push(Ok(customer), Ok(date), Ok(amount), batch, place)?,
                        Err(fault) => fault.settle(self.options.bad_rows, batch.skipped_mut(), None, place)?,
                    }
                }
                (line, line_start, field) = (line + 1, start, 0);
            }
        }
        Ok(())
    }

    /// Anything else.
    fn read_records(&self, block: &Block, batch: &mut Batch) -> Result<()> {
        let header = Header { name: &self.name, columns: self.columns.clone() };
        let mut records = Records::below(&header, &block.bytes[..], self.options.delimiter, block.first_line);
        let [customer_at, date_at, amount_at] = self.positions.all();
        while records.advance()? {
            let records = &records;
            let place = || records.place();
            match records.check_length() {
                Ok(()) => self.push(records.text(customer_at), records.text(date_at), records.text(amount_at), batch, place)?,
                Err(fault) => fault.settle(self.options.bad_rows, batch.skipped_mut(), None, place)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn push(
        &self,
        customer: Checked<&str>,
        date: Checked<&str>,
        amount: Checked<&str>,
        batch: &mut Batch,
        place: impl Fn() -> String,
    ) -> Result<()> {
        let columns = &self.options.columns;
        let customer = customer.and_then(|text| fields::customer(text, &columns.customer));
        let time = date.and_then(|text| fields::time(text, &columns.date));
        let amount = amount.and_then(|text| fields::amount(text, &columns.amount, self.options.decimal));
        fields::push_transaction(batch, self.options.bad_rows, customer, time, amount, place)
    }
}
