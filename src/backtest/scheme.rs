//! Where the data are cut: one holdout, origins that roll towards the observation end, horizons of several lengths, or between cohorts.

use std::fmt;

use super::split::Split;
use crate::error::{Error, Result};
use crate::time::{Date, Horizon};

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Rolling cuts, each calibrated on the customers alone whose first purchase lies within a window of one length before it: when the customers of
    /// years ago tell little of those of today. Older customers are neither calibrated on nor forecast.
    Sliding {
        /// The number of cuts, at least 2.
        origins: u32,
        /// The length of each holdout, and the step from one cut to the next.
        horizon: Horizon,
        /// The length of the window before each cut.
        window: Horizon,
    },
    /// One cut, and holdouts of several lengths after it: how errors grow with the distance.
    Nested {
        /// The last day of calibration.
        cut: Date,
        /// The lengths, at least 2.
        horizons: Vec<Horizon>,
    },
    /// Calibrated on the customers born (with their first purchase) up to a day, to forecast those born later from their birth on: whether what older cohorts
    /// did tells what newer ones do. It also says how good forecasts for new customers are.
    Cohort {
        /// The last day of a first purchase of the older cohorts.
        born_until: Date,
        /// The last day up to which the older cohorts are seen; the observation end, or earlier.
        cut: Date,
    },
}

impl Scheme {
    /// How many origins there are when nobody says: one cut misleads, and four show how far totals vary.
    pub const DEFAULT_ORIGINS: u32 = 4;

    /// Four rolling origins over the second half of data whose first transaction is of the day `first` and that were observed until `end`: each holdout is
    /// an eighth of the time, in whole weeks.
    ///
    /// ```
    /// use clv::Scheme;
    ///
    /// let scheme = Scheme::rolling_over("1997-01-01".parse()?, "1998-06-30".parse()?)?;
    /// assert_eq!(scheme.to_string(), "4 origins, 63 days each");
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an eighth of the time is less than a week.
    pub fn rolling_over(first: Date, end: Date) -> Result<Self> {
        let origins = Self::DEFAULT_ORIGINS;
        Ok(Scheme::Rolling { origins, horizon: Self::default_horizon(first, end, origins)? })
    }

    /// The length of so many holdouts in whole weeks that together take half of the time.
    pub(crate) fn default_horizon(first: Date, end: Date, origins: u32) -> Result<Horizon> {
        const WEEK: i64 = 7;
        let (span, holdouts) = (i64::from(end.days_since(first)), i64::from(origins));
        let days = span / (2 * holdouts) / WEEK * WEEK;
        if days < WEEK {
            return Err(Error::parameter(format!(
                "the log covers {span} days from {first} to {end}, and {origins} holdouts of a week or more in its second half take at least {} days; \
                 name one cut, or the length of the holdouts",
                2 * holdouts * WEEK
            )));
        }
        Horizon::days(u32::try_from(days).unwrap_or(u32::MAX))
    }

    /// The word for it: `holdout`, `rolling`, `sliding`, `nested`, `cohort`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Scheme::Holdout { .. } => "holdout",
            Scheme::Rolling { .. } => "rolling",
            Scheme::Sliding { .. } => "sliding",
            Scheme::Nested { .. } => "nested",
            Scheme::Cohort { .. } => "cohort",
        }
    }

    /// Whether its holdouts follow one another in time, so that their errors show what all customers share.
    pub(super) fn rolls(&self) -> bool {
        matches!(self, Scheme::Rolling { .. } | Scheme::Sliding { .. })
    }

    /// The splits of data whose first transaction is of the day `first` and that were observed until `end`, in order of time.
    ///
    /// # Errors
    /// When a cut, a holdout, a window or a cohort does not lie within the data, when a horizon is a lifetime or no whole number of days, or when
    /// there are fewer than two origins or nested horizons. The message names what is possible.
    pub fn splits(&self, first: Date, end: Date) -> Result<Vec<Split>> {
        match self {
            Scheme::Holdout { cut, horizon } => holdout(*cut, *horizon, first, end).map(|split| vec![split]),
            Scheme::Rolling { origins, horizon } => rolling(*origins, *horizon, first, end),
            Scheme::Sliding { origins, horizon, window } => {
                rolling(*origins, *horizon, first, end)?.into_iter().map(|split| sliding(split, *window, first)).collect()
            }
            Scheme::Nested { cut, horizons } => nested(*cut, horizons, first, end),
            Scheme::Cohort { born_until, cut } => cohorts(*born_until, *cut, first, end).map(|split| vec![split]),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheme::Holdout { cut, horizon } => write!(f, "{horizon} after {cut}"),
            Scheme::Rolling { origins, horizon } => write!(f, "{origins} origins, {horizon} each"),
            Scheme::Sliding { origins, horizon, window } => {
                write!(f, "{origins} origins, {horizon} each, customers of the {window} before")
            }
            Scheme::Nested { cut, horizons } => {
                let lengths: Vec<String> = horizons.iter().map(Horizon::to_string).collect();
                write!(f, "{} after {cut}", lengths.join(", "))
            }
            Scheme::Cohort { born_until, .. } => write!(f, "customers born after {born_until}"),
        }
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
    let longest = end.days_since(first) / 2;
    let range = match possible {
        0 => format!(
            "not one holdout of {horizon} lies between the first transaction on {first} and the observation end {end}; two of up to {longest} days do"
        ),
        1 => format!(
            "only one holdout of {horizon} lies between {first} and {end}; take one of up to {longest} days, which fits twice, or one cut"
        ),
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

/// The window must lie within the data: a longer one would be an expanding one under another name.
fn sliding(split: Split, window: Horizon, first: Date) -> Result<Split> {
    let before = window.steps_from(split.cut(), -1)?;
    if before.days_since(first) < -1 {
        return Err(Error::parameter(format!(
            "a window of {window} before the cut {} begins before the first transaction on {first}; it can be up to {} days long, or the cuts later",
            split.cut(),
            split.cut().days_since(first) + 1
        )));
    }
    Ok(split.of_customers_since(Date::from_days_since_1970(before.days_since_1970() + 1)?))
}

fn nested(cut: Date, horizons: &[Horizon], first: Date, end: Date) -> Result<Vec<Split>> {
    if horizons.len() < 2 {
        return Err(Error::parameter(format!("nested horizons are at least 2, and {} was given; for one, name a holdout", horizons.len())));
    }
    let mut splits = horizons.iter().map(|&horizon| holdout(cut, horizon, first, end)).collect::<Result<Vec<Split>>>()?;
    splits.sort_by_key(Split::days);
    match splits.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            Err(Error::parameter(format!("two of the nested horizons end on {}; each needs a length of its own", pair[0].holdout_end())))
        }
        None => Ok(splits),
    }
}

