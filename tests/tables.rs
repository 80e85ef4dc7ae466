//! Every quantity of the models against tables of 40 digits (tests/reference/*.csv, made by make_tables.py there from formulas and arithmetic that
//! share nothing with the crate). Each test prints the largest errors as rows of the tables in docs/accuracy.md.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

mod common;

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory};
use common::{Deviation, Largest};

/// Log-likelihoods: relative, absolute below 1. Other values v: relative, times 1 + |ln v|, since a value e^-k carries the rounding of an exponent
/// of size k.
const ACCURACY: f64 = 1e-12;

/// The fewest rows a table may have.
const ROWS: usize = 500;

/// Half of the rows of every purchase model are moderate, half chosen for trouble.
const ROWS_PER_REGION: usize = 78;

const REGIONS: [&str; 2] = ["moderate", "trouble"];

/// The ages that make_tables.py gives the rows chosen for trouble; the others have ages of four random digits.
const AGES_OF_TROUBLE: [f64; 7] = [0.0, 0.5, 7.0, 39.0, 104.57, 1000.0, 5000.0];

/// (p, q, gamma) of the rows of Gamma-Gamma that make_tables.py chose for trouble; the others are random or those of CDNOW.
const SPEND_OF_TROUBLE: [[f64; 3]; 8] = [
    [0.5, 0.3, 2.0],
    [0.001, 2.0, 10.0],
    [2.0, 0.001, 10.0],
    [1e4, 3.74, 15.44],
    [6.25, 1e4, 15.44e3],
    [1e5, 1e5, 1.0],
    [6.25, 1.0, 15.44],
    [6.25, 1.000_000_01, 15.44],
];

struct Table {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(name: &'static str) -> Self {
        let path = format!("{}/tests/reference/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let columns = lines.next().unwrap();
        let table = Table { name, columns, rows: lines.collect() };
        assert!(table.rows.len() >= ROWS, "{name}: {} rows", table.rows.len());
        table
    }
}

/// One row, its fields by the names of the columns.
struct Row<'a> {
    table: &'a Table,
    fields: &'a [String],
}

impl Row<'_> {
    fn text(&self, column: &str) -> &str {
        let index = self.table.columns.iter().position(|name| name == column);
        &self.fields[index.unwrap_or_else(|| panic!("{}: no column {column}", self.table.name))]
    }

    fn number(&self, column: &str) -> f64 {
        self.text(column).parse().unwrap_or_else(|_| panic!("{}: {column} is no number in {:?}", self.table.name, self.fields))
    }

    fn count(&self, column: &str) -> u64 {
        self.text(column).parse().unwrap_or_else(|_| panic!("{}: {column} is no count in {:?}", self.table.name, self.fields))
    }

    fn model(&self) -> AnyPurchaseModel {
        let parameters: Vec<f64> =
            ["p1", "p2", "p3", "p4"].into_iter().filter(|name| !self.text(name).is_empty()).map(|name| self.number(name)).collect();
        AnyPurchaseModel::from_name(self.text("model"), &parameters).unwrap()
    }

    fn history(&self) -> History {
        History::new(self.count("x").try_into().unwrap(), self.number("t_x"), self.number("T")).unwrap()
    }
}

/// A row of a table in docs/accuracy.md, on a line of its own whatever the test runner has written.
fn print_errors(first: &str, second: &str, errors: &[Largest]) {
    let cells: Vec<String> = errors.iter().map(Largest::to_string).collect();
    println!("\n| {first} | {second} | {} |", cells.join(" | "));
}

