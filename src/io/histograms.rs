//! Histograms from files: how many customers of a cohort bought how often in a period.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::data::{CensoredCustomers, CrossSection, LARGEST_WEIGHT, LastCell, check_days, check_purchases};
use crate::error::{Error, Result, quoted};
use crate::io::counts::{CountsRead, HEADER, RowPlace, check_end, day, hex, read_counts, whole};
use crate::io::fields::{COHORT, CUSTOMERS, FIRST_PURCHASE, PERIOD_END, PERIOD_START, PURCHASES};
use crate::io::files::LogFiles;
use crate::io::options::SummaryOptions;
use crate::time::Date;

const COLUMNS: [&str; 6] = [COHORT, FIRST_PURCHASE, PERIOD_START, PERIOD_END, PURCHASES, CUSTOMERS];

impl CountsRead<CensoredCustomers<CrossSection>> {
    /// Reads histograms: CSV (plain or gzip) or Parquet with the columns `cohort`, `first_purchase`, `period_start`, `period_end`, `purchases` and
    /// `customers`, and no others.
    ///
    /// A row says that so many `customers` of the cohort, all of whom first bought on the day `first_purchase`, bought so often from the first to the last
    /// day of the period, both included; `purchases` may end in a plus, `4+` for four or more. A period that holds the first purchases counts them; of the
    /// others, those who bought nothing have a row of their own. A number of purchases without a row is that of nobody. Histograms of one cohort count the
    /// same customers, so that they add up to the same number. Order of rows and files has no influence.
    ///
    /// ```
    /// use clv::{CensoredCustomers, CountsRead, CrossSection, LogFiles, SummaryOptions};
    ///
    /// let files = LogFiles::find(["examples/data/cdnow_histograms.csv"])?;
    /// let read = CountsRead::<CensoredCustomers<CrossSection>>::histograms(&files, &SummaryOptions::default())?;
    /// assert_eq!(read.counted.rows().map(|(_, customers)| customers).sum::<f64>(), 11_942.0);   // each once in every period
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// With file and line: when a column is missing or not known, a count is negative or no whole number, a day cannot be read, customers bought more often
    /// than the period has days, histograms of a cohort do not add up to the same number, its periods overlap or lie before the first purchase, its rows
    /// disagree on the first purchase, a number of purchases is there twice, or the cohort is one customer.
    pub fn histograms(files: &LogFiles, options: &SummaryOptions) -> Result<Self> {
        let mut cohorts: BTreeMap<String, Cohort> = BTreeMap::new();
        let mut last: Option<(Date, RowPlace)> = None;
        let rows = read_counts(files, COLUMNS.map(|name| (name, HEADER)), options, &mut |fields, place| {
            let row = Row::read(fields)?;
            if last.is_none_or(|(end, _)| end < row.period.1) {
                last = Some((row.period.1, place));
            }
            let first = Cohort { first_purchase: row.first_purchase, place, periods: BTreeMap::new() };
            cohorts.entry(fields[0].trim().to_owned()).or_insert(first).add(&row, place, files)
        })?;
        let mut table = CensoredCustomers::new(options.unit);
        if let Some((end, place)) = last {
            check_end("histograms", end, options.observation_end).map_err(|error| error.at(place.of(files)))?;
            table = table.observed_until(end);
        }
        let mut hash = Sha256::new();
        for (number, (name, cohort)) in (0..).zip(&cohorts) {
            let about = |error: Error| error.about(&format!("cohort {}", quoted(name)));
            cohort.check(files).map_err(about)?;
            for (&(start, end), histogram) in &cohort.periods {
                let pushed = cohort.push(number, (start, end), histogram, options.unit.hours(), &mut table);
                pushed.map_err(|error| about(Error::data(error.to_string()).at(histogram.place.of(files))))?;
                for (purchases, (customers, _)) in &histogram.cells {
                    hash.update(format!(
                        "{name:?},{},{start},{end},{purchases},{customers},{:?}\n",
                        cohort.first_purchase, histogram.open_from
                    ));
                }
            }
        }
        let sizes = cohorts.values().filter_map(|cohort| cohort.periods.values().next()?.customers());
        Ok(CountsRead { customers: sizes.fold(0, u64::saturating_add), counted: table, rows, fingerprint: hex(hash) })
    }
}

