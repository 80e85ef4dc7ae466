//! Scoring: fitted models and a definition of value, applied to customers.

mod batch;
mod change;
mod cohort_curve;
mod cohort_value;
mod cohorts;
mod columns;
mod compound;
mod cumulants;
mod definition;
mod ensemble;
mod estimate;
mod forecast;
mod groups;
mod large_group;
#[cfg(feature = "serde")]
mod model_file;
mod predictive;
mod scorer;
mod standing;
mod stencil;
mod totals;

pub use batch::BatchScorer;
pub use change::{Change, PathPoint};
pub use cohort_curve::CurvePoint;
pub use cohort_value::Payback;
pub use cohorts::{Cohort, CohortReport, CohortStudy, Pooling};
pub use columns::ScoreColumns;
pub use definition::{ClvDefinition, ClvTerms, Margin};
pub use ensemble::Ensemble;
pub use estimate::Estimate;
pub use forecast::{Forecaster, Interval, ValueInterval};
pub use groups::GroupForecast;
#[cfg(feature = "serde")]
pub use model_file::{DataRecord, FitRecord, ModelFile};
pub use predictive::{PurchaseDistribution, ValueDistribution};
pub use scorer::{Score, Scorer};
pub use standing::{Coverage, ScoreStatus, score_status};
pub use totals::{Ranking, Totals};