/// Every row of a table, whose quantity docs/accuracy.md calls `quantity`; `evaluate` gives the value and `condition` its condition number.
fn check(
    (name, quantity): (&'static str, &str),
    deviation: impl Fn(f64, f64) -> Deviation,
    evaluate: impl Fn(&Row) -> f64,
    condition: impl Fn(&Row) -> f64,
) {
    let table = Table::read(name);
    let mut wrong = Vec::new();
    let mut largest = [[Largest::default(); AnyPurchaseModel::NAMES.len()]; REGIONS.len()];
    for fields in &table.rows {
        let row = Row { table: &table, fields };
        let (ours, expected) = (evaluate(&row), row.number("value"));
        let deviation = deviation(ours, expected).per_condition(condition(&row));
        let model = AnyPurchaseModel::NAMES.iter().position(|name| *name == row.text("model")).unwrap();
        largest[usize::from(AGES_OF_TROUBLE.contains(&row.number("T")))][model].add(deviation);
        // Written so that NaN is wrong too.
        if !(deviation.scaled <= ACCURACY) {
            let error = deviation.scaled / ACCURACY;
            wrong.push((error, format!("{ours:e} against {expected:e}, {error:.1} times what is allowed: {}", fields.join(","))));
        }
    }
    for (region, errors) in REGIONS.iter().zip(&largest) {
        print_errors(quantity, region, errors);
        assert!(errors.iter().all(|error| error.count() == ROWS_PER_REGION), "{name}, {region}: {errors:?}");
    }
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst: Vec<&str> = wrong.iter().take(10).map(|(_, text)| text.as_str()).collect();
    assert!(wrong.is_empty(), "{name}: {} of {} rows\n{}", wrong.len(), table.rows.len(), worst.join("\n"));
}

/// A table of values whose rows are well conditioned.
fn check_values(table: (&'static str, &str), evaluate: impl Fn(&Row) -> f64) {
    check(table, Deviation::of_value, evaluate, |_| 1.0);
}

#[test]
fn log_likelihood() {
    check(("log_likelihood", "ln L"), Deviation::of_log_likelihood, |row| row.model().ln_likelihood(&row.history()), |_| 1.0);
}

#[test]
fn p_alive() {
    check_values(("p_alive", "P(alive)"), |row| row.model().p_alive(&row.history()));
}

#[test]
fn p_dead() {
    check_values(("p_dead", "P(dead)"), |row| row.model().p_dead(&row.history()));
}

#[test]
fn p_alive_later() {
    check_values(("p_alive_later", "P(alive at T + t)"), |row| row.model().conditional_p_alive_at(&row.history(), row.number("t")));
}

#[test]
fn expected_purchases() {
    check_values(("expected_purchases", "expected purchases"), |row| {
        row.model().conditional_expected_purchases(&row.history(), row.number("t"))
    });
}

#[test]
fn variance() {
    check_values(("variance", "variance"), |row| row.model().conditional_purchase_variance(&row.history(), row.number("t")));
}

#[test]
fn discounted() {
    check_values(("discounted", "discounted purchases, DERT"), |row| {
        let (model, history, t, delta) = (row.model(), row.history(), row.number("t"), row.number("delta"));
        if t.is_infinite() {
            return model.conditional_dert(&history, delta).unwrap_or(f64::NAN);
        }
        model.conditional_discounted_expected_purchases(&history, t, delta)
    });
}

#[test]
fn pmf() {
    check_values(("pmf", "P(n purchases)"), |row| row.model().conditional_purchase_pmf(&row.history(), row.count("n"), row.number("t")));
}

#[test]
fn survival_of_count() {
    check_values(("survival_of_count", "P(more than n purchases)"), |row| {
        row.model().conditional_purchase_sf(&row.history(), row.count("n"), row.number("t"))
    });
}

#[test]
fn next_purchase_quantile() {
    // The time at which the distribution function F reaches q. q itself is given to a relative error of 2^-53, which moves the time by q / (t F'(t))
    // times as much: without bound where F levels off towards the customers who never come back. The slope is a central difference; it need not be
    // accurate.
    let condition = |row: &Row| {
        let (model, history, t) = (row.model(), row.history(), row.number("value"));
        let step = 1e-4;
        let f = |t: f64| model.conditional_p_active(&history, t);
        let slope = (f(t * (1.0 + step)) - f(t * (1.0 - step))) / (2.0 * step);
        (row.number("q") / slope).max(1.0)
    };
    let evaluate = |row: &Row| row.model().conditional_next_purchase_quantile(&row.history(), row.number("q")).unwrap_or(f64::NAN);
    check(("next_purchase_quantile", "time to the next purchase"), Deviation::of_value, evaluate, condition);
}

/// The Gamma-Gamma rows of one quantity: what it is called in the table and in docs/accuracy.md.
fn check_gamma_gamma(
    (quantity, title): (&str, &str),
    deviation: impl Fn(f64, f64) -> Deviation,
    evaluate: impl Fn(&Row, &GammaGamma, &SpendHistory) -> f64,
) {
    let table = Table::read("gamma_gamma");
    let mut wrong = Vec::new();
    let mut largest = [Largest::default(); REGIONS.len()];
    for fields in &table.rows {
        let row = Row { table: &table, fields };
        if row.text("quantity") != quantity {
            continue;
        }
        let [p, q, gamma] = ["p", "q", "gamma"].map(|name| row.number(name));
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        let spend = SpendHistory::new(row.count("x").try_into().unwrap(), row.number("m")).unwrap();
        let (ours, expected) = (evaluate(&row, &model, &spend), row.number("value"));
        let deviation = deviation(ours, expected);
        largest[usize::from(SPEND_OF_TROUBLE.contains(&[p, q, gamma]))].add(deviation);
        // Written so that NaN is wrong too.
        if !(deviation.scaled <= ACCURACY) {
            wrong.push(format!("{ours:e} against {expected:e} in {}", fields.join(",")));
        }
    }
    print_errors("Gamma-Gamma", title, &largest);
    assert!(largest.iter().all(|error| error.count() >= 70), "{quantity}: {largest:?}");
    assert!(wrong.is_empty(), "{quantity}: {} rows\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn gamma_gamma_log_likelihood() {
    check_gamma_gamma(("log_likelihood", "ln L"), Deviation::of_log_likelihood, |_, model, spend| model.ln_likelihood(spend));
}

#[test]
fn gamma_gamma_conditional_mean() {
    check_gamma_gamma(("conditional_mean", "expected average spend"), Deviation::of_value, |_, model, spend| {
        model.expected_average_spend(spend).unwrap_or(f64::NAN)
    });
}

#[test]
fn gamma_gamma_mean_density() {
    check_gamma_gamma(("mean_density", "density of the average"), Deviation::of_value, |row, model, spend| {
        model.given(spend).average_spend_density(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_mean_cdf() {
    check_gamma_gamma(("mean_cdf", "distribution of the average"), Deviation::of_value, |row, model, spend| {
        model.given(spend).average_spend_cdf(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_mean_quantile() {
    check_gamma_gamma(("mean_quantile", "quantile of the average"), Deviation::of_value, |row, model, spend| {
        model.given(spend).average_spend_quantile(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_total_density() {
    check_gamma_gamma(("total_density", "density of the total"), Deviation::of_value, |row, model, spend| {
        model.given(spend).total_spend_density(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_total_quantile() {
    check_gamma_gamma(("total_quantile", "quantile of the total"), Deviation::of_value, |row, model, spend| {
        model.given(spend).total_spend_quantile(row.count("n"), row.number("arg"))
    });
}
