//! Cohorts for a terminal: what they did, what they are worth, whether they differ.

use comfy_table::CellAlignment;

use super::format::{WIDTH, grouped, money, percent, printable, significant, wrapped};
use super::terminal::{in_full, plain, section};
use crate::score::{CohortFigures, CohortReport, CurvePoint, Pooling};

/// Cohorts that are shown: the last ones.
const MOST_SHOWN: usize = 24;

/// Cohorts of which it is told why they have no fit of their own.
const MOST_FALLBACKS: usize = 20;

/// Of fewer customers a share of those who bought says little.
const FEW: f64 = 20.0;

/// Periods whose retention is shown.
const PERIODS: [usize; 6] = [1, 2, 3, 6, 12, 24];

/// A report on cohorts with the hash of the definition that was in force, as JSON.
pub(crate) fn json(report: &CohortReport, definition_hash: &str) -> String {
    #[derive(serde::Serialize)]
    struct UnderDefinition<'a> {
        definition_hash: &'a str,
        #[serde(flatten)]
        report: &'a CohortReport,
    }
    let text = serde_json::to_string_pretty(&UnderDefinition { definition_hash, report }).expect("a report is plain data with text keys");
    text + "\n"
}

/// All that a report on cohorts says.
pub(crate) fn account(report: &CohortReport) -> String {
    let shown = &report.cohorts[report.cohorts.len().saturating_sub(MOST_SHOWN)..];
    let mut text = purchases(report, shown) + &retention(report, shown);
    if shown.iter().any(|cohort| cohort.residual_value.is_some()) {
        text += &values(report, shown);
    }
    text + &sentences(report)
}

fn table(headers: &[&str]) -> comfy_table::Table {
    let mut alignments = vec![CellAlignment::Right; headers.len()];
    alignments[0] = CellAlignment::Left;
    plain(headers, &alignments)
}

fn purchases(report: &CohortReport, shown: &[CohortFigures]) -> String {
    let mut table = table(&["cohort", "customers", "purchases", "expected", "to come", "rate/yr", "prior"]);
    for cohort in shown {
        let rate = cohort
            .parameters
            .first()
            .zip(cohort.parameters.get(1))
            .map(|((_, r), (_, alpha))| r.value / alpha.value * report.unit.per_year());
        table.add_row([
            short(&cohort.name),
            grouped(cohort.customers, 0),
            grouped(cohort.observed_purchases, 0),
            grouped(cohort.expected_purchases.value, 0),
            cohort.residual_purchases.map_or_else(dash, |purchases| grouped(purchases, 0)),
            rate.map_or_else(dash, |rate| significant(rate, 3)),
            cohort.prior_weight.filter(|_| cohort.fit == Pooling::Partial).map_or_else(dash, |weight| format!("{weight:.2}")),
        ]);
    }
    let hidden = report.cohorts.len() - shown.len();
    let mut notes =
        vec!["purchases: repeat purchases so far, and as the model has them; prior: the share of a fit that is borrowed".to_owned()];
    if hidden > 0 {
        notes.push(format!("{hidden} earlier cohorts are not shown here"));
    }
    let notes = notes.iter().map(|note| wrapped(note, "", WIDTH - 2)).collect::<Vec<_>>().join("\n");
    section(&format!("Cohorts: {}, {}", report.model, pooled(report.pooling)), table.to_string().lines().chain(notes.lines()))
}

fn retention(report: &CohortReport, shown: &[CohortFigures]) -> String {
    let periods: Vec<usize> = PERIODS.into_iter().filter(|&k| shown.iter().any(|cohort| cohort.curve.len() >= k)).collect();
    let age = |k: usize| shown.iter().find_map(|cohort| cohort.curve.get(k - 1)).map_or_else(dash, |point| format!("{:.0}", point.age));
    if periods.is_empty() {
        return String::new();
    }
    let headers: Vec<String> = std::iter::once("cohort".to_owned()).chain(periods.iter().map(|&k| age(k))).collect();
    let mut table = table(&headers.iter().map(String::as_str).collect::<Vec<_>>());
    for cohort in shown {
        let cell = |point: &CurvePoint| {
            let few = if point.customers < FEW { "*" } else { "" };
            format!("{:.0}{few}/{:.0} %", 100.0 * point.active, 100.0 * point.expected_active.value)
        };
        let cells = periods.iter().map(|&k| cohort.curve.get(k - 1).map_or_else(dash, cell));
        table.add_row(std::iter::once(short(&cohort.name)).chain(cells));
    }
    let few = shown.iter().flat_map(|cohort| periods.iter().filter_map(|&k| cohort.curve.get(k - 1))).any(|point| point.customers < FEW);
    let note = few.then(|| format!("*: of fewer than {FEW} customers, which says little"));
    let title = format!("Retention: who bought in the period up to this age ({}s), and expected", report.unit);
    section(&title, table.to_string().lines().chain(note.as_deref()))
}

