//! The unit that times are measured in.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The unit in which a summary, a fitted model and every horizon of it are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum TimeUnit {
    /// 24 hours.
    Day,
    /// 7 days.
    #[default]
    Week,
    /// One hour.
    Hour,
}

/// A year of 365.25 days: the year of the annual discount rate.
const HOURS_PER_YEAR: f64 = 365.25 * 24.0;

impl TimeUnit {
    /// Hours in one unit.
    #[must_use]
    pub fn hours(self) -> f64 {
        match self {
            TimeUnit::Hour => 1.0,
            TimeUnit::Day => 24.0,
            TimeUnit::Week => 168.0,
        }
    }

    /// Units in a year of 365.25 days: the basis of [`AnnualDiscount::rate_per`](crate::AnnualDiscount::rate_per).
    ///
    /// ```
    /// assert_eq!(clv::TimeUnit::Day.per_year(), 365.25);
    /// ```
    #[must_use]
    pub fn per_year(self) -> f64 {
        HOURS_PER_YEAR / self.hours()
    }

    /// The word for it: `day`, `week`, `hour`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Hour => "hour",
            TimeUnit::Day => "day",
            TimeUnit::Week => "week",
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TimeUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "hour" => Ok(TimeUnit::Hour),
            "day" => Ok(TimeUnit::Day),
            "week" => Ok(TimeUnit::Week),
            _ => Err(Error::parameter(format!("unit {text:?} is not known; it is one of day, week, hour"))),
        }
    }
}
