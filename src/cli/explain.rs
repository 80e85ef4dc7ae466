//! `clv explain`: how one customer comes by their score.

use std::path::PathBuf;

use super::args::{Common, MeasuredByModel, Valuing};
use super::failure::{Failure, Outcome};
use super::input::{self, Input};
use super::output::Destination;
use crate::data::{Customers, Observation, Purchase, RefundPolicy, SpendBasis, TransactionLog};
use crate::error::{Error, Result};
use crate::fit::Level;
use crate::io::TableFormat;
use crate::models::{AnyPurchaseModel, BgNbd, Estimable, MbgNbd, Nbd, ParetoNbd, PurchaseModel};
use crate::report::explanation::{Counted, Event, Explanation, Fixed, Place, Step};
use crate::report::terminal;
use crate::score::{ClvDefinition, DefinitionInForce, FitRecord, ModelFile, ValueBands, ValueInterval};
use crate::time::{Moment, TimeUnit};

/// Explain the score of one customer: events, history, formulas
///
/// Shows the customer's events and what became of them, the history (x, t_x, T) with its arithmetic, and each formula with its inputs and its
/// result: P(alive), the parameters given alive, expected purchases, P(active), discounted purchases, expected spend and CLV.
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
    let destination = Destination::new(args.output)?.differs_from(&[&args.model_file])?;
    let by_ending = destination.path().and_then(TableFormat::of_path).filter(|&format| format == TableFormat::Json);
    let format = args.format.or(by_ending.map(|_| Format::Json)).unwrap_or(Format::Text);
    let model = input::model_file(&args.model_file)?;
    let customer_column = args.customer_column.as_deref();
    let input = Input::measured_for(&model, &args.input, customer_column, &args.measured)?;
    let destination = destination.differs_from(input.files.paths())?;
    let log = input.log(&console)?;
    let id = args.customer_id.as_str();
    let rows = log.transactions_of(id);
    if rows.is_empty() {
        return Err(unknown(id, &log).at(input.name()).into());
    }
    // Nobody's score depends on other customers, so a log of this one alone says the same; only the last day is that of the whole log.
    let observation = input.observation(&log, &console)?;
    let customers = TransactionLog::from_events(rows)?.summarize(&observation).map_err(|error| error.at(format!("customer {id:?}")))?;
    let purchases = log.purchases_of(id, &observation)?;
    let definition = args.valuing.or(model.definition())?;
    let explanation = explain(id, &log, &observation, &customers, &purchases, &model, &definition)?;
    let text = match format {
        Format::Text => explanation.to_string(),
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanation);
            json.map_err(|error| Failure::Work(Error::file("cannot write the explanation as JSON").because(error)))? + "\n"
        }
    };
    destination.write_text(&text)
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

fn explain<'a>(
    id: &'a str,
    log: &TransactionLog,
    observation: &Observation,
    customers: &Customers,
    purchases: &[Purchase],
    model: &'a ModelFile,
    definition: &ClvDefinition,
) -> Result<Explanation<'a>> {
    Ok(Explanation {
        customer_id: id,
        observation_end: observation.end,
        unit: observation.unit,
        value: terminal::in_full(definition, Some(observation.end)),
        events: events(id, log, observation, purchases),
        cleaning: customers.report().map(ToString::to_string).unwrap_or_default(),
        was_changed: customers.report().is_some_and(|report| report.used.count != purchases.len() as u64),
        purchases: purchases.iter().map(|purchase| Counted { time: purchase.time.to_string(), amount: purchase.amount }).collect(),
        history: history(customers, observation, purchases),
        purchase_model: fixed(model.purchases()),
        given_alive: {
            let future = model.purchase_model().given_alive(&customers.history(0));
            Fixed { model: future.name(), parameters: parameters(&future) }
        },
        update: update(model.purchase_model().name()),
        spend_model: model.spend().map(fixed),
        steps: steps(customers, model, definition, observation)?,
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
    let Some(bands) = model.bands().filter(|_| definition == model.definition()) else { return Ok(None) };
    let clv = model.scorer(Some(observation.end))?.score(&customers.history(0), &customers.spend(0)).clv;
    Ok(clv.map(|clv| Place { band: bands.band(clv), band_from: bands.limits().get(bands.place(clv)).copied(), score: bands.score(clv) }))
}

fn fixed(record: &FitRecord) -> Fixed<'_> {
    Fixed { model: record.model(), parameters: record.parameters().collect() }
}

