//! How groups differ: the mean and the standard deviations, over groups, of a model's log-parameters, by marginal likelihood.
//!
//! theta_c ~ Normal(m, S), S diagonal. Around its mode each group's log-likelihood is a quadratic, and over a quadratic the integral over theta_c is known
//! (Laplace); so (m, S) are found on quadratics alone, without a pass over the data, and the modes then found anew under them. That is the fixed point of
//! the EM algorithm, S = mean[(theta_c - m)^2 + V_c], reached in a few rounds also where S goes to 0, which EM itself never reaches.
//!
//! Standard deviations, not variances or precisions, are what everything is written in: with sigma = 0 nothing is divided by 0.

use ndarray::{Array1, Array2};

use crate::numeric::symmetric::{Cholesky, Eigen};

/// The standard deviations that are looked at first.
const FIRST_GRID: [f64; 10] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12];

/// A standard deviation must raise the marginal log-likelihood by more than this to be told from 0.
const EARNED: f64 = 1e-7;

/// Sweeps over the standard deviations between two passes over the data.
const SWEEPS: usize = 4;

/// The distribution of log-parameters over groups.
#[derive(Debug, Clone)]
pub(super) struct Between {
    pub(super) mean: Array1<f64>,
    pub(super) sd: Array1<f64>,
}

/// The log-likelihood of a group near a point: value, gradient and information (minus the Hessian) there.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub(super) point: Array1<f64>,
    pub(super) value: f64,
    pub(super) gradient: Array1<f64>,
    pub(super) information: Array2<f64>,
}

/// What one group says about the mean: the marginal log-likelihood with derivatives in m, and how far its own evidence moves it.
pub(super) struct Marginal {
    pub(super) value: f64,
    pub(super) gradient: Array1<f64>,
    pub(super) information: Array2<f64>,
}

impl Local {
    /// A quadratic whose information is that of a likelihood that curves down: where a small group's does not, it counts as flat.
    pub(super) fn new(point: Array1<f64>, value: f64, gradient: Array1<f64>, hessian: &Array2<f64>) -> Self {
        let Eigen { values, vectors } = Eigen::of(&-hessian);
        let floored = values.mapv(|value| value.max(0.0));
        let information = vectors.dot(&Array2::from_diag(&floored)).dot(&vectors.t());
        Local { point, value, gradient, information }
    }

    /// The integral over theta ~ Normal(m, S).
    pub(super) fn marginal(&self, between: &Between) -> Marginal {
        let Between { mean, sd } = between;
        let from_mean = &self.point - mean;
        let along = self.information.dot(&from_mean);
        // The score at m, if the quadratic were all there is.
        let score = &self.gradient + &along;
        let at_mean = self.value - self.gradient.dot(&from_mean) - 0.5 * from_mean.dot(&along);
        let spread = Spread::of(&self.information, sd);
        let moved = spread.covariance.dot(&score);
        let taken = self.information.dot(&spread.covariance);
        Marginal {
            value: at_mean + 0.5 * score.dot(&moved) - 0.5 * spread.ln_determinant,
            gradient: &score - &self.information.dot(&moved),
            information: &self.information - &taken.dot(&self.information),
        }
    }
}

/// The covariance of a group's log-parameters given m and S: (S^-1 + I)^-1, and ln det(1 + S I).
pub(super) struct Spread {
    pub(super) covariance: Array2<f64>,
    pub(super) ln_determinant: f64,
}

impl Spread {
    pub(super) fn of(information: &Array2<f64>, sd: &Array1<f64>) -> Self {
        let d = sd.len();
        let scaled = Array2::from_shape_fn((d, d), |(i, j)| sd[i] * information[[i, j]] * sd[j] + if i == j { 1.0 } else { 0.0 });
        match Cholesky::of(&scaled) {
            Some(factor) => {
                let inverse = factor.inverse();
                let covariance = Array2::from_shape_fn((d, d), |(i, j)| sd[i] * inverse[[i, j]] * sd[j]);
                Spread { covariance, ln_determinant: factor.ln_determinant() }
            }
            // Not for information that is positive, as it is here.
            None => Spread { covariance: Array2::from_diag(&(sd * sd)), ln_determinant: 0.0 },
        }
    }
}

impl Between {
    /// The best mean and standard deviations for these quadratics, from the present ones.
    pub(super) fn updated(&self, locals: &[Local], first: bool) -> Self {
        let mut best = self.at_best_mean(locals);
        for _ in 0..SWEEPS {
            let before = best.1;
            for i in 0..self.sd.len() {
                best = best.0.with_best_sd(locals, i, first).unwrap_or(best);
            }
            if best.1 - before < EARNED {
                break;
            }
        }
        best.0
    }

