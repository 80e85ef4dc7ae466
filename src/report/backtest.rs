//! A back-test for a terminal: tables, and what they come to in plain sentences.

use comfy_table::CellAlignment;

use super::format::{WIDTH, grouped, wrapped};
use super::terminal::{plain, section};
use crate::backtest::{BackTestReport, Baseline, FrequencyRow, Group, Run};

/// Everything: a table of each forecast's figures, a table that shows where they differ, and the verdict.
pub(crate) fn account(report: &BackTestReport) -> String {
    let methods = Method::all(report);
    let Some(shown) = methods.first() else { return String::new() };
    let mut text = if let [run] = shown.runs.as_slice() {
        format!("{}{}", one_holdout(run, &methods), by_frequency(&methods))
    } else {
        format!("{}{}", origins(shown, &methods), averages(&methods))
    };
    for failure in &report.failures {
        let failed = format!("{} could not be calibrated at the cut {}: {}", failure.model, failure.split.cut(), failure.message);
        text = format!("{text}\n{}", wrapped(&failed, "left out: ", WIDTH));
    }
    let sentences = wrapped(&verdict(&methods).join(" "), "", WIDTH - 2);
    text.trim_end().to_owned() + "\n" + &section("What this says", sentences.lines())
}

/// The verdict alone, on one holdout.
pub(crate) fn in_short(report: &BackTestReport) -> String {
    let methods = Method::all(report);
    let Some(run) = methods.first().and_then(|method| method.runs.first()) else { return String::new() };
    let sentences = wrapped(&verdict(&methods).join(" "), "", WIDTH - 2);
    section(&title(run), sentences.lines())
}

/// Why there is no back-test.
pub(crate) fn left_out(why: &str) -> String {
    section("Back-test", wrapped(&format!("left out: {why}"), "", WIDTH - 2).lines())
}

/// A model or baseline with its runs for the customers known at the cuts, in order of time.
struct Method<'a> {
    name: &'static str,
    is_model: bool,
    runs: Vec<&'a Run>,
}

impl<'a> Method<'a> {
    /// All that ran at every cut: only those can be compared.
    fn all(report: &'a BackTestReport) -> Vec<Self> {
        let mut methods: Vec<Method<'a>> = Vec::new();
        for run in report.runs.iter().filter(|run| run.group == Group::KnownAtCut) {
            match methods.iter_mut().find(|method| method.name == run.model) {
                Some(method) => method.runs.push(run),
                None => {
                    let is_model = Baseline::ALL.iter().all(|baseline| baseline.name() != run.model);
                    methods.push(Method { name: run.model, is_model, runs: vec![run] });
                }
            }
        }
        let cuts = methods.iter().map(|method| method.runs.len()).max().unwrap_or_default();
        methods.retain(|method| method.runs.len() == cuts);
        methods
    }

    fn biases(&self) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.metrics.bias).collect()
    }

    /// The mean of a figure over the cuts, when it is defined at all of them.
    fn mean(&self, of: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        let sum: Option<f64> = self.runs.iter().map(|run| of(run)).sum();
        sum.map(|sum| sum / self.runs.len() as f64)
    }

    fn log_score(&self) -> Option<f64> {
        self.mean(|run| run.metrics.log_score)
    }

    fn mean_size_of_bias(&self) -> Option<f64> {
        self.mean(|run| run.metrics.bias.map(f64::abs))
    }
}

const LEGEND: [&str; 3] = [
    "MAE: absolute error per customer; log score: lower is better; in 90 %:",
    "customers within their 90 % interval; top 10 %: share of the purchases made by",
    "the tenth of the customers of whom most was expected",
];

/// A rule whose total is off by less than this has its small errors from forecasting too little.
const TOO_LITTLE: f64 = -0.2;

const RIGHT: CellAlignment = CellAlignment::Right;

