//! `clv summarize`: from a log to one row per customer.

use std::path::{Path, PathBuf};

use super::args::{Common, Measured, TableOutput};
use super::console::Console;
use super::failure::Outcome;
use super::input::Input;
use super::output::{Destination, refuse_inputs, refuse_same_place, write_together};
use crate::data::{CustomerStates, Unusable, counted_things};
use crate::error::Result;
use crate::io::{Draft, Table, excluded_table};
use crate::report::terminal;

/// Summarise a transaction log: one row per customer
///
/// Reads a transaction log (CSV, also gzipped, or Parquet; columns customer_id, date, amount unless told otherwise) and writes one row per
/// customer: customer_id, first_purchase, last_purchase, frequency, recency, age, average_spend, total_spend. Transactions of one customer on
/// one day are one purchase. What was merged, refunded, ignored or skipped is told on standard error.
///
/// With --state the rows are added to those of the runs before, which need not be read again: the summary is that of all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv summarize orders.csv -o customers.csv
  clv summarize orders.csv.gz --observation-end 1997-09-30 -o customers.parquet
  clv summarize jan.csv feb.csv 'archive/*.csv.gz' warehouse/orders/ \\
      -o customers.parquet
  clv summarize today.csv --state state.clv \\
      --observation-end 2026-06-30 -o customers.parquet
  clv summarize 'history/*.parquet' --time-ordered \\
      --observation-end 2026-06-30 -o customers.parquet
  clv summarize orders.csv --observation-end 1997-09-30 -o customers.csv \\
      --excluded excluded.csv
  clv summarize export.csv --delimiter ';' \\
      --customer kunde --date datum --amount betrag
  cat orders.csv | clv summarize - --unit day --format json")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required_unless_present = "state")]
    input: Vec<PathBuf>,
    /// File that keeps what is known of all customers from run to run: carried on with the rows of LOG, written whole or not at all, made when it is
    /// not there. A file that has been taken in before is refused
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The rows are in order of time, file after file: memory then grows with the customers only. Rows of customers with refunds are read a
    /// second time
    #[arg(long, conflicts_with = "state")]
    time_ordered: bool,
    #[command(flatten)]
    output: TableOutput,
    /// Also write who has rows in the log, or a date of acquisition, and no row in the summary, with the reason: customer_id, status, revenue_after_end.
    /// `clv score` takes it by the same flag, so that no id is lost
    #[arg(long, value_name = "FILE")]
    excluded: Option<PathBuf>,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.output)?;
    let input = Input::measured(&args.input, &args.measured)?;
    let destination = destination.differs_from(&input.paths())?;
    let format = destination.format(args.output.format)?;
    let excluded = match args.excluded {
        Some(path) => {
            let excluded = Destination::new(Some(path))?.differs_from(&input.paths())?;
            let format = excluded.format(None)?;
            Some((excluded, format))
        }
        None => None,
    };
    let mut outputs = vec![("the summary", destination.path())];
    outputs.extend(excluded.iter().map(|(excluded, _)| ("the table of those without a row", excluded.path())));
    outputs.extend(args.state.iter().map(|state| ("the state", Some(state.as_path()))));
    refuse_same_place(&outputs)?;
    let (customers, state) = match &args.state {
        None if args.time_ordered => (input.summarize_in_order(&console)?, None),
        None => (input.summary_of(input.log(&console)?, &console)?, None),
        Some(path) => {
            refuse_inputs(path, &input.paths())?;
            let (states, new) = carried_on(path, &input, &console)?;
            let (customers, _) = input.summarize_judging(states.log(), &new, &console)?;
            let mut draft = Draft::new(path)?;
            draft.write(|out| states.write(out))?;
            (customers, Some(draft))
        }
    };
    let mut tables = vec![(&destination, Table::from(&customers), format)];
    if let Some((excluded, format)) = &excluded {
        tables.push((excluded, excluded_table(&customers)?, *format));
    }
    // The state does not go on without a table that goes with it: the run could not be repeated.
    write_together(&tables, state)?;
    if excluded.is_none() && customers.excluded().len() > 0 {
        console.say(&format!(
            "note: {} of the log {} no row in the summary; --excluded FILE keeps their ids, with the reason, for clv score",
            counted_things(customers.excluded().len() as u64, "customer"),
            if customers.excluded().len() == 1 { "has" } else { "have" }
        ));
    }
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    Ok(())
}

/// The states of the runs before, if there were any, with the rows of the input; and what is to be judged of these rows alone.
fn carried_on(path: &Path, input: &Input<'_>, console: &Console) -> Result<(CustomerStates, Unusable)> {
    // What cannot be written is better known now.
    Draft::new(path)?;
    let mut states = if path.exists() {
        let _busy = console.busy(&format!("reading {}", path.display()));
        CustomerStates::load(path)?
    } else {
        CustomerStates::new()
    };
    let before = Unusable::from(states.log());
    let progress = console.reading(&input.files);
    states.take_files(&input.files, &input.log_options(), &|read| progress.show(read))?;
    let new = Unusable::from(states.log()).since(&before);
    Ok((states, new))
}
