//! Totals for a terminal: how far they can be off, by the models alone and with what all customers share.

use comfy_table::CellAlignment;

use super::format::{WIDTH, wrapped};
use super::methods::{cell, share};
use super::terminal::{plain, section};
use super::verdict::named;
use crate::backtest::{BackTestReport, PerLevel, Shock};

const LEGEND: &str = "90 %: how often the interval held; alone: the model's own interval of the total; with shock: widened by what the other cuts were off beyond chance; next total: the forecast times \
                      these factors, with 90 % confidence";

/// The coverage before and after the common shock; nothing where there are too few cuts to tell.
pub(super) fn shocks(report: &BackTestReport) -> String {
    if report.shocks.is_empty() {
        return String::new();
    }
    let headers = ["", "total of", "shock", "90 %, alone", "with shock", "next total"];
    let right = CellAlignment::Right;
    let mut table = plain(&headers, &[CellAlignment::Left, CellAlignment::Left, right, right, right, right]);
    for shock in &report.shocks {
        let held = |coverage: &PerLevel| cell(coverage.level_90, share);
        table.add_row([
            shock.model.to_owned(),
            named(shock.total).to_owned(),
            format!("{:.0} %", 100.0 * shock.size),
            held(&shock.coverage_plug_in),
            held(&shock.coverage_with_shock),
            factors(shock),
        ]);
    }
    let legend = wrapped(LEGEND, "", WIDTH - 2);
    section("Totals: a shock that all customers share", table.to_string().lines().chain(legend.lines()))
}

fn factors(shock: &Shock) -> String {
    let [lower, upper] = shock.factors_90;
    format!("x{lower:.2} to x{upper:.2}")
}
