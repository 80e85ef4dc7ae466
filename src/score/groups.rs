//! Forecasts for groups of customers and for all of them: totals with their uncertainty.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::forecast::{Forecaster, Interval, by_history};
use super::large_group::{Members, Places, Told};
use crate::data::{Customers, History};
use crate::error::{Error, Result};
use crate::fit::{Level, Watch, Work};
use crate::models::GammaGamma;
use crate::parallel::map_indices;
use crate::simulate::{Simulate, random_stream};

/// Customers behind one row up to which each has their own draws; beyond, their sum is drawn.
const MOST_COPIES: f64 = 1000.0;

/// Streams of random numbers from which amounts are drawn; those before are of purchases, and of parameters.
const FIRST_STREAM_OF_AMOUNTS: u64 = 1 << 42;

/// What a group of customers may come to within the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupForecast {
    /// Customers, by weight.
    pub customers: f64,
    /// The central interval of their purchases.
    pub purchases: Interval,
    /// The central interval of their CLV, of those who have one; `None` when nobody has, or values have no intervals.
    pub clv: Option<Interval>,
}

/// (purchases, value)
type Totals = (f64, f64);

impl<M: Simulate<Alive: Simulate>> Forecaster<M> {
    /// What groups of customers may come to: `groups` names for every customer a group, from 0. The whole base is one group of zeros.
    ///
    /// All customers of a group share the parameters, which are uncertain, and each has their own chance. The sum of many is nearly normal given the
    /// parameters: where its skewness is below 0.3, 16,384 totals are drawn from that, and the ends of a 90 % interval are uncertain by 0.017 standard
    /// deviations of the total. Other groups are simulated customer by customer ([`simulate_groups`](Self::simulate_groups)) with so many
    /// `replications`: small ones, those in which a few customers make up most of the total or the parameters are hardly known, those with a customer
    /// whose spend varies without bounds (q of the spend model, for this customer, at most 3), and all if one of the models is a list of models
    /// ([`Ensemble::of`](crate::Ensemble::of)).
    ///
    /// Purchases are whole numbers, the ends of their normal distribution are not rounded.
    ///
    /// # Errors
    /// As for [`Scorer::score_all`](crate::Scorer::score_all), for a lifetime horizon, when there are not as many groups as customers, a group number
    /// not below their number, fewer than two replications, or when the work was stopped.
    pub fn groups(
        &self,
        customers: &Customers,
        groups: &[usize],
        level: Level,
        replications: u32,
        seed: u64,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<GroupForecast>> {
        let base = self.base(customers, groups, replications)?;
        let work = Work::new(base.members.len() as u64, watch);
        let large = map_indices(base.members.len(), |group| {
            let members = Members { customers, rows: &base.members[group], scales: &base.scales };
            let forecast = if work.is_stopped() { None } else { self.places()?.forecast(&members, level, seed, group as u64) };
            work.done_one();
            forecast
        });
        work.finish("the forecast of groups")?;
        self.complete(&base, large, level, replications, seed, watch)
    }

    /// The same by simulation customer by customer, however large a group is.
    ///
    /// In each replication all customers share one draw of the parameters, and then each has their own chance. Replication r has random stream r of the
    /// seed, and another one for amounts, so that the result does not depend on threads. The intervals are central ones of the replications: of a thousand, the ends of a 90 %
    /// interval are uncertain by 0.07 standard deviations of the total.
    ///
    /// A row that stands for more than a thousand customers draws the sum of their purchases from a normal distribution with its mean and variance, and their
    /// spend per purchase as the mean over a thousand of them.
    ///
    /// # Errors
    /// As for [`groups`](Self::groups).
    pub fn simulate_groups(
        &self,
        customers: &Customers,
        groups: &[usize],
        level: Level,
        replications: u32,
        seed: u64,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<GroupForecast>> {
        let base = self.base(customers, groups, replications)?;
        self.complete(&base, vec![None; base.members.len()], level, replications, seed, watch)
    }

    /// The customers in groups.
    pub(super) fn base<'a>(&self, customers: &'a Customers, groups: &[usize], replications: u32) -> Result<Base<'a>> {
        let n = customers.len();
        if groups.len() != n || replications < 2 {
            return Err(Error::parameter(format!(
                "{n} customers need as many group numbers ({} were given) and at least two replications ({replications})",
                groups.len()
            )));
        }
        if let Some(group) = groups.iter().find(|group| **group >= n) {
            return Err(Error::parameter(format!("group {group} of {n} customers: groups are numbered from 0 without gaps")));
        }
        if !self.scorer.terms().horizon().is_finite() {
            return Err(Error::parameter(
                "a group can be simulated to the end of a horizon, not for life; give a horizon such as \"36 months\"",
            ));
        }
        self.scorer.check(customers)?;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| by_history(customers, i, j));
        let scales = self.scales(customers, &order);
        let mut members = vec![Vec::new(); groups.iter().max().map_or(0, |most| most + 1)];
        for i in order {
            members[groups[i]].push(i);
        }
        Ok(Base { customers, members, scales })
    }

    /// The models from which totals can be told for all parameters; `None` when one of them is a list of models.
    pub(super) fn places(&self) -> Option<Places<'_, M>> {
        let spend = match &self.spend {
            Some(spend) => Some(spend.surface()?),
            None => None,
        };
        Some(Places { purchases: self.purchases.surface()?, spend, horizon: self.scorer.terms().horizon() })
    }

    /// The forecasts there are, and simulated ones for the other groups.
    fn complete(
        &self,
        base: &Base<'_>,
        forecasts: Vec<Option<Told>>,
        level: Level,
        replications: u32,
        seed: u64,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<GroupForecast>> {
        let is_missing = |told: &Option<Told>| told.as_ref().is_none_or(|told| told.lacks_value);
        let missing: Vec<usize> = (0..forecasts.len()).filter(|&group| is_missing(&forecasts[group])).collect();
        let mut simulated =
            if missing.is_empty() { Vec::new() } else { self.simulate(base, &missing, replications, seed, watch)? }.into_iter();
        let forecast = |(group, told): (usize, Option<Told>)| {
            if let Some(Told { forecast, lacks_value: false }) = told {
                return forecast;
            }
            let (purchases, values) = simulated.next().unwrap_or_default().into_iter().unzip();
            let rows = &base.members[group];
            let clv = rows.iter().any(|&i| base.scales[i].is_some()).then(|| Interval::central(values, level));
            match told {
                Some(told) => GroupForecast { clv, ..told.forecast },
                None => GroupForecast {
                    customers: rows.iter().map(|&i| base.customers.weight(i)).sum(),
                    purchases: Interval::central(purchases, level),
                    clv,
                },
            }
        };
        Ok(forecasts.into_iter().enumerate().map(forecast).collect())
    }

    /// The totals of these groups in every replication.
    fn simulate(
        &self,
        base: &Base<'_>,
        groups: &[usize],
        replications: u32,
        seed: u64,
        watch: Option<&Watch<'_>>,
    ) -> Result<Vec<Vec<Totals>>> {
        // Another seed is another simulation in every respect: it also begins elsewhere among the draws of the parameters.
        let first = u64::from(random_stream(seed, u64::MAX).random::<u32>());
        let work = Work::new(u64::from(replications), watch);
        let replicates = map_indices(replications as usize, |r| {
            let draw = first + r as u64;
            let (purchases, spend) = (self.purchases.draw(draw), self.spend.as_ref().map(|spend| spend.draw(draw)));
            let replicate = Replicate { purchases, spend, horizon: self.scorer.terms().horizon() };
            // Amounts have a stream of their own, so that purchases are the same whatever they are worth.
            let (mut rng, mut of_amounts) = (random_stream(seed, r as u64), random_stream(seed, FIRST_STREAM_OF_AMOUNTS + r as u64));
            let mut total = |&group: &usize| {
                if work.is_stopped() { (0.0, 0.0) } else { replicate.total(base, group, &mut rng, &mut of_amounts) }
            };
            let totals: Vec<Totals> = groups.iter().map(&mut total).collect();
            work.done_one();
            totals
        });
        work.finish("the simulation of groups")?;
        Ok((0..groups.len()).map(|k| replicates.iter().map(|totals| totals[k]).collect()).collect())
    }
}

