//! Nodes for integrals over a probability p with a beta density times a kernel that shifts it, however little is known of either.
//!
//! In log-odds y = ln(p / (1 - p)) the integrand is analytic in the strip |Im y| < pi, but for small shapes its tails e^{a y} are as long as 1/a.
//! So the trapezoidal rule runs in v, where y grows exponentially once it has left the part that is not yet a straight line:
//! ```text
//! y(v) = v - k e^-(v - left) + k e^(v - right)
//! ```
//! Then the tails fall like exp(-e^|v|) (the double exponential of Takahasi & Mori 1974), and some 50 nodes do for any shapes. The nodes carry the
//! logarithms of p and 1 - p, from which derivatives in the shapes follow.

use super::stirling::{Stirling, binomial_deviance, ln_beta_saddle};

/// The coarsest step in v: halving it changes no integral of the tests by more than their accuracy.
const STEP: f64 = 0.2;

/// The step where the integrand is narrow, in units of its standard deviation: the trapezoidal rule for a normal density is then exact to e^-54.
const STEP_BY_WIDTH: f64 = 0.6;

/// Weights below this logarithm relative to the largest are left out.
const NEGLIGIBLE: f64 = -42.0;

/// k: how soon y begins to grow exponentially.
const BEND: f64 = 0.5;

/// Beyond this |y| the odds themselves may overflow, and the shape on that side is so small that nothing cancels.
const EXTREME_LOG_ODDS: f64 = 300.0;

/// A beta density together with what bounds the kernel beside it: around its peak the kernel behaves like (1 + z p)^-`tilt`, and everywhere like powers of
/// (1 + z' p) with z' up to `far` and exponents up to `power`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BetaNodes {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) z: f64,
    pub(crate) tilt: f64,
    pub(crate) far: f64,
    pub(crate) power: f64,
}

/// d/da and d/db of the log-density at a node: ln p and ln(1 - p) less their means under the density.
type Score = [f64; 2];

/// The second derivatives of a beta log-density in its shapes, the same at every node: (aa, ab, bb).
pub(crate) fn shape_curvature(a: f64, b: f64) -> (f64, f64, f64) {
    let all = Stirling::at(a + b).trigamma;
    (all - Stirling::at(a).trigamma, all, all - Stirling::at(b).trigamma)
}

impl BetaNodes {
    /// Calls `visit(weight, score, k)` at the nodes, k what `kernel` gives there beside its logarithm. The sum of the weights, times e to the returned
    /// constant, is the mean of the kernel under the density; and so it is for the kernel times anything as smooth.
    ///
    /// For shapes in 1e-12..1e15, z and the powers in 0..1e15; relative error within 1e-12 (1 + |ln mean|).
    pub(crate) fn for_each<K>(&self, kernel: impl Fn(f64) -> (f64, K), mut visit: impl FnMut(f64, Score, K)) -> f64 {
        let &BetaNodes { a, b, far, power, .. } = self;
        let n = a + b;
        let (of_a, of_b, of_n) = (Stirling::at(a).digamma, Stirling::at(b).digamma, Stirling::at(n).digamma);
        let saddle = ln_beta_saddle(a, b);
        // Outside of these the logarithm of the integrand is a straight line.
        let left = -(1.0 + n + (1.0 + power) * far).ln();
        let right = (1.0 + n + power).ln();
        let at = |v: f64| {
            let (to_left, to_right) = (BEND * (left - v).exp(), BEND * (v - right).exp());
            let y = v - to_left + to_right;
            let (ln_p, ln_q) =
                if y < 0.0 { (y - y.exp().ln_1p(), -y.exp().ln_1p()) } else { (-(-y).exp().ln_1p(), -y - (-y).exp().ln_1p()) };
            let (deviance, ln_own, ln_other) = if y.abs() < EXTREME_LOG_ODDS {
                let deviance = binomial_deviance(a, b, y.exp(), 1.0);
                (deviance.value, deviance.ln_own, deviance.ln_other)
            } else {
                let (ln_own, ln_other) = (-(b / a).ln_1p() - ln_p, -(a / b).ln_1p() - ln_q);
                (a * ln_own + b * ln_other, ln_own, ln_other)
            };
            let (ln_kernel, k) = kernel(ln_p.exp());
            let ln_weight = saddle - deviance + ln_kernel + (to_left + to_right).ln_1p();
            (ln_weight, [of_n - of_a - ln_own, of_n - of_b - ln_other], k)
        };
        let (start, step) = self.start(left, right);
        let constant = at(start).0;
        for direction in [1.0, -1.0] {
            let mut top = 0.0_f64;
            let mut k = if direction > 0.0 { 0.0 } else { 1.0 };
            loop {
                let (ln_weight, score, value) = at(start + direction * step * k);
                let relative = ln_weight - constant;
                visit(step * relative.exp(), score, value);
                top = top.max(relative);
                // Written so that a weight that is no number ends it, too.
                if !(relative > top + NEGLIGIBLE) {
                    break;
                }
                k += 1.0;
            }
        }
        constant
    }

