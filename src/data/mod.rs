//! From a transaction log to a validated summary: what was bought when, by whom, and what was cleaned on the way.

mod acquisition;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod batch;
mod books;
mod censored;
mod clean;
mod counted;
mod cross_section;
mod customer;
mod customer_births;
mod customer_parts;
mod customers;
mod digits;
#[cfg(feature = "cli")]
mod ends;
mod exclusion;
mod first_seen;
mod histories;
mod history;
mod ids;
mod left_truncated;
mod log;
mod observation;
#[cfg(any(feature = "csv", feature = "parquet"))]
mod ordered;
mod partition;
mod period_counts;
mod report;
#[cfg(feature = "cli")]
mod sampled;
mod spend_basis;
mod state;
mod states;
mod summarize;
#[cfg(feature = "cli")]
mod unusable;

pub use acquisition::{Acquired, Acquisition, AcquisitionDates, Birth, BirthCounts};
pub use censored::{Censored, CensoredCustomers};
pub use clean::Purchase;
pub use counted::{CalendarCount, CountedCustomers};
pub use cross_section::{CrossSection, LastCell};
pub use customer::{Customer, PurchaseRecord};
pub use customers::Customers;
pub use exclusion::Exclusion;
pub use first_seen::{FirstSeenFlow, OpeningWindows};
pub use histories::{Histories, Spends};
pub use history::{History, SpendHistory};
pub use left_truncated::{CustomerList, EveryCustomer, LeftTruncated, OnlySeen};
pub use log::{Transaction, TransactionLog};
pub use observation::{DuplicatePolicy, MergePeriod, Observation, RefundPolicy};
pub use period_counts::PeriodCounts;
pub use report::{DataReport, SkippedRows, Tally};
pub use spend_basis::SpendBasis;
pub use state::CustomerState;
pub use states::{CustomerStates, TakenIn};

pub(crate) use digits::{counted as counted_things, significant};
#[cfg(feature = "cli")]
pub(crate) use digits::{decimals_for, exponent, grouped};
#[cfg(feature = "cli")]
pub(crate) use ends::{Far, FarEnd};
#[cfg(feature = "cli")]
pub(crate) use unusable::Unusable;

#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use acquisition::DatedAt;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use batch::{Batch, Intake, SharedLog, lock};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use counted::{check_days, check_purchases, counted_from};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use customer::LARGEST_WEIGHT;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use ids::{IdHasher, Interner, is_blank};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use ordered::OrderedLog;
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use report::{SkipReason, Skipped};
