//! Forecasts with their uncertainty: what is known, and the intervals of customers by their exact distribution.

use std::cmp::Ordering;
use std::sync::Arc;

use super::definition::ClvDefinition;
use super::ensemble::{Ensemble, Part};
use super::predictive::{PurchaseDistribution, ValueDistribution, class_middles, survival_table};
use super::scorer::Scorer;
use crate::data::{Customers, History, SpendHistory};
use crate::error::{Error, Result};
use crate::fit::{Fitted, Level, Watch, Work};
use crate::models::{Estimable, GammaGamma, GammaGammaParams, PurchaseModel};
use crate::numeric::beta_mixture::Constants;
use crate::parallel::map_indices;
use crate::time::Date;

/// -ln of what money is worth at the end of the longest horizon with intervals of value, a little below ln(5/4).
const LONGEST_DISCOUNT: f64 = 0.22;

/// Customers of one age and frequency that are worked on together.
pub(super) const BATCH: usize = 256;

/// Two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// The central interval of equally likely values, of which there is at least one.
    pub(super) fn central(mut values: Vec<f64>, level: Level) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let (lower, upper) = level.central(&values);
        Interval { lower, upper }
    }
}

/// What may become of one customer's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueInterval {
    /// The lower end of the central interval; 0 where no purchase at all is likely enough.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// P(value > threshold); `None` when no threshold was asked for.
    pub p_above: Option<f64>,
}

impl ValueInterval {
    /// The central interval, and the chance of more than the threshold.
    pub(super) fn of(value: &ValueDistribution, level: Level, threshold: Option<f64>) -> Self {
        let (below, above) = (0.5 - 0.5 * level.share(), 0.5 + 0.5 * level.share());
        let p_above = threshold.map(|threshold| value.sf(threshold));
        ValueInterval { lower: value.quantile(below), upper: value.quantile(above), p_above }
    }
}

/// A scorer that knows what it does not know.
///
/// Two kinds of uncertainty are joined: chance (the same customer may buy or not) and what the data leave open of the parameters. A customer's
/// interval is mostly chance, that of a large group mostly parameters, which all its members share.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use clv::{BgNbd, ClvDefinition, Fit, Forecaster, GammaGamma, Level, Observation, TransactionLog};
///
/// let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
/// let end = "1997-09-30".parse()?;
/// let customers = log.summarize(&Observation::until(end).in_weeks())?;
/// let (purchases, spend) = (BgNbd::fit(&customers)?, GammaGamma::fit(&customers)?);
/// let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(end))?;
///
/// // One customer: two repeat purchases so far.
/// let i = customers.frequency().iter().position(|&x| x == 2).unwrap();
/// let value = forecaster.value(&customers.history(i), &customers.spend(i)).unwrap();
/// assert!(value.sf(0.0) < 1.0 && value.quantile(0.95) > 0.0);
///
/// // All of them together.
/// let total = &forecaster.groups(&customers, &vec![0; customers.len()], Level::default(), 200, 42, None)?[0];
/// assert!(total.clv.unwrap().lower < 72_656.0 && 72_656.0 < total.clv.unwrap().upper);
/// # }
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Forecaster<M> {
    pub(super) scorer: Scorer<M>,
    pub(super) purchases: Ensemble<M>,
    /// Shared with the forecasters of the same customers by one model, which are made for every row.
    pub(super) spend: Option<Arc<Ensemble<GammaGamma>>>,
}

impl<M: PurchaseModel + Estimable> Forecaster<M> {
    /// From fits, as [`Scorer::from_fits`]; where a likelihood is flat in some direction, the parameters are taken as known.
    ///
    /// # Errors
    /// As for [`Scorer::from_fits`].
    pub fn from_fits(
        purchases: &Fitted<M>,
        spend: Option<&Fitted<GammaGamma>>,
        definition: &ClvDefinition,
        observation_end: Option<Date>,
    ) -> Result<Self> {
        let scorer = Scorer::from_fits(purchases, spend, definition, observation_end)?;
        let spend = spend.map(|fitted| Arc::new(Ensemble::of_fit(fitted, Part::Spend).unwrap_or_else(|| Ensemble::known(*fitted.model()))));
        let purchases = Ensemble::of_fit(purchases, Part::Purchases).unwrap_or_else(|| Ensemble::known(*purchases.model()));
        Ok(Forecaster { scorer, purchases, spend })
    }
}

impl<M: PurchaseModel> Forecaster<M> {
    /// A scorer whose models are taken as known exactly: only chance remains.
    #[must_use]
    pub fn new(scorer: Scorer<M>) -> Self {
        let (purchases, spend) = scorer.models();
        Forecaster { purchases: Ensemble::known(*purchases), spend: spend.map(|model| Arc::new(Ensemble::known(*model))), scorer }
    }