fn one_holdout(shown: &Run, methods: &[Method<'_>]) -> String {
    let headers = ["", "predicted", "off by", "MAE", "log score", "in 90 %", "top 10 %"];
    let mut table = plain(&headers, &[CellAlignment::Left, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT]);
    for Method { name, runs, .. } in methods {
        let Some(run) = runs.first() else { continue };
        let metrics = &run.metrics;
        table.add_row([
            (*name).to_owned(),
            cell(run.predicted_purchases, |value| grouped(value, 0)),
            cell(metrics.bias, signed),
            cell(metrics.mae, |value| format!("{value:.3}")),
            cell(metrics.log_score, |value| format!("{value:.4}")),
            cell(metrics.coverage.level_90, share),
            cell(metrics.top_decile_capture, share),
        ]);
    }
    let came = format!("{} customers known at the cut made {} purchases after it", grouped(shown.customers as f64, 0), count(shown));
    section(&title(shown), [came.as_str()].into_iter().chain(table.to_string().lines()).chain(LEGEND))
}

fn title(run: &Run) -> String {
    format!("Back-test: calibrated until {}, held against {} until {}", run.split.cut(), days(run.split.days()), run.split.holdout_end())
}

fn by_frequency(methods: &[Method<'_>]) -> String {
    let models: Vec<&Method<'_>> = methods.iter().filter(|method| method.is_model).collect();
    let rows = |method: &Method<'_>| -> Vec<FrequencyRow> { method.runs.first().map_or(Vec::new(), |run| run.by_frequency.clone()) };
    let Some(first) = models.first() else { return String::new() };
    let headers: Vec<&str> = ["frequency", "customers", "actual"].into_iter().chain(models.iter().map(|method| method.name)).collect();
    let mut table = plain(&headers, &vec![RIGHT; headers.len()]);
    for (class, row) in rows(first).iter().enumerate() {
        let frequency = format!("{}{}", row.frequency, if row.or_more { "+" } else { "" });
        let mean = |value: Option<f64>| cell(value, |value| format!("{value:.3}"));
        let predicted = models.iter().map(|method| mean(rows(method).get(class).and_then(|row| row.predicted)));
        table.add_row([frequency, grouped(row.customers as f64, 0), mean(row.actual)].into_iter().chain(predicted));
    }
    section("Purchases per customer in the holdout, by repeat purchases before the cut", table.to_string().lines())
}

fn origins(shown: &Method<'_>, methods: &[Method<'_>]) -> String {
    let models: Vec<&Method<'_>> = methods.iter().filter(|method| method.is_model).collect();
    let headers: Vec<&str> = ["cut", "customers", "purchases"].into_iter().chain(models.iter().map(|method| method.name)).collect();
    let alignments: Vec<CellAlignment> = [CellAlignment::Left].into_iter().chain(vec![RIGHT; headers.len() - 1]).collect();
    let mut table = plain(&headers, &alignments);
    for (origin, run) in shown.runs.iter().enumerate() {
        let biases = models.iter().map(|method| cell(method.runs[origin].metrics.bias, signed));
        table.add_row([run.split.cut().to_string(), grouped(run.customers as f64, 0), count(run)].into_iter().chain(biases));
    }
    let title = format!("Back-test at {}: purchases in the {} after each cut, and how far forecasts were off", cuts(shown), spans(shown));
    section(&wrapped(&title, "", WIDTH), table.to_string().lines())
}

fn averages(methods: &[Method<'_>]) -> String {
    let headers = ["mean over the cuts", "off by, +/-", "MAE", "log score", "in 90 %", "top 10 %"];
    let mut table = plain(&headers, &[CellAlignment::Left, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT]);
    for method in methods {
        table.add_row([
            method.name.to_owned(),
            cell(method.mean_size_of_bias(), |value| format!("{:.1} %", 100.0 * value)),
            cell(method.mean(|run| run.metrics.mae), |value| format!("{value:.3}")),
            cell(method.log_score(), |value| format!("{value:.4}")),
            cell(method.mean(|run| run.metrics.coverage.level_90), share),
            cell(method.mean(|run| run.metrics.top_decile_capture), share),
        ]);
    }
    section("Models and rules of thumb", table.to_string().lines().chain(LEGEND))
}

/// What the figures come to.
fn verdict(methods: &[Method<'_>]) -> Vec<String> {
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
    sentences.push(closest_rule(best, methods));
    sentences.extend(smaller_errors(best, methods));
    if best.runs.len() == 1 {
        sentences.push("One cut can mislead: look at several with clv backtest --origins.".to_owned());
    }
    sentences
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

fn cell(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), text)
}

/// -11.5 %
fn signed(fraction: f64) -> String {
    let percent = format!("{:+.1}", 100.0 * fraction);
    format!("{} %", if percent == "-0.0" { "+0.0" } else { &percent })
}

/// 95 %
fn share(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}

fn count(run: &Run) -> String {
    grouped(run.actual_purchases, 0)
}

fn days(days: i32) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

fn cuts(method: &Method<'_>) -> String {
    format!("{} cuts", method.runs.len())
}

/// 91 days, or 90 to 92 days.
fn spans(method: &Method<'_>) -> String {
    let lengths = method.runs.iter().map(|run| run.split.days());
    match (lengths.clone().min(), lengths.max()) {
        (Some(shortest), Some(longest)) if shortest < longest => format!("{shortest} to {longest} days"),
        (shortest, _) => days(shortest.unwrap_or_default()),
    }
}