/// The fields of a row.
struct Row {
    first_purchase: Date,
    period: (Date, Date),
    purchases: u32,
    or_more: bool,
    customers: u64,
}

impl Row {
    fn read([cohort, first_purchase, start, end, purchases, customers]: [&str; 6]) -> Result<Self> {
        if cohort.trim().is_empty() {
            return Err(Error::data(format!("column {COHORT:?}: the name is missing; histograms of one name count the same customers")));
        }
        let (first_purchase, start, end) = (day(first_purchase, FIRST_PURCHASE)?, day(start, PERIOD_START)?, day(end, PERIOD_END)?);
        check_days(start, end)?;
        if end <= first_purchase {
            return Err(Error::data(format!(
                "the period ends on {end}, and the first purchases are of {first_purchase}: nothing that comes after them can be counted before; \
                 leave the period out, or correct one \
                 of the days"
            )));
        }
        let (number, or_more) = purchases.trim().strip_suffix('+').map_or((purchases, false), |number| (number, true));
        let purchases = u32::try_from(whole(number, PURCHASES)?).ok().filter(|purchases| *purchases < MOST_CELLS);
        let purchases = purchases.ok_or_else(|| {
            Error::data(format!(
                "column {PURCHASES:?}: {number} purchases of one customer are too many for a histogram; put those above {MOST_CELLS} \
             into one cell, such as 100+"
            ))
        })?;
        let customers = whole(customers, CUSTOMERS)?;
        if customers as f64 > LARGEST_WEIGHT {
            return Err(Error::data(format!(
                "column {CUSTOMERS:?}: {customers} customers are more than {LARGEST_WEIGHT:e}; check the unit of the column"
            )));
        }
        // Those of a cohort may have bought first before its day: all days of the period count. A cell of nobody is no claim.
        if customers > 0 {
            check_purchases(purchases, start, end)?;
        }
        Ok(Row { first_purchase, period: (start, end), purchases, or_more, customers })
    }
}

/// No histogram has more.
const MOST_CELLS: u32 = 1_000_000;

struct Cohort {
    first_purchase: Date,
    place: RowPlace,
    periods: BTreeMap<(Date, Date), Histogram>,
}

struct Histogram {
    /// Its first row.
    place: RowPlace,
    cells: BTreeMap<u32, (u64, RowPlace)>,
    /// The number from which on all are in one cell.
    open_from: Option<u32>,
}

impl Histogram {
    fn customers(&self) -> Option<u64> {
        self.cells.values().try_fold(0_u64, |sum, (customers, _)| sum.checked_add(*customers))
    }
}

impl Cohort {
    fn add(&mut self, row: &Row, place: RowPlace, files: &LogFiles) -> Result<()> {
        if row.first_purchase != self.first_purchase {
            return Err(Error::data(format!(
                "first_purchase {} here and {} at {}; customers of a cohort are of one age: split the cohort, or give it one day",
                row.first_purchase,
                self.first_purchase,
                self.place.of(files)
            )));
        }
        let histogram = self.periods.entry(row.period).or_insert(Histogram { place, cells: BTreeMap::new(), open_from: None });
        if let Some((_, other)) = histogram.cells.insert(row.purchases, (row.customers, place)) {
            return Err(Error::data(format!(
                "{} purchases are there a second time, after {}; a histogram has one row for each number",
                row.purchases,
                other.of(files)
            )));
        }
        if row.or_more
            && let Some(other) = histogram.open_from.replace(row.purchases)
        {
            return Err(Error::data(format!("there are two open cells, {other}+ and {}+; one of them holds the other", row.purchases)));
        }
        Ok(())
    }

