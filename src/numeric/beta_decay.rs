//! Integrals over time of a power decay that is mixed over a beta distribution: F(w) = E_p[(1 + p w)^-n], p ~ Beta(a, b).
//!
//! For every p the integrand is analytic for |Im v| < pi in v = ln(1 + c w) with c >= 1, so a few Gauss-Legendre nodes give the integral. At all nodes at
//! once F is a power series in z = w / (1 + w) (Pfaff's transformations of the 2F1 that F is), in one of two forms:
//! ```text
//! F(w) = (1 + w)^-e Sum_k (e)_k (f)_k / ((a + b)_k k!) z^k,     (e, f) = (n, b) or (a, a + b - n)
//! ```
//! The first has positive terms only. So has the second for n <= a + b, and nearly so for n a little above it; its factor in front hardly falls, and for
//! large n and b it takes a handful of terms.
#![allow(clippy::needless_range_loop, reason = "a loop over several columns at once is what becomes vector instructions")]

use super::decay::NEGLIGIBLE;
use super::dispatch::{Kernel, dispatch};
use super::elementary::{exp, exp_m1, ln_1p};
use super::gauss_legendre::{COLUMNS, Columns};

/// Nodes that are worked on side by side.
const LANES: usize = 8;

/// Terms of the series that are worked out in one go.
const TERMS: usize = 8;

/// What is left of the series may come to this share of it.
const LEFT_OUT: f64 = 1e-17;

/// A series with more terms than this takes longer than another way of working out F.
const MOST_TERMS: u32 = 1024;

/// The largest logarithm of the factor in front of the series: its rounding is that many times 1e-16 of F.
const STEEPEST: f64 = 64.0;

/// Coefficients of the second form whose signs change are harmless while they are this small next to the first.
const NEARLY_POSITIVE: f64 = 0.1;

/// Shorter times could underflow on their way through the series.
const SHORTEST: f64 = 1e-200;

/// A rule for an integral no wider in v over which its logarithm changes no more.
///
/// Measured against 32 nodes at 400,000 random points (shapes 1e-3 to 1e3, n to 1e4): what each rule leaves out is below 1e-14 of the integral.
struct Class {
    width: f64,
    change: f64,
    rule: &'static Columns,
}

/// 8, 16 and 24 nodes.
static CLASSES: [Class; 3] = [
    Class { width: 0.8, change: 2.0, rule: &COLUMNS[2] },
    Class { width: 2.5, change: 12.0, rule: &COLUMNS[6] },
    Class { width: 4.0, change: NEGLIGIBLE, rule: &COLUMNS[8] },
];

/// E_p[(1 + p w)^-n] as a function of w: a, b in 1e-12..1e15 or beyond, n > 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BetaDecay {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) n: f64,
}

impl BetaDecay {
    /// The integrals of F(w) and of e^(-`decay` w) F(w) over 0..`end`, for a positive end; `None` where the series converges too slowly or a rule would need
    /// many nodes: for long times, large n, or steep decay. The first does not depend on `decay`, to the last bit.
    ///
    /// Relative error within 4e-14.
    pub(crate) fn integrals(&self, end: f64, decay: f64) -> Option<(f64, f64)> {
        if !(end > SHORTEST) {
            return None;
        }
        let &BetaDecay { a, b, n } = self;
        let c = (n / (a + b)).max(1.0);
        let width = ln_1p(c * end);
        // F falls no further than with p at its mean (Jensen).
        let fall = n * ln_1p(a / (a + b) * end);
        let class = |change: f64| CLASSES.iter().position(|class| width <= class.width && change <= class.change);
        let (plain, discounted) = (class(fall)?, class(fall + decay * end)?);
        // For large n a difference of large numbers, but what it loses is no more than a rounding of n.
        let f = (b - n) + a;
        let alternates = -f * a.max(1.0) > NEARLY_POSITIVE * (a + b);
        let (e, f) = if a > n || alternates { (n, b) } else { (a, f) };
        if e * ln_1p(end) > STEEPEST {
            return None;
        }
        let series = Series { e, f, sum: a + b };
        let by = |class: usize| {
            let rule = CLASSES[class].rule;
            match 2 * rule.pairs / LANES {
                1 => dispatch(Integrals::<1> { series, c, width, end, decay, rule }),
                2 => dispatch(Integrals::<2> { series, c, width, end, decay, rule }),
                _ => dispatch(Integrals::<3> { series, c, width, end, decay, rule }),
            }
        };
        let both = by(discounted)?;
        if plain == discounted { Some(both) } else { Some((by(plain)?.0, both.1)) }
    }
}

