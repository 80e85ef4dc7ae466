//! What is known of the births of the customers of a summary, and what their rows then say.

use std::borrow::Cow;

use super::acquisition::{Birth, BirthCounts};
use super::censored::CensoredCustomers;
use super::customers::Customers;
use super::history::History;
use super::left_truncated::{CustomerList, LeftTruncated};
use crate::error::{Error, Result};

impl Customers {
    /// What is known of the birth of row `index`.
    #[must_use]
    pub fn birth(&self, index: usize) -> Birth {
        self.births.get(index).copied().unwrap_or_default()
    }

    /// The purchases of row `index` in the log: x + 1 with the first one, by which a customer is born, and x of those born before the log.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn purchases_in_log(&self, index: usize) -> u64 {
        let first = u64::from(!matches!(self.birth(index), Birth::Before(_)));
        u64::from(self.frequency[index]) + first
    }

    /// Whether some customer is born before the log, or at an unknown time.
    #[must_use]
    pub fn has_births(&self) -> bool {
        self.births.iter().any(|birth| *birth != Birth::InLog)
    }

    /// Whether some customer is known to be born before the log.
    #[must_use]
    pub fn has_born_before(&self) -> bool {
        self.births.iter().any(|birth| matches!(birth, Birth::Before(_)))
    }

    /// Whether some customer who is known to be born before the log bought nothing during it: the list then holds everybody, not only those seen.
    #[must_use]
    pub fn has_silent(&self) -> bool {
        (0..self.births.len()).any(|row| self.frequency[row] == 0 && matches!(self.births[row], Birth::Before(_)))
    }

    /// Customers and their spend, by what is known of their birth.
    #[must_use]
    pub fn births(&self) -> BirthCounts {
        let mut counts = BirthCounts::default();
        for row in 0..self.len() {
            let group = match self.birth(row) {
                Birth::InLog => &mut counts.in_log,
                Birth::Before(_) => &mut counts.before,
                Birth::Unknown => &mut counts.unknown,
            };
            group.add(1, self.purchases.get(row).map_or(0.0, |record| record.total_spend));
        }
        counts
    }

    /// The time in which purchases of row `index` could be seen: the age, less what of it lies before the log.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn exposure(&self, index: usize) -> f64 {
        match self.birth(index) {
            Birth::Before(w) => self.age[index] - w,
            Birth::InLog | Birth::Unknown => self.age[index],
        }
    }

    /// What the log alone holds of row `index`, with the time from birth to its start.
    ///
    /// # Errors
    /// When the time of birth is not known, or the row cannot be on a list of kind `L`.
    pub fn left_truncated_row<L: CustomerList>(&self, index: usize) -> Result<LeftTruncated<L>> {
        let history = self.history(index);
        match self.birth(index) {
            Birth::InLog => Ok(LeftTruncated::born_within(history)),
            Birth::Before(w) => {
                // Rounding must not carry the last purchase past the end.
                let end = (history.age() - w).max(0.0);
                let last = if history.frequency() > 0 { (history.recency() - w).clamp(0.0, end) } else { 0.0 };
                LeftTruncated::born_before(w, History::new(history.frequency(), last, end)?)
            }
            Birth::Unknown => Err(Error::data(format!(
                "it is not known when customer {:?} was acquired; no likelihood can be written for such customers: leave them out (of_known_birth)",
                self.id(index)
            ))),
        }
    }

    /// The customers as a likelihood for a log that starts after some of them were born wants them.
    ///
    /// # Errors
    /// When the time of birth of some is not known, or a silent customer is put on a list of those seen.
    pub fn left_truncated<L: CustomerList>(&self) -> Result<CensoredCustomers<LeftTruncated<L>>> {
        let mut rows = CensoredCustomers::new(self.unit);
        if let Some(end) = self.observation_end {
            rows = rows.observed_until(end);
        }
        for index in 0..self.len() {
            rows.push(self.left_truncated_row(index)?, self.weight(index))?;
        }
        Ok(rows)
    }

    /// The customers whose time of birth is known: those that models are fitted to.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_known_birth(&self) -> Result<Cow<'_, Customers>> {
        if !self.births.contains(&Birth::Unknown) {
            return Ok(Cow::Borrowed(self));
        }
        let known = self.where_birth(|birth| birth != Birth::Unknown)?;
        if known.is_empty() {
            return Err(Error::data("of no customer it is known when they were acquired; take a shorter run-in"));
        }
        Ok(Cow::Owned(known))
    }

    /// The rows with such births.
    pub(crate) fn where_birth(&self, chosen: impl Fn(Birth) -> bool) -> Result<Customers> {
        self.where_row(|row| chosen(self.birth(row)))
    }

    pub(super) fn with_births(mut self, births: Vec<Birth>) -> Self {
        debug_assert!(births.len() == self.len());
        self.births = births;
        self
    }
}
