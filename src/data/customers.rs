//! The summary of a customer base: one row per customer, validated, in columns.

use std::borrow::Cow;
use std::mem;

use crate::data::acquisition::{Birth, BirthCounts};
use crate::data::censored::CensoredCustomers;
use crate::data::histories::{Histories, Spends};
use crate::data::history::{History, SpendHistory};
use crate::data::ids::{Ids, ids_in_order, is_blank};
use crate::data::left_truncated::{CustomerList, LeftTruncated};
use crate::data::observation::MergePeriod;
use crate::data::report::DataReport;
use crate::error::{Error, Result};
use crate::time::{Date, Moment, TimeUnit};

/// Which purchases the average spend is the mean of. The answer changes, so it is part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SpendBasis {
    /// The repeat purchases: the first one, often a trial or a promotion, is left out. The field's convention.
    #[default]
    RepeatPurchases,
    /// All purchases, the first included.
    AllPurchases,
}

impl SpendBasis {
    /// How many purchases stand behind the mean of a customer with `frequency` repeat purchases.
    #[must_use]
    pub fn purchases(self, frequency: u32) -> u32 {
        match self {
            SpendBasis::RepeatPurchases => frequency,
            SpendBasis::AllPurchases => frequency.saturating_add(1),
        }
    }
}

/// Customers behind one row that still add up without losing the others.
pub(crate) const LARGEST_WEIGHT: f64 = 1e15;

/// One row on its way into [`Customers`].
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

/// Why a customer is not in the summary.
///
/// ```
/// use clv::{Exclusion, Observation, TransactionLog};
///
/// let days = ["2026-01-05".parse()?, "2026-01-06".parse()?, "2026-01-07".parse()?];
/// let log = TransactionLog::from_columns(&["a", "a", "b"], &days, &[20.0, -20.0, 30.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?))?;
/// assert_eq!(customers.excluded().collect::<Vec<_>>(), [("a", Exclusion::NoPurchase)]);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// No purchase up to the observation end is left: all were refunded, or there were refunds only.
    NoPurchase,
    /// Acquired, but without a purchase so far.
    NotBoughtYet,
    /// All rows are dated after the observation end: at the end nobody knew of this customer.
    SeenAfterEnd,
}

#[cfg(feature = "cli")]
impl Exclusion {
    /// All of them.
    pub(crate) const ALL: [Exclusion; 3] = [Exclusion::NoPurchase, Exclusion::NotBoughtYet, Exclusion::SeenAfterEnd];
}

