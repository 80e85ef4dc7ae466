//! Whether a log starts in the middle: customers acquired earlier are first seen soon after its start, so that the flow of first-seen customers falls.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::data::log::TransactionLog;
use crate::data::observation::Observation;
use crate::error::{Error, Result};
use crate::parallel::map_indices;
use crate::time::Moment;

/// Two windows follow each other at the start of the log, each this share of it: a week, two and four of a year.
const WINDOWS: [f64; 3] = [1.0 / 52.0, 1.0 / 26.0, 1.0 / 13.0];

/// Bins of a window, between which the flow's own variation is measured.
const BINS: usize = 6;

/// Fewer first-seen customers in both windows show nothing.
const FEWEST: u64 = 20;

/// Below this probability a log is taken to start in the middle.
const SIGNIFICANT: f64 = 0.01;

/// Below this one there is no doubt that the flow falls; that it is old customers who make it fall, the rest is to tell: so many times as many customers in the
/// first window as in the second, at least so many of them, more by this factor in its first half than in its second, purchases a day that differ by less than
/// this factor, and customers first seen in the second half of the log at this share of the flow of the second window.
const BEYOND_DOUBT: f64 = 1e-6;
const LARGE: f64 = 3.0;
const MANY: u64 = 100;
const FALLING: f64 = 1.2;
const STEADY: f64 = 1.25;
const GOES_ON: f64 = 0.05;

/// First-seen customers in two windows of one length that follow each other from the start of the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpeningWindows {
    /// The length of each, in the unit of the times.
    pub length: f64,
    /// Customers first seen in the first window.
    pub first: u64,
    /// Customers first seen in the second window.
    pub second: u64,
    /// How many times the variance between neighbouring bins is that of a Poisson process, at least 1.
    pub dispersion: f64,
    /// Customers first seen in the earlier half of the first window.
    pub first_half: u64,
    /// Purchases a day of all customers in each half of the first window and of the second, when they are known.
    pub daily_purchases: Option<[f64; 4]>,
}

impl OpeningWindows {
    /// The fall from the first to the second window, in standard deviations of a steady flow.
    #[must_use]
    pub fn fall(&self) -> f64 {
        let (first, second) = (self.first as f64, self.second as f64);
        (first - second) / (self.dispersion * (first + second)).sqrt()
    }

    /// Whether the fall is large and has the shape of old customers who come back one after the other; acquisitions that end, end at once.
    fn are_of_old_customers(&self, later_share: f64) -> bool {
        let (first, second, early) = (self.first as f64, self.second as f64, self.first_half as f64);
        let large = self.first >= MANY && first >= LARGE * second;
        large && early >= FALLING * (first - early) && later_share >= GOES_ON
    }
}

/// The flow of first-seen customers at the start of a log.
///
/// In a log that holds every customer from the first purchase on, the customers first seen are those acquired, and their flow has no reason to fall just where
/// the log starts. In a log that starts in the middle, the old customers come on top, each with the first purchase after the start, most of them soon. So
/// a fall from one opening window to the next is what tells; windows of three lengths are looked at. It is a test of the flow alone: acquisitions that really
/// fell in those weeks look the same, and a small log, or one whose customers buy rarely, may not show it.
///
/// ```
/// use clv::FirstSeenFlow;
///
/// // A year, 10 new customers a day; and the same with 2000 old ones who come back within weeks.
/// let new: Vec<f64> = (0..3650).map(|i| 0.1 * f64::from(i) + 0.05).collect();
/// let old = (1..=2000).map(|i| -20.0 * (f64::from(i) / 2001.0).ln());
/// assert!(!FirstSeenFlow::of(&new, 365.0)?.starts_in_the_middle());
/// assert!(FirstSeenFlow::of(&new.iter().copied().chain(old).collect::<Vec<_>>(), 365.0)?.starts_in_the_middle());
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSeenFlow {
    length: f64,
    windows: Vec<OpeningWindows>,
    /// Customers first seen in the second half of the log.
    in_second_half: u64,
}

impl FirstSeenFlow {
    /// The flow of customers first seen at these times since the start of a log of this length. Later times do not count.
    ///
    /// # Errors
    /// When the length is not a positive finite time, or a time is negative or no number.
    pub fn of(first_seen: &[f64], length: f64) -> Result<Self> {
        FirstSeenFlow::with_purchases(first_seen, length, |_| None)
    }

