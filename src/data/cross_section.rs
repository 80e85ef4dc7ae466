//! Repeated cross-sections: per cohort and period only how many customers bought how often, without a row per customer.

use super::censored::{Censored, CensoredCustomers};
use super::history::History;
use crate::error::{Error, Result};
use crate::numeric::rising::ln_rising;

/// One cell of a histogram: customers of one age who bought a number of times during a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSection {
    purchases: u32,
    /// Whether more purchases fall into the cell, too.
    or_more: bool,
    /// t and d
    since: f64,
    length: f64,
}

/// What the last cell of a histogram holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastCell {
    /// Those who bought exactly so often: nobody bought more.
    Exactly,
    /// Those who bought so often or more.
    OrMore,
}

impl CrossSection {
    /// The number of purchases of the cell; the smallest one when [`is_open`](Self::is_open).
    #[must_use]
    pub fn purchases(&self) -> u32 {
        self.purchases
    }

    /// Whether more purchases fall into the cell, too.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.or_more
    }

    /// The time from the birth of the customers to the start of the period, and the length of the period.
    #[must_use]
    pub fn period(&self) -> (f64, f64) {
        (self.since, self.length)
    }
}

impl CensoredCustomers<CrossSection> {
    /// Adds the histogram of a cohort's purchases in a period: `cells[n]` customers bought n times.
    ///
    /// The period starts a time `since` after the customers' first purchase, which is not counted, and lasts `length`. `customers` is the size of the
    /// cohort, those who bought nothing included.
    ///
    /// ```
    /// use clv::{CensoredCustomers, CrossSection, LastCell, TimeUnit};
    ///
    /// let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    /// table.push_histogram(0.0, 13.0, &[620, 210, 90, 80], LastCell::OrMore, 1000)?;
    /// table.push_histogram(13.0, 13.0, &[760, 130, 60, 50], LastCell::OrMore, 1000)?;
    /// assert_eq!(table.len(), 8);
    /// assert!(table.push_histogram(26.0, 13.0, &[800, 100], LastCell::OrMore, 1000).is_err());    // 100 are missing
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the cells do not add up to the customers, `since` is negative, `length` not positive, or the histogram has but one cell that holds all.
    pub fn push_histogram(&mut self, since: f64, length: f64, cells: &[u64], last: LastCell, customers: u64) -> Result<()> {
        let named = |error: Error| error.at(format!("the histogram of the period {length} long that starts at {since}"));
        if !((0.0..=1e100).contains(&since) && length > 0.0 && length <= 1e100) {
            return Err(named(Error::data("a period starts at a time of at least 0 after the first purchase and has a positive length")));
        }
        let total = cells.iter().try_fold(0_u64, |sum, &cell| sum.checked_add(cell));
        if total != Some(customers) {
            let total = total.map_or("more than there are numbers".to_owned(), |total| total.to_string());
            return Err(named(Error::data(format!("the cells add up to {total}, but the cohort has {customers} customers"))));
        }
        if customers == 0 || cells.len() < 2 && last == LastCell::OrMore {
            return Err(named(Error::data("nothing can be learned from no customers, or from one cell that holds them all")));
        }
        for (purchases, &cell) in cells.iter().enumerate().filter(|(_, cell)| **cell > 0) {
            let purchases = u32::try_from(purchases).map_err(|_| named(Error::data("more cells than a customer can have purchases")))?;
            let or_more = last == LastCell::OrMore && purchases as usize + 1 == cells.len();
            self.push(CrossSection { purchases, or_more, since, length }, cell as f64)?;
        }
        Ok(())
    }
}

impl Censored for CrossSection {
    fn key(&self) -> [f64; 5] {
        [f64::from(self.purchases), f64::from(u8::from(self.or_more)), self.since, self.length, 0.0]
    }

    fn ln_constant(&self) -> f64 {
        // n purchases at any times, or n - 1 before the n-th, whose time is integrated over.
        let at_any_time = f64::from(self.purchases) - if self.or_more { 1.0 } else { 0.0 };
        at_any_time * self.length.ln() - ln_rising(1.0, at_any_time).value
    }

    fn approximately(&self) -> History {
        let last = if self.purchases == 0 { 0.0 } else { 0.5 * self.length };
        History::after_checks(self.purchases, last, self.length)
    }

    fn describe(&self) -> String {
        let &CrossSection { purchases, or_more, since, length } = self;
        let more = if or_more { " or more" } else { "" };
        format!("{purchases}{more} purchases in the period of {length} that starts at an age of {since}")
    }

    fn check<'a>(mut rows: impl Iterator<Item = &'a Self>) -> Result<()> {
        let first = rows.next().map(|row| row.since);
        if rows.all(|row| Some(row.since) == first) {
            return Err(Error::fit(
                "all periods are of customers of the same age, so that those who left cannot be told from those who buy rarely; add a period of \
                 another age",
            ));
        }
        Ok(())
    }

    fn understates() -> Option<&'static str> {
        Some(
            "the periods were taken for independent of each other; where the same customers are counted in several, the standard errors are too \
             small, and only a resampling of customers would tell by how much",
        )
    }
}
