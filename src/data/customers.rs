//! The summary of a customer base: one row per customer, validated, in columns.

use crate::data::acquisition::Birth;
use crate::data::customer::{Customer, LARGEST_WEIGHT, PurchaseRecord};
use crate::data::exclusion::Excluded;
use crate::data::histories::{Histories, Spends};
use crate::data::history::{History, SpendHistory};
use crate::data::ids::{Ids, is_blank};
use crate::data::observation::MergePeriod;
use crate::data::report::DataReport;
use crate::data::spend_basis::SpendBasis;
use crate::error::{Error, Result};
use crate::time::{Date, TimeUnit};

/// A customer base in columns: the input of every fit and of batch scoring.
///
/// Comes from a log ([`TransactionLog::summarize`](crate::TransactionLog::summarize)) or from rows one has already:
///
/// ```
/// use clv::{Customer, Customers, History, TimeUnit};
///
/// let mut customers = Customers::new(TimeUnit::Week);
/// customers.push(Customer { id: "0001", history: History::new(2, 30.43, 38.86)?, average_spend: 22.35, weight: 1.0, purchases: None })?;
/// assert_eq!((customers.len(), customers.id(0), customers.history(0).age()), (1, "0001", 38.86));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Customers {
    pub(super) unit: TimeUnit,
    pub(super) observation_end: Option<Date>,
    pub(super) spend_basis: SpendBasis,
    pub(super) merge: MergePeriod,
    pub(super) ids: Ids,
    pub(super) frequency: Vec<u32>,
    pub(super) recency: Vec<f64>,
    pub(super) age: Vec<f64>,
    pub(super) average_spend: Vec<f64>,
    /// Empty while every weight is 1.
    pub(super) weight: Vec<f64>,
    /// One per customer when the summary comes from a log, empty otherwise.
    pub(super) purchases: Vec<PurchaseRecord>,
    /// Empty while all are born within the log.
    pub(super) births: Vec<Birth>,
    /// Who was seen, and has no row.
    pub(super) excluded: Vec<Excluded>,
    pub(super) report: Option<DataReport>,
}

impl Customers {
    /// No customer yet, times in `unit`.
    #[must_use]
    pub fn new(unit: TimeUnit) -> Self {
        Customers {
            unit,
            observation_end: None,
            spend_basis: SpendBasis::default(),
            merge: MergePeriod::default(),
            ids: Ids::default(),
            frequency: Vec::new(),
            recency: Vec::new(),
            age: Vec::new(),
            average_spend: Vec::new(),
            weight: Vec::new(),
            purchases: Vec::new(),
            births: Vec::new(),
            excluded: Vec::new(),
            report: None,
        }
    }

    /// Names the day up to which the customers were observed; horizons such as "12 months" are resolved against it.
    #[must_use]
    pub fn observed_until(mut self, end: Date) -> Self {
        self.observation_end = Some(end);
        self
    }

    /// Names the purchases behind the average spend.
    #[must_use]
    pub fn spend_over(mut self, basis: SpendBasis) -> Self {
        self.spend_basis = basis;
        self
    }

    /// Names the span within which transactions were one purchase, a day unless told otherwise: purchase dates are written that finely.
    #[must_use]
    pub fn merged_by(mut self, period: MergePeriod) -> Self {
        self.merge = period;
        self
    }

    /// Adds a customer. That no id comes twice is for the caller to see to: it is not looked for here.
    ///
    /// A purchase record with an hour other than 0 says that purchases were merged by the hour.
    ///
    /// # Errors
    /// When the id is blank, the average spend does not fit the frequency (see [`SpendHistory::new`]), the weight is not a positive
    /// number, or some rows come with a purchase record and some without.
    pub fn push(&mut self, customer: Customer<'_>) -> Result<()> {
        self.push_born(customer, Birth::InLog)
    }

