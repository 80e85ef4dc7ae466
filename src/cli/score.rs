//! `clv score`: what a model expects of every customer.

use std::io::Write;
use std::path::PathBuf;

use super::acquiring::Acquiring;
use super::args::{Common, CustomerColumn, Intervals, MeasuredByModel, TableOutput, Valuing};
use super::console::Console;
use super::counted::{self, WITHOUT_MEANING};
use super::failure::{Failure, Outcome};
use super::input::{self, Input};
use super::output::{Destination, json_destination, refuse_same_place};
use super::scoring::{Scored, Scoring, horizon_start};
use crate::data::{Customers, DataReport, grouped};
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::io::{Draft, ExcludedRows, InputKind, SummaryRead, TableWriter};
use crate::report::account::{self, Scores};
use crate::report::{banding, terminal};
use crate::score::{ClvDefinition, Coverage, DefinitionInForce, GroupForecast, ModelFile, Totals, ValueBands};
use crate::time::Date;

/// Score the customers of a log or a summary by a model file
///
/// Writes one row per customer: customer_id, frequency, recency, age, p_alive, p_active, expected_purchases, expected_average_spend, clv,
/// clv_lower, clv_upper, status, prior_weight, band, score. From clv_lower to clv_upper the CLV lies with a probability of 90 % (--level): chance and what
/// the data leave open of the parameters. A log is summarised in the unit of the model. Horizon, discount and margin are those of the model file unless
/// given. The status is scored; prior_dominated where more than nine tenths of the expected purchase rate are that of the base (prior_weight) and not even
/// one repeat purchase would have been expected so far; left_truncated where
/// purchases before the log may be missing; no_spend_estimate where there is no expected spend, and spend and CLV are empty; or excluded, with the reason, in
/// the rows of those who have no purchase left. The band and the score from 0 to 100 are by limits that the model file has from its fit: they change when a
/// customer changes, not when others do.
///
/// What becomes of the rows of a summary is known when all are read. Where --max-skipped is crossed, a file (-o) is not written; on standard output the
/// scores are out by then, and the exit code 1 tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv score orders.csv --model model.json --observation-end 1997-09-30 \\
      -o scores.csv
  clv score customers.csv --model model.json --no-intervals -o scores.parquet
  clv score customers.csv --model model.json \\
      --level 0.8 --threshold 100 -o scores.csv
  clv score customers.csv --model model.json \\
      --bands-before scores_of_last_month.csv -o scores.csv
  clv score customers.csv --model model.json -o scores.csv \\
      --account scores.json
  clv score customers.csv --excluded excluded.csv --model model.json \\
      -o scores.csv
  clv score monthly.csv --counts per-period --model model.json -o scores.csv
  clv score customers.csv --model model.json \\
      --horizon \"24 months\" --margin 0.3 > scores.csv")]
pub(super) struct Args {
    /// A log (files, patterns such as 'logs/*.csv.gz', directories of Parquet) or a summary; - is standard input, for CSV
    #[arg(value_name = "INPUT", required = true)]
    input: Vec<PathBuf>,
    /// The model file, as `clv fit` writes it
    #[arg(long = "model", value_name = "FILE")]
    model_file: PathBuf,
    #[command(flatten)]
    output: TableOutput,
    /// The input is a table of counts per customer and period, as `clv fit` takes it, instead of a log or a summary
    #[arg(long, value_name = "per-period", value_parser = counts)]
    #[arg(conflicts_with_all = WITHOUT_MEANING, conflicts_with = "bands_before", help_heading = "Reading")]
    counts: Option<String>,
    /// Who has no row in the summary, as `clv summarize --excluded` wrote it: they have rows in the scores, with the reason, and count in the coverage
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    excluded: Option<PathBuf>,
    /// Also write what the scores come to as JSON: the definition they are by with its hash, totals with intervals, customers and revenue by status
    #[arg(long, value_name = "FILE")]
    account: Option<PathBuf>,
    #[command(flatten)]
    valuing: Valuing,
    /// An earlier table of scores (CSV): customers leave the bands they had only where that is as sure as the model's band confidence
    #[arg(long, value_name = "FILE", help_heading = "Value")]
    bands_before: Option<PathBuf>,
    #[command(flatten)]
    intervals: Intervals,
    #[command(flatten)]
    customer: CustomerColumn,
    #[command(flatten)]
    measured: MeasuredByModel,
    #[command(flatten)]
    acquiring: Acquiring,
    #[command(flatten)]
    common: Common,
}

