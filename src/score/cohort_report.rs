//! All cohorts, and how customers change with the time of acquisition.

use super::change::Change;
use super::cohort_figures::CohortFigures;
use super::cohort_fits::Pooling;
use super::definition::ClvDefinition;
use crate::time::{Date, TimeUnit};

/// All cohorts: what [`CohortStudy::run`](crate::CohortStudy::run) finds, with an example at [`CohortStudy`](crate::CohortStudy).
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CohortReport {
    /// The version of this report.
    pub format: u32,
    /// The purchase model.
    pub model: &'static str,
    /// The unit of all times.
    pub unit: TimeUnit,
    /// The last day observed.
    pub observation_end: Date,
    /// The share of cases that intervals are to cover.
    pub level: f64,
    /// What value means.
    pub definition: ClvDefinition,
    /// Which fits were asked for.
    pub pooling: Pooling,
    /// Probability of so large a gain from telling the cohorts apart if all were alike; none with one cohort, and where they do not borrow from each other.
    pub p_all_alike: Option<f64>,
    /// What holds for all cohorts and is worth knowing, in sentences: why there is no fit in which they borrow from each other.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub notices: Vec<String>,
    /// The standard deviation of the logarithm of each parameter between cohorts.
    pub sd_between: Vec<(&'static str, f64)>,
    /// In the byte order of their names.
    pub cohorts: Vec<CohortFigures>,
    /// How customers change with the time of acquisition, where cohorts follow each other in time.
    pub change: Option<Change>,
}

impl CohortReport {
    /// The report as indented JSON with a line end.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data with text keys");
        text.push('\n');
        text
    }
}
