//! From a transaction log to a validated summary: what was bought when, by whom, and what was cleaned on the way.

mod customers;
mod history;
mod ids;
mod log;
mod observation;
mod report;
mod summarize;

pub use customers::{Customer, Customers, PurchaseRecord, SpendBasis};
pub use history::{History, SpendHistory};
pub use log::{Transaction, TransactionLog};
pub use observation::{MergePeriod, Observation, RefundPolicy};
pub use report::{DataReport, SkippedRows, Tally};
pub use summarize::Purchase;

#[cfg(feature = "cli")]
pub(crate) use report::grouped;

#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use ids::Interner;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use report::{SkipReason, Skipped};
