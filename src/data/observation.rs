//! How a transaction log is seen: up to which day, in which unit, by which rules.

use std::fmt;
use std::str::FromStr;

use crate::data::spend_basis::SpendBasis;
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// The span of time within which all transactions of a customer are one purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum MergePeriod {
    /// One calendar day.
    #[default]
    Day,
    /// One hour of the clock.
    Hour,
}

impl MergePeriod {
    /// Hours in one period.
    pub(crate) fn hours(self) -> i32 {
        match self {
            MergePeriod::Day => 24,
            MergePeriod::Hour => 1,
        }
    }

    /// The word for it: `day`, `hour`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MergePeriod::Day => "day",
            MergePeriod::Hour => "hour",
        }
    }
}

impl fmt::Display for MergePeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MergePeriod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "day" => Ok(MergePeriod::Day),
            "hour" => Ok(MergePeriod::Hour),
            _ => Err(Error::parameter(format!("merge period {text:?} is not known; it is one of day, hour"))),
        }
    }
}

/// What becomes of refunds: rows with a negative amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum RefundPolicy {
    /// A refund reduces the purchases of its own day, then that customer's latest earlier ones. A purchase reduced to zero is none.
    #[default]
    Net,
    /// Refunds are ignored, and counted.
    Drop,
    /// A refund is an error.
    Error,
}

impl RefundPolicy {
    /// The word for it: `net`, `drop`, `error`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RefundPolicy::Net => "net",
            RefundPolicy::Drop => "drop",
            RefundPolicy::Error => "error",
        }
    }
}

impl fmt::Display for RefundPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RefundPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "net" => Ok(RefundPolicy::Net),
            "drop" => Ok(RefundPolicy::Drop),
            "error" => Ok(RefundPolicy::Error),
            _ => Err(Error::parameter(format!("refund policy {text:?} is not known; it is one of net, drop, error"))),
        }
    }
}

/// What becomes of rows that are the same as another one in customer, time (to the hour) and amount.
///
/// ```
/// use clv::{DuplicatePolicy, Observation, TransactionLog};
///
/// let day: clv::Date = "2026-01-05".parse()?;
/// let log = TransactionLog::from_columns(&["7"; 3], &[day; 3], &[20.0, 20.0, 5.0])?;
/// let seen = Observation::until(day);
/// assert_eq!(log.summarize(&seen)?.purchases()[0].total_spend, 45.0);
/// assert_eq!(log.summarize(&seen.duplicates(DuplicatePolicy::Drop))?.purchases()[0].total_spend, 25.0);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum DuplicatePolicy {
    /// All of them count: two equal orders and a file that was given twice look alike.
    #[default]
    Keep,
    /// One of them counts. So do two equal orders of one customer within an hour, since a log keeps the hour of a row and no more of its time.
    Drop,
}

impl DuplicatePolicy {
    /// The word for it: `keep`, `drop`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DuplicatePolicy::Keep => "keep",
            DuplicatePolicy::Drop => "drop",
        }
    }

    /// What has become of the rows: `kept`, `dropped`.
    pub(crate) fn past(self) -> &'static str {
        match self {
            DuplicatePolicy::Keep => "kept",
            DuplicatePolicy::Drop => "dropped",
        }
    }

    /// A file without it says as much.
    #[cfg(feature = "serde")]
    pub(crate) fn is_keep(&self) -> bool {
        *self == DuplicatePolicy::Keep
    }
}

impl fmt::Display for DuplicatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DuplicatePolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "keep" => Ok(DuplicatePolicy::Keep),
            "drop" => Ok(DuplicatePolicy::Drop),
            _ => Err(Error::parameter(format!("policy for duplicates {text:?} is not known; it is one of keep, drop"))),
        }
    }
}

/// How a log is seen: everything that turns transactions into the (x, t_x, T) of a customer.
///
/// Only the observation end has no default: it is given, never guessed, because the last transaction of a log is rarely the last day that
/// was observed.
///
/// ```
/// use clv::{MergePeriod, Observation, RefundPolicy, TimeUnit};
///
/// let observation = Observation::until("1997-09-30".parse()?).in_days().refunds(RefundPolicy::Drop);
/// assert_eq!((observation.unit, observation.merge), (TimeUnit::Day, MergePeriod::Day));
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The last day observed, inclusive. Later rows are counted and change no figure.
    pub end: Date,
    /// The unit of recency and age; weeks unless told otherwise.
    pub unit: TimeUnit,
    /// The span within which transactions are one purchase; a day unless told otherwise.
    pub merge: MergePeriod,
    /// What becomes of negative amounts; netted unless told otherwise.
    pub refunds: RefundPolicy,
    /// What becomes of rows that repeat another one; kept unless told otherwise.
    pub duplicates: DuplicatePolicy,
    /// Which purchases the average spend is the mean of; the repeat purchases unless told otherwise.
    pub spend_basis: SpendBasis,
}

impl Observation {
    /// Seen up to the day `end`, inclusive: in weeks, purchases by day, refunds netted, spend over repeat purchases.
    #[must_use]
    pub fn until(end: Date) -> Self {
        Observation {
            end,
            unit: TimeUnit::default(),
            merge: MergePeriod::default(),
            refunds: RefundPolicy::default(),
            duplicates: DuplicatePolicy::default(),
            spend_basis: SpendBasis::default(),
        }
    }

    /// Measures recency and age in `unit`.
    #[must_use]
    pub fn unit(mut self, unit: TimeUnit) -> Self {
        self.unit = unit;
        self
    }

    /// Measures recency and age in days.
    #[must_use]
    pub fn in_days(self) -> Self {
        self.unit(TimeUnit::Day)
    }

    /// Measures recency and age in weeks.
    #[must_use]
    pub fn in_weeks(self) -> Self {
        self.unit(TimeUnit::Week)
    }

    /// Measures recency and age in hours. What counts as one purchase is another matter: [`merge`](Self::merge).
    #[must_use]
    pub fn in_hours(self) -> Self {
        self.unit(TimeUnit::Hour)
    }

    /// Takes all transactions of a customer in one `period` as one purchase. By the hour, the observation ends with hour 23 of its last
    /// day.
    #[must_use]
    pub fn merge(mut self, period: MergePeriod) -> Self {
        self.merge = period;
        self
    }

    /// Treats refunds by `policy`.
    #[must_use]
    pub fn refunds(mut self, policy: RefundPolicy) -> Self {
        self.refunds = policy;
        self
    }

    /// Treats rows that repeat another one by `policy`.
    #[must_use]
    pub fn duplicates(mut self, policy: DuplicatePolicy) -> Self {
        self.duplicates = policy;
        self
    }

    /// Takes the average spend over the purchases of `basis`.
    #[must_use]
    pub fn spend_over(mut self, basis: SpendBasis) -> Self {
        self.spend_basis = basis;
        self
    }
}
