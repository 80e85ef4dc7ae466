//! The bootstrap: how an estimate varies from one sample to the next, by fitting to many.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};

use super::estimator::Estimator;
use super::inference::Level;
use super::objective::LogPosterior;
use super::watch::Work;
use crate::error::{Error, ErrorKind, Result};
use crate::models::{Estimable, Sample};
use crate::parallel::map_indices;
use crate::simulate::{Redraw, random_stream};

/// Where the samples of a bootstrap come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resampling {
    /// The customers themselves, drawn with replacement: no belief in the model is needed.
    Cases,
    /// The fitted model: each customer observed for as long, with another chance. What varies if the model is right.
    Parametric,
}

/// Estimates from many samples.
#[derive(Debug, Clone)]
pub struct Bootstrap<M> {
    estimate: M,
    models: Vec<M>,
    failed: u64,
}

impl<M: Redraw> Estimator<'_, M> {
    /// Fits the model again to `replications` samples of the same size.
    ///
    /// Replication i has random stream i of the seed: the result does not depend on the number of threads. Replications whose sample holds nothing
    /// to fit, or has no optimum, are counted ([`Bootstrap::failed`]) and left out.
    ///
    /// ```
    /// # use clv::{Customer, Customers, History, TimeUnit};
    /// use clv::{Estimator, Level, Nbd, Resampling};
    ///
    /// # let mut customers = Customers::new(TimeUnit::Week);
    /// # for i in 0..200_u32 {
    /// #     let x = i % 5 * (i % 3);
    /// #     let history = History::new(x, if x == 0 { 0.0 } else { 20.0 }, 30.0)?;
    /// #     customers.push(Customer { id: &i.to_string(), history, average_spend: 0.0, weight: 1.0, purchases: None })?;
    /// # }
    /// let bootstrap = Estimator::<Nbd>::new().bootstrap(&customers, Resampling::Cases, 200, 42)?;
    /// let (lower, upper) = bootstrap.interval(0, Level::default()).unwrap();    // r, the first parameter
    /// assert!(lower < upper && bootstrap.failed() == 0);
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`fit`](Self::fit), with fewer than two replications, when fewer than two could be fitted, or when the work was stopped.
    pub fn bootstrap(
        &self,
        customers: &<M::Sample as Sample>::Source,
        resampling: Resampling,
        replications: u32,
        seed: u64,
    ) -> Result<Bootstrap<M>> {
        if replications < 2 {
            return Err(Error::parameter(format!("{replications} replications show no variation; a thousand give an interval")));
        }
        let sample = M::Sample::new(customers)?;
        let objective = self.objective(&sample);
        let optimum = self.optimum(&objective)?;
        let Some(estimate) = LogPosterior::<M>::model(&optimum.point) else {
            return Err(Error::fit(format!("fitting {} left the domain of the model", M::NAME)));
        };
        if resampling == Resampling::Cases && sample.shares_customers() {
            return Err(Error::parameter(
                "the customers of histograms that count them several times cannot be drawn anew, since nobody knows who they are; draw from the model: \
                 Resampling::Parametric",
            ));
        }
        let work = Work::new(u64::from(replications), self.watch);
        let replicates = map_indices(replications as usize, |i| {
            if work.is_stopped() {
                return None;
            }
            let model = replicate(&objective, &estimate, resampling, random_stream(seed, i as u64));
            work.done_one();
            Some(model)
        });
        work.finish(&format!("the bootstrap of {}", M::NAME))?;
        let mut bootstrap = Bootstrap { estimate, models: Vec::with_capacity(replicates.len()), failed: 0 };
        for replicate in replicates.into_iter().flatten() {
            match replicate {
                Ok(model) => bootstrap.models.push(model),
                Err(error) if error.kind() == ErrorKind::Fit => bootstrap.failed += 1,
                Err(error) => return Err(error),
            }
        }
        if bootstrap.models.len() < 2 {
            return Err(Error::fit(format!(
                "{} of {replications} bootstrap samples could not be fitted by {}; there are too few repeat buyers",
                bootstrap.failed,
                M::NAME
            )));
        }
        Ok(bootstrap)
    }
}

/// One sample, and the estimate from it.
fn replicate<M: Redraw>(objective: &LogPosterior<'_, M>, estimate: &M, resampling: Resampling, mut rng: ChaCha8Rng) -> Result<M> {
    let sample = match resampling {
        Resampling::Cases => objective.sample().with_weights(&redrawn_weights(&objective.sample().weights(), &mut rng))?,
        Resampling::Parametric => estimate.redraw(objective.sample(), &mut rng)?,
    };
    let estimator = Estimator { start: Some(*estimate), prior: objective.prior(), watch: None };
    let there = estimator.optimum(&objective.of_other(&sample))?;
    LogPosterior::<M>::model(&there.point).ok_or_else(|| Error::fit(format!("fitting {} left the domain of the model", M::NAME)))
}

/// How often each row comes when as many customers are drawn with replacement: row by row, how many of the draws that are left fall on it.
fn redrawn_weights<R: Rng>(weights: &[f64], rng: &mut R) -> Vec<f64> {
    let mut weight_left: f64 = weights.iter().sum();
    let mut left = weight_left.round().max(1.0) as u64;
    let draw = |&weight: &f64| {
        let share = if weight_left > weight { weight / weight_left } else { 1.0 };
        let drawn = Binomial::new(left, share).map_or(0, |binomial| binomial.sample(rng));
        weight_left -= weight;
        left -= drawn;
        drawn as f64
    };
    weights.iter().map(draw).collect()
}

impl<M: Estimable> Bootstrap<M> {
    /// The estimate from the customers themselves.
    #[must_use]
    pub fn estimate(&self) -> &M {
        &self.estimate
    }

    /// The estimates from the samples, in the order of the replications.
    #[must_use]
    pub fn models(&self) -> &[M] {
        &self.models
    }

    /// Replications whose sample could not be fitted.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The standard deviation of a parameter over the replications, by its index in [`Estimable::PARAMETERS`]; `None` when there is no such parameter.
    #[must_use]
    pub fn standard_error(&self, parameter: usize) -> Option<f64> {
        let values = self.values(parameter)?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        Some((values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0)).sqrt())
    }

    /// The percentile interval of a parameter: the central share `level` of the replications; `None` when there is no such parameter.
    #[must_use]
    pub fn interval(&self, parameter: usize, level: Level) -> Option<(f64, f64)> {
        let mut values = self.values(parameter)?;
        values.sort_by(f64::total_cmp);
        Some(level.central(&values))
    }

    fn values(&self, parameter: usize) -> Option<Vec<f64>> {
        self.models.iter().map(|model| model.parameters().get(parameter).copied()).collect()
    }
}
