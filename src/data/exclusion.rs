//! Who was seen and has no row in the summary, and why.

use super::customers::Customers;

/// Why a customer is not in the summary.
///
/// ```
/// use clv::{Exclusion, Observation, TransactionLog};
///
/// let days = ["2026-01-05".parse()?, "2026-01-06".parse()?, "2026-01-07".parse()?];
/// let log = TransactionLog::from_columns(&["a", "a", "b"], &days, &[20.0, -20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?))?;
/// assert_eq!(customers.excluded().collect::<Vec<_>>(), [("a", Exclusion::NoPurchase)]);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// No purchase up to the observation end is left: all were refunded, or there were refunds only.
    NoPurchase,
    /// Acquired, but without a purchase so far.
    NotBoughtYet,
    /// All rows are dated after the observation end: at the end nobody knew of this customer.
    SeenAfterEnd,
}

#[cfg(feature = "cli")]
impl Exclusion {
    /// All of them.
    pub(crate) const ALL: [Exclusion; 3] = [Exclusion::NoPurchase, Exclusion::NotBoughtYet, Exclusion::SeenAfterEnd];
}

/// A customer without a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Excluded {
    pub(super) id: Box<str>,
    pub(super) why: Exclusion,
    /// What the rows after the observation end add up to.
    pub(super) revenue_after_end: f64,
}

impl Customers {
    /// Who has rows in the log, or a date of acquisition, and no row here, with the reason, in byte order of the ids when the customers come from a log.
    pub fn excluded(&self) -> impl ExactSizeIterator<Item = (&str, Exclusion)> {
        self.excluded.iter().map(|excluded| (&*excluded.id, excluded.why))
    }

    /// What those who are only seen after the observation end spend in the log: what is to come then, and no part of what was spent so far.
    ///
    /// ```
    /// use clv::{Exclusion, Observation, TransactionLog};
    ///
    /// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-04-01".parse()?], &[20.0, 30.0])?;
    /// let customers = log.summarize(&Observation::until("2026-03-02".parse()?))?;
    /// assert_eq!(customers.excluded().collect::<Vec<_>>(), [("b", Exclusion::SeenAfterEnd)]);
    /// assert_eq!(customers.excluded_revenue_after_end().collect::<Vec<_>>(), [30.0]);
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn excluded_revenue_after_end(&self) -> impl ExactSizeIterator<Item = f64> {
        self.excluded.iter().map(|excluded| excluded.revenue_after_end)
    }

    /// Adds a customer without a row.
    pub(crate) fn exclude(&mut self, id: &str, why: Exclusion, revenue_after_end: f64) {
        self.excluded.push(Excluded { id: id.into(), why, revenue_after_end });
    }
}
