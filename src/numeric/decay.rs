//! Integrals of e^-h(v) with convex rising h, by Gauss-Legendre panels that stop where nothing is left.

use super::gauss_legendre::RULES;

/// Where h exceeds this, e^-h no longer counts: 2e-16 of the integral.
const NEGLIGIBLE: f64 = 36.0;

/// Widest panel: the integrands grow like e^v, and a rule resolves only so many e-folds of the exponent.
const WIDEST_PANEL: f64 = 4.0;

/// Index into [`RULES`] for a panel of a given width over which h rises by a given amount.
///
/// Measured: each class keeps e^-h within 1e-15 of the integral; see the test against halved panels.
fn rule(width: f64, rise: f64) -> &'static [(f64, f64)] {
    const BY_WIDTH: [(f64, usize); 5] = [(0.25, 2), (1.0, 3), (2.0, 5), (3.0, 7), (f64::INFINITY, 9)];
    const BY_RISE: [(f64, usize); 6] = [(0.5, 1), (1.0, 2), (4.0, 4), (8.0, 5), (16.0, 7), (f64::INFINITY, 9)];
    let class = |table: &[(f64, usize)], value: f64| table.iter().find(|(limit, _)| value < *limit).map_or(9, |(_, class)| *class);
    RULES[class(&BY_WIDTH, width).max(class(&BY_RISE, rise))]
}

/// Integral over 0..`end` of exp(-n v - c (e^v - 1)) dv, for n >= 0, c >= 0, not both 0 when `end` is infinite.
///
/// Relative error within 1e-14. `end` may be infinite.
pub(crate) fn exponential_decay(n: f64, c: f64, end: f64) -> f64 {
    let h = |v: f64| n * v + c * v.exp_m1();
    // An upper bound of the point where h reaches NEGLIGIBLE, then Newton's method, which approaches it from above since h is convex.
    let mut cut = (NEGLIGIBLE / (n + c)).min((NEGLIGIBLE / c).ln_1p());
    for _ in 0..3 {
        cut -= (h(cut) - NEGLIGIBLE).max(0.0) / (n + c * cut.exp());
    }
    let end = end.min(cut);
    let panels = (end / WIDEST_PANEL).ceil().max(1.0);
    let width = end / panels;
    let mut sum = 0.0;
    for panel in 0..panels as u32 {
        let start = f64::from(panel) * width;
        let stop = start + width;
        for &(node, weight) in rule(width, h(stop) - h(start)) {
            sum += weight * ((-h(start + width * node)).exp() + (-h(stop - width * node)).exp());
        }
    }
    sum * width
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
        // e^c E1(c): Abramowitz & Stegun table 5.1 and 40-digit evaluation.
        for (c, expected) in [
            (1e-6, 13.238_309_131_365_003),
            (0.1, 2.014_642_544_708_451_7),
            (1.0, 0.596_347_362_323_194_1),
            (20.0, 0.047_718_545_495_960_84),
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
                    assert_relative_eq!(
                        exponential_decay(n, c, end),
                        exponential_decay(n, c, middle) + rest,
                        max_relative = ACCURACY
                    );
                }
            }
        }
    }
}
