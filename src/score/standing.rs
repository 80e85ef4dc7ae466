//! How far a score is the customer's own: its prior weight and its status.

use std::fmt;

use super::scorer::{Score, Scorer};
use crate::data::{Birth, Customers, EveryCustomer, Exclusion, LeftTruncated, SpendHistory};
use crate::models::AnyPurchaseModel;

/// Above this prior weight next to nothing of the purchase rate is the customer's own.
const MOSTLY_PRIOR: f64 = 0.9;

/// What became of a customer in the scores.
///
/// ```
/// use clv::{Exclusion, ScoreStatus};
///
/// assert_eq!(ScoreStatus::LeftTruncated.to_string(), "left_truncated");
/// assert!(ScoreStatus::Excluded(Exclusion::NotBoughtYet).name().starts_with("excluded: "));
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScoreStatus {
    /// Scored from a history of their own.
    Scored,
    /// Scored, but so young that next to nothing is known of the customer alone: see [`AnyPurchaseModel::is_prior_dominated`].
    PriorDominated,
    /// Scored, but born before the log, or at a time that is not known: purchases may be missing.
    LeftTruncated,
    /// There is no expected spend, hence no CLV.
    NoSpendEstimate,
    /// Seen, but not scored.
    Excluded(Exclusion),
}

impl ScoreStatus {
    /// The word for it: `scored`, `prior_dominated`, `left_truncated`, `no_spend_estimate`, `excluded: reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ScoreStatus::Scored => "scored",
            ScoreStatus::PriorDominated => "prior_dominated",
            ScoreStatus::LeftTruncated => "left_truncated",
            ScoreStatus::NoSpendEstimate => "no_spend_estimate",
            ScoreStatus::Excluded(Exclusion::NoPurchase) => "excluded: no purchase is left after refunds",
            ScoreStatus::Excluded(Exclusion::NotBoughtYet) => "excluded: has not bought yet",
            ScoreStatus::Excluded(Exclusion::SeenAfterEnd) => "excluded: first seen after the observation end",
        }
    }
}

impl ScoreStatus {
    /// The reason of an exclusion, by its [`name`](Self::name).
    #[cfg(feature = "cli")]
    pub(crate) fn exclusion(name: &str) -> Option<Exclusion> {
        Exclusion::ALL.into_iter().find(|&why| ScoreStatus::Excluded(why).name() == name)
    }
}

impl fmt::Display for ScoreStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The status of a scored customer: what hides most comes first.
#[must_use]
pub fn score_status(score: &Score, birth: Birth, prior_dominated: bool) -> ScoreStatus {
    if score.clv.is_none() {
        ScoreStatus::NoSpendEstimate
    } else if birth != Birth::InLog {
        ScoreStatus::LeftTruncated
    } else if prior_dominated {
        ScoreStatus::PriorDominated
    } else {
        ScoreStatus::Scored
    }
}

/// Customers and their spend so far, by what became of them.
///
/// ```
/// use clv::{Coverage, Observation, ScoreStatus, TransactionLog};
///
/// let days = ["2026-01-05".parse()?, "2026-01-26".parse()?];
/// let log = TransactionLog::from_columns(&["a", "b"], &days, &[20.0, 60.0])?;
/// let customers = log.summarize(&Observation::until("2026-03-02".parse()?).in_weeks())?;
/// let mut coverage = Coverage::default();
/// coverage.add(&customers, &[ScoreStatus::Scored, ScoreStatus::PriorDominated]);
/// let shares: Vec<_> = coverage.shares().collect();
/// assert_eq!(shares[1], (ScoreStatus::PriorDominated, 1.0, 0.5, Some(0.75)));
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    rows: Vec<(ScoreStatus, f64, f64)>,
    revenue_after_end: f64,
    /// Whether the spend is known: a summary may not say.
    with_revenue: bool,
}

impl Coverage {
    /// Adds customers whose scores have these statuses, and those who were excluded.
    pub fn add(&mut self, customers: &Customers, statuses: &[ScoreStatus]) {
        self.with_revenue |= !customers.purchases().is_empty();
        for (row, &status) in statuses.iter().enumerate() {
            let spend = customers.purchases().get(row).map_or(0.0, |record| record.total_spend);
            let weight = customers.weight(row);
            self.enter(status, weight, weight * spend);
        }
        customers.excluded().for_each(|(_, why)| self.enter(ScoreStatus::Excluded(why), 1.0, 0.0));
        self.revenue_after_end += customers.excluded_revenue_after_end().sum::<f64>();
    }

    /// Adds customers of whom nothing but their status is known.
    ///
    /// ```
    /// use clv::{Coverage, ScoreStatus};
    ///
    /// let mut coverage = Coverage::default();
    /// coverage.add_statuses(&[ScoreStatus::Scored, ScoreStatus::PriorDominated, ScoreStatus::Scored, ScoreStatus::Scored]);
    /// assert_eq!(coverage.shares().next(), Some((ScoreStatus::Scored, 3.0, 0.75, None)));      // their spend is not known
    /// ```
    pub fn add_statuses(&mut self, statuses: &[ScoreStatus]) {
        statuses.iter().for_each(|&status| self.enter(status, 1.0, 0.0));
    }

