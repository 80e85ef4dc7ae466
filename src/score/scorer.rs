//! From a customer's history to numbers one can act upon.

use super::batch::BatchScorer;
use super::columns::Asked;
use super::definition::{ClvDefinition, ClvTerms};
use crate::data::{Censored, Customers, History, SpendBasis, SpendHistory};
use crate::error::{Error, Result};
use crate::fit::Fitted;
use crate::models::{CensoredFuture, Estimable, GammaGamma, PurchaseModel};
use crate::numeric::doubling::integral;
use crate::time::Date;

/// What is forecast for one customer over the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// P(not dropped out at the observation end).
    pub p_alive: f64,
    /// P(at least one purchase within the horizon).
    pub p_active: f64,
    /// Expected number of purchases within the horizon, undiscounted; `None` for a lifetime in which they add up to no finite number.
    pub expected_purchases: Option<f64>,
    /// Expected purchases within the horizon, discounted to the observation end.
    pub discounted_purchases: f64,
    /// Expected spend of a purchase; `None` without a spend model, or where it has no mean.
    pub expected_average_spend: Option<f64>,
    /// Margin x discounted purchases x expected spend, less the cost to serve; `None` where there is no expected spend.
    pub clv: Option<f64>,
}

impl Score {
    /// Of nobody: what is in a place before a score is put there.
    pub(super) const NOTHING: Score =
        Score { p_alive: 0.0, p_active: 0.0, expected_purchases: None, discounted_purchases: 0.0, expected_average_spend: None, clv: None };
}

/// Scores customers by fixed models and a fixed definition of value.
///
/// A score depends on the customer alone, never on who else is scored. Scoring one customer neither fails nor allocates.
///
/// From fits: [`Scorer::from_fits`], which knows the unit. From parameters:
///
/// ```
/// use clv::{BgNbd, BgNbdParams, ClvDefinition, GammaGamma, GammaGammaParams, History, Scorer, SpendHistory, TimeUnit};
///
/// let purchases = BgNbd::new(BgNbdParams { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 })?;
/// let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
/// let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse()?))?;
/// let scorer = Scorer::new(purchases, Some(spend), terms);
///
/// let score = scorer.score(&History::new(2, 30.43, 38.86)?, &SpendHistory::new(2, 22.35)?);
/// assert_eq!(format!("{:.4}", score.p_alive), "0.7266");
/// assert_eq!(format!("{:.2}", score.clv.unwrap()), "36.88");
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Scorer<M> {
    purchases: M,
    spend: Option<GammaGamma>,
    spend_basis: SpendBasis,
    terms: ClvTerms,
}

impl<M: PurchaseModel + Estimable> Scorer<M> {
    /// A scorer from fits to customers, for customers measured alike and observed until `observation_end`.
    ///
    /// # Errors
    /// When the two fits are of customers measured differently, or the horizon needs a date to start from and there is none.
    pub fn from_fits(
        purchases: &Fitted<M>,
        spend: Option<&Fitted<GammaGamma>>,
        definition: &ClvDefinition,
        observation_end: Option<Date>,
    ) -> Result<Self> {
        if let Some(spend) = spend.filter(|spend| spend.unit() != purchases.unit() || spend.spend_basis() != purchases.spend_basis()) {
            return Err(Error::parameter(format!(
                "the purchase model was fitted to customers in {}s and the spend model to customers in {}s, or by another spend basis; fit both to \
                 the same summary",
                purchases.unit(),
                spend.unit()
            )));
        }
        let terms = definition.resolve(purchases.unit(), observation_end)?;
        Ok(Scorer::new(*purchases.model(), spend.map(|fitted| *fitted.model()), terms).spend_over(purchases.spend_basis()))
    }
}

impl<M: PurchaseModel> Scorer<M> {
    /// A scorer from models whose parameters are in the unit of the terms; average spends are those of the repeat purchases.
    #[must_use]
    pub fn new(purchases: M, spend: Option<GammaGamma>, terms: ClvTerms) -> Self {
        Scorer { purchases, spend, spend_basis: SpendBasis::RepeatPurchases, terms }
    }

    /// Names the purchases behind the average spends that the spend model was fitted to.
    #[must_use]
    pub fn spend_over(mut self, basis: SpendBasis) -> Self {
        self.spend_basis = basis;
        self
    }

    /// The terms of value.
    #[must_use]
    pub fn terms(&self) -> &ClvTerms {
        &self.terms
    }

