//! Int_0^1 t^m (1 + D t/A)^-n (1 + D t/B)^-q dt, the time of an event within a period of length D, as nodes that carry its logarithms.
//!
//! In y = ln t the integrand is log-concave and positive; panels go outward from its peak. A row of this kind stands for many customers, so that there
//! is no need to save nodes.

use super::log_concave::{crossing, for_each_left_node};

/// The integral, for m >= 0, n > 0, q >= 0 and positive A, B, D.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PowerIntegral {
    pub(crate) m: f64,
    pub(crate) n: f64,
    pub(crate) q: f64,
    /// D/A and D/B
    pub(crate) by_a: f64,
    pub(crate) by_b: f64,
}

/// e^-709 is the smallest normal double: an earlier time in the period is its start.
const EARLIEST: f64 = -700.0;

impl PowerIntegral {
    /// Calls `visit(weight, ln(1 + D t/A), ln(1 + D t/B))` at the nodes and returns a constant: the integral is its exponential times the sum of the
    /// weights. Relative error within 1e-13 (1 + |exponent|).
    pub(crate) fn for_each_node(&self, mut visit: impl FnMut(f64, f64, f64)) -> f64 {
        let &PowerIntegral { m, n, q, by_a, by_b } = self;
        let logs = |y: f64| ((by_a * y.exp()).ln_1p(), (by_b * y.exp()).ln_1p());
        let f = |y: f64| {
            let (a, b) = logs(y);
            (m + 1.0) * y - n * a - q * b
        };
        let share = |odds: f64| odds / (1.0 + odds);
        let peak = crossing(|y| m + 1.0 - n * share(by_a * y.exp()) - q * share(by_b * y.exp()), EARLIEST, 0.0);
        for_each_left_node(f, peak, 0.0, |y, weight| {
            let (a, b) = logs(y);
            visit(weight, a, b);
        });
        f(peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCURACY: f64 = 1e-13;

    fn ln_integral(integral: &PowerIntegral) -> f64 {
        let mut sum = 0.0;
        let constant = integral.for_each_node(|weight, _, _| sum += weight);
        constant + sum.ln()
    }

    #[test]
    fn elementary_integrals() {
        for z in [1e-9, 0.3, 5.0, 1e4, 1e9_f64] {
            for n in [1e-3, 0.5, 1.7, 40.0, 3e4] {
                // m = 0: (1 - (1 + z)^-(n-1)) / ((n - 1) z)
                let l = (n - 1.0) * z.ln_1p();
                let expected = (-(-l).exp_m1() / ((n - 1.0) * z)).ln();
                let ours = ln_integral(&PowerIntegral { m: 0.0, n, q: 0.0, by_a: z, by_b: 1.0 });
                assert!((ours - expected).abs() <= ACCURACY * (1.0 + expected.abs()), "{ours} against {expected} at {n}, {z}");
                // The same power in two pieces.
                let pieces = ln_integral(&PowerIntegral { m: 0.0, n: 0.25 * n, q: 0.75 * n, by_a: z, by_b: z });
                assert!((pieces - expected).abs() <= ACCURACY * (1.0 + expected.abs()), "{pieces} against {expected} at {n}, {z}");
                // n = m + 2: (1 + z)^-(m+1) / (m + 1)
                let (m, exponent) = (n, (n + 1.0) * z.ln_1p());
                let ours = ln_integral(&PowerIntegral { m, n: m + 2.0, q: 0.0, by_a: z, by_b: 1.0 });
                let expected = -exponent - (m + 1.0).ln();
                assert!((ours - expected).abs() <= ACCURACY * (1.0 + exponent), "{ours} against {expected} at m = {m}, {z}");
            }
        }
    }
}
