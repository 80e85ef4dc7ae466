//! What the numbers rest on: notices, the data, the definition of value, and all that an auditor asks for.

use maud::{Markup, html};

use super::ReportData;
use super::show::{count, money, prose};
use crate::models::{BgNbd, Estimable, GammaGamma, MbgNbd, Nbd, ParetoNbd};
use crate::report::format::{estimate, grouped, percent};
use crate::report::terminal::ended;
use crate::score::{DefinitionInForce, FitRecord, ValueBands};

/// What to mind.
pub(super) fn notices(report: &ReportData<'_>) -> Markup {
    let fits = [Some(report.model.purchases()), report.model.spend()];
    let of_fits =
        fits.into_iter().flatten().flat_map(|record| record.notices().iter().map(|notice| format!("{}: {notice}", record.model())));
    let failures =
        report.backtest.failures.iter().map(|failure| format!("{} could not be back-tested: {}", failure.model, failure.message));
    let notices: Vec<String> = of_fits.chain(failures).collect();
    html! {
        @for notice in &notices { p class="notice" { (prose(notice)) } }
        @if notices.is_empty() { p { "The fits ended without a notice." } }
        p { "Every model of this kind takes customers to differ in their habits and not in time: seasons, campaigns and price changes are not in it, and the future is taken to resemble the past." }
    }
}

/// What was read, merged, netted and dropped.
pub(super) fn data(report: &ReportData<'_>) -> Markup {
    let lines = report.customers.report().map(ToString::to_string).unwrap_or_default();
    let repeat = report.customers.frequency().iter().filter(|&&x| x > 0).count();
    html! {
        p { "Source: " code { (report.source) } }
        ul class="plain" {
            @for line in lines.lines() { li { (prose(line)) } }
            li { (count(repeat as f64)) " of the customers came back after their first purchase" }
        }
    }
}

/// Names and what they are, in a table of words.
fn words(caption: &str, rows: Vec<(&str, String)>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table class="words" {
                caption { (caption) }
                tbody { @for (name, meaning) in rows { tr { th scope="row" { (name) } td { (prose(&meaning)) } } } }
            }
        }
    }
}

/// Names of the formula of value.
const CLV: &str = "margin × discounted purchases × spend per purchase";
const CLV_AFTER_COSTS: &str = "margin × discounted purchases × spend per purchase, less the cost to serve";

/// What value means here.
pub(super) fn definition(report: &ReportData<'_>) -> Markup {
    let definition = report.definition;
    let until = definition.horizon.steps_from(report.end, 1).map_or_else(|_| String::new(), |last| format!(", until {last}"));
    let clv = if report.has_costs() { CLV_AFTER_COSTS } else { CLV };
    let mut rows = vec![
        ("CLV", format!("{clv}: what is still to come after the observation end, not what was spent")),
        ("Horizon", format!("{} after {}{until}", definition.horizon, report.end)),
        ("Discount", format!("{} a year", percent(definition.annual_discount.annual_rate()))),
        ("Margin", format!("{} of the spend", percent(definition.margin.share()))),
    ];
    if report.has_costs() {
        let [purchase, year] = [definition.cost_per_purchase, definition.cost_per_year].map(|cost| money(cost.amount()));
        rows.push(("Cost to serve", format!("{purchase} a purchase, {year} a year for as long as the customer has not dropped out")));
    }
    rows.extend([
        ("Observed until", report.end.to_string()),
        ("Unit of time", report.model.unit().to_string()),
        ("A purchase", format!("all that a customer bought within one {}", report.customers.merge())),
    ]);
    if let Some(cleaning) = report.customers.report() {
        rows.push(("Refunds", cleaning.refunds.to_string()));
        rows.push(("Duplicates", cleaning.duplicates.to_string()));
    }
    let in_force = DefinitionInForce::new(definition, report.model.unit(), report.model.spend_basis());
    let in_force = in_force.cleaned(report.customers.report()).banded(report.bands.map(ValueBands::rule));
    rows.push(("Hash", format!("SHA-256 {}: two numbers under one hash mean the same", in_force.hash())));
    words("The definition of value", rows)
}

