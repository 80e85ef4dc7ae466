//! Where the data are cut: one holdout, or origins that roll towards the observation end.

use std::fmt;

use crate::error::{Error, Result};
use crate::time::{Date, Horizon, TimeUnit};

/// How calibration and holdout are laid out in time.
///
/// ```
/// use clv::{Date, Scheme};
///
/// let (first, end): (Date, Date) = ("1997-01-01".parse()?, "1998-06-30".parse()?);
/// let splits = Scheme::Rolling { origins: 4, horizon: "13 weeks".parse()? }.splits(first, end)?;
/// let cuts: Vec<String> = splits.iter().map(|split| split.cut().to_string()).collect();
/// assert_eq!(cuts, ["1997-07-01", "1997-09-30", "1997-12-30", "1998-03-31"]);
/// assert_eq!(splits[3].holdout_end(), end);
/// # Ok::<(), clv::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// One cut: calibrated on all up to it, held against the horizon after it.
    Holdout {
        /// The last day of calibration.
        cut: Date,
        /// The length of the holdout.
        horizon: Horizon,
    },
    /// Several cuts, one horizon apart; the last holdout ends at the observation end. Each calibration begins with the data and is longer than the
    /// one before. No holdout overlaps another.
    Rolling {
        /// The number of cuts, at least 2.
        origins: u32,
        /// The length of each holdout, and the step from one cut to the next.
        horizon: Horizon,
    },
}

impl Scheme {
    /// The word for it: `holdout`, `rolling`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Scheme::Holdout { .. } => "holdout",
            Scheme::Rolling { .. } => "rolling",
        }
    }

    /// The splits of data whose first transaction is of the day `first` and that were observed until `end`, in order of time.
    ///
    /// # Errors
    /// When a cut or a holdout does not lie within the data, when the horizon is a lifetime or no whole number of days, or when rolling origins are
    /// fewer than two. The message names what is possible.
    pub fn splits(&self, first: Date, end: Date) -> Result<Vec<Split>> {
        match *self {
            Scheme::Holdout { cut, horizon } => holdout(cut, horizon, first, end).map(|split| vec![split]),
            Scheme::Rolling { origins, horizon } => rolling(origins, horizon, first, end),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheme::Holdout { cut, horizon } => write!(f, "{horizon} after {cut}"),
            Scheme::Rolling { origins, horizon } => write!(f, "{origins} origins, {horizon} each"),
        }
    }
}

/// A cut of the data: calibration up to the day `cut` inclusive, holdout after it until the day `holdout_end` inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Split {
    cut: Date,
    holdout_end: Date,
}

impl Split {
    /// A split of data whose first transaction is of the day `first` and that were observed until `end`.
    ///
    /// # Errors
    /// When the cut lies before the first transaction, or the holdout has no day or ends after the observation end.
    pub fn new(cut: Date, holdout_end: Date, first: Date, end: Date) -> Result<Self> {
        if cut < first || cut >= end {
            let last = Date::from_days_since_1970(end.days_since_1970() - 1)?;
            let possible = if last < first {
                "and a single day cannot be split".to_owned()
            } else {
                format!("so that a cut can be from {first} to {last}")
            };
            return Err(Error::parameter(format!(
                "the cut {cut} leaves nothing before it or nothing after it: the first transaction is of {first}, the observation ends on {end}, \
                 {possible}"
            )));
        }
        if holdout_end <= cut {
            return Err(Error::parameter(format!("a holdout from the cut {cut} to {holdout_end} has no day; it must end after the cut")));
        }
        if holdout_end > end {
            return Err(Error::parameter(format!(
                "a holdout from the cut {cut} to {holdout_end} reaches beyond the observation end {end}; after this cut it can be 1 to {} days long, \
                 or the cut can be earlier",
                end.days_since(cut)
            )));
        }
        Ok(Split { cut, holdout_end })
    }

    /// The last day of calibration.
    #[must_use]
    pub fn cut(&self) -> Date {
        self.cut
    }

    /// The last day of the holdout.
    #[must_use]
    pub fn holdout_end(&self) -> Date {
        self.holdout_end
    }

    /// The days of the holdout.
    #[must_use]
    pub fn days(&self) -> i32 {
        self.holdout_end.days_since(self.cut)
    }

    /// The length of the holdout in `unit`.
    #[must_use]
    pub fn length(&self, unit: TimeUnit) -> f64 {
        f64::from(self.days()) * 24.0 / unit.hours()
    }
}

fn holdout(cut: Date, horizon: Horizon, first: Date, end: Date) -> Result<Split> {
    let holdout_end = horizon.steps_from(cut, 1)?;
    if first <= cut && cut < end && holdout_end > end {
        let latest = horizon.steps_from(end, -1)?;
        let instead =
            if latest >= first { format!("the cut can be from {first} to {latest}") } else { "no cut leaves room for it".to_owned() };
        return Err(Error::parameter(format!(
            "a holdout of {horizon} after the cut {cut} ends on {holdout_end}, beyond the observation end {end}; after this cut it can be 1 to {} \
             days long; with this length {instead}",
            end.days_since(cut)
        )));
    }
    Split::new(cut, holdout_end, first, end)
}

