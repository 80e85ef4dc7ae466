//! `clv backtest`: what the models would have forecast in the past, against what came.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use super::acquiring::log_of_new;
use super::args::{Common, Measured, Prudence};
use super::backtest_tables::TablesOutput;
use super::console::Console;
use super::define;
use super::failure::{Failure, Outcome};
use super::input::Input;
use super::limits::{Judged, Limits};
use super::origins::{Origins, When};
use super::output::json_destination;
use crate::backtest::{BackTest, BackTestReport, MOST_DAYS_BY_WEEK, Scheme};
use crate::data::{Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Prior;
use crate::models::{AnyPurchaseModel, Estimable, Nbd};
use crate::report::{backtest, terminal};
use crate::time::{Date, Horizon};

/// The heading of its flags.
pub(super) const BACKTEST: &str = "Back-test";

/// Forecast from a day in the past and hold it against what came
///
/// Cuts a log at a day, fits the models to what was known then, and compares their forecasts with the purchases and the spend of the holdout after it,
/// next to rules of thumb that a model has to beat. Without --cut there are several cuts, each a holdout further on, the last holdout ending with the
/// observation. Writes backtest.json with all figures for three groups: customers known at the cut, acquired in the holdout, and all; --tables
/// writes the tables as CSV. Ratios are fractions, and what is undefined is null. With --definition the hash of that definition stands in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv backtest orders.csv -o backtest.json
  clv backtest orders.csv --cut 1997-09-30 --holdout \"39 weeks\" \\
      --tables tables -o backtest.json
  clv backtest orders.csv --origins 4 --holdout \"13 weeks\" \\
      --observation-end 1998-06-30 -o backtest.json
  clv backtest years.csv --origins 4 --holdout \"13 weeks\" \\
      --window \"52 weeks\" -o backtest.json
  clv backtest orders.csv --cut 1997-09-30 \\
      --holdout \"13 weeks,26 weeks,39 weeks\" -o backtest.json
  clv backtest orders.csv --born-until 1997-02-15 -o backtest.json
  clv backtest orders.csv --models pareto-nbd \\
      --fail-if \"bias>0.2\" --fail-if \"auc<0.7\" -o backtest.json

Exit codes: 0 done; 1 the work could not be done; 2 wrong usage; 3 done, and a limit of --fail-if was crossed.")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    origins: Origins,
    /// Models to compare, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(AnyPurchaseModel::NAMES.iter().copied()), help_heading = BACKTEST)]
    models: Vec<String>,
    /// With none, spend is forecast by each customer's own average alone
    #[arg(long, value_name = "NAME", default_value = "gamma-gamma", value_parser = PossibleValuesParser::new(["gamma-gamma", "none"]), help_heading = BACKTEST)]
    spend: String,
    #[command(flatten)]
    judged: Judged,
    #[command(flatten)]
    tables: TablesOutput,
    #[command(flatten)]
    prudence: Prudence,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let when = When::of(&args.origins)?;
    let limits = Limits::of(&args.judged)?;
    let definition = define::of_file(&args.common, &args.measured, args.spend != "none")?;
    let destination = json_destination(args.output, "a back-test", "backtest.json")?;
    let input = Input::measured(&args.input, &args.measured)?;
    let destination = destination.differs_from(&input.paths())?;
    args.tables.check(&input.paths())?;
    let log = input.log(&console)?;
    let (customers, observation) = input.summarize(&log, &console)?;
    input.check_start(&log, &observation, &console)?;
    let log = log_of_new(&log, &customers, &console)?;
    note_on_weeks(&log, observation.end, &console);
    let mut test = BackTest::new(when.scheme(&log, observation.end)?)
        .prior(args.prudence.prior())
        .with_spend_model(args.spend != "none")
        .samples(args.judged.samples, args.common.seed.unwrap_or_default());
    if !args.models.is_empty() {
        test = test.models(&args.models).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let mut report = {
        let busy = console.busy("back-testing");
        test.run_watched(&log, &observation, Some(&busy.watch()))?
    };
    report.definition_hash = definition.map(|definition| definition.hash());
    args.tables.write(&report)?;
    destination.write_text(&report.to_json())?;
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    console.say(&backtest::account(&report));
    // Without names all models are there, and NBD among them to be beaten.
    limits.judge(&report, |model| !args.models.is_empty() || model != Nbd::NAME)
}

/// A log of many years is not told week by week, which is said.
pub(super) fn note_on_weeks(log: &TransactionLog, end: Date, console: &Console) {
    let days = log.first_date().map_or(0, |first| end.days_since(first));
    if usize::try_from(days).is_ok_and(|days| days >= MOST_DAYS_BY_WEEK) {
        console.say("note: the log covers more than 20 years, and the back-test does not tell them week by week");
    }
}

/// A log shorter than this has no quarter that could be held out.
const SHORTEST: i32 = 28;

/// The back-test that `clv run` makes along the way: the model it fits, or all when it chose among them, with the last quarter of the time held out, in whole
/// weeks. That it cannot be made is no reason to end the main job.
pub(super) fn of_last_quarter(
    log: &TransactionLog,
    observation: &Observation,
    models: &[&str],
    prior: Option<Prior>,
) -> Result<BackTestReport> {
    BackTest::new(last_quarter(log, observation)?).models(models)?.prior(prior).run(log, observation)
}

fn last_quarter(log: &TransactionLog, observation: &Observation) -> Result<Scheme> {
    let span = log.first_date().map_or(0, |first| observation.end.days_since(first));
    if span < SHORTEST {
        return Err(Error::data(format!(
            "the log covers {span} days, and to hold out the last quarter takes at least {SHORTEST}; clv backtest takes any cut"
        )));
    }
    let days = span / 4 / 7 * 7;
    let cut = Date::from_days_since_1970(observation.end.days_since_1970() - days)?;
    Ok(Scheme::Holdout { cut, horizon: Horizon::days(days.unsigned_abs())? })
}
