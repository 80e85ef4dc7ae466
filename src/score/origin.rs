//! What a model file says of the customers behind its fits: how their births were known, and how their purchases were.

use crate::data::{Birth, Customers};
use crate::time::Horizon;

/// How the births of the customers behind a fit were known.
///
/// ```
/// use clv::{Customer, Customers, History, KnownBirths, TimeUnit};
///
/// let mut customers = Customers::new(TimeUnit::Week);
/// customers.push(Customer { id: "0001", history: History::new(2, 30.43, 38.86)?, average_spend: 22.35, weight: 1.0, purchases: None })?;
/// assert_eq!(KnownBirths::of(&customers, None), KnownBirths::FirstPurchase);
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(tag = "by", rename_all = "snake_case", deny_unknown_fields))]
pub enum KnownBirths {
    /// Whoever was first seen was new.
    FirstPurchase,
    /// By dates of acquisition; some were acquired before the log.
    Acquired {
        /// Whom the list of those acquired before the log was taken to hold; absent in older files, and where nobody was.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        list: Option<AcquiredList>,
    },
    /// By a quiet run-in: who was first seen within it is not behind the fit.
    RunIn {
        /// Its length; null where a summary does not say.
        length: Option<Horizon>,
    },
}

impl KnownBirths {
    /// By dates of acquisition, with the list that a fit takes them from: one on which somebody is silent is of everybody.
    #[must_use]
    pub(crate) fn acquired(customers: &Customers) -> Self {
        let list = if customers.has_silent() {
            Some(AcquiredList::Everybody)
        } else {
            (customers.births().before.count > 0).then_some(AcquiredList::Buyers)
        };
        KnownBirths::Acquired { list }
    }

    /// What the births of these customers say; the length of a run-in is known to who applied it.
    #[must_use]
    pub fn of(customers: &Customers, run_in: Option<Horizon>) -> Self {
        let some = |chosen: fn(Birth) -> bool| (0..customers.len()).any(|row| chosen(customers.birth(row)));
        if run_in.is_some() || some(|birth| birth == Birth::Unknown) {
            KnownBirths::RunIn { length: run_in }
        } else if some(|birth| matches!(birth, Birth::Before(_))) {
            KnownBirths::acquired(customers)
        } else {
            KnownBirths::FirstPurchase
        }
    }
}

/// Whom a list of customers acquired before the log holds: it decides what silence means, and which likelihood is fitted.
///
/// ```
/// use clv::{AcquiredList, Acquisition, AcquisitionDates, KnownBirths, Observation, TransactionLog};
///
/// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-01-26".parse()?], &[20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
/// let dates = [("a".to_owned(), "2025-12-22".parse()?), ("b".to_owned(), "2026-01-26".parse()?)];
/// let (customers, _) = Acquisition::Dates(AcquisitionDates::new(dates)?).apply(customers)?;
/// assert_eq!(KnownBirths::of(&customers, None), KnownBirths::Acquired { list: Some(AcquiredList::Buyers) });    // nobody on it is silent
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AcquiredList {
    /// All who were ever acquired: some on it bought nothing during the log ([`EveryCustomer`](crate::EveryCustomer)).
    Everybody,
    /// Those alone who bought during the log ([`OnlySeen`](crate::OnlySeen)).
    Buyers,
}

/// What was known of the purchases of the customers behind a fit.
///
/// ```
/// use clv::SeenAs;
///
/// assert_eq!(SeenAs::default(), SeenAs::Histories);
/// # #[cfg(feature = "serde")] {
/// # let stored = std::fs::read_to_string("tests/data/model_format_1.json").expect("readable");
/// let file = clv::ModelFile::from_json(&stored)?.with_origin(None, SeenAs::PeriodCounts);
/// assert_eq!(file.to_json().matches(r#""seen_as": "period_counts""#).count(), 1);
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SeenAs {
    /// When each customer bought: frequency, recency and age.
    #[default]
    Histories,
    /// How often each customer bought in each period.
    PeriodCounts,
    /// How many customers of a cohort bought how often in a period.
    Histograms,
}

impl SeenAs {
    /// A file without it says as much.
    #[cfg(feature = "serde")]
    pub(super) fn is_histories(&self) -> bool {
        *self == SeenAs::Histories
    }
}