fn values(report: &CohortReport, shown: &[CohortFigures]) -> String {
    let with_costs = shown.iter().any(|cohort| cohort.acquisition_cost.is_some());
    let mut headers = vec!["cohort", "to date", "to come", "between", "per new"];
    if with_costs {
        headers.extend(["x cost", "payback"]);
    }
    let mut table = table(&headers);
    for cohort in shown {
        let between = cohort.residual_value_between.map_or_else(dash, |(lower, upper)| format!("{}-{}", brief(lower), brief(upper)));
        let mut row = vec![
            short(&cohort.name),
            brief(cohort.value_to_date),
            cohort.residual_value.map_or_else(dash, brief),
            between,
            cohort.new_customer_value.map_or_else(dash, |value| money(value.value)),
        ];
        if with_costs {
            row.push(cohort.value_to_cost.map_or_else(dash, |ratio| significant(ratio.value, 3)));
            row.push(
                cohort.payback.map_or_else(dash, |payback| payback.time.map_or_else(|| "never".to_owned(), |time| format!("{time:.1}"))),
            );
        }
        table.add_row(row);
    }
    let note = format!(
        "to come, and what a new customer is worth: {}, between with a probability of {}",
        in_full(&report.definition, Some(report.observation_end)),
        percent(report.level)
    );
    let mut note = wrapped(&note, "", WIDTH - 2);
    if with_costs {
        let costs = format!(
            "x cost: what a new customer is worth over what the acquisition cost; payback: {}s from the first purchase until their value has paid for it",
            report.unit
        );
        note = format!("{note}\n{}", wrapped(&costs, "", WIDTH - 2));
    }
    section("Value", table.to_string().lines().chain(note.lines()))
}

fn sentences(report: &CohortReport) -> String {
    let mut lines = Vec::new();
    if let Some(p) = report.p_all_alike {
        let verdict = if p < 0.05 {
            "Cohorts differ: telling them apart is earned"
        } else {
            "Cohorts are not seen to differ: one fit for all does as well"
        };
        lines.push(format!("{verdict} (p {}).", if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }));
        let differing: Vec<String> =
            report.sd_between.iter().filter(|(_, sd)| *sd > 0.0).map(|(name, sd)| format!("{name} by {:.0} %", 100.0 * sd)).collect();
        if !differing.is_empty() {
            lines.push(format!("From cohort to cohort they vary: {}.", differing.join(", ")));
        }
    }
    lines.extend(report.notices.iter().map(|notice| format!("{}.", capital(notice))));
    lines.extend(report.change.as_ref().map(|change| change.verdict.clone()));
    let fallbacks = report.cohorts.iter().filter_map(|cohort| Some((cohort, cohort.fallback.as_ref()?)));
    for (cohort, why) in fallbacks.clone().take(MOST_FALLBACKS) {
        let instead = if cohort.fit == Pooling::Pooled { "has the one fit for all" } else { "borrows from the others" };
        lines.push(format!("{} {instead}: {why}.", short(&cohort.name)));
    }
    match fallbacks.count() {
        count if count > MOST_FALLBACKS => lines.push(format!("{} more cohorts have no fit of their own either.", count - MOST_FALLBACKS)),
        _ => {}
    }
    if lines.is_empty() {
        let why = match (report.cohorts.len(), report.pooling) {
            (1, _) => "Nothing to compare: there is one cohort.",
            (_, Pooling::Separate) => "Each cohort has its own fit; whether telling them apart is earned is said with --pooling partial.",
            _ => "Nothing to compare: one fit for all was asked for.",
        };
        lines.push(why.to_owned());
    }
    let text = lines.iter().map(|line| wrapped(line, "", WIDTH - 2)).collect::<Vec<_>>().join("\n");
    section("Do they differ?", text.lines())
}

/// A sentence begins with a capital letter.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn pooled(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::Pooled => "one fit for all",
        Pooling::Separate => "each on its own",
        Pooling::Partial => "each borrowing from the others",
    }
}

/// An amount in a table of many columns.
fn brief(amount: f64) -> String {
    grouped(amount, 0)
}

fn dash() -> String {
    "-".to_owned()
}

fn short(name: &str) -> String {
    let name = &printable(name);
    if name.chars().count() <= 14 { name.to_owned() } else { name.chars().take(11).chain("...".chars()).collect() }
}
