//! Partial pooling: modes of the groups and how the groups differ, each found anew from the other until both have settled.

use ndarray::{Array1, Array2};

use super::between_groups::{Between, Local, Spread};
use super::estimator::{Optimum, climb};
use super::fitted::{FitStatus, Fitted, Measured};
use super::groups::{GroupFit, GroupFits};
use super::newton::TrustRegionNewton;
use super::objective::{LogPosterior, Objective};
use super::sandwich;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::models::{Estimable, Evaluation, Notice, NoticeKind, Sample};
use crate::parallel::map_indices;

/// Rounds of modes and of what they say about all groups; a handful is usual.
const MAX_ROUNDS: usize = 60;

/// The rounds end when neither the mean nor a standard deviation, in the logarithm, moves by more.
const SETTLED: f64 = 1e-4;

/// A group whose estimate is by more than this that of all groups is told of.
const MOSTLY_PRIOR: f64 = 0.5;

/// The standard deviations of the first round: with none, a group that is unlike the others would be judged by the curvature of its likelihood far from its own
/// optimum. And how far the mean of all may move in a round, since the quadratics it is found on hold near the modes only.
const FIRST_SD: f64 = 0.5;
const LARGEST_MOVE: f64 = 1.0;

/// A standard error of a log-parameter of the pooled fit beyond which that parameter is open.
const LEFT_OPEN: f64 = 1.0;

/// How far a group's mode may lie from the mean of all, in standard deviations.
const FARTHEST: f64 = 40.0;

/// A group's log-likelihood plus the log-density of theta = m + sigma z, z standard normal, as a function of z: well scaled whatever sigma is, 0 included.
struct Shrunk<'a, M: Estimable> {
    own: LogPosterior<'a, M>,
    /// The logarithms of all parameters; those that are not free stay.
    base: &'a Array1<f64>,
    free: &'a [usize],
    between: &'a Between,
}

impl<M: Estimable> Shrunk<'_, M> {
    fn point(&self, z: &Array1<f64>) -> Array1<f64> {
        let mut point = self.base.clone();
        for (k, &i) in self.free.iter().enumerate() {
            point[i] = self.between.mean[k] + self.between.sd[k] * z[k];
        }
        point
    }

    /// The group's own log-likelihood around a point, in the free parameters.
    fn local(&self, z: &Array1<f64>) -> Local {
        let (point, free) = (self.point(z), self.free);
        let at = (&self.own).evaluate(&point);
        let pick = |all: &Array1<f64>| free.iter().map(|&i| all[i]).collect::<Array1<f64>>();
        let hessian = Array2::from_shape_fn((free.len(), free.len()), |(k, l)| at.hessian[[free[k], free[l]]]);
        Local::new(pick(&point), at.value, pick(&at.gradient), &hessian)
    }
}

impl<M: Estimable> Objective for &Shrunk<'_, M> {
    fn evaluate(&self, z: &Array1<f64>) -> Evaluation {
        let (free, sd) = (self.free, &self.between.sd);
        let at = (&self.own).evaluate(&self.point(z));
        let gradient = Array1::from_shape_fn(free.len(), |k| sd[k] * at.gradient[free[k]] - z[k]);
        let hessian = Array2::from_shape_fn((free.len(), free.len()), |(k, l)| {
            sd[k] * at.hessian[[free[k], free[l]]] * sd[l] - if k == l { 1.0 } else { 0.0 }
        });
        Evaluation { value: at.value - 0.5 * z.dot(z), gradient, hessian }
    }
}

/// A partially pooled fit under way.
pub(super) struct Partial<'a, M: Estimable> {
    samples: &'a [M::Sample],
    base: Array1<f64>,
    free: Vec<usize>,
    between: Between,
    modes: Vec<(Optimum, Local)>,
    rounds: usize,
}

impl<'a, M: Estimable> Partial<'a, M> {
    /// Rounds of modes and of what they say about all groups, until they have settled.
    pub(super) fn of(
        pooled: &Optimum,
        objective: &LogPosterior<'_, M>,
        samples: &'a [M::Sample],
        watch: Option<&Watch<'_>>,
    ) -> Result<Self> {
        Partial::settled(pooled, objective, samples, watch).map_err(|error| explained::<M>(error, pooled))
    }

