//! The evidence of one fit, as a model file keeps it.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::named_values::Named;
use crate::error::{Error, Result};
use crate::fit::{FitStatus, Fitted, Measured, ParameterDistribution, Prior};
use crate::models::{Estimable, Notice, ParameterInfo};

/// The evidence of one fit, as a model file keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FitRecord {
    model: String,
    parameters: Named<f64>,
    log_likelihood: f64,
    customers: f64,
    standard_errors: Named<Option<f64>>,
    covariance: Vec<Vec<Option<f64>>>,
    status: FitStatus,
    /// The parameters that ended at a bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    at_boundary: Vec<String>,
    max_abs_gradient: f64,
    iterations: u64,
    evaluations: u64,
    notices: Vec<Notice>,
    /// The width of the prior, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prior_log_sd: Option<f64>,
}

impl FitRecord {
    /// What is worth keeping of a fit.
    #[must_use]
    pub fn of<M: Estimable>(fitted: &Fitted<M>) -> Self {
        let n = M::PARAMETERS.len();
        let parameters = fitted.model().parameters();
        let named = |i: usize| M::PARAMETERS[i].name.to_owned();
        FitRecord {
            model: M::NAME.to_owned(),
            parameters: Named((0..n).map(|i| (named(i), parameters[i])).collect()),
            log_likelihood: fitted.log_likelihood(),
            customers: fitted.customers(),
            standard_errors: Named((0..n).map(|i| (named(i), fitted.standard_error(i))).collect()),
            covariance: (0..n).map(|i| (0..n).map(|j| fitted.covariance(i, j)).collect()).collect(),
            status: fitted.status(),
            at_boundary: (0..n).filter(|i| !fitted.free().contains(i)).map(named).collect(),
            max_abs_gradient: fitted.max_abs_gradient(),
            iterations: fitted.iterations(),
            evaluations: fitted.evaluations(),
            notices: fitted.notices().to_vec(),
            prior_log_sd: fitted.prior().map(Prior::log_sd),
        }
    }

    /// The model's name: `bg-nbd`, `gamma-gamma`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The parameters, by name, in the model's order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parameters.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The standard error of a parameter; `None` when it is at a boundary or not known.
    #[must_use]
    pub fn standard_error(&self, parameter: &str) -> Option<f64> {
        self.standard_errors.0.iter().find(|(name, _)| name == parameter).and_then(|(_, value)| *value)
    }

    /// ln L at the optimum.
    #[must_use]
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// How many customers stand behind the estimate.
    #[must_use]
    pub fn customers(&self) -> f64 {
        self.customers
    }

    /// How the fit ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }

    /// Passes over the data.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Concerns that do not invalidate the fit.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The prior that the estimate took in, if there was one.
    #[must_use]
    pub fn prior(&self) -> Option<Prior> {
        self.prior_log_sd.and_then(|log_sd| Prior::log_normal(log_sd).ok())
    }

    /// The distribution of the estimate, as [`Fitted::parameter_distribution`]; `None` when the likelihood was flat in some direction.
    #[must_use]
    pub fn parameter_distribution(&self) -> Option<ParameterDistribution> {
        let parameters = self.parameters.0.iter().map(|(_, value)| *value).collect();
        Some(ParameterDistribution::of_fit(parameters, self.free(), self.free_covariance()?.view()))
    }

    /// Indices of the parameters that are not at a boundary.
    fn free(&self) -> Vec<usize> {
        (0..self.parameters.0.len()).filter(|&i| !self.at_boundary.contains(&self.parameters.0[i].0)).collect()
    }

    /// Their covariance; `None` when the likelihood was flat in some direction.
    fn free_covariance(&self) -> Option<Array2<f64>> {
        let free = self.free();
        let entries: Option<Vec<f64>> = free.iter().flat_map(|&i| free.iter().map(move |&j| self.covariance[i][j])).collect();
        Array2::from_shape_vec((free.len(), free.len()), entries?).ok()
    }

