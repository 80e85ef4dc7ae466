//! How far ahead a forecast reaches, on the calendar and in units.

use std::fmt;
use std::str::FromStr;

use jiff::Span;

use super::date::Date;
use super::unit::TimeUnit;
use crate::error::{Error, Result};

/// How far ahead a forecast reaches: a calendar span such as `12 months`, resolved against the observation end to an exact length, or `lifetime`.
///
/// ```
/// use clv::{Date, Horizon, TimeUnit};
///
/// let year: Horizon = "12 months".parse()?;
/// let end: Date = "1997-09-30".parse()?;
/// assert_eq!(year.length_from(end, TimeUnit::Day)?, 365.0);       // no leap day between
/// assert_eq!(year.length_from("2023-09-30".parse()?, TimeUnit::Day)?, 366.0);
///
/// let holdout: Horizon = "39 weeks".parse()?;
/// assert_eq!(holdout.fixed_length(TimeUnit::Week), Some(39.0));   // needs no date
/// assert_eq!(Horizon::lifetime(), "lifetime".parse()?);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Horizon {
    count: u32,
    span: CalendarSpan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CalendarSpan {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
    /// For life, once.
    Lifetime,
}

impl CalendarSpan {
    fn name(self) -> &'static str {
        match self {
            CalendarSpan::Hours => "hour",
            CalendarSpan::Days => "day",
            CalendarSpan::Weeks => "week",
            CalendarSpan::Months => "month",
            CalendarSpan::Years => "year",
            CalendarSpan::Lifetime => LIFETIME,
        }
    }
}

/// The word for a horizon without end.
const LIFETIME: &str = "lifetime";

impl Horizon {
    /// Without end: all purchases that are still to come.
    #[must_use]
    pub fn lifetime() -> Self {
        Horizon { count: 1, span: CalendarSpan::Lifetime }
    }

    /// Whether it has no end.
    #[must_use]
    pub fn is_lifetime(self) -> bool {
        matches!(self.span, CalendarSpan::Lifetime)
    }

    /// A number of months.
    ///
    /// # Errors
    /// When the number is zero.
    pub fn months(count: u32) -> Result<Self> {
        Horizon::positive(count, CalendarSpan::Months)
    }

    /// A number of weeks.
    ///
    /// # Errors
    /// When the number is zero.
    pub fn weeks(count: u32) -> Result<Self> {
        Horizon::positive(count, CalendarSpan::Weeks)
    }

    /// A number of days.
    ///
    /// # Errors
    /// When the number is zero.
    pub fn days(count: u32) -> Result<Self> {
        Horizon::positive(count, CalendarSpan::Days)
    }

    fn positive(count: u32, span: CalendarSpan) -> Result<Self> {
        if count == 0 {
            return Err(Error::parameter("a horizon of length 0 holds no purchase; give at least 1 day"));
        }
        Ok(Horizon { count, span })
    }

    /// The length in `unit`, when it does not depend on the calendar: hours, days and weeks. That of a lifetime is infinite.
    #[must_use]
    pub fn fixed_length(self, unit: TimeUnit) -> Option<f64> {
        let hours = match self.span {
            CalendarSpan::Hours => 1.0,
            CalendarSpan::Days => 24.0,
            CalendarSpan::Weeks => 168.0,
            CalendarSpan::Lifetime => f64::INFINITY,
            CalendarSpan::Months | CalendarSpan::Years => return None,
        };
        Some(f64::from(self.count) * hours / unit.hours())
    }

    /// The length in `unit` of the span that begins at the end of the day `start`.
    ///
    /// # Errors
    /// When the span leaves the years -9999 to 9999.
    pub fn length_from(self, start: Date, unit: TimeUnit) -> Result<f64> {
        if let Some(length) = self.fixed_length(unit) {
            return Ok(length);
        }
        let span = match self.span {
            CalendarSpan::Years => Span::new().try_years(self.count),
            _ => Span::new().try_months(self.count),
        };
        let end = span
            .and_then(|span| start.civil().checked_add(span))
            .map_err(|_| Error::parameter(format!("a horizon of {self} from {start} leaves the calendar")))?;
        let days = Date::from_civil(end).days_since(start);
        Ok(f64::from(days) * 24.0 / unit.hours())
    }