    fn settled(pooled: &Optimum, objective: &LogPosterior<'_, M>, samples: &'a [M::Sample], watch: Option<&Watch<'_>>) -> Result<Self> {
        let free = pooled.free.clone();
        let mean: Array1<f64> = free.iter().map(|&i| pooled.point[i]).collect();
        let sd = Array1::from_elem(free.len(), FIRST_SD);
        let mut partial =
            Partial { samples, base: pooled.point.clone(), free, between: Between { mean, sd }, modes: Vec::new(), rounds: 0 };
        let mut starts = vec![Array1::zeros(partial.free.len()); samples.len()];
        loop {
            let modes = map_indices(samples.len(), |c| partial.mode(c, starts[c].clone(), objective, watch));
            partial.modes = modes.into_iter().collect::<Result<_>>()?;
            partial.rounds += 1;
            let locals: Vec<Local> = partial.modes.iter().map(|(_, local)| local.clone()).collect();
            let mut next = partial.between.updated(&locals, partial.rounds == 1);
            next.mean.zip_mut_with(&partial.between.mean, |next, now| *next = next.clamp(now - LARGEST_MOVE, now + LARGEST_MOVE));
            let moved = |one: &Array1<f64>, other: &Array1<f64>| (one - other).iter().fold(0.0_f64, |most, d| most.max(d.abs()));
            let change = moved(&next.mean, &partial.between.mean).max(moved(&next.sd, &partial.between.sd));
            if change < SETTLED {
                return Ok(partial);
            }
            if partial.rounds == MAX_ROUNDS {
                return Err(Error::fit(format!(
                    "partial pooling of {} did not settle in {MAX_ROUNDS} rounds: it still moves by {change:.1e}; fit fewer or larger groups, and \
                     please report it",
                    M::NAME
                )));
            }
            for (start, local) in starts.iter_mut().zip(&locals) {
                let from_mean = &local.point - &next.mean;
                *start = Array1::from_shape_fn(from_mean.len(), |k| if next.sd[k] > 0.0 { from_mean[k] / next.sd[k] } else { 0.0 });
            }
            partial.between = next;
        }
    }

    /// The mode of a group, and its likelihood around it.
    fn mode(&self, c: usize, start: Array1<f64>, objective: &LogPosterior<'_, M>, watch: Option<&Watch<'_>>) -> Result<(Optimum, Local)> {
        let sample = &self.samples[c];
        let shrunk = Shrunk::<M> { own: LogPosterior::new(sample, None), base: &self.base, free: &self.free, between: &self.between };
        let (lower, upper) = objective.bounds();
        let bound = |bounds: &Array1<f64>, side: f64| {
            Array1::from_shape_fn(self.free.len(), |k| {
                let room = (bounds[self.free[k]] - self.between.mean[k]) * side;
                let sd = self.between.sd[k];
                side * if sd > 0.0 { (room / sd).clamp(0.0, FARTHEST) } else { FARTHEST }
            })
        };
        let solver = TrustRegionNewton::new((bound(&lower, -1.0), bound(&upper, 1.0)), sample.customers(), sample.magnitude(), watch);
        let optimum = climb::<M, _>(&shrunk, solver, start)?;
        let local = shrunk.local(&optimum.point);
        Ok((optimum, local))
    }

    /// The fits to the groups, with how they differ.
    pub(super) fn into_fits(
        self,
        pooled: Fitted<M>,
        names: &[&str],
        separate: Vec<Result<Fitted<M>>>,
        measured: Measured,
    ) -> Result<GroupFits<M>> {
        let locals: Vec<Local> = self.modes.iter().map(|(_, local)| local.clone()).collect();
        let Some(covariance_of_mean) = self.between.covariance_of_mean(&locals) else {
            return Err(Error::fit(format!("the likelihood of {} is flat in some direction, for all groups together", M::NAME)));
        };
        let mut fits = GroupFits {
            pooled,
            groups: Vec::with_capacity(names.len()),
            between: self.between.clone(),
            covariance_of_mean,
            free: self.free.clone(),
            ln_marginal: 0.0,
            rounds: self.rounds,
        };
        for (c, separate) in separate.into_iter().enumerate() {
            let separate = match separate {
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                other => other,
            };
            let (optimum, local) = &self.modes[c];
            let spread = Spread::of(&local.information, &self.between.sd);
            fits.ln_marginal += optimum.evaluation.value - 0.5 * spread.ln_determinant;
            let partial = self.fitted(c, &spread, names[c], &fits.covariance_of_mean, measured)?;
            let left_open = |k: usize| {
                let variance = self.between.sd[k] * self.between.sd[k];
                if variance > 0.0 { spread.covariance[[k, k]] / variance } else { 1.0 }
            };
            let prior_shares = (0..self.free.len()).map(left_open).collect();
            let mut group = GroupFit { name: names[c].to_owned(), separate, partial, prior_shares };
            if group.prior_weight() > MOSTLY_PRIOR && self.between.sd.iter().any(|&sd| sd > 0.0) {
                group.partial.notices.push(Notice::new(
                    NoticeKind::MostlyOtherGroups,
                    format!(
                        "the {} customers of {} say little on their own: {:.0} % of the estimate is that of all groups",
                        group.customers(),
                        group.name,
                        100.0 * group.prior_weight()
                    ),
                ));
            }
            fits.groups.push(group);
        }
        Ok(fits)
    }

