//! Repeated cross-sections: per cohort and period only how many customers bought how often, without a row per customer.

use std::collections::BTreeMap;

use super::censored::{Censored, CensoredCustomers};
use super::history::History;
use super::period_counts::SAME;
use crate::error::{Error, Result};
use crate::numeric::rising::ln_rising;

/// One cell of a histogram: customers of one age who bought a number of times during a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSection {
    purchases: u32,
    /// The purchases from which on the last cell of the histogram is open; 0 when it has no open cell.
    open_from: u32,
    /// Whose histogram it is; `None` when it is not known who else was counted in it.
    cohort: Option<u32>,
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
        self.open_from > 0 && self.purchases == self.open_from
    }

    /// The cohort that was counted, by the number it was given; `None` when it is not known whether the same customers were counted in other periods.
    ///
    /// ```
    /// use clv::{CensoredCustomers, CrossSection, LastCell, TimeUnit};
    ///
    /// let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    /// table.push_cohort_histogram(7, 0.0, 13.0, &[60, 40], LastCell::OrMore, 100)?;
    /// table.push_histogram(13.0, 13.0, &[80, 20], LastCell::OrMore, 100)?;
    /// assert_eq!((table.row(0).cohort(), table.row(2).cohort()), (Some(7), None));
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn cohort(&self) -> Option<u32> {
        self.cohort
    }

    /// The time from the birth of the customers to the start of the period, and the length of the period.
    #[must_use]
    pub fn period(&self) -> (f64, f64) {
        (self.since, self.length)
    }

    /// The purchases from which on the last cell of the histogram is open; 0 when it has no open cell.
    pub(crate) fn open_from(&self) -> u32 {
        self.open_from
    }

    /// The cell of the same histogram for so many purchases.
    pub(crate) fn of_purchases(&self, purchases: u32) -> Self {
        let purchases = if self.open_from > 0 { purchases.min(self.open_from) } else { purchases };
        CrossSection { purchases, ..*self }
    }

    /// The open cell of the same histogram from so many purchases on, all above in one.
    pub(crate) fn of_at_least(&self, purchases: u32) -> Self {
        CrossSection { purchases, open_from: purchases, ..*self }
    }

    /// Whether it counts part of the same time. Periods that follow each other may do so by a rounding of their ends.
    fn overlaps(&self, since: f64, length: f64) -> bool {
        let end = (self.since + self.length).min(since + length);
        end - self.since.max(since) > (SAME * end).min(0.5 * length.min(self.length))
    }
}

impl CensoredCustomers<CrossSection> {
    /// Adds the histogram of a cohort's purchases in a period: `cells[n]` customers bought n times.
    ///
    /// The period starts a time `since` after the customers' first purchase, which is not counted, and lasts `length`. `customers` is the size of the
    /// cohort, those who bought nothing included. It is not said whether other histograms count the same customers: standard errors take these for others, and the fit carries a
    /// notice. [`push_cohort_histogram`](Self::push_cohort_histogram) says it.
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
        self.push_cells(None, (since, length), cells, last, customers)
    }

    /// Adds the histogram of a cohort that is known by a number: histograms of one number count the same customers, those of different numbers others.
    ///
    /// What a customer did in one period goes with what they do in the next, so histograms of the same customers tell less of how often customers buy than as many of
    /// others, and more of who leaves. Standard errors allow for that.
    ///
    /// ```
    /// use clv::{CensoredCustomers, CrossSection, Estimator, LastCell, ParetoNbd, SeenThrough, TimeUnit};
    ///
    /// let quarters: [[u64; 4]; 4] = [[7159, 1630, 665, 546], [8010, 1135, 455, 400], [8390, 896, 384, 330], [8629, 781, 320, 270]];
    /// let (mut apart, mut the_same) = (CensoredCustomers::new(TimeUnit::Week), CensoredCustomers::new(TimeUnit::Week));
    /// for (k, cells) in (0..).zip(&quarters) {
    ///     let since = 13.0 * f64::from(k);
    ///     apart.push_cohort_histogram(k, since, 13.0, cells, LastCell::OrMore, 10_000)?;
    ///     the_same.push_cohort_histogram(7, since, 13.0, cells, LastCell::OrMore, 10_000)?;
    /// }
    /// let fit = |table| Estimator::<SeenThrough<ParetoNbd, CrossSection>>::new().fit(table);
    /// let (apart, the_same) = (fit(&apart)?, fit(&the_same)?);
    /// assert_eq!(apart.model().model().params().r, the_same.model().model().params().r);
    /// let wider = the_same.standard_error(1).unwrap() / apart.standard_error(1).unwrap();      // of alpha
    /// assert!(wider > 1.05 && wider < 1.4);
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`push_histogram`](Self::push_histogram), and when the cohort has another size, or overlapping periods, in another of its histograms.
    pub fn push_cohort_histogram(
        &mut self,
        cohort: u32,
        since: f64,
        length: f64,
        cells: &[u64],
        last: LastCell,
        customers: u64,
    ) -> Result<()> {
        let place = || format!("the histogram of cohort {cohort}, of the period {length} long that starts at {since}");
        if let Some((other, _)) = self.rows_of(cohort).find(|(row, _)| row.overlaps(since, length)) {
            return Err(Error::data(format!(
                "the period overlaps the one {} long that starts at {}; of a cohort every purchase is counted once",
                other.length, other.since
            ))
            .at(place()));
        }
        if let Some((other, _)) = self.rows_of(cohort).next() {
            let of_period = self.rows_of(cohort).filter(|(row, _)| row.since == other.since);
            let size: f64 = of_period.map(|(_, weight)| weight).sum();
            if size != customers as f64 {
                return Err(Error::data(format!(
                    "the cohort has {customers} customers, but {size} in the period that starts at {}; those who left count on, among those who bought nothing",
                    other.since
                ))
                .at(place()));
            }
        }
        self.push_cells(Some(cohort), (since, length), cells, last, customers)
    }

    fn push_cells(&mut self, cohort: Option<u32>, period: (f64, f64), cells: &[u64], last: LastCell, customers: u64) -> Result<()> {
        let (since, length) = period;
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
        let most = u32::try_from(cells.len() - 1).map_err(|_| named(Error::data("more cells than a customer can have purchases")))?;
        let open_from = if last == LastCell::OrMore { most } else { 0 };
        for (purchases, &cell) in (0..=most).zip(cells).filter(|(_, cell)| **cell > 0) {
            self.push(CrossSection { purchases, open_from, cohort, since, length }, cell as f64)?;
        }
        Ok(())
    }
}

