//! An audit for a terminal: cohort by cohort, and all of them together.

use comfy_table::CellAlignment;

use super::format::{WIDTH, grouped, wrapped};
use super::methods::{cell, signed};
use super::terminal::{plain, section};
use crate::backtest::{AuditReport, CohortDrift, Drift, JointDrift};

/// The cohorts, and how many drifted.
pub(crate) fn drift(audited: &AuditReport) -> String {
    let right = CellAlignment::Right;
    let mut table = plain(
        &["born in", "customers", "purchases", "forecast", "off by", "verdict"],
        &[CellAlignment::Left, right, right, right, right, right],
    );
    for cohort in &audited.cohorts {
        table.add_row([
            month(cohort),
            grouped(cohort.customers as f64, 0),
            grouped(cohort.actual_purchases, 0),
            grouped(cohort.predicted_purchases, 0),
            cell(cohort.bias, signed),
            word(cohort.drift).to_owned(),
        ]);
    }
    let came = [together(audited), one_by_one(audited)].concat();
    let sentences = wrapped(&came.join(" "), "", WIDTH - 2);
    section("Cohorts, by month of the first purchase", table.to_string().lines().chain(sentences.lines()))
}

/// What all cohorts come to.
fn together(audited: &AuditReport) -> Vec<String> {
    let JointDrift { actual_purchases, predicted_purchases, bias, drift, .. } = audited.together;
    let (came, forecast) = (grouped(actual_purchases, 0), grouped(predicted_purchases, 0));
    let total = format!("Together they bought {came} times, and {forecast} were forecast ({})", cell(bias, signed));
    let total = match drift {
        Drift::None => format!("{total}: within 10 % or within chance."),
        Drift::Above | Drift::Below => format!("{total}: off by more than 10 % and by more than chance."),
        Drift::CannotTell => format!("{total}: within chance, but of so few purchases a drift of 10 % cannot be told from chance."),
    };
    let scatter = "Single cohorts are off, up or down, by more than chance does once in a hundred times.";
    // Where all are off together, that says it all.
    let scatters = audited.together.scatters() && !drift.is_certain();
    [total].into_iter().chain(scatters.then(|| scatter.to_owned())).collect()
}

/// How many of them drifted, and of how many nothing can be told.
fn one_by_one(audited: &AuditReport) -> Vec<String> {
    let all = audited.cohorts.len();
    let with = |drift: Drift| audited.cohorts.iter().filter(|cohort| cohort.drift == drift).count();
    let (drifted, open, good) = (audited.drifted().count(), with(Drift::CannotTell), with(Drift::None));
    let mut sentences = Vec::new();
    if drifted > 0 {
        sentences.push(format!("{drifted} of {all} cohorts drifted: off their forecast by more than 10 % and by more than chance."));
    }
    if good > 0 {
        sentences.push(format!("{good} of {all} bought as forecast, within 10 % or within chance."));
    }
    if open > 0 {
        sentences.push(format!("Too small to tell: {open} of {all}, in which a drift of 10 % would be lost in chance."));
    }
    if drifted > 0 || audited.together.is_certain() {
        sentences.push("Fit the model to all that is known now, and see with clv backtest whether it can be believed.".to_owned());
    }
    sentences
}

/// A line on the cohorts together, where they drifted.
pub(crate) fn together_in_words(audited: &AuditReport) -> Option<String> {
    audited.together.is_certain().then(|| {
        let JointDrift { actual_purchases, predicted_purchases, .. } = audited.together;
        let scatter = if audited.together.drift.is_certain() { "" } else { ", and single cohorts are off up and down by more than chance" };
        format!(
            "drift: all cohorts together bought {} times, and {} were forecast{scatter}",
            grouped(actual_purchases, 0),
            grouped(predicted_purchases, 0)
        )
    })
}

/// A line on a cohort that drifted.
pub(crate) fn cohort_in_words(cohort: &CohortDrift) -> String {
    format!(
        "drift: the {} customers born in {} bought {} times, and {} were forecast",
        grouped(cohort.customers as f64, 0),
        month(cohort),
        grouped(cohort.actual_purchases, 0),
        grouped(cohort.predicted_purchases, 0)
    )
}

/// 1997-01
fn month(cohort: &CohortDrift) -> String {
    let day = cohort.born_from.to_string();
    day.rsplit_once('-').map_or(day.clone(), |(month, _)| month.to_owned())
}

fn word(drift: Drift) -> &'static str {
    match drift {
        Drift::None => "as forecast",
        Drift::CannotTell => "cannot tell",
        Drift::Above => "above",
        Drift::Below => "below",
    }
}
