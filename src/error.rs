//! The one error type of the crate.
//!
//! A message says what was attempted, which field, the value, the rule, the place and a way out. What a caller can act upon is in
//! [`ErrorKind`]; the rest is text for people.

use std::fmt;

/// What kind of thing went wrong, as far as a caller can act upon it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The data break a rule: a missing column, an amount that is no number, a recency beyond the age.
    Data,
    /// A parameter, setting or horizon outside its domain.
    Parameter,
    /// The fit found no optimum, or the data hold nothing to fit.
    Fit,
    /// A file could not be read or written, or a model file is not what it claims to be.
    File,
    /// Somebody who watched the work stopped it.
    Cancelled,
}

/// An error: a kind, a message for people, the place it concerns and its cause.
///
/// ```
/// use clv::{BgNbd, BgNbdParams, ErrorKind};
///
/// let error = BgNbd::new(BgNbdParams { r: -1.0, alpha: 4.4, a: 0.8, b: 2.4 }).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Parameter);
/// assert_eq!(error.to_string(), "BG/NBD: r = -1 must be a positive finite number");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    place: Option<String>,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of a kind with a message: for what a model of one's own refuses.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, place: None, message: message.into(), source: None }))
    }

    pub(crate) fn data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Data, message)
    }

    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Parameter, message)
    }

    pub(crate) fn fit(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Fit, message)
    }

    pub(crate) fn cancelled(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Cancelled, message)
    }

    #[cfg(any(feature = "csv", feature = "parquet", feature = "serde"))]
    pub(crate) fn file(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::File, message)
    }

    /// Names the place the error concerns, `orders.csv:1042` for example. The innermost place stays.
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.0.place.get_or_insert_with(|| place.into());
        self
    }

    /// Says more about what was going on.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn adding(mut self, more: &str) -> Self {
        self.0.message.push_str(more);
        self
    }

    /// Says first whom it is about.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(crate) fn about(mut self, whom: &str) -> Self {
        self.0.message.insert_str(0, &format!("{whom}: "));
        self
    }

    /// Keeps the cause, reachable through [`std::error::Error::source`]; the message does not repeat it.
    pub(crate) fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What a caller can act upon.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The place the error concerns (file and line, for example), if there is one.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }
}

/// Text from a file as a message shows it: quoted, control characters escaped, and cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}... ({} characters)", &text[..end], text.chars().count()),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        match &self.0.source {
            Some(source) => write!(f, " (caused by: {source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