fn cohorts(born_until: Date, cut: Date, first: Date, end: Date) -> Result<Split> {
    if born_until < first || born_until >= end {
        let last = Date::from_days_since_1970(end.days_since_1970() - 1)?;
        return Err(Error::parameter(format!(
            "no cohorts lie on both sides of {born_until}: the first transaction is of {first}, the observation ends on {end}, so that the older cohorts \
             can be born until {first} to {last}"
        )));
    }
    if cut < born_until || cut > end {
        return Err(Error::parameter(format!(
            "the older cohorts, born until {born_until}, cannot be seen until {cut}; they can be seen until {born_until} to {end}"
        )));
    }
    Ok(Split::between_cohorts(born_until, cut, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeUnit;

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
        // Of 545 days.
        assert!(message.contains("only one holdout") && message.contains("up to 272 days"), "{message}");
        let message = refusal(Scheme::Rolling { origins: 2, horizon: span("2 years") });
        assert!(message.contains("not one holdout") && message.contains("two of up to 272 days"), "{message}");
        let message = refusal(Scheme::Rolling { origins: 9, horizon: span("13 weeks") });
        assert!(message.contains("5 or fewer of 13 weeks are possible, and at least 2"), "{message}");
    }

    #[test]
    fn a_sliding_window_moves_with_the_cut() {
        let scheme = |window| Scheme::Sliding { origins: 2, horizon: span("13 weeks"), window: span(window) };
        let windows = scheme("26 weeks").splits(day(FIRST), day(END)).unwrap();
        let born_from: Vec<Option<Date>> = windows.iter().map(Split::born_from).collect();
        assert_eq!(born_from, [Some(day("1997-07-02")), Some(day("1997-10-01"))]);
        assert_eq!(splits(scheme("52 weeks")).unwrap(), splits(Scheme::Rolling { origins: 2, horizon: span("13 weeks") }).unwrap());
        assert!(refusal(scheme("2 years")).contains("it can be up to 364 days long"), "{}", refusal(scheme("2 years")));
    }

    #[test]
    fn nested_horizons_share_a_cut_and_are_in_order() {
        let nested = |spans: &[&str]| Scheme::Nested { cut: day("1997-09-30"), horizons: spans.iter().map(|text| span(text)).collect() };
        let ends = splits(nested(&["39 weeks", "13 weeks", "26 weeks"])).unwrap();
        let expected = [("1997-09-30", "1997-12-30"), ("1997-09-30", "1998-03-31"), ("1997-09-30", "1998-06-30")];
        assert_eq!(ends, expected.map(|(cut, end)| (cut.to_owned(), end.to_owned())));
        assert!(refusal(nested(&["13 weeks"])).contains("at least 2"));
        assert!(refusal(nested(&["13 weeks", "91 days"])).contains("a length of its own"));
        assert!(refusal(nested(&["13 weeks", "52 weeks"])).contains("1 to 273 days"));
    }

    #[test]
    fn cohorts_lie_on_both_sides() {
        let cohort = |born_until: &str, cut: &str| Scheme::Cohort { born_until: day(born_until), cut: day(cut) };
        let split = cohort("1997-02-15", END).splits(day(FIRST), day(END)).unwrap()[0];
        assert_eq!((split.born_until(), split.cut(), split.days()), (Some(day("1997-02-15")), day(END), 0));
        assert!(refusal(cohort("1996-12-31", END)).contains("1997-01-01 to 1998-06-29"));
        assert!(refusal(cohort(END, END)).contains("1997-01-01 to 1998-06-29"));
        assert!(refusal(cohort("1997-02-15", "1997-01-15")).contains("1997-02-15 to 1998-06-30"));
    }

    #[test]
    fn four_origins_over_the_second_half() {
        let scheme = Scheme::rolling_over(day(FIRST), day(END)).unwrap();
        let first_cut = scheme.splits(day(FIRST), day(END)).unwrap()[0].cut();
        assert_eq!(first_cut, day("1997-10-21"));
        let short = Scheme::rolling_over(day(FIRST), day("1997-02-20")).unwrap_err().to_string();
        assert!(short.contains("covers 50 days") && short.contains("at least 56"), "{short}");
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
