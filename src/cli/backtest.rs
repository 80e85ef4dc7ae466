//! `clv backtest`: what the models would have forecast in the past, against what came.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use super::args::{Common, Measured, Prudence, backtest_span, origins};
use super::failure::{Failure, Outcome};
use super::input::Input;
use super::output::Destination;
use crate::backtest::{BackTest, BackTestReport, Scheme};
use crate::data::{Observation, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Prior;
use crate::io::TableFormat;
use crate::models::AnyPurchaseModel;
use crate::report::{backtest, terminal};
use crate::time::{Date, Horizon};

const BACKTEST: &str = "Back-test";

/// Forecast from a day in the past and hold it against what came
///
/// Cuts a log at a day, fits the models to what was known then, and compares their forecasts with the purchases of the holdout after it, next
/// to rules of thumb that a model has to beat. With --origins there are several cuts, each a holdout further on, the last holdout ending with the
/// observation. Writes backtest.json with all figures for three groups: customers known at the cut, acquired in the holdout, and all. Ratios
/// are fractions, and what is undefined is null.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv backtest orders.csv --cut 1997-09-30 --holdout \"39 weeks\" -o backtest.json
  clv backtest orders.csv --models pareto-nbd,bg-nbd --cut 1997-09-30 -o backtest.json
  clv backtest orders.csv --origins 4 --holdout \"13 weeks\" --observation-end 1998-06-30 -o backtest.json")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Last day of calibration, inclusive; the holdout begins on the next day
    #[arg(long, value_name = "DATE", help_heading = BACKTEST)]
    cut: Option<Date>,
    /// Several cuts, this many, instead of one: each a holdout after the one before
    #[arg(long, value_name = "N", value_parser = origins, help_heading = BACKTEST)]
    origins: Option<u32>,
    /// Length of a holdout, such as "39 weeks" or "3 months" [default: from the cut to the observation end]
    #[arg(long, value_name = "SPAN", value_parser = backtest_span, help_heading = BACKTEST)]
    holdout: Option<Horizon>,
    /// Models to compare, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(AnyPurchaseModel::NAMES.iter().copied()), help_heading = BACKTEST)]
    models: Vec<String>,
    #[command(flatten)]
    prudence: Prudence,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let when = When::of(&args)?;
    let destination = Destination::new(args.output)?;
    let input = Input::measured(&args.input, &args.measured)?;
    let destination = destination.differs_from(input.files.paths())?;
    if let Some(format @ (TableFormat::Csv | TableFormat::Parquet)) = destination.path().and_then(TableFormat::of_path) {
        return Err(Failure::Usage(format!("a back-test is JSON and cannot be written as {}; name it backtest.json", format.name())));
    }
    let log = input.log(&console)?;
    let (customers, observation) = input.summarize(&log, &console)?;
    let mut test = BackTest::new(when.scheme(observation.end)?).prior(args.prudence.prior());
    if !args.models.is_empty() {
        test = test.models(&args.models).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let report = {
        let _busy = console.busy("back-testing");
        test.run(&log, &observation)?
    };
    destination.write_text(&report.to_json())?;
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    console.say(&backtest::account(&report));
    Ok(())
}

/// A log shorter than this has no quarter that could be held out.
const SHORTEST: i32 = 28;

/// The back-test that `clv run` makes along the way: one model, with the last quarter of the time held out, in whole weeks. There is an account of
/// it in any case; that it cannot be made is no reason to end the main job, and leaves a report without runs.
pub(super) fn of_last_quarter(
    log: &TransactionLog,
    observation: &Observation,
    model: &str,
    prior: Option<Prior>,
) -> (BackTestReport, String) {
    let report =
        last_quarter(log, observation).and_then(|scheme| BackTest::new(scheme).models(&[model])?.prior(prior).run(log, observation));
    match report {
        Ok(report) => {
            let account = backtest::in_short(&report);
            (report, account)
        }
        Err(error) => (BackTestReport::without_runs(), backtest::left_out(&error.to_string())),
    }
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

/// The flags that say where to cut, as far as they fit together.
#[derive(Debug, Clone, Copy)]
enum When {
    At(Date, Option<Horizon>),
    Rolling(u32, Horizon),
}

impl When {
    fn of(args: &Args) -> Outcome<Self> {
        match (args.cut, args.origins, args.holdout) {
            (Some(_), Some(_), _) => {
                Err(Failure::Usage("--cut names one cut and --origins asks for several, counted back from the observation end; give one of them".into()))
            }
            (Some(cut), None, holdout) => Ok(When::At(cut, holdout)),
            (None, Some(origins), Some(holdout)) => Ok(When::Rolling(origins, holdout)),
            (None, Some(_), None) => Err(Failure::Usage("--origins needs the length of each holdout, such as --holdout \"13 weeks\"".into())),
            (None, None, _) => Err(Failure::Usage(
                "nothing says where to cut: give --cut DATE, or --origins 4 with --holdout \"13 weeks\" for four cuts before the observation end".into(),
            )),
        }
    }

    fn scheme(self, end: Date) -> Outcome<Scheme> {
        Ok(match self {
            When::Rolling(origins, horizon) => Scheme::Rolling { origins, horizon },
            When::At(cut, Some(horizon)) => Scheme::Holdout { cut, horizon },
            // A cut at or after the end has no day after it; the scheme says so and what is possible.
            When::At(cut, None) => Scheme::Holdout { cut, horizon: Horizon::days(end.days_since(cut).max(1).unsigned_abs())? },
        })
    }
}
