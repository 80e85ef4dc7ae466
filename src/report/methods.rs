//! The methods of a back-test, each with its runs, and how their figures are written.

use super::format::grouped;
pub(crate) use crate::backtest::signed;
use crate::backtest::{BackTestReport, Metrics, Role, Run};

/// A model or baseline with its runs for the customers held out, in order of time.
pub(super) struct Method<'a> {
    pub(super) name: &'static str,
    pub(super) is_model: bool,
    pub(super) runs: Vec<&'a Run>,
}

impl<'a> Method<'a> {
    /// All that ran at every cut: only those can be compared.
    pub(super) fn all(report: &'a BackTestReport) -> Vec<Self> {
        let mut methods: Vec<Method<'a>> = Vec::new();
        for run in report.runs.iter().filter(|run| run.group == report.held_out()) {
            match methods.iter_mut().find(|method| method.name == run.model) {
                Some(method) => method.runs.push(run),
                None => {
                    methods.push(Method { name: run.model, is_model: run.role == Role::Model, runs: vec![run] });
                }
            }
        }
        let cuts = methods.iter().map(|method| method.runs.len()).max().unwrap_or_default();
        methods.retain(|method| method.runs.len() == cuts);
        methods
    }

    pub(super) fn biases(&self) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.metrics.bias).collect()
    }

    /// Whether its runs share a cut and differ in length.
    pub(super) fn is_nested(&self) -> bool {
        self.runs.windows(2).any(|pair| pair[0].split.cut() == pair[1].split.cut())
    }

    /// The mean of a figure over the cuts, when it is defined at all of them.
    pub(super) fn mean(&self, of: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        let sum: Option<f64> = self.runs.iter().map(|run| of(run)).sum();
        sum.map(|sum| sum / self.runs.len() as f64)
    }

    /// The same of spend, the amounts told in the first of the ways that there are: by the spend model, if there is one.
    pub(super) fn mean_of_spend(&self, of: impl Fn(&Metrics) -> Option<f64>) -> Option<f64> {
        self.mean(|run| of(&run.revenue.first()?.metrics))
    }

    pub(super) fn log_score(&self) -> Option<f64> {
        self.mean(|run| run.metrics.log_score)
    }

    pub(super) fn mean_size_of_bias(&self) -> Option<f64> {
        self.mean(|run| run.metrics.bias.map(f64::abs))
    }
}

pub(super) fn cell(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), text)
}

/// 95 %
pub(super) fn share(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}

pub(super) fn count(run: &Run) -> String {
    grouped(run.actual_purchases, 0)
}

pub(crate) fn days(days: i32) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

/// 4 cuts; of nested horizons, 3 horizons.
pub(super) fn cuts(method: &Method<'_>) -> String {
    let word = if method.is_nested() { "horizons" } else { "cuts" };
    format!("{} {word}", method.runs.len())
}

/// 91 days, or 90 to 92 days; of a cohort holdout, the lives of the newer customers.
pub(super) fn spans(method: &Method<'_>) -> String {
    if method.runs.iter().any(|run| run.split.born_until().is_some()) {
        return "lives of the newer customers".to_owned();
    }
    let lengths = method.runs.iter().map(|run| run.split.days());
    match (lengths.clone().min(), lengths.max()) {
        (Some(shortest), Some(longest)) if shortest < longest => format!("{shortest} to {longest} days"),
        (shortest, _) => days(shortest.unwrap_or_default()),
    }
}