    /// Takes the purchase model to be one of these instead.
    #[must_use]
    pub fn with_purchases(mut self, ensemble: Ensemble<M>) -> Self {
        self.purchases = ensemble;
        self
    }

    /// Takes the spend model to be one of these instead.
    ///
    /// # Errors
    /// When the scorer has no spend model.
    pub fn with_spend(mut self, ensemble: Ensemble<GammaGamma>) -> Result<Self> {
        if self.spend.is_none() {
            return Err(Error::parameter("the scorer has no spend model whose uncertainty could be given"));
        }
        self.spend = Some(Arc::new(ensemble));
        Ok(self)
    }

    /// The scorer of the expectations.
    #[must_use]
    pub fn scorer(&self) -> &Scorer<M> {
        &self.scorer
    }

    /// The distribution of the number of purchases within the horizon; `None` for a lifetime, in which it need not have an end.
    #[must_use]
    pub fn purchases(&self, history: &History) -> Option<PurchaseDistribution<M::Alive>> {
        let horizon = self.scorer.terms().horizon();
        let future = |model: &M| (model.p_alive(history), model.given_alive(history));
        horizon.is_finite().then(|| PurchaseDistribution::new(self.purchases.points().iter().map(future).collect(), horizon))
    }

    /// Whether values have intervals: when money keeps four fifths of its worth to the end of the horizon, which is two years at 10 %, and serving costs
    /// nothing beyond the margin. The discount of single purchases is taken at its average, and further ahead that would no longer do; a cost that goes with the
    /// number of purchases or the time until dropout is not in the distribution of what is spent.
    #[must_use]
    pub fn has_value_intervals(&self) -> bool {
        let terms = self.scorer.terms();
        self.spend.is_some()
            && !terms.has_costs()
            && terms.horizon().is_finite()
            && terms.horizon() * terms.discount_rate() <= LONGEST_DISCOUNT
    }

    /// The distribution of the value within the horizon; `None` where [`has_value_intervals`](Self::has_value_intervals) says so, and for a customer whose
    /// spend has no mean.
    #[must_use]
    pub fn value(&self, history: &History, spend: &SpendHistory) -> Option<ValueDistribution> {
        if !self.has_value_intervals() {
            return None;
        }
        self.value_of(history, spend, &self.outlook(history, spend))
    }

    /// The central intervals of every customer's value, in their order; `None` for those without one (see [`value`](Self::value)).
    ///
    /// # Errors
    /// As for [`Scorer::score_all`], or when the work was stopped.
    pub fn value_intervals(
        &self,
        customers: &Customers,
        level: Level,
        threshold: Option<f64>,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Option<ValueInterval>>> {
        self.scorer.check(customers)?;
        let n = customers.len();
        if !self.has_value_intervals() {
            return Ok(vec![None; n]);
        }
        // Customers of the same age and frequency share the outlook, and equal ones the whole distribution.
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| by_history(customers, i, j));
        let batches: Vec<&[usize]> = of_one_age(customers, &order).flat_map(|group| group.chunks(BATCH)).collect();
        let work = Work::new(batches.len() as u64, watch);
        let of_batches = map_indices(batches.len(), |b| {
            let batch = batches[b];
            if work.is_stopped() {
                return Vec::new();
            }
            let outlook = self.outlook(&customers.history(batch[0]), &customers.spend(batch[0]));
            let mut intervals: Vec<Option<ValueInterval>> = Vec::with_capacity(batch.len());
            for (k, &i) in batch.iter().enumerate() {
                if k > 0 && by_history(customers, i, batch[k - 1]).is_eq() {
                    intervals.push(intervals[k - 1]);
                    continue;
                }
                let value = self.value_of(&customers.history(i), &customers.spend(i), &outlook);
                intervals.push(value.map(|value| ValueInterval::of(&value, level, threshold)));
            }
            work.done_one();
            intervals
        });
        work.finish("the intervals")?;
        let mut intervals = vec![None; n];
        for (&i, interval) in order.iter().zip(of_batches.into_iter().flatten()) {
            intervals[i] = interval;
        }
        Ok(intervals)
    }

    fn outlook(&self, history: &History, spend: &SpendHistory) -> Outlook {
        let futures = self.purchases.points().iter().map(|model| model.given_alive(history));
        self.outlook_of(futures, self.scorer.average_discount(history), spend)
    }

