//! Dates, units of time, horizons and discount rates.
//!
//! A model knows time only as a number of *units* ([`TimeUnit`]); a business speaks of dates, "12 months" and 10 % a year. The types here are
//! the only bridge between the two, so that a week never meets a month by accident.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use jiff::civil;
use jiff::fmt::temporal::Pieces;

use crate::error::{Error, Result, quoted};

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

    /// Units in a year of 365.25 days: the basis of [`AnnualDiscount::rate_per`].
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
    day: i32,
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

    fn from_civil(date: civil::Date) -> Self {
        let days = date.duration_since(Date::EPOCH).as_hours() / 24;
        Date { day: days as i32 }
    }

    fn civil(self) -> civil::Date {
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

/// A wall-clock hour: the finest time at which purchases are told apart.
///
/// Date-times are taken as they are written: `2026-03-01T23:30:00-05:00` belongs to 1 March, hour 23, because that is the day on which the
/// customer bought. Minutes and seconds are dropped; a date alone is its hour 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Hours since 1970-01-01T00.
    hour: i32,
}

impl Moment {
    /// Hour `hour` (0 to 23) of a day.
    ///
    /// # Errors
    /// When `hour` is above 23.
    pub fn new(date: Date, hour: u8) -> Result<Self> {
        if hour > 23 {
            return Err(Error::data(format!("hour {hour} of {date} does not exist; hours run from 0 to 23")));
        }
        Ok(Moment { hour: date.day * 24 + i32::from(hour) })
    }

    /// The day this hour belongs to.
    #[must_use]
    pub fn date(self) -> Date {
        Date { day: self.hour.div_euclid(24) }
    }

    /// The hour of the day, 0 to 23.
    #[must_use]
    pub fn hour_of_day(self) -> u8 {
        self.hour.rem_euclid(24) as u8
    }

    /// Hours since 1970-01-01T00.
    #[must_use]
    pub fn hours_since_1970(self) -> i32 {
        self.hour
    }

    pub(crate) fn from_hours_since_1970(hour: i32) -> Self {
        Moment { hour }
    }
}

impl From<Date> for Moment {
    fn from(date: Date) -> Self {
        Moment { hour: date.day * 24 }
    }
}

impl fmt::Display for Moment {
    /// The date alone at hour 0, otherwise `2026-03-01T23:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hour_of_day() {
            0 => self.date().fmt(f),
            hour => write!(f, "{}T{hour:02}:00", self.date()),
        }
    }
}

impl FromStr for Moment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(moment) = usual(text.as_bytes()) {
            return Ok(moment);
        }
        let pieces = Pieces::parse(text).map_err(|_| {
            Error::data(format!(
                "{} is no date; expected ISO 8601 such as 1997-09-30, 1997-09-30T14:05:00 or 1997-09-30 14:05:00+02:00",
                quoted(text)
            ))
        })?;
        let hour = pieces.time().map_or(0, civil::Time::hour);
        Ok(Moment { hour: Date::from_civil(pieces.date()).day * 24 + i32::from(hour) })
    }
}

/// The moment of a text in one of the usual forms, `2026-03-01` or `2026-03-01 23:30:59.25` with a space or a T, and without a zone. Of millions of
/// dates in a file nearly all are; the others, and those that are wrong, are for the parser of all forms.
fn usual(text: &[u8]) -> Option<Moment> {
    let number = |from: usize, to: usize| {
        text.get(from..to)?.iter().try_fold(0_i32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if text[4] != b'-' || text[7] != b'-' || year == 0 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
    if day > longest {
        return None;
    }
    let hour = match text.len() {
        10 => 0,
        16.. if matches!(text[10], b'T' | b' ') && text[13] == b':' => {
            let seconds = match text.len() {
                16 => 0,
                19 => number(17, 19).filter(|_| text[16] == b':')?,
                21..=29 if text[19] == b'.' && text[20..].iter().all(u8::is_ascii_digit) => number(17, 19).filter(|_| text[16] == b':')?,
                _ => return None,
            };
            number(11, 13).filter(|&hour| hour < 24 && seconds < 60 && number(14, 16).is_some_and(|minute| minute < 60))?
        }
        _ => return None,
    };
    // Years are counted from March, so that the day that may be missing is their last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5;
    Some(Moment { hour: (before + day - 1 - 719_468) * 24 + hour })
}

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

/// An annual effective discount rate: 0.10 means that 110 a year from now are worth 100 today.
///
/// ```
/// use clv::{AnnualDiscount, TimeUnit};
///
/// let discount = AnnualDiscount::new(0.10)?;
/// assert!((discount.rate_per(TimeUnit::Week) - 0.001_826_615_355_592_812).abs() < 1e-16); // ln 1.1 / 52.18
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct AnnualDiscount {
    rate: f64,
}

impl AnnualDiscount {
    /// An annual rate as a fraction: 0.10 for 10 %.
    ///
    /// # Errors
    /// When the rate is negative, infinite or no number.
    pub fn new(rate: f64) -> Result<Self> {
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::parameter(format!("discount {rate} must be a finite annual rate of at least 0, such as 0.10 for 10 %")));
        }
        Ok(AnnualDiscount { rate })
    }

    /// The annual rate as a fraction.
    #[must_use]
    pub fn annual_rate(self) -> f64 {
        self.rate
    }

    /// The continuous rate per unit: ln(1 + d) / units per year.
    #[must_use]
    pub fn rate_per(self, unit: TimeUnit) -> f64 {
        self.rate.ln_1p() / unit.per_year()
    }
}

