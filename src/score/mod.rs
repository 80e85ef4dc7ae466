//! Scoring: fitted models and a definition of value, applied to customers.

mod definition;
#[cfg(feature = "serde")]
mod model_file;
mod scorer;
mod totals;

pub use definition::{ClvDefinition, ClvTerms, Margin};
#[cfg(feature = "serde")]
pub use model_file::{DataRecord, FitRecord, ModelFile};
pub use scorer::{Score, Scorer};
pub use totals::Totals;
