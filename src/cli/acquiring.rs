//! How the birth of a customer is known, as flags say it; and what is said of a log that starts in the middle.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::input::Input;
use crate::data::{Acquired, Acquisition, AcquisitionDates, Birth, Customers, FirstSeenFlow, Observation, TransactionLog, grouped};
use crate::error::{Error, Result};
use crate::report::terminal;
use crate::score::KnownBirths;
use crate::time::{Date, Horizon};

/// How the birth of a customer is known.
#[derive(Debug, clap::Args)]
pub(super) struct Acquiring {
    /// Dates of acquisition of all customers, for a log that starts after some of them were acquired: a column of the log, or a CSV or Parquet file with the columns
    /// customer_id and acquired
    #[arg(long, value_name = "COLUMN|FILE", conflicts_with_all = ["run_in", "first_seen_is_new"], help_heading = "Acquisition")]
    acquired: Option<String>,
    /// Do not take customers for new who are first seen within this time of the start of the log, such as "26 weeks": they are scored and marked, but no model
    /// is fitted to them
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true, conflicts_with = "first_seen_is_new", value_parser = run_in, help_heading = "Acquisition")]
    run_in: Option<Horizon>,
    /// The log starts before all its customers: whoever is first seen is new, whatever the flow of new customers looks like
    #[arg(long, help_heading = "Acquisition")]
    first_seen_is_new: bool,
}

impl Acquiring {
    /// The flags given that only a log has a use for.
    pub(super) fn for_a_log(&self) -> impl Iterator<Item = &'static str> {
        let given =
            [(self.acquired.is_some(), "--acquired"), (self.run_in.is_some(), "--run-in"), (self.first_seen_is_new, "--first-seen-is-new")];
        given.into_iter().filter_map(|(given, flag)| given.then_some(flag))
    }

    /// The file with the dates of acquisition, if they are in one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.acquired.as_deref().filter(|acquired| is_file(acquired)).map(PathBuf::from)
    }

    /// How the births of these customers are known.
    pub(super) fn births(&self, customers: &Customers) -> KnownBirths {
        if self.acquired.is_some() { KnownBirths::acquired(customers) } else { KnownBirths::of(customers, self.run_in) }
    }

    /// The first day on which whoever is first seen is new, of a log that starts on this day.
    pub(super) fn new_from(&self, start: Date) -> Result<Date> {
        self.run_in.map_or(Ok(start), |run_in| run_in.steps_from(start, 1))
    }

    fn acquisition(&self, customers: &Customers, input: &Input<'_>) -> Result<Acquisition> {
        if let Some(run_in) = self.run_in {
            return Ok(Acquisition::RunIn(run_in));
        }
        let Some(acquired) = &self.acquired else { return Ok(Acquisition::FirstPurchase) };
        let options = input.log_options();
        let dates = match self.file() {
            Some(file) => AcquisitionDates::read(file, &options)?,
            // Rows after the observation end are the future.
            None => input.files.read_acquisition_column(acquired, &options)?.of_those_seen(customers),
        };
        Ok(Acquisition::Dates(dates))
    }

    /// Marks the customers of a log with what is known of their birth, and says what that comes to.
    pub(super) fn mark(&self, customers: Customers, input: &Input<'_>, console: &Console) -> Result<Customers> {
        let acquisition = self.acquisition(&customers, input)?;
        if acquisition == Acquisition::FirstPurchase {
            return Ok(customers);
        }
        let (customers, acquired) = acquisition.apply(customers)?;
        self.say(&customers, &acquired, console);
        let Acquisition::Dates(dates) = acquisition else { return Ok(customers) };
        for (day, count) in dates.shared_and_far() {
            console.say(&format!(
                "note: {} customers were acquired on the same day, {}, {} before all later ones, from {} on; if it stands for a day that is not known, leave these \
                 customers out of the log, or take --run-in in place of --acquired",
                grouped(count as f64, 0),
                day.day,
                day.gap(),
                day.next
            ));
        }
        Ok(customers)
    }

    fn say(&self, customers: &Customers, acquired: &Acquired, console: &Console) {
        let title = match (&self.run_in, &self.acquired) {
            (Some(run_in), _) => format!("Acquisition: a run-in of {run_in}"),
            (None, given) => format!("Acquisition: dates from {}", given.as_deref().unwrap_or("the log")),
        };
        console.say(&terminal::births(&title, &customers.births(), acquired));
    }

    /// Refuses a log that starts in the middle beyond doubt, and tells of one that may; unless it was said how births are known.
    pub(super) fn check_start(&self, log: &TransactionLog, observation: &Observation, console: &Console) -> Result<()> {
        if self.for_a_log().next().is_some() {
            return Ok(());
        }
        let flow = FirstSeenFlow::of_log(log, observation)?;
        let ways = "say how customers were acquired by --acquired, or leave those first seen early out of the fit by --run-in \"26 weeks\"; where the log does hold \
                    every first purchase, say so by --first-seen-is-new";
        let Some(windows) = flow.steepest().filter(|_| flow.starts_in_the_middle()) else { return Ok(()) };
        let seen = format!(
            "{} customers are first seen in its first {} days and {} in as many days after them",
            grouped(windows.first as f64, 0),
            grouped(windows.length, 0),
            grouped(windows.second as f64, 0)
        );
        if flow.starts_in_the_middle_beyond_doubt() {
            return Err(Error::data(format!(
                "the log starts in the middle: {seen}, with as many purchases in both; who bought before the start would be taken for new, and the parameters would \
                 be wrong; {ways}"
            ))
            .at(log.first_date().map_or_else(String::new, |start| format!("start {start}"))));
        }
        if windows.second * 20 >= windows.first {
            console.say(&format!("note: the log may start in the middle: {seen}; if it does, {ways}"));
        }
        Ok(())
    }
}

/// The log of the customers who are known to be new in it: what the past can be forecast for.
pub(super) fn log_of_new<'a>(log: &'a TransactionLog, customers: &Customers, console: &Console) -> Result<Cow<'a, TransactionLog>> {
    if !customers.has_births() {
        return Ok(Cow::Borrowed(log));
    }
    let new: Vec<&str> = (0..customers.len()).filter(|&row| customers.birth(row) == Birth::InLog).map(|row| customers.id(row)).collect();
    console.say(&format!(
        "note: forecasts of the past are made for the {} customers who are known to be new in the log",
        grouped(new.len() as f64, 0)
    ));
    Ok(Cow::Owned(log.of_customers(&new)?))
}

/// The length of a run-in.
fn run_in(text: &str) -> Result<Horizon> {
    let number = text.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    if number == Some(0.0) {
        return Err(Error::parameter(format!(
            "a run-in of {text} leaves nobody out; give a length such as \"26 weeks\", or leave --run-in out"
        )));
    }
    text.parse()
}

/// Whether a name is meant as that of a file rather than of a column.
fn is_file(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    Path::new(name).is_file() || ["csv", "gz", "parquet", "pq"].contains(&ending)
}
