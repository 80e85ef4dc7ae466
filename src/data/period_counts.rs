//! Customers of whom only the number of purchases per period is known: monthly aggregates, or days withheld for privacy.

use super::censored::Censored;
use super::history::History;
use crate::error::{Error, Result};
use crate::numeric::rising::ln_rising;

/// Repeat purchases per period since birth. Periods follow each other without a gap, of any lengths.
///
/// A likelihood depends on them through five numbers: the number of purchases, the last period that has one (its start, end and count), and the age. What else is kept is
/// [`regular_ends`](Self::regular_ends), to count such customers anew.
///
/// ```
/// use clv::PeriodCounts;
///
/// // A month and a half since the first purchase, then three months: 2 purchases, 0, 1, 0.
/// let customer = PeriodCounts::new(&[6.0, 10.0, 14.5, 19.0], &[2, 0, 1, 0])?;
/// assert_eq!((customer.frequency(), customer.last_period(), customer.age()), (3, (10.0, 14.5, 1), 19.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodCounts {
    x: u32,
    /// x_j, 0 without a purchase.
    last_count: u32,
    /// T_(j-1) and T_j, both 0 without a purchase.
    start: f64,
    end: f64,
    /// T
    t_cal: f64,
    /// The length of the periods where all have one, but for the first, which may be shorter; 0 otherwise.
    regular: f64,
    /// The sum over the periods of x_k ln D_k - ln x_k!
    ln_constant: f64,
}

impl PeriodCounts {
    /// A customer at the moment of the first purchase.
    pub(super) const NEW_BORN: PeriodCounts =
        PeriodCounts { x: 0, last_count: 0, start: 0.0, end: 0.0, t_cal: 0.0, regular: 0.0, ln_constant: 0.0 };

    /// Counts of repeat purchases in the periods that end at `ends`, measured from the first purchase.
    ///
    /// # Errors
    /// When there is no period, not one count for each, an end that is not later than the one before, or more purchases than a `u32` holds.
    pub fn new(ends: &[f64], counts: &[u32]) -> Result<Self> {
        if ends.is_empty() || ends.len() != counts.len() {
            return Err(Error::data(format!(
                "{} counts for {} periods; each period has one, and there is at least one",
                counts.len(),
                ends.len()
            )));
        }
        let mut row = PeriodCounts { regular: regular_length(ends), ..PeriodCounts::NEW_BORN };
        for (period, (&end, &count)) in ends.iter().zip(counts).enumerate() {
            if !(end > row.t_cal && end <= 1e100) {
                return Err(Error::data(format!(
                    "period {} ends at {end}, the one before at {}; ends are finite times since the first purchase, each later than the last",
                    period + 1,
                    row.t_cal
                )));
            }
            if count > 0 {
                let total = row.x.checked_add(count);
                row.x = total.ok_or_else(|| Error::data(format!("more than {} purchases of one customer", u32::MAX)))?;
                (row.last_count, row.start, row.end) = (count, row.t_cal, end);
                row.ln_constant += f64::from(count) * (end - row.t_cal).ln() - ln_rising(1.0, f64::from(count)).value;
            }
            row.t_cal = end;
        }
        Ok(row)
    }

    /// x: the number of repeat purchases.
    #[must_use]
    pub fn frequency(&self) -> u32 {
        self.x
    }

    /// (start, end, count) of the last period that has a purchase; zeros when none has.
    #[must_use]
    pub fn last_period(&self) -> (f64, f64, u32) {
        (self.start, self.end, self.last_count)
    }

    /// T: the end of the last period.
    #[must_use]
    pub fn age(&self) -> f64 {
        self.t_cal
    }