    /// Where to start, near the peak, and the step.
    fn start(&self, left: f64, right: f64) -> (f64, f64) {
        let &BetaNodes { a, b, z, tilt, .. } = self;
        // The peak of p^a (1 - p)^b (1 + z p)^-tilt is where a quadratic in the odds has its positive root.
        let linear = a * (1.0 + z) - tilt * z - b;
        let root = (linear * linear + 4.0 * (1.0 + z) * a * b).sqrt();
        let odds = if linear > 0.0 { (linear + root) / (2.0 * (1.0 + z) * b) } else { 2.0 * a / (root - linear) };
        let peak = odds.clamp(f64::MIN_POSITIVE, f64::MAX).ln();
        let (p, share) = (odds / (1.0 + odds), (1.0 + z) * odds / (1.0 + (1.0 + z) * odds));
        let curvature = p * (1.0 - p) * (a + b - tilt) + tilt * share * (1.0 - share);
        // v from y by Newton's method from where one of the three terms alone would be y.
        let mut v = if peak < left {
            left - (1.0 + (left - peak) / BEND).ln()
        } else if peak > right {
            right + (1.0 + (peak - right) / BEND).ln()
        } else {
            peak
        };
        let mut slope = 1.0;
        for _ in 0..20 {
            let (to_left, to_right) = (BEND * (left - v).exp(), BEND * (v - right).exp());
            slope = 1.0 + to_left + to_right;
            let change = (v - to_left + to_right - peak) / slope;
            v -= change.clamp(-1.0, 1.0);
            if change.abs() < 1e-9 {
                break;
            }
        }
        let width = 1.0 / (slope * curvature.max(f64::MIN_POSITIVE).sqrt());
        (v, STEP.min(STEP_BY_WIDTH * width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCURACY: f64 = 1e-12;

    fn ln_mean(nodes: &BetaNodes, ln_kernel: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        let constant = nodes.for_each(|p| (ln_kernel(p), ()), |weight, _, ()| sum += weight);
        constant + sum.ln()
    }

    fn close(ours: f64, expected: f64, what: &dyn std::fmt::Debug) {
        assert!((ours - expected).abs() <= ACCURACY * (1.0 + expected.abs()), "{ours} against {expected} at {what:?}");
    }

    #[test]
    fn moments_are_known() {
        for a in [1e-6, 1e-3, 0.4, 1.0, 7.0, 300.0, 1e5] {
            for b in [1e-6, 1e-3, 0.55, 2.4, 90.0, 1e5] {
                let nodes = BetaNodes { a, b, z: 0.0, tilt: 0.0, far: 0.0, power: 0.0 };
                close(ln_mean(&nodes, |_| 0.0), 0.0, &nodes);
                close(ln_mean(&nodes, f64::ln), (a / (a + b)).ln(), &nodes);
            }
        }
    }

    #[test]
    fn a_power_of_which_the_mean_is_elementary() {
        // With b = 1: a Int p^(a-1) (1 + z p)^-(a+1) dp = (1 + z)^-a
        for a in [1e-5, 0.03, 0.8, 3.0, 40.0, 2e3] {
            for z in [1e-9, 0.1, 1.0, 30.0, 1e4, 1e9_f64] {
                let nodes = BetaNodes { a, b: 1.0, z, tilt: a + 1.0, far: z, power: a + 1.0 };
                close(ln_mean(&nodes, |p| -(a + 1.0) * (z * p).ln_1p()), -a * z.ln_1p(), &nodes);
            }
        }
    }

    #[test]
    fn scores_have_mean_zero_and_the_curvature_as_variance() {
        for (a, b) in [(1e-3, 2.0), (0.8, 2.4), (5.0, 0.02), (40.0, 1e3)] {
            let nodes = BetaNodes { a, b, z: 0.0, tilt: 0.0, far: 0.0, power: 0.0 };
            let mut sums = [0.0; 5];
            nodes.for_each(
                |_| (0.0, ()),
                |weight, [of_a, of_b], ()| {
                    for (sum, term) in sums.iter_mut().zip([of_a, of_b, of_a * of_a, of_a * of_b, of_b * of_b]) {
                        *sum += weight * term;
                    }
                },
            );
            let total = nodes.for_each(|_| (0.0, ()), |_, _, ()| ()).exp();
            let (aa, ab, bb) = shape_curvature(a, b);
            for (sum, expected) in sums.iter().zip([0.0, 0.0, -aa, -ab, -bb]) {
                // The size of the terms is that of the standard deviations.
                let size = 1.0 + aa.abs() + bb.abs();
                assert!((sum * total - expected).abs() <= 10.0 * ACCURACY * size, "{} against {expected} at {a}, {b}", sum * total);
            }
        }
    }
}
