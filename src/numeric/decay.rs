//! Integrals of e^-h(v) over 0..end with convex h: Gauss-Legendre panels that stop where nothing is left.
//!
//! The integrands of the models, dropout in log-time and discounting in log-time, are analytic in the strip |Im v| < pi whatever the parameters, so a
//! small fixed rule per panel converges geometrically.
#![allow(clippy::needless_range_loop, reason = "a loop over the rows of several columns at once is what becomes vector instructions")]

use super::dispatch::{Kernel, dispatch};
use super::elementary::{exp, exp_m1};
use super::gauss_legendre::{COLUMNS, Columns, MOST_PAIRS, RULES};

/// Where h exceeds its start by this, e^-h no longer counts: 2e-16 of the integral.
pub(crate) const NEGLIGIBLE: f64 = 36.0;

/// Where h at the end is below this, nothing is cut off before: one need not look where. By 1 less, for the rounding of the places where it would be.
pub(super) const CERTAINLY_COUNTS: f64 = NEGLIGIBLE - 1.0;

/// Widest panel: the exponents grow like e^v, and a rule resolves only so many e-folds of them.
pub(super) const WIDEST_PANEL: f64 = 4.0;

/// The rules in use: [`rule_class`] is below this.
pub(super) const CLASSES: usize = COLUMNS.len();

/// Index into [`COLUMNS`] for a panel of a given width over which h changes by a given amount.
///
/// The classes keep the error of a panel within 1e-14 of the integral for the steepest h of each (measured against panels cut in many; see the tests).
#[inline(always)]
pub(super) fn rule_class(width: f64, change: f64) -> usize {
    // Counted, not searched: no branch is to be guessed.
    let passed = |limits: &[f64], value: f64| limits.iter().map(|limit| usize::from(value >= *limit)).sum::<usize>();
    let by_width = [0, 2, 3, 4, 6, 7][passed(&[0.1, 0.25, 1.0, 2.0, 3.0], width)];
    let by_change = [0, 1, 2, 3, 5, 6, 7, 8][passed(&[0.1, 0.5, 1.0, 4.0, 8.0, 16.0, 24.0], change)];
    by_width.max(by_change)
}

/// h, with h(0) = 0.
pub(crate) trait Exponent {
    /// h(v). What is not `#[inline(always)]` here is not compiled for the machine's vectors.
    fn at(&self, v: f64) -> f64;

    /// The steepest fall of h, which may fall before it rises; 0 where it does not.
    fn fall(&self) -> f64;

    /// How much h changes over a panel at whose ends it differs by `difference`: what it falls and what it rises together, at the most.
    #[inline(always)]
    fn change(&self, width: f64, difference: f64) -> f64 {
        difference.abs() + 2.0 * self.fall() * width
    }
}

/// The panels of 0..`end`, as (start, stop).
#[inline(always)]
pub(super) fn panels(end: f64) -> impl Iterator<Item = (f64, f64)> {
    let count = (end / WIDEST_PANEL).ceil().max(1.0);
    let width = end / count;
    (0..count as u32).map(move |panel| {
        let start = f64::from(panel) * width;
        (start, start + width)
    })
}

/// Integral of e^-h(v) over 0..`end`; h convex, negligible beyond `end` or cut there.
pub(crate) fn integral(end: f64, exponent: impl Exponent) -> f64 {
    dispatch(Integral { end, exponent })
}

/// The same over one panel, at whose end h comes to `at_end`.
pub(super) fn panel_integral(end: f64, at_end: f64, exponent: impl Exponent) -> f64 {
    dispatch(PanelIntegral { end, at_end, exponent })
}

struct Integral<E> {
    end: f64,
    exponent: E,
}

impl<E: Exponent> Kernel for Integral<E> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let h = |v: f64| self.exponent.at(v);
        panels(self.end).map(|(start, stop)| panel(&self.exponent, start, stop, h(stop) - h(start))).sum()
    }
}

struct PanelIntegral<E> {
    end: f64,
    at_end: f64,
    exponent: E,
}

impl<E: Exponent> Kernel for PanelIntegral<E> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        panel(&self.exponent, 0.0, self.end, self.at_end)
    }
}

/// The integral over one panel, at whose ends h differs by so much.
#[inline(always)]
fn panel(exponent: &impl Exponent, start: f64, stop: f64, difference: f64) -> f64 {
    let width = stop - start;
    let rule = &COLUMNS[rule_class(width, exponent.change(width, difference))];
    let of_pairs = |count| pairs(exponent, rule, count, start, stop);
    // As many as the rule has, and no more than necessary: a loop of a fixed length becomes vector instructions.
    let terms = match rule.pairs {
        ..=4 => of_pairs(4),
        5..=8 => of_pairs(8),
        _ => of_pairs(MOST_PAIRS),
    };
    width * terms[..rule.pairs].iter().fold(0.0, |sum, term| sum + term)
}

/// The first `count` pairs of nodes, each on its own: they are summed afterwards, in the order in which a column of rows sums them.
#[inline(always)]
fn pairs(exponent: &impl Exponent, rule: &Columns, count: usize, start: f64, stop: f64) -> [f64; MOST_PAIRS] {
    let width = stop - start;
    let mut terms = [0.0; MOST_PAIRS];
    for k in 0..count {
        let (low, high) = (start + width * rule.nodes[k], stop - width * rule.nodes[k]);
        terms[k] = rule.weights[k] * (exp(-exponent.at(low)) + exp(-exponent.at(high)));
    }
    terms
}

