//! `clv score`: what a model expects of every customer.

use std::path::PathBuf;

use super::acquiring::Acquiring;
use super::args::{Common, CustomerColumn, Intervals, MeasuredByModel, TableOutput, Valuing};
use super::failure::{Failure, Outcome};
use super::input::{self, Input};
use super::output::{Console, Destination, json_destination};
use super::scoring::{Scored, Scoring};
use crate::data::{Customers, DataReport, grouped};
use crate::error::{Error, Result};
use crate::io::{InputKind, SummaryRead, TableWriter};
use crate::report::account::{self, Scores};
use crate::report::{banding, terminal};
use crate::score::{ClvDefinition, Coverage, DefinitionInForce, ModelFile, Totals, ValueBands};
use crate::time::Date;

/// Score the customers of a log or a summary by a model file
///
/// Writes one row per customer: customer_id, frequency, recency, age, p_alive, p_active, expected_purchases, expected_average_spend, clv,
/// clv_lower, clv_upper, status, prior_weight, band, score. From clv_lower to clv_upper the CLV lies with a probability of 90 % (--level): chance and what the data leave
/// open of the parameters. A log is summarised in the unit of the model. Horizon, discount and margin are those of the model file unless given. The
/// status is scored; prior_dominated where more than nine tenths of the expected purchase rate are that of the base (prior_weight) and not even one repeat
/// purchase would have been expected so far; left_truncated where
/// purchases before the log may be missing; no_spend_estimate where there is no expected spend, and spend and CLV are empty; or excluded, with the reason, in
/// the rows of those who have no purchase left. The band and the score from 0 to 100 are by limits that the model file has from its fit: they change when a
/// customer changes, not when others do.
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

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.output.clone())?.differs_from(&[&args.model_file])?;
    let format = destination.format(args.output.format)?;
    let told = args.account.clone().map(|path| json_destination(Some(path), "the account", "account.json")).transpose()?;
    let told = told.map(|told| told.differs_from(&[&args.model_file])).transpose()?;
    if told.as_ref().is_some_and(|told| told.path() == destination.path()) {
        return Err(Failure::Usage(
            "the scores and their account cannot go to the same place; name another file for one of them".to_owned(),
        ));
    }
    let model = input::model_file(&args.model_file)?;
    let customer_column = args.customer.customer_column.as_deref();
    let input = Input::measured_for(&model, &args.input, customer_column, &args.measured)?.acquired_as(&args.acquiring);
    let destination = destination.differs_from(input.files.paths())?;
    let told = told.map(|told| told.differs_from(input.files.paths())).transpose()?;
    let definition = args.valuing.or(model.definition())?;
    let mut work = Work { args: &args, model: &model, definition, console: &console, begun: None, read: None };
    let mut failed = None;
    let written = destination.write_with(|out| {
        let mut writer = TableWriter::new(format, out)?;
        let mut last_write = Ok(());
        let read = input.customers_in_batches(&console, &mut |customers, kind| {
            let scored = work.score(&customers, kind)?;
            last_write = writer.write(&scored.table(&customers)?);
            if last_write.is_err() {
                return Err(Error::cancelled("the scores could not be written"));
            }
            work.add(customers, &scored)
        });
        // An error of the writer is one of the result, any other is not.
        last_write?;
        match read {
            Ok(read) => {
                work.read = read;
                let (ours, _) = work.definitions();
                writer.note("clv.definition_hash", &ours.hash());
                writer.note("clv.definition", &ours.canonical());
            }
            Err(error) => {
                failed = Some(error);
                return Err(Error::cancelled("there is nothing to write"));
            }
        }
        writer.finish()
    });
    match failed {
        Some(error) => Err(error.into()),
        None => {
            written?;
            let account = work.account()?;
            told.map_or(Ok(()), |told| told.write_text(&account))
        }
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
        let differences = definition.differences(&of_model);
        if !differences.is_empty() {
            self.console.say(&banding::other_definition(&differences, &definition.hash()));
        }
        let forecast = match &kept {
            Some(customers) => scoring.total(customers, &totals, self.console)?,
            None => None,
        };
        self.console.say(&terminal::total(&totals, forecast.as_ref(), &self.definition, end));
        self.console.say(&terminal::coverage(&coverage));
        let forecast = forecast.as_ref();
        let scores = Scores { definition: &definition, of_model: &of_model, end, totals: &totals, forecast, coverage: &coverage };
        Ok(account::account(&scores))
    }
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
    if let (Some(own), Some(fitted)) = (own, model.observation_end())
        && own < fitted
    {
        console.say(&format!(
            "note: the customers are seen until {own}, and the model was fitted to data until {fitted}: it knows what came after {own}, so that these scores are no \
             forecast that could have been made then"
        ));
    }
    own.or(model.observation_end())
}
