//! Back-tests: what the models would have forecast at a day in the past, against what came.

mod baselines;
mod counts;
mod frequency;
mod metrics;
mod model;
mod predicted;
mod run;
mod scheme;
mod truth;

pub use baselines::Baseline;
pub use frequency::FrequencyRow;
pub use metrics::{Coverage, Metrics};
pub use run::{BackTest, BackTestReport, FailedRun, Group, Run};
pub use scheme::{Scheme, Split};
