//! `clv run`: the main job, from a log to a directory of results.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::acquiring::log_of_new;
use super::args::{AUTO, Banding, Common, Intervals, Measured, Models, Valuing};
use super::backtest;
use super::console::Console;
use super::failure::Outcome;
use super::fitting;
use super::input::Input;
use super::output::refuse_inputs;
use super::reporting::{self, Base, Page, Tested, Worth};
use super::result_directory::ResultDirectory;
use super::scoring::{Scored, Scoring};
use crate::data::Customers;
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::io::{Table, TableFormat};
use crate::models::AnyPurchaseModel;
use crate::report::account::{Scores, account as scores_in_short};
use crate::report::{backtest as in_words, banding, shock_in_short, terminal};
use crate::score::{ClvDefinition, Coverage, GroupForecast, ModelFile, Ranking, SeenAs, Totals};
use crate::time::Date;

const CUSTOMERS: &str = "customers.csv";
const MODEL: &str = "model.json";
const SCORES: &str = "scores.csv";
const BACKTEST: &str = "backtest.json";
/// The definition, totals and coverage of the scores, as `clv score --account` writes them.
const ACCOUNT: &str = "account.json";
const REPORT: &str = "report.html";
/// The folder of the numbers behind the page's charts.
const CHARTS: &str = "report/";
const RESULTS: [&str; 6] = [CUSTOMERS, MODEL, SCORES, ACCOUNT, BACKTEST, REPORT];

/// The main job: summary, fit, scores, a back-test and a report of a log in one go
///
/// Reads a transaction log, summarises it, fits the models and scores every customer; then fits the purchase model once more without the last
/// quarter of the time and holds its forecast against that. Writes customers.csv, model.json, scores.csv, account.json (the definition, the totals and the
/// coverage of the scores), backtest.json and the page report.html, with the numbers of its charts in report/, to a directory, all of them or none, and gives a short account on standard error: what was read and cleaned, the fits, how the forecast
/// came out, the ten most valuable customers and the totals. When the log is too short for a back-test, the account says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv run orders.csv --out results
  clv run orders.csv --observation-end 1997-09-30 --horizon \"12 months\" \\
      --discount 0.10 --margin 0.3 --out results
  clv run orders.parquet --customer user --date ordered_at --amount total \\
      --definition clv.toml --out results
  clv run orders.csv --band-by share --band-limits 0.5,0.8 --out results")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// Directory for the results, made when it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
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
    intervals: Intervals,
    #[command(flatten)]
    measured: Measured,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    ResultDirectory::check(&args.out, &RESULTS)?;
    let chart_files = reporting::chart_files(REPORT);
    ResultDirectory::check(&args.out, &chart_files)?;
    let input = Input::measured(&args.input, &args.measured)?;
    for name in RESULTS.into_iter().chain(chart_files.iter().map(String::as_str)) {
        refuse_inputs(&args.out.join(name), &input.paths())?;
    }
    let definition = args.valuing.or(&ClvDefinition::default())?;
    let log = input.log(&console)?;
    let (customers, observation) = input.summarize(&log, &console)?;
    input.check_start(&log, &observation, &console)?;
    let bands = fitting::bands(&args.banding, args.bands_from.as_deref(), &definition, &customers, true)?;
    let model = fitting::fit(&args.models, &customers, Some((&log, &observation)), definition, bands, &console)?;
    let model = model.with_origin(Some(args.measured.acquiring.births(&customers)), SeenAs::Histories);
    let scoring = Scoring::new(&model, model.definition(), Some(observation.end), &args.intervals, None, args.common.seed, &console)?;
    let scored = {
        let busy = console.busy("intervals");
        scoring.score(&customers, Some(&busy.watch()))?
    };
    let totals = Totals::of(&customers, &scored.scores);
    let total = Total { forecast: scoring.total(&customers, &totals, &console)?, totals };
    let ranking = Ranking::of(&customers, &scored.scores);
    let new = log_of_new(&log, &customers, &console)?;
    backtest::note_on_weeks(&new, observation.end, &console);
    let tested = {
        let _busy = console.busy("back-testing");
        // A model that was chosen by what came later would be held against what chose it.
        let chosen = [model.purchases().model()];
        let models = if args.models.model == AUTO { AnyPurchaseModel::NAMES } else { &chosen };
        let prior = args.models.prior();
        reporting::tested(|| backtest::of_last_quarter(&new, &observation, models, prior), &new, &observation, &model)?
    };
    let page = {
        let _busy = console.busy("report");
        let base = Base {
            source: &input.name(),
            remarks: input.remarks(&customers),
            log_of_new: &new,
            observation: &observation,
            customers: &customers,
            model: &model,
            definition: model.definition(),
        };
        let worth = Worth { scores: &scored.scores, ranking: &ranking, totals: &total.totals, forecast: total.forecast.as_ref() };
        reporting::page(&base, scoring.scorer(), &worth, &tested, REPORT)?
    };
    let mut coverage = Coverage::default();
    coverage.add(&customers, &scored.statuses);
    let of_scores = account_of(&model, observation.end, &total, &coverage, &tested);
    write(&args.out, &customers, &model, &scored, &of_scores, &tested, &page)?;
    account(&args, &customers, &model, &scored, &ranking, &total, &coverage, &tested, &console);
    Ok(())
}

