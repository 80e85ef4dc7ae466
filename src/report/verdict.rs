//! What a back-test comes to, in plain sentences.

use super::methods::{Method, cuts, share, signed, spans};
use crate::backtest::{BackTestReport, Baseline, Run};

/// A rule whose total is off by less than this has its small errors from forecasting too little.
const TOO_LITTLE: f64 = -0.2;

/// What the figures come to.
pub(super) fn verdict(methods: &[Method<'_>], report: &BackTestReport) -> Vec<String> {
    let by_log_score = |one: &&Method<'_>, other: &&Method<'_>| {
        one.log_score().unwrap_or(f64::INFINITY).total_cmp(&other.log_score().unwrap_or(f64::INFINITY))
    };
    let models = methods.iter().filter(|method| method.is_model);
    let several = models.clone().count() > 1;
    let Some(best) = models.min_by(by_log_score) else {
        return vec!["No model could be fitted at every cut; there is nothing to compare the rules of thumb with.".to_owned()];
    };
    let mut sentences = Vec::new();
    if let Some(log_score) = best.log_score().filter(|_| several) {
        sentences.push(format!("Of the models, {} gave what came the highest probability (log score {log_score:.4}).", best.name));
    }
    sentences.push(totals(best));
    if let Some(held) = best.mean(|run| run.metrics.coverage.level_90) {
        sentences.push(format!("Its 90 % intervals held for {} of the customers.", share(held)));
    }
    sentences.extend(ranking(best, methods));
    sentences.extend(spend(best));
    sentences.push(closest_rule(best, methods));
    sentences.extend(smaller_errors(best, methods));
    sentences.extend(hiatus(best, methods));
    sentences.extend(report.verdicts.iter().filter(|verdict| verdict.model == best.name).map(|verdict| verdict.to_string()));
    sentences
}

/// What to mind where there is one cut alone.
pub(super) fn caution(methods: &[Method<'_>]) -> Option<String> {
    let is_alone = |method: &Method<'_>| method.runs.len() == 1 && method.runs.iter().all(|run| run.split.born_until().is_none());
    methods.iter().any(is_alone).then(|| "One cut can mislead: look at several with clv backtest --origins.".to_owned())
}

fn totals(best: &Method<'_>) -> String {
    let biases = best.biases();
    let (low, high) = biases.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &bias| (low.min(bias), high.max(bias)));
    match biases.as_slice() {
        [] => format!("Nobody bought in the holdout, so that the total of {} cannot be compared as a ratio.", best.name),
        [bias] if best.runs.len() == 1 => format!("Over the {} the total of {} was off by {}.", spans(best), best.name, signed(*bias)),
        _ => format!("At {} the totals of {} were off by {} to {}.", cuts(best), best.name, signed(low), signed(high)),
    }
}

fn spend(best: &Method<'_>) -> Option<String> {
    let (off, capture) =
        (best.mean_of_spend(|metrics| metrics.bias.map(f64::abs))?, best.mean_of_spend(|metrics| metrics.top_decile_capture)?);
    let average = if best.runs.len() > 1 { " on average" } else { "" };
    Some(format!(
        "Its forecast of spend was off by {:.1} %{average}; the tenth of the customers it expected most spend of brought {} of it.",
        100.0 * off,
        share(capture)
    ))
}

/// Where the managers' own rule does worse.
fn hiatus(best: &Method<'_>, methods: &[Method<'_>]) -> Option<String> {
    let rule = methods.iter().find(|method| method.name == Baseline::Hiatus.name())?;
    /// What a figure is called, and where it stands.
    type Figure = (&'static str, fn(&Run) -> Option<f64>);
    let figures: [Figure; 4] = [
        ("the total", |run| run.metrics.bias.map(f64::abs)),
        ("absolute errors", |run| run.metrics.mae),
        ("squared errors", |run| run.metrics.rmse),
        ("who buys at all", |run| run.metrics.brier),
    ];
    let worse: Vec<&str> = figures.into_iter().filter(|(_, of)| rule.mean(of) > best.mean(of)).map(|(name, _)| name).collect();
    match worse.split_last()? {
        (only, []) => Some(format!("The hiatus rule does worse on {only}.")),
        (last, others) => Some(format!("The hiatus rule does worse on {} and {last}.", others.join(", "))),
    }
}

fn closest_rule(best: &Method<'_>, methods: &[Method<'_>]) -> String {
    let size = |method: &Method<'_>| method.mean_size_of_bias().unwrap_or(f64::INFINITY);
    let rule = methods.iter().filter(|method| !method.is_model).min_by(|one, other| size(one).total_cmp(&size(other)));
    match rule.filter(|rule| size(rule) < size(best)) {
        Some(rule) => {
            let off = 100.0 * size(rule);
            format!(
                "A rule of thumb came closer in total: {}, off by {off:.1} %{}.",
                rule.name,
                if rule.runs.len() > 1 { " on average" } else { "" }
            )
        }
        None => "No rule of thumb came closer in total.".to_owned(),
    }
}

fn ranking(best: &Method<'_>, methods: &[Method<'_>]) -> Option<String> {
    let capture = |method: &Method<'_>| method.mean(|run| run.metrics.top_decile_capture);
    let own = capture(best)?;
    let rules = methods.iter().filter(|method| !method.is_model).filter_map(|rule| Some((rule.name, capture(rule)?)));
    let (name, of_rule) = rules.max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(format!(
        "The tenth of the customers it expected most of made {} of the purchases; by the best rule of thumb, {name}, it was {}.",
        share(own),
        share(of_rule)
    ))
}

/// Where most customers buy nothing, a forecast of nothing has a small mean absolute error; that must not be taken for merit. Half a per cent is no difference.
fn smaller_errors(best: &Method<'_>, methods: &[Method<'_>]) -> Option<String> {
    let error = |method: &Method<'_>| method.mean(|run| run.metrics.mae);
    let own = error(best)?;
    let rules = methods.iter().filter(|method| !method.is_model).filter_map(|rule| Some((rule, error(rule)?)));
    let (rule, of_rule) = rules.min_by(|one, other| one.1.total_cmp(&other.1)).filter(|&(_, of_rule)| of_rule < 0.995 * own)?;
    let too_little = rule.mean(|run| run.metrics.bias).is_some_and(|bias| bias < TOO_LITTLE);
    let why = if too_little { ": where many buy nothing, that rewards forecasting too little" } else { "" };
    Some(format!("The absolute error per customer is smaller by {} ({of_rule:.3} against {own:.3}){why}.", rule.name))
}
