//! What a fit says beyond its point: intervals of parameters, information criteria, draws from the estimate's distribution.

use ndarray::Array1;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};

use super::fitted::Fitted;
use crate::error::{Error, Result};
use crate::models::Estimable;
use crate::numeric::symmetric::Eigen;

/// The share of cases that an interval is meant to cover.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(f64);

impl Level {
    /// A share strictly between 0 and 1: 0.9 for 90 %.
    ///
    /// # Errors
    /// When it is outside.
    pub fn new(share: f64) -> Result<Self> {
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::parameter(format!("level {share} must be a share above 0 and below 1, such as 0.9 for 90 %")));
        }
        Ok(Level(share))
    }

    /// The share.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }

    /// The standard normal quantile that leaves out (1 - level)/2 on either side.
    fn normal_quantile(self) -> f64 {
        Normal::standard().inverse_cdf(0.5 + 0.5 * self.0)
    }
}

impl Default for Level {
    /// 90 %.
    fn default() -> Self {
        Level(0.9)
    }
}

impl<M: Estimable> Fitted<M> {
    /// An interval for a parameter, by its index in [`Estimable::PARAMETERS`]: symmetric in its logarithm, so always positive.
    ///
    /// estimate x exp(+- z standard error / estimate), the delta method for the logarithm. `None` for a parameter at a boundary.
    #[must_use]
    pub fn interval(&self, parameter: usize, level: Level) -> Option<(f64, f64)> {
        let estimate = self.model().parameters()[parameter];
        let factor = (level.normal_quantile() * self.standard_error(parameter)? / estimate).exp();
        let interval = (estimate / factor, estimate * factor);
        interval.1.is_finite().then_some(interval)
    }

    /// Akaike's criterion, 2 k - 2 ln L with k the number of parameters that are not at a boundary; smaller is better.
    #[must_use]
    pub fn aic(&self) -> f64 {
        2.0 * self.free_parameters() - 2.0 * self.log_likelihood()
    }

    /// Schwarz's criterion, k ln n - 2 ln L; smaller is better.
    #[must_use]
    pub fn bic(&self) -> f64 {
        self.free_parameters() * self.customers().ln() - 2.0 * self.log_likelihood()
    }

    fn free_parameters(&self) -> f64 {
        self.free().len() as f64
    }

    /// Prepares draws from the estimate's asymptotic distribution: normal in the logarithms of the parameters that are not at a boundary.
    ///
    /// `None` when the likelihood is flat in some direction, so that there is no such distribution.
    #[must_use]
    pub fn parameter_draws(&self) -> Option<ParameterDraws<M>> {
        let parameters = self.model().parameters();
        let free = self.free().to_vec();
        let mut of_logs = self.free_covariance()?.to_owned();
        for ((i, j), entry) in of_logs.indexed_iter_mut() {
            *entry /= parameters[free[i]] * parameters[free[j]];
        }
        let eigen = Eigen::of(&of_logs);
        Some(ParameterDraws { model: *self.model(), parameters, free, eigen })
    }
}

/// The asymptotic distribution of a fit's parameters, to draw models from.
#[derive(Debug, Clone)]
pub struct ParameterDraws<M> {
    model: M,
    parameters: Array1<f64>,
    free: Vec<usize>,
    eigen: Eigen,
}

impl<M: Estimable> ParameterDraws<M> {
    /// Draws a model. A draw that leaves the model's domain (a likelihood that is almost flat) gives the estimate itself.
    pub fn draw<R: Rng>(&self, rng: &mut R) -> M {
        let steps: Array1<f64> = self
            .eigen
            .values
            .iter()
            .map(|variance| {
                let normal: f64 = StandardNormal.sample(rng);
                normal * variance.max(0.0).sqrt()
            })
            .collect();
        let logs = self.eigen.vectors.dot(&steps);
        let mut parameters = self.parameters.to_vec();
        for (&i, log) in self.free.iter().zip(&logs) {
            parameters[i] *= log.exp();
        }
        M::from_parameters(&parameters).unwrap_or(self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_quantile_of_ninety_percent() {
        assert!((Level::default().normal_quantile() - 1.644_853_626_951_472_7).abs() < 1e-12);
    }

    #[test]
    fn a_level_is_a_share() {
        for share in [0.0, 1.0, -0.5, 90.0, f64::NAN] {
            assert!(Level::new(share).is_err(), "{share}");
        }
    }
}
