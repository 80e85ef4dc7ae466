//! Every model quantity against values of 40 digits (tests/data/*.json; made with mpmath from the papers' closed forms and checked there against
//! integrals). Inputs are decimal strings whose value is exact for the nearest double. Each test prints the largest errors as a row of the table in
//! docs/accuracy.md.

mod common;

use clv::{
    BgNbd, BgNbdParams, GammaGamma, GammaGammaParams, History, MbgNbd, MbgNbdParams, ParetoNbd, ParetoNbdParams, PurchaseModel,
    SpendHistory,
};
use common::{Deviation, Largest};
use serde_json::Value;

/// Log-likelihoods: relative, absolute below 1.
const LOG_LIKELIHOOD: f64 = 1e-12;
/// Other values v: relative, times 1 + |ln v|, since a value e^-k carries the rounding of an exponent of size k.
const VALUE: f64 = 1e-12;

const LN_L: &str = "ln L";
const P_ALIVE: &str = "P(alive)";
const EXPECTED: &str = "expected purchases";
const DERT: &str = "DERT";
const EXPECTED_SPEND: &str = "expected average spend";

fn rows(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    document["rows"].as_array().unwrap().clone()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).parse().unwrap()
}

fn history(row: &Value) -> History {
    History::new(number(row, "x") as u32, number(row, "t_x"), number(row, "T")).unwrap()
}

/// The largest errors of one table, by the columns of docs/accuracy.md.
struct Errors<const N: usize> {
    model: &'static str,
    rows: usize,
    columns: [(&'static str, Largest); N],
}

impl<const N: usize> Errors<N> {
    fn new(model: &'static str, rows: usize, columns: [&'static str; N]) -> Self {
        Errors { model, rows, columns: columns.map(|column| (column, Largest::default())) }
    }

    fn add(&mut self, column: &str, deviation: Deviation) {
        self.columns.iter_mut().find(|(name, _)| *name == column).unwrap().1.add(deviation);
    }

    fn log_likelihood(&mut self, ours: f64, row: &Value) {
        let expected = number(row, "log_likelihood");
        let deviation = Deviation::of_log_likelihood(ours, expected);
        self.add(LN_L, deviation);
        assert!(deviation.scaled <= LOG_LIKELIHOOD, "ln L {ours} against {expected} in {row}");
    }

    fn value(&mut self, column: &str, ours: f64, key: &str, row: &Value) {
        let expected = number(row, key);
        let deviation = Deviation::of_value(ours, expected);
        self.add(column, deviation);
        // A value below the smallest double (P(alive) = 1e-1678) reads as 0 and must be 0.
        let holds = if expected == 0.0 { ours == 0.0 } else { deviation.scaled <= VALUE };
        assert!(holds, "{key}: {ours:e} against {expected:e} in {row}");
    }

    /// A row of the table, on a line of its own whatever the test runner has written.
    fn print(&self) {
        let filled = self.columns.iter().filter(|(_, largest)| largest.count() > 0);
        let cells: Vec<String> = filled.map(|(name, largest)| format!("{name}: {largest}")).collect();
        println!("\n| {} | {} | {} |", self.model, self.rows, cells.join(" | "));
    }
}

/// The columns whose name is `prefix` and a number, with that number.
fn keyed(row: &Value, prefix: &str) -> Vec<(String, f64)> {
    let keys = row.as_object().unwrap().keys();
    keys.filter_map(|key| Some((key.clone(), key.strip_prefix(prefix)?.parse().unwrap()))).collect()
}

/// Every value of every row of a purchase model's table, from the model of its parameters.
fn check_purchase_model<M: PurchaseModel>(
    (name, file): (&'static str, &str),
    names: [&str; 4],
    count: usize,
    model: impl Fn([f64; 4]) -> M,
) {
    let rows = rows(file);
    assert_eq!(rows.len(), count);
    let mut errors = Errors::new(name, count, [LN_L, P_ALIVE, EXPECTED, DERT]);
    for row in &rows {
        let model = model(names.map(|name| number(row, name)));
        let history = history(row);
        errors.log_likelihood(model.ln_likelihood(&history), row);
        errors.value(P_ALIVE, model.p_alive(&history), "p_alive", row);
        for (key, argument) in keyed(row, "cexp_t=") {
            errors.value(EXPECTED, model.conditional_expected_purchases(&history, argument), &key, row);
        }
        for (key, delta) in keyed(row, "dert_delta=") {
            errors.value(DERT, model.conditional_dert(&history, delta).unwrap(), &key, row);
        }
    }
    errors.print();
}

#[test]
fn bg_nbd() {
    check_purchase_model(("BG/NBD", "bgnbd.json"), ["r", "alpha", "a", "b"], 123, |[r, alpha, a, b]| {
        BgNbd::new(BgNbdParams { r, alpha, a, b }).unwrap()
    });
}

#[test]
fn mbg_nbd() {
    check_purchase_model(("MBG/NBD", "mbgnbd.json"), ["r", "alpha", "a", "b"], 123, |[r, alpha, a, b]| {
        MbgNbd::new(MbgNbdParams { r, alpha, a, b }).unwrap()
    });
}

#[test]
fn pareto_nbd() {
    check_purchase_model(("Pareto/NBD", "paretonbd.json"), ["r", "alpha", "s", "beta"], 116, |[r, alpha, s, beta]| {
        ParetoNbd::new(ParetoNbdParams { r, alpha, s, beta }).unwrap()
    });
}

#[test]
fn gamma_gamma() {
    let rows = rows("gammagamma.json");
    assert_eq!(rows.len(), 52);
    let mut errors = Errors::new("Gamma-Gamma", rows.len(), [LN_L, EXPECTED_SPEND]);
    for row in &rows {
        let [p, q, gamma] = ["p", "q", "gamma"].map(|name| number(row, name));
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        let x = number(row, "x");
        let spend = SpendHistory::new(x as u32, number(row, "zbar")).unwrap();
        errors.log_likelihood(model.ln_likelihood(&spend), row);
        let expected = number(row, "cond_mean");
        match model.expected_average_spend(&spend) {
            Some(mean) => {
                // p x + q - 1 is formed from rounded inputs: near 0 it has no more digits than this.
                let condition = (p * x + q + 1.0) / (p * x + q - 1.0);
                let plain = 1.0 + expected.ln().abs();
                if condition > plain {
                    println!("condition number {condition:.1} of p x + q - 1 = {:e}: p = {p}, q = {q}, x = {x}", p * x + q - 1.0);
                }
                let deviation = Deviation::of_value(mean, expected).per_condition((condition / plain).max(1.0));
                errors.add(EXPECTED_SPEND, deviation);
                assert!(deviation.scaled <= VALUE, "mean {mean} against {expected} in {row}");
            }
            None => assert!(expected < 0.0, "no mean, but {expected} in {row}"),
        }
    }
    errors.print();
}
