//! Histories and average spends of many customers: columns that stay the caller's, checked once.

use std::ops::Range;

use ndarray::ArrayView1;

use super::history::{History, SpendHistory};
use super::spend_basis::SpendBasis;
use crate::error::{Error, Result};

/// (x, t_x, T) of many customers in borrowed columns, every row checked by the rules of [`History`].
///
/// ```
/// use clv::{BgNbd, BgNbdParams, Histories, PurchaseModel};
///
/// let histories = Histories::new(&[0, 2], &[0.0, 30.43], &[38.86, 38.86])?;
/// let model = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let mut p_alive = [0.0; 2];
/// model.p_alive_column(&histories, &mut p_alive);
/// assert_eq!(p_alive, [1.0, model.p_alive(&histories.get(1))]);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Histories<'a> {
    frequency: &'a [u32],
    recency: &'a [f64],
    age: &'a [f64],
}

impl<'a> Histories<'a> {
    /// Columns of equal length: repeat purchases, and the times of the last one and of the observation end since the first purchase, in the unit of the model.
    ///
    /// # Errors
    /// When the columns differ in length, or a row breaks a rule of [`History::new`]; the row is named, counted from 0.
    pub fn new(frequency: &'a [u32], recency: &'a [f64], age: &'a [f64]) -> Result<Self> {
        same_length("frequency", frequency.len(), "recency", recency.len())?;
        same_length("frequency", frequency.len(), "age", age.len())?;
        for (row, ((&x, &t_x), &t_cal)) in frequency.iter().zip(recency).zip(age).enumerate() {
            History::new(x, t_x, t_cal).map_err(|error| error.at(format!("row {row}")))?;
        }
        Ok(Histories { frequency, recency, age })
    }

    /// The same from views of arrays.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and when the values of a view do not lie one after the other in memory: a column of a matrix in row order does not.
    pub fn from_views(frequency: ArrayView1<'a, u32>, recency: ArrayView1<'a, f64>, age: ArrayView1<'a, f64>) -> Result<Self> {
        Histories::new(in_a_row("frequency", frequency)?, in_a_row("recency", recency)?, in_a_row("age", age)?)
    }

    /// Columns whose rows have been checked.
    pub(super) fn of_valid(frequency: &'a [u32], recency: &'a [f64], age: &'a [f64]) -> Self {
        Histories { frequency, recency, age }
    }

    /// The number of customers.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether there is no customer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// One customer's history.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> History {
        History::after_checks(self.frequency[row], self.recency[row], self.age[row])
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn rows(&self, rows: Range<usize>) -> Histories<'a> {
        Histories { frequency: &self.frequency[rows.clone()], recency: &self.recency[rows.clone()], age: &self.age[rows] }
    }

    /// x of every row.
    #[must_use]
    #[inline]
    pub fn frequency(&self) -> &'a [u32] {
        self.frequency
    }

    /// t_x of every row.
    #[must_use]
    #[inline]
    pub fn recency(&self) -> &'a [f64] {
        self.recency
    }

    /// T of every row.
    #[must_use]
    #[inline]
    pub fn age(&self) -> &'a [f64] {
        self.age
    }
}

/// What many customers spent, in borrowed columns, every row checked by the rules of [`SpendHistory`].
///
/// ```
/// use clv::{SpendBasis, SpendHistory, Spends};
///
/// let spends = Spends::new(&[0, 2], &[0.0, 22.35], SpendBasis::RepeatPurchases)?;
/// assert_eq!((spends.get(0), spends.get(1)), (SpendHistory::UNKNOWN, SpendHistory::new(2, 22.35)?));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Spends<'a> {
    frequency: &'a [u32],
    average_spend: &'a [f64],
    basis: SpendBasis,
}

impl<'a> Spends<'a> {
    /// Nothing is known of what anybody spent, however many customers there are.
    pub const UNKNOWN: Spends<'static> = Spends { frequency: &[], average_spend: &[], basis: SpendBasis::RepeatPurchases };

    /// Columns of equal length: repeat purchases, and the mean spend of the purchases that `basis` names, 0 where there is none of them.
    ///
    /// # Errors
    /// When the columns differ in length, or a row breaks a rule of [`SpendHistory::new`]; the row is named, counted from 0.
    pub fn new(frequency: &'a [u32], average_spend: &'a [f64], basis: SpendBasis) -> Result<Self> {
        same_length("frequency", frequency.len(), "average_spend", average_spend.len())?;
        for (row, (&x, &mean)) in frequency.iter().zip(average_spend).enumerate() {
            SpendHistory::new(basis.purchases(x), mean).map_err(|error| error.at(format!("row {row}")))?;
        }
        Ok(Spends { frequency, average_spend, basis })
    }

    /// The same from views of arrays.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and when the values of a view do not lie one after the other in memory.
    pub fn from_views(frequency: ArrayView1<'a, u32>, average_spend: ArrayView1<'a, f64>, basis: SpendBasis) -> Result<Self> {
        Spends::new(in_a_row("frequency", frequency)?, in_a_row("average_spend", average_spend)?, basis)
    }

    /// Columns whose rows have been checked.
    pub(super) fn of_valid(frequency: &'a [u32], average_spend: &'a [f64], basis: SpendBasis) -> Self {
        Spends { frequency, average_spend, basis }
    }

    /// The number of customers; 0 for [`UNKNOWN`](Self::UNKNOWN).
    #[must_use]
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether nothing is known of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// Which purchases the means are over.
    #[must_use]
    pub fn basis(&self) -> SpendBasis {
        self.basis
    }

    /// What one customer spent; nothing is known of it beyond the last row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> SpendHistory {
        match (self.frequency.get(row), self.average_spend.get(row)) {
            (Some(&x), Some(&mean)) => SpendHistory::of_valid(self.basis.purchases(x), mean),
            _ => SpendHistory::UNKNOWN,
        }
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// When there are not so many, unless nothing is known of anybody.
    #[must_use]
    pub fn rows(&self, rows: Range<usize>) -> Spends<'a> {
        if self.is_empty() {
            return Spends::UNKNOWN;
        }
        Spends { frequency: &self.frequency[rows.clone()], average_spend: &self.average_spend[rows], ..*self }
    }
}

fn same_length(one: &str, length: usize, other: &str, other_length: usize) -> Result<()> {
    if length == other_length {
        return Ok(());
    }
    Err(Error::data(format!("column {one} has {length} rows and column {other} {other_length}; they need one value per customer")))
}

fn in_a_row<'a, T>(column: &str, view: ArrayView1<'a, T>) -> Result<&'a [T]> {
    view.to_slice().ok_or_else(|| {
        Error::data(format!("the values of column {column} do not lie one after the other in memory; copy them into an array of their own"))
    })
}
