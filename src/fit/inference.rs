//! What a fit says beyond its point: intervals of parameters, information criteria, the distribution of the estimate.

use statrs::distribution::{ContinuousCDF, Normal};

use super::distribution::ParameterDistribution;
use super::fitted::Fitted;
use crate::error::{Error, Result};
use crate::models::Estimable;

/// The share of cases that an interval is meant to cover.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(f64);

impl Level {
    /// A share from 0.01 to 0.9999: 0.9 for 90 %.
    ///
    /// # Errors
    /// When it is outside: no estimate from data knows its tails any better.
    pub fn new(share: f64) -> Result<Self> {
        if !(0.01..=0.9999).contains(&share) {
            return Err(Error::parameter(format!("level {share} must be a share from 0.01 to 0.9999, such as 0.9 for 90 %")));
        }
        Ok(Level(share))
    }

    /// The share.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }

    /// The lower and upper end of the central share of sorted values, interpolated between neighbours; for at least one value.
    ///
    /// Of n draws the k-th smallest is not exceeded by a further one with probability k/(n + 1): that is the share it stands for. The extremes stand
    /// for themselves and all beyond them.
    pub(crate) fn central(self, sorted: &[f64]) -> (f64, f64) {
        let at = |share: f64| {
            let place = (share * (sorted.len() + 1) as f64 - 1.0).clamp(0.0, (sorted.len() - 1) as f64);
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        (at(0.5 - 0.5 * self.0), at(0.5 + 0.5 * self.0))
    }

    /// The standard normal quantile that leaves out (1 - level)/2 on either side.
    pub(crate) fn normal_quantile(self) -> f64 {
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

    /// The distribution of the estimate: normal in the logarithms of the parameters that are not at a boundary.
    ///
    /// `None` when the likelihood is flat in some direction, so that there is no such distribution.
    #[must_use]
    pub fn parameter_distribution(&self) -> Option<ParameterDistribution> {
        Some(ParameterDistribution::of_fit(self.model().parameters(), self.free().to_vec(), self.free_covariance()?))
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
    fn a_further_draw_lies_in_the_central_share_as_often_as_it_says() {
        let draws: Vec<f64> = (1..200).map(f64::from).collect();
        // Among 200 places that a further draw may take, 180 are between the 10th and the 190th of 199.
        for (share, ends) in [(0.9, (10.0, 190.0)), (0.5, (50.0, 150.0)), (0.999, (1.0, 199.0))] {
            let (lower, upper) = Level(share).central(&draws);
            assert!((lower - ends.0).abs() < 1e-9 && (upper - ends.1).abs() < 1e-9, "{share}: {lower} {upper}");
        }
        assert_eq!(Level(0.9).central(&[7.0]), (7.0, 7.0));
    }

    #[test]
    fn a_level_is_a_share() {
        for share in [0.0, 1e-9, 1.0, 0.99999, -0.5, 90.0, f64::NAN] {
            assert!(Level::new(share).is_err(), "{share}");
        }
    }
}
