//! One row on its way into a summary, and what only a log knows of it.

use super::history::History;
use crate::time::Moment;

/// Customers behind one row that still add up without losing the others.
pub(crate) const LARGEST_WEIGHT: f64 = 1e15;

/// One row on its way into [`Customers`](crate::Customers).
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    /// The id, as text: leading zeros matter.
    pub id: &'a str,
    /// (x, t_x, T) in the unit of the summary.
    pub history: History,
    /// m_x: the mean spend of a purchase, 0 when no purchase counts towards it.
    pub average_spend: f64,
    /// How many customers this row stands for, 1 for one.
    pub weight: f64,
    /// What only a transaction log knows.
    pub purchases: Option<PurchaseRecord>,
}

/// What only a transaction log knows of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseRecord {
    /// When the first purchase was made.
    pub first: Moment,
    /// When the last purchase was made.
    pub last: Moment,
    /// The sum of all purchases, the first included, refunds netted by the policy.
    pub total_spend: f64,
}