    /// Adds a customer of whom it is known when they were born, or that it is not known: see [`Birth`] for what the history then counts.
    ///
    /// # Errors
    /// As [`push`](Self::push), and when the birth lies before the log by more than the age or the recency.
    pub fn push_born(&mut self, customer: Customer<'_>, birth: Birth) -> Result<()> {
        let Customer { id, history, average_spend, weight, purchases } = customer;
        let named = |error: Error| error.at(format!("customer {id:?}"));
        if is_blank(id) {
            return Err(named(Error::data("the id is blank; every row belongs to a customer with an id")));
        }
        SpendHistory::new(self.spend_basis.purchases(history.frequency()), average_spend).map_err(named)?;
        if !(weight > 0.0 && weight <= LARGEST_WEIGHT) {
            return Err(named(Error::data(format!("weight {weight} must be a positive number, at most {LARGEST_WEIGHT:e}"))));
        }
        if !self.is_empty() && purchases.is_some() == self.purchases.is_empty() {
            return Err(named(Error::data("purchase dates must be given for all customers or for none")));
        }
        if let Birth::Before(w) = birth {
            let seen = if history.frequency() > 0 { history.recency() } else { history.age() };
            if !(w > 0.0 && w <= seen) {
                return Err(named(Error::data(format!(
                    "a birth {w} before the log must be a positive time up to which nothing was seen, but there is a purchase, or the end, {seen} after birth"
                ))));
            }
        }
        if !self.births.is_empty() || birth != Birth::InLog {
            self.births.resize(self.len(), Birth::InLog);
            self.births.push(birth);
        }
        if !self.weight.is_empty() || (weight - 1.0).abs() > 0.0 {
            self.weight.resize(self.len(), 1.0);
            self.weight.push(weight);
        }
        self.ids.push(id);
        self.frequency.push(history.frequency());
        self.recency.push(history.recency());
        self.age.push(history.age());
        self.average_spend.push(average_spend);
        if purchases.is_some_and(|record| record.first.hour_of_day() != 0 || record.last.hour_of_day() != 0) {
            self.merge = MergePeriod::Hour;
        }
        self.purchases.extend(purchases);
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// The unit of recency and age.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// The last day observed, when it is known: a summary that was not made here may not say.
    #[must_use]
    pub fn observation_end(&self) -> Option<Date> {
        self.observation_end
    }

    /// Which purchases the average spend is the mean of.
    #[must_use]
    pub fn spend_basis(&self) -> SpendBasis {
        self.spend_basis
    }

    /// The span within which transactions were one purchase.
    #[must_use]
    pub fn merge(&self) -> MergePeriod {
        self.merge
    }

    /// The id of row `index`.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn id(&self, index: usize) -> &str {
        self.ids.get(index)
    }

    /// The ids in row order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ids.iter()
    }

    /// The row of the customer with this id; the first, when the id was pushed more than once.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|other| other == id)
    }

    /// (x, t_x, T) of row `index`.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn history(&self, index: usize) -> History {
        History::after_checks(self.frequency[index], self.recency[index], self.age[index])
    }

    /// What row `index` spent, as the spend model wants it.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn spend(&self, index: usize) -> SpendHistory {
        let purchases = self.spend_basis.purchases(self.frequency[index]);
        SpendHistory::of_valid(purchases, self.average_spend[index])
    }

    /// (x, t_x, T) of all rows.
    #[must_use]
    pub fn histories(&self) -> Histories<'_> {
        Histories::of_valid(&self.frequency, &self.recency, &self.age)
    }

    /// What all rows spent, as the spend model wants it.
    #[must_use]
    pub fn spends(&self) -> Spends<'_> {
        Spends::of_valid(&self.frequency, &self.average_spend, self.spend_basis)
    }

    /// x of every row.
    #[must_use]
    pub fn frequency(&self) -> &[u32] {
        &self.frequency
    }

    /// t_x of every row.
    #[must_use]
    pub fn recency(&self) -> &[f64] {
        &self.recency
    }

    /// T of every row.
    #[must_use]
    pub fn age(&self) -> &[f64] {
        &self.age
    }

    /// m_x of every row, 0 where no purchase counts towards it.
    #[must_use]
    pub fn average_spend(&self) -> &[f64] {
        &self.average_spend
    }

    /// How many customers row `index` stands for; 1 when there is no such row.
    #[must_use]
    pub fn weight(&self, index: usize) -> f64 {
        self.weight.get(index).copied().unwrap_or(1.0)
    }

    /// Whether some row stands for other than one customer.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        !self.weight.is_empty()
    }

    /// What the log says of each row: empty when the summary was not made from a log.
    #[must_use]
    pub fn purchases(&self) -> &[PurchaseRecord] {
        &self.purchases
    }

    /// What became of the rows that were read: there when the customers come from a log or a file.
    #[must_use]
    pub fn report(&self) -> Option<&DataReport> {
        self.report.as_ref()
    }

    pub(crate) fn with_report(mut self, report: DataReport) -> Self {
        self.report = Some(report);
        self
    }
}
