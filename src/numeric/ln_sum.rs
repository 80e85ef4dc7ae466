//! The logarithm of a sum, or an integral, of positive parts with its gradient and Hessian, from the logarithms of the parts.
//!
//! With weights p = part / sum, the gradient is the mean of the parts' gradients and the Hessian the mean of their Hessians plus the covariance of
//! their gradients (Louis 1982). Gradients are taken relative to that of the first part, so that the covariance does not cancel where all are alike.

use super::jet::Jet;

/// A sum of parts under way.
pub(crate) struct LnSum<const N: usize> {
    total: f64,
    origin: Option<[f64; N]>,
    gradient: [f64; N],
    square: [[f64; N]; N],
    hessian: [[f64; N]; N],
}

impl<const N: usize> LnSum<N> {
    /// No part yet.
    pub(crate) fn new() -> Self {
        LnSum { total: 0.0, origin: None, gradient: [0.0; N], square: [[0.0; N]; N], hessian: [[0.0; N]; N] }
    }

    /// Adds a part: its value, and gradient and Hessian (the upper triangle) of its logarithm.
    #[inline(always)]
    pub(crate) fn add(&mut self, value: f64, gradient: &[f64; N], hessian: &[[f64; N]; N]) {
        let origin = *self.origin.get_or_insert(*gradient);
        self.total += value;
        for i in 0..N {
            let from_origin = gradient[i] - origin[i];
            self.gradient[i] += value * from_origin;
            for j in i..N {
                self.square[i][j] += value * from_origin * (gradient[j] - origin[j]);
                self.hessian[i][j] += value * hessian[i][j];
            }
        }
    }

    /// ln of the sum, plus a constant that was left out of all parts.
    pub(crate) fn jet(&self, constant: f64) -> Jet<N> {
        let total = self.total;
        let origin = self.origin.unwrap_or([0.0; N]);
        let mean = self.gradient.map(|sum| sum / total);
        let mut jet = Jet { value: constant + total.ln(), ..Jet::ZERO };
        for i in 0..N {
            jet.gradient[i] = origin[i] + mean[i];
            for j in i..N {
                jet.hessian[i][j] = (self.hessian[i][j] + self.square[i][j]) / total - mean[i] * mean[j];
            }
        }
        jet.symmetric()
    }
}

/// ln(e^f + e^g).
pub(crate) fn ln_add_exp<const N: usize>(f: &Jet<N>, g: &Jet<N>) -> Jet<N> {
    let (large, small) = if f.value >= g.value { (f, g) } else { (g, f) };
    let ratio = (small.value - large.value).exp();
    let mut sum = LnSum::new();
    sum.add(1.0, &large.gradient, &large.hessian);
    sum.add(ratio, &small.gradient, &small.hessian);
    // ln(1 + ratio), not ln of the sum: the smaller part may lie below its last digit.
    Jet { value: large.value + ratio.ln_1p(), ..sum.jet(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a handful of operations.
    const ACCURACY: f64 = 1e-14;

    /// ln of x^k e^(c y) as a function of (x, y).
    fn part(x: f64, y: f64, k: f64, c: f64) -> Jet<2> {
        Jet { value: k * x.ln() + c * y, gradient: [k / x, c], hessian: [[-k / (x * x), 0.0], [0.0, 0.0]] }
    }

    #[test]
    fn a_sum_of_two_against_its_derivatives_by_hand() {
        // ln(x^2 e^y + x e^(2 y)) = ln x + y + ln(x + e^y)
        let (x, y) = (1.7_f64, 0.4_f64);
        let sum = ln_add_exp(&part(x, y, 2.0, 1.0), &part(x, y, 1.0, 2.0));
        let (inner, e) = (x + y.exp(), y.exp());
        assert!((sum.value - (x.ln() + y + inner.ln())).abs() < ACCURACY);
        assert!((sum.gradient[0] - (1.0 / x + 1.0 / inner)).abs() < ACCURACY);
        assert!((sum.gradient[1] - (1.0 + e / inner)).abs() < ACCURACY);
        assert!((sum.hessian[0][0] - (-1.0 / (x * x) - 1.0 / (inner * inner))).abs() < ACCURACY);
        assert!((sum.hessian[1][0] - (-e / (inner * inner))).abs() < ACCURACY);
        assert!((sum.hessian[1][1] - e * x / (inner * inner)).abs() < ACCURACY);
    }

    #[test]
    fn a_part_that_does_not_count_leaves_the_other() {
        let (one, nothing) = (part(2.0, 1.0, 3.0, 1.0), Jet { value: f64::NEG_INFINITY, ..part(2.0, 1.0, 1.0, 1.0) });
        assert_eq!(ln_add_exp(&one, &nothing), one);
    }
}