    /// The same, with what is known of the purchases in windows of each length, by its number in [`WINDOWS`].
    fn with_purchases(first_seen: &[f64], length: f64, daily: impl Fn(usize) -> Option<[f64; 4]>) -> Result<Self> {
        if !(length > 0.0 && length.is_finite()) {
            return Err(Error::data(format!("a log of length {length}; it must be a positive finite time")));
        }
        if let Some(time) = first_seen.iter().find(|time| !(**time >= 0.0)) {
            return Err(Error::data(format!("a customer first seen at {time} since the start of the log; times are of at least 0")));
        }
        let windows = WINDOWS.iter().enumerate().filter_map(|(k, share)| {
            let windows = opening_windows(first_seen, share * length)?;
            Some(OpeningWindows { daily_purchases: daily(k), ..windows })
        });
        let windows = windows.collect();
        let in_second_half = first_seen.iter().filter(|&&time| (0.5 * length..length).contains(&time)).count() as u64;
        Ok(FirstSeenFlow { length, windows, in_second_half })
    }

    /// The flow of a log up to the observation end, by days, with its purchases.
    ///
    /// # Errors
    /// When the log has no row up to that day.
    pub fn of_log(log: &TransactionLog, observation: &Observation) -> Result<Self> {
        let Some(start) = log.first_date().filter(|start| *start <= observation.end) else {
            return Err(Error::data(format!("there is no transaction up to the observation end {}", observation.end)));
        };
        let first_hour = Moment::from(start).hours_since_1970();
        let days = observation.end.days_since(start) + 1;
        // A purchase is somewhere within its day.
        let mid_day = |hour: i32| f64::from((hour - first_hour).div_euclid(24)) + 0.5;
        let halves = HalfWindows::of(days);
        let parts = map_indices(log.partitions().len(), |index| {
            let partition = &log.partitions()[index];
            let mut first = vec![i32::MAX; partition.customers().ids().len()];
            let mut purchases = Purchases::default();
            for event in partition.events().filter(|event| event.amount >= 0.0) {
                let seen = &mut first[event.customer as usize];
                *seen = event.hour.min(*seen);
                halves.add(mid_day(event.hour), &mut purchases);
            }
            (first, purchases)
        });
        let last = first_hour + 24 * days;
        let first_seen: Vec<f64> =
            parts.iter().flat_map(|(first, _)| first).filter(|&&hour| hour < last).map(|&hour| mid_day(hour)).collect();
        let daily =
            |k: usize, half: usize| parts.iter().map(|(_, purchases)| purchases[k][half]).sum::<u64>() as f64 / halves.days(k, half);
        FirstSeenFlow::with_purchases(&first_seen, f64::from(days), |k| Some([0, 1, 2, 3].map(|half| daily(k, half))))
    }

    /// What was seen in the windows, the shortest first; those with too few customers are left out.
    #[must_use]
    pub fn windows(&self) -> &[OpeningWindows] {
        &self.windows
    }

    /// Probability of so large a fall over any of the windows if the flow were steady (Bonferroni); 1 where there are too few customers to tell.
    #[must_use]
    pub fn p_steady(&self) -> f64 {
        let beyond = |windows: &OpeningWindows| Normal::standard().sf(windows.fall());
        let smallest = self.windows.iter().map(beyond).fold(1.0, f64::min);
        (smallest * self.windows.len().max(1) as f64).min(1.0)
    }

    /// Whether the log plainly starts in the middle: a steady flow would fall so much in less than 1 % of all cases.
    #[must_use]
    pub fn starts_in_the_middle(&self) -> bool {
        self.p_steady() < SIGNIFICANT
    }

    /// Whether there is no other reading: the flow falls beyond doubt, by a large factor, as it does when old customers come back one after the other; as many
    /// purchases are made on its first days as after it; and customers go on being acquired. It takes the purchases, which [`of_log`](Self::of_log) knows.
    ///
    /// Many a log that starts in the middle is not recognised by this, but hardly any other is.
    #[must_use]
    pub fn starts_in_the_middle_beyond_doubt(&self) -> bool {
        let per_time = |count: u64, time: f64| count as f64 / time;
        let later = per_time(self.in_second_half, 0.5 * self.length);
        let are_old = |windows: &OpeningWindows| {
            windows.are_of_old_customers(later / per_time(windows.second, windows.length).max(f64::MIN_POSITIVE))
        };
        self.p_steady() < BEYOND_DOUBT && self.windows.iter().any(are_old) && self.purchases_are_steady()
    }

    /// Whether about as many purchases a day are made from the first days on: those of customers who have been there all along. A launch has many first purchases,
    /// then fewer, until others come on top.
    fn purchases_are_steady(&self) -> bool {
        let daily: Option<Vec<[f64; 4]>> = self.windows.iter().map(|windows| windows.daily_purchases).collect();
        let ends = |(least, most): (f64, f64), daily: f64| (least.min(daily), most.max(daily));
        let (least, most) = daily.into_iter().flatten().flatten().fold((f64::INFINITY, 0.0), ends);
        least.is_finite() && least > 0.0 && most <= STEADY * least
    }

    /// The windows over which the flow falls most, in standard deviations.
    #[must_use]
    pub fn steepest(&self) -> Option<&OpeningWindows> {
        self.windows.iter().max_by(|one, other| one.fall().total_cmp(&other.fall()))
    }
}