    /// The same standard deviations with the mean that is best for them, and the marginal log-likelihood there.
    fn at_best_mean(&self, locals: &[Local]) -> (Self, f64) {
        let (gradient, information, value) = self.sums(locals);
        let Some(factor) = Cholesky::of(&information) else { return (self.clone(), value) };
        let step = factor.solve(&gradient);
        let value = value + 0.5 * gradient.dot(&step);
        (Between { mean: &self.mean + &step, sd: self.sd.clone() }, value)
    }

    fn sums(&self, locals: &[Local]) -> (Array1<f64>, Array2<f64>, f64) {
        let d = self.mean.len();
        let mut sums = (Array1::zeros(d), Array2::zeros((d, d)), 0.0);
        for local in locals {
            let marginal = local.marginal(self);
            sums.0 += &marginal.gradient;
            sums.1 += &marginal.information;
            sums.2 += marginal.value;
        }
        sums
    }

    /// The covariance of the estimated mean.
    pub(super) fn covariance_of_mean(&self, locals: &[Local]) -> Option<Array2<f64>> {
        Cholesky::of(&self.sums(locals).1).map(|factor| factor.inverse())
    }

    /// The best value of one standard deviation with the others as they are; `None` when nothing is better than the present one.
    fn with_best_sd(&self, locals: &[Local], i: usize, first: bool) -> Option<(Self, f64)> {
        let at = |sd: f64| {
            let mut between = self.clone();
            between.sd[i] = sd;
            between.at_best_mean(locals)
        };
        let none = at(0.0);
        let grid: Vec<f64> = if first || self.sd[i] == 0.0 {
            FIRST_GRID.to_vec()
        } else {
            [0.5, 0.8, 1.0, 1.25, 2.0].map(|factor| factor * self.sd[i]).to_vec()
        };
        let values: Vec<f64> = grid.iter().map(|&sd| at(sd).1).collect();
        let best = (0..grid.len()).max_by(|&k, &l| values[k].total_cmp(&values[l]))?;
        // Golden section between the neighbours of the best, in the logarithm.
        let (mut low, mut high) = (grid[best.saturating_sub(1)].ln(), grid[(best + 1).min(grid.len() - 1)].ln());
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut of_left, mut of_right) = (at(left.exp()), at(right.exp()));
        while high - low > 1e-4 {
            if of_left.1 > of_right.1 {
                (high, right, of_right) = (right, left, of_left);
                left = high - GOLDEN * (high - low);
                of_left = at(left.exp());
            } else {
                (low, left, of_left) = (left, right, of_right);
                right = low + GOLDEN * (high - low);
                of_right = at(right.exp());
            }
        }
        let found = if of_left.1 > of_right.1 { of_left } else { of_right };
        Some(if found.1 > none.1 + EARNED { found } else { none })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Groups of which the estimate is `at` with this standard error: a quadratic.
    fn locals(at: &[f64], error: f64) -> Vec<Local> {
        at.iter()
            .map(|&at| Local { point: array![at], value: 0.0, gradient: array![0.0], information: array![[1.0 / (error * error)]] })
            .collect()
    }

    #[test]
    fn of_equal_errors_the_estimate_is_known() {
        // S + error^2 is the variance of the estimates about their mean, if that is larger than error^2.
        let at = [0.1, 0.5, -0.3, 0.9, 0.2, -0.8];
        let mean = at.iter().sum::<f64>() / 6.0;
        let variance = at.iter().map(|at| (at - mean) * (at - mean)).sum::<f64>() / 6.0;
        let start = Between { mean: array![0.0], sd: array![0.1] };
        let found = start.updated(&locals(&at, 0.2), true);
        assert!((found.mean[0] - mean).abs() < 1e-12);
        assert!((found.sd[0] * found.sd[0] - (variance - 0.04)).abs() < 1e-4, "{found:?}");
        let wide = start.updated(&locals(&at, 2.0), true);
        assert!(wide.sd[0] == 0.0 && (wide.mean[0] - mean).abs() < 1e-12, "{wide:?}");
        let covariance = found.covariance_of_mean(&locals(&at, 0.2)).unwrap();
        assert!((covariance[[0, 0]] - variance / 6.0).abs() < 1e-4);
    }
}