    /// Of a customer who has this future if alive, by each parameter set.
    pub(super) fn outlook_of(&self, futures: impl Iterator<Item: PurchaseModel>, average_discount: f64, spend: &SpendHistory) -> Outlook {
        let terms = self.scorer.terms();
        let tables: Vec<Vec<f64>> = futures.map(|future| survival_table(&future, terms.horizon())).collect();
        let (purchases, constants) = (spend.purchases(), self.constants(spend, &tables));
        Outlook { tables, purchases, constants, scale: terms.margin().share() * average_discount }
    }

    /// Of the densities of the spend; they depend on the number of purchases behind the average spend.
    fn constants(&self, spend: &SpendHistory, tables: &[Vec<f64>]) -> Option<Arc<[Constants]>> {
        let counts: Vec<u64> = class_middles().take(tables.iter().map(Vec::len).max().unwrap_or(0)).collect();
        let of_model = |model: &GammaGamma| {
            let GammaGammaParams { p, q, .. } = model.given(spend).params();
            Constants::new(p, q, &counts)
        };
        self.spend.iter().flat_map(|spend| spend.points()).map(of_model).collect()
    }

    /// P(X > n), dropout and parameters included.
    fn survival(p_alive: impl Iterator<Item = f64>, tables: &[Vec<f64>]) -> Vec<f64> {
        let mut survival = vec![0.0; tables.iter().map(Vec::len).max().unwrap_or(0)];
        let share = 1.0 / tables.len() as f64;
        for (p_alive, table) in p_alive.zip(tables) {
            let p_alive = share * p_alive;
            for (sum, left) in survival.iter_mut().zip(table) {
                *sum += p_alive * left;
            }
        }
        survival
    }

    /// The value of a unit of money that each customer spends; `None` for who has no CLV, because their spend has no mean, and adds nothing to that of a group.
    pub(super) fn scales(&self, customers: &Customers, order: &[usize]) -> Vec<Option<f64>> {
        let mut scales = vec![None; customers.len()];
        let Some(model) = self.scorer.models().1.filter(|_| self.has_value_intervals()) else { return scales };
        let ages: Vec<&[usize]> = of_one_age(customers, order).collect();
        let margin = self.scorer.terms().margin().share();
        let discounts = map_indices(ages.len(), |k| margin * self.scorer.average_discount(&customers.history(ages[k][0])));
        for (members, scale) in ages.into_iter().zip(discounts) {
            for &i in members {
                scales[i] = model.expected_average_spend(&customers.spend(i)).map(|_| scale);
            }
        }
        scales
    }

    fn value_of(&self, history: &History, spend: &SpendHistory, outlook: &Outlook) -> Option<ValueDistribution> {
        self.value_if_alive(self.purchases.points().iter().map(|model| model.p_alive(history)), spend, outlook)
    }

    /// Of a customer who is alive with these probabilities, by each parameter set.
    pub(super) fn value_if_alive(
        &self,
        p_alive: impl Iterator<Item = f64>,
        spend: &SpendHistory,
        outlook: &Outlook,
    ) -> Option<ValueDistribution> {
        let model = self.scorer.models().1?;
        // Where spend has no mean there is no CLV to give an interval of.
        model.expected_average_spend(spend)?;
        let given = self.spend.as_ref()?.points().iter().map(|model| model.given(spend)).collect();
        // Of a customer who spent nothing the spend is as unknown as that of one who did not buy.
        let shared = spend.purchases() == outlook.purchases;
        let constants = if shared { outlook.constants.clone() } else { self.constants(spend, &outlook.tables) };
        Some(ValueDistribution::new(&Self::survival(p_alive, &outlook.tables), given, constants, outlook.scale))
    }
}

/// What customers of one age and frequency have in common.
pub(super) struct Outlook {
    /// P(X > n) if alive, for every parameter set.
    tables: Vec<Vec<f64>>,
    /// The number of purchases behind the average spend of most, and the constants of the densities of their spend, for every parameter set.
    purchases: u32,
    constants: Option<Arc<[Constants]>>,
    /// The value of a unit of money spent: margin x average discount.
    scale: f64,
}

/// Customers of the same age and frequency, in an order in which they stand together.
fn of_one_age<'a>(customers: &Customers, order: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
    let (x, age) = (customers.frequency(), customers.age());
    order.chunk_by(move |&i, &j| (x[i], age[i]) == (x[j], age[j]))
}

/// By frequency, age, recency and average spend.
pub(super) fn by_history(customers: &Customers, i: usize, j: usize) -> Ordering {
    let key = |i: usize| (customers.age()[i], customers.recency()[i], customers.average_spend()[i]);
    let (one, other) = (key(i), key(j));
    let by_frequency = customers.frequency()[i].cmp(&customers.frequency()[j]);
    by_frequency.then(one.0.total_cmp(&other.0)).then(one.1.total_cmp(&other.1)).then(one.2.total_cmp(&other.2))
}