/// What can be scored of tables of counts.
fn counts(text: &str) -> Result<String> {
    match text {
        "per-period" => Ok(text.to_owned()),
        "histograms" => Err(Error::parameter(
            "histograms are of cohorts and know no customer whom to score; fit a model to them with clv fit, and score a log, a summary or counts per period by it",
        )),
        _ => Err(Error::parameter(format!("{text:?} is not known; counts to be scored are per-period"))),
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.output.clone())?.differs_from(&[&args.model_file])?;
    let format = destination.format(args.output.format)?;
    let told = args.account.clone().map(|path| json_destination(Some(path), "the account", "account.json")).transpose()?;
    let told = told.map(|told| told.differs_from(&[&args.model_file])).transpose()?;
    if let Some(told) = &told {
        refuse_same_place(&[("the scores", destination.path()), ("their account", told.path())])?;
    }
    let model = input::model_file(&args.model_file)?;
    let customer_column = args.customer.customer_column.as_deref();
    let input = Input::measured_for(&model, &args.input, customer_column, &args.measured)?.acquired_as(&args.acquiring);
    let destination = destination.differs_from(&input.paths())?.differs_from(args.excluded.as_slice())?;
    let told = told.map(|told| told.differs_from(&input.paths())?.differs_from(args.excluded.as_slice())).transpose()?;
    let definition = args.valuing.or(model.definition())?;
    if args.counts.is_some() {
        let scored = counted::score(&input, &model, &definition, &args.intervals, &console)?;
        let ours = DefinitionInForce::new(&definition, model.unit(), model.spend_basis()).cleaned(model.data().cleaning.as_ref());
        let definitions = (ours.banded(model.bands().map(ValueBands::rule)), model.definition_in_force());
        let scores = drafted(&destination, |out| {
            let mut writer = TableWriter::new(format, out)?;
            writer.write(&scored.table()?)?;
            note_definition(&mut writer, &definitions.0);
            writer.finish()
        })?;
        let account = told_account(&console, &definitions, &definition, scored.end, (&scored.totals, None), &scored.coverage);
        return place(scores, told.as_ref(), &account);
    }
    // Read before the scoring, which takes longer.
    let excluded = args.excluded.as_deref().map(ExcludedRows::read).transpose()?;
    let mut work = Work { args: &args, model: &model, definition, console: &console, begun: None, read: None };
    let (mut failed, mut beside_a_log) = (None, false);
    let written = drafted(&destination, |out| {
        let mut writer = TableWriter::new(format, out)?;
        let mut last_write = Ok(());
        let read = input.customers_in_batches(&console, &mut |customers, kind| {
            match (&excluded, kind) {
                (Some(excluded), InputKind::Summary) => excluded.check_none_of(&customers)?,
                (Some(_), InputKind::Log) => {
                    beside_a_log = true;
                    return Err(Error::cancelled("a log has no use for --excluded"));
                }
                (None, _) => {}
            }
            let scored = work.score(&customers, kind)?;
            last_write = writer.write(&scored.table(&customers)?);
            if last_write.is_err() {
                return Err(Error::cancelled("the scores could not be written"));
            }
            work.add(customers, &scored)
        });
        let read = read.and_then(|read| {
            if let Some(excluded) = &excluded {
                let customers = excluded.customers(Customers::new(model.unit()).spend_over(model.spend_basis()));
                last_write = writer.write(&work.score(&customers, InputKind::Summary)?.table(&customers)?);
                work.count_excluded(&customers);
            }
            Ok(read)
        });
        // An error of the writer is one of the result, any other is not.
        last_write?;
        match read {
            Ok(read) => {
                work.read = read;
                note_definition(&mut writer, &work.definitions().0);
            }
            Err(error) => {
                failed = Some(error);
                return Err(Error::cancelled("there is nothing to write"));
            }
        }
        writer.finish()
    });
    match failed {
        Some(_) if beside_a_log => {
            Err(Failure::Usage("--excluded is for a summary; a log says itself who has no purchase left: leave the flag out".to_owned()))
        }
        Some(error) => Err(error.into()),
        None => {
            let scores = written?;
            let account = work.account()?;
            place(scores, told.as_ref(), &account)
        }
    }
}

/// Writes the scores aside, where they go to a file, or else to standard output.
fn drafted(destination: &Destination, write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Outcome<Option<Draft>> {
    let Destination::File(path) = destination else { return destination.write_with(write).map(|()| None) };
    let mut draft = Draft::new(path)?;
    draft.write(|out| write(out))?;
    Ok(Some(draft))
}

/// Puts the scores in their place, and beside them what they come to: both, or what was there before stays. The account comes first, so that a process that is killed in
/// between leaves no new scores beside an account of others.
fn place(scores: Option<Draft>, told: Option<&Destination>, account: &str) -> Outcome {
    let mut drafts = Vec::new();
    if let Some(Destination::File(path)) = told {
        let mut draft = Draft::new(path)?;
        draft.write(|out| out.write_all(account.as_bytes()).map_err(|error| Error::file("cannot write the account").because(error)))?;
        drafts.push(draft);
    }
    drafts.extend(scores);
    match <[Draft; 1]>::try_from(drafts) {
        // In one step, without a moment in which there is no file.
        Ok([only]) => only.place()?,
        Err(drafts) => Draft::place_all(drafts)?,
    }
    match told {
        Some(told @ Destination::Stdout) => told.write_text(account),
        _ => Ok(()),
    }
}

/// Rows of a summary up to which all are kept for the interval of their total.
const MOST_KEPT: usize = 1_000_000;

/// The scoring of one batch after the other.
struct Work<'a> {
    args: &'a Args,
    model: &'a ModelFile,
    definition: ClvDefinition,
    console: &'a Console,
    begun: Option<Begun<'a>>,
    read: Option<SummaryRead>,
}

