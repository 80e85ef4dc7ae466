//! Plain text for a terminal of 80 columns, or as many as there are.

use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::format::{WIDTH, columns, estimate, grouped, money, money_decimals, percent, printable, wrapped};
use crate::backtest::Choice;
use crate::data::{Acquired, BirthCounts, Customers, DataReport, Exclusion, Tally};
use crate::error::Result;
use crate::fit::{ComparisonLine, FitStatus, Level};
use crate::score::{ClvDefinition, Coverage, FitRecord, GroupForecast, Interval, ModelFile, Ranking, Score, ScoreStatus, Totals};
use crate::time::Date;

/// How many customers the list of the most valuable ones names.
const MOST_VALUABLE: usize = 10;

/// The longest id shown whole in a table.
const LONGEST_ID: usize = 24;

/// What was read and cleaned.
pub(crate) fn cleaning(report: &DataReport) -> String {
    section("Data", report.to_string().lines())
}

/// What is known of the births of the customers.
pub(crate) fn births(title: &str, births: &BirthCounts, acquired: &Acquired) -> String {
    let all = births.all();
    let group = |tally: Tally, what: &str| {
        let share = |part: f64, whole: f64| if whole > 0.0 { percent((part / whole * 1000.0).round() / 1000.0) } else { "-".to_owned() };
        let (customers, revenue) = (share(tally.count as f64, all.count as f64), share(tally.value, all.value));
        (tally.count > 0).then(|| format!("{} customers ({customers}; {revenue} of revenue) {what}", grouped(tally.count as f64, 0)))
    };
    let count = |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", grouped(count as f64, 0)));
    let lines = [
        group(births.in_log, "are new in the log"),
        group(births.before, "were acquired before it; what they bought until then is not known"),
        group(births.unknown, "are first seen in the run-in and may be old: scored, not fitted"),
        count(acquired.silent, "of those acquired before the log bought nothing during it"),
        count(acquired.before_first_purchase, "were acquired some days before their first purchase; age counts from that"),
        count(acquired.without_purchase, "were acquired within the log and have not bought yet: left out"),
    ];
    section(title, lines.iter().flatten().map(String::as_str))
}

/// What became of the customers that were seen, in the scores.
pub(crate) fn coverage(coverage: &Coverage) -> String {
    let tenth = |share: f64| percent((share * 1000.0).round() / 1000.0);
    // Of whoever was excluded, for whatever reason.
    let later = coverage.revenue_after_end();
    let later = (later != 0.0)
        .then(|| format!("those excluded spend {} after the observation end, which is no part of the revenue so far", money(later)));
    let lines: Vec<String> = coverage
        .shares()
        .map(|(status, customers, share, revenue)| {
            let revenue = match (status, revenue) {
                (ScoreStatus::Excluded(Exclusion::SeenAfterEnd), _) => String::new(),
                (_, Some(revenue)) => format!(", {} of the revenue so far", tenth(revenue)),
                (_, None) => String::new(),
            };
            format!("{status}: {} ({} of the customers{revenue})", grouped(customers, 0), tenth(share))
        })
        .chain(later)
        .collect();
    section("Coverage", lines.iter().map(String::as_str))
}

/// The observation window.
pub(crate) fn window(customers: &Customers) -> String {
    let unit = customers.unit();
    let mut line = format!("times in {unit}s");
    if let Some(end) = customers.observation_end() {
        line = format!("observed until {end}, {line}");
    }
    let repeat = customers.frequency().iter().filter(|&&x| x > 0).count();
    let repeat = format!("{} of the customers came back after their first purchase", grouped(repeat as f64, 0));
    section("Observation", [line.as_str(), repeat.as_str()])
}

/// The fits: parameters with standard errors, how they ended, and what to mind.
pub(crate) fn fits(model: &ModelFile) -> String {
    let mut text = fit("Purchases", model.purchases());
    match model.spend() {
        Some(spend) => text += &fit("Spend", spend),
        None => text += &section("Spend", ["no model of spend: purchases are forecast, their value is not"]),
    }
    text
}

/// How a fit ended, in words.
pub(crate) fn ended(record: &FitRecord) -> String {
    let how = match record.status() {
        FitStatus::Converged => "converged",
        FitStatus::AtBoundary => "ended at a boundary",
    };
    let prior = record
        .prior()
        .map_or_else(String::new, |prior| format!(", with a prior of standard deviation {} in the logarithms", prior.log_sd()));
    format!("{how} after {} passes over the data{prior}", record.evaluations())
}