    /// The fit itself, when it is of this model.
    pub(super) fn fitted<M: Estimable>(&self, measured: Measured) -> Option<Fitted<M>> {
        let parameters: Vec<f64> = self.parameters.0.iter().map(|(_, value)| *value).collect();
        let model = M::from_parameters(&parameters).ok().filter(|_| self.model == M::NAME)?;
        Some(Fitted {
            model,
            status: self.status,
            log_likelihood: self.log_likelihood,
            customers: self.customers,
            free: self.free(),
            covariance: self.free_covariance(),
            max_abs_gradient: self.max_abs_gradient,
            iterations: self.iterations,
            evaluations: self.evaluations,
            notices: self.notices.clone(),
            prior: self.prior(),
            measured,
        })
    }

    /// Checks a record against the parameters its model should have, and gives their values.
    pub(super) fn check(&mut self, expected: &[ParameterInfo]) -> Result<Vec<f64>> {
        let model = self.model.clone();
        let broken = |rule: String| Error::file(format!("{model}: {rule}"));
        self.parameters.arrange(expected).map_err(|rule| broken(format!("parameters: {rule}")))?;
        self.standard_errors.arrange(expected).map_err(|rule| broken(format!("standard_errors: {rule}")))?;
        let n = expected.len();
        if self.covariance.len() != n || self.covariance.iter().any(|row| row.len() != n) {
            return Err(broken(format!("covariance must be a matrix of {n} rows and columns")));
        }
        for i in 0..n {
            let (name, error) = &self.standard_errors.0[i];
            let variance = self.covariance[i][i];
            // What was written reads back to the same bits, so the two must agree exactly.
            if *error != variance.map(f64::sqrt) || error.is_some_and(|error| !(error >= 0.0)) {
                return Err(broken(format!("the standard error of {name} is not the root of its variance")));
            }
            if (0..i).any(|j| self.covariance[i][j] != self.covariance[j][i]) {
                return Err(broken("covariance must be symmetric".to_owned()));
            }
        }
        // JSON has no infinity: what is not finite would be written as null and not be read again.
        let covariances = self.covariance.iter().flatten().flatten();
        let numbers =
            self.parameters.0.iter().map(|(_, value)| value).chain(covariances).chain([&self.log_likelihood, &self.max_abs_gradient]);
        if numbers.chain([&self.customers]).any(|number| !number.is_finite()) {
            return Err(broken("a number is not finite".to_owned()));
        }
        for (i, row) in self.covariance.iter().enumerate() {
            for (j, covariance) in row.iter().enumerate() {
                let (one, other) = (self.covariance[i][i].unwrap_or(0.0), self.covariance[j][j].unwrap_or(0.0));
                if covariance.is_some_and(|covariance| covariance * covariance > one * other * (1.0 + 1e-9)) {
                    return Err(broken(format!("the correlation of {} and {} exceeds 1", expected[i].name, expected[j].name)));
                }
            }
        }
        if let Some(name) = self.at_boundary.iter().find(|name| expected.iter().all(|parameter| parameter.name != name.as_str())) {
            return Err(broken(format!("at_boundary: {name} is no parameter of this model")));
        }
        if self.status == FitStatus::AtBoundary && self.at_boundary.is_empty() {
            // Left out, they are those without a variance.
            let without = (0..n).filter(|&i| self.covariance[i][i].is_none()).map(|i| expected[i].name.to_owned()).collect::<Vec<_>>();
            self.at_boundary = if without.len() < n { without } else { Vec::new() };
        }
        if self.at_boundary.is_empty() != (self.status == FitStatus::Converged) {
            return Err(broken("at_boundary must name the parameters at a bound, and only then the status is at_boundary".to_owned()));
        }
        if let Some(log_sd) = self.prior_log_sd {
            Prior::log_normal(log_sd).map_err(|error| broken(error.to_string()))?;
        }
        if !(self.customers > 0.0) || !(self.max_abs_gradient >= 0.0) {
            return Err(broken("customers and max_abs_gradient must not be negative".to_owned()));
        }
        Ok(self.parameters.0.iter().map(|(_, value)| *value).collect())
    }
}
