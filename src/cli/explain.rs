//! `clv explain`: how one customer comes by their score.

use std::path::PathBuf;

use super::acquiring::Acquiring;
use super::args::{Common, MeasuredByModel, Valuing};
use super::failure::{Failure, Outcome};
use super::formulas::GivenAlive;
use super::input::{self, Input};
use super::output::Destination;
use super::steps::{history, steps};
use super::subject::{Found, Subject};
use crate::data::{Birth, Customers, DuplicatePolicy, MergePeriod, Observation, Purchase, RefundPolicy, TransactionLog};
use crate::error::{Error, Result};
use crate::io::TableFormat;
use crate::report::explanation::{Counted, Event, Explanation, Fixed, Place, Unscored};
use crate::report::terminal;
use crate::score::{ClvDefinition, DefinitionInForce, FitRecord, ModelFile, ScoreStatus, ValueBands};
use crate::time::Moment;

/// Explain the score of one customer: events, history, formulas
///
/// Shows the customer's events and what became of them, the history (x, t_x, T) with its arithmetic, and each formula with its inputs and its
/// result: P(alive), the parameters given alive, expected purchases, P(active), discounted purchases, expected spend and CLV. Of a customer acquired before the
/// log (--acquired) the formulas are those of the left-truncated likelihood, as for `clv score`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv explain orders.csv --customer 00004 --model model.json \\
      --observation-end 1997-09-30
  clv explain shop.csv --customer C-77 --model model.json \\
      --customer-column user --format json")]
pub(super) struct Args {
    /// The log: files, patterns such as 'logs/*.csv.gz', directories of Parquet; - is standard input, for CSV
    #[arg(value_name = "LOG", required = true)]
    input: Vec<PathBuf>,
    /// The customer's id, as it is written in the log
    #[arg(long = "customer", value_name = "ID")]
    customer_id: String,
    /// The model file, as `clv fit` writes it
    #[arg(long = "model", value_name = "FILE")]
    model_file: PathBuf,
    /// File to write, whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// text or json [default: by the file's ending, else text]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    #[command(flatten)]
    valuing: Valuing,
    /// Column of the customer id [default: customer_id]
    #[arg(long, value_name = "COLUMN", help_heading = "Reading")]
    customer_column: Option<String>,
    #[command(flatten)]
    measured: MeasuredByModel,
    #[command(flatten)]
    acquiring: Acquiring,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

fn format(text: &str) -> Result<Format> {
    match text {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err(Error::parameter(format!("format {text:?} is not known here; it is one of text, json"))),
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let console = args.common.start()?;
    let destination = Destination::new(args.output.clone())?.differs_from(&[&args.model_file])?;
    let by_ending = destination.path().and_then(TableFormat::of_path).filter(|&format| format == TableFormat::Json);
    let format = args.format.or(by_ending.map(|_| Format::Json)).unwrap_or(Format::Text);
    let model = input::model_file(&args.model_file)?;
    let customer_column = args.customer_column.as_deref();
    let input = Input::measured_for(&model, &args.input, customer_column, &args.measured)?.acquired_as(&args.acquiring);
    let destination = destination.differs_from(&input.paths())?;
    let log = input.log(&console)?;
    let definition = args.valuing.or(model.definition())?;
    let text = match Subject::of(&args.customer_id, &args.acquiring, &log, &input, &console)? {
        Found::Scored(subject) => text_of(&explain(&subject, &model, &definition)?, format)?,
        Found::Excluded(why, observation) => {
            let id = args.customer_id.as_str();
            let purchases = log.purchases_of(id, &observation).unwrap_or_default();
            let events = events(id, &log, &observation, &purchases, true);
            let status = ScoreStatus::Excluded(why).to_string();
            text_of(&Unscored { customer_id: id, observation_end: observation.end, status, events }, format)?
        }
    };
    destination.write_text(&text)
}

fn text_of(explanation: &(impl serde::Serialize + std::fmt::Display), format: Format) -> Outcome<String> {
    match format {
        Format::Text => Ok(explanation.to_string()),
        Format::Json => {
            let json = serde_json::to_string_pretty(explanation);
            Ok(json.map_err(|error| Failure::Work(Error::file("cannot write the explanation as JSON").because(error)))? + "\n")
        }
    }
}

fn explain<'a>(subject: &Subject<'a>, model: &'a ModelFile, definition: &ClvDefinition) -> Result<Explanation<'a>> {
    let Subject { observation, customers, purchases, cleaning, .. } = subject;
    let scorer = model.scorer_by(definition, Some(observation.end))?;
    let alive = GivenAlive::of(&scorer, model.purchase_model(), customers);
    Ok(Explanation {
        customer_id: subject.id,
        observation_end: observation.end,
        unit: observation.unit,
        value: terminal::in_full(definition, Some(observation.end)),
        birth: subject.birth(),
        events: events(subject.id, subject.log, observation, purchases, matches!(customers.birth(0), Birth::InLog)),
        cleaning: cleaning.as_ref().map(ToString::to_string).unwrap_or_default(),
        was_changed: cleaning.as_ref().is_some_and(|report| report.used.count != purchases.len() as u64),
        purchases: purchases
            .iter()
            .map(|purchase| Counted { time: time_of(purchase.time, observation.merge), amount: purchase.amount })
            .collect(),
        history: history(subject),
        purchase_model: fixed(model.purchases()),
        given_alive: Fixed { model: alive.model, parameters: alive.parameters.clone() },
        update: alive.update,
        spend_model: model.spend().map(fixed),
        steps: steps(subject, &alive, model, definition)?,
        place: place(customers, model, definition, observation)?,
        definition_hash: DefinitionInForce::new(definition, model.unit(), model.spend_basis())
            .cleaned_by(observation.refunds, observation.duplicates, observation.merge)
            .banded(model.bands().map(ValueBands::rule))
            .hash(),
    })
}

/// The band of the customer, by the limits of the model, which are of its own definition.
fn place<'a>(
    customers: &Customers,
    model: &'a ModelFile,
    definition: &ClvDefinition,
    observation: &Observation,
) -> Result<Option<Place<'a>>> {
    let Some(bands) = model.bands().filter(|_| definition.values_customers_as(model.definition())) else { return Ok(None) };
    let clv = model.scorer(Some(observation.end))?.score_row(customers, 0).clv;
    Ok(clv.map(|clv| Place { band: bands.band(clv), band_from: bands.limits().get(bands.place(clv)).copied(), score: bands.score(clv) }))
}