    /// Scores one customer.
    #[must_use]
    pub fn score(&self, history: &History, spend: &SpendHistory) -> Score {
        let spend = self.spend.and_then(|model| model.expected_average_spend(spend));
        self.score_with(self.purchases.p_alive(history), &self.future(history, Asked::ALL), spend)
    }

    /// The same scores for customers in columns, batch after batch.
    #[must_use]
    pub fn in_batches(self) -> BatchScorer<M> {
        BatchScorer::new(self)
    }

    /// What a unit of money spent within the horizon is worth today on average: discounted over undiscounted purchases, 1 where none are expected. Like the
    /// future of a customer who is alive it depends on x and T alone.
    pub(super) fn average_discount(&self, history: &History) -> f64 {
        self.average_discount_of(&self.purchases.given_alive(history))
    }

    /// The same of a customer of whom a model says what is to come.
    pub(super) fn average_discount_of(&self, model: &impl PurchaseModel) -> f64 {
        let Future { expected_purchases, discounted_purchases, .. } = self.horizon_of(model, Asked { p_active: false, ..Asked::ALL });
        if expected_purchases > 0.0 { (discounted_purchases / expected_purchases).min(1.0) } else { 1.0 }
    }

    /// What the horizon holds for a customer who is alive.
    pub(super) fn future(&self, history: &History, asked: Asked) -> Future {
        self.horizon_of(&self.purchases.given_alive(history), asked)
    }

    /// What the horizon holds for a customer of whom a model says what is to come; NaN for what is not asked for.
    fn horizon_of(&self, model: &impl PurchaseModel, asked: Asked) -> Future {
        let (t, delta) = (self.terms.horizon(), self.terms.discount_rate());
        let (expected_purchases, discounted_purchases) = match asked {
            Asked { expected_purchases: true, discounted_purchases: true, .. } if t.is_finite() => {
                model.expected_and_discounted_purchases(t, delta)
            }
            Asked { expected_purchases, discounted_purchases, .. } => {
                let expected = || if t.is_finite() { model.expected_purchases(t) } else { model.dert(0.0).unwrap_or(f64::NAN) };
                let discounted = || model.discounted_expected_purchases(t, delta);
                (if expected_purchases { expected() } else { f64::NAN }, if discounted_purchases { discounted() } else { f64::NAN })
            }
        };
        // Nothing but its cost depends on it.
        let with_time = asked.discounted_purchases && !self.terms.cost_per_year().is_zero();
        let discounted_time_alive = if with_time { time_alive(model, t, delta) } else { 0.0 };
        let p_active = if asked.p_active { model.p_active(t) } else { f64::NAN };
        Future { p_active, expected_purchases, discounted_purchases, discounted_time_alive }
    }

    /// The expected time within the horizon until this customer drops out, in units, each moment discounted to the observation end.
    ///
    /// ```
    /// use clv::{ClvDefinition, History, Nbd, NbdParams, Scorer, TimeUnit};
    ///
    /// // By the NBD model nobody drops out: the time is that of an annuity.
    /// let purchases = Nbd::new(NbdParams { r: 0.385, alpha: 12.07 })?;
    /// let terms = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() }.resolve(TimeUnit::Week, None)?;
    /// let time = Scorer::new(purchases, None, terms).discounted_time_alive(&History::new(2, 30.43, 38.86)?);
    /// let delta = terms.discount_rate();
    /// assert!((time - (1.0 - (-52.0 * delta).exp()) / delta).abs() < 1e-9);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn discounted_time_alive(&self, history: &History) -> f64 {
        let (t, delta) = (self.terms.horizon(), self.terms.discount_rate());
        self.purchases.p_alive(history) * time_alive(&self.purchases.given_alive(history), t, delta)
    }

    /// The score of a customer who is alive with this probability, and is expected to spend so much on a purchase.
    #[inline(always)]
    pub(super) fn score_with(&self, p_alive: f64, future: &Future, expected_average_spend: Option<f64>) -> Score {
        let discounted_purchases = p_alive * future.discounted_purchases;
        Score {
            p_alive,
            p_active: p_alive * future.p_active,
            expected_purchases: Some(p_alive * future.expected_purchases).filter(|expected| !expected.is_nan()),
            discounted_purchases,
            expected_average_spend,
            clv: expected_average_spend
                .map(|amount| self.terms.value(discounted_purchases, amount, p_alive * future.discounted_time_alive)),
        }
    }

    /// A scorer by the same terms and spend model.
    pub(super) fn by<N: PurchaseModel>(&self, purchases: N) -> Scorer<N> {
        Scorer { purchases, spend: self.spend, spend_basis: self.spend_basis, terms: self.terms }
    }

    /// A scorer by other terms.
    pub(super) fn over(&self, terms: ClvTerms) -> Self {
        Scorer { terms, ..*self }
    }

    /// The models.
    pub(super) fn models(&self) -> (&M, Option<&GammaGamma>) {
        (&self.purchases, self.spend.as_ref())
    }

    /// Whether these customers are measured as the models were.
    pub(super) fn check(&self, customers: &Customers) -> Result<()> {
        if customers.unit() != self.terms.unit() {
            return Err(Error::data(format!(
                "the customers are measured in {}s and the model in {}s; summarise the log again in {}s, or fit a model to this summary",
                customers.unit(),
                self.terms.unit(),
                self.terms.unit()
            )));
        }
        if customers.has_born_before() {
            return Err(Error::data(
                "some customers were born before the log, and their purchases before it are not known; score them one by one by Scorer::score_left_truncated",
            ));
        }
        self.check_basis(customers.spend_basis())
    }

    /// Whether average spends over these purchases are what the spend model was fitted to.
    pub(super) fn check_basis(&self, basis: SpendBasis) -> Result<()> {
        if self.spend.is_some() && basis != self.spend_basis {
            return Err(Error::data(
                "the average spends of the customers and of the model are of different purchases (repeat purchases, or all); summarise the log \
                 again as the model's was",
            ));
        }
        Ok(())
    }

    /// Scores every customer, in their order.
    ///
    /// # Errors
    /// When the customers are measured in another unit than the model, or their average spends are of other purchases.
    pub fn score_all(&self, customers: &Customers) -> Result<Vec<Score>> {
        self.in_batches().score_all(customers)
    }
}

