//! Groups of customers, by cohort or channel: one fit for all, one for each, and one in which each group borrows from the others.

use ndarray::Array2;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::between_groups::Between;
use super::distribution::ParameterDistribution;
use super::estimator::Estimator;
use super::fitted::{Fitted, Measured};
use super::partial_pooling::Partial;
use crate::error::{Error, Result};
use crate::models::{Estimable, GroupedSample, Sample, SampleSource};
use crate::parallel::map_indices;

/// Fits to groups of customers in three ways: all alike ([`pooled`](Self::pooled)), each on its own ([`separate`](GroupFit::separate)), and in between
/// ([`partial`](GroupFit::partial)).
#[derive(Debug)]
pub struct GroupFits<M> {
    pub(super) pooled: Fitted<M>,
    pub(super) groups: Vec<GroupFit<M>>,
    pub(super) between: Between,
    pub(super) covariance_of_mean: Array2<f64>,
    /// Indices of the parameters that may differ: those not at a boundary in the pooled fit.
    pub(super) free: Vec<usize>,
    pub(super) ln_marginal: f64,
    pub(super) rounds: usize,
}

/// One group.
#[derive(Debug)]
pub struct GroupFit<M> {
    pub(super) name: String,
    pub(super) separate: Result<Fitted<M>>,
    pub(super) partial: Fitted<M>,
    /// For the free parameters, the share of the prior variance that the group's own evidence leaves.
    pub(super) prior_shares: Vec<f64>,
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
        let partial = Partial::of(&optimum, &objective, &samples, self.watch)?;
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
