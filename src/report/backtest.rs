//! A back-test for a terminal: tables, and what they come to in plain sentences.

use comfy_table::CellAlignment;

use super::format::{WIDTH, grouped, wrapped};
use super::methods::{Method, cell, count, cuts, days, share, signed, spans};
use super::terminal::{plain, section};
use super::totals;
use super::verdict::{advice, caution, figures, shock, verdict};
use crate::backtest::{BackTestReport, FailedRun, FrequencyRow, Metrics, Role, Run, Shock, Verdict};

/// Everything: a table of each forecast's figures, a table that shows where they differ, and the verdict.
pub(crate) fn account(report: &BackTestReport) -> String {
    let methods = Method::all(report);
    let Some(shown) = methods.first() else { return String::new() };
    let mut text = if let [run] = shown.runs.as_slice() {
        format!("{}{}", one_holdout(run, &methods), by_frequency(&methods))
    } else {
        format!("{}{}", origins(shown, &methods), averages(&methods))
    };
    text += &spend(&methods);
    text += &totals::shocks(report);
    for failure in &report.failures {
        let failed = format!("{} could not be calibrated at the cut {}: {}", failure.model, failure.split.cut(), failure.message);
        text = format!("{text}\n{}", wrapped(&failed, "left out: ", WIDTH));
    }
    let sentences = in_lines(&methods, report);
    text.trim_end().to_owned() + "\n" + &section("What this says", sentences.lines())
}

/// What it comes to in plain sentences, one by one, without a judgement; none without a run.
pub(crate) fn sentences(report: &BackTestReport) -> Vec<String> {
    let methods = Method::all(report);
    if methods.is_empty() { Vec::new() } else { figures(&methods) }
}

/// The judgement on a model by several cuts and by the last one together.
pub(crate) fn judgement(model: &str, rolling: &BackTestReport, last: &BackTestReport) -> Option<Verdict> {
    let own = |report: &BackTestReport| report.verdicts.iter().find(|verdict| verdict.model == model).cloned();
    match (own(rolling), own(last)) {
        (Some(several), Some(one)) => Some(several.and(&one)),
        (several, one) => several.or(one),
    }
}

/// What no judgement on a model holds: whether another is better, where only this one was tested; and how to compare them, unless others were tried and failed.
pub(crate) fn alternatives(report: &BackTestReport) -> Option<String> {
    let mut models = report.runs.iter().filter(|run| run.role == Role::Model).map(|run| run.model);
    let first = models.next()?;
    let way = if report.failures.iter().any(FailedRun::is_model) { "" } else { "; --model auto of clv run and clv fit compares them" };
    models.all(|model| model == first).then(|| format!("Other models were not compared in this back-test{way}."))
}

/// The shocks to the totals of a model, to its purchases first.
pub(crate) fn shocks_of<'a>(model: &str, rolling: &'a BackTestReport) -> Vec<&'a Shock> {
    rolling.shocks.iter().filter(|shock| shock.model == model).collect()
}

