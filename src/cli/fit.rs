//! `clv fit`: from a log or a summary to a model file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::args::{Banding, Common, Measured, Models, Valuing};
use super::counted::{self, Counts, WITHOUT_MEANING, WITHOUT_MEANING_IN_A_FIT};
use super::failure::{Failure, Outcome};
use super::fitting;
use super::input::Input;
use super::output::json_destination;
use crate::report::terminal;
use crate::score::{ClvDefinition, SeenAs};

/// Fit the models to a log or a summary: model.json
///
/// Reads a transaction log or a summary (recognised by its columns: frequency, recency and age, or x, t_x and T), estimates the purchase
/// model and the spend model by maximum likelihood, and writes a model file: parameters, standard errors, the evidence of the fit, the
/// definition of value and a fingerprint of the data, but no customer. A fit that ends at a boundary is done, with a notice.
///
/// With --counts the input holds numbers of purchases instead: per-period has a row for every customer and period (customer_id, first_purchase, period_start,
/// period_end, purchases), and histograms one for every cohort, period and number of purchases (cohort, first_purchase, period_start, period_end, purchases,
/// customers). First and last day belong to a period, the period of the first purchase counts it, and those who bought nothing have a row as well.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv fit orders.csv --observation-end 1997-09-30 -o model.json
  clv fit customers.csv --unit week -o model.json
  clv fit orders.csv --spend none --horizon \"26 weeks\" -o model.json
  clv fit orders.csv --margin 0.3 --discount 0.08 > model.json
  clv fit monthly.csv --counts per-period --model pareto-nbd -o model.json
  clv fit histograms.csv --counts histograms --model pareto-nbd \\
      -o model.json")]
pub(super) struct Args {
    /// A log (files, patterns such as 'logs/*.csv.gz', directories of Parquet) or a summary; - is standard input, for CSV
    #[arg(value_name = "INPUT", required = true)]
    input: Vec<PathBuf>,
    /// Model file to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The input is a table of counts instead of a log or a summary: per-period, or histograms
    #[arg(long, value_enum, value_name = "KIND", hide_possible_values = true, help_heading = "Reading")]
    #[arg(conflicts_with_all = WITHOUT_MEANING, conflicts_with_all = WITHOUT_MEANING_IN_A_FIT)]
    counts: Option<Counts>,
    #[command(flatten)]
    models: Models,
    #[command(flatten)]
    valuing: Valuing,
    #[command(flatten)]
    banding: Banding,
    /// Take the bands and their limits from an earlier model file as they are, so that customers stay where they were
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bands", "band_by", "band_limits", "band_confidence"], help_heading = "Value")]
    bands_from: Option<PathBuf>,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

/// Runs the command; of its settings `from_file` are those of a definition file, which has some that this input has no use for.
pub(super) fn run(args: Args, from_file: &BTreeSet<String>) -> Outcome {
    let console = args.common.start()?;
    let destination = json_destination(args.output, "a model file", "model.json")?;
    let input = Input::measured(&args.input, &args.measured)?;
    let destination = destination.differs_from(&input.paths())?;
    let definition = args.valuing.or(&ClvDefinition::default())?;
    if let Some(counts) = args.counts {
        if counts == Counts::Histograms && input.customer_column.is_some() && !from_file.contains("customer_column") {
            return Err(Failure::Usage("--customer names a column of customers, which histograms do not have: leave it out".to_owned()));
        }
        let model = counted::fit(counts, &args.models, &input, definition, &console)?;
        return destination.write_text(&model.to_json());
    }
    let (customers, log) = input.customers_and_log(&console)?;
    if let Some((log, observation)) = &log {
        input.check_start(log, observation, &console)?;
    }
    let bands = fitting::bands(&args.banding, args.bands_from.as_deref(), &definition, &customers, log.is_some())?;
    let model =
        fitting::fit(&args.models, &customers, log.as_ref().map(|(log, observation)| (log, observation)), definition, bands, &console)?;
    let model = model.with_origin(Some(args.measured.acquiring.births(&customers)), SeenAs::Histories);
    destination.write_text(&model.to_json())?;
    if let Some(report) = customers.report().filter(|report| log.is_some() || report.skipped.total().count > 0) {
        console.say(&terminal::cleaning(report));
    }
    console.say(&terminal::fits(&model));
    // What scoring by this file would refuse is better known now.
    if let Err(error) = definition.resolve(customers.unit(), customers.observation_end()) {
        console.say(&format!("note: scoring will need --observation-end, or --horizon in weeks: {error}"));
    }
    Ok(())
}
