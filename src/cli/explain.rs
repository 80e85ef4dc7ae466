//! `clv explain`: how one customer comes by their score.

use std::path::PathBuf;

use super::acquiring::Acquiring;
use super::args::{Common, MeasuredByModel, Valuing};
use super::failure::{Failure, Outcome};
use super::formulas::GivenAlive;
use super::input::{self, Input};
use super::output::{Console, Destination};
use crate::data::{Birth, Customers, DataReport, Exclusion, MergePeriod, Observation, Purchase, RefundPolicy, SpendBasis, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::io::TableFormat;
use crate::report::explanation::{Counted, Event, Explanation, Fixed, Place, Step, Unscored};
use crate::report::terminal;
use crate::score::{ClvDefinition, DefinitionInForce, FitRecord, ModelFile, ScoreStatus, ValueBands, ValueInterval};
use crate::time::{Date, Moment, TimeUnit};

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
    let text = match Subject::of(&args, &log, &input, &console)? {
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

/// What there is to say of a customer who was asked for.
enum Found<'a> {
    Scored(Box<Subject<'a>>),
    /// Seen, and without a score.
    Excluded(Exclusion, Observation),
}

/// The customer who is explained.
struct Subject<'a> {
    id: &'a str,
    log: &'a TransactionLog,
    observation: Observation,
    /// This one alone.
    customers: Customers,
    purchases: Vec<Purchase>,
    /// How the customer's rows were cleaned; none where there is no row.
    cleaning: Option<DataReport>,
    /// The first day of the log.
    start: Option<Date>,
}

impl<'a> Subject<'a> {
    fn of(args: &'a Args, log: &'a TransactionLog, input: &Input<'_>, console: &Console) -> Result<Found<'a>> {
        let id = args.customer_id.as_str();
        let rows = log.transactions_of(id);
        let by_births = args.acquiring.for_a_log().next().is_some();
        if rows.is_empty() && !by_births {
            return Err(unknown(id, log).at(input.name()));
        }
        let alone = |observation: &Observation| {
            TransactionLog::from_events(log.transactions_of(id))?
                .summarize(observation)
                .map_err(|error| error.at(format!("customer {id:?}")))
        };
        let (customers, observation, cleaning, start) = if by_births {
            // When the log starts, and who has a date of acquisition, all rows say together.
            let (all, observation) = input.summarize(log, console)?;
            let Some(row) = all.find(id) else {
                let excluded = all.excluded().find(|(other, _)| *other == id);
                return excluded.map(|(_, why)| Found::Excluded(why, observation)).ok_or_else(|| unknown(id, log).at(input.name()));
            };
            let start = all.report().and_then(|report| report.first_date);
            // Of somebody who bought nothing within the log there is nothing to clean.
            let cleaning = match log.purchases_of(id, &observation)?.is_empty() {
                true => None,
                false => alone(&observation)?.report().cloned(),
            };
            (all.where_row(|other| other == row)?, observation, cleaning, start)
        } else {
            // Nobody's score depends on other customers, so a log of this one alone says the same; only the last day is that of the whole log.
            let observation = input.observation(log, console)?;
            let is_seen = rows.iter().any(|row| row.time.date() <= observation.end);
            if log.purchases_of(id, &observation)?.is_empty() {
                let why = if is_seen { Exclusion::NoPurchase } else { Exclusion::SeenAfterEnd };
                return Ok(Found::Excluded(why, observation));
            }
            let customers = alone(&observation)?;
            let cleaning = customers.report().cloned();
            (customers, observation, cleaning, log.first_date())
        };
        let purchases = log.purchases_of(id, &observation)?;
        Ok(Found::Scored(Box::new(Subject { id, log, observation, customers, purchases, cleaning, start })))
    }

    /// What is to be known of the birth before the numbers are read; nothing of one in the log.
    fn birth(&self) -> Option<String> {
        let (start, record) = (self.start?, self.customers.purchases().first()?);
        match self.customers.birth(0) {
            Birth::InLog => None,
            Birth::Before(_) => Some(format!(
                "Acquired on {}, before the log starts on {start}: what was bought until then is not known, and the score is that of the left-truncated likelihood",
                record.first
            )),
            Birth::Unknown => Some(format!(
                "First seen on {}, within the run-in from {start}: purchases before may be missing, and the score is that of somebody who was new then",
                record.first
            )),
        }
    }
}

/// The ids most like one that is not there: the same but for leading zeros, case or spaces.
fn unknown(id: &str, log: &TransactionLog) -> Error {
    let core = |id: &str| id.trim().trim_start_matches('0').to_lowercase();
    let wanted = core(id);
    let like: Vec<String> = {
        let mut like: Vec<&str> = log.customer_ids().filter(|other| core(other) == wanted).collect();
        like.sort_unstable();
        like.iter().take(3).map(|id| format!("{id:?}")).collect()
    };
    let hint = match like.as_slice() {
        [] => format!("the log has {} customers, among them {:?}", log.customer_count(), log.customer_ids().min().unwrap_or_default()),
        like => format!("ids are text; did you mean {}?", like.join(" or ")),
    };
    Error::data(format!("there is no customer {id:?}; {hint}"))
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
            .cleaned_by(observation.refunds, observation.merge)
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
    let mut last = None;
    let rows = log.transactions_of(id).into_iter().map(|row| {
        let (own, merged) = (period(row.time), last == Some(period(row.time)));
        let purchase = purchases.iter().position(|purchase| period(purchase.time) == own);
        let used_as = if row.time.date() > observation.end {
            format!("nothing: after {}", observation.end)
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

/// (x, t_x, T) and m_x with their arithmetic.
fn history(subject: &Subject<'_>) -> Vec<Step> {
    let Subject { observation, customers, purchases, .. } = subject;
    let history = customers.history(0);
    let spend = customers.spend(0);
    let unit = observation.unit;
    let step = |name, meaning: String, formula: String, result| Step { name, meaning, with_inputs: formula.clone(), formula, result };
    let before = match customers.birth(0) {
        Birth::Before(w) => Some(w),
        Birth::InLog | Birth::Unknown => None,
    };
    let end = Moment::from(observation.end);
    let end = if observation.merge.hours() == 1 { Moment::new(observation.end, 23).unwrap_or(end) } else { end };
    let born = customers.purchases().first().map(|record| record.first);
    let (origin, x) = match before {
        None => ("first purchase", ("repeat purchases: those after the first", format!("{} - 1", purchases.len()))),
        Some(_) => ("acquisition", ("purchases of the log; the first of all came before it", String::new())),
    };
    let mut steps = vec![step("x", x.0.to_owned(), x.1, Some(f64::from(history.frequency())))];
    if let Some(born) = born {
        let last = purchases.last().map(|purchase| between(born, purchase.time, unit));
        let to_last = match last {
            Some(_) => format!("{unit}s from the {origin} to the last"),
            None => "nothing was bought in the log".to_owned(),
        };
        let to_last = if before.is_some() && last.is_some() { format!("{to_last} purchase") } else { to_last };
        steps.push(step("t_x", to_last, last.unwrap_or_default(), Some(history.recency())));
        steps.push(step("T", format!("{unit}s from the {origin} to the observation end"), between(born, end, unit), Some(history.age())));
    }
    if let (Some(w), Some(born), Some(start)) = (before, born, subject.start) {
        steps.push(step("w", format!("{unit}s from the acquisition to the start of the log"), between(born, start.into(), unit), Some(w)));
        steps.push(step("C", format!("{unit}s in which purchases were seen"), "T - w".to_owned(), Some(customers.exposure(0))));
    }
    let basis = match customers.spend_basis() {
        SpendBasis::RepeatPurchases => "repeat purchases",
        SpendBasis::AllPurchases => "purchases",
    };
    let known = (spend.purchases() > 0).then(|| spend.mean());
    let meaning = match known {
        Some(_) => format!("mean spend of the {} {basis}", spend.purchases()),
        None => format!("spend: none of the {basis} has a positive amount"),
    };
    steps.push(step("m_x", meaning, String::new(), known));
    steps
}

/// A length of time as a difference of dates, divided by the unit.
fn between(first: Moment, last: Moment, unit: TimeUnit) -> String {
    let hours = last.hours_since_1970() - first.hours_since_1970();
    let length = match (hours % 24, unit) {
        (0, TimeUnit::Day) => format!("{} days", hours / 24),
        (0, TimeUnit::Hour) => format!("{} days * 24", hours / 24),
        (0, TimeUnit::Week) => format!("{} days / 7", hours / 24),
        (_, TimeUnit::Hour) => format!("{hours} hours"),
        (_, TimeUnit::Day | TimeUnit::Week) => format!("{hours} hours / {}", unit.hours()),
    };
    format!("{last} - {first} = {length}")
}

/// The formulas with their numbers, P(alive) first. The results are the library's.
fn steps(subject: &Subject<'_>, alive: &GivenAlive, model: &ModelFile, definition: &ClvDefinition) -> Result<Vec<Step>> {
    let Subject { observation, customers, .. } = subject;
    let (history, spend) = (customers.history(0), customers.spend(0));
    let scorer = model.scorer_by(definition, Some(observation.end))?;
    let (score, terms) = (scorer.score_row(customers, 0), scorer.terms());
    let unit = observation.unit;
    let mut inputs: Vec<(&str, f64)> = model.purchases().parameters().collect();
    inputs.extend([("x", f64::from(history.frequency())), ("t_x", history.recency()), ("T", history.age())]);
    if let Birth::Before(w) = customers.birth(0) {
        inputs.extend([("w", w), ("C", customers.exposure(0))]);
    }
    let mut steps = vec![Step::new("P(alive)", "Still a customer?", alive.p_alive, &inputs, Some(score.p_alive))];

    let (t, delta) = (terms.horizon(), terms.discount_rate());
    let mut inputs = alive.parameters.clone();
    let for_life = definition.horizon.is_lifetime();
    let span = if for_life {
        format!("t -> infinity (for life after {})", observation.end)
    } else {
        inputs.push(("t", t));
        format!("t = {t:.4} {unit}s ({} after {})", definition.horizon, observation.end)
    };
    steps.push(Step::new("E[X(t)]", format!("Purchases of such a customer if alive, {span}"), alive.expected_by, &inputs, alive.expected));
    let product = |name, meaning: &str, inner: &'static str, value: Option<f64>, result| {
        let mut inputs = vec![("P_alive", score.p_alive)];
        inputs.extend(value.map(|value| (inner, value)));
        let mut step = Step::new(name, meaning, &format!("P_alive * {inner}"), &inputs, result);
        step.formula = format!("P(alive) * {}", pretty(inner));
        step
    };
    steps.push(product("expected_purchases", "Expected purchases", "E_X", alive.expected, score.expected_purchases));
    steps.push(Step::new("P(X(t) > 0)", "At least one purchase, if alive", alive.p_active_by, &inputs, Some(alive.p_active)));
    steps.push(product("p_active", "P(active): at least one purchase", "P_X", Some(alive.p_active), Some(score.p_active)));
    steps.push(Step::new(
        "delta",
        format!("Discount rate per {unit}, continuous"),
        "ln(1 + annual_rate) / units_per_year",
        &[("annual_rate", definition.annual_discount.annual_rate()), ("units_per_year", unit.per_year())],
        Some(delta),
    ));
    steps.push(Step::new(
        "D(t)",
        "Purchases if alive, each discounted to the observation end",
        "Int[0..t] e^(-delta * u) dE[X(u)]",
        &if for_life { vec![("delta", delta)] } else { vec![("delta", delta), ("t", t)] },
        Some(alive.discounted),
    ));
    steps.push(product(
        "discounted_purchases",
        "Expected purchases, discounted",
        "D_t",
        Some(alive.discounted),
        Some(score.discounted_purchases),
    ));
    if let Some(record) = model.spend() {
        let mut inputs: Vec<(&str, f64)> = record.parameters().collect();
        inputs.extend([("n", f64::from(spend.purchases())), ("m_x", spend.mean())]);
        steps.push(Step::new(
            "expected_average_spend",
            format!("Expected spend of a purchase, from n = {} purchases of mean m_x", spend.purchases()),
            "p * (gamma + n * m_x) / (p * n + q - 1)",
            &inputs,
            score.expected_average_spend,
        ));
        let mut inputs = vec![("margin", terms.margin().share()), ("discounted_purchases", score.discounted_purchases)];
        inputs.extend(score.expected_average_spend.map(|amount| ("expected_average_spend", amount)));
        let mut formula = "margin * discounted_purchases * expected_average_spend".to_owned();
        if !terms.cost_per_purchase().is_zero() {
            inputs.push(("cost_per_purchase", terms.cost_per_purchase().amount()));
            formula += " - cost_per_purchase * discounted_purchases";
        }
        if !terms.cost_per_year().is_zero() {
            let years = alive.time_alive / unit.per_year();
            let meaning = "Years until dropout within the horizon, discounted";
            steps.push(Step::new("years_alive", meaning, "Int[0..t] e^(-delta * u) P(alive at u) du, in years", &[], Some(years)));
            inputs.extend([("cost_per_year", terms.cost_per_year().amount()), ("years_alive", years)]);
            formula += " - cost_per_year * years_alive";
        }
        steps.push(Step::new("clv", "CLV", &formula, &inputs, score.clv));
        let forecaster = model.forecaster_by(definition, Some(observation.end))?;
        let intervals = forecaster.value_intervals_by_birth(customers, Level::default(), None, None)?;
        // There is none for a lifetime, and where the spend has no mean.
        if let Some(ValueInterval { lower, upper, .. }) = intervals.into_iter().next().flatten() {
            let meaning = "End of the 90 % interval: chance, and what the data leave open of the parameters";
            steps.push(Step::new("clv_lower", meaning, "v where P(CLV <= v) = 0.05", &[], Some(lower)));
            steps.push(Step::new("clv_upper", meaning, "v where P(CLV <= v) = 0.95", &[], Some(upper)));
        }
    }
    Ok(steps)
}

fn pretty(inner: &str) -> &'static str {
    match inner {
        "E_X" => "E[X(t)]",
        "P_X" => "P(X(t) > 0)",
        _ => "D(t)",
    }
}
