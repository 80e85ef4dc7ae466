//! Integrals of log-concave functions outward from their peak, and the beta distribution's tails.
//!
//! Panels are laid outward from the peak, each so short that the function changes by a few e-folds at most, until nothing is left. Sums of
//! positive numbers throughout, so that tiny tails keep all their digits.

use super::gauss_legendre::RULES;
use super::stirling::{binomial_deviance, ln_beta_saddle};

/// 16 nodes resolve what a panel may hold: an e-fold of y and [`LARGEST_DROP`] e-folds of the function.
const RULE: usize = 6;
const WIDEST_PANEL: f64 = 1.0;
const LARGEST_DROP: f64 = 5.0;

/// e^-40 of the peak is below the rounding of the sum.
const NEGLIGIBLE: f64 = 40.0;

/// Below some point to the left, f is a straight line to double precision and what is left of the integral is elementary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    /// Where the line begins, going left.
    below: f64,
    /// Its slope, positive.
    slope: f64,
}

impl Tail {
    /// The tail of e^(slope y) (1 + e^y)^-m ...: at 40 below 0, ln(1 + e^y) no longer counts.
    pub(crate) fn of_log_odds(slope: f64) -> Self {
        Tail { below: -40.0, slope }
    }

    /// The same line, beginning elsewhere.
    pub(crate) fn below(self, below: f64) -> Self {
        Tail { below, ..self }
    }
}

/// Integral of e^f from `peak` to `end` (either side), for f concave with its maximum over that range at `peak`.
///
/// Returns the integral relative to e^f(peak).
fn outward(f: &impl Fn(f64) -> f64, peak: f64, end: f64, tail: Option<Tail>) -> f64 {
    let mut sum = 0.0;
    let rest = outward_nodes(f, peak, end, tail, |_, weight| sum += weight);
    sum + rest
}

/// The same as a sum over nodes: calls `visit(y, weight)` and returns what the tail comes to beside them.
fn outward_nodes(f: &impl Fn(f64) -> f64, peak: f64, end: f64, tail: Option<Tail>, mut visit: impl FnMut(f64, f64)) -> f64 {
    let direction = if end < peak { -1.0 } else { 1.0 };
    let top = f(peak);
    let total = (end - peak).abs();
    let (mut distance, mut sum, mut width) = (0.0, 0.0, WIDEST_PANEL);
    while distance < total {
        let start = peak + direction * distance;
        let at_start = f(start) - top;
        if at_start < -NEGLIGIBLE && sum > 0.0 {
            break;
        }
        if let Some(Tail { slope, .. }) = tail.filter(|tail| start <= tail.below) {
            return at_start.exp() / slope;
        }
        width = (2.0 * width).min(WIDEST_PANEL).min(total - distance);
        while at_start - (f(start + direction * width) - top) > LARGEST_DROP {
            width *= 0.5;
        }
        for &(node, weight) in RULES[RULE] {
            for node in [node, 1.0 - node] {
                let y = start + direction * width * node;
                let part = width * weight * (f(y) - top).exp();
                sum += part;
                visit(y, part);
            }
        }
        distance += width;
    }
    0.0
}

/// Calls `visit(y, weight)` at nodes whose weights sum to the integral of e^f over -infinity..`end` relative to e^f(peak), and so do those of what is as
/// smooth; for concave f that falls to the left at least like e^y, with its maximum on this range at `peak`.
pub(crate) fn for_each_left_node(f: impl Fn(f64) -> f64, peak: f64, end: f64, mut visit: impl FnMut(f64, f64)) {
    outward_nodes(&f, peak, f64::NEG_INFINITY, None, &mut visit);
    if end > peak {
        outward_nodes(&f, peak, end, None, visit);
    }
}

/// The integral of e^f over -infinity..`end`, for concave f that rises to the left like `tail` and has its maximum on this range at `peak`.
pub(crate) fn left_integral(f: impl Fn(f64) -> f64, peak: f64, end: f64, tail: Tail) -> f64 {
    let right = if end > peak { outward(&f, peak, end, None) } else { 0.0 };
    f(peak).exp() * (outward(&f, peak, f64::NEG_INFINITY, Some(tail)) + right)
}

/// The point of `low`..`high` where a falling function crosses 0, or the end nearest to it.
pub(crate) fn crossing(falling: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    if falling(high) >= 0.0 {
        return high;
    }
    // Each step halves the interval; 100 exhaust the bits of any double.
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if falling(middle) > 0.0 { low = middle } else { high = middle }
    }
    low
}

/// P(U <= u) for U ~ Beta(a, b), u = y / (y + z); a, b in 1e-12..1e15, positive y and z. Relative error within 1e-12 (1 + |ln P|).
///
/// P(U > u) is `beta_cdf(b, a, z, y)`: each tail has all its digits.
pub(crate) fn beta_cdf(a: f64, b: f64, y: f64, z: f64) -> f64 {
    let end = (y / z).ln();
    if end > (a / b).ln() {
        if is_nothing_beyond(a, b, end) {
            return 1.0;
        }
        // The side beyond the mode and its complement, unless that side holds the bulk: for b near 0 the density falls slowly there.
        let beyond = beta_cdf_left(b, a, -end);
        if beyond <= 0.5 {
            return 1.0 - beyond;
        }
    }
    // Rounding may have carried it past 1.
    beta_cdf_left(a, b, end).min(1.0)
}

