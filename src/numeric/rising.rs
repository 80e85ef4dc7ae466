//! Rising factorials (z)_m = Gamma(z + m) / Gamma(z), in logs and with derivatives.
//!
//! x is an integer, so a likelihood needs no ln Gamma at all: products for small m, and for large m the difference of two Stirling formulas, taken on
//! paper. (The difference of two ln Gamma calls loses 6e-12 at z = 1e5.)

use super::stirling::{ASYMPTOTIC, Stirling};

/// ln (z)_m and its first two derivatives in z.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LnRising {
    /// ln (z)_m
    pub(crate) value: f64,
    /// psi(z + m) - psi(z)
    pub(crate) first: f64,
    /// psi'(z + m) - psi'(z)
    pub(crate) second: f64,
}

/// How many factors are multiplied out before Stirling's formula takes over: all of them when there are few.
fn leading_factors(z: f64, m: f64) -> f64 {
    if m <= ASYMPTOTIC { m } else { (ASYMPTOTIC - z).ceil().max(0.0) }
}

/// ln (z)_m with derivatives, for z in 1e-17..1e17 and whole m in 0..9e15; relative error within 1e-14 (absolute below 1).
pub(crate) fn ln_rising(z: f64, m: f64) -> LnRising {
    let head = leading_factors(z, m);
    let (mut product, mut reciprocals, mut squares) = (1.0, 0.0, 0.0);
    for k in 0..head as u32 {
        let factor = z + f64::from(k);
        let reciprocal = 1.0 / factor;
        product *= factor;
        reciprocals += reciprocal;
        squares += reciprocal * reciprocal;
    }
    let mut sum = LnRising { value: product.ln(), first: reciprocals, second: -squares };
    let d = m - head;
    if d > 0.0 {
        let w = z + head;
        let (low, high) = (Stirling::asymptotic(w), Stirling::asymptotic(w + d));
        let ln_ratio = (d / w).ln_1p();
        sum.value += (w - 0.5) * ln_ratio + d * ((w + d).ln() - 1.0) + (high.ln_gamma - low.ln_gamma);
        sum.first += ln_ratio + (high.digamma - low.digamma);
        sum.second += high.trigamma - low.trigamma;
    }
    sum
}

/// ln [(b)_m / (a + b)_m] = ln [B(a, b + m) / B(a, b)] for a, b in 1e-17..1e17, whole m in 0..9e15.
///
/// Always negative; relative error within 1e-14 also for a << b, where the two rising factorials agree in all their digits.
pub(crate) fn ln_beta_ratio(a: f64, b: f64, m: f64) -> f64 {
    let head = leading_factors(b, m);
    let mut sum = 0.0;
    for k in 0..head as u32 {
        sum -= (a / (b + f64::from(k))).ln_1p();
    }
    let d = m - head;
    if d > 0.0 {
        // Stirling at w = b + head and v = a + w, with the terms paired so that each is small when a is.
        let w = b + head;
        let v = a + w;
        let stirling = |z: f64| Stirling::asymptotic(z).ln_gamma;
        sum += (w - 0.5) * (d / w * (a / (v + d))).ln_1p() - a * (d / v).ln_1p() - d * (a / (w + d)).ln_1p()
            + ((stirling(w + d) - stirling(w)) - (stirling(v + d) - stirling(v)));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ACCURACY: f64 = 1e-14;

    /// The definition, summed with compensation.
    fn by_definition(term: impl Fn(f64) -> f64, m: u32) -> f64 {
        let (mut sum, mut compensation) = (0.0, 0.0);
        for k in 0..m {
            let y = term(f64::from(k)) - compensation;
            let next = sum + y;
            compensation = (next - sum) - y;
            sum = next;
        }
        sum
    }

    #[test]
    fn agrees_with_the_definition() {
        for z in [1e-6, 0.243, 1.0, 15.9, 16.0, 300.0, 1e5] {
            for m in [0, 1, 2, 15, 16, 17, 18, 100, 10_000, 1_000_000] {
                let ours = ln_rising(z, f64::from(m));
                let value = by_definition(|k| (z + k).ln(), m);
                assert!((ours.value - value).abs() <= ACCURACY * value.abs().max(1.0), "ln ({z})_{m}: {} against {value}", ours.value);
                assert_relative_eq!(ours.first, by_definition(|k| 1.0 / (z + k), m), max_relative = ACCURACY);
                assert_relative_eq!(ours.second, by_definition(|k| -(z + k).powi(-2), m), max_relative = 20.0 * ACCURACY);
            }
        }
    }

    #[test]
    fn beta_ratio_agrees_with_the_definition() {
        for a in [1e-9, 1e-3, 0.793, 1.0, 40.0, 1e5] {
            for b in [1e-6, 0.4, 2.426, 17.0, 1e5] {
                for m in [0, 1, 2, 16, 17, 40, 10_000, 1_000_000] {
                    let expected = by_definition(|k| -(a / (b + k)).ln_1p(), m);
                    assert_relative_eq!(ln_beta_ratio(a, b, f64::from(m)), expected, max_relative = ACCURACY);
                }
            }
        }
    }
}
