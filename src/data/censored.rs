//! Customers of whom less is known than every purchase time since the first: counted rows of one kind, with what they were measured in.

use std::collections::BTreeMap;
use std::fmt;

use super::customer::LARGEST_WEIGHT;
use super::history::History;
use super::spend_basis::SpendBasis;
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// What is known of a customer when it is less than a [`History`]: [`LeftTruncated`](crate::LeftTruncated), [`PeriodCounts`](crate::PeriodCounts) or
/// a [`CrossSection`](crate::CrossSection).
pub trait Censored: Copy + PartialEq + fmt::Debug + Send + Sync {
    /// What rows are told apart by: those with the same numbers count as one. These are what a likelihood depends on and what it takes to draw such a customer anew; the first is the
    /// number of purchases.
    fn key(&self) -> [f64; 6];

    /// The part of ln L that no parameter moves: of counts, the combinatorial constant that makes it the probability of the counts. It is not part of
    /// the [`key`](Self::key).
    fn ln_constant(&self) -> f64 {
        0.0
    }

    /// A history much like it, from which a fit takes its start values and its scale of time. No estimate depends on it.
    fn approximately(&self) -> History;

    /// The row in words, for a message.
    fn describe(&self) -> String;

    /// Checks that rows of this kind, taken together, can tell purchase rates from dropout at all.
    ///
    /// # Errors
    /// When they cannot, whatever the customers do.
    fn check<'a>(rows: impl Iterator<Item = &'a Self>) -> Result<()>
    where
        Self: 'a,
    {
        let _ = rows;
        Ok(())
    }

    /// The number under which other rows may count the same customers; `None` when it is not known which do.
    fn group(&self) -> Option<u32> {
        None
    }

    /// Whether several of the rows are known to count the same customers.
    fn shares_customers<'a>(rows: impl Iterator<Item = &'a Self>) -> bool
    where
        Self: 'a,
    {
        let _ = rows;
        false
    }

    /// What a fitted likelihood, as ln L of a row, makes doubtful about rows of this kind with these weights, in words.
    fn doubt<'a>(rows: impl Iterator<Item = (&'a Self, f64)>, ln_likelihood: impl Fn(&Self) -> f64) -> Option<String>
    where
        Self: 'a,
    {
        let _ = (rows, ln_likelihood);
        None
    }

    /// What the standard errors of a fit to these rows leave out, in words.
    fn understates<'a>(rows: impl Iterator<Item = &'a Self>) -> Option<&'static str>
    where
        Self: 'a,
    {
        let _ = rows;
        None
    }
}

/// Customers known in one way `D`: the input of a fit by a likelihood of its own.
///
/// ```
/// use clv::{CensoredCustomers, EveryCustomer, History, LeftTruncated, TimeUnit};
///
/// // Born 30 weeks before the log, seen for its 52 weeks: three purchases, the last one in week 40.
/// let mut customers = CensoredCustomers::<LeftTruncated<EveryCustomer>>::new(TimeUnit::Week);
/// customers.push(LeftTruncated::born_before(30.0, History::new(3, 40.0, 52.0)?)?, 1.0)?;
/// assert_eq!((customers.len(), customers.row(0).before()), (1, 30.0));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CensoredCustomers<D> {
    unit: TimeUnit,
    observation_end: Option<Date>,
    rows: Vec<D>,
    weight: Vec<f64>,
    /// The rows of each [`group`](Censored::group): what a row may contradict are those of its own.
    groups: BTreeMap<u32, Vec<usize>>,
}

impl<D: Censored> CensoredCustomers<D> {
    /// No customer yet, times in `unit`.
    #[must_use]
    pub fn new(unit: TimeUnit) -> Self {
        CensoredCustomers { unit, observation_end: None, rows: Vec::new(), weight: Vec::new(), groups: BTreeMap::new() }
    }

    /// Names the day up to which the customers were observed.
    #[must_use]
    pub fn observed_until(mut self, end: Date) -> Self {
        self.observation_end = Some(end);
        self
    }

    /// Adds a row that stands for `weight` customers.
    ///
    /// # Errors
    /// When the weight is not a positive number.
    pub fn push(&mut self, row: D, weight: f64) -> Result<()> {
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(Error::data(format!("weight {weight} must be a positive number, at most {LARGEST_WEIGHT:e}"))
                .at(format!("row {}", self.len() + 1)));
        }
        if let Some(group) = row.group() {
            self.groups.entry(group).or_default().push(self.rows.len());
        }
        self.rows.push(row);
        self.weight.push(weight);
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Row `index`.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> &D {
        &self.rows[index]
    }

    /// The rows with the number of customers that each stands for.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&D, f64)> {
        self.rows.iter().zip(self.weight.iter().copied())
    }

    /// Those of one [`group`](Censored::group) alone.
    pub(super) fn rows_of(&self, group: u32) -> impl Iterator<Item = (&D, f64)> {
        self.groups.get(&group).into_iter().flatten().map(|&index| (&self.rows[index], self.weight[index]))
    }

    /// The unit of all times.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// The last day observed, when it is known.
    #[must_use]
    pub fn observation_end(&self) -> Option<Date> {
        self.observation_end
    }

    /// No spend is known of such customers: the basis is the field's convention.
    pub(crate) fn spend_basis(&self) -> SpendBasis {
        SpendBasis::default()
    }
}
