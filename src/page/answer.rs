//! The first screen: what it comes to, how far past forecasts were off, who holds it.

use maud::{Markup, html};

use super::ReportData;
use super::show::{bound, count, fine_share, id, money, off, one_decimal, prose, share};
use crate::backtest::{Run, Total};
use crate::data::counted_things;
use crate::fit::Level;
use crate::report::backtest::{alternatives, judgement, sentences, shocks_of};
use crate::report::format::{grouped, money_decimals, percent};
use crate::report::methods::{days, signed};
use crate::report::{shock, shock_in_short};
use crate::score::{GroupForecast, Interval, Score};

/// Customers that are named.
const MOST_VALUABLE: usize = 10;

/// An id that stays in one line on a phone.
const SHORT_ID: usize = 14;

/// A number that is read first.
struct Tile {
    name: &'static str,
    number: String,
    notes: Vec<String>,
}

/// The numbers, and what they rest on in sentences.
pub(super) fn tiles(report: &ReportData<'_>) -> Markup {
    let tiles = [value(report), past(report), held(report), purchases(report)];
    html! {
        ul class="tiles" {
            @for Tile { name, number, notes } in tiles.into_iter().flatten() {
                li { span class="name" { (name) } strong { (bound(&number)) } @for note in notes { span { (prose(&note)) } } }
            }
        }
        // A wrong date makes all of this wrong: it is not left for the end of the page.
        @for remark in &report.remarks { p class="notice" { (prose(remark)) } }
        @if let Some(verdict) = short_verdict(report) { p { (prose(&verdict)) } }
    }
}

/// What speaks against the model at several cuts or at the last one; or that nothing does.
fn short_verdict(report: &ReportData<'_>) -> Option<String> {
    let verdict = judgement(report.model_name(), report.rolling, report.backtest)?;
    Some([verdict.to_string()].into_iter().chain(alternatives(report.backtest)).collect::<Vec<_>>().join(" "))
}

/// What an interval of this total leaves out, if the past shows it; where spend was not told with a variance, what shows of purchases.
fn beside(report: &ReportData<'_>, total: Total) -> Option<String> {
    report.forecast?;
    let mut shocks = shocks_of(report.model_name(), report.rolling);
    if shocks.iter().any(|shock| shock.total == total) {
        shocks.retain(|shock| shock.total == total);
    }
    shock_in_short(&shocks)
}

fn between(report: &ReportData<'_>, of: fn(&GroupForecast) -> Option<Interval>, number: fn(f64) -> String) -> String {
    let ends = report.forecast.and_then(|(level, group)| of(group).map(|ends| (level, ends)));
    match ends {
        Some((level, Interval { lower, upper })) => format!("{}: {} to {}", percent(Level::share(*level)), number(lower), number(upper)),
        None => "without an interval".to_owned(),
    }
}

fn value(report: &ReportData<'_>) -> Option<Tile> {
    let clv = report.totals.clv?;
    let mut notes = vec![format!("of {} customers", count(report.totals.customers)), between(report, |group| group.clv, money)];
    notes.extend(beside(report, Total::Revenue).filter(|_| report.forecast.is_some_and(|(_, group)| group.clv.is_some())));
    if report.totals.without_clv > 0.0 {
        notes.push(format!("{} without a spend estimate are not in it", count(report.totals.without_clv)));
    }
    Some(Tile { name: "Value still to come", number: money(clv), notes })
}

fn purchases(report: &ReportData<'_>) -> Option<Tile> {
    let expected = report.totals.expected_purchases?;
    Some(Tile {
        name: "Purchases still to come",
        number: count(expected),
        notes: [between(report, |group| Some(group.purchases), count)].into_iter().chain(beside(report, Total::Purchases)).collect(),
    })
}

fn past(report: &ReportData<'_>) -> Option<Tile> {
    let name = "The past forecast of purchases was";
    let Some(run) = report.run() else {
        let notes = vec![report.no_backtest.clone().unwrap_or_else(|| "there is no back-test".to_owned())];
        return Some(Tile { name, number: "not tested".to_owned(), notes });
    };
    let Some(bias) = run.metrics.bias else {
        return Some(Tile { name, number: "not comparable".to_owned(), notes: vec!["nobody bought after the cut".to_owned()] });
    };
    let mut notes = vec![format!(
        "the last {} held out: {} purchases of the {} customers known on {} were forecast, {} came",
        days(run.split.days()),
        count(run.predicted_purchases.unwrap_or(0.0)),
        count(run.customers as f64),
        run.split.cut(),
        count(run.actual_purchases)
    )];
    let spend = run.revenue.first().filter(|_| report.totals.clv.is_some()).and_then(|revenue| revenue.metrics.bias);
    notes.extend(spend.map(|bias| format!("spend: {}", off(bias))));
    notes.extend(several(report));
    Some(Tile { name, number: off(bias), notes })
}