/// Purchases in each half of the first and of the second window, for windows of each length: as many numbers for a log of any length.
type Purchases = [[u64; 4]; WINDOWS.len()];

/// Where the halves of the windows lie in a log, in days.
struct HalfWindows {
    lengths: [f64; WINDOWS.len()],
    /// All of them lie before it.
    end: f64,
}

impl HalfWindows {
    fn of(days: i32) -> Self {
        let lengths = WINDOWS.map(|share| 0.5 * (share * f64::from(days)));
        HalfWindows { lengths, end: lengths.iter().fold(0.0, |end, length| end.max(4.0 * length)) }
    }

    /// The half window that a time lies in.
    fn of_time(&self, k: usize, time: f64) -> Option<usize> {
        (0..4).find(|&half| (half as f64 * self.lengths[k]..(half + 1) as f64 * self.lengths[k]).contains(&time))
    }

    fn add(&self, time: f64, purchases: &mut Purchases) {
        if time >= self.end {
            return;
        }
        for (k, counts) in purchases.iter_mut().enumerate() {
            if let Some(half) = self.of_time(k, time) {
                counts[half] += 1;
            }
        }
    }

    /// Days whose middle lies in a half window, at least 1.
    fn days(&self, k: usize, half: usize) -> f64 {
        let days = (0..self.end as usize + 1).filter(|&day| self.of_time(k, day as f64 + 0.5) == Some(half)).count();
        days.max(1) as f64
    }
}

/// Two windows of this length, unless too few customers are first seen in them.
fn opening_windows(first_seen: &[f64], length: f64) -> Option<OpeningWindows> {
    let mut bins = [0_u64; 2 * BINS];
    for time in first_seen {
        let bin = time / length * BINS as f64;
        if bin < bins.len() as f64 {
            bins[bin as usize] += 1;
        }
    }
    let (first, second) = (bins[..BINS].iter().sum(), bins[BINS..].iter().sum());
    // Differences of neighbours: a trend, which is what is looked for, hardly adds to them.
    let relative = |pair: &[u64]| {
        let (one, other) = (pair[0] as f64, pair[1] as f64);
        (one - other) * (one - other) / (one + other).max(1.0)
    };
    let dispersion = bins.windows(2).map(relative).sum::<f64>() / (2 * BINS - 1) as f64;
    let first_half = bins[..BINS / 2].iter().sum();
    (first + second >= FEWEST).then_some(OpeningWindows {
        length,
        first,
        second,
        dispersion: dispersion.max(1.0),
        first_half,
        daily_purchases: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_falls_are_by_hand() {
        // Per bin of a window of 6: 4 in the first window, 1 in the second; neighbours differ once, by 3.
        let times: Vec<f64> = (0..12).flat_map(|bin| vec![f64::from(bin) + 0.5; if bin < 6 { 4 } else { 1 }]).collect();
        let windows = opening_windows(&times, 6.0).unwrap();
        assert_eq!((windows.first, windows.second, windows.dispersion), (24, 6, 1.0));
        assert!((windows.fall() - 18.0 / 30.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(opening_windows(&times[..19], 6.0), None);
    }

    #[test]
    fn times_are_checked() {
        for (times, length) in [(&[1.0][..], 0.0), (&[1.0], f64::NAN), (&[-1.0], 10.0), (&[f64::NAN], 10.0)] {
            assert!(FirstSeenFlow::of(times, length).is_err());
        }
        let nobody = FirstSeenFlow::of(&[], 10.0).unwrap();
        assert!(nobody.p_steady() >= 1.0 && !nobody.starts_in_the_middle());
    }

    #[test]
    fn purchases_of_the_halves_by_hand_in_a_log_of_any_length() {
        // 52 days: the shortest windows are of one day, their halves of half a day, of which the middle is in the second.
        let halves = HalfWindows::of(52);
        let mut purchases = Purchases::default();
        for day in [0.5, 0.5, 1.5, 3.5, 7.5, 8.5] {
            halves.add(day, &mut purchases);
        }
        assert_eq!(purchases, [[0, 2, 0, 1], [2, 1, 0, 1], [3, 1, 0, 1]]);
        assert_eq!((halves.days(0, 0), halves.days(1, 0), halves.days(2, 3)), (1.0, 1.0, 2.0));
        // As many numbers for a log with a row of the year 1 among those of 2026.
        assert_eq!(size_of::<Purchases>(), 12 * size_of::<u64>());
        let dates: Vec<crate::time::Date> = ["0001-01-01", "2026-01-01", "2026-02-01"].iter().map(|date| date.parse().unwrap()).collect();
        let log = TransactionLog::from_columns(&["a", "b", "c"], &dates, &[1.0; 3]).unwrap();
        let flow = FirstSeenFlow::of_log(&log, &Observation::until(dates[2])).unwrap();
        assert!(flow.windows().is_empty() && !flow.starts_in_the_middle());
    }
}
