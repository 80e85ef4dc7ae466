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
//! Without arguments it tells how far its values are from the references of `tests/data`, which have 40 digits.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program says what it found, and what went wrong on standard error")]

mod fields;
mod model;
mod outputs;

use std::process::ExitCode;

use serde_json::Value;

type Outcome<T> = Result<T, String>;

fn read(path: &str) -> Outcome<Value> {
    let content = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    serde_json::from_str(&content).map_err(|error| format!("{path}: {error}"))
}

fn evaluate(document: &mut Value) -> Outcome<()> {
    let model = model::Model::of(document)?;
    let rows = document["rows"].as_array_mut().ok_or("no \"rows\"; they are an array of objects")?;
    for (index, row) in rows.iter_mut().enumerate() {
        let row = row.as_object_mut().ok_or_else(|| format!("row {}: no object", index + 1))?;
        model::evaluate_row(model, row).map_err(|error| format!("row {}: {error}", index + 1))?;
    }
    Ok(())
}

/// Evaluates a stored reference and prints the largest relative difference.
fn compare(name: &str) -> Outcome<()> {
    let reference = read(&format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR")))?;
    let mut ours = reference.clone();
    evaluate(&mut ours)?;
    let rows = |document: &Value| document["rows"].as_array().cloned().unwrap_or_default();
    let (mut values, mut off) = (0, 0.0_f64);
    for (ours, theirs) in rows(&ours).iter().zip(&rows(&reference)) {
        for (key, expected) in theirs.as_object().into_iter().flatten() {
            let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
            let (Some(one), Some(other)) = (number(&ours[key]), number(expected)) else { continue };
            // The logarithm of a likelihood near 1 has no digits to lose.
            let least = if key == "log_likelihood" { 1.0 } else { f64::MIN_POSITIVE };
            (values, off) = (values + 1, off.max((one - other).abs() / other.abs().max(least)));
        }
    }
    println!("{name}: {values} numbers, inputs too; none is off its reference by more than {off:.0e} of it");
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [] => ["bgnbd", "mbgnbd", "paretonbd", "gammagamma"].into_iter().try_for_each(compare),
        [input, output] => read(input).and_then(|mut document| {
            evaluate(&mut document).map_err(|error| format!("{input}: {error}"))?;
            let content = serde_json::to_string_pretty(&document).map_err(|error| format!("{output}: {error}"))?;
            std::fs::write(output, content + "\n").map_err(|error| format!("{output}: {error}"))
        }),
        _ => Err("usage: evaluate [IN.json OUT.json]".to_owned()),
    };
    outcome.map_or_else(|message| (eprintln!("evaluate: {message}"), ExitCode::FAILURE).1, |()| ExitCode::SUCCESS)
}
