//! The account of one customer's score: events, history, and each formula with its inputs and its result.

use std::fmt::{self, Write as _};

use comfy_table::CellAlignment;
use serde::Serialize;

use super::format::{WIDTH, grouped, money, printable, significant, wrapped};
use super::terminal::{plain, section};
use crate::time::{Date, TimeUnit};

/// Significant digits in formulas.
const DIGITS: usize = 6;

/// Everything that leads to one customer's score.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation<'a> {
    pub(crate) customer_id: &'a str,
    pub(crate) observation_end: Date,
    pub(crate) unit: TimeUnit,
    /// The definition of value in words.
    pub(crate) value: String,
    /// How the birth is known, where it is not the first purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) birth: Option<String>,
    pub(crate) events: Vec<Event>,
    /// What was merged, netted or ignored, in words.
    pub(crate) cleaning: String,
    /// Whether merging or refunds made the purchases something else than the events.
    #[serde(skip)]
    pub(crate) was_changed: bool,
    pub(crate) purchases: Vec<Counted>,
    pub(crate) history: Vec<Step>,
    pub(crate) purchase_model: Fixed<'a>,
    /// The model of the customer's future, given that they are alive.
    pub(crate) given_alive: Fixed<'a>,
    /// How its parameters come about.
    pub(crate) update: &'static str,
    pub(crate) spend_model: Option<Fixed<'a>>,
    pub(crate) steps: Vec<Step>,
    /// Where the CLV stands; none where it is not by the model's own definition, whose limits these are.
    #[serde(flatten)]
    pub(crate) place: Option<Place<'a>>,
    /// SHA-256 of the definition of value with all that the number depends on.
    pub(crate) definition_hash: String,
}

/// A customer who was seen and has no score.
#[derive(Debug, Serialize)]
pub(crate) struct Unscored<'a> {
    pub(crate) customer_id: &'a str,
    pub(crate) observation_end: Date,
    /// As in the table of scores: `excluded`, and why.
    pub(crate) status: String,
    pub(crate) events: Vec<Event>,
}

impl fmt::Display for Unscored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Customer {}, observed until {}", printable(self.customer_id), self.observation_end)?;
        writeln!(f, "No score: {}", self.status)?;
        f.write_str(&events_in_the_log(&self.events))
    }
}

fn events_in_the_log(events: &[Event]) -> String {
    let mut table = plain(&["date", "amount", "used as"], &[CellAlignment::Left, CellAlignment::Right, CellAlignment::Left]);
    for event in events {
        table.add_row([event.time.clone(), grouped(event.amount, 2), event.used_as.clone()]);
    }
    section("Events in the log", table.to_string().lines())
}

/// The band of a CLV and its place among the customers of the fit.
#[derive(Debug, Serialize)]
pub(crate) struct Place<'a> {
    pub(crate) band: &'a str,
    /// The CLV from which on a customer is in this band; none of the last.
    pub(crate) band_from: Option<f64>,
    /// How many in a hundred customers at the fit were worth less.
    pub(crate) score: u8,
}

/// A row of the log and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Event {
    pub(crate) time: String,
    pub(crate) amount: f64,
    pub(crate) used_as: String,
}

/// A purchase after merging and refunds.
#[derive(Debug, Serialize)]
pub(crate) struct Counted {
    pub(crate) time: String,
    pub(crate) amount: f64,
}

/// A model with its parameters.
#[derive(Debug, Serialize)]
pub(crate) struct Fixed<'a> {
    pub(crate) model: &'a str,
    #[serde(serialize_with = "as_object")]
    pub(crate) parameters: Vec<(&'a str, f64)>,
}

impl fmt::Display for Fixed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<String> = self.parameters.iter().map(|(name, value)| format!("{name} = {}", number(*value))).collect();
        write!(f, "{}: {}", self.model, parameters.join(", "))
    }
}

fn as_object<S: serde::Serializer>(values: &[(&str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().copied())
}

/// A number as formulas show it; a whole one is shown whole.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { grouped(value, 0) } else { significant(value, DIGITS) }
}

/// One number: its formula, the same with the inputs put in, and what comes out.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    /// The name of the column or symbol.
    pub(crate) name: &'static str,
    pub(crate) meaning: String,
    pub(crate) formula: String,
    pub(crate) with_inputs: String,
    /// None where there is no such number.
    pub(crate) result: Option<f64>,
}

