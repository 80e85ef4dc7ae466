//! What a back-test comes to, in plain sentences.

use super::methods::{Method, cuts, share, signed, spans};
use crate::backtest::{AUDIT, BackTestReport, Baseline, Run, Shock, Total};

/// Figures closer than this look the same in print.
const SAME: f64 = 0.000_5;

/// A rule whose total is off by less than this has its small errors from forecasting too little.
const TOO_LITTLE: f64 = -0.2;

/// What the figures come to, the judgement at the end.
pub(super) fn verdict(methods: &[Method<'_>], report: &BackTestReport) -> Vec<String> {
    let mut sentences = figures(methods);
    let best = best(methods).map(|method| method.name);
    sentences.extend(report.verdicts.iter().filter(|verdict| Some(verdict.model) == best).map(ToString::to_string));
    sentences
}

/// The model with the lowest log score.
fn best<'a, 'b>(methods: &'b [Method<'a>]) -> Option<&'b Method<'a>> {
    let by_log_score = |one: &&Method<'_>, other: &&Method<'_>| {
        one.log_score().unwrap_or(f64::INFINITY).total_cmp(&other.log_score().unwrap_or(f64::INFINITY))
    };
    methods.iter().filter(|method| method.is_model).min_by(by_log_score)
}

/// What the figures come to, without a judgement.
pub(super) fn figures(methods: &[Method<'_>]) -> Vec<String> {
    let several = methods.iter().filter(|method| method.is_model).count() > 1;
    let Some(best) = best(methods) else {
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
    sentences.extend(closest_rule(best, methods));
    sentences.extend(smaller_errors(best, methods));
    sentences.extend(hiatus(best, methods));
    sentences
}

/// What the common shocks say of totals, where they are beyond chance; that of purchases is the first.
pub(crate) fn shock(shocks: &[&Shock]) -> Option<String> {
    let seen: Vec<&Shock> = beyond_chance(shocks).collect();
    let (first, others) = seen.split_first()?;
    let [lower, upper] = first.factors_90;
    let mut text = format!(
        "At {} past dates total {} {} off by about {} more than the model itself expects. With a confidence of 90 % the next total of as many days lies between {lower:.2} and \
         {upper:.2} times its forecast; the interval of the total takes the model to be right and does not hold that.",
        first.origins,
        named(first.total),
        if first.total == Total::Purchases { "were" } else { "was" },
        share(first.size)
    );
    for Shock { total, size, factors_90: [lower, upper], .. } in others {
        text += &format!(" Total {} was off by about {} more: {lower:.2} to {upper:.2} times.", named(*total), share(*size));
    }
    Some(text)
}

/// The same beside the intervals that leave it out.
pub(crate) fn shock_in_short(shocks: &[&Shock]) -> Option<String> {
    let factors = |shock: &Shock| {
        let [lower, upper] = shock.factors_90;
        format!("{} {lower:.2} to {upper:.2} times", named(shock.total))
    };
    let factors: Vec<String> = beyond_chance(shocks).map(factors).collect();
    (!factors.is_empty()).then(|| format!("judged by past totals: {}", factors.join(", ")))
}

fn beyond_chance<'a>(shocks: &[&'a Shock]) -> impl Iterator<Item = &'a Shock> {
    shocks.iter().copied().filter(|shock| shock.size >= SAME)
}

/// What is totalled, in words.
pub(super) fn named(total: Total) -> &'static str {
    match total {
        Total::Purchases => "purchases",
        Total::Revenue => "spend",
    }
}

/// What to do where all past totals of a model that was not chosen among several err on one side.
pub(crate) fn advice(model: &str, biases: &[f64]) -> Option<String> {
    let one_side = biases.len() > 1 && (biases.iter().all(|&bias| bias > SAME) || biases.iter().all(|&bias| bias < -SAME));
    let (low, high) = (biases.iter().copied().reduce(f64::min)?, biases.iter().copied().reduce(f64::max)?);
    one_side.then(|| {
        format!(
            "At all {} past dates the totals of {model} were too {} ({} to {}): another model may do better; --model auto compares them by such forecasts and takes \
             the best.",
            biases.len(),
            if low > 0.0 { "high" } else { "low" },
            signed(low),
            signed(high)
        )
    })
}

/// What to mind where there is one cut alone, and no choice was made.
pub(super) fn caution(methods: &[Method<'_>]) -> Option<String> {
    let is_alone = |method: &Method<'_>| matches!(method.runs.as_slice(), [run] if run.split.born_until().is_none() && run.scheme != AUDIT);
    let several = methods.iter().filter(|method| method.is_model).count() > 1;
    let choose = if several { "; --model auto of clv run and clv fit chooses among the models by their forecasts" } else { "" };
    methods.iter().any(is_alone).then(|| format!("One cut can mislead: look at several with clv backtest --origins{choose}."))
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
    let capture = best.mean_of_spend(|metrics| metrics.top_decile_capture)?;
    let off = match best.runs.as_slice() {
        [run] => signed(run.revenue.first()?.metrics.bias?),
        _ => format!("{:.1} % on average, up or down", 100.0 * best.mean_of_spend(|metrics| metrics.bias.map(f64::abs))?),
    };
    Some(format!(
        "Its forecast of spend was off by {off}; the tenth of the customers it expected most spend of brought {} of it.",
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

/// Nothing where the total cannot be compared as a ratio.
fn closest_rule(best: &Method<'_>, methods: &[Method<'_>]) -> Option<String> {
    let own = best.mean_size_of_bias()?;
    let rules = methods.iter().filter(|method| !method.is_model).filter_map(|rule| Some((rule, rule.mean_size_of_bias()?)));
    let closest = rules.min_by(|one, other| one.1.total_cmp(&other.1)).filter(|(_, size)| size + SAME <= own);
    Some(match closest {
        Some((rule, size)) => {
            let often = if rule.runs.len() > 1 { " on average" } else { "" };
            format!("A rule of thumb came closer in total: {}, off by {:.1} %{often}.", rule.name, 100.0 * size)
        }
        None => "No rule of thumb came closer in total.".to_owned(),
    })
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
    let (rule, of_rule) =
        rules.min_by(|one, other| one.1.total_cmp(&other.1)).filter(|&(_, of_rule)| of_rule < 0.995 * own && of_rule + SAME <= own)?;
    let too_little = rule.mean(|run| run.metrics.bias).is_some_and(|bias| bias < TOO_LITTLE);
    let why = if too_little { ": where many buy nothing, that rewards forecasting too little" } else { "" };
    Some(format!("The absolute error per customer is smaller by {} ({of_rule:.3} against {own:.3}){why}.", rule.name))
}