impl<M: PurchaseModel> Scorer<M> {
    /// Scores a customer of whom less is known than a history: a [`LeftTruncated`](crate::LeftTruncated) one.
    ///
    /// ```
    /// use clv::{ClvDefinition, EveryCustomer, History, LeftTruncated, ParetoNbd, ParetoNbdParams, Scorer, SpendHistory, TimeUnit};
    ///
    /// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    /// let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse()?))?;
    /// // Acquired two years before the log, and silent for all of its 39 weeks.
    /// let silent = LeftTruncated::<EveryCustomer>::born_before(104.0, History::new(0, 0.0, 39.0)?)?;
    /// let score = Scorer::new(model, None, terms).score_left_truncated(&silent, &SpendHistory::new(0, 0.0)?);
    /// assert!((score.p_alive - 0.102_775).abs() < 1e-6);
    /// # Ok::<(), clv::Error>(())
    /// ```
    #[must_use]
    pub fn score_left_truncated<D: Censored>(&self, row: &D, spend: &SpendHistory) -> Score
    where
        M: CensoredFuture<D>,
    {
        let spend = self.spend.and_then(|model| model.expected_average_spend(spend));
        let future = self.horizon_of(&self.purchases.censored_given_alive(row), Asked::ALL);
        self.score_with(self.purchases.censored_p_alive(row), &future, spend)
    }

    /// The same as [`discounted_time_alive`](Self::discounted_time_alive), of such a customer.
    #[cfg(feature = "cli")]
    pub(super) fn left_truncated_time_alive<D: Censored>(&self, row: &D) -> f64
    where
        M: CensoredFuture<D>,
    {
        let (t, delta) = (self.terms.horizon(), self.terms.discount_rate());
        self.purchases.censored_p_alive(row) * time_alive(&self.purchases.censored_given_alive(row), t, delta)
    }
}

/// What the horizon holds for a customer who is alive: it depends on x and T alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Future {
    p_active: f64,
    /// NaN for a lifetime in which they add up to no finite number.
    expected_purchases: f64,
    discounted_purchases: f64,
    /// 0 where a year costs nothing.
    discounted_time_alive: f64,
}

/// Beyond this discount, e^-40, nothing is left to add.
const FAR: f64 = 40.0;

/// The expected time until a customer who is alive drops out, up to `t`, discounted at `delta`: Int\[0..t\] e^(-delta u) P(alive at u) du. Of `t` and `delta` one
/// at least is such that it is finite, as a definition of value demands.
fn time_alive(model: &impl PurchaseModel, t: f64, delta: f64) -> f64 {
    let end = if delta > 0.0 { t.min(FAR / delta) } else { t };
    integral(end, |u| (-delta * u).exp() * model.p_alive_at(u))
}
