//! Back-tests: what the models would have forecast at a day in the past, against what came.

mod alike;
mod audit;
mod baselines;
mod calibration;
mod choice;
mod classes;
mod cohort_curves;
mod compare;
mod counts;
mod evaluate;
mod groups;
#[cfg(test)]
mod independent;
mod limit;
mod line_interval;
mod matched;
mod metrics;
mod model;
mod outcome;
mod parameter_path;
mod periods;
mod predicted;
mod prepared;
mod ranking;
mod run;
mod scheme;
mod spend;
mod split;
mod sums;
mod totals;
mod tracking;
mod truth;
mod verdict;

#[cfg(feature = "cli")]
pub(crate) use audit::AUDIT;
pub use audit::{Audit, AuditReport, CohortDrift, Drift, JointDrift};
pub use baselines::Baseline;
pub use calibration::{Pit, ReliabilityRow};
pub use choice::Choice;
pub use classes::{DecileRow, FrequencyRow, RecencyRow};
pub use cohort_curves::{CohortCurve, CohortCurves, CohortPoint};
pub use compare::{Difference, Skill};
pub use limit::{Breach, Limit};
pub use metrics::{Metrics, PerLevel};
pub use outcome::{BackTestReport, FailedRun, Group, RevenueRun, Role, Run, Tables};
pub use parameter_path::{ParameterPath, PathRow};
#[cfg(feature = "cli")]
pub(crate) use periods::MOST_DAYS as MOST_DAYS_BY_WEEK;
pub use periods::PeriodRow;
pub use run::BackTest;
pub use scheme::Scheme;
pub use split::Split;
pub use totals::{IntervalPerLevel, Shock, Total, TotalForecast};
pub use tracking::{Tracked, Tracking, TrackingRow};
#[cfg(feature = "cli")]
pub(crate) use verdict::signed;
pub use verdict::{Finding, Verdict};