    fn check(&self, files: &LogFiles) -> Result<()> {
        let mut before: Option<(&(Date, Date), &Histogram)> = None;
        let mut size: Option<(u64, &Histogram)> = None;
        for (period, histogram) in &self.periods {
            let wrong = |place: RowPlace, rule: String| Err(Error::data(rule).at(place.of(files)));
            if let Some(((start, end), other)) = before
                && period.0 <= *end
            {
                return wrong(
                    histogram.place,
                    format!(
                        "the period from {} to {} overlaps that from {start} to {end} at {}; every purchase of a cohort is counted once",
                        period.0,
                        period.1,
                        other.place.of(files)
                    ),
                );
            }
            if let Some(open) = histogram.open_from
                && let Some((above, (_, place))) = histogram.cells.range(open + 1..).next()
            {
                return wrong(*place, format!("{above} purchases have a row of their own, and are in the cell {open}+ as well"));
            }
            self.check_lowest(period.0, histogram, files)?;
            let Some(customers) = histogram.customers() else {
                return wrong(histogram.place, "more customers than there are numbers".to_owned());
            };
            match size {
                Some((of_other, other)) if of_other != customers => {
                    return wrong(
                        histogram.place,
                        format!(
                            "the cells of the period from {} to {} add up to {customers} customers, and those of the one at {} to {of_other}; those \
                             who left count on, among those \
                             who bought nothing",
                            period.0,
                            period.1,
                            other.place.of(files)
                        ),
                    );
                }
                _ => size = Some((customers, histogram)),
            }
            if customers < 2 {
                let what = if customers == 0 { "has no customer" } else { "is one customer" };
                return wrong(
                    histogram.place,
                    format!(
                        "the cohort {what}, and a histogram is of customers who differ: leave it out, or put it into another one of nearly the same \
                         first purchase"
                    ),
                );
            }
            before = Some((period, histogram));
        }
        Ok(())
    }

    /// Those with the fewest purchases are easily forgotten, or the first purchases are.
    fn check_lowest(&self, start: Date, histogram: &Histogram, files: &LogFiles) -> Result<()> {
        let silent = histogram.cells.get(&0);
        let (rule, place) = match silent {
            Some((1.., place)) if self.holds_first(start) => {
                ("customers without a purchase in the period of their first one; it counts as well", *place)
            }
            None if !self.holds_first(start) => (
                "there is no row for 0 purchases: those who bought nothing in the period; write 0 customers where there were none",
                histogram.place,
            ),
            _ => return Ok(()),
        };
        Err(Error::data(rule).at(place.of(files)))
    }

    /// Whether a period that starts on this day holds the first purchases.
    fn holds_first(&self, start: Date) -> bool {
        start <= self.first_purchase
    }

    fn push(
        &self,
        number: u32,
        (start, end): (Date, Date),
        histogram: &Histogram,
        unit_hours: f64,
        table: &mut CensoredCustomers<CrossSection>,
    ) -> Result<()> {
        let first = u32::from(self.holds_first(start));
        let largest = histogram.cells.keys().next_back().map_or(0, |largest| largest.saturating_sub(first));
        let cells: Vec<u64> =
            (0..=largest).map(|repeat| histogram.cells.get(&(repeat + first)).map_or(0, |(customers, _)| *customers)).collect();
        let units = |days: i32| f64::from(days) * 24.0 / unit_hours;
        // A period from a day on begins at the end of the day before.
        let since = (start.days_since(self.first_purchase) - 1).max(0);
        let length = units(end.days_since(self.first_purchase) - since);
        let last = if histogram.open_from.is_some() { LastCell::OrMore } else { LastCell::Exactly };
        table.push_cohort_histogram(number, units(since), length, &cells, last, histogram.customers().unwrap_or_default())
    }
}