/// How the totals came out at several cuts.
fn several(report: &ReportData<'_>) -> Option<String> {
    let biases: Vec<f64> = report.rolling_runs().filter_map(|run: &Run| run.metrics.bias).collect();
    let (low, high) = (biases.iter().copied().reduce(f64::min)?, biases.iter().copied().reduce(f64::max)?);
    let of = report.rolling_sample.map_or_else(String::new, |customers| format!(", of {} customers", count(customers as f64)));
    let ahead = report.rolling_runs().next().map(|run| days(run.split.days()))?;
    // Where nothing came there is no ratio, and it is not left out for that.
    let for_nothing: Vec<f64> =
        report.rolling_runs().filter(|run| run.metrics.bias.is_none()).filter_map(|run| run.predicted_purchases).collect();
    let most = for_nothing.iter().copied().reduce(f64::max);
    let nothing = most
        .map_or_else(String::new, |most| format!("; at {} more nobody bought, and up to {} were forecast", for_nothing.len(), count(most)));
    let dates = counted_things(biases.len() as u64, "past date");
    Some(format!("at {dates}, each looking {ahead} ahead: {} to {}{of}{nothing}", signed(low), signed(high)))
}

fn held(report: &ReportData<'_>) -> Option<Tile> {
    let spread = report.computed.concentration.as_ref()?;
    let (half, all) = (spread.half_held_by(), report.totals.customers);
    let mut notes = vec![format!("{} of {}", fine_share(half / all), count(all))];
    notes.extend(report.ranking.share_of_top_tenth.map(|held| format!("the top 10 % hold {}", share(held))));
    let number = format!("{} customer{}", count(half.ceil()), if half <= 1.0 { "" } else { "s" });
    Some(Tile { name: "Half of the value is held by", number, notes })
}

/// What the back-test comes to in sentences.
pub(super) fn verdict(report: &ReportData<'_>) -> Markup {
    let several = shock(&shocks_of(report.model_name(), report.rolling));
    let why = report.no_backtest.iter().map(|why| format!("There is no back-test: {why}"));
    html! {
        ul class="plain" {
            @for sentence in why.chain(sentences(report.backtest)).chain(several).chain(short_verdict(report)) { li { (prose(&sentence)) } }
        }
    }
}

/// The bands of value, where there are any.
pub(super) fn bands(report: &ReportData<'_>) -> Markup {
    let Some(bands) = report.bands else { return html! {} };
    let limits = bands.limits().iter().map(|&limit| money(limit)).chain(["–".to_owned()]);
    let holdings = bands.holdings(report.customers, report.scores);
    html! {
        div {
            h3 { "Bands of value" }
            div class="scroll" tabindex="0" role="region" aria-label="Bands of value" {
                table {
                    caption { "By limits that are kept in the model file, so that nobody moves because others did" }
                    thead { tr { th scope="col" { "Band" } th scope="col" { "CLV from" } th scope="col" { "Customers" } th scope="col" { "Total CLV" } } }
                    tbody {
                        @for ((name, limit), (customers, clv)) in bands.rule().names().zip(limits).zip(holdings) {
                            tr { th scope="row" { (name) } td { (limit) } td { (count(customers)) } td { (money(clv)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The customers at the top of the ranking.
pub(super) fn most_valuable(report: &ReportData<'_>) -> Markup {
    let rows = || report.ranking.rows.iter().take(MOST_VALUABLE).map(|&row| (row, &report.scores[row]));
    // Amounts of a column have as many decimals as the largest.
    let amounts = |of: fn(&Score) -> Option<f64>| {
        let decimals = money_decimals(rows().filter_map(|(_, score)| of(score)).fold(0.0, f64::max));
        move |score: &Score| of(score).map_or_else(|| "–".to_owned(), |amount| grouped(amount, decimals))
    };
    let (clv, spend) = (amounts(|score| score.clv), amounts(|score| score.expected_average_spend));
    // Without a spend model there is nothing to be said of value.
    let with_clv = report.totals.clv.is_some();
    let (title, by) = if with_clv {
        ("The most valuable customers", "By expected value")
    } else {
        ("The customers with most expected purchases", "By discounted purchases")
    };
    html! {
        div {
            h3 { (title) }
            div class="scroll" tabindex="0" role="region" aria-label=(title) {
                table {
                    caption { (by) span class="hint" { " (scrolls sideways)" } }
                    thead {
                        tr {
                            th scope="col" { "Customer" }
                            @if with_clv { th scope="col" { "CLV" } }
                            th scope="col" { "Expected purchases" }
                            @if with_clv { th scope="col" { "Spend per purchase" } }
                            th scope="col" { "P(alive)" }
                            th scope="col" { "Purchases so far" }
                        }
                    }
                    tbody {
                        @for (row, score) in rows() {
                            tr {
                                @let shown = id(report.customers.id(row));
                                th scope="row" { bdi class=[(shown.chars().count() <= SHORT_ID).then_some("short")] { (shown) } }
                                @if with_clv { td { (clv(score)) } }
                                td { (score.expected_purchases.map_or_else(|| "–".to_owned(), one_decimal)) }
                                @if with_clv { td { (spend(score)) } }
                                td { (share(score.p_alive)) }
                                td { (count(report.customers.purchases_in_log(row) as f64)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