fn rolling(origins: u32, horizon: Horizon, first: Date, end: Date) -> Result<Vec<Split>> {
    // Steps are all counted from the end, so that months of unequal length do not add up their rounding.
    let cut = |back: u32| horizon.steps_from(end, -i64::from(back));
    let mut possible = 0;
    while possible < origins.max(2) && cut(possible + 1)? >= first {
        possible += 1;
    }
    let range = match possible {
        0 => format!(
            "not one holdout of {horizon} lies between the first transaction on {first} and the observation end {end}; take a shorter one"
        ),
        1 => format!("only one holdout of {horizon} lies between {first} and {end}; take a shorter one, or one cut"),
        _ => format!("between {first} and {end}, {possible} or fewer of {horizon} are possible, and at least 2"),
    };
    if origins < 2 {
        let count = if origins == 1 { "one origin is a single holdout, not rolling ones: name its cut" } else { "there are no origins" };
        return Err(Error::parameter(format!("{count}; rolling origins are at least 2")));
    }
    if possible < origins {
        return Err(Error::parameter(format!("{origins} rolling origins do not fit into the data: {range}")));
    }
    (1..=origins).rev().map(|back| Split::new(cut(back)?, cut(back - 1)?, first, end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn span(text: &str) -> Horizon {
        text.parse().unwrap()
    }

    const FIRST: &str = "1997-01-01";
    const END: &str = "1998-06-30";

    fn splits(scheme: Scheme) -> Result<Vec<(String, String)>> {
        let splits = scheme.splits(day(FIRST), day(END))?;
        Ok(splits.iter().map(|split| (split.cut().to_string(), split.holdout_end().to_string())).collect())
    }

    fn refusal(scheme: Scheme) -> String {
        splits(scheme).unwrap_err().to_string()
    }

    #[test]
    fn one_holdout() {
        let split = Scheme::Holdout { cut: day("1997-09-30"), horizon: span("39 weeks") }.splits(day(FIRST), day(END)).unwrap()[0];
        assert_eq!((split.days(), split.length(TimeUnit::Week), split.holdout_end()), (273, 39.0, day(END)));
        let months = splits(Scheme::Holdout { cut: day("1997-09-30"), horizon: span("9 months") }).unwrap();
        assert_eq!(months, [("1997-09-30".to_owned(), "1998-06-30".to_owned())]);
    }

    #[test]
    fn origins_roll_to_the_observation_end_without_gap_or_overlap() {
        let months = Scheme::Rolling { origins: 5, horizon: span("1 month") }.splits(day("2023-01-01"), day("2024-03-31")).unwrap();
        let cuts: Vec<String> = months.iter().map(|split| split.cut().to_string()).collect();
        assert_eq!(cuts, ["2023-10-31", "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"]);
        assert!(months.windows(2).all(|pair| pair[0].holdout_end() == pair[1].cut()));
        assert_eq!(months[4].holdout_end(), day("2024-03-31"));
    }

    #[test]
    fn a_cut_outside_the_data_is_refused_with_the_range() {
        for cut in ["1996-12-31", "1998-06-30", "2001-01-01"] {
            let message = refusal(Scheme::Holdout { cut: day(cut), horizon: span("1 week") });
            assert!(message.contains(cut) && message.contains("from 1997-01-01 to 1998-06-29"), "{message}");
        }
    }

    #[test]
    fn a_horizon_longer_than_the_data_is_refused_with_the_range() {
        let message = refusal(Scheme::Holdout { cut: day("1997-12-31"), horizon: span("39 weeks") });
        assert!(message.contains("1 to 181 days") && message.contains("from 1997-01-01 to 1997-09-30"), "{message}");
        let message = refusal(Scheme::Holdout { cut: day("1997-12-31"), horizon: span("5 years") });
        assert!(message.contains("no cut leaves room"), "{message}");
        let message = refusal(Scheme::Rolling { origins: 4, horizon: span("39 weeks") });
        assert!(message.contains("only one holdout"), "{message}");
        let message = refusal(Scheme::Rolling { origins: 2, horizon: span("2 years") });
        assert!(message.contains("not one holdout"), "{message}");
        let message = refusal(Scheme::Rolling { origins: 9, horizon: span("13 weeks") });
        assert!(message.contains("5 or fewer of 13 weeks are possible, and at least 2"), "{message}");
    }

    #[test]
    fn what_is_no_series_of_holdouts_is_refused() {
        assert!(refusal(Scheme::Rolling { origins: 1, horizon: span("13 weeks") }).contains("one origin is a single holdout"));
        assert!(refusal(Scheme::Rolling { origins: 0, horizon: span("13 weeks") }).contains("at least 2"));
        assert!(refusal(Scheme::Holdout { cut: day("1997-09-30"), horizon: Horizon::lifetime() }).contains("lifetime"));
        assert!(refusal(Scheme::Holdout { cut: day("1997-09-30"), horizon: span("30 hours") }).contains("whole days"));
        let same_day = Split::new(day(FIRST), day(END), day(FIRST), day(FIRST)).unwrap_err().to_string();
        assert!(same_day.contains("a single day cannot be split"), "{same_day}");
        assert!(Split::new(day("1997-09-30"), day("1997-09-30"), day(FIRST), day(END)).is_err());
    }
}
