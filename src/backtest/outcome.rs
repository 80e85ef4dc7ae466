//! What a back-test found, as plain data.

use std::collections::BTreeMap;

use super::calibration::{Pit, ReliabilityRow};
use super::classes::{DecileRow, FrequencyRow, RecencyRow};
use super::compare::{Difference, Skill};
use super::metrics::Metrics;
use super::periods::PeriodRow;
use super::split::Split;
use super::totals::{Shock, TotalForecast};
use super::tracking::Tracking;
use super::verdict::Verdict;
use crate::models::AnyPurchaseModel;

/// Whose purchases are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Group {
    /// Customers with a purchase up to the cut: those a forecast is made for.
    KnownAtCut,
    /// Customers whose first purchase is within the holdout, or of the newer cohorts. That and when they came is taken as given; it is their
    /// purchases after the first that are forecast and counted.
    AcquiredInHoldout,
    /// Both.
    All,
}

/// Whether a method is asked about, or there to be beaten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Role {
    /// A model that was asked for.
    Model,
    /// A rule of thumb, or NBD when it was not asked for.
    Baseline,
}

/// One forecast for one group of customers, and how it came out.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Run {
    /// `holdout`, `rolling`, `sliding`, `nested` or `cohort`; `audit` for a stored model.
    pub scheme: &'static str,
    /// Until when was calibrated, and what for.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model or baseline.
    pub model: &'static str,
    /// Which of them it is here.
    pub role: Role,
    /// The parameters of the model, or what the baseline chose, as calibrated.
    pub parameters: BTreeMap<&'static str, f64>,
    /// Whose purchases.
    pub group: Group,
    /// How many they are.
    pub customers: u64,
    /// What they bought within the holdout.
    pub actual_purchases: f64,
    /// What they spent in these purchases.
    pub actual_spend: f64,
    /// What was forecast; `None` of a baseline that needs a history for customers who have none.
    pub predicted_purchases: Option<f64>,
    /// Variance of that total by the model, its parameters taken as known and customers as independent; `None` of a baseline.
    pub predicted_variance: Option<f64>,
    /// How far off the purchases were.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub metrics: Metrics,
    /// Intervals of these figures, by their [names](Metrics::NAMES), from samples of the customers.
    pub intervals: BTreeMap<&'static str, [f64; 2]>,
    /// How much better than each baseline; of models only.
    pub skill: BTreeMap<&'static str, Skill>,
    /// Where the forecast is off.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub tables: Tables,
    /// Whether the distributions of counts are right; `None` of a method without.
    pub pit: Option<Pit>,
    /// P(at least one purchase) against the share that bought; empty of a method without.
    pub reliability: Vec<ReliabilityRow>,
    /// The same of what they spent, by each way of telling the amounts.
    pub revenue: Vec<RevenueRun>,
}

#[cfg(test)]
impl Run {
    /// Of nobody, for tests of what goes by the split alone.
    pub(super) fn nothing_at(split: Split) -> Self {
        Run {
            scheme: "holdout",
            split,
            model: "nbd",
            role: Role::Model,
            parameters: BTreeMap::new(),
            group: Group::KnownAtCut,
            customers: 0,
            actual_purchases: 0.0,
            actual_spend: 0.0,
            predicted_purchases: None,
            predicted_variance: None,
            metrics: Metrics::default(),
            intervals: BTreeMap::new(),
            skill: BTreeMap::new(),
            tables: Tables::default(),
            pit: None,
            reliability: Vec::new(),
            revenue: Vec::new(),
        }
    }
}

/// A forecast of spend, and how it came out.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RevenueRun {
    /// How amounts are told: `gamma-gamma`, or `own-average`: what the customer's purchases were worth so far.
    pub spend: &'static str,
    /// What was forecast.
    pub predicted: f64,
    /// Variance of that total by the models, as for purchases; `None` without a spend model, or where it is infinite.
    pub predicted_variance: Option<f64>,
    /// How far off it was.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub metrics: Metrics,
    /// Intervals of these figures.
    pub intervals: BTreeMap<&'static str, [f64; 2]>,
    /// Where the forecast is off.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub tables: Tables,
}

