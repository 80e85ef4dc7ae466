//! Where quotes open and close in CSV: what tells the line ends between records from those within fields.

use crate::error::{Error, Result};

/// Follows the quotes of a CSV file by the rules of the csv crate.
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    within: Within,
    line: u64,
    /// The line of the latest opening quote.
    opened: u64,
    /// The lines of the first quotes that open, and close on another line with text right behind: where one was never closed, the next
    /// quote of the file, which opens a field, is taken for its end.
    mistaken: Option<(u64, u64)>,
}

/// Where in a field the input is.
#[derive(Debug, Clone, Copy)]
enum Within {
    Start,
    Plain,
    Quotes,
    /// After a quote within quotes: the end of them, or the first half of a doubled one.
    Quote,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Quotes { delimiter, within: Within::Start, line: 1, opened: 0, mistaken: None }
    }

    /// The line on which the input is.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The line of the quote that is open, if one is.
    pub(super) fn open(&self) -> Option<u64> {
        matches!(self.within, Within::Quotes).then_some(self.opened)
    }

    /// Follows the quotes through the next bytes, and tells how many of these belong to records that end among them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        if matches!(self.within, Within::Start | Within::Plain) && memchr::memchr(b'"', bytes).is_none() {
            self.line += line_ends(bytes);
            if let Some(last) = bytes.last() {
                self.within = if [b'\n', self.delimiter].contains(last) { Within::Start } else { Within::Plain };
            }
            return memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        }
        let mut ended = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            self.line += u64::from(byte == b'\n');
            self.within = match (self.within, byte) {
                (Within::Start, b'"') => {
                    self.opened = self.line;
                    Within::Quotes
                }
                (Within::Quotes, b'"') => Within::Quote,
                (Within::Quotes, _) | (Within::Quote, b'"') => Within::Quotes,
                (_, b'\n') => {
                    ended = at + 1;
                    Within::Start
                }
                (_, byte) if byte == self.delimiter => Within::Start,
                (Within::Quote, byte) if self.line > self.opened && !byte.is_ascii_whitespace() => {
                    self.mistaken = self.mistaken.or(Some((self.opened, self.line)));
                    Within::Plain
                }
                _ => Within::Plain,
            };
        }
        ended
    }

    /// Refuses a quote that was hardly meant to end where it does.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        match self.mistaken {
            None => Ok(()),
            Some((opened, closed)) => Err(Error::data(format!(
                "the quote opened on line {opened} ends at a quote on line {closed} that has text right behind it, so it was hardly meant \
                 to; close it on its own line, and double quotes that belong to the text"
            ))
            .at(format!("{name}:{opened}"))),
        }
    }
}

/// A quote that is never closed would hide all rows below it in one field, so it is an error even where bad rows are skipped.
pub(super) fn never_closed(name: &str, line: u64) -> Error {
    Error::data(format!(
        "the quote opened on line {line} is never closed, so all that follows it is one field; close it, or remove it if it is no quote"
    ))
    .at(format!("{name}:{line}"))
}

pub(super) fn check_delimiter(delimiter: u8) -> Result<()> {
    if delimiter.is_ascii() && !b"\"\r\n".contains(&delimiter) {
        return Ok(());
    }
    Err(Error::parameter(format!(
        "delimiter {:?} cannot separate fields: it must be one ASCII character and neither the quote nor a line end",
        char::from(delimiter)
    )))
}

pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