/// A customer without a row.
#[derive(Debug, Clone, PartialEq)]
struct Excluded {
    id: Box<str>,
    why: Exclusion,
    /// What the rows after the observation end add up to.
    revenue_after_end: f64,
}

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
    unit: TimeUnit,
    observation_end: Option<Date>,
    spend_basis: SpendBasis,
    merge: MergePeriod,
    ids: Ids,
    frequency: Vec<u32>,
    recency: Vec<f64>,
    age: Vec<f64>,
    average_spend: Vec<f64>,
    /// Empty while every weight is 1.
    weight: Vec<f64>,
    /// One per customer when the summary comes from a log, empty otherwise.
    purchases: Vec<PurchaseRecord>,
    /// Empty while all are born within the log.
    births: Vec<Birth>,
    /// Who was seen, and has no row.
    excluded: Vec<Excluded>,
    report: Option<DataReport>,
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

    /// The rows of these numbers.
    pub(crate) fn where_row(&self, chosen: impl Fn(usize) -> bool) -> Result<Customers> {
        let mut some = self.emptied();
        (0..self.len()).filter(|&row| chosen(row)).try_for_each(|row| some.push_born(self.row(row), self.birth(row)))?;
        some.report.clone_from(&self.report);
        Ok(some)
    }

    fn row(&self, row: usize) -> Customer<'_> {
        Customer {
            id: self.id(row),
            history: self.history(row),
            average_spend: self.average_spend[row],
            weight: self.weight(row),
            purchases: self.purchases.get(row).copied(),
        }
    }

    /// Who has rows in the log, or a date of acquisition, and no row here, with the reason, in byte order of the ids when the customers come from a log.
    pub fn excluded(&self) -> impl ExactSizeIterator<Item = (&str, Exclusion)> {
        self.excluded.iter().map(|excluded| (&*excluded.id, excluded.why))
    }

    /// What those who are only seen after the observation end spend in the log: what is to come then, and no part of what was spent so far.
    ///
    /// ```
    /// use clv::{Exclusion, Observation, TransactionLog};
    ///
    /// let log = TransactionLog::from_columns(&["a", "b"], &["2026-01-05".parse()?, "2026-04-01".parse()?], &[20.0, 30.0])?;
    /// let customers = log.summarize(&Observation::until("2026-03-02".parse()?))?;
    /// assert_eq!(customers.excluded().collect::<Vec<_>>(), [("b", Exclusion::SeenAfterEnd)]);
    /// assert_eq!(customers.excluded_revenue_after_end().collect::<Vec<_>>(), [30.0]);
    /// # Ok::<(), clv::Error>(())
    /// ```
    pub fn excluded_revenue_after_end(&self) -> impl ExactSizeIterator<Item = f64> {
        self.excluded.iter().map(|excluded| excluded.revenue_after_end)
    }

    /// Adds a customer without a row.
    pub(crate) fn exclude(&mut self, id: &str, why: Exclusion, revenue_after_end: f64) {
        self.excluded.push(Excluded { id: id.into(), why, revenue_after_end });
    }

    pub(super) fn with_births(mut self, births: Vec<Birth>) -> Self {
        debug_assert!(births.len() == self.len());
        self.births = births;
        self
    }

    /// What became of the rows that were read: there when the customers come from a log or a file.
    #[must_use]
    pub fn report(&self) -> Option<&DataReport> {
        self.report.as_ref()
    }

    /// Adds the rows of customers who are measured alike.
    #[cfg(feature = "cli")]
    pub(crate) fn append(&mut self, others: &Customers) -> Result<()> {
        (0..others.len()).try_for_each(|row| self.push_born(others.row(row), others.birth(row)))
    }

    /// The same rows in byte order of their ids.
    #[cfg(feature = "cli")]
    pub(crate) fn sorted_by_id(&self) -> Customers {
        self.emptied().joined(vec![self.clone()])
    }

    /// No row yet, and room for so many with ids of so many bytes together.
    pub(super) fn with_capacity(mut self, rows: usize, bytes: usize) -> Self {
        self.ids = Ids::with_capacity(rows, bytes);
        self.frequency.reserve_exact(rows);
        for column in [&mut self.recency, &mut self.age, &mut self.average_spend] {
            column.reserve_exact(rows);
        }
        self.purchases.reserve_exact(rows);
        self
    }

    /// The same measures without a row.
    pub(super) fn emptied(&self) -> Customers {
        let empty = Customers { observation_end: self.observation_end, ..Customers::new(self.unit) };
        empty.spend_over(self.spend_basis).merged_by(self.merge)
    }

    /// The rows of all parts, measured alike, in byte order of their ids. Column by column, so that little is there twice.
    pub(super) fn joined(mut self, mut parts: Vec<Customers>) -> Customers {
        fn gathered<T: Copy>(order: &[(u32, u32)], parts: &mut [Customers], column: fn(&mut Customers) -> &mut Vec<T>) -> Vec<T> {
            let columns: Vec<Vec<T>> = parts.iter_mut().map(|part| mem::take(column(part))).collect();
            if columns.iter().all(Vec::is_empty) {
                return Vec::new();
            }
            order.iter().map(|&(part, row)| columns[part as usize][row as usize]).collect()
        }
        let order = ids_in_order(&parts.iter().map(|part| &part.ids).collect::<Vec<_>>());
        if parts.iter().any(Customers::is_weighted) {
            for part in &mut parts {
                part.weight.resize(part.len(), 1.0);
            }
        }
        if parts.iter().any(Customers::has_births) {
            for part in &mut parts {
                part.births.resize(part.frequency.len(), Birth::InLog);
            }
        }
        self.excluded = parts.iter_mut().flat_map(|part| mem::take(&mut part.excluded)).collect();
        self.excluded.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        self.births = gathered(&order, &mut parts, |part| &mut part.births);
        self.frequency = gathered(&order, &mut parts, |part| &mut part.frequency);
        self.recency = gathered(&order, &mut parts, |part| &mut part.recency);
        self.age = gathered(&order, &mut parts, |part| &mut part.age);
        self.average_spend = gathered(&order, &mut parts, |part| &mut part.average_spend);
        self.weight = gathered(&order, &mut parts, |part| &mut part.weight);
        self.purchases = gathered(&order, &mut parts, |part| &mut part.purchases);
        self.ids = Ids::with_capacity(order.len(), parts.iter().map(|part| part.ids.bytes()).sum());
        for (part, row) in order {
            self.ids.push(parts[part as usize].ids.get(row as usize));
        }
        self
    }

    pub(crate) fn with_report(mut self, report: DataReport) -> Self {
        self.report = Some(report);
        self
    }
}