/// The same for a terminal, with the judgement and what to mind of one cut.
fn in_lines(methods: &[Method<'_>], report: &BackTestReport) -> String {
    let sentences: Vec<String> = verdict(methods, report).into_iter().chain(caution(methods)).collect();
    wrapped(&sentences.join(" "), "", WIDTH - 2)
}

/// The sentences on one holdout, and what several cuts of `model` add; `was_chosen` where it was chosen among all.
pub(crate) fn in_short(report: &BackTestReport, model: &str, rolling: &BackTestReport, was_chosen: bool) -> String {
    let methods = Method::all(report);
    let Some(run) = methods.first().and_then(|method| method.runs.first()) else { return String::new() };
    let biases: Vec<f64> = rolling.find(model, rolling.held_out()).filter_map(|run| run.metrics.bias).collect();
    let several = shock(&shocks_of(model, rolling));
    let advice = if was_chosen { None } else { advice(model, &biases) };
    let judgement = judgement(model, rolling, report).map(|verdict| verdict.to_string());
    // By now several cuts have been told of, if there are any; and the choice, if one was made.
    let caution = if rolling.runs.is_empty() && !was_chosen { caution(&methods) } else { None };
    let chosen = was_chosen
        .then(|| "The models were chosen among by other holdouts; log scores of different holdouts cannot be compared.".to_owned());
    let alternatives = if advice.is_none() { alternatives(report) } else { None };
    let sentences: Vec<String> = figures(&methods)
        .into_iter()
        .chain(several)
        .chain(judgement)
        .chain(advice)
        .chain(alternatives)
        .chain(chosen)
        .chain(caution)
        .collect();
    section(&title(run), wrapped(&sentences.join(" "), "", WIDTH - 2).lines())
}

/// Why there is no back-test.
pub(crate) fn left_out(why: &str) -> String {
    section("Back-test", wrapped(&format!("left out: {why}"), "", WIDTH - 2).lines())
}

const LEGEND: [&str; 3] = [
    "MAE: absolute error per customer; log score: lower is better; in 90 %:",
    "customers within their 90 % interval; top 10 %: share of the purchases made by",
    "the tenth of the customers of whom most was expected",
];

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
    let (customers, purchases) = (grouped(shown.customers as f64, 0), count(shown));
    let came = match shown.split.born_until() {
        Some(_) => format!("{customers} customers of the newer cohorts made {purchases} purchases after their first"),
        None => format!("{customers} customers known at the cut made {purchases} purchases after it"),
    };
    section(&title(shown), [came.as_str()].into_iter().chain(table.to_string().lines()).chain(LEGEND))
}

fn title(run: &Run) -> String {
    let (cut, end) = (run.split.cut(), run.split.holdout_end());
    match run.split.born_until() {
        Some(born_until) => wrapped(
            &format!("Back-test: calibrated on customers born until {born_until}, held against those born later until {end}"),
            "",
            WIDTH,
        ),
        None => format!("Back-test: calibrated until {cut}, held against {} until {end}", days(run.split.days())),
    }
}

fn by_frequency(methods: &[Method<'_>]) -> String {
    let models: Vec<&Method<'_>> = methods.iter().filter(|method| method.is_model).collect();
    let rows = |method: &Method<'_>| -> Vec<FrequencyRow> { method.runs.first().map_or(Vec::new(), |run| run.tables.by_frequency.clone()) };
    let Some(first) = models.first().filter(|method| !rows(method).is_empty()) else { return String::new() };
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
    let first = if shown.is_nested() { "until" } else { "cut" };
    let headers: Vec<&str> = [first, "customers", "purchases"].into_iter().chain(models.iter().map(|method| method.name)).collect();
    let alignments: Vec<CellAlignment> = [CellAlignment::Left].into_iter().chain(vec![RIGHT; headers.len() - 1]).collect();
    let mut table = plain(&headers, &alignments);
    for (origin, run) in shown.runs.iter().enumerate() {
        let biases = models.iter().map(|method| cell(method.runs[origin].metrics.bias, signed));
        let day = if shown.is_nested() { run.split.holdout_end() } else { run.split.cut() };
        table.add_row([day.to_string(), grouped(run.customers as f64, 0), count(run)].into_iter().chain(biases));
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

/// Spend, which is left out where nothing was spent.
fn spend(methods: &[Method<'_>]) -> String {
    let mut table =
        plain(&["", "amounts by", "off by, +/-", "MAE", "top 10 %"], &[CellAlignment::Left, CellAlignment::Left, RIGHT, RIGHT, RIGHT]);
    let spent: f64 = methods.first().map_or(0.0, |method| method.runs.iter().map(|run| run.actual_spend).sum());
    if spent <= 0.0 {
        return String::new();
    }
    for method in methods {
        let ways = method.runs.first().map_or(0, |run| run.revenue.len());
        for way in 0..ways {
            let mean = |of: fn(&Metrics) -> Option<f64>| method.mean(|run| of(&run.revenue.get(way)?.metrics));
            table.add_row([
                method.name.to_owned(),
                method.runs.first().map_or_else(String::new, |run| run.revenue[way].spend.to_owned()),
                cell(mean(|metrics| metrics.bias.map(f64::abs)), |value| format!("{:.1} %", 100.0 * value)),
                cell(mean(|metrics| metrics.mae), |value| format!("{value:.2}")),
                cell(mean(|metrics| metrics.top_decile_capture), share),
            ]);
        }
    }
    section("Spend", table.to_string().lines())
}