    fn enter(&mut self, status: ScoreStatus, customers: f64, revenue: f64) {
        match self.rows.binary_search_by_key(&status, |row| row.0) {
            Ok(at) => {
                self.rows[at].1 += customers;
                self.rows[at].2 += revenue;
            }
            Err(at) => self.rows.insert(at, (status, customers, revenue)),
        }
    }

    /// What those spend in the log who are first seen after the observation end: it is to come, and no part of the spend so far.
    #[must_use]
    pub fn revenue_after_end(&self) -> f64 {
        self.revenue_after_end
    }

    /// For each status that occurs, the number of customers, their share, and their share of the spend so far where that is known.
    pub fn shares(&self) -> impl Iterator<Item = (ScoreStatus, f64, f64, Option<f64>)> {
        let all = self.rows.iter().fold((0.0, 0.0), |all, row| (all.0 + row.1, all.1 + row.2));
        let revenue = move |part: f64| (self.with_revenue && all.1 > 0.0).then(|| part / all.1);
        self.rows.iter().map(move |&(status, customers, spend)| (status, customers, customers / all.0, revenue(spend)))
    }
}

impl Scorer<AnyPurchaseModel> {
    /// Scores row `index`, whatever is known of its birth. One at an unknown time is taken for new when first seen.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn score_row(&self, customers: &Customers, index: usize) -> Score {
        let (history, spend) = (customers.history(index), customers.spend(index));
        match customers.left_truncated_row::<EveryCustomer>(index) {
            Ok(row) if row.before() > 0.0 => self.score_born_before(&row, &spend),
            _ => self.score(&history, &spend),
        }
    }

    /// [`discounted_time_alive`](Self::discounted_time_alive) of row `index`, whatever is known of its birth.
    #[cfg(feature = "cli")]
    pub(crate) fn discounted_time_alive_of_row(&self, customers: &Customers, index: usize) -> f64 {
        let row = match customers.left_truncated_row::<EveryCustomer>(index) {
            Ok(row) if row.before() > 0.0 => row,
            _ => return self.discounted_time_alive(&customers.history(index)),
        };
        match *self.models().0 {
            AnyPurchaseModel::BgNbd(model) => self.by(model).left_truncated_time_alive(&row),
            AnyPurchaseModel::MbgNbd(model) => self.by(model).left_truncated_time_alive(&row),
            AnyPurchaseModel::ParetoNbd(model) => self.by(model).left_truncated_time_alive(&row),
            AnyPurchaseModel::Nbd(model) => self.by(model).discounted_time_alive(row.history()),
        }
    }

    fn score_born_before(&self, row: &LeftTruncated<EveryCustomer>, spend: &SpendHistory) -> Score {
        match *self.models().0 {
            AnyPurchaseModel::BgNbd(model) => self.by(model).score_left_truncated(row, spend),
            AnyPurchaseModel::MbgNbd(model) => self.by(model).score_left_truncated(row, spend),
            AnyPurchaseModel::ParetoNbd(model) => self.by(model).score_left_truncated(row, spend),
            // Without dropout the time before the log says nothing.
            AnyPurchaseModel::Nbd(model) => self.by(model).score(row.history(), spend),
        }
    }
}

impl AnyPurchaseModel {
    /// How much of the purchase rate expected of a customer who is alive is that of the base: alpha/(alpha + T) after a time T in which purchases could be seen.
    ///
    /// The expected rate is w r/alpha + (1 - w) x/T with this weight w: the mean of the base and the customer's own rate. It is 1 for a customer of no age.
    ///
    /// ```
    /// let model = clv::AnyPurchaseModel::from_name("bg-nbd", &[0.243, 4.414, 0.793, 2.426])?;
    /// let w = model.prior_weight(38.86);
    /// assert!((w - 0.102).abs() < 1e-4);
    /// assert!((w * 0.243 / 4.414 + (1.0 - w) * 2.0 / 38.86 - 2.243 / (4.414 + 38.86)).abs() < 1e-15);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn prior_weight(&self, exposure: f64) -> f64 {
        1.0 / (1.0 + exposure / self.rate_distribution().1)
    }

    /// Whether next to nothing is known of a customer alone after a time in which purchases could be seen: more than nine tenths of the expected rate are that of
    /// the base ([`prior_weight`](Self::prior_weight)), and not even one repeat purchase would have been expected of a customer who stays. (Of a base in which all
    /// buy at the same rate everything is prior, however old a customer is; that is no lack of evidence.)
    #[must_use]
    pub fn is_prior_dominated(&self, exposure: f64) -> bool {
        let (r, alpha) = self.rate_distribution();
        self.prior_weight(exposure) > MOSTLY_PRIOR && r / alpha * exposure < 1.0
    }

    /// r and alpha: the gamma distribution of the purchase rate over customers.
    fn rate_distribution(&self) -> (f64, f64) {
        match self {
            AnyPurchaseModel::BgNbd(model) => (model.params().r, model.params().alpha),
            AnyPurchaseModel::MbgNbd(model) => (model.params().r, model.params().alpha),
            AnyPurchaseModel::ParetoNbd(model) => (model.params().r, model.params().alpha),
            AnyPurchaseModel::Nbd(model) => (model.params().r, model.params().alpha),
        }
    }
}