fn fixed(record: &FitRecord) -> Fixed<'_> {
    Fixed { model: record.model(), parameters: record.parameters().collect() }
}

/// A time as far as it is known and counts: the log keeps the hour of a row, and no more of it.
fn time_of(time: Moment, merge: MergePeriod) -> String {
    match merge {
        MergePeriod::Day => time.date().to_string(),
        MergePeriod::Hour => format!("{}T{:02}", time.date(), time.hour_of_day()),
    }
}

/// Every row of the customer, and what became of it.
fn events(id: &str, log: &TransactionLog, observation: &Observation, purchases: &[Purchase], is_new: bool) -> Vec<Event> {
    let period = |time: Moment| time.hours_since_1970().div_euclid(observation.merge.hours());
    let (mut last, mut before) = (None, None);
    let rows = log.transactions_of(id).into_iter().map(|row| {
        let repeats = before.replace(row) == Some(row) && observation.duplicates == DuplicatePolicy::Drop;
        let (own, merged) = (period(row.time), last == Some(period(row.time)));
        let purchase = purchases.iter().position(|purchase| period(purchase.time) == own);
        let used_as = if row.time.date() > observation.end {
            format!("nothing: after {}", observation.end)
        } else if repeats {
            "nothing: repeats the row before, and duplicates are dropped".to_owned()
        } else if row.amount < 0.0 {
            match observation.refunds {
                RefundPolicy::Drop => "nothing: refunds are dropped".to_owned(),
                RefundPolicy::Net | RefundPolicy::Error => "refund, set against the purchases before it".to_owned(),
            }
        } else {
            last = Some(own);
            match purchase {
                None => "nothing: refunded".to_owned(),
                Some(number) if merged => format!("part of purchase {}: the same {}", number + 1, observation.merge),
                Some(0) if is_new => "purchase 1, the first".to_owned(),
                Some(number) => format!("purchase {}", number + 1),
            }
        };
        Event { time: time_of(row.time, observation.merge), amount: row.amount, used_as }
    });
    rows.collect()
}