impl Step {
    /// A number by a formula of named inputs.
    pub(crate) fn new(name: &'static str, meaning: impl Into<String>, formula: &str, inputs: &[(&str, f64)], result: Option<f64>) -> Self {
        Step { name, meaning: meaning.into(), formula: formula.to_owned(), with_inputs: substitute(formula, inputs), result }
    }
}

/// Puts values in the place of names; what is no name of an input stays.
fn substitute(formula: &str, inputs: &[(&str, f64)]) -> String {
    let mut text = String::new();
    let mut rest = formula;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(word.len());
        text.push_str(before);
        let (name, after) = word.split_at(end);
        match inputs.iter().find(|(input, _)| *input == name) {
            Some((_, value)) => text.push_str(&number(*value).replace(',', "")),
            None => text.push_str(name),
        }
        rest = after;
    }
    text + rest
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", wrapped(&self.meaning, "", WIDTH))?;
        writeln!(f, "{}", wrapped(&self.formula, &format!("  {} = ", self.name), WIDTH))?;
        let below = " ".repeat(self.name.chars().count() + 2);
        if self.with_inputs != self.formula {
            writeln!(f, "{}", wrapped(&self.with_inputs, &format!("{below} = "), WIDTH))?;
        }
        match self.result {
            Some(result) if number(result) != self.formula => writeln!(f, "{below} = {}", number(result)),
            Some(_) => Ok(()),
            None => writeln!(f, "{below} = undefined"),
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Customer {}, observed until {}", printable(self.customer_id), self.observation_end)?;
        writeln!(f, "Value: {}", self.value)?;
        if let Some(birth) = &self.birth {
            writeln!(f, "{}", wrapped(birth, "", WIDTH))?;
        }
        f.write_str(&events_in_the_log(&self.events))?;
        if !self.cleaning.is_empty() {
            f.write_str(&section("What became of them", self.cleaning.lines()))?;
        }
        if self.was_changed {
            let mut purchases = plain(&["date", "amount"], &[CellAlignment::Left, CellAlignment::Right]);
            for purchase in &self.purchases {
                purchases.add_row([purchase.time.clone(), grouped(purchase.amount, 2)]);
            }
            f.write_str(&section("Purchases, after merging and refunds", purchases.to_string().lines()))?;
        }
        let mut models = format!("{}\n", self.purchase_model);
        if let Some(spend) = &self.spend_model {
            writeln!(models, "{spend}")?;
        }
        f.write_str("\nHistory\n")?;
        for step in &self.history {
            write_history(step, f)?;
        }
        f.write_str(&section("Models", models.lines()))?;
        let mut steps = self.steps.iter();
        if let Some(first) = steps.next() {
            first.fmt(f)?;
        }
        let update = wrapped(&format!("Given alive, the future follows {}", self.update), "", WIDTH);
        f.write_str(&section(&update, [self.given_alive.to_string().as_str()]))?;
        steps.try_for_each(|step| step.fmt(f))?;
        if let Some(Place { band, band_from, score }) = &self.place {
            let from = band_from.map_or_else(|| "the last one".to_owned(), |from| format!("for a CLV from {}", money(from)));
            // A score is rounded up.
            let less = score.checked_sub(1).map_or_else(|| "none".to_owned(), |below| format!("more than {below} %"));
            let place = format!("Band {band}, {from}; score {score}: {less} of the customers at the fit were worth less");
            writeln!(f, "\n{}", wrapped(&place, "", WIDTH))?;
        }
        Ok(())
    }
}

fn write_history(step: &Step, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let result = step.result.map_or_else(|| "unknown".to_owned(), number);
    let arithmetic = if step.formula.is_empty() { result } else { format!("{} = {result}", step.formula) };
    writeln!(f, "{}", wrapped(&format!("{arithmetic} {}", step.meaning), &format!("  {:<3} = ", step.name), WIDTH))
}

#[cfg(test)]
mod tests {
    use super::substitute;

    #[test]
    fn only_whole_names_are_replaced() {
        let inputs = [("a", 0.5), ("alpha", 4.0), ("x", 2.0), ("t_x", 30.0)];
        assert_eq!(substitute("a/(alpha + t_x)^x max", &inputs), "0.500000/(4 + 30)^2 max");
    }
}
