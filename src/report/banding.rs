//! Bands of value and the definition in force, for a terminal.

use comfy_table::CellAlignment;

use super::format::{grouped, money};
use super::terminal::{plain, section};
use crate::score::ValueBands;

/// Digits of a hash by which people tell definitions apart.
const DIGITS: usize = 12;

/// The bands with their limits; `holdings` are the customers in each, and what these are worth.
pub(crate) fn bands(bands: &ValueBands, holdings: &[(f64, f64)]) -> String {
    let right = CellAlignment::Right;
    let mut table = plain(&["band", "CLV from", "customers", "total CLV"], &[CellAlignment::Left, right, right, right]);
    let limits = bands.limits().iter().map(|&limit| money(limit)).chain(std::iter::once("-".to_owned()));
    for ((name, limit), (customers, clv)) in bands.rule().names().zip(limits).zip(holdings) {
        table.add_row([name.to_owned(), limit, grouped(*customers, 0), money(*clv)]);
    }
    section("Bands of value, by limits that stay", table.to_string().lines())
}

/// What the numbers mean, in a few digits.
pub(crate) fn definition(hash: &str) -> String {
    let line = format!("hash {}..., as in model.json; see clv definition --show", &hash[..DIGITS.min(hash.len())]);
    section("Definition of value", [line.as_str()])
}

/// That scores are by another definition than the model's.
pub(crate) fn other_definition(differences: &[String], hash: &str) -> String {
    let hash = &hash[..DIGITS.min(hash.len())];
    format!("note: this is another definition of value than the model's: {} (hash {hash}...)", differences.join(", "))
}
