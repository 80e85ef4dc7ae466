//! Where the scores of a batch go: columns of the caller, or a row for each.

use super::scorer::Score;
use crate::error::{Error, Result};

/// Columns for the scores of many customers, as in [`Score`]: those that are asked for.
///
/// Numbers that a [`Score`] may lack are NaN where it lacks them.
#[derive(Debug, Default)]
pub struct ScoreColumns<'a> {
    /// P(not dropped out at the observation end).
    pub p_alive: Option<&'a mut [f64]>,
    /// P(at least one purchase within the horizon).
    pub p_active: Option<&'a mut [f64]>,
    /// Expected number of purchases within the horizon; NaN for a lifetime in which they add up to no finite number.
    pub expected_purchases: Option<&'a mut [f64]>,
    /// Expected purchases within the horizon, discounted to the observation end.
    pub discounted_purchases: Option<&'a mut [f64]>,
    /// Expected spend of a purchase; NaN without a spend model, or where it has no mean.
    pub expected_average_spend: Option<&'a mut [f64]>,
    /// Margin x discounted purchases x expected spend, less the cost to serve; NaN where there is no expected spend.
    pub clv: Option<&'a mut [f64]>,
}

const NAMES: [&str; 6] = ["p_alive", "p_active", "expected_purchases", "discounted_purchases", "expected_average_spend", "clv"];

impl<'a> ScoreColumns<'a> {
    /// In the order of their names.
    fn into_array(self) -> [Option<&'a mut [f64]>; NAMES.len()] {
        let ScoreColumns { p_alive, p_active, expected_purchases, discounted_purchases, expected_average_spend, clv } = self;
        [p_alive, p_active, expected_purchases, discounted_purchases, expected_average_spend, clv]
    }

    fn from_array(columns: [Option<&'a mut [f64]>; NAMES.len()]) -> Self {
        let [p_alive, p_active, expected_purchases, discounted_purchases, expected_average_spend, clv] = columns;
        ScoreColumns { p_alive, p_active, expected_purchases, discounted_purchases, expected_average_spend, clv }
    }

    /// The same columns, when each has a place for every customer.
    pub(super) fn checked(self, customers: usize) -> Result<Self> {
        let columns = self.into_array();
        for (name, column) in NAMES.iter().zip(&columns) {
            if let Some(room) = column.as_ref().map(|column| column.len()).filter(|&room| room != customers) {
                return Err(Error::parameter(format!("the column {name} has room for {room} scores, and there are {customers} customers")));
            }
        }
        Ok(ScoreColumns::from_array(columns))
    }
}

/// What has to be worked out for the columns that are asked for, beside P(alive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) p_active: bool,
    pub(super) expected_purchases: bool,
    pub(super) discounted_purchases: bool,
    pub(super) spend: bool,
}

impl Asked {
    /// Whether something of the future is asked for.
    pub(super) fn any_future(self) -> bool {
        self.p_active || self.expected_purchases || self.discounted_purchases
    }

    pub(super) const ALL: Asked = Asked { p_active: true, expected_purchases: true, discounted_purchases: true, spend: true };
}

/// Takes the scores of customers by their rows.
pub(super) trait Sink: Send + Sized {
    /// What it has a place for.
    fn asked(&self) -> Asked;

    /// The part for the first so many rows, and the rest.
    fn split_at(self, rows: usize) -> (Self, Self);

    /// Puts the scores of so many rows from `first` on in their places: `score` has the number of a row among them.
    fn put(&mut self, first: usize, rows: usize, score: impl Fn(usize) -> Score);
}

impl Sink for ScoreColumns<'_> {
    fn asked(&self) -> Asked {
        Asked {
            p_active: self.p_active.is_some(),
            expected_purchases: self.expected_purchases.is_some(),
            discounted_purchases: self.discounted_purchases.is_some() || self.clv.is_some(),
            spend: self.expected_average_spend.is_some() || self.clv.is_some(),
        }
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (mut first, mut rest) = ([const { None }; NAMES.len()], [const { None }; NAMES.len()]);
        for (k, column) in self.into_array().into_iter().enumerate() {
            (first[k], rest[k]) = column.map(|column| column.split_at_mut(rows)).unzip();
        }
        (ScoreColumns::from_array(first), ScoreColumns::from_array(rest))
    }

    /// Column by column: of the scores the compiler leaves what the column takes.
    #[inline(always)]
    fn put(&mut self, first: usize, rows: usize, score: impl Fn(usize) -> Score) {
        fill(&mut self.p_alive, first, rows, |row| score(row).p_alive);
        fill(&mut self.p_active, first, rows, |row| score(row).p_active);
        fill(&mut self.expected_purchases, first, rows, |row| score(row).expected_purchases.unwrap_or(f64::NAN));
        fill(&mut self.discounted_purchases, first, rows, |row| score(row).discounted_purchases);
        fill(&mut self.expected_average_spend, first, rows, |row| score(row).expected_average_spend.unwrap_or(f64::NAN));
        fill(&mut self.clv, first, rows, |row| score(row).clv.unwrap_or(f64::NAN));
    }
}

/// Fills the places of so many rows from `first` on, if the column is there.
#[inline(always)]
fn fill(column: &mut Option<&mut [f64]>, first: usize, rows: usize, value: impl Fn(usize) -> f64) {
    if let Some(column) = column {
        column[first..first + rows].iter_mut().enumerate().for_each(|(row, place)| *place = value(row));
    }
}

impl Sink for &mut [Score] {
    fn asked(&self) -> Asked {
        Asked::ALL
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        self.split_at_mut(rows)
    }

    #[inline(always)]
    fn put(&mut self, first: usize, rows: usize, score: impl Fn(usize) -> Score) {
        self[first..first + rows].iter_mut().enumerate().for_each(|(row, place)| *place = score(row));
    }
}
