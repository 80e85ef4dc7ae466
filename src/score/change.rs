//! Whether customers change with the time of their acquisition: parameters along the cohorts, and the day since which they are others.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::estimate::{Estimate, Uncertain};
use crate::data::Customers;
use crate::error::Result;
use crate::fit::{Estimator, Fitted, Level, Prior};
use crate::models::{Estimable, PurchaseModel, Sample};
use crate::parallel::map_indices;

/// Cohorts of a rolling window.
const WINDOW: usize = 3;

/// Days at which customers may have changed that are looked at, and the fewest who must have come back on either side.
const MOST_SPLITS: usize = 12;
const FEWEST_REPEAT_BUYERS: usize = 20;

/// Where -ln P(alive) is below this on either side, practically nobody has dropped out, and a ratio of such figures says nothing.
const LEAST_WEAR: f64 = 1e-3;

/// Below this probability customers are taken to have changed.
const SIGNIFICANT: f64 = 0.05;

/// How customers acquired at some time behave: a point of [`Change::cohorts`] or [`Change::windows`]. [`CohortStudy`](crate::CohortStudy) has an example.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PathPoint {
    /// The first cohort.
    pub from: String,
    /// The last cohort: the same for a path of single ones.
    pub until: String,
    /// Customers.
    pub customers: f64,
    /// Purchases per unit of time while they stay: r/alpha.
    pub purchase_rate: Estimate,
    /// The share that has dropped out by [`Change::by_age`]; none by a model without dropout.
    pub gone: Option<Estimate>,
}

/// Since when customers are others than before; [`CohortStudy`](crate::CohortStudy) has an example.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Change {
    /// The age at which dropout is compared.
    pub by_age: f64,
    /// Cohort by cohort, by the fits that were asked for.
    pub cohorts: Vec<PathPoint>,
    /// Three cohorts at a time, each window fitted on its own.
    pub windows: Vec<PathPoint>,
    /// The first cohort after the change that fits best; none when there are too few customers to look for one.
    pub since: Option<String>,
    /// Probability of so large a gain from telling those before it from those since if nothing had changed (Bonferroni over the days looked at).
    pub p_no_change: Option<f64>,
    /// How many times as often those since buy, while they stay.
    pub purchases: Option<Estimate>,
    /// How many times as fast they drop out: the ratio of -ln P(alive) at [`by_age`](Self::by_age); none where on either side practically nobody does.
    pub dropout: Option<Estimate>,
    /// The verdict in a sentence.
    pub verdict: String,
}

/// Customers in cohorts that follow each other in time.
pub(super) struct InTime<'a> {
    pub(super) customers: &'a Customers,
    pub(super) cohort_of: &'a [usize],
    pub(super) names: &'a [String],
    pub(super) prior: Option<Prior>,
    pub(super) level: Level,
}

fn rate<M: Estimable>(model: &M) -> f64 {
    let parameters = model.parameters();
    parameters[0] / parameters[1]
}

/// -ln P(alive at an age): with every customer's risk alike, proportional to it.
fn wear<M: PurchaseModel>(model: &M, age: f64) -> f64 {
    -model.p_alive_at(age).max(f64::MIN_POSITIVE).ln()
}