fn fit(title: &str, record: &FitRecord) -> String {
    let mut table = plain(&["parameter", "estimate", "std. error"], &[CellAlignment::Left, CellAlignment::Right, CellAlignment::Right]);
    for (name, value) in record.parameters() {
        let (value, error) = estimate(value, record.standard_error(name));
        table.add_row([name.to_owned(), value, error]);
    }
    let likelihood = format!("log-likelihood {}; the fit {}", grouped(record.log_likelihood(), 2), ended(record));
    let title = format!(
        "{title}: {}, fitted to {} customer{}",
        record.model(),
        grouped(record.customers(), 0),
        if record.customers() == 1.0 { "" } else { "s" }
    );
    let mut text = section(&title, table.to_string().lines().chain([likelihood.as_str()]));
    for notice in record.notices() {
        text.push_str(&wrapped(&notice.message, "  notice: ", WIDTH));
        text.push('\n');
    }
    text
}

/// Models side by side, that with the lowest BIC first, and why one of them was chosen.
pub(crate) fn comparison(lines: &[ComparisonLine], chosen: &str, choice: &Result<Choice>) -> String {
    let right = CellAlignment::Right;
    let headers = ["model", "log-likelihood", "AIC", "BIC", "p, no dropout", "log score"];
    let mut table = plain(&headers, &[CellAlignment::Left, right, right, right, right, right]);
    let scores = choice.as_ref().map_or(&[][..], |choice| &choice.log_scores);
    for line in lines {
        let p = match line.p_no_dropout {
            None => "-".to_owned(),
            Some(p) if p < 0.001 => "< 0.001".to_owned(),
            Some(p) => format!("{p:.3}"),
        };
        let score = scores.iter().find(|(model, _)| *model == line.model).map_or("-".to_owned(), |(_, score)| format!("{score:.4}"));
        table.add_row([line.model.to_owned(), grouped(line.log_likelihood, 2), grouped(line.aic, 1), grouped(line.bic, 1), p, score]);
    }
    let why = match choice {
        Ok(choice) if choice.model == chosen => format!(
            "chosen: {chosen}, which gave what came the highest probability: the lowest log score over {} holdouts of {} days each",
            choice.cuts, choice.days
        ),
        Ok(choice) => {
            format!("chosen: {chosen}, which has the lowest BIC; {} forecast best, but does not fit all data together", choice.model)
        }
        Err(error) => format!("chosen: {chosen}, which has the lowest BIC; forecasts were not compared: {error}"),
    };
    let meaning = "p, no dropout: probability of so large a gain over nbd if nobody dropped out";
    let why = wrapped(&why, "", WIDTH - 2);
    section("Models compared", table.to_string().lines().chain([meaning]).chain(why.lines()))
}

/// The customers at the top of the ranking.
pub(crate) fn most_valuable(
    customers: &Customers,
    scores: &[Score],
    ranking: &[usize],
    definition: &ClvDefinition,
    end: Option<Date>,
) -> String {
    let top = &ranking[..ranking.len().min(MOST_VALUABLE)];
    let with_clv = top.iter().any(|&row| scores[row].clv.is_some());
    let title = match (top.len(), with_clv) {
        (1, _) => "The customer".to_owned(),
        (count, true) => format!("The {} most valuable customers", in_words(count)),
        (count, false) => format!("The {} customers with the most expected purchases", in_words(count)),
    };
    let right = CellAlignment::Right;
    let headers = ["customer", "purchases", "P(alive)", "expected", "per purchase", "CLV"];
    let mut table = plain(&headers, &[CellAlignment::Left, right, right, right, right, right]);
    let largest = |of: fn(&Score) -> Option<f64>| top.iter().filter_map(|&row| of(&scores[row])).fold(0.0, f64::max);
    let spend_decimals = money_decimals(largest(|score| score.expected_average_spend));
    let clv_decimals = money_decimals(largest(|score| score.clv));
    for &row in top {
        let score = &scores[row];
        let amount = |value: Option<f64>, decimals| value.map_or_else(|| "-".to_owned(), |value| grouped(value, decimals));
        table.add_row([
            shortened(customers.id(row)),
            grouped(customers.purchases_in_log(row) as f64, 0),
            format!("{:.2}", score.p_alive),
            amount(score.expected_purchases, 1),
            amount(score.expected_average_spend, spend_decimals),
            amount(score.clv, clv_decimals),
        ]);
    }
    if !with_clv {
        hide(&mut table, &[4, 5]);
    }
    let meaning = format!("expected: purchases {}{}", if definition.horizon.is_lifetime() { "" } else { "in the " }, span(definition, end));
    section(&title, table.to_string().lines().chain([meaning.as_str()]))
}