/// Whether what lies beyond an end to the right of the mode is lost when it is taken from 1: less than the density there over the slope of its logarithm, as
/// that falls ever faster.
fn is_nothing_beyond(a: f64, b: f64, end: f64) -> bool {
    let density = (ln_beta_saddle(a, b) - binomial_deviance(a, b, end.exp(), 1.0).value).exp();
    let fall = (b - a * (-end).exp()) / (1.0 + (-end).exp());
    density < 0.25 * f64::EPSILON * fall
}

/// P(log-odds <= `end`), the integral of the beta density in log-odds; `end` may lie on either side of the mode.
fn beta_cdf_left(a: f64, b: f64, end: f64) -> f64 {
    let saddle = ln_beta_saddle(a, b);
    let f = |y: f64| saddle - binomial_deviance(a, b, y.exp(), 1.0).value;
    let u = 1.0 / (1.0 + (-end).exp());
    if a.max(b) <= LARGEST_FRACTION_SHAPE && u < (a + 1.0) / (a + b + 2.0) {
        return f(end).exp() / a * continued_fraction(a, b, u);
    }
    left_integral(f, end.min((a / b).ln()), end, Tail::of_log_odds(a))
}

/// Up to these shapes the continued fraction needs fewer evaluations than the integral.
const LARGEST_FRACTION_SHAPE: f64 = 3000.0;

/// I_u(a, b) a B(a, b) / (u^a (1 - u)^b) as a continued fraction (DLMF 8.17.22), by Lentz's method as Thompson and Barnett modified it; for u below
/// (a + 1) / (a + b + 2), where it converges in the order of the root of the larger shape.
fn continued_fraction(a: f64, b: f64, u: f64) -> f64 {
    const STEPS: u32 = 1000;
    let away_from_zero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * u / (a + 1.0)));
    let mut fraction = d;
    for step in 1..=STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * u / ((a + (2.0 * m - 1.0)) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * u / ((a + 2.0 * m) * (a + (2.0 * m + 1.0)));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() <= 0.5 * f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ACCURACY: f64 = 1e-12;

    #[test]
    fn closed_forms_of_the_beta_distribution() {
        for odds in [1e-9, 1e-3, 0.5, 1.0, 7.0, 1e6_f64] {
            let u = odds / (1.0 + odds);
            for shape in [1e-3, 0.3, 1.0, 5.0, 300.0] {
                // Beta(a, 1): u^a; Beta(1, b): 1 - (1-u)^b
                let power = (shape * u.ln()).exp();
                assert_relative_eq!(beta_cdf(shape, 1.0, odds, 1.0), power, max_relative = ACCURACY * (1.0 + power.ln().abs()));
                let rest = -(-shape * odds.ln_1p()).exp_m1();
                assert_relative_eq!(beta_cdf(1.0, shape, odds, 1.0), rest, max_relative = ACCURACY);
            }
        }
    }

    #[test]
    fn both_tails_add_up() {
        for (a, b) in [(1e-6, 1e-6), (0.3, 4.0), (1.0, 1e4), (1e5, 3.0), (1e6, 1e6)] {
            for shift in [0.01, 0.5, 0.999, 1.0, 1.001, 2.0, 100.0] {
                let odds = a / b * shift;
                assert_relative_eq!(beta_cdf(a, b, odds, 1.0) + beta_cdf(b, a, 1.0, odds), 1.0, max_relative = ACCURACY);
            }
        }
    }

    #[test]
    fn the_fraction_and_the_integral_agree() {
        for (a, b) in [(1e-6, 1e-6), (1e-3, 40.0), (0.4, 2.5), (6.25, 16.2), (300.0, 0.02), (900.0, 2900.0), (2999.0, 2999.0)] {
            let saddle = ln_beta_saddle(a, b);
            let f = |y: f64| saddle - binomial_deviance(a, b, y.exp(), 1.0).value;
            let mode = (a / b).ln();
            for below in [0.0, 1e-3, 0.1, 1.0, 3.0, 20.0] {
                let end = mode - below;
                let integral = left_integral(f, end, end, Tail::of_log_odds(a));
                assert_relative_eq!(beta_cdf_left(a, b, end), integral, max_relative = ACCURACY * (1.0 + integral.ln().abs()));
            }
        }
    }

    #[test]
    fn little_before_and_beyond_the_mode_when_the_rest_falls_slowly() {
        // 1 - the sum of the probabilities of 0 to n purchases of an NBD, with 60 digits.
        for (n, shape, odds, expected) in [
            (5.0, 1e-3, 1e4, 6.904_392_245_300_485_2e-3),
            (1.0, 1e-4, 1e5, 1.050_747_124_284_840_2e-3),
            (50.0, 1e-6, 1e8, 1.392_137_982_487_880_9e-5),
            (5.0, 1e-6, 1e7, 1.383_466_794_952_825_2e-5),
            (5.0, 1e-9, 1e12, 2.534_768_746_208_038_7e-8),
        ] {
            assert_relative_eq!(beta_cdf(n + 1.0, shape, odds, 1.0), expected, max_relative = 1e-13);
        }
    }

    #[test]
    fn agrees_with_statrs() {
        for (a, b) in [(0.5, 2.0), (3.0, 0.7), (20.0, 35.0)] {
            for u in [0.01, 0.2, 0.5, 0.8, 0.99] {
                assert_relative_eq!(beta_cdf(a, b, u, 1.0 - u), statrs::function::beta::beta_reg(a, b, u), max_relative = 1e-10);
            }
        }
    }
}
