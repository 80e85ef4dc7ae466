//! What the models know of one customer: when they bought, and how much they spent.

use crate::error::{Error, Result};

/// A customer's purchase history (x, t_x, T): all that the purchase models look at.
///
/// - `frequency`, x: the number of *repeat* purchases, those after the first;
/// - `recency`, t_x: time from the first purchase to the last (0 when x = 0). It is *not* the time since the last purchase;
/// - `age`, T: time from the first purchase to the observation end.
///
/// Both times are in the unit of the model, and 0 <= t_x <= T.
///
/// ```
/// use clv::History;
///
/// let history = History::new(2, 30.43, 38.86)?;
/// assert_eq!((history.frequency(), history.recency(), history.age()), (2, 30.43, 38.86));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    x: u32,
    t_x: f64,
    t_cal: f64,
}

impl History {
    /// A customer at the moment of the first purchase: x = t_x = T = 0.
    pub const NEW_CUSTOMER: History = History { x: 0, t_x: 0.0, t_cal: 0.0 };

    /// The same customer, had they bought nothing.
    pub(crate) fn without_purchases(&self) -> Self {
        History { x: 0, t_x: 0.0, ..*self }
    }

    /// A history of `frequency` repeat purchases, the last one at `recency`, seen up to `age`.
    ///
    /// # Errors
    /// When a time is negative, infinite or no number, when recency exceeds age, or when there is a recency without a repeat purchase.
    pub fn new(frequency: u32, recency: f64, age: f64) -> Result<Self> {
        for (name, value) in [("recency", recency), ("age", age)] {
            // Beyond, the squares of times overflow.
            if !(0.0..=1e100).contains(&value) {
                return Err(Error::data(format!("{name} {value} must be a finite length of time of at least 0, at most 1e100")));
            }
        }
        if recency > age {
            return Err(Error::data(format!(
                "recency {recency} exceeds age {age}; recency is measured from the first purchase to the last, age to the observation end"
            )));
        }
        if frequency == 0 && recency > 0.0 {
            return Err(Error::data(format!(
                "recency {recency} with frequency 0; frequency counts repeat purchases, and without one recency is 0"
            )));
        }
        Ok(History { x: frequency, t_x: recency, t_cal: age })
    }

    /// A history of which the rules are known to hold.
    #[inline]
    pub(crate) fn after_checks(x: u32, t_x: f64, t_cal: f64) -> Self {
        debug_assert!(History::new(x, t_x, t_cal).is_ok());
        History { x, t_x, t_cal }
    }

    /// x: the number of repeat purchases.
    #[must_use]
    #[inline]
    pub fn frequency(&self) -> u32 {
        self.x
    }

    /// t_x: time from the first purchase to the last.
    #[must_use]
    #[inline]
    pub fn recency(&self) -> f64 {
        self.t_x
    }

    /// T: time from the first purchase to the observation end.
    #[must_use]
    #[inline]
    pub fn age(&self) -> f64 {
        self.t_cal
    }
}

/// What a customer spent: the mean of so many purchases. All that the Gamma-Gamma model looks at.
///
/// ```
/// use clv::SpendHistory;
///
/// let spend = SpendHistory::new(2, 22.35)?;
/// assert_eq!((spend.purchases(), spend.mean()), (2, 22.35));
/// assert_eq!(SpendHistory::new(3, 0.0)?, SpendHistory::UNKNOWN);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendHistory {
    purchases: u32,
    mean: f64,
}

impl SpendHistory {
    /// Nothing is known of this customer's spend: no purchase counts towards the mean.
    pub const UNKNOWN: SpendHistory = SpendHistory { purchases: 0, mean: 0.0 };

    /// A mean spend over a number of purchases. Purchases that were all free say nothing of a price: a mean of 0 is [`UNKNOWN`](Self::UNKNOWN).
    ///
    /// # Errors
    /// When the mean is negative, infinite or no number, or positive without a purchase.
    pub fn new(purchases: u32, mean: f64) -> Result<Self> {
        if !(mean >= 0.0 && mean.is_finite()) {
            return Err(Error::data(format!("average spend {mean} must be a finite amount of at least 0; net refunds before averaging")));
        }
        if mean > 0.0 && !(1e-280..=1e280).contains(&mean) {
            return Err(Error::data(format!(
                "average spend {mean:e} lies outside 1e-280 to 1e280; choose a unit of money in which it does not"
            )));
        }
        if mean > 0.0 && purchases == 0 {
            return Err(Error::data(format!(
                "average spend {mean} without a purchase; it is the mean of the repeat purchases, 0 when there is none"
            )));
        }
        Ok(SpendHistory::of_valid(purchases, mean))
    }

    /// A spend that was checked when it was put where it comes from.
    #[inline]
    pub(super) fn of_valid(purchases: u32, mean: f64) -> Self {
        if mean > 0.0 { SpendHistory { purchases, mean } } else { SpendHistory::UNKNOWN }
    }

    /// The number of purchases behind the mean.
    #[must_use]
    #[inline]
    pub fn purchases(&self) -> u32 {
        self.purchases
    }

    /// The mean spend of a purchase.
    #[must_use]
    #[inline]
    pub fn mean(&self) -> f64 {
        self.mean
    }
}
