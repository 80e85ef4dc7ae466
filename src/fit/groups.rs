//! Groups of customers, by cohort or channel: one fit for all, one for each, and one in which each group borrows from the others.

use ndarray::{Array1, Array2};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::between_groups::{Between, Local, Spread};
use super::distribution::ParameterDistribution;
use super::estimator::{Estimator, Optimum, climb};
use super::fitted::{FitStatus, Fitted, Measured};
use super::newton::TrustRegionNewton;
use super::objective::{LogPosterior, Objective};
use super::sandwich;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::models::{Estimable, Evaluation, GroupedSample, Notice, NoticeKind, Sample, SampleSource};
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

/// Fits to groups of customers in three ways: all alike ([`pooled`](Self::pooled)), each on its own ([`separate`](GroupFit::separate)), and in between
/// ([`partial`](GroupFit::partial)).
#[derive(Debug)]
pub struct GroupFits<M> {
    pooled: Fitted<M>,
    groups: Vec<GroupFit<M>>,
    between: Between,
    covariance_of_mean: Array2<f64>,
    /// Indices of the parameters that may differ: those not at a boundary in the pooled fit.
    free: Vec<usize>,
    ln_marginal: f64,
    rounds: usize,
}

/// One group.
#[derive(Debug)]
pub struct GroupFit<M> {
    name: String,
    separate: Result<Fitted<M>>,
    partial: Fitted<M>,
    /// For the free parameters, the share of the prior variance that the group's own evidence leaves.
    prior_shares: Vec<f64>,
}

impl<M: Estimable> GroupFit<M> {
    /// The group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many customers it has, by weight.
    #[must_use]
    pub fn customers(&self) -> f64 {
        self.partial.customers()
    }

    /// The fit to this group alone.
    ///
    /// # Errors
    /// Why there is none: nobody came back, or there is no optimum. [`partial`](Self::partial) then is what there is to go by.
    pub fn separate(&self) -> Result<&Fitted<M>> {
        self.separate.as_ref().map_err(|error| Error::fit(error.to_string()))
    }

    /// The fit that takes the other groups into account: the mode of the group's likelihood times the distribution of log-parameters over groups. Its
    /// log-likelihood is that of the group's customers alone; its standard errors contain what is not known of that distribution's mean.
    #[must_use]
    pub fn partial(&self) -> &Fitted<M> {
        &self.partial
    }

    /// How much of the partially pooled estimate is that of all groups: 0 for a group that speaks for itself, 1 for one that says nothing.
    ///
    /// The mean over the parameters of the share of the variance between groups that the group's own customers leave open; a parameter that does not
    /// differ between groups counts as 1.
    #[must_use]
    pub fn prior_weight(&self) -> f64 {
        if self.prior_shares.is_empty() { 1.0 } else { self.prior_shares.iter().sum::<f64>() / self.prior_shares.len() as f64 }
    }
}

impl<M: Estimable> GroupFits<M> {
    /// One fit for all.
    #[must_use]
    pub fn pooled(&self) -> &Fitted<M> {
        &self.pooled
    }

    /// The groups, in the byte order of their names.
    #[must_use]
    pub fn groups(&self) -> &[GroupFit<M>] {
        &self.groups
    }

    /// The group of a name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&GroupFit<M>> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The standard deviation over groups of the logarithm of a parameter, by its index in [`Estimable::PARAMETERS`]: 0.1 says that it differs by some 10 %
    /// from group to group, 0 that no difference can be told from chance. `None` when there is no such parameter.
    #[must_use]
    pub fn sd_between(&self, parameter: usize) -> Option<f64> {
        let k = self.free.iter().position(|&i| i == parameter);
        (parameter < M::PARAMETERS.len()).then(|| k.map_or(0.0, |k| self.between.sd[k]))
    }

    /// ln of the marginal likelihood of all groups: each group's likelihood, averaged over the distribution of log-parameters over groups (Laplace's
    /// approximation). Without differences between groups it is the log-likelihood of the pooled fit.
    #[must_use]
    pub fn ln_marginal_likelihood(&self) -> f64 {
        self.ln_marginal
    }

    /// Probability of so large a gain in the marginal likelihood over the pooled fit if all groups were alike: small where splitting is earned.
    ///
    /// Under that hypothesis each of the d standard deviations lies at the edge of what it may be, and twice the gain is a mixture of chi-squared variables
    /// of 0 to d degrees of freedom with binomial weights (Self & Liang 1987, case 9), exactly so for parameters whose estimates are independent.
    #[must_use]
    pub fn p_all_alike(&self) -> f64 {
        let gain = 2.0 * (self.ln_marginal - self.pooled.log_likelihood());
        if gain <= 0.0 {
            return 1.0;
        }
        let d = self.free.len() as u32;
        let mut weight = 0.5_f64.powi(d as i32);
        let mut p = 0.0;
        for k in 1..=d {
            weight *= f64::from(d - k + 1) / f64::from(k);
            p += weight * ChiSquared::new(f64::from(k)).map_or(0.0, |chi_squared| chi_squared.sf(gain));
        }
        p
    }

