//! Customers whose birth, the first purchase, is known and lies before the log: what they bought in between is not.

use std::fmt;
use std::marker::PhantomData;

use super::censored::Censored;
use super::history::History;
use crate::error::{Error, Result};

/// Whom a list of customers holds. It decides what a silent customer means, so it is a type: [`EveryCustomer`] or [`OnlySeen`].
///
/// ```
/// use clv::{CensoredLikelihood, EveryCustomer, History, LeftTruncated, OnlySeen, ParetoNbd, ParetoNbdParams};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let (buyer, silent) = (History::new(3, 40.0, 52.0)?, History::new(0, 0.0, 52.0)?);
/// let of_all = model.censored_ln_likelihood(&LeftTruncated::<EveryCustomer>::born_before(30.0, buyer)?);
/// let of_seen = model.censored_ln_likelihood(&LeftTruncated::<OnlySeen>::born_before(30.0, buyer)?);
/// // On a list of those seen a purchase is a condition: the likelihood is divided by the probability of one.
/// let p_silent = model.censored_ln_likelihood(&LeftTruncated::<EveryCustomer>::born_before(30.0, silent)?).exp();
/// assert!((of_all - of_seen - (1.0 - p_silent).ln()).abs() < 1e-12);
/// # Ok::<(), clv::Error>(())
/// ```
pub trait CustomerList: Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// Whether customers born before the log are on the list because they bought during it, and would otherwise be missing.
    const ONLY_SEEN: bool;
}

/// The list holds all customers ever acquired, those who bought nothing during the log included: a customer file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EveryCustomer {}

impl CustomerList for EveryCustomer {
    const ONLY_SEEN: bool = false;
}

/// The list holds those who bought during the log: birth dates were looked up for the customers of a transaction log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlySeen {}

impl CustomerList for OnlySeen {
    const ONLY_SEEN: bool = true;
}

/// A customer of a log that starts after some of them were acquired, on a list of kind `L`.
///
/// Two clocks: the customer's age runs from birth, and dropout with it; purchases are seen only from the start of the log on.
///
/// ```
/// use clv::{EveryCustomer, History, LeftTruncated, OnlySeen};
///
/// let silent = History::new(0, 0.0, 52.0)?;
/// assert!(LeftTruncated::<EveryCustomer>::born_before(30.0, silent).is_ok());
/// assert!(LeftTruncated::<OnlySeen>::born_before(30.0, silent).is_err());    // such a customer is not on the list
/// assert!(!LeftTruncated::<OnlySeen>::born_within(silent).is_selected());    // the first purchase was seen
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeftTruncated<L> {
    /// w, 0 for a customer born within the log.
    before: f64,
    history: History,
    list: PhantomData<L>,
}

impl<L: CustomerList> LeftTruncated<L> {
    /// A customer born a time `before` the start of the log. The history is that of the log alone: x counts *all* purchases in it (the first one of all was
    /// earlier), t_x is the time of the last from the start of the log, 0 when there is none, and the age is the length of the log.
    ///
    /// # Errors
    /// When `before` is not a positive finite length of time, or when a customer who bought nothing, or the log of no length, is put on a list of those seen.
    pub fn born_before(before: f64, history: History) -> Result<Self> {
        // Beyond, the squares of times overflow, or chances vanish.
        if !(1e-100..=1e100).contains(&before) {
            return Err(Error::data(format!(
                "a birth {before} before the log must be a positive length of time, from 1e-100 to 1e100; customers born within it have no such time"
            )));
        }
        if L::ONLY_SEEN && history.age() < 1e-100 {
            return Err(Error::data("nobody is seen in a log of no length"));
        }
        if L::ONLY_SEEN && history.frequency() == 0 {
            return Err(Error::data(format!(
                "a customer born {before} before the log who bought nothing during it can not be on a list of customers seen in the log; take the list \
                 as one of every customer"
            )));
        }
        Ok(LeftTruncated { before, history, list: PhantomData })
    }

    /// A customer whose first purchase lies within the log: an ordinary history from it. On the list whatever happens later.
    #[must_use]
    pub fn born_within(history: History) -> Self {
        LeftTruncated { before: 0.0, history, list: PhantomData }
    }

    /// w: the time from birth to the start of the log, 0 for a customer born within it.
    #[must_use]
    pub fn before(&self) -> f64 {
        self.before
    }

    /// (x, t_x, C): what the log holds.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Whether the customer would be missing from the list if they had bought nothing.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        L::ONLY_SEEN && self.before > 0.0
    }
}

impl<L: CustomerList> Censored for LeftTruncated<L> {
    fn key(&self) -> [f64; 6] {
        [f64::from(self.history.frequency()), self.before, self.history.age(), self.history.recency(), 0.0, 0.0]
    }

    fn approximately(&self) -> History {
        self.history
    }

    /// Whether so few were silent that the list can hardly be one of every customer.
    fn doubt<'a>(rows: impl Iterator<Item = (&'a Self, f64)>, ln_likelihood: impl Fn(&Self) -> f64) -> Option<String>
    where
        Self: 'a,
    {
        /// Standard deviations, of a sum over customers whose chances are estimated.
        const FAR: f64 = 6.0;
        let (mut silent, mut expected, mut variance) = (0.0, 0.0, 0.0);
        for (row, weight) in rows.filter(|(row, _)| !L::ONLY_SEEN && row.before > 0.0) {
            let nothing = LeftTruncated { history: row.history.without_purchases(), ..*row };
            let chance = ln_likelihood(&nothing).exp();
            silent += if row.history.frequency() == 0 { weight } else { 0.0 };
            expected += weight * chance;
            variance += weight * chance * (1.0 - chance);
        }
        (silent < expected - FAR * variance.sqrt()).then(|| {
            format!(
                "by this fit some {expected:.0} of those acquired before the log would have bought nothing during it, and {silent} did: dates of everybody ever acquired are \
                 expected to have more who were silent; if these are the dates of customers who were seen, leave out those who were not, or the fit takes far too \
                 few for gone"
            )
        })
    }

    fn describe(&self) -> String {
        let (x, t_x, c) = (self.history.frequency(), self.history.recency(), self.history.age());
        format!("{x} purchases, the last one {t_x:.1} after the start, seen for {c:.1}, born {:.1} before", self.before)
    }
}