    /// The fit of a group, its covariance that of its mode plus what the uncertainty of the mean of all groups adds.
    fn fitted(&self, c: usize, spread: &Spread, name: &str, covariance_of_mean: &Array2<f64>, measured: Measured) -> Result<Fitted<M>> {
        let (optimum, local) = &self.modes[c];
        let mut point = self.base.clone();
        for (k, &i) in self.free.iter().enumerate() {
            point[i] = local.point[k];
        }
        let Some(model) = LogPosterior::<M>::model(&point) else {
            return Err(Error::fit(format!("fitting {} to group {name} left the domain of the model", M::NAME)));
        };
        // d theta / d m = 1 - V I
        let d = self.free.len();
        let carried = Array2::eye(d) - spread.covariance.dot(&local.information);
        let of_logs = sandwich::symmetric(&(&spread.covariance + &carried.dot(covariance_of_mean).dot(&carried.t())));
        let parameters = model.parameters();
        let natural = |(k, l)| of_logs[[k, l]] * (parameters[self.free[k]] * parameters[self.free[l]]);
        let customers = self.samples[c].customers();
        Ok(Fitted {
            model,
            status: if d == parameters.len() { FitStatus::Converged } else { FitStatus::AtBoundary },
            log_likelihood: local.value,
            customers,
            free: self.free.clone(),
            covariance: Some(Array2::from_shape_fn((d, d), natural)),
            max_abs_gradient: optimum.evaluation.gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs())) / customers,
            iterations: optimum.iterations,
            evaluations: optimum.evaluations,
            notices: Vec::new(),
            prior: None,
            measured,
        })
    }
}

/// Why the rounds had to fail, where that is known, in place of how they did.
fn explained<M: Estimable>(error: Error, pooled: &Optimum) -> Error {
    match open::<M>(pooled) {
        Some(why) if error.kind() == ErrorKind::Fit => Error::fit(format!("groups cannot borrow from each other: {why}")).because(error),
        _ => error,
    }
}

/// Why groups have nothing to borrow: the fit to all leaves a parameter open, and with it the others that go with it. How groups differ in these is then anybody's
/// guess, and the rounds have no end.
fn open<M: Estimable>(pooled: &Optimum) -> Option<String> {
    let at_bound = (0..M::PARAMETERS.len()).find(|i| !pooled.free.contains(i));
    if let Some(i) = at_bound {
        let (parameter, lower) = (&M::PARAMETERS[i], pooled.evaluation.gradient[i] < 0.0);
        let meaning = LogPosterior::<M>::model(&pooled.point).and_then(|model| model.at_bound(i, lower));
        let meaning = meaning.unwrap_or(if lower { parameter.at_lower } else { parameter.at_upper });
        return Some(format!(
            "in the fit to all {} is at the end of its range ({meaning}), so that groups are not seen to differ in it",
            parameter.name
        ));
    }
    let name = match pooled.covariance_of_logs().map(|covariance| covariance.diag().mapv(f64::sqrt)) {
        Some(errors) => {
            let widest = (0..errors.len()).max_by(|&k, &l| errors[k].total_cmp(&errors[l])).filter(|&k| errors[k] > LEFT_OPEN)?;
            M::PARAMETERS[pooled.free[widest]].name
        }
        // Flat in some direction, in which several may move together.
        None => "some parameter",
    };
    Some(format!("the fit to all leaves {name} open, so that nothing can be said of how groups differ in it"))
}
