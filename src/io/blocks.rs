//! CSV in blocks that end with a record, so that threads can read one file side by side.

use std::io::Read;
use std::mem;

use crate::error::{Error, Result};
use crate::io::quotes::{Quotes, check_delimiter, line_ends, never_closed};
use crate::io::source::read_failed;

/// How much is read at a time.
const BLOCK: usize = 1 << 20;

/// No record of a log is as long. A quote that is never closed would make one of the rest of the file, however long that is.
const LONGEST_RECORD: usize = 64 << 20;

/// Whole records of a file.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// The line of the file on which they begin.
    pub(super) first_line: u64,
}

/// The blocks of a file, in order. They are cut as they come, by quotes and line ends alone; the parsing is left to others.
pub(super) struct Blocks<R> {
    name: String,
    input: R,
    quotes: Quotes,
    /// The beginning of the next record.
    carried: Vec<u8>,
    line: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(name: &str, input: R, delimiter: u8) -> Result<Self> {
        check_delimiter(delimiter)?;
        Ok(Blocks { name: name.to_owned(), input, quotes: Quotes::new(delimiter), carried: Vec::new(), line: 1, ended: false })
    }

    /// The next block; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Block>> {
        let mut bytes = Vec::with_capacity(self.carried.len() + BLOCK);
        bytes.append(&mut self.carried);
        loop {
            if self.ended {
                return Ok(None);
            }
            let followed = bytes.len();
            (&mut self.input).take(BLOCK as u64).read_to_end(&mut bytes).map_err(|error| read_failed(&self.name, &error))?;
            if bytes.len() == followed {
                self.ended = true;
                // A last line without an end has one all the same, and what is open now stays open.
                bytes.push(b'\n');
            }
            let ended = self.quotes.follow(&bytes[followed..]);
            self.quotes.check(&self.name)?;
            if let Some(line) = self.quotes.open() {
                if self.ended {
                    return Err(never_closed(&self.name, line));
                }
                if bytes.len() > LONGEST_RECORD {
                    return Err(Error::data(format!(
                        "the quote opened on line {line} is not closed within the next {} MB; close it, or remove it if it is no quote",
                        LONGEST_RECORD >> 20
                    ))
                    .at(format!("{}:{line}", self.name)));
                }
            }
            if ended > 0 {
                self.carried = bytes.split_off(followed + ended);
                let next_line = self.quotes.line() - line_ends(&self.carried);
                let first_line = mem::replace(&mut self.line, next_line);
                return Ok(Some(Block { bytes, first_line }));
            }
            if bytes.len() > LONGEST_RECORD {
                return Err(Error::data(format!("the line is longer than {} MB, so this is hardly CSV", LONGEST_RECORD >> 20))
                    .at(format!("{}:{}", self.name, self.line)));
            }
        }
    }
}
