//! A calendar day.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use jiff::civil;

use super::moment::Moment;
use crate::error::{Error, Result};

/// A calendar day.
///
/// ```
/// use clv::Date;
///
/// let cut: Date = "1997-09-30".parse()?;
/// assert_eq!(cut.days_since("1997-01-01".parse()?), 272);
/// assert_eq!(cut.to_string(), "1997-09-30");
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Date {
    /// Days since 1970-01-01.
    pub(super) day: i32,
}

impl Date {
    const EPOCH: civil::Date = civil::date(1970, 1, 1);
    /// -9999-01-01.
    const FIRST: i32 = -4_371_587;
    /// 9999-12-31.
    const LAST: i32 = 2_932_896;

    /// The day of a year, month and day of the proleptic Gregorian calendar.
    ///
    /// # Errors
    /// When there is no such day, or the year is outside -9999 to 9999.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self> {
        let date = civil::Date::new(year, month, day).map_err(|_| Error::data(format!("there is no day {year:04}-{month:02}-{day:02}")))?;
        Ok(Date::from_civil(date))
    }

    /// The day a number of days after 1970-01-01.
    ///
    /// # Errors
    /// When the year is outside -9999 to 9999.
    pub fn from_days_since_1970(day: i32) -> Result<Self> {
        if !(Date::FIRST..=Date::LAST).contains(&day) {
            return Err(Error::data(format!("day {day} after 1970-01-01 lies outside the years -9999 to 9999")));
        }
        Ok(Date { day })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days_since_1970(self) -> i32 {
        self.day
    }

    /// Days from `earlier` to this day, negative when `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Date) -> i32 {
        self.day - earlier.day
    }

    /// The first day of its month.
    pub(crate) fn first_of_month(self) -> Self {
        Date::from_civil(self.civil().first_of_month())
    }

    /// Months from January of the year 0 to the month of this day.
    pub(crate) fn month_number(self) -> i32 {
        let date = self.civil();
        i32::from(date.year()) * 12 + i32::from(date.month()) - 1
    }

    /// The first day of a month by its number.
    ///
    /// # Errors
    /// When the year is outside -9999 to 9999.
    pub(crate) fn of_month_number(months: i32) -> Result<Self> {
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let outside = |_| Error::data(format!("month {month} of the year {year} lies outside the years -9999 to 9999"));
        Date::new(i16::try_from(year).map_err(outside)?, month as i8, 1)
    }

    pub(super) fn from_civil(date: civil::Date) -> Self {
        let days = date.duration_since(Date::EPOCH).as_hours() / 24;
        Date { day: days as i32 }
    }

    pub(super) fn civil(self) -> civil::Date {
        Date::EPOCH.saturating_add(Span::new().days(self.day))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.civil();
        // Millions of dates are written; four digits of the year are all that is needed for nearly every one.
        let Ok(year) = u16::try_from(date.year()) else { return date.fmt(f) };
        let digit = |value: u16| b'0' + (value % 10) as u8;
        let (month, day) = (date.month() as u16, date.day() as u16);
        let text = [
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
        ];
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for Date {
    type Err = Error;

    /// Reads an ISO 8601 date, or the date part of a date-time *as written* (its zone does not move it to another day).
    fn from_str(text: &str) -> Result<Self> {
        Moment::from_str(text).map(Moment::date)
    }
}

impl TryFrom<String> for Date {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_outside_the_calendar_are_refused() {
        for day in [i32::MIN, -7_304_485, 7_304_485, i32::MAX] {
            assert!(Date::from_days_since_1970(day).is_err(), "{day}");
        }
        for (date, year) in [(Date::FIRST, "-009999-01-01"), (Date::LAST, "9999-12-31")] {
            assert_eq!(Date::from_days_since_1970(date).unwrap().to_string(), year);
            assert!(Date::from_days_since_1970(date + date.signum()).is_err());
        }
        assert_eq!(Date::from_days_since_1970(-1).unwrap().to_string(), "1969-12-31");
    }
}
