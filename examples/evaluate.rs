//! Evaluates a model at every row of a JSON file, so that anyone can check any point against another program:
//!
//! ```text
//! cargo run --release --example evaluate -- IN.json OUT.json
//! ```
//!
//! `IN.json` holds `"model"` (bgnbd, mbgnbd, paretonbd, nbd or gammagamma) and `"rows"`, objects of decimal strings:
//! - inputs: r, alpha, a, b (bgnbd, mbgnbd); r, alpha, s, beta (paretonbd); r, alpha (nbd), each with x, t_x, T; or p, q, gamma, x, zbar (gammagamma);
//! - outputs: log_likelihood, p_alive, p_dead, `cexp_t=...` (expected purchases in the time ...), `dert_delta=...` (for life, discounted); or
//!   log_likelihood, cond_mean (gammagamma). What stands there is replaced by the value computed. A row without any gets log_likelihood,
//!   p_alive and p_dead, or log_likelihood and cond_mean.
//!
//! Values have 17 significant digits; null is one that does not exist (an infinite sum, a mean that is not finite). Everything else is kept.
#![allow(clippy::print_stderr, reason = "a program tells what went wrong on standard error")]

use std::process::ExitCode;

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory};
use serde_json::{Map, Value};

type Outcome<T> = Result<T, String>;

/// The value of an output by its name; `None` where it does not exist.
type Output = dyn Fn(&str) -> Outcome<Option<f64>>;