/// Calls `visit(v, weight)` at the nodes of rules for integrals over 0..`end` of e^-h(v) times factors that change as much again; h convex, negligible
/// beyond `end` or cut there.
#[inline]
pub(crate) fn for_each_node(end: f64, h: impl Fn(f64) -> f64, mut visit: impl FnMut(f64, f64)) {
    /// Classes that the factors take.
    const FURTHER: usize = 3;
    for (start, stop) in panels(end) {
        let width = stop - start;
        for &(node, weight) in RULES[(rule_class(width, (h(stop) - h(start)).abs()) + FURTHER).min(CLASSES - 1)] {
            visit(start + width * node, width * weight);
            visit(stop - width * node, width * weight);
        }
    }
}

/// h(v) = n v + c (e^v - 1)
#[derive(Clone, Copy)]
struct ExponentialDecay {
    n: f64,
    c: f64,
}

impl Exponent for ExponentialDecay {
    #[inline(always)]
    fn at(&self, v: f64) -> f64 {
        self.n * v + self.c * exp_m1(v)
    }

    #[inline(always)]
    fn fall(&self) -> f64 {
        (-self.n - self.c).max(0.0)
    }
}

/// Integral over 0..`end` of exp(-n v - c (e^v - 1)) dv, for n > -1 and c > 0, or n > 0 and c = 0.
///
/// Relative error within 1e-14 (absolute in the exponent where that is large). `end` may be infinite.
pub(crate) fn exponential_decay(n: f64, c: f64, end: f64) -> f64 {
    let h = ExponentialDecay { n, c };
    if end <= WIDEST_PANEL {
        let at_end = h.at(end);
        if at_end < CERTAINLY_COUNTS {
            return panel_integral(end, at_end, h);
        }
    }
    // An upper bound of the point where h reaches NEGLIGIBLE (for n < 0, no v here exceeds 800), then Newton's method, which approaches it from
    // above since h is convex.
    let mut cut = ((NEGLIGIBLE + 800.0 * (-n).max(0.0)) / c).ln_1p();
    if n >= 0.0 {
        cut = cut.min(NEGLIGIBLE / (n + c));
    }
    if cut < end {
        for _ in 0..4 {
            cut -= (h.at(cut) - NEGLIGIBLE).max(0.0) / (n + c * exp(cut));
        }
    }
    integral(end.min(cut), h)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Rounding in the exponent (up to 36 ulp of 1) and in the sum.
    const ACCURACY: f64 = 1e-14;

    #[test]
    fn without_discounting_it_is_elementary() {
        for n in [1e-6, 0.2, 1.0, 30.0, 1e5] {
            for end in [1e-9, 0.01, 1.0, 5.0, 30.0] {
                assert_relative_eq!(exponential_decay(n, 0.0, end), -(-n * end).exp_m1() / n, max_relative = ACCURACY);
            }
        }
        assert_relative_eq!(exponential_decay(2.0, 0.0, f64::INFINITY), 0.5, max_relative = ACCURACY);
    }

    #[test]
    fn with_n_zero_to_infinity_it_is_the_exponential_integral() {
        // e^c E1(c), evaluated with 25 digits.
        for (c, expected) in [
            (1e-6, 13.238_309_131_365_003_5),
            (0.1, 2.014_642_544_708_451_63),
            (1.0, 0.596_347_362_323_194_074),
            (20.0, 0.047_718_545_495_960_841_7),
        ] {
            assert_relative_eq!(exponential_decay(0.0, c, f64::INFINITY), expected, max_relative = ACCURACY);
        }
    }

    #[test]
    fn the_parts_add_up() {
        // Integral to `end` = integral to `end`/2 + the rest, which is the same function with shifted n and c.
        for n in [0.0, 0.3, 4.0, 200.0] {
            for c in [1e-12, 1e-4, 0.7, 50.0, 1e8] {
                for end in [1e-7, 0.3, 2.0, 7.0, 40.0] {
                    let middle: f64 = 0.5 * end;
                    let scale = (-n * middle - c * middle.exp_m1()).exp();
                    let rest = if scale > 0.0 { scale * exponential_decay(n, c * middle.exp(), middle) } else { 0.0 };
                    assert_relative_eq!(exponential_decay(n, c, end), exponential_decay(n, c, middle) + rest, max_relative = ACCURACY);
                }
            }
        }
    }

    #[test]
    fn halving_the_panels_changes_nothing() {
        // The dropout integrand of Pareto/NBD: p v + q ln(1 - kappa + kappa e^v).
        for p in [-0.999, -0.5, 0.0, 3.0, 1e3] {
            for q in [1.0, 1.5, 30.0, 1e4] {
                for kappa in [1e-9, 1e-4, 0.1, 0.9, 1.0_f64] {
                    let h = |v: f64| p * v + q * (kappa * v.exp_m1()).ln_1p();
                    for end in [1e-3, 0.09, 0.2, 0.4, 1.7, 3.9, 9.0, 25.0] {
                        let (mut whole, mut halves) = (0.0, 0.0);
                        for_each_node(end, h, |v, weight| whole += weight * (-h(v)).exp());
                        let steps = 64;
                        for step in 0..steps {
                            let start = end * f64::from(step) / f64::from(steps);
                            for_each_node(
                                end / f64::from(steps),
                                |v| h(start + v) - h(start),
                                |v, weight| {
                                    halves += weight * (-h(start + v)).exp();
                                },
                            );
                        }
                        if h(end) < 60.0 {
                            assert_relative_eq!(whole, halves, max_relative = 4.0 * ACCURACY);
                        }
                    }
                }
            }
        }
    }
}
