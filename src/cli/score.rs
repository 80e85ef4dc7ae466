//! `clv score`: what a model expects of every customer.

use std::path::PathBuf;

use super::args::{Common, CustomerColumn, Intervals, MeasuredByModel, TableOutput, Valuing};
use super::failure::Outcome;
use super::input::{self, Input};
use super::output::{Console, Destination};
use super::scoring;
use crate::data::Customers;
use crate::io::InputKind;
use crate::report::terminal;
use crate::score::ModelFile;
use crate::time::Date;

/// Score the customers of a log or a summary by a model file
///
/// Writes one row per customer: customer_id, frequency, recency, age, p_alive, p_active, expected_purchases, expected_average_spend, clv,
/// clv_lower, clv_upper, status. From clv_lower to clv_upper the CLV lies with a probability of 90 % (--level): chance and what the data leave
/// open of the parameters. A log is summarised in the unit of the model. Horizon, discount and margin are those of the model file unless given. Where there is
/// no expected spend the status is no_spend_estimate, and the spend and the CLV are empty.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv score orders.csv --model model.json --observation-end 1997-09-30 -o scores.csv
  clv score customers.csv --model model.json --no-intervals -o scores.parquet
  clv score customers.csv --model model.json --level 0.8 --threshold 100 -o scores.csv
  clv score customers.csv --model model.json --horizon \"24 months\" --margin 0.3 > scores.csv")]
pub(super) struct Args {
    /// A log (files, patterns such as 'logs/*.csv.gz', directories of Parquet) or a summary; - is standard input, for CSV
    #[arg(value_name = "INPUT", required = true)]
    input: Vec<PathBuf>,
    /// The model file, as `clv fit` writes it
    #[arg(long = "model", value_name = "FILE")]
    model_file: PathBuf,
    #[command(flatten)]
    output: TableOutput,
    #[command(flatten)]
    valuing: Valuing,
    #[command(flatten)]
    intervals: Intervals,
    #[command(flatten)]
    customer: CustomerColumn,
    #[command(flatten)]
    measured: MeasuredByModel,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.output)?.differs_from(&[&args.model_file])?;
    let format = destination.format(args.output.format)?;
    let model = input::model_file(&args.model_file)?;
    let customer_column = args.customer.customer_column.as_deref();
    let input = Input::measured_for(&model, &args.input, customer_column, &args.measured)?;
    let destination = destination.differs_from(input.files.paths())?;
    let (customers, kind) = input.customers(&console)?;
    let definition = args.valuing.or(model.definition())?;
    let end = observation_end(&customers, &model, kind, &console);
    let scored = scoring::score(&model, &definition, end, &customers, &args.intervals, args.common.seed, &console)?;
    destination.write_table(&scored.table(&customers)?, format)?;
    if let Some(report) = customers.report().filter(|report| kind == InputKind::Log || report.skipped.total().count > 0) {
        console.say(&terminal::cleaning(report));
    }
    console.say(&terminal::total(&scored.totals, scored.forecast.as_ref(), &definition, end));
    Ok(())
}

/// The day from which the horizon counts: of the customers, or else of the model.
fn observation_end(customers: &Customers, model: &ModelFile, kind: InputKind, console: &Console) -> Option<Date> {
    let own = customers.observation_end();
    if let (None, Some(end), InputKind::Summary) = (own, model.observation_end(), kind) {
        console.say(&format!(
            "note: the summary does not say when it ends; the horizon counts from {end}, the observation end of the model; set it with \
             --observation-end"
        ));
    }
    own.or(model.observation_end())
}
