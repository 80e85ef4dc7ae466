//! Densities of mixtures of Beta(p n, q) over whole numbers n, at several points at once.
//!
//! In y = ln(u / (1 - u)) the density of Beta(p n, q) is u^(p n) (1 - u)^q / B(p n, q). All components together are a polynomial in u^p, so that a point takes
//! one exponential for u^p and one for (1 - u)^q, however many components there are. Powers are taken relative to a point of reference in reach, where the
//! components are worked out one by one: they would overflow otherwise.

use std::ops::Range;

use super::dispatch::{Kernel, dispatch};
use super::elementary::{exp, ln_1p};
use super::gauss_legendre::RULES;
use super::stirling::ln_beta_saddle;

/// Larger shapes are not taken: over one reach they grow by too much.
const LARGEST_SHAPE: f64 = 2e4;

/// With a smaller p there is no end of small amounts.
const SMALLEST_STEP: f64 = 0.1;

/// Components may grow and shrink by this many e-folds on the way from the point of reference to a point in reach.
const REACH: f64 = 400.0;

/// Components below this, e^-600, at the point of reference are nothing, in reach of it too; the others stay in the range of a double.
const NOTHING: f64 = 1e-260;

/// ln of the constants of a list of beta densities.
#[derive(Debug, Clone)]
pub(crate) struct Constants {
    p: f64,
    q: f64,
    /// -ln B(p n, q)
    ln_inverse_beta: Vec<f64>,
}

impl Constants {
    /// For Beta(p n, q) at every n of `counts`, which rise; `None` for shapes so large, or so small, that the mixture's integrals would take many panels.
    pub(crate) fn new(p: f64, q: f64, counts: &[u64]) -> Option<Self> {
        let largest = counts.last().map_or(0.0, |&n| p * n as f64).max(q);
        if !(p >= SMALLEST_STEP && largest <= LARGEST_SHAPE) {
            return None;
        }
        let ln_inverse_beta = |n: u64| {
            let a = p * n as f64;
            ln_beta_saddle(a, q) + a * (q / a).ln_1p() + q * (a / q).ln_1p()
        };
        Some(Constants { p, q, ln_inverse_beta: counts.iter().map(|&n| ln_inverse_beta(n)).collect() })
    }
}

/// A mixture, seen from a point of reference.
#[derive(Debug)]
pub(crate) struct BetaMixture<'a> {
    constants: &'a Constants,
    /// (n, weight), rising in n.
    components: &'a [(u64, f64)],
    /// ln u and ln(1 - u) at the point of reference, the components' densities there, weighted, and which of them are something.
    reference: f64,
    ln_u: f64,
    ln_other: f64,
    densities: Vec<f64>,
    something: Range<usize>,
}

impl<'a> BetaMixture<'a> {
    /// The constants may go on for longer than the components do.
    pub(crate) fn new(constants: &'a Constants, components: &'a [(u64, f64)]) -> Self {
        let densities = vec![0.0; components.len()];
        BetaMixture { constants, components, reference: f64::NAN, ln_u: 0.0, ln_other: 0.0, densities, something: 0..0 }
    }

    /// Sees to it that densities at distances up to `reach` from `y` can be had.
    fn look_from(&mut self, y: f64, reach: f64) {
        let &Constants { p, q, .. } = self.constants;
        let steepest = self.components.last().map_or(0.0, |&(n, _)| p * n as f64).max(q);
        if ((y - self.reference).abs() + reach) * steepest <= REACH {
            return;
        }
        self.reference = y;
        let above = ln_1p(exp(-y.abs()));
        (self.ln_u, self.ln_other) = (y.min(0.0) - above, -y.max(0.0) - above);
        let (ln_u, ln_other) = (self.ln_u, self.ln_other);
        dispatch(Look { constants: self.constants, components: self.components, ln_u, ln_other, densities: &mut self.densities });
        let counts = |density: &f64| *density > NOTHING;
        let first = self.densities.iter().position(counts).unwrap_or(0);
        self.something = first..self.densities.iter().rposition(counts).map_or(0, |last| last + 1);
    }

    /// The integral of the density between two points, by the Gauss-Legendre rule with N nodes: 4, 6 ... 16.
    pub(crate) fn integral<const N: usize>(&mut self, from: f64, to: f64) -> f64 {
        let half = 0.5 * (to - from);
        self.look_from(from + half, half.abs());
        let (mut points, mut weights) = ([0.0; N], [0.0; N]);
        for (k, &(distance, weight)) in RULES[N / 2 - 2].iter().enumerate() {
            (points[2 * k], points[2 * k + 1]) = (from + 2.0 * half * distance, to - 2.0 * half * distance);
            (weights[2 * k], weights[2 * k + 1]) = (weight, weight);
        }
        2.0 * half * self.densities(&points).iter().zip(&weights).map(|(density, weight)| density * weight).sum::<f64>()
    }