/// The model of a file.
#[derive(Clone, Copy)]
enum Model {
    /// A purchase model: its name in the crate and its parameters in the file.
    Purchases(&'static str, &'static [&'static str]),
    Spend,
}

impl Model {
    fn of(document: &Value) -> Outcome<Self> {
        let name = document["model"].as_str().ok_or("no \"model\"; it is one of bgnbd, mbgnbd, paretonbd, nbd, gammagamma")?;
        match name {
            "bgnbd" => Ok(Model::Purchases("bg-nbd", &["r", "alpha", "a", "b"])),
            "mbgnbd" => Ok(Model::Purchases("mbg-nbd", &["r", "alpha", "a", "b"])),
            "paretonbd" => Ok(Model::Purchases("pareto-nbd", &["r", "alpha", "s", "beta"])),
            "nbd" => Ok(Model::Purchases("nbd", &["r", "alpha"])),
            "gammagamma" => Ok(Model::Spend),
            other => Err(format!("model {other:?} is not known; it is one of bgnbd, mbgnbd, paretonbd, nbd, gammagamma")),
        }
    }

    /// The names of the inputs, and the outputs of a row that names none.
    fn fields(self) -> (Vec<&'static str>, &'static [&'static str]) {
        match self {
            Model::Purchases(_, parameters) => {
                ([parameters, ["x", "t_x", "T"].as_slice()].concat(), ["log_likelihood", "p_alive", "p_dead"].as_slice())
            }
            Model::Spend => (vec!["p", "q", "gamma", "x", "zbar"], ["log_likelihood", "cond_mean"].as_slice()),
        }
    }
}

/// A number, given as a decimal string or a JSON number.
fn number(row: &Map<String, Value>, key: &str) -> Outcome<f64> {
    let value = row.get(key).ok_or_else(|| format!("no {key:?}"))?;
    let number = value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok());
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("{key} = {value} is no finite number"))
}

/// A count: a whole number below 2^32.
fn count(row: &Map<String, Value>, key: &str) -> Outcome<u32> {
    let value = number(row, key)?;
    let whole = value as u32;
    if f64::from(whole) == value { Ok(whole) } else { Err(format!("{key} = {value} is no whole number of 0 to {}", u32::MAX)) }
}

/// The argument in the name of an output: `cexp_t=39`.
fn argument(key: &str, prefix: &str) -> Option<Outcome<f64>> {
    let text = key.strip_prefix(prefix)?;
    let parsed = text.parse::<f64>().ok().filter(|value| *value >= 0.0 && value.is_finite());
    Some(parsed.ok_or_else(|| format!("{key}: {text:?} is no number of at least 0")))
}

/// The output named `key`; `None` where it does not exist.
fn purchase_output(model: &AnyPurchaseModel, history: &History, key: &str) -> Outcome<Option<f64>> {
    if let Some(t) = argument(key, "cexp_t=") {
        return Ok(Some(model.conditional_expected_purchases(history, t?)));
    }
    if let Some(delta) = argument(key, "dert_delta=") {
        return Ok(model.conditional_dert(history, delta?));
    }
    match key {
        "log_likelihood" => Ok(Some(model.ln_likelihood(history))),
        "p_alive" => Ok(Some(model.p_alive(history))),
        "p_dead" => Ok(Some(model.p_dead(history))),
        _ => Err(format!(
            "{key:?} is neither an input nor an output; outputs are log_likelihood, p_alive, p_dead, cexp_t=..., dert_delta=..."
        )),
    }
}

fn spend_output(model: &GammaGamma, spend: &SpendHistory, key: &str) -> Outcome<Option<f64>> {
    match key {
        "log_likelihood" => Ok(Some(model.ln_likelihood(spend))),
        "cond_mean" => Ok(model.expected_average_spend(spend)),
        _ => Err(format!("{key:?} is neither an input nor an output; outputs are log_likelihood, cond_mean")),
    }
}

/// 17 significant digits: enough to give the double back.
fn text(value: Option<f64>) -> Value {
    value.filter(|value| value.is_finite()).map_or(Value::Null, |value| Value::String(format!("{value:.16e}")))
}

/// Fills in the outputs of one row.
fn evaluate_row(model: Model, row: &mut Map<String, Value>) -> Outcome<()> {
    let (inputs, usual) = model.fields();
    let mut outputs: Vec<String> = row.keys().filter(|key| !inputs.contains(&key.as_str())).cloned().collect();
    if outputs.is_empty() {
        outputs = usual.iter().map(|&key| key.to_owned()).collect();
    }
    let output: Box<Output> = match model {
        Model::Purchases(name, parameters) => {
            let parameters = parameters.iter().map(|name| number(row, name)).collect::<Outcome<Vec<f64>>>()?;
            let model = AnyPurchaseModel::from_name(name, &parameters).map_err(|error| error.to_string())?;
            let history = History::new(count(row, "x")?, number(row, "t_x")?, number(row, "T")?).map_err(|error| error.to_string())?;
            Box::new(move |key| purchase_output(&model, &history, key))
        }
        Model::Spend => {
            let [p, q, gamma] = [number(row, "p")?, number(row, "q")?, number(row, "gamma")?];
            let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).map_err(|error| error.to_string())?;
            let spend = SpendHistory::new(count(row, "x")?, number(row, "zbar")?).map_err(|error| error.to_string())?;
            Box::new(move |key| spend_output(&model, &spend, key))
        }
    };
    for key in outputs {
        let value = text(output(&key)?);
        row.insert(key, value);
    }
    Ok(())
}

fn evaluate(document: &mut Value) -> Outcome<()> {
    let model = Model::of(document)?;
    let rows = document["rows"].as_array_mut().ok_or("no \"rows\"; they are an array of objects")?;
    for (index, row) in rows.iter_mut().enumerate() {
        let row = row.as_object_mut().ok_or_else(|| format!("row {}: no object", index + 1))?;
        evaluate_row(model, row).map_err(|error| format!("row {}: {error}", index + 1))?;
    }
    Ok(())
}

fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        return Err("usage: evaluate IN.json OUT.json".to_owned());
    };
    let content = std::fs::read_to_string(input).map_err(|error| format!("{input}: {error}"))?;
    let mut document: Value = serde_json::from_str(&content).map_err(|error| format!("{input}: {error}"))?;
    evaluate(&mut document).map_err(|error| format!("{input}: {error}"))?;
    let mut content = serde_json::to_string_pretty(&document).map_err(|error| format!("{output}: {error}"))?;
    content.push('\n');
    std::fs::write(output, content).map_err(|error| format!("{output}: {error}"))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("evaluate: {message}");
            ExitCode::FAILURE
        }
    }
}