/// What all scores come to.
pub(crate) fn totals(
    totals: &Totals,
    ranking: &Ranking,
    forecast: Option<&(Level, GroupForecast)>,
    definition: &ClvDefinition,
    end: Option<Date>,
    beside_interval: Option<&str>,
) -> String {
    let mut rows = vec![("customers", grouped(totals.customers, 0), String::new())];
    let interval = |of: fn(&GroupForecast) -> Option<Interval>, number: fn(f64) -> String| {
        let ends = forecast.and_then(|(level, group)| of(group).map(|ends| (level, ends)));
        ends.map_or_else(String::new, |(level, Interval { lower, upper })| {
            format!("  ({}: {} to {})", percent(level.share()), number(lower), number(upper))
        })
    };
    let purchases_between = interval(|group| Some(group.purchases), |purchases| grouped(purchases, 0));
    rows.extend(totals.expected_purchases.map(|purchases| ("expected purchases", grouped(purchases, 0), purchases_between)));
    rows.extend(totals.clv.map(|clv| ("total CLV", money(clv), interval(|group| group.clv, money))));
    rows.extend(
        ranking.share_of_top_tenth.map(|share| ("held by the top 10 % of customers", format!("{:.0} %", 100.0 * share), String::new())),
    );
    if totals.clv.is_some() && totals.without_clv > 0.0 {
        rows.push(("customers without a spend estimate", grouped(totals.without_clv, 0), String::new()));
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for (what, value, between) in rows {
        table.add_row([what.to_owned(), value, between]);
    }
    align(&mut table, &[CellAlignment::Left, CellAlignment::Right, CellAlignment::Left]);
    let title = wrapped(&in_full(definition, end), "Total: ", WIDTH);
    let beside = beside_interval.filter(|_| forecast.is_some()).map_or_else(String::new, |words| {
        wrapped(&format!("intervals: from single customers' chance and parameters; {words}"), "", WIDTH - 2)
    });
    section(&title, table.to_string().lines().chain(beside.lines()))
}

/// The same in a line.
pub(crate) fn total(totals: &Totals, forecast: Option<&(Level, GroupForecast)>, definition: &ClvDefinition, end: Option<Date>) -> String {
    let mut expected: Vec<String> = Vec::new();
    expected.extend(totals.expected_purchases.map(|purchases| format!("{} purchases expected", grouped(purchases, 0))));
    expected.extend(totals.clv.map(|clv| format!("a total CLV of {}", money(clv))));
    if let Some((level, Interval { lower, upper })) = forecast.and_then(|(level, group)| group.clv.map(|clv| (level, clv))) {
        expected.push(format!("between {} and {} with a probability of {}", money(lower), money(upper), percent(level.share())));
    }
    if totals.clv.is_some() && totals.without_clv > 0.0 {
        expected.push(format!("{} of them without a spend estimate and so without a CLV", grouped(totals.without_clv, 0)));
    }
    let plural = if totals.customers == 1.0 { "" } else { "s" };
    let text = format!("scored {} customer{plural}: {} ({})", grouped(totals.customers, 0), expected.join(", "), in_full(definition, end));
    wrapped(&text, "", WIDTH)
}

/// Where the results are.
pub(crate) fn files(directory: &Path, names: &[&str]) -> String {
    let paths: Vec<String> = names.iter().map(|name| directory.join(name).display().to_string()).collect();
    section("Files", paths.iter().map(String::as_str))
}

/// The definition of value in words.
pub(crate) fn in_full(definition: &ClvDefinition, end: Option<Date>) -> String {
    let mut text = format!(
        "{}, {} a year, margin {}",
        span(definition, end),
        percent(definition.annual_discount.annual_rate()),
        percent(definition.margin.share())
    );
    for (cost, what) in [(definition.cost_per_purchase, "purchase"), (definition.cost_per_year, "year")] {
        if !cost.is_zero() {
            text += &format!(", less {} a {what}", money(cost.amount()));
        }
    }
    text
}

fn span(definition: &ClvDefinition, end: Option<Date>) -> String {
    match end {
        Some(end) if definition.horizon.is_lifetime() => format!("for life after {end}"),
        None if definition.horizon.is_lifetime() => "for life".to_owned(),
        Some(end) => format!("{} after {end}", definition.horizon),
        None => format!("{} after the data end", definition.horizon),
    }
}

/// A title and lines below it, indented, with an empty line before.
pub(crate) fn section<'a>(title: &str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = format!("\n{title}\n");
    for line in lines {
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A table without frames but for a line under its header.
pub(crate) fn plain(headers: &[&str], alignments: &[CellAlignment]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_style(TableComponent::HeaderLines, '-').set_style(TableComponent::MiddleHeaderIntersections, '-');
    table.set_header(headers.iter().copied());
    if columns() < WIDTH {
        // Less the indentation of a section.
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(columns() - 2).unwrap_or(u16::MAX));
    }
    align(&mut table, alignments);
    table
}

fn align(table: &mut Table, alignments: &[CellAlignment]) {
    for (column, &alignment) in table.column_iter_mut().zip(alignments) {
        column.set_cell_alignment(alignment);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 2));
    }
}

fn hide(table: &mut Table, columns: &[usize]) {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(comfy_table::ColumnConstraint::Hidden);
        }
    }
}

fn shortened(id: &str) -> String {
    let id = &printable(id);
    if id.chars().count() <= LONGEST_ID { id.to_owned() } else { id.chars().take(LONGEST_ID - 3).chain("...".chars()).collect() }
}

fn in_words(count: usize) -> String {
    let words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    words.get(count).map_or_else(|| count.to_string(), |word| (*word).to_owned())
}
