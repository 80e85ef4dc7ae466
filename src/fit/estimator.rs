//! Fitting with settings: where to start, what to believe beforehand, who watches.

use argmin::core::{Executor, State, TerminationReason};
use ndarray::{Array1, Array2};

use super::fitted::{Fitted, Measured};
use super::newton::TrustRegionNewton;
use super::objective::{LogPosterior, Objective};
use super::prior::Prior;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::models::{Estimable, Evaluation, Sample};
use crate::numeric::symmetric::Eigen;

/// More iterations than any fit has needed; one more is a sign of a broken likelihood, not of a hard one.
const MAX_ITERATIONS: u64 = 200;

/// An optimum that leaves a parameter open by more than this standard error of its logarithm need not be the only one.
const DOUBTFUL_STANDARD_ERROR: f64 = 1.0;

/// Another optimum is taken when ln L is higher there by more than this.
pub(super) const WORTH_MOVING: f64 = 1e-6;

/// Fits a model of a kind to customers.
///
/// ```
/// use std::ops::ControlFlow;
/// use clv::{Customer, Customers, Estimator, Fit, History, Nbd, Prior, TimeUnit};
///
/// let mut customers = Customers::new(TimeUnit::Week);
/// for (id, x, t_x, age) in [("a", 2, 30.4, 38.9), ("b", 0, 0.0, 38.7), ("c", 5, 31.0, 36.0), ("d", 1, 9.3, 30.0)] {
///     customers.push(Customer { id, history: History::new(x, t_x, age)?, average_spend: 0.0, weight: 1.0, purchases: None })?;
/// }
/// let watch = |progress| {
///     println!("{progress:?}");
///     ControlFlow::Continue(())
/// };
/// let fitted = Estimator::<Nbd>::new().prior(Prior::weak()).watch(&watch).fit(&customers)?;
/// assert!(fitted.log_likelihood() <= Nbd::fit(&customers)?.log_likelihood());    // the likelihood alone, away from its maximum
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Estimator<'a, M> {
    pub(super) start: Option<M>,
    pub(super) prior: Option<Prior>,
    pub(super) watch: Option<&'a Watch<'a>>,
}

impl<M: std::fmt::Debug> std::fmt::Debug for Estimator<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Estimator { start, prior, watch } = self;
        f.debug_struct("Estimator").field("start", start).field("prior", prior).field("watched", &watch.is_some()).finish()
    }
}

impl<M: Estimable> Default for Estimator<'_, M> {
    fn default() -> Self {
        Estimator::new()
    }
}

impl<'a, M: Estimable> Estimator<'a, M> {
    /// Plain maximum likelihood from a moment start.
    #[must_use]
    pub fn new() -> Self {
        Estimator { start: None, prior: None, watch: None }
    }

    /// Starts from a model of one's own choice instead of from moments. The optimum is the same, but where a likelihood has two maxima of nearly the
    /// same height (hardly anybody drops out) the start may decide between them.
    #[must_use]
    pub fn start(mut self, model: M) -> Self {
        self.start = Some(model);
        self
    }

    /// Adds a prior on the parameters: the estimate becomes the mode of the posterior. `None` is plain maximum likelihood.
    #[must_use]
    pub fn prior(mut self, prior: impl Into<Option<Prior>>) -> Self {
        self.prior = prior.into();
        self
    }

    /// Calls `watch` after every step, and stops when it says so.
    #[must_use]
    pub fn watch(mut self, watch: &'a Watch<'a>) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Finds the optimum.
    ///
    /// # Errors
    /// When the customers hold nothing to fit, when no optimum was found (the message then carries the evidence), or when the work was stopped.
    pub fn fit(&self, customers: &<M::Sample as Sample>::Source) -> Result<Fitted<M>> {
        let sample = M::Sample::new(customers)?;
        let objective = self.objective(&sample);
        let optimum = self.optimum(&objective)?;
        Fitted::at_optimum(&objective, &optimum, Measured::of(customers), self.watch)
    }

    pub(super) fn objective<'s>(&self, sample: &'s M::Sample) -> LogPosterior<'s, M> {
        LogPosterior::new(sample, self.prior)
    }

    pub(super) fn optimum(&self, objective: &LogPosterior<'_, M>) -> Result<Optimum> {
        let sample = objective.sample();
        let start = self.start.or_else(|| self.optimum_of_sketch(sample)).unwrap_or_else(|| M::start(sample));
        let mut best = maximise(objective, start.parameters().mapv(f64::ln), None, self.watch)?;
        if !best.is_doubtful() {
            return Ok(best);
        }
        let others = LogPosterior::<M>::model(&best.point).map_or(Vec::new(), |model| model.elsewhere(objective.sample()));
        for other in others {
            let mut there = match maximise(objective, other.parameters().mapv(f64::ln), None, self.watch) {
                Ok(there) => there,
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                // There is an optimum already.
                Err(_) => continue,
            };
            there.iterations += best.iterations;
            there.evaluations += best.evaluations;
            if there.evaluation.value > best.evaluation.value + WORTH_MOVING {
                best = there;
            } else {
                (best.iterations, best.evaluations) = (there.iterations, there.evaluations);
            }
        }
        Ok(best)
    }

    /// The optimum for the sketch of a large sample; `None` without one, and where it does not determine all parameters well: a start at a bound is a bad one.
    fn optimum_of_sketch(&self, sample: &M::Sample) -> Option<M> {
        let sketch = sample.sketch()?;
        let objective = LogPosterior::<M>::new(&sketch, None);
        let optimum = maximise(&objective, M::start(&sketch).parameters().mapv(f64::ln), None, self.watch).ok()?;
        if optimum.is_doubtful() { None } else { LogPosterior::<M>::model(&optimum.point) }
    }
}

