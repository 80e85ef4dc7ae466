//! What Stirling's formula leaves over, for ln Gamma, digamma and trigamma.
//!
//! Differences of large ln Gamma values cancel; differences of these remainders do not. Every gamma function of the crate is written as Stirling's
//! leading terms, combined on paper, plus these.

use super::elementary::{NEAR_ONE, ln_of_two};

/// From here on the asymptotic series below reach double precision.
pub(super) const ASYMPTOTIC: f64 = 16.0;

const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_741_78;

/// The remainders of Stirling's formula at one argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stirling {
    /// ln Gamma(z) - [(z - 1/2) ln z - z + ln(2 pi)/2]
    pub(crate) ln_gamma: f64,
    /// psi(z) - ln z
    pub(crate) digamma: f64,
    /// psi'(z)
    pub(crate) trigamma: f64,
}

impl Stirling {
    /// The remainders for finite z > 0; absolute error of the first two within 2e-14 max(1, |value|), relative error of trigamma within 4e-15.
    pub(crate) fn at(z: f64) -> Self {
        if z >= ASYMPTOTIC {
            return Stirling::asymptotic(z);
        }
        // Gamma(z) = Gamma(z + k) / (z (z + 1) ... (z + k - 1))
        let steps = (ASYMPTOTIC - z).ceil();
        let top = Stirling::asymptotic(z + steps);
        let (mut product, mut reciprocals, mut squares) = (1.0, 0.0, 0.0);
        for k in 0..steps as u32 {
            let factor = z + f64::from(k);
            product *= factor;
            reciprocals += 1.0 / factor;
            squares += 1.0 / (factor * factor);
        }
        let w = z + steps;
        Stirling {
            ln_gamma: top.ln_gamma + (w - 0.5) * w.ln() - w - product.ln() - ((z - 0.5) * z.ln() - z),
            digamma: top.digamma + (w / z).ln() - reciprocals,
            trigamma: top.trigamma + squares,
        }
    }

    /// The series in 1/z (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.12) for z >= 16; truncation below 1e-18.
    #[inline]
    pub(super) fn asymptotic(z: f64) -> Self {
        let w = 1.0 / z;
        let w2 = w * w;
        Stirling {
            ln_gamma: w
                * (1.0 / 12.0
                    - w2 * (1.0 / 360.0 - w2 * (1.0 / 1260.0 - w2 * (1.0 / 1680.0 - w2 * (1.0 / 1188.0 - w2 * (691.0 / 360_360.0)))))),
            digamma: -0.5 * w
                - w2 * (1.0 / 12.0
                    - w2 * (1.0 / 120.0 - w2 * (1.0 / 252.0 - w2 * (1.0 / 240.0 - w2 * (1.0 / 132.0 - w2 * (691.0 / 32_760.0)))))),
            trigamma: w
                * (1.0
                    + w * (0.5
                        + w * (1.0 / 6.0
                            - w2 * (1.0 / 30.0 - w2 * (1.0 / 42.0 - w2 * (1.0 / 30.0 - w2 * (5.0 / 66.0 - w2 * (691.0 / 2730.0)))))))),
        }
    }
}

/// ln of the beta density's normaliser relative to its saddle point: -ln B(a, b) + a ln(a/(a+b)) + b ln(b/(a+b)), for a, b > 0.
///
/// This is what is left of the beta function when its two large terms are taken into the exponent (Loader 2000); absolute error within 5e-14.
pub(crate) fn ln_beta_saddle(a: f64, b: f64) -> f64 {
    let n = a + b;
    let remainders = Stirling::at(n).ln_gamma - Stirling::at(a).ln_gamma - Stirling::at(b).ln_gamma;
    0.5 * (a.min(b) * (a.max(b) / n)).ln() - HALF_LN_2_PI + remainders
}

/// How far u = y / (y + z) lies from mu = a / (a + b), all arguments positive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deviance {
    /// The binomial deviance a ln(mu / u) + b ln((1 - mu) / (1 - u)): 0 where y : z = a : b, positive elsewhere.
    pub(crate) value: f64,
    /// ln(mu / u)
    pub(crate) ln_own: f64,
    /// ln((1 - mu) / (1 - u))
    pub(crate) ln_other: f64,
}

