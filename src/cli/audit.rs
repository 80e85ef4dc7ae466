//! `clv audit`: a stored model's forecast against what has happened since.

use std::borrow::Cow;
use std::path::PathBuf;

use super::acquiring::{Acquiring, log_of_new};
use super::args::{Common, CustomerColumn, MeasuredByModel};
use super::backtest_tables::TablesOutput;
use super::console::Console;
use super::failure::{Failure, Outcome};
use super::input::{Input, model_file};
use super::limits::{Judged, Limits};
use super::output::json_destination;
use crate::backtest::{Audit, AuditReport};
use crate::error::Error;
use crate::report::{audit, backtest};
use crate::score::ModelFile;

/// Hold a stored model's forecast against what has happened since
///
/// Reads a model file and the log as it is now: from the beginning, and further than when the model was fitted. What the model forecasts for the customers
/// known then is held against what they have done since, by the same figures as a back-test, and cohort by cohort. The model is not
/// fitted anew. Where births are known by --acquired or --run-in, the forecast is that for the customers who are known to be new in the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv audit orders.csv --model model.json -o audit.json
  clv audit orders.csv --model model.json --observation-end 1998-06-30 \\
      --fail-if \"bias>0.2\" --fail-on-drift

Exit codes: 0 done; 1 the work could not be done; 2 wrong usage; 3 done, and a limit of --fail-if was crossed, or cohorts drifted and
--fail-on-drift was given.")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// The model file
    #[arg(long = "model", value_name = "FILE")]
    model_file: PathBuf,
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End with exit code 3 when the purchases of a cohort, or of all together, are off their forecast by more than 10 % and by more than chance
    #[arg(long, help_heading = super::backtest::BACKTEST)]
    fail_on_drift: bool,
    #[command(flatten)]
    judged: Judged,
    #[command(flatten)]
    tables: TablesOutput,
    #[command(flatten)]
    customer: CustomerColumn,
    #[command(flatten)]
    measured: MeasuredByModel,
    #[command(flatten)]
    acquiring: Acquiring,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let limits = Limits::of(&args.judged)?;
    let destination = json_destination(args.output.clone(), "an audit", "audit.json")?.differs_from(&[&args.model_file])?;
    args.tables.check(&[&args.model_file])?;
    let model = model_file(&args.model_file)?;
    let input =
        Input::measured_for(&model, &args.input, args.customer.customer_column.as_deref(), &args.measured)?.acquired_as(&args.acquiring);
    let destination = destination.differs_from(&input.paths())?;
    args.tables.check(&input.paths())?;
    let audited = audited(&args, &model, &input, &console)?;
    args.tables.write(&audited.report)?;
    destination.write_text(&audited.to_json())?;
    console.say(&backtest::account(&audited.report));
    console.say(&audit::drift(&audited));
    limits.judge(&audited.report, |_| true)?;
    let drifted: Vec<String> =
        audit::together_in_words(&audited).into_iter().chain(audited.drifted().map(audit::cohort_in_words)).collect();
    if args.fail_on_drift && !drifted.is_empty() { Err(Failure::Judged(drifted)) } else { Ok(()) }
}

fn audited(args: &Args, model: &ModelFile, input: &Input<'_>, console: &Console) -> Outcome<AuditReport> {
    let Some(fitted_until) = model.observation_end() else {
        return Err(Error::data(
            "the model does not say up to which day it was fitted, so that nothing is known to have come after it; fit it to a log, or to a summary with \
             --observation-end",
        )
        .at(args.model_file.display().to_string())
        .into());
    };
    let log = input.log(console)?;
    let (log, observation) = if args.acquiring.for_a_log().next().is_some() {
        let (customers, observation) = input.summarize(&log, console)?;
        (log_of_new(&log, &customers, console)?, observation)
    } else {
        (Cow::Borrowed(&log), input.observation(&log, console)?)
    };
    let audit = Audit::new(*model.purchase_model(), fitted_until)
        .spend(model.spend_model().copied())
        .samples(args.judged.samples, args.common.seed.unwrap_or_default());
    let busy = console.busy("auditing");
    let mut audited = audit.run_watched(&log, &observation, Some(&busy.watch()))?;
    audited.report.definition_hash = Some(model.definition_in_force().hash());
    Ok(audited)
}