/// Customers in groups.
pub(super) struct Base<'a> {
    customers: &'a Customers,
    /// The rows of each group, equal histories one after the other: their future is worked out once.
    pub(super) members: Vec<Vec<usize>>,
    /// The value of a unit of money that each customer spends, where they have a CLV.
    pub(super) scales: Vec<Option<f64>>,
}

/// One draw of the parameters.
struct Replicate<M> {
    purchases: M,
    spend: Option<GammaGamma>,
    horizon: f64,
}

impl<M: Simulate<Alive: Simulate>> Replicate<M> {
    /// Draws what the customers of a group do.
    fn total<R: Rng>(&self, base: &Base<'_>, group: usize, rng: &mut R, of_amounts: &mut R) -> Totals {
        let (customers, rows) = (base.customers, &base.members[group]);
        let mut total = (0.0, 0.0);
        let mut last = History::NEW_CUSTOMER;
        let mut future = self.purchases.future_of(&last);
        for &i in rows {
            let history = customers.history(i);
            if history != last {
                (last, future) = (history, self.purchases.future_of(&history));
            }
            let spend = self.spend.filter(|_| base.scales[i].is_some()).map(|model| model.given(&customers.spend(i)));
            let scale = base.scales[i].unwrap_or(0.0);
            let weight = customers.weight(i);
            if weight > MOST_COPIES {
                let (bought, amount) = self.many(&history, weight, spend, rng, of_amounts);
                total = (total.0 + bought, total.1 + scale * bought * amount);
                continue;
            }
            // A row that stands for several customers is drawn as often, each with their own chance.
            let copies = weight.ceil().max(1.0);
            let each = weight / copies;
            for _ in 0..copies as u32 {
                let bought = future.draw_purchase_count(self.horizon, rng);
                total.0 += each * bought as f64;
                if let (Some(spend), true) = (spend, bought > 0) {
                    total.1 += each * scale * spend.draw_spender(of_amounts).draw_total_amount(bought, of_amounts);
                }
            }
        }
        total
    }

    /// Draws the purchases of many customers with one history, and what they spend on average.
    fn many<R: Rng>(&self, history: &History, weight: f64, spend: Option<GammaGamma>, rng: &mut R, of_amounts: &mut R) -> (f64, f64) {
        let mean = self.purchases.conditional_expected_purchases(history, self.horizon);
        let variance = self.purchases.conditional_purchase_variance(history, self.horizon);
        let normal: f64 = StandardNormal.sample(rng);
        let bought = (weight * mean + (weight * variance).sqrt() * normal).max(0.0);
        let amounts = spend
            .map_or(0.0, |spend| (0..MOST_COPIES as u32).map(|_| spend.draw_spender(of_amounts).draw_total_amount(1, of_amounts)).sum());
        (bought, amounts / MOST_COPIES)
    }
}
