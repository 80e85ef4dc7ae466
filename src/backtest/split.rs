//! One cut of the data: who is calibrated on, until when, and what is held out.

use crate::data::{Customer, Customers};
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// A cut of the data: calibration up to the day `cut` inclusive, holdout after it until the day `holdout_end` inclusive.
///
/// A sliding window and a cohort holdout also choose customers by the day of their first purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Split {
    cut: Date,
    holdout_end: Date,
    /// The first day of birth of those calibrated on.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    born_from: Option<Date>,
    /// Their last day of birth, in a cohort holdout; customers born later are held out from birth.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    born_until: Option<Date>,
}

impl Split {
    /// A split of data whose first transaction is of the day `first` and that were observed until `end`.
    ///
    /// # Errors
    /// When the cut lies before the first transaction, or the holdout has no day or ends after the observation end.
    pub fn new(cut: Date, holdout_end: Date, first: Date, end: Date) -> Result<Self> {
        if cut < first || cut >= end {
            let last = Date::from_days_since_1970(end.days_since_1970() - 1)?;
            let possible = if last < first {
                "and a single day cannot be split".to_owned()
            } else {
                format!("so that a cut can be from {first} to {last}")
            };
            return Err(Error::parameter(format!(
                "the cut {cut} leaves nothing before it or nothing after it: the first transaction is of {first}, the observation ends on {end}, \
                 {possible}"
            )));
        }
        if holdout_end <= cut {
            return Err(Error::parameter(format!("a holdout from the cut {cut} to {holdout_end} has no day; it must end after the cut")));
        }
        if holdout_end > end {
            return Err(Error::parameter(format!(
                "a holdout from the cut {cut} to {holdout_end} reaches beyond the observation end {end}; after this cut it can be 1 to {} days long, \
                 or the cut can be earlier",
                end.days_since(cut)
            )));
        }
        Ok(Split { cut, holdout_end, born_from: None, born_until: None })
    }

    /// Calibrates on customers whose first purchase is of the day `from` or later.
    pub(super) fn of_customers_since(self, from: Date) -> Self {
        Split { born_from: Some(from), ..self }
    }

    /// Customers born up to a day are seen until `cut`; those born later are held out from birth until the observation end.
    pub(super) fn between_cohorts(born_until: Date, cut: Date, end: Date) -> Self {
        Split { cut, holdout_end: end, born_from: None, born_until: Some(born_until) }
    }

    /// The last day of calibration.
    #[must_use]
    pub fn cut(&self) -> Date {
        self.cut
    }

    /// The last day of the holdout.
    #[must_use]
    pub fn holdout_end(&self) -> Date {
        self.holdout_end
    }

    /// The first day of a first purchase of those calibrated on, in a sliding window.
    #[must_use]
    pub fn born_from(&self) -> Option<Date> {
        self.born_from
    }

    /// The last day of a first purchase of those calibrated on, in a cohort holdout.
    #[must_use]
    pub fn born_until(&self) -> Option<Date> {
        self.born_until
    }

    /// The days of the holdout.
    #[must_use]
    pub fn days(&self) -> i32 {
        self.holdout_end.days_since(self.cut)
    }

    /// The length of the holdout in `unit`.
    #[must_use]
    pub fn length(&self, unit: TimeUnit) -> f64 {
        f64::from(self.days()) * 24.0 / unit.hours()
    }

    /// The same customers cut earlier, with what is left of the calibration for a holdout.
    pub(super) fn within_calibration(&self, cut: Date) -> Self {
        Split { cut, holdout_end: self.cut, ..*self }
    }

    /// Whether another split is calibrated on the same purchases of the same customers.
    pub(super) fn shares_calibration(&self, other: &Split) -> bool {
        (self.cut, self.born_from, self.born_until) == (other.cut, other.born_from, other.born_until)
    }

    /// The last day of birth of customers who are known, so that their forecast can use their history.
    pub(super) fn last_known_birth(&self) -> Date {
        self.born_until.unwrap_or(self.cut)
    }

    /// Those of the customers seen at the cut who are calibrated on.
    pub(super) fn calibrated_on(&self, customers: Customers) -> Result<Customers> {
        if self.born_from.is_none() && self.born_until.is_none() {
            return Ok(customers);
        }
        let mut chosen =
            Customers::new(customers.unit()).observed_until(self.cut).spend_over(customers.spend_basis()).merged_by(customers.merge());
        for (row, record) in customers.purchases().iter().enumerate() {
            let born = record.first.date();
            if self.born_from.is_none_or(|from| from <= born) && born <= self.last_known_birth() {
                chosen.push(Customer {
                    id: customers.id(row),
                    history: customers.history(row),
                    average_spend: customers.average_spend()[row],
                    weight: 1.0,
                    purchases: Some(*record),
                })?;
            }
        }
        if chosen.is_empty() {
            let births = || customers.purchases().iter().map(|record| record.first.date());
            let range = match (births().min(), births().max()) {
                (Some(first), Some(last)) => format!("the first purchases seen until {} are of {first} to {last}", self.cut),
                _ => format!("nobody bought until {}", self.cut),
            };
            return Err(Error::data(format!("no customer is born in the days to calibrate on: {range}; choose a cohort among them")));
        }
        Ok(chosen)
    }
}
