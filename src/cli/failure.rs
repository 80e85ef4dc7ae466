//! Why a command ended early, and the exit code for it.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use super::console::Console;
use crate::error::Error;

/// The exit code of work that was done, with a finding that a pipeline asked to be told.
const JUDGED: u8 = 3;

/// What ends a command.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments are wrong, as clap says; also `--help` and `--version`, which end a command in success.
    Arguments(clap::Error),
    /// The arguments are wrong together.
    Usage(String),
    /// The work could not be done.
    Work(Error),
    /// The work was done, and what was found crosses limits that were set: one line each.
    Judged(Vec<String>),
    /// The reader of standard output has gone away, which is its right: `clv score ... | head`.
    ReaderGone,
}

impl Failure {
    /// Whether something else ended early for the same reason.
    pub(super) fn says_the_same(&self, other: &Outcome) -> bool {
        matches!((self, other), (Failure::Usage(own), Err(Failure::Usage(theirs))) if own == theirs)
    }

    /// Wrong usage, by a setting of this place.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Failure::Usage(message) => Failure::Usage(format!("{place}: {message}")),
            other => other,
        }
    }

    /// Tells the user, and gives the exit code.
    pub(super) fn report(self, console: &Console) -> ExitCode {
        match self {
            Failure::Arguments(error) => {
                // Help that nobody could read is not given; a reader who has seen enough has gone away.
                let printed = error.print().and_then(|()| io::stdout().flush());
                if let Some(failed) = printed.err().filter(|failed| !error.use_stderr() && failed.kind() != io::ErrorKind::BrokenPipe) {
                    console.always(&format!("error: cannot write to standard output: {failed}"));
                    return ExitCode::FAILURE;
                }
                ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
            }
            Failure::Usage(message) => {
                console.always(&format!("error: {message}"));
                ExitCode::from(2)
            }
            Failure::Work(error) => {
                let mut told = error.to_string();
                console.always(&format!("error: {told}"));
                let mut cause = error.source();
                while let Some(error) = cause {
                    let message = error.to_string();
                    if !told.contains(&message) {
                        console.always(&format!("caused by: {message}"));
                        told = message;
                    }
                    cause = error.source();
                }
                ExitCode::FAILURE
            }
            Failure::Judged(crossed) => {
                for line in crossed {
                    console.always(&format!("crossed: {line}"));
                }
                ExitCode::from(JUDGED)
            }
            Failure::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Work(error)
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Failure::Arguments(error)
    }
}

pub(super) type Outcome<T = ()> = std::result::Result<T, Failure>;