/// What is known from the first batch on.
struct Begun<'a> {
    scoring: Scoring<'a>,
    end: Option<Date>,
    totals: Totals,
    coverage: Coverage,
    /// All customers so far, while they are kept.
    kept: Option<Customers>,
    /// Of a log.
    report: Option<DataReport>,
}

impl<'a> Work<'a> {
    fn score(&mut self, customers: &Customers, kind: InputKind) -> Result<Scored<'a>> {
        let begun = match &mut self.begun {
            Some(begun) => begun,
            none => {
                let end = observation_end(customers, self.model, kind, self.console);
                let Args { intervals, bands_before, common, .. } = self.args;
                let scoring =
                    Scoring::new(self.model, &self.definition, end, intervals, bands_before.as_deref(), common.seed, self.console)?;
                let report = customers.report().filter(|_| kind == InputKind::Log).cloned();
                none.insert(Begun { scoring, end, totals: Totals::default(), coverage: Coverage::default(), kept: None, report })
            }
        };
        if kind == InputKind::Summary {
            // How far it has come is shown where it is read.
            return begun.scoring.score(customers, None);
        }
        let busy = self.console.busy("intervals");
        begun.scoring.score(customers, Some(&busy.watch()))
    }

    fn add(&mut self, customers: Customers, scored: &Scored<'a>) -> Result<()> {
        let Some(begun) = &mut self.begun else { return Ok(()) };
        let first = begun.totals.customers == 0.0;
        begun.totals.add(&customers, &scored.scores);
        begun.coverage.add(&customers, &scored.statuses);
        match &mut begun.kept {
            Some(kept) if kept.len() + customers.len() <= MOST_KEPT => kept.append(&customers)?,
            Some(_) => {
                begun.kept = None;
                self.console.say(&format!(
                    "note: the total has no interval: of a summary no more than {} rows are kept in memory for it; the intervals of single customers \
                     do not depend on that",
                    grouped(MOST_KEPT as f64, 0)
                ));
            }
            none => *none = (first && begun.scoring.with_intervals()).then_some(customers),
        }
        Ok(())
    }

    fn count_excluded(&mut self, customers: &Customers) {
        if let Some(begun) = &mut self.begun {
            begun.coverage.add(customers, &[]);
        }
    }

    /// The definition that the scores are by, and that of the model.
    fn definitions(&self) -> (DefinitionInForce, DefinitionInForce) {
        let report = self.begun.as_ref().and_then(|begun| begun.report.as_ref());
        let cleaned = report.or(self.model.data().cleaning.as_ref());
        let ours = DefinitionInForce::new(&self.definition, self.model.unit(), self.model.spend_basis()).cleaned(cleaned);
        (ours.banded(self.model.bands().map(ValueBands::rule)), self.model.definition_in_force())
    }

    /// Tells what the scores come to, and gives it as JSON.
    fn account(self) -> Result<String> {
        let (definition, of_model) = self.definitions();
        let Some(Begun { scoring, end, totals, coverage, kept, report }) = self.begun else { return Ok(String::new()) };
        if let Some(unchecked) = self.read.as_ref().map(|read| read.unchecked_ids).filter(|&unchecked| unchecked > 0) {
            self.console.say(&format!(
                "note: {} ids come in no order and were not held against all of those before; sort the summary by its ids to know that none occurs twice",
                grouped(unchecked as f64, 0)
            ));
        }
        let skipped = self.read.map(|read| read.report).filter(|report| report.skipped.total().count > 0);
        if let Some(report) = report.as_ref().or(skipped.as_ref()) {
            self.console.say(&terminal::cleaning(report));
        }
        let forecast = match &kept {
            Some(customers) => scoring.total(customers, &totals, self.console)?,
            None => None,
        };
        let definitions = (definition, of_model);
        Ok(told_account(self.console, &definitions, &self.definition, end, (&totals, forecast.as_ref()), &coverage))
    }
}

/// Writes with the scores what definition they are by.
fn note_definition(writer: &mut TableWriter<impl Write + Send>, ours: &DefinitionInForce) {
    writer.note("clv.definition_hash", &ours.hash());
    writer.note("clv.definition", &ours.canonical());
}

/// Tells what scores come to, and gives it as JSON; the definitions in force are that of the scores and that of the model.
fn told_account(
    console: &Console,
    (ours, of_model): &(DefinitionInForce, DefinitionInForce),
    definition: &ClvDefinition,
    end: Option<Date>,
    (totals, forecast): (&Totals, Option<&(Level, GroupForecast)>),
    coverage: &Coverage,
) -> String {
    let differences = ours.differences(of_model);
    if !differences.is_empty() {
        console.say(&banding::other_definition(&differences, &ours.hash()));
    }
    console.say(&terminal::total(totals, forecast, definition, end));
    console.say(&terminal::coverage(coverage));
    account::account(&Scores { definition: ours, of_model, end, totals, forecast, shocks: None, coverage })
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
    horizon_start(own, model, console)
}
