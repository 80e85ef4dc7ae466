//! A fitted model with its evidence.

use ndarray::{Array2, ArrayView2};

use super::diagnosis;
use super::estimator::Optimum;
use super::objective::LogPosterior;
use super::prior::Prior;
use super::sandwich;
use super::watch::Watch;
use crate::data::{Censored, SpendBasis};
use crate::error::{Error, Result};
use crate::models::{CensoredLikelihood, Estimable, Notice, Sample, SampleSource, SeenThrough};
use crate::time::{Date, TimeUnit};

/// How a fit ended. A fit that did not converge is an error, not a status.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum FitStatus {
    /// The gradient is 0 and the likelihood curves down in every direction.
    Converged,
    /// The likelihood still rises at a bound of at least one parameter, which has no finite estimate; the others are at their optimum given it.
    AtBoundary,
}

/// A model at its maximum of likelihood, with what is known about how well the data determine it.
#[derive(Debug, Clone)]
pub struct Fitted<M> {
    pub(crate) model: M,
    pub(crate) status: FitStatus,
    pub(crate) log_likelihood: f64,
    pub(crate) customers: f64,
    /// Indices of the parameters that were free at the optimum.
    pub(crate) free: Vec<usize>,
    /// Covariance of the free parameters, on the natural scale; `None` when the likelihood is flat in some direction.
    pub(crate) covariance: Option<Array2<f64>>,
    pub(crate) max_abs_gradient: f64,
    pub(crate) iterations: u64,
    pub(crate) evaluations: u64,
    pub(crate) notices: Vec<Notice>,
    pub(crate) prior: Option<Prior>,
    pub(crate) measured: Measured,
}

/// How the customers behind a fit were measured: a model is of use only to customers measured alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) unit: TimeUnit,
    pub(crate) observation_end: Option<Date>,
    pub(crate) spend_basis: SpendBasis,
}

impl Measured {
    pub(super) fn of(customers: &impl SampleSource) -> Self {
        Measured { unit: customers.unit(), observation_end: customers.observation_end(), spend_basis: customers.spend_basis() }
    }
}

impl<M: Estimable> Fitted<M> {
    /// Gathers the evidence at the point where the optimiser stopped.
    pub(super) fn at_optimum(
        objective: &LogPosterior<'_, M>,
        optimum: &Optimum,
        measured: Measured,
        watch: Option<&Watch<'_>>,
    ) -> Result<Self> {
        let Optimum { point, evaluation: at, free, iterations, evaluations } = optimum;
        let Some(model) = LogPosterior::<M>::model(point) else {
            return Err(Error::fit(format!("fitting {} left the domain of the model", M::NAME)));
        };
        let customers = objective.sample().customers();
        let parameters = model.parameters();
        let of_logs = match model.composite_score(objective.sample()) {
            None => optimum.covariance_of_logs(),
            Some(score) => sandwich::covariance_of_logs(&score, &parameters, free, objective.prior()),
        };
        let covariance = of_logs.map(|covariance| {
            Array2::from_shape_fn(covariance.raw_dim(), |(i, j)| covariance[[i, j]] * (parameters[free[i]] * parameters[free[j]]))
        });
        // Of a scale at the edge of the doubles the variance may overflow: it is then as good as unknown.
        let covariance = covariance.filter(|covariance: &Array2<f64>| covariance.iter().all(|entry| entry.is_finite()));
        let status = if free.len() == parameters.len() { FitStatus::Converged } else { FitStatus::AtBoundary };
        let max_abs_gradient = free.iter().map(|&i| at.gradient[i].abs()).fold(0.0, f64::max) / customers;
        Ok(Fitted {
            model,
            status,
            log_likelihood: at.value - objective.ln_prior(point),
            customers,
            free: free.clone(),
            covariance,
            max_abs_gradient,
            iterations: *iterations,
            evaluations: *evaluations,
            notices: diagnosis::notices(objective, optimum, &model, watch)?,
            prior: objective.prior(),
            measured,
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Whether the optimum is inside the range of the parameters or at its edge.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }

    /// ln L at the optimum, without combinatorial constants, as the papers print it.
    #[must_use]
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// How many customers stand behind the estimate, by weight.
    #[must_use]
    pub fn customers(&self) -> f64 {
        self.customers
    }

    /// The standard error of a parameter, by its index in [`Estimable::PARAMETERS`]; `None` for one at a boundary, or when the likelihood is flat.
    #[must_use]
    pub fn standard_error(&self, parameter: usize) -> Option<f64> {
        let row = self.free.iter().position(|&i| i == parameter)?;
        self.covariance.as_ref().map(|covariance| covariance[[row, row]].sqrt())
    }

    /// The covariance of two parameters; `None` as for [`Self::standard_error`].
    #[must_use]
    pub fn covariance(&self, parameter: usize, other: usize) -> Option<f64> {
        let row = |wanted| self.free.iter().position(|&i| i == wanted);
        let (row, column) = (row(parameter)?, row(other)?);
        self.covariance.as_ref().map(|covariance| covariance[[row, column]])
    }

    /// The covariance matrix of the parameters that are not at a boundary, in order; `None` when the likelihood is flat.
    #[must_use]
    pub fn free_covariance(&self) -> Option<ArrayView2<'_, f64>> {
        self.covariance.as_ref().map(|covariance| covariance.view())
    }

    /// Indices of the parameters that are not at a boundary.
    pub(crate) fn free(&self) -> &[usize] {
        &self.free
    }

    /// The largest gradient entry per customer, in log-parameters, of the parameters that are not at a boundary.
    #[must_use]
    pub fn max_abs_gradient(&self) -> f64 {
        self.max_abs_gradient
    }

    /// Iterations of the optimiser.
    #[must_use]
    pub fn iterations(&self) -> u64 {
        self.iterations
    }

    /// Passes over the data, each giving value, gradient and Hessian.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// The unit of the model's times.
    #[must_use]
    pub fn unit(&self) -> TimeUnit {
        self.measured.unit
    }

    /// The last day of the data behind the fit, when it is known.
    #[must_use]
    pub fn observation_end(&self) -> Option<Date> {
        self.measured.observation_end
    }

    /// Which purchases the average spends behind the fit were the means of.
    #[must_use]
    pub fn spend_basis(&self) -> SpendBasis {
        self.measured.spend_basis
    }

    /// The prior that the estimate took in, if there was one.
    #[must_use]
    pub fn prior(&self) -> Option<Prior> {
        self.prior
    }

    /// Concerns that do not invalidate the fit.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl<M: CensoredLikelihood<D>, D: Censored> Fitted<SeenThrough<M, D>> {
    /// The same fit as one of the model of new customers: the parameters mean the same, however the customers were seen.
    ///
    /// So what is made from ordinary fits, scores of new customers or a model file, can be made from this one. The log-likelihood stays that of the
    /// data it was fitted to: it is comparable with other models' fits to the same data alone.
    #[must_use]
    pub fn into_plain(self) -> Fitted<M> {
        Fitted {
            model: self.model.model(),
            status: self.status,
            log_likelihood: self.log_likelihood,
            customers: self.customers,
            free: self.free,
            covariance: self.covariance,
            max_abs_gradient: self.max_abs_gradient,
            iterations: self.iterations,
            evaluations: self.evaluations,
            notices: self.notices,
            prior: self.prior,
            measured: self.measured,
        }
    }
}
