//! Scoring: fitted models and a definition of value, applied to customers.

mod band_rule;
mod bands;
mod batch;
mod change;
mod cohort_curve;
mod cohort_figures;
mod cohort_fits;
mod cohort_report;
mod cohort_study;
mod cohort_value;
mod columns;
mod compound;
mod concentration;
mod counted;
mod cumulants;
mod definition;
mod ensemble;
mod estimate;
#[cfg(feature = "serde")]
mod fit_record;
mod forecast;
mod groups;
mod history_map;
mod in_force;
mod large_group;
#[cfg(feature = "serde")]
mod model_contents;
#[cfg(feature = "serde")]
mod model_file;
#[cfg(feature = "serde")]
mod named_values;
mod origin;
mod predictive;
mod scorer;
mod spend_histogram;
mod standing;
mod stencil;
mod total_by_birth;
mod totals;
mod truncated;
mod value_histogram;

pub use band_rule::{BandLimits, BandRule};
pub use bands::ValueBands;
pub use batch::BatchScorer;
pub use change::{Change, PathPoint};
pub use cohort_curve::CurvePoint;
pub use cohort_figures::CohortFigures;
pub use cohort_fits::Pooling;
pub use cohort_report::CohortReport;
pub use cohort_study::CohortStudy;
pub use cohort_value::Payback;
pub use columns::ScoreColumns;
pub use concentration::{Concentration, Held};
pub use definition::{ClvDefinition, ClvTerms, Cost, FirstPurchase, Margin};
pub use ensemble::Ensemble;
pub use estimate::Estimate;
#[cfg(feature = "serde")]
pub use fit_record::FitRecord;
pub use forecast::{Forecaster, Interval, ValueInterval};
pub use groups::GroupForecast;
pub use history_map::{HistoryMap, MapCell};
pub use in_force::DefinitionInForce;
#[cfg(feature = "serde")]
pub use model_contents::DataRecord;
#[cfg(feature = "serde")]
pub use model_file::ModelFile;
pub use origin::{AcquiredList, KnownBirths, SeenAs};
pub use predictive::{PurchaseDistribution, ValueDistribution};
pub use scorer::{Score, Scorer};
pub use spend_histogram::{SpendClass, SpendHistogram};
pub use standing::{Coverage, ScoreStatus, score_status};
pub use totals::{Ranking, Totals};
pub use value_histogram::{ValueClass, ValueHistogram};
