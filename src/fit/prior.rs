//! A weak prior on parameters, for samples too small to speak for themselves.

use crate::error::{Error, Result};

/// A log-normal prior on every parameter: the logarithm is normal around a centre, with one standard deviation for all.
///
/// The centre of a shape is 1; that of a scale (alpha, beta, gamma) is the sample's own scale: the mean age, or the mean spend. So a prior
/// means the same in days and weeks, in dollars and cents. It keeps the parameters of ten customers from running off to a bound, where the
/// likelihood alone would take them, and hardly moves those of ten thousand: a standard deviation of 2 is worth about as much as what the
/// data say when they leave a parameter open within a factor of e^2 = 7.4 either way.
///
/// The estimate is then the mode of the posterior (MAP) in the logarithms, and standard errors come from the posterior's curvature; the
/// log-likelihood, AIC and BIC of the fit stay those of the likelihood alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    log_sd: f64,
}

impl Prior {
    /// The weak prior: standard deviation 2 in the logarithm. Nineteen chances in twenty lie within a factor of 50 of the centre.
    #[must_use]
    pub fn weak() -> Self {
        Prior { log_sd: 2.0 }
    }

    /// A prior of another width: the standard deviation of the natural logarithms of the parameters.
    ///
    /// # Errors
    /// When it is not from 0.01 (where the data no longer matter) to 100 (where the prior no longer does).
    pub fn log_normal(log_sd: f64) -> Result<Self> {
        if !(0.01..=100.0).contains(&log_sd) {
            return Err(Error::parameter(format!(
                "a prior's standard deviation of {log_sd} in the logarithm lies outside 0.01 to 100; a weak prior has 2"
            )));
        }
        Ok(Prior { log_sd })
    }

    /// The standard deviation of the logarithms.
    #[must_use]
    pub fn log_sd(self) -> f64 {
        self.log_sd
    }

    pub(super) fn precision(self) -> f64 {
        1.0 / (self.log_sd * self.log_sd)
    }
}