    /// The parameters of a group of which nothing is known yet: the mean of all groups, and as uncertain as groups differ.
    #[must_use]
    pub fn new_group(&self) -> ParameterDistribution {
        let mut covariance = self.covariance_of_mean.clone();
        covariance.diag_mut().scaled_add(1.0, &(&self.between.sd * &self.between.sd));
        let mut centre = self.pooled.model().parameters();
        for (k, &i) in self.free.iter().enumerate() {
            centre[i] = self.between.mean[k].exp();
        }
        let natural =
            Array2::from_shape_fn(covariance.raw_dim(), |(k, l)| covariance[[k, l]] * centre[self.free[k]] * centre[self.free[l]]);
        ParameterDistribution::new(centre, self.free.clone(), natural.view())
    }

    /// Rounds that the partially pooled fit took.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }
}

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

impl<M: Estimable<Sample: GroupedSample>> Estimator<'_, M> {
    /// Fits the model to groups of customers in three ways; `group_of[i]` names the group of row i.
    ///
    /// Partial pooling takes the log-parameters of the groups for normal around a common mean, with a standard deviation for each parameter, and estimates
    /// both by marginal likelihood. Large groups then speak for themselves, small ones lean on the others, and where groups do not differ the result is the
    /// pooled fit. A prior of the estimator goes into the pooled and the separate fits alone.
    ///
    /// ```
    /// # use clv::{AcquisitionCohort, Nbd, NbdParams, Population, TimeUnit};
    /// use clv::{Customers, Estimator};
    ///
    /// # fn customers() -> clv::Result<Customers> {
    /// #     let model = Nbd::new(NbdParams { r: 1.2, alpha: 8.0 })?;
    /// #     let cohort = AcquisitionCohort { first_day: "2025-01-01".parse()?, days: 90, customers: 600 };
    /// #     Ok(Population::new(model, TimeUnit::Week, "2025-12-31".parse()?).cohort(cohort).simulate()?.customers())
    /// # }
    /// let customers = customers()?;                                        // 600 customers who are all alike
    /// let channels: Vec<&str> = (0..customers.len()).map(|i| ["shop", "web", "app"][i % 3]).collect();
    /// let fits = Estimator::<Nbd>::new().fit_groups(&customers, &channels)?;
    /// assert_eq!(fits.groups().iter().map(|group| group.name()).collect::<Vec<_>>(), ["app", "shop", "web"]);
    /// assert!(fits.p_all_alike() > 0.05);                                  // splitting is not earned
    /// # Ok::<(), clv::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is not one name for each row, when there is one group only, when the pooled fit has no optimum or leaves a parameter so open that the rounds of
    /// the partially pooled one have no end, or when the work was stopped. A group that cannot be fitted on its own is no error.
    pub fn fit_groups<S: AsRef<str>>(&self, customers: &<M::Sample as Sample>::Source, group_of: &[S]) -> Result<GroupFits<M>> {
        if group_of.len() != customers.rows() {
            return Err(Error::parameter(format!("{} names of groups for {} rows of customers", group_of.len(), customers.rows())));
        }
        let mut names: Vec<&str> = group_of.iter().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Err(Error::parameter(format!("{} group has nothing to be compared with; name at least two", names.len())));
        }
        let index: Vec<usize> = group_of.iter().map(|name| names.partition_point(|other| *other < name.as_ref())).collect();
        let whole = M::Sample::new(customers)?;
        let samples = M::Sample::by_group(customers, &index, names.len());
        let measured = Measured::of(customers);
        let objective = self.objective(&whole);
        let optimum = self.optimum(&objective)?;
        let pooled = Fitted::at_optimum(&objective, &optimum, measured, self.watch)?;
        let partial = Partial::of(&optimum, &objective, &samples, self.watch).map_err(|error| explained::<M>(error, &optimum))?;
        let separate = map_indices(samples.len(), |c| self.separate(&samples[c], measured));
        partial.into_fits(pooled, &names, separate, measured)
    }

    fn separate(&self, sample: &M::Sample, measured: Measured) -> Result<Fitted<M>> {
        if sample.repeat_buyers() == 0.0 {
            return Err(Error::fit("nobody in this group has come back, so that it cannot be fitted on its own"));
        }
        let objective = self.objective(sample);
        Fitted::at_optimum(&objective, &self.optimum(&objective)?, measured, self.watch)
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

/// A partially pooled fit under way.
struct Partial<'a, M: Estimable> {
    samples: &'a [M::Sample],
    base: Array1<f64>,
    free: Vec<usize>,
    between: Between,
    modes: Vec<(Optimum, Local)>,
    rounds: usize,
}

impl<'a, M: Estimable> Partial<'a, M> {
    fn of(pooled: &Optimum, objective: &LogPosterior<'_, M>, samples: &'a [M::Sample], watch: Option<&Watch<'_>>) -> Result<Self> {
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

    fn into_fits(self, pooled: Fitted<M>, names: &[&str], separate: Vec<Result<Fitted<M>>>, measured: Measured) -> Result<GroupFits<M>> {
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