fn parameters(model: &AnyPurchaseModel) -> Vec<(&'static str, f64)> {
    fn named<M: Estimable>(model: &M) -> Vec<(&'static str, f64)> {
        M::PARAMETERS.iter().map(|parameter| parameter.name).zip(model.parameters()).collect()
    }
    match model {
        AnyPurchaseModel::BgNbd(model) => named(model),
        AnyPurchaseModel::MbgNbd(model) => named(model),
        AnyPurchaseModel::ParetoNbd(model) => named(model),
        AnyPurchaseModel::Nbd(model) => named(model),
    }
}

/// Every row of the customer, and what became of it.
fn events(id: &str, log: &TransactionLog, observation: &Observation, purchases: &[Purchase]) -> Vec<Event> {
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
                Some(0) => "purchase 1, the first".to_owned(),
                Some(number) => format!("purchase {}", number + 1),
            }
        };
        Event { time: row.time.to_string(), amount: row.amount, used_as }
    });
    rows.collect()
}

/// (x, t_x, T) and m_x with their arithmetic.
fn history(customers: &Customers, observation: &Observation, purchases: &[Purchase]) -> Vec<Step> {
    let history = customers.history(0);
    let spend = customers.spend(0);
    let step = |name, meaning: String, formula: String, result| Step { name, meaning, with_inputs: formula.clone(), formula, result };
    let times = || Some((purchases.first()?.time, purchases.last()?.time));
    let mut steps = vec![step(
        "x",
        "repeat purchases: those after the first".to_owned(),
        format!("{} - 1", purchases.len()),
        Some(f64::from(history.frequency())),
    )];
    if let Some((first, last)) = times() {
        let end = Moment::from(observation.end);
        let end = if observation.merge.hours() == 1 { Moment::new(observation.end, 23).unwrap_or(end) } else { end };
        let unit = observation.unit;
        steps.push(step(
            "t_x",
            format!("{unit}s from the first purchase to the last"),
            between(first, last, unit),
            Some(history.recency()),
        ));
        steps.push(step(
            "T",
            format!("{unit}s from the first purchase to the observation end"),
            between(first, end, unit),
            Some(history.age()),
        ));
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
fn steps(customers: &Customers, model: &ModelFile, definition: &ClvDefinition, observation: &Observation) -> Result<Vec<Step>> {
    let (history, spend) = (customers.history(0), customers.spend(0));
    let scorer = model.scorer_by(definition, Some(observation.end))?;
    let (score, terms) = (scorer.score(&history, &spend), scorer.terms());
    let unit = observation.unit;
    let mut inputs: Vec<(&str, f64)> = model.purchases().parameters().collect();
    inputs.extend([("x", f64::from(history.frequency())), ("t_x", history.recency()), ("T", history.age())]);
    let purchase_model = model.purchase_model();
    let mut steps =
        vec![Step::new("P(alive)", "Still a customer?", p_alive(purchase_model.name(), history.frequency()), &inputs, Some(score.p_alive))];

    let future = purchase_model.given_alive(&history);
    let (t, delta) = (terms.horizon(), terms.discount_rate());
    let mut inputs = parameters(&future);
    let for_life = definition.horizon.is_lifetime();
    let span = if for_life {
        format!("t -> infinity (for life after {})", observation.end)
    } else {
        inputs.push(("t", t));
        format!("t = {t:.4} {unit}s ({} after {})", definition.horizon, observation.end)
    };
    let expected = if for_life { future.dert(0.0) } else { Some(future.expected_purchases(t)) };
    steps.push(Step::new(
        "E[X(t)]",
        format!("Purchases of such a customer if alive, {span}"),
        expected_purchases(future.name()),
        &inputs,
        expected,
    ));
    let product = |name, meaning: &str, inner: &'static str, value: Option<f64>, result| {
        let mut inputs = vec![("P_alive", score.p_alive)];
        inputs.extend(value.map(|value| (inner, value)));
        let mut step = Step::new(name, meaning, &format!("P_alive * {inner}"), &inputs, result);
        step.formula = format!("P(alive) * {}", pretty(inner));
        step
    };
    steps.push(product("expected_purchases", "Expected purchases", "E_X", expected, score.expected_purchases));
    steps.push(Step::new("P(X(t) > 0)", "At least one purchase, if alive", p_active(future.name()), &inputs, Some(future.p_active(t))));
    steps.push(product("p_active", "P(active): at least one purchase", "P_X", Some(future.p_active(t)), Some(score.p_active)));
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
        Some(future.discounted_expected_purchases(t, delta)),
    ));
    steps.push(product(
        "discounted_purchases",
        "Expected purchases, discounted",
        "D_t",
        Some(future.discounted_expected_purchases(t, delta)),
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
            let years = scorer.discounted_time_alive(&history) / unit.per_year();
            let meaning = "Years until dropout within the horizon, discounted";
            steps.push(Step::new("years_alive", meaning, "Int[0..t] e^(-delta * u) P(alive at u) du, in years", &[], Some(years)));
            inputs.extend([("cost_per_year", terms.cost_per_year().amount()), ("years_alive", years)]);
            formula += " - cost_per_year * years_alive";
        }
        steps.push(Step::new("clv", "CLV", &formula, &inputs, score.clv));
        let forecaster = model.forecaster_by(definition, Some(observation.end))?;
        let interval = forecaster.value_intervals(customers, Level::default(), None, None)?;
        // There is none for a lifetime, and where the spend has no mean.
        if let Some(ValueInterval { lower, upper, .. }) = interval.into_iter().next().flatten() {
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

fn p_alive(model: &str, frequency: u32) -> &'static str {
    match model {
        BgNbd::NAME if frequency == 0 => "1",
        BgNbd::NAME => "1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x))^(r + x))",
        MbgNbd::NAME => "1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x))^(r + x))",
        ParetoNbd::NAME => "1 / (1 + s * (alpha + T)^(r + x) * (beta + T)^s * Int[t_x..T] (alpha + u)^-(r + x) * (beta + u)^-(s + 1) du)",
        Nbd::NAME => "1",
        _ => "by the model's equation for P(alive)",
    }
}

/// The model of the future, given alive, in terms of the fitted one.
fn update(model: &str) -> &'static str {
    match model {
        BgNbd::NAME => "bg-nbd (r + x, alpha + T, a, b + x)",
        MbgNbd::NAME => "bg-nbd (r + x, alpha + T, a, b + x + 1)",
        ParetoNbd::NAME => "pareto-nbd (r + x, alpha + T, s, beta + T)",
        Nbd::NAME => "nbd (r + x, alpha + T)",
        _ => "the model with updated parameters",
    }
}

fn expected_purchases(model: &str) -> &'static str {
    match model {
        BgNbd::NAME => "mean of (1 - (1 + p * t / alpha)^-r) / p over p ~ Beta(a, b)",
        ParetoNbd::NAME => "r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + t))^(s - 1))",
        Nbd::NAME => "r * t / alpha",
        _ => "by the model's equation for E[X(t)]",
    }
}

fn p_active(model: &str) -> &'static str {
    match model {
        BgNbd::NAME | Nbd::NAME => "1 - (alpha / (alpha + t))^r",
        _ => "1 - P(X(t) = 0), by the model's equation for it",
    }
}
