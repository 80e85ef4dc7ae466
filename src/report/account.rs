//! What scores come to, for a program: the definition they are by, their totals, and what became of the customers.

use serde_json::json;

use crate::backtest::Shock;
use crate::fit::Level;
use crate::score::{Coverage, DefinitionInForce, GroupForecast, Interval, Totals};
use crate::time::Date;

/// The scores that an account is of.
pub(crate) struct Scores<'a> {
    /// The definition they are by, and that of the model.
    pub(crate) definition: &'a DefinitionInForce,
    pub(crate) of_model: &'a DefinitionInForce,
    pub(crate) end: Option<Date>,
    pub(crate) totals: &'a Totals,
    pub(crate) forecast: Option<&'a (Level, GroupForecast)>,
    /// How far past totals were off beyond chance, where that was looked at.
    pub(crate) shocks: Option<Vec<&'a Shock>>,
    pub(crate) coverage: &'a Coverage,
}

/// The account as JSON. What is not known is null.
pub(crate) fn account(scores: &Scores<'_>) -> String {
    let Scores { definition, of_model, end, totals, forecast, shocks, coverage } = scores;
    let ends = |of: fn(&GroupForecast) -> Option<Interval>| {
        forecast.and_then(|(_, group)| of(group)).map(|interval| json!({"lower": interval.lower, "upper": interval.upper}))
    };
    let statuses = coverage.shares().map(|(status, customers, share, revenue)| {
        json!({"status": status.name(), "customers": customers, "share_of_customers": share, "share_of_revenue": revenue})
    });
    let account = json!({
        "format": 1,
        "crate_version": env!("CARGO_PKG_VERSION"),
        "definition_hash": definition.hash(),
        "model_definition_hash": of_model.hash(),
        "definition": definition.canonical(),
        "observation_end": end.map(|end| end.to_string()),
        "customers": totals.customers,
        "without_clv": totals.without_clv,
        "expected_purchases": totals.expected_purchases,
        "clv": totals.clv,
        "level": forecast.map(|(level, _)| level.share()),
        "expected_purchases_interval": ends(|group| Some(group.purchases)),
        "clv_interval": ends(|group| group.clv),
        "shocks": shocks,
        "revenue_after_end": coverage.revenue_after_end(),
        "coverage": statuses.collect::<Vec<_>>(),
    });
    format!("{account:#}\n")
}