impl TryFrom<f64> for AnnualDiscount {
    type Error = Error;

    fn try_from(rate: f64) -> Result<Self> {
        AnnualDiscount::new(rate)
    }
}

impl From<AnnualDiscount> for f64 {
    fn from(discount: AnnualDiscount) -> Self {
        discount.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_belongs_to_the_day_and_hour_as_written() {
        for (text, date, hour) in [
            ("1997-01-31", "1997-01-31", 0),
            ("19970131", "1997-01-31", 0),
            ("1997-01-31T23:59:59", "1997-01-31", 23),
            ("1997-01-31 23:59:59.123456", "1997-01-31", 23),
            ("1997-01-31T23:59:59Z", "1997-01-31", 23),
            ("1997-01-31T23:59:59-05:00", "1997-01-31", 23),
            ("1997-01-31 00:10+02:00", "1997-01-31", 0),
            ("1969-12-31T05:00", "1969-12-31", 5),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!((moment.date().to_string().as_str(), moment.hour_of_day()), (date, hour), "{text}");
        }
    }

    #[test]
    fn usual_dates_are_those_of_the_parser_of_all_forms() {
        for day in (-719_000..2_932_000).step_by(1_237).chain([-719_162, -719_163, 59, 60, 10_956, 10_957, 11_016, 11_017, 47_540, 47_541])
        {
            let date = Date::from_days_since_1970(day).unwrap();
            let text = date.civil().to_string();
            assert_eq!(date.to_string(), text);
            assert_eq!(Date::from_civil(text.parse().unwrap()), text.parse().unwrap(), "{text}");
            assert_eq!(usual(text.as_bytes()).is_some(), day >= -719_162, "{text}");
        }
        for (text, hour) in [("2024-02-29T07:05", 7), ("2024-02-29 23:59:59", 23), ("2024-02-29 00:00:00.123456789", 0)] {
            assert_eq!(usual(text.as_bytes()), text.parse().ok());
            assert_eq!(usual(text.as_bytes()).map(Moment::hour_of_day), Some(hour));
        }
        for text in
            ["2023-02-29", "2024-02-29T24:00", "2024-02-29T07:60", "2024-02-29T07:05:60", "2024-02-29T07:05Z", "2024-2-29", "+024-02-29"]
        {
            assert_eq!(usual(text.as_bytes()), None, "{text}");
        }
        for (date, year) in [(Date::FIRST, "-009999-01-01"), (Date::LAST, "9999-12-31")] {
            assert_eq!(Date::from_days_since_1970(date).unwrap().to_string(), year);
            assert!(Date::from_days_since_1970(date + date.signum()).is_err());
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "1997", "31.01.1997", "01/31/1997", "1997-02-30", "1997-01-31x", "1997-01-31T25:00", "NaN"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

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
    fn days_outside_the_calendar_are_refused() {
        for day in [i32::MIN, -7_304_485, 7_304_485, i32::MAX] {
            assert!(Date::from_days_since_1970(day).is_err(), "{day}");
        }
        assert_eq!(Date::from_days_since_1970(-1).unwrap().to_string(), "1969-12-31");
    }

    #[test]
    fn a_horizon_past_the_calendar_is_refused() {
        let end: Date = "1997-09-30".parse().unwrap();
        let error = Horizon::months(4_000_000_000).unwrap().length_from(end, TimeUnit::Week).unwrap_err();
        assert!(error.to_string().contains("leaves the calendar"), "{error}");
    }
}