fn write(
    directory: &Path,
    customers: &Customers,
    model: &ModelFile,
    scored: &Scored<'_>,
    account: &str,
    tested: &Tested,
    page: &Page,
) -> Result<()> {
    let scores = scored.table(customers)?;
    let text = |out: &mut dyn Write, text: &str| {
        out.write_all(text.as_bytes()).map_err(|error| Error::file("cannot write the result").because(error))
    };
    // What the account and the page rest on: the last quarter, and the cuts before it.
    let mut backtest = tested.last_quarter.as_ref().map_or_else(|_| tested.rolling.clone(), |last| last.and(&tested.rolling));
    if !backtest.runs.is_empty() {
        backtest.definition_hash = Some(model.definition_in_force().hash());
    }
    page.write(
        directory,
        &[
            (CUSTOMERS, &|out| Table::from(customers).write(TableFormat::Csv, out)),
            (MODEL, &|out| text(out, &model.to_json())),
            (SCORES, &|out| scores.write(TableFormat::Csv, out)),
            (ACCOUNT, &|out| text(out, account)),
            (BACKTEST, &|out| text(out, &backtest.to_json())),
        ],
    )
}

/// What all customers come to, and how sure that is.
struct Total {
    totals: Totals,
    forecast: Option<(Level, GroupForecast)>,
}

/// What the scores come to, for a program.
fn account_of(model: &ModelFile, end: Date, total: &Total, coverage: &Coverage, tested: &Tested) -> String {
    let definition = &model.definition_in_force();
    let (totals, forecast) = (&total.totals, total.forecast.as_ref());
    let shocks = Some(in_words::shocks_of(model.purchases().model(), &tested.rolling));
    scores_in_short(&Scores { definition, of_model: definition, end: Some(end), totals, forecast, shocks, coverage })
}

/// What a manager wants to know.
#[expect(clippy::too_many_arguments, reason = "it is an account of all that was done")]
fn account(
    args: &Args,
    customers: &Customers,
    model: &ModelFile,
    scored: &Scored<'_>,
    ranking: &Ranking,
    total: &Total,
    coverage: &Coverage,
    tested: &Tested,
    console: &Console,
) {
    let name = model.purchases().model();
    let end = customers.observation_end();
    if let Some(report) = customers.report() {
        console.say(&terminal::cleaning(report));
    }
    console.say(&terminal::window(customers));
    console.say(&terminal::fits(model));
    let Tested { last_quarter, rolling, .. } = tested;
    console.say(&match last_quarter {
        Ok(report) => in_words::in_short(report, name, rolling, args.models.model == AUTO),
        Err(error) => in_words::left_out(&error.to_string()),
    });
    console.say(&terminal::most_valuable(customers, &scored.scores, &ranking.rows, model.definition(), end));
    console.say(&terminal::coverage(coverage));
    let beside = shock_in_short(&in_words::shocks_of(name, rolling));
    console.say(&terminal::totals(&total.totals, ranking, total.forecast.as_ref(), model.definition(), end, beside.as_deref()));
    if let Some(bands) = model.bands() {
        console.say(&banding::bands(bands, &bands.holdings(customers, &scored.scores)));
    }
    console.say(&banding::definition(&model.definition_in_force().hash()));
    console.say(&terminal::files(&args.out, &[&RESULTS[..], &[CHARTS]].concat()));
}
