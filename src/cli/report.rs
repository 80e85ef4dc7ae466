//! `clv report`: the page for people, from a log and a stored model.

use std::path::{Path, PathBuf};

use super::acquiring::{Acquiring, log_of_new};
use super::args::{Common, CustomerColumn, Intervals, MeasuredByModel, Valuing};
use super::backtest;
use super::failure::{Failure, Outcome};
use super::input::{self, Input};
use super::output::refuse_inputs;
use super::reporting::{self, Base, Worth};
use super::result_directory::ResultDirectory;
use super::scoring::Scoring;
use crate::error::Error;
use crate::report::terminal;
use crate::score::{Ranking, Totals};

/// Write the report page: what customers are worth, and whether to believe it
///
/// Reads a log and a model file and writes one page of HTML that needs nothing else: the value still to come with its interval, how far past forecasts were off, who
/// holds the value; then the evidence in charts, the data, the definition and the formulas. The numbers of each chart are written as CSV to a folder beside the page,
/// named as the page. The back-tests in it fit a model of the same kind to what was known at days in the past. `clv run` writes the same page along the way.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv report orders.csv --model model.json -o report.html
  clv report orders.csv --model model.json --observation-end 1997-09-30 \\
      --horizon \"24 months\" --margin 0.3 -o report.html")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// The model file, as `clv fit` writes it
    #[arg(long = "model", value_name = "FILE")]
    model_file: PathBuf,
    /// The page to write; the numbers of its charts go to a folder beside it
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    #[command(flatten)]
    valuing: Valuing,
    #[command(flatten)]
    intervals: Intervals,
    #[command(flatten)]
    customer: CustomerColumn,
    #[command(flatten)]
    acquiring: Acquiring,
    #[command(flatten)]
    measured: MeasuredByModel,
    #[command(flatten)]
    common: Common,
}

/// Customers at most in the back-test of the last quarter: of more it would take longer than all the rest and tell little more.
const MOST_TESTED: usize = 50_000;

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let (directory, file) = place(&args.output)?;
    let names: Vec<String> = [file.to_owned()].into_iter().chain(reporting::chart_files(file)).collect();
    if !directory.is_dir() {
        return Err(Error::file(format!("cannot write {}: there is no directory {}", args.output.display(), directory.display())).into());
    }
    ResultDirectory::check(directory, &names)?;
    let model = input::model_file(&args.model_file)?;
    let input =
        Input::measured_for(&model, &args.input, args.customer.customer_column.as_deref(), &args.measured)?.acquired_as(&args.acquiring);
    for name in &names {
        refuse_inputs(&directory.join(name), &input.paths())?;
        refuse_inputs(&directory.join(name), &[&args.model_file])?;
    }
    let definition = args.valuing.or(model.definition())?;
    let log = input.log(&console)?;
    let (customers, observation) = input.summarize(&log, &console)?;
    let scoring = Scoring::new(&model, &definition, Some(observation.end), &args.intervals, None, args.common.seed, &console)?;
    let scores = scoring.expectations(&customers)?;
    let totals = Totals::of(&customers, &scores);
    let forecast = scoring.total(&customers, &totals, &console)?;
    let page = {
        let _busy = console.busy("report");
        let new = log_of_new(&log, &customers, &console)?;
        let some = new.of_some_customers(MOST_TESTED)?;
        let (name, prior) = (model.purchases().model(), model.purchases().prior());
        let tested = reporting::tested(|| backtest::of_last_quarter(&some, &observation, &[name], prior), &new, &observation, &model)?;
        let ranking = Ranking::of(&customers, &scores);
        let base = Base {
            source: &input.name(),
            remarks: input.remarks(&customers),
            log_of_new: &new,
            observation: &observation,
            customers: &customers,
            model: &model,
            definition: &definition,
        };
        let worth = Worth { scores: &scores, ranking: &ranking, totals: &totals, forecast: forecast.as_ref() };
        reporting::page(&base, scoring.scorer(), &worth, &tested, file)?
    };
    page.write(directory, &[])?;
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    console.say(&terminal::total(&totals, forecast.as_ref(), &definition, Some(observation.end)));
    Ok(())
}

/// The directory and the name of the page.
fn place(output: &Path) -> Outcome<(&Path, &str)> {
    let name = output.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".html") && *name != ".html");
    match (output.parent(), name) {
        (Some(directory), Some(name)) => Ok((if directory.as_os_str().is_empty() { Path::new(".") } else { directory }, name)),
        _ => Err(Failure::Usage(format!(
            "the report is a page with a folder beside it, and {} is no name for it; name it report.html",
            output.display()
        ))),
    }
}
