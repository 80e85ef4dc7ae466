//! An audit for a terminal: cohort by cohort.

use comfy_table::CellAlignment;

use super::format::{WIDTH, grouped, wrapped};
use super::methods::{cell, signed};
use super::terminal::{plain, section};
use crate::backtest::{AuditReport, CohortDrift, Drift};

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
    let drifted = audited.drifted().count();
    let came = match (drifted, audited.cohorts.len()) {
        (0, 1) => "The cohort bought as forecast, within 10 % or within chance.".to_owned(),
        (0, all) => format!("All {all} cohorts bought as forecast, within 10 % or within chance."),
        (drifted, all) => format!(
            "{drifted} of {all} cohorts drifted: off their forecast by more than 10 % and by more than chance. Fit the model to all that is known now, and see \
             with clv backtest whether it can be believed."
        ),
    };
    let sentences = wrapped(&came, "", WIDTH - 2);
    section("Cohorts, by month of the first purchase", table.to_string().lines().chain(sentences.lines()))
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
        Drift::Above => "above",
        Drift::Below => "below",
    }
}