/// Models, parameters, formulas with their papers, versions and the fingerprint of the data.
pub(super) fn audit(report: &ReportData<'_>) -> Markup {
    let fits = [Some(report.model.purchases()), report.model.spend()];
    let data = report.model.data();
    html! {
        div class="tables" { @for record in fits.into_iter().flatten() { (fit(record)) } }
        div class="scroll" tabindex="0" role="region" aria-label="Formulas" {
            table class="words" {
                caption { "Formulas and where they come from" }
                thead { tr { th scope="col" { "Number" } th scope="col" { "Formula, and its source" } } }
                // The source below its formula: three columns of words have no room on a phone.
                tbody { @for (number, formula, source) in formulas(report) { tr { th scope="row" { (number) } td { (formula) div class="soft" { (source) } } } } }
            }
        }
        (words("Versions and data", vec![
            ("Page by", format!("clv {}", env!("CARGO_PKG_VERSION"))),
            ("Model file by", format!("clv {}", report.model.crate_version())),
            ("Fitted to", format!("{} customers, {} rows, observed until {}", count(data.customers as f64), count(data.rows as f64),
                report.model.observation_end().map_or_else(|| "an unknown day".to_owned(), |end| end.to_string()))),
            ("Fingerprint", format!("SHA-256 {} of the summary the models were fitted to", data.fingerprint)),
        ]))
        p class="soft" { "The same input gives the same page, byte for byte. How one customer's numbers come about: clv explain. How the figures are made: docs/models.md, docs/fitting.md, docs/backtesting.md of the project." }
    }
}

fn fit(record: &FitRecord) -> Markup {
    html! {
        table {
            caption {
                (record.model()) ", fitted to " (count(record.customers())) " customers: log-likelihood " (grouped(record.log_likelihood(), 2)) ", " (ended(record))
            }
            thead { tr { th scope="col" { "Parameter" } th scope="col" { "Estimate" } th scope="col" { "Standard error" } } }
            tbody {
                @for (name, value) in record.parameters() {
                    @let (value, error) = estimate(value, record.standard_error(name));
                    tr { th scope="row" { (name) } td { (value) } td { (error) } }
                }
            }
        }
    }
}

/// Each number of the page, the name of its formula, and the paper.
fn formulas<'a>(report: &'a ReportData<'_>) -> Vec<(&'static str, &'a str, &'static str)> {
    let model = report.model_name();
    let (likelihood, source) = match model {
        BgNbd::NAME => (
            "BG/NBD: purchases at random in time, dropout after a repeat purchase",
            "Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284",
        ),
        MbgNbd::NAME => (
            "MBG/NBD: the same, dropout after any purchase",
            "Batislam, Denizel & Filiztekin (2007), IJRM 24(3), 201-209; Hoppe & Wagner (2007), Marketing JRM 3(2), 75-90",
        ),
        ParetoNbd::NAME => (
            "Pareto/NBD: purchases and dropout at random in time",
            "Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1-24",
        ),
        Nbd::NAME => ("NBD: purchases at random in time, nobody drops out", "Ehrenberg (1959), Applied Statistics 8(1), 26-41"),
        other => (other, "a model of one's own"),
    };
    let mut formulas = vec![
        ("Fit of the purchases", likelihood, source),
        ("P(alive)", "probability of not having dropped out, given x, t_x and T", source),
        ("P(active), expected purchases", "P(alive) × the same model with parameters updated by x and T", source),
        ("Discounted purchases", "integral of e^(-δu) dE[X(u)] over the horizon, δ = ln(1 + annual rate) per year", "docs/models.md"),
    ];
    if report.model.spend().is_some_and(|record| record.model() == GammaGamma::NAME) {
        formulas.push((
            "Spend per purchase",
            "Gamma-Gamma: p (γ + x m_x) / (p x + q - 1)",
            "Colombo & Jiang (1999), Journal of Interactive Marketing 13(3), 2-12; Fader & Hardie (2013), note 025",
        ));
        formulas.push(("CLV", if report.has_costs() { CLV_AFTER_COSTS } else { CLV }, "the definition above"));
    }
    formulas.push((
        "Intervals of totals",
        "moments of the sum over customers, parameters drawn from their asymptotic distribution",
        "docs/fitting.md",
    ));
    formulas.push(("Tracking", "E[X(t)] of every customer from birth, with its variance", "docs/backtesting.md"));
    formulas
}
