//! A wall-clock hour, and how dates and date-times are read.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::fmt::temporal::Pieces;

use super::date::Date;
use crate::error::{Error, Result, quoted};

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
        if let Some(moment) = usual(text.as_bytes()).or_else(|| usual(before_zone(text)?.as_bytes())) {
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

/// What stands before a zone that is set off by a space, as shops and databases write it: ` +0200`, ` +02:00` or ` UTC`. A day is the day as written, so that the zone
/// itself does not count.
fn before_zone(text: &str) -> Option<&str> {
    let (before, zone) = text.rsplit_once(' ')?;
    (matches!(zone, "UTC" | "GMT" | "Z") || zone.strip_prefix(['+', '-']).is_some_and(is_offset)).then_some(before)
}

/// Whether a text is hh, hhmm or hh:mm, with hours up to 23 and minutes up to 59: what the parser of all forms takes where there is no space.
fn is_offset(text: &str) -> bool {
    let up_to = |largest: u8, digits: &[u8]| digits.iter().all(u8::is_ascii_digit) && (digits[0] - b'0') * 10 + digits[1] - b'0' <= largest;
    match text.as_bytes() {
        [hours @ .., b':', m, n] | [hours @ .., m, n] if hours.len() == 2 => up_to(23, hours) && up_to(59, &[*m, *n]),
        hours => hours.len() == 2 && up_to(23, hours),
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
            ("2025-01-03 14:30:00 +0200", "2025-01-03", 14),
            ("2025-01-03 23:30:00 -05:00", "2025-01-03", 23),
            ("2025-01-03 14:30:00.000 UTC", "2025-01-03", 14),
            ("2025-01-03 14:30:00 -23", "2025-01-03", 14),
            ("2025-01-03 14:30:00 +05:59", "2025-01-03", 14),
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
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "1997", "31.01.1997", "01/31/1997", "1997-02-30", "1997-01-31x", "1997-01-31T25:00", "NaN"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        for zone in ["+99:99", "+02000", "+14:0", "+24", "+0260", "+02:60", "+2", "+020", "+:200", "+02:", "+", "+02:0:", "+é0", "+12::00"]
        {
            let text = format!("2025-01-03 14:30:00 {zone}");
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