/// (1 + w)^-e Sum_k (e)_k (f)_k / ((sum)_k k!) z^k
#[derive(Debug, Clone, Copy)]
struct Series {
    e: f64,
    f: f64,
    sum: f64,
}

/// Both integrals by a rule of `LANES` x G nodes.
struct Integrals<'a, const G: usize> {
    series: Series,
    c: f64,
    width: f64,
    end: f64,
    decay: f64,
    rule: &'a Columns,
}

impl<const G: usize> Kernel for Integrals<'_, G> {
    type Output = Option<(f64, f64)>;

    #[inline(always)]
    fn run(self) -> Option<(f64, f64)> {
        let Integrals { series, c, width, end, decay, rule } = self;
        let pairs = G * LANES / 2;
        let (mut v, mut weights) = ([[0.0; LANES]; G], [[0.0; LANES]; G]);
        for node in 0..G * LANES {
            let (group, lane, pair) = (node / LANES, node % LANES, node % pairs);
            let distance = width * rule.nodes[pair];
            v[group][lane] = if node < pairs { distance } else { width - distance };
            weights[group][lane] = rule.weights[pair];
        }
        let (mut w, mut y) = ([[0.0; LANES]; G], [[0.0; LANES]; G]);
        for group in 0..G {
            for lane in 0..LANES {
                w[group][lane] = exp_m1(v[group][lane]) / c;
                // z of the node as a share of z of the end.
                y[group][lane] = w[group][lane] * (1.0 + end) / (end * (1.0 + w[group][lane]));
            }
        }
        let sums = series.at(end / (1.0 + end), &y)?;
        let (mut plain, mut discounted) = ([0.0; LANES], [0.0; LANES]);
        for group in 0..G {
            for lane in 0..LANES {
                let w = w[group][lane];
                // dw = (w + 1/c) dv
                let value = weights[group][lane] * (w + 1.0 / c) * sums[group][lane] * exp(-series.e * ln_1p(w));
                plain[lane] += value;
                discounted[lane] += value * exp(-decay * w);
            }
        }
        let total = |lanes: [f64; LANES]| width * lanes.iter().sum::<f64>();
        Some((total(plain), total(discounted)))
    }
}

