//! The arithmetic of a score, step by step: the history, then each formula with its numbers.

use super::formulas::GivenAlive;
use super::subject::Subject;
use crate::data::{Birth, SpendBasis};
use crate::error::Result;
use crate::fit::Level;
use crate::report::explanation::Step;
use crate::score::{ClvDefinition, ModelFile, ValueInterval};
use crate::time::{Moment, TimeUnit};

/// (x, t_x, T) and m_x with their arithmetic.
pub(super) fn history(subject: &Subject<'_>) -> Vec<Step> {
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
pub(super) fn steps(subject: &Subject<'_>, alive: &GivenAlive, model: &ModelFile, definition: &ClvDefinition) -> Result<Vec<Step>> {
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