impl Censored for CrossSection {
    fn key(&self) -> [f64; 6] {
        let cohort = self.cohort.map_or(-1.0, f64::from);
        [f64::from(self.purchases), f64::from(self.open_from), self.since, self.length, cohort, 0.0]
    }

    fn ln_constant(&self) -> f64 {
        // n purchases at any times, or n - 1 before the n-th, whose time is integrated over.
        let at_any_time = f64::from(self.purchases) - if self.is_open() { 1.0 } else { 0.0 };
        at_any_time * self.length.ln() - ln_rising(1.0, at_any_time).value
    }

    fn approximately(&self) -> History {
        let last = if self.purchases == 0 { 0.0 } else { 0.5 * self.length };
        History::after_checks(self.purchases, last, self.length)
    }

    fn describe(&self) -> String {
        let &CrossSection { purchases, since, length, .. } = self;
        let more = if self.is_open() { " or more" } else { "" };
        format!("{purchases}{more} purchases in the period of {length} that starts at an age of {since}")
    }

    fn group(&self) -> Option<u32> {
        self.cohort
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

    fn shares_customers<'a>(mut rows: impl Iterator<Item = &'a Self>) -> bool {
        let mut first_period = BTreeMap::new();
        rows.any(|row| row.cohort.is_some_and(|cohort| *first_period.entry(cohort).or_insert(row.period()) != row.period()))
    }

    fn understates<'a>(mut rows: impl Iterator<Item = &'a Self>) -> Option<&'static str> {
        rows.any(|row| row.cohort.is_none()).then_some(
            "the periods were taken for independent of each other; where the same customers are counted in several, the standard errors are not right, that of \
             alpha too small: name the cohort of each histogram (push_cohort_histogram), and they are",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeUnit;

    /// What a histogram is checked against does not grow with the number of cohorts.
    #[test]
    fn a_histogram_is_checked_against_its_own_cohort_alone() {
        let mut table = CensoredCustomers::new(TimeUnit::Week);
        for since in [0.0, 13.0] {
            for cohort in 0..100 {
                table.push_cohort_histogram(cohort, since, 13.0, &[60, 40], LastCell::OrMore, 100).unwrap();
            }
            table.push_histogram(since, 13.0, &[60, 40], LastCell::OrMore, 100).unwrap();
        }
        assert_eq!(table.len(), 404);
        let of_seven: Vec<_> = table.rows_of(7).map(|(row, weight)| (row.cohort, row.since, row.purchases, weight)).collect();
        let cell = |since, purchases, weight| (Some(7), since, purchases, weight);
        assert_eq!(of_seven, [cell(0.0, 0, 60.0), cell(0.0, 1, 40.0), cell(13.0, 0, 60.0), cell(13.0, 1, 40.0)]);
        assert_eq!(table.rows_of(100).count(), 0);
        // Rows that were added one by one are of their cohort as well.
        let mut copy = CensoredCustomers::new(TimeUnit::Week);
        table.rows_of(7).for_each(|(row, weight)| copy.push(*row, weight).unwrap());
        assert!(copy.push_cohort_histogram(7, 20.0, 13.0, &[60, 40], LastCell::OrMore, 100).unwrap_err().to_string().contains("overlaps"));
        assert!(
            copy.push_cohort_histogram(7, 26.0, 13.0, &[60, 39], LastCell::OrMore, 99)
                .unwrap_err()
                .to_string()
                .contains("100 in the period")
        );
        assert!(copy.push_cohort_histogram(8, 20.0, 13.0, &[60, 39], LastCell::OrMore, 99).is_ok());
    }
}
