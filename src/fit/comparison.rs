//! Models side by side: information criteria and likelihood-ratio tests.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::fitted::{FitStatus, Fitted};
use crate::models::{Estimable, Nbd};

/// One model's line in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonLine {
    /// The model's name: `pareto-nbd`.
    pub model: &'static str,
    /// How its fit ended.
    pub status: FitStatus,
    /// ln L.
    pub log_likelihood: f64,
    /// Akaike's criterion; smaller is better.
    pub aic: f64,
    /// Schwarz's criterion; smaller is better.
    pub bic: f64,
    /// Probability of so large a gain over the NBD model if nobody dropped out; `None` for the NBD model itself.
    pub p_no_dropout: Option<f64>,
}

impl ComparisonLine {
    /// A model's fit against that of the NBD model to the same customers.
    ///
    /// The NBD model is each other one's limit as dropout vanishes, at the edge of the parameters and with a second parameter that no longer
    /// matters there. The likelihood ratio is then not chi-squared with 2 degrees of freedom; the equal mixture of 1 and 2 degrees, which is the
    /// reference for one of two parameters at an edge (Self & Liang 1987, case 6), is used.
    #[must_use]
    pub fn of<M: Estimable>(fitted: &Fitted<M>, nbd: &Fitted<Nbd>) -> Self {
        let gain = 2.0 * (fitted.log_likelihood() - nbd.log_likelihood()).max(0.0);
        ComparisonLine {
            model: M::NAME,
            status: fitted.status(),
            log_likelihood: fitted.log_likelihood(),
            aic: fitted.aic(),
            bic: fitted.bic(),
            p_no_dropout: (M::PARAMETERS.len() > Nbd::PARAMETERS.len()).then(|| 0.5 * (tail(1.0, gain) + tail(2.0, gain))),
        }
    }
}

/// P(chi-squared > value).
fn tail(degrees: f64, value: f64) -> f64 {
    ChiSquared::new(degrees).expect("degrees are positive").sf(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_squared_tails() {
        // Two degrees: e^(-x/2). One degree at 3.841: 5 %.
        assert!((tail(2.0, 3.0) - (-1.5_f64).exp()).abs() < 1e-12);
        assert!((tail(1.0, 3.841_458_820_694_124) - 0.05).abs() < 1e-9);
    }
}
