//! Every quantity of the models against tables of 40 digits (tests/reference/*.csv, made by make_tables.py there from formulas and arithmetic that
//! share nothing with the crate).
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory};

/// Log-likelihoods: relative, absolute below 1. Other values v: relative, times 1 + |ln v|, since a value e^-k carries the rounding of an exponent
/// of size k.
const ACCURACY: f64 = 1e-12;

/// The fewest rows a table may have.
const ROWS: usize = 500;

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

/// The error of a value other than a log-likelihood, in units of what it may be. Below the smallest normal double only its size is asked for.
fn error_of_value(ours: f64, expected: f64) -> f64 {
    if expected.abs() < f64::MIN_POSITIVE {
        return if ours.abs() <= f64::MIN_POSITIVE { 0.0 } else { f64::INFINITY };
    }
    (ours - expected).abs() / (ACCURACY * (1.0 + expected.abs().ln().abs()) * expected.abs())
}

/// Every row of a table; `evaluate` gives the value and `condition` what the accuracy is multiplied with.
fn check(name: &'static str, error: impl Fn(f64, f64) -> f64, evaluate: impl Fn(&Row) -> f64, condition: impl Fn(&Row) -> f64) {
    let table = Table::read(name);
    let mut wrong = Vec::new();
    for fields in &table.rows {
        let row = Row { table: &table, fields };
        let (ours, expected) = (evaluate(&row), row.number("value"));
        let error = error(ours, expected) / condition(&row);
        // Written so that NaN is wrong too.
        if !(error <= 1.0) {
            wrong.push((error, format!("{ours:e} against {expected:e}, {error:.1} times what is allowed: {}", fields.join(","))));
        }
    }
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst: Vec<&str> = wrong.iter().take(10).map(|(_, text)| text.as_str()).collect();
    assert!(wrong.is_empty(), "{name}: {} of {} rows\n{}", wrong.len(), table.rows.len(), worst.join("\n"));
}

/// A table of values whose rows are well conditioned.
fn check_values(name: &'static str, evaluate: impl Fn(&Row) -> f64) {
    check(name, error_of_value, evaluate, |_| 1.0);
}

#[test]
fn log_likelihood() {
    let error = |ours: f64, expected: f64| (ours - expected).abs() / (ACCURACY * expected.abs().max(1.0));
    check("log_likelihood", error, |row| row.model().ln_likelihood(&row.history()), |_| 1.0);
}

#[test]
fn p_alive() {
    check_values("p_alive", |row| row.model().p_alive(&row.history()));
}

#[test]
fn p_dead() {
    check_values("p_dead", |row| row.model().p_dead(&row.history()));
}

#[test]
fn p_alive_later() {
    check_values("p_alive_later", |row| row.model().conditional_p_alive_at(&row.history(), row.number("t")));
}

#[test]
fn expected_purchases() {
    check_values("expected_purchases", |row| row.model().conditional_expected_purchases(&row.history(), row.number("t")));
}

#[test]
fn variance() {
    check_values("variance", |row| row.model().conditional_purchase_variance(&row.history(), row.number("t")));
}

#[test]
fn discounted() {
    check_values("discounted", |row| {
        let (model, history, t, delta) = (row.model(), row.history(), row.number("t"), row.number("delta"));
        if t.is_infinite() {
            return model.conditional_dert(&history, delta).unwrap_or(f64::NAN);
        }
        model.conditional_discounted_expected_purchases(&history, t, delta)
    });
}

#[test]
fn pmf() {
    check_values("pmf", |row| row.model().conditional_purchase_pmf(&row.history(), row.count("n"), row.number("t")));
}

#[test]
fn survival_of_count() {
    check_values("survival_of_count", |row| row.model().conditional_purchase_sf(&row.history(), row.count("n"), row.number("t")));
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
    check("next_purchase_quantile", error_of_value, evaluate, condition);
}

/// The Gamma-Gamma rows of one quantity.
fn check_gamma_gamma(quantity: &str, error: impl Fn(f64, f64) -> f64, evaluate: impl Fn(&Row, &GammaGamma, &SpendHistory) -> f64) {
    let table = Table::read("gamma_gamma");
    let mut rows = 0;
    for fields in &table.rows {
        let row = Row { table: &table, fields };
        if row.text("quantity") != quantity {
            continue;
        }
        rows += 1;
        let [p, q, gamma] = ["p", "q", "gamma"].map(|name| row.number(name));
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        let spend = SpendHistory::new(row.count("x").try_into().unwrap(), row.number("m")).unwrap();
        let (ours, expected) = (evaluate(&row, &model, &spend), row.number("value"));
        // Written so that NaN is wrong too.
        assert!(error(ours, expected) <= 1.0, "{quantity}: {ours:e} against {expected:e} in {}", fields.join(","));
    }
    assert!(rows > 0, "no rows of {quantity}");
}

#[test]
fn gamma_gamma_log_likelihood() {
    let error = |ours: f64, expected: f64| (ours - expected).abs() / (ACCURACY * expected.abs().max(1.0));
    check_gamma_gamma("log_likelihood", error, |_, model, spend| model.ln_likelihood(spend));
}

#[test]
fn gamma_gamma_conditional_mean() {
    check_gamma_gamma("conditional_mean", error_of_value, |_, model, spend| model.expected_average_spend(spend).unwrap_or(f64::NAN));
}

#[test]
fn gamma_gamma_mean_density() {
    check_gamma_gamma("mean_density", error_of_value, |row, model, spend| {
        model.given(spend).average_spend_density(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_mean_cdf() {
    check_gamma_gamma("mean_cdf", error_of_value, |row, model, spend| {
        model.given(spend).average_spend_cdf(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_mean_quantile() {
    check_gamma_gamma("mean_quantile", error_of_value, |row, model, spend| {
        model.given(spend).average_spend_quantile(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_total_density() {
    check_gamma_gamma("total_density", error_of_value, |row, model, spend| {
        model.given(spend).total_spend_density(row.count("n"), row.number("arg"))
    });
}

#[test]
fn gamma_gamma_total_quantile() {
    check_gamma_gamma("total_quantile", error_of_value, |row, model, spend| {
        model.given(spend).total_spend_quantile(row.count("n"), row.number("arg"))
    });
}
