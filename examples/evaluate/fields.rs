//! Inputs of a row: decimal strings, or JSON numbers.

use serde_json::{Map, Value};

use super::Outcome;

/// A number, given as a decimal string or a JSON number.
pub(super) fn number(row: &Map<String, Value>, key: &str) -> Outcome<f64> {
    let value = row.get(key).ok_or_else(|| format!("no {key:?}"))?;
    let number = value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok());
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("{key} = {value} is no finite number"))
}

/// A count: a whole number below 2^32.
pub(super) fn count(row: &Map<String, Value>, key: &str) -> Outcome<u32> {
    let value = number(row, key)?;
    let whole = value as u32;
    if f64::from(whole) == value { Ok(whole) } else { Err(format!("{key} = {value} is no whole number of 0 to {}", u32::MAX)) }
}

/// The argument in the name of an output: `cexp_t=39`.
pub(super) fn argument(key: &str, prefix: &str) -> Option<Outcome<f64>> {
    let text = key.strip_prefix(prefix)?;
    let parsed = text.parse::<f64>().ok().filter(|value| *value >= 0.0 && value.is_finite());
    Some(parsed.ok_or_else(|| format!("{key}: {text:?} is no number of at least 0")))
}

/// 17 significant digits: enough to give the double back.
pub(super) fn text(value: Option<f64>) -> Value {
    value.filter(|value| value.is_finite()).map_or(Value::Null, |value| Value::String(format!("{value:.16e}")))
}