/// Actual and predicted values by class of customers, and by time. By frequency, recency and time they are there for the customers known at the cut.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tables {
    /// By calibration frequency.
    pub by_frequency: Vec<FrequencyRow>,
    /// By recency.
    pub by_recency: Vec<RecencyRow>,
    /// By tenth of the customers in the order of the forecast.
    pub deciles: Vec<DecileRow>,
    /// By week after the cut; the last partial one is left out.
    pub by_period: Vec<PeriodRow>,
    /// Absolute errors of the weekly totals over their actual sum: weighted absolute percentage error of the curve.
    pub wape_by_period: Option<f64>,
}

/// A model or baseline that could not be calibrated at a cut.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FailedRun {
    /// As for [`Run`].
    pub scheme: &'static str,
    /// The split at which it failed.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model or baseline; `gamma-gamma` when it is the spend that has no forecast.
    pub model: &'static str,
    /// Why.
    pub message: String,
}

impl FailedRun {
    /// Whether it is a purchase model that failed, and not a rule or the spend.
    #[must_use]
    pub fn is_model(&self) -> bool {
        AnyPurchaseModel::NAMES.contains(&self.model)
    }
}

/// What a back-test found.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BackTestReport {
    /// The version of the file format.
    pub format: u32,
    /// SHA-256 of the definition of value that was in force, where there was one: of `clv run` and `clv audit` that of the model file, of `clv backtest` that of
    /// its definition file.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub definition_hash: Option<String>,
    /// By cut, then model, then group.
    pub runs: Vec<Run>,
    /// Methods held against each other on the same samples of the customers known at the cut.
    pub differences: Vec<Difference>,
    /// The totals of the models with their intervals, before and after the shock that all customers share.
    pub totals: Vec<TotalForecast>,
    /// The size of that shock, and what it does for the coverage; of rolling and sliding origins.
    pub shocks: Vec<Shock>,
    /// Expected and actual purchases week by week, by the models of the last cut.
    pub tracking: Vec<Tracking>,
    /// Whether to believe each model.
    pub verdicts: Vec<Verdict>,
    /// What could not be calibrated; the other runs stand all the same.
    pub failures: Vec<FailedRun>,
}

impl BackTestReport {
    /// Nothing found yet.
    pub(crate) fn without_runs() -> Self {
        BackTestReport {
            format: 1,
            definition_hash: None,
            runs: Vec::new(),
            differences: Vec::new(),
            totals: Vec::new(),
            shocks: Vec::new(),
            tracking: Vec::new(),
            verdicts: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// A holdout and several cuts in one report: the runs and figures of this one come first, and of a model that both have the verdict is that on both together.
    #[cfg(feature = "cli")]
    pub(crate) fn and(&self, several: &BackTestReport) -> BackTestReport {
        fn both<T: Clone>(one: &[T], other: &[T]) -> Vec<T> {
            [one, other].concat()
        }
        let is_new = |verdict: &&Verdict| self.verdicts.iter().all(|own| own.model != verdict.model);
        let together =
            |own: &Verdict| several.verdicts.iter().find(|verdict| verdict.model == own.model).map_or(own.clone(), |more| more.and(own));
        BackTestReport {
            format: self.format,
            definition_hash: self.definition_hash.clone(),
            runs: both(&self.runs, &several.runs),
            differences: both(&self.differences, &several.differences),
            totals: both(&self.totals, &several.totals),
            shocks: both(&self.shocks, &several.shocks),
            tracking: both(&self.tracking, &several.tracking),
            verdicts: self.verdicts.iter().map(together).chain(several.verdicts.iter().filter(is_new).cloned()).collect(),
            failures: both(&self.failures, &several.failures),
        }
    }

    /// The runs of a model or baseline for a group, in order of their cuts.
    pub fn find<'a>(&'a self, model: &'a str, group: Group) -> impl Iterator<Item = &'a Run> {
        self.runs.iter().filter(move |run| run.model == model && run.group == group)
    }

    /// The report as JSON (`backtest.json`): ratios are fractions, and what is undefined is null.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// A report as indented JSON with a line end.
#[cfg(feature = "serde")]
pub(super) fn json(report: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report is plain data with text keys");
    text.push('\n');
    text
}