impl InTime<'_> {
    /// The path, and the change; `fits` are those of the cohorts, in order.
    pub(super) fn change<M>(&self, fits: &[&Fitted<M>], pooled: &Fitted<M>) -> Result<Change>
    where
        M: PurchaseModel + Estimable<Sample: Sample<Source = Customers>>,
    {
        let ages = self.customers.age();
        let by_age = ages.iter().sum::<f64>() / ages.len().max(1) as f64;
        let point = |fitted: &Fitted<M>, from: usize, until: usize| {
            let model = Uncertain::of(fitted);
            let gone = (wear(&model.centre, by_age) > 0.0).then(|| {
                let wear = model.positive(|model| wear(model, by_age), 0.0, self.level);
                let share = |wear: f64| -(-wear).exp_m1();
                Estimate { value: share(wear.value), lower: share(wear.lower), upper: share(wear.upper) }
            });
            let (from, until) = (self.names[from].clone(), self.names[until].clone());
            PathPoint { from, until, customers: fitted.customers(), purchase_rate: model.positive(rate, 0.0, self.level), gone }
        };
        let cohorts = fits.iter().enumerate().map(|(c, fitted)| point(fitted, c, c)).collect();
        let windows = map_indices((self.names.len() + 1).saturating_sub(WINDOW), |first| {
            let fitted = self.fit::<M>(|cohort| (first..first + WINDOW).contains(&cohort)).ok()?;
            Some(point(&fitted, first, first + WINDOW - 1))
        });
        let mut change = Change {
            by_age,
            cohorts,
            windows: windows.into_iter().flatten().collect(),
            since: None,
            p_no_change: None,
            purchases: None,
            dropout: None,
            verdict: "There are too few customers who came back to say whether those acquired later are others.".to_owned(),
        };
        let splits = self.splits();
        let fitted = map_indices(splits.len(), |k| {
            let (before, since) = (self.fit::<M>(|cohort| cohort < splits[k]).ok()?, self.fit::<M>(|cohort| cohort >= splits[k]).ok()?);
            let gain = 2.0 * (before.log_likelihood() + since.log_likelihood() - pooled.log_likelihood());
            Some((gain, splits[k], before, since))
        });
        let best = fitted.into_iter().flatten().max_by(|(one, ..), (other, ..)| one.total_cmp(other));
        if let Some((gain, split, before, since)) = best {
            let d = M::PARAMETERS.len() as f64;
            let p = ChiSquared::new(d).map_or(1.0, |chi_squared| chi_squared.sf(gain.max(0.0)));
            self.judge(&mut change, (p * splits.len() as f64).min(1.0), split, &Uncertain::of(&before), &Uncertain::of(&since));
        }
        Ok(change)
    }

    fn judge<M: PurchaseModel + Estimable>(&self, change: &mut Change, p: f64, split: usize, before: &Uncertain<M>, since: &Uncertain<M>) {
        let by_age = change.by_age;
        let ratio = |of: &dyn Fn(&M) -> f64| {
            let earlier = of(&before.centre);
            (earlier > 0.0).then(|| since.positive(|model| of(model) / earlier, before.variance_of_log(of), self.level))
        };
        let of_dropout = |model: &M| wear(model, by_age);
        let some_drop_out = [&before.centre, &since.centre].into_iter().all(|model| of_dropout(model) >= LEAST_WEAR);
        (change.purchases, change.dropout) = (ratio(&rate), ratio(&of_dropout).filter(|_| some_drop_out));
        let name = &self.names[split];
        (change.since, change.p_no_change) = (Some(name.clone()), Some(p));
        let differs = |ratio: Option<Estimate>| ratio.filter(|ratio| ratio.lower > 1.0 || ratio.upper < 1.0);
        let part = |ratio: Option<Estimate>, more: &str, less: &str| {
            differs(ratio).map(|Estimate { value, lower, upper }| {
                let word = if value > 1.0 { more } else { less };
                format!("{word} ({value:.2} times, {:.0} %: {lower:.2} to {upper:.2})", 100.0 * self.level.share())
            })
        };
        let parts: Vec<String> = [
            part(change.dropout, "drop out faster", "drop out more slowly"),
            part(change.purchases, "buy more often while they stay", "buy less often while they stay"),
        ]
        .into_iter()
        .flatten()
        .collect();
        change.verdict = match (p < SIGNIFICANT, parts.is_empty()) {
            (false, _) => format!("Customers acquired later are not seen to differ from those before (p = {p:.2})."),
            (true, false) => format!("Customers acquired since {name} {} than those before.", parts.join(" and ")),
            (true, true) => format!(
                "Customers acquired since {name} differ from those before, neither plainly in how often they buy nor in how fast they drop out."
            ),
        };
    }

    /// Cohorts that may be the first after a change.
    fn splits(&self) -> Vec<usize> {
        let mut repeat_buyers = vec![0_usize; self.names.len()];
        for (row, &cohort) in self.cohort_of.iter().enumerate() {
            repeat_buyers[cohort] += usize::from(self.customers.frequency()[row] > 0);
        }
        let enough = |range: &[usize]| range.iter().sum::<usize>() >= FEWEST_REPEAT_BUYERS;
        let possible: Vec<usize> =
            (1..self.names.len()).filter(|&split| enough(&repeat_buyers[..split]) && enough(&repeat_buyers[split..])).collect();
        let step = possible.len().div_ceil(MOST_SPLITS).max(1);
        possible.into_iter().step_by(step).collect()
    }

    fn fit<M: Estimable<Sample: Sample<Source = Customers>>>(&self, chosen: impl Fn(usize) -> bool) -> Result<Fitted<M>> {
        let some = self.customers.where_row(|row| chosen(self.cohort_of[row]))?;
        Estimator::<M>::new().prior(self.prior).fit(&some)
    }
}