impl Series {
    /// The sum without the factor in front at z = `largest` y for each y in 0..=1: a polynomial in y, the same for all nodes, whose coefficients are the terms
    /// at y = 1.
    #[inline(always)]
    fn at<const G: usize>(&self, largest: f64, y: &[[f64; LANES]; G]) -> Option<[[f64; LANES]; G]> {
        let &Series { e, f, sum } = self;
        let (mut sums, mut power) = ([[0.0; LANES]; G], [[1.0; LANES]; G]);
        let (mut first, mut total) = (1.0, 0.0);
        let mut k = 0.0;
        while k < f64::from(MOST_TERMS) {
            let mut quotients = [0.0; TERMS];
            for j in 0..TERMS {
                let k = k + j as f64;
                quotients[j] = (e + k) * (f + k) / ((sum + k) * (1.0 + k)) * largest;
            }
            // Relative to the first of these terms, so that from one to the next TERMS of them it is one multiplication.
            let mut terms = [1.0; TERMS];
            for j in 1..TERMS {
                terms[j] = terms[j - 1] * quotients[j - 1];
            }
            let next = first * (terms[TERMS - 1] * quotients[TERMS - 1]);
            for term in &mut terms {
                *term *= first;
            }
            for group in 0..G {
                for lane in 0..LANES {
                    let y = y[group][lane];
                    let y2 = y * y;
                    let y4 = y2 * y2;
                    let low = (terms[0] + terms[1] * y) + (terms[2] + terms[3] * y) * y2;
                    let high = (terms[4] + terms[5] * y) + (terms[6] + terms[7] * y) * y2;
                    sums[group][lane] += power[group][lane] * (low + high * y4);
                    power[group][lane] *= y4 * y4;
                }
            }
            total += ((terms[0] + terms[1]) + (terms[2] + terms[3])) + ((terms[4] + terms[5]) + (terms[6] + terms[7]));
            first = next;
            k += TERMS as f64;
            // No later quotient is larger than this, since f + k < sum + k: what is left is less than a geometric series.
            let quotient = largest * ((e + k) / (1.0 + k)).max(1.0);
            if next.abs() <= LEFT_OUT * (1.0 - quotient) * total {
                return Some(sums);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::decay::exponential_decay;
    use crate::numeric::log_odds::beta_mean;
    use approx::assert_relative_eq;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Rounding in the exponents (up to 64 ulp of 1), in coefficients that are products of hundreds of quotients, and in the reference.
    const ACCURACY: f64 = 4e-14;

    fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
        (low.ln() + (high.ln() - low.ln()) * rng.random::<f64>()).exp()
    }

    /// The same integrals as means over p of what is elementary for one p; whether there was anything to compare.
    fn compare(decaying: BetaDecay, end: f64, decay: f64) -> bool {
        let Some((plain, discounted)) = decaying.integrals(end, decay) else { return false };
        let BetaDecay { a, b, n } = decaying;
        let of_p = |p: f64| -(-(n - 1.0) * (p * end).ln_1p()).exp_m1() / (p * (n - 1.0));
        let of_p_discounted = |p: f64| exponential_decay(n - 1.0, decay / p, (p * end).ln_1p()) / p;
        assert_relative_eq!(plain, beta_mean(a, b, n * end, of_p), max_relative = ACCURACY);
        assert_relative_eq!(discounted, beta_mean(a, b, n * end, of_p_discounted), max_relative = ACCURACY);
        true
    }

    #[test]
    fn time_and_dropout_may_be_integrated_in_either_order() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut compared, points) = (0, 1_000);
        for (low, high) in [(0.1, 10.0), (1e-12, 1e12)] {
            for _ in 0..points {
                let mut shape = || log_uniform(&mut rng, low, high);
                let (a, b, r) = (shape(), shape(), shape().min(1e6));
                let x = if rng.random() { log_uniform(&mut rng, 1.0, 1e5).floor() } else { 0.0 };
                let (end, decay) = (log_uniform(&mut rng, 1e-3, 40.0), log_uniform(&mut rng, 1e-4, 10.0));
                compared += usize::from(compare(BetaDecay { a, b: b + x, n: 1.0 + r + x }, end, decay));
            }
        }
        assert!(compared > points, "only {compared} of {} took this way", 2 * points);
    }

    #[test]
    fn special_points_are_nothing_special() {
        for (a, b, n) in [
            (1.0, 2.4, 1.2),
            (1.0, 1.0, 2.0),
            (0.2, 0.3, 1.5),
            (0.8, 1e-12, 1.3),
            (1e-12, 2.0, 1.3),
            (2.0, 3.0, 5.0),
            (2.0, 3.0, 5.0 + 1e-9),
            (2.0, 3.0, 5.2),
            (0.8, 1e5 + 2.4, 1e5 + 1.24),
            (40.0, 3.0, 20.0),
        ] {
            for end in [1e-150, 1e-9, 0.3, 1.225_540, 1.225_541, 3.0] {
                assert!(compare(BetaDecay { a, b, n }, end, 1e-3), "{a} {b} {n} {end}");
                assert!(compare(BetaDecay { a, b, n }, end, 0.0), "{a} {b} {n} {end}");
            }
        }
    }

    #[test]
    fn what_is_left_to_another_way() {
        let decaying = BetaDecay { a: 0.8, b: 2.4, n: 1.25 };
        for (end, decay) in [(0.0, 0.1), (1e-250, 0.1), (60.0, 0.0), (1e120, 0.0), (1.0, 40.0), (f64::INFINITY, 0.1)] {
            assert_eq!(decaying.integrals(end, decay), None, "{end} {decay}");
        }
    }
}