    /// The ends of the periods, where all are of one length, but for the first, which may be shorter. Those of other periods are not kept.
    ///
    /// ```
    /// use clv::PeriodCounts;
    ///
    /// assert_eq!(PeriodCounts::new(&[2.0, 6.0, 10.0], &[0, 0, 1])?.regular_ends(), Some(vec![2.0, 6.0, 10.0]));
    /// assert_eq!(PeriodCounts::new(&[2.0, 6.5, 10.0], &[0, 0, 1])?.regular_ends(), None);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn regular_ends(&self) -> Option<Vec<f64>> {
        let periods = (self.t_cal / self.regular * (1.0 - SAME)).ceil();
        let end = |left: u32| self.t_cal - f64::from(left) * self.regular;
        (self.regular > 0.0 && periods <= MOST_PERIODS).then(|| (0..periods as u32).rev().map(end).collect())
    }
}

/// Times or lengths that differ by no more than this share of theirs are one: they are sums and differences of rounded ones.
pub(super) const SAME: f64 = 1e-9;

/// Nobody counts in more periods.
const MOST_PERIODS: f64 = 1e5;

/// The length of periods with these ends, 0 where they have several.
fn regular_length(ends: &[f64]) -> f64 {
    let length = match ends {
        [.., before, last] => last - before,
        _ => ends[0],
    };
    let is_length = |pair: &[f64]| (pair[1] - pair[0] - length).abs() <= SAME * length;
    // The first may be shorter. It is what is left of the age, and has the rounding of all the others.
    let regular = ends.windows(2).all(is_length) && ends[0] <= length + SAME * ends[ends.len() - 1];
    if regular { rounded(length) } else { 0.0 }
}

/// To 30 binary digits, well within [`SAME`]: periods of one length make one row, whatever times they are the difference of.
fn rounded(length: f64) -> f64 {
    const LEFT_OUT: u32 = f64::MANTISSA_DIGITS - 30;
    f64::from_bits((length.to_bits() + (1 << (LEFT_OUT - 1))) >> LEFT_OUT << LEFT_OUT)
}

impl Censored for PeriodCounts {
    fn key(&self) -> [f64; 6] {
        [f64::from(self.x), self.t_cal, self.end, self.start, f64::from(self.last_count), self.regular]
    }

    fn ln_constant(&self) -> f64 {
        self.ln_constant
    }

    fn approximately(&self) -> History {
        History::after_checks(self.x, 0.5 * (self.start + self.end), self.t_cal)
    }

    fn describe(&self) -> String {
        let &PeriodCounts { x, last_count, start, end, t_cal, .. } = self;
        format!("{x} repeat purchases, the last {last_count} between {start:.1} and {end:.1} after the first, of an age of {t_cal:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A month in weeks, which no double is.
    const MONTH: f64 = 30.4375 / 7.0;

    #[test]
    fn ends_worked_out_in_another_way_make_the_same_row() {
        let up: Vec<f64> = (1..=22).map(|k| f64::from(k) * MONTH).collect();
        let down: Vec<f64> = (0..22).rev().map(|k| up[21] - f64::from(k) * MONTH).collect();
        assert!(up[21] - up[20] != down[21] - down[20], "the lengths differ in no digit");
        let (one, other) = (PeriodCounts::new(&up, &[0; 22]).unwrap(), PeriodCounts::new(&down, &[0; 22]).unwrap());
        assert_eq!(one.key(), other.key());
        let again = one.regular_ends().unwrap();
        assert_eq!(again.len(), 22);
        assert!(again.iter().zip(&up).all(|(again, end)| (again - end).abs() <= SAME * up[21]));
        assert_eq!(PeriodCounts::new(&again, &[0; 22]).unwrap().key(), one.key());
    }

    #[test]
    fn lengths_are_the_same_by_their_own_measure() {
        // Within a billionth of the age, and not within one of the length.
        let ends: Vec<f64> = (0..1_000).map(|k| f64::from(k) + if k == 500 { 1.0 + 1e-7 } else { 1.0 }).collect();
        assert_eq!(PeriodCounts::new(&ends, &[0; 1_000]).unwrap().regular_ends(), None);
    }
}