    /// The density at one point.
    pub(crate) fn density(&mut self, y: f64) -> f64 {
        self.look_from(y, 0.0);
        self.densities(&[y])[0]
    }

    /// The density at points in reach.
    fn densities<const N: usize>(&self, points: &[f64; N]) -> [f64; N] {
        dispatch(Densities { mixture: self, points })
    }
}

/// The components at the point of reference.
struct Look<'a> {
    constants: &'a Constants,
    components: &'a [(u64, f64)],
    ln_u: f64,
    ln_other: f64,
    densities: &'a mut [f64],
}

impl Kernel for Look<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let &Constants { p, q, ref ln_inverse_beta } = self.constants;
        let rows = self.densities.len().min(self.components.len()).min(ln_inverse_beta.len());
        let (densities, components, constants) = (&mut self.densities[..rows], &self.components[..rows], &ln_inverse_beta[..rows]);
        for i in 0..rows {
            let (n, weight) = components[i];
            densities[i] = weight * exp(constants[i] + p * n as f64 * self.ln_u + q * self.ln_other);
        }
    }
}

/// A mixture's density at some points.
struct Densities<'a, 'b, const N: usize> {
    mixture: &'a BetaMixture<'b>,
    points: &'a [f64; N],
}

impl<const N: usize> Kernel for Densities<'_, '_, N> {
    type Output = [f64; N];

    #[inline(always)]
    fn run(self) -> [f64; N] {
        let Densities { mixture, points } = self;
        let &Constants { p, q, .. } = mixture.constants;
        let (components, densities) = (&mixture.components[mixture.something.clone()], &mixture.densities[mixture.something.clone()]);
        let lowest = components.first().map_or(0.0, |&(n, _)| p * n as f64);
        // u^p, and the lowest component, as shares of their values at the point of reference.
        let (mut power, mut first) = ([0.0; N], [0.0; N]);
        for i in 0..N {
            let y = points[i];
            let above = ln_1p(exp(-y.abs()));
            let (ln_u, ln_other) = (y.min(0.0) - above - mixture.ln_u, -y.max(0.0) - above - mixture.ln_other);
            power[i] = exp(p * ln_u);
            first[i] = exp(lowest * ln_u + q * ln_other);
        }
        // Horner's rule from the largest n down; where components are further apart, with higher powers.
        let mut sum = [0.0; N];
        let (mut gap, mut step) = (1, power);
        let mut last = components.last().map_or(0, |&(n, _)| n + 1);
        for (&(n, _), &density) in components.iter().zip(densities).rev() {
            if last - n != gap {
                (gap, step) = (last - n, powers(&power, last - n));
            }
            for i in 0..N {
                sum[i] = sum[i] * step[i] + density;
            }
            last = n;
        }
        for i in 0..N {
            sum[i] *= first[i];
        }
        sum
    }
}

/// base^n by repeated squaring.
#[inline(always)]
fn powers<const N: usize>(base: &[f64; N], mut n: u64) -> [f64; N] {
    let (mut square, mut product) = (*base, [1.0; N]);
    while n > 0 {
        if n % 2 == 1 {
            for i in 0..N {
                product[i] *= square[i];
            }
        }
        for square in &mut square {
            *square *= *square;
        }
        n /= 2;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::stirling::binomial_deviance;

    #[test]
    fn a_mixture_is_the_sum_of_its_components() {
        for (p, q) in [(0.3, 1.2), (6.25, 3.74), (6.25, 170.0), (40.0, 2000.0)] {
            let counts = [1, 2, 3, 4, 6, 8, 11, 30];
            let components: Vec<(u64, f64)> = counts.iter().map(|&n| (n, 1.0 / n as f64)).collect();
            let constants = Constants::new(p, q, &counts).unwrap();
            let mut mixture = BetaMixture::new(&constants, &components);
            for y in [-30.0, -3.0, -1.0, 0.0, 0.2, 2.0, 25.0] {
                mixture.look_from(y, 0.1);
                let points = [y - 0.1, y, y + 0.07];
                for (point, ours) in points.iter().zip(mixture.densities(&points)) {
                    let one = |&(n, weight): &(u64, f64)| {
                        let a = p * n as f64;
                        weight * (ln_beta_saddle(a, q) - binomial_deviance(a, q, point.exp(), 1.0).value).exp()
                    };
                    let sum: f64 = components.iter().map(one).sum();
                    // The logarithms of the terms are of the size of the shapes times the log-odds.
                    let accuracy = 1e-14 * (1.0 + (p * 30.0).max(q) * (1.0 + y.abs()));
                    assert!((ours - sum).abs() <= accuracy * sum + 1e-290, "{p} {q} at {point}: {ours} against {sum}");
                }
            }
        }
    }
}