/// The deviance and its two logarithms; relative error within 1e-14 (conditioned on the quotients y / a and z / b).
#[inline(always)]
pub(crate) fn binomial_deviance(a: f64, b: f64, y: f64, z: f64) -> Deviance {
    let n = a + b;
    let (per_n, per_y, per_z) = (1.0 / n, 1.0 / y, 1.0 / z);
    // The quotients mu / u and (1 - mu) / (1 - u), less 1: exact where they are near 1.
    let excess = (a * z - b * y) * per_n;
    let (e_a, e_b) = (excess * per_y, -excess * per_z);
    let quotients = [a * per_n * (1.0 + z * per_y), b * per_n * (1.0 + y * per_z)];
    let ([ln_own, ln_other], [less_a, less_b]) = ln_of_two([e_a, e_b], quotients);
    // Both selected, not one skipped: a branch would keep the loop over customers from becoming vector instructions. Where both logarithms are near 0, their
    // first-order parts cancel to e_a e_b.
    let (near, far) = (a * less_a + b * less_b - e_a * e_b * n, a * ln_own + b * ln_other);
    let value = if e_a.abs().max(e_b.abs()) < NEAR_ONE { near } else { far };
    Deviance { value, ln_own, ln_other }
}

/// ln(1 + e) - e for |e| < 0.25; relative error within 4e-16.
pub(crate) fn ln_1p_minus(e: f64) -> f64 {
    // ln(1 + e) = 2 artanh(s), s = e / (2 + e), and 2 s - e = -e s.
    let s = e / (2.0 + e);
    let s2 = s * s;
    // Twelve terms: s <= 1/7, so the remainder is 1/27 s^24 < 1e-22.
    let mut series = 0.0;
    for k in (1..=12).rev() {
        series = s2 * (1.0 / f64::from(2 * k + 1) + series);
    }
    2.0 * s * series - e * s
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// The reference (statrs) is good to about 1e-12 near the zeros of ln Gamma and psi; elsewhere it is closer.
    const REFERENCE_ACCURACY: f64 = 2e-12;

    #[test]
    fn remainders_agree_with_statrs() {
        for z in [1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 3.7, 8.0, 15.999, 16.0, 16.5, 40.0, 1e3, 1e5] {
            let stirling = Stirling::at(z);
            let leading = (z - 0.5) * f64::ln(z) - z + HALF_LN_2_PI;
            let scale = 1.0 + leading.abs();
            assert!((stirling.ln_gamma + leading - statrs::function::gamma::ln_gamma(z)).abs() < REFERENCE_ACCURACY * scale, "{z}");
            assert!(
                (stirling.digamma + f64::ln(z) - statrs::function::gamma::digamma(z)).abs() < REFERENCE_ACCURACY * (1.0 + 1.0 / z),
                "{z}"
            );
        }
    }

    #[test]
    fn trigamma_at_known_points() {
        use std::f64::consts::PI;
        assert_relative_eq!(Stirling::at(1.0).trigamma, PI * PI / 6.0, max_relative = 4e-15);
        assert_relative_eq!(Stirling::at(0.5).trigamma, PI * PI / 2.0, max_relative = 4e-15);
        assert_relative_eq!(Stirling::at(2.0).trigamma, PI * PI / 6.0 - 1.0, max_relative = 4e-15);
    }

    #[test]
    fn the_series_and_the_recurrence_meet() {
        let (below, above) = (Stirling::at(16.0 - 1e-13), Stirling::at(16.0));
        assert!((below.ln_gamma - above.ln_gamma).abs() < 2e-14);
        assert!((below.digamma - above.digamma).abs() < 2e-14);
        assert_relative_eq!(below.trigamma, above.trigamma, max_relative = 4e-14);
    }

    #[test]
    fn the_saddle_of_a_uniform_density() {
        // B(1, 1) = 1, so -ln B + ln(1/2) + ln(1/2)
        assert!((ln_beta_saddle(1.0, 1.0) + 2.0 * std::f64::consts::LN_2).abs() < 5e-14);
    }

    #[test]
    fn the_deviance_joins_its_two_forms() {
        for (a, b) in [(6.25_f64, 3.74_f64), (1e-3, 1e-3), (1e5, 2.0), (3.0, 1e5), (1e5, 1e5)] {
            for ratio in [0.5, 0.79, 0.799_999, 0.800_001, 0.9, 1.0 + 1e-9, 1.24, 1.5, 1e6] {
                let (y, z) = (a * ratio, b);
                let direct = a * (a / (a + b) * (1.0 + z / y)).ln() + b * (b / (a + b) * (1.0 + y / z)).ln();
                // The direct form cancels: its error is that of its larger terms.
                let tolerance = 1e-15 * (a + b) + 1e-14 * direct.abs();
                assert!((binomial_deviance(a, b, y, z).value - direct).abs() <= tolerance, "{a} {b} {ratio}");
            }
        }
        assert_eq!(binomial_deviance(6.25, 3.74, 12.5, 7.48).value, 0.0);
    }
}