/// Where the optimiser ended, and what it took.
#[derive(Debug)]
pub(super) struct Optimum {
    /// The logarithms of the parameters.
    pub(super) point: Array1<f64>,
    pub(super) evaluation: Evaluation,
    /// Indices of the parameters that were not at a bound.
    pub(super) free: Vec<usize>,
    pub(super) iterations: u64,
    pub(super) evaluations: u64,
}

impl Optimum {
    /// Whether another optimum may be as good: a parameter is at a bound, or hardly determined.
    fn is_doubtful(&self) -> bool {
        let wide = |covariance: Array2<f64>| covariance.diag().iter().any(|variance| variance.sqrt() > DOUBTFUL_STANDARD_ERROR);
        self.free.len() < self.point.len() || self.covariance_of_logs().is_none_or(wide)
    }

    /// The covariance of the logarithms of the free parameters, the inverse of the curvature; `None` when it is flat in some direction.
    pub(super) fn covariance_of_logs(&self) -> Option<Array2<f64>> {
        let (free, hessian) = (&self.free, &self.evaluation.hessian);
        let curvature = Array2::from_shape_fn((free.len(), free.len()), |(i, j)| -hessian[[free[i], free[j]]]);
        Eigen::of(&curvature).positive_inverse()
    }
}

/// Maximises from a start, with one of the parameters fixed if asked for.
pub(super) fn maximise<M: Estimable>(
    objective: &LogPosterior<'_, M>,
    mut start: Array1<f64>,
    fixed: Option<(usize, f64)>,
    watch: Option<&Watch<'_>>,
) -> Result<Optimum> {
    let (mut lower, mut upper) = objective.bounds();
    if let Some((parameter, log)) = fixed {
        (lower[parameter], upper[parameter], start[parameter]) = (log, log, log);
    }
    let sample = objective.sample();
    climb::<M, _>(objective, TrustRegionNewton::new((lower, upper), sample.customers(), sample.magnitude(), watch), start)
}

/// Maximises an objective that is a model's likelihood in some coordinates.
pub(super) fn climb<M: Estimable, O: Objective>(objective: O, solver: TrustRegionNewton<'_>, start: Array1<f64>) -> Result<Optimum> {
    let run = Executor::new(objective, solver)
        .configure(|state| state.param(start).max_iters(MAX_ITERATIONS))
        .timer(false)
        .run()
        .map_err(|error| Error::fit(format!("fitting {}: {error}", M::NAME)))?;
    let state = run.state();
    let point: Array1<f64> = state.get_param().cloned().unwrap_or_default();
    let Some(evaluation) = run.solver().evaluation().cloned() else {
        return Err(Error::fit(format!("fitting {}: the likelihood was never evaluated", M::NAME)));
    };
    let not_converged = |why: &str| {
        let parameters: Vec<String> =
            M::PARAMETERS.iter().zip(&point).map(|(parameter, log)| format!("{} = {:.6}", parameter.name, log.exp())).collect();
        Error::fit(format!(
            "fitting {} did not converge: {why} after {} iterations, at {} with log-likelihood {} and a gradient of {:.1e} per customer; look at the data \
             for outliers, and please report it",
            M::NAME,
            state.get_iter(),
            parameters.join(", "),
            -state.get_cost(),
            run.solver().scaled_gradient(&point, &evaluation.gradient)
        ))
    };
    match state.get_termination_reason() {
        Some(TerminationReason::SolverConverged) => {}
        Some(TerminationReason::Interrupt) => {
            return Err(Error::cancelled(format!("fitting {} was stopped after {} iterations", M::NAME, state.get_iter())));
        }
        Some(TerminationReason::SolverExit(why)) => return Err(not_converged(why)),
        Some(other) => return Err(not_converged(other.text())),
        None => return Err(not_converged("stopped for no reason")),
    }
    let free = run.solver().free(&point, &evaluation.gradient);
    let evaluations = run.problem().counts.get("evaluations").copied().unwrap_or_default();
    Ok(Optimum { free, iterations: state.get_iter(), evaluations, point, evaluation })
}