    /// The day that lies so many of these spans after the day `start`, or before it when negative.
    ///
    /// Counted in one go: two months before 30 April are 28 February, and not what is one month before 30 March.
    pub(crate) fn steps_from(self, start: Date, steps: i64) -> Result<Date> {
        let leaves = || Error::parameter(format!("{} times {self} from {start} leave the calendar", steps.unsigned_abs()));
        let count = i64::from(self.count).checked_mul(steps).ok_or_else(leaves)?;
        let span = match self.span {
            CalendarSpan::Lifetime => return Err(Error::parameter("a lifetime has no end to wait for; give a span such as \"13 weeks\"")),
            CalendarSpan::Hours if !self.count.is_multiple_of(24) => {
                return Err(Error::parameter(format!(
                    "a span of {self} does not end with a day; give it in whole days, such as \"13 weeks\""
                )));
            }
            CalendarSpan::Hours => Span::new().try_days(count / 24),
            CalendarSpan::Days => Span::new().try_days(count),
            CalendarSpan::Weeks => Span::new().try_weeks(count),
            CalendarSpan::Months => Span::new().try_months(count),
            CalendarSpan::Years => Span::new().try_years(count),
        };
        span.and_then(|span| start.civil().checked_add(span)).map(Date::from_civil).map_err(|_| leaves())
    }
}

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_lifetime() {
            return f.write_str(LIFETIME);
        }
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.count, self.span.name())
    }
}

impl FromStr for Horizon {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let not_a_horizon = || {
            Error::parameter(format!(
                "horizon {text:?} is not known; write a count and a span, such as \"12 months\" or \"52 weeks\", or lifetime"
            ))
        };
        let text_trimmed = text.trim();
        if text_trimmed == LIFETIME {
            return Ok(Horizon::lifetime());
        }
        let digits = text_trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let count = text_trimmed[..digits].parse().map_err(|_| not_a_horizon())?;
        let span = match text_trimmed[digits..].trim_start() {
            "h" | "hour" | "hours" => CalendarSpan::Hours,
            "d" | "day" | "days" => CalendarSpan::Days,
            "w" | "week" | "weeks" => CalendarSpan::Weeks,
            "mo" | "month" | "months" => CalendarSpan::Months,
            "y" | "year" | "years" => CalendarSpan::Years,
            _ => return Err(not_a_horizon()),
        };
        Horizon::positive(count, span)
    }
}

impl TryFrom<String> for Horizon {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Horizon> for String {
    fn from(horizon: Horizon) -> Self {
        horizon.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_the_calendar_to_the_last_day() {
        let month: Horizon = "1 month".parse().unwrap();
        let days = |start: &str| month.length_from(start.parse().unwrap(), TimeUnit::Day).unwrap();
        assert_eq!([days("2023-01-31"), days("2024-01-31"), days("2024-03-31")], [28.0, 29.0, 30.0]);
    }

    #[test]
    fn horizons_read_back_what_they_print() {
        for text in ["1 hour", "90 days", "52 weeks", "1 month", "3 years", "lifetime"] {
            assert_eq!(text.parse::<Horizon>().unwrap().to_string(), text);
        }
        assert_eq!("26w".parse::<Horizon>().unwrap(), Horizon::weeks(26).unwrap());
        for text in ["", "12", "months", "-3 weeks", "0 days", "1.5 years", "12 fortnights", "99999999999 days"] {
            assert!(text.parse::<Horizon>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_horizon_past_the_calendar_is_refused() {
        let end: Date = "1997-09-30".parse().unwrap();
        let error = Horizon::months(4_000_000_000).unwrap().length_from(end, TimeUnit::Week).unwrap_err();
        assert!(error.to_string().contains("leaves the calendar"), "{error}");
    }
}
