//! `clv summarize`: from a log to one row per customer.

use std::path::PathBuf;

use super::args::{Common, Measured, TableOutput};
use super::failure::Outcome;
use super::input::Input;
use super::output::Destination;
use crate::io::Table;
use crate::report::terminal;

/// Summarise a transaction log: one row per customer
///
/// Reads a transaction log (CSV, also gzipped, or Parquet; columns customer_id, date, amount unless told otherwise) and writes one row per
/// customer: customer_id, first_purchase, last_purchase, frequency, recency, age, average_spend, total_spend. Transactions of one customer on
/// one day are one purchase. What was merged, refunded, ignored or skipped is told on standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv summarize orders.csv -o customers.csv
  clv summarize orders.csv.gz --observation-end 1997-09-30 -o customers.parquet
  clv summarize export.csv --delimiter ';' --customer kunde --date datum --amount betrag
  cat orders.csv | clv summarize - --unit day --format json")]
pub(super) struct Args {
    /// The log; - is standard input, for CSV
    #[arg(value_name = "LOG")]
    input: PathBuf,
    #[command(flatten)]
    output: TableOutput,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.output)?.differs_from(&[&args.input])?;
    let format = destination.format(args.output.format)?;
    let input = Input::measured(&args.input, &args.measured);
    let (customers, _) = input.summarize(&input.log(&console)?, &console)?;
    destination.write_table(&Table::from(&customers), format)?;
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    Ok(())
}
