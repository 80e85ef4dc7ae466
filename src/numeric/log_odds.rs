//! Expectations over a beta distribution, by the trapezoidal rule in log-odds.
//!
//! In y = ln(p / (1 - p)) a beta density is e^{ay} (1 + e^y)^-(a+b): analytic in the strip |Im y| < pi whatever a and b are, so the plain
//! trapezoidal rule converges geometrically. Dividing by the same sum of the density needs no beta function. Far out, where p or 1 - p is
//! below every scale of the problem, both tails are geometric series.

/// The coarsest step: the discretisation error is then below 1e-14 over the whole domain.
const STEP: f64 = 0.2;

/// A tail whose weight is below this share of the sum is left out.
const NEGLIGIBLE: f64 = 1e-18;

/// E[f(p)] for p ~ Beta(a, b), a and b in 1e-8..1e10, and a positive monotone f.
///
/// `scale` bounds how fast f varies: |f'(p) / f(p)| <= `scale` for p near 0 and p near 1. Relative error within 1e-13.
pub(crate) fn beta_mean(a: f64, b: f64, scale: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = STEP.min(0.42 * (1.0 / a + 1.0 / b).sqrt());
    let flat = (1e-17 / scale.max(a + b).max(1.0)).max(f64::MIN_POSITIVE);
    let mode = a / (a + b);
    let (mut weights, mut values) = (1.0, f(mode));
    // Each side in turn, outward from the mode, at log-odds distance d; the density falls like e^(-near d).
    for (right, near, far) in [(true, b, a), (false, a, b)] {
        for k in 1.. {
            let distance = f64::from(k) * step;
            let shrink = (-distance).exp();
            // ln of the density relative to the mode, in the form whose terms do not cancel.
            let ln_weight = if near <= far {
                let odds = near / far;
                (a + b) * (odds * -(-distance).exp_m1() / (1.0 + odds * shrink)).ln_1p() - near * distance
            } else {
                far * distance - (a + b) * (far / (a + b) * distance.exp_m1()).ln_1p()
            };
            let weight = ln_weight.exp();
            // The odds of what becomes small on this side: 1 - p on the right, p on the left.
            let outer = near / far * shrink;
            let p = if right { 1.0 / (1.0 + outer) } else { outer / (1.0 + outer) };
            let value = f(p);
            if outer < flat {
                let geometric = weight / -(-near * step).exp_m1();
                weights += geometric;
                values += geometric * value;
                break;
            }
            weights += weight;
            values += weight * value;
            let enough = NEGLIGIBLE * (near * step).min(1.0);
            if weight <= enough * weights && weight * value <= enough * values {
                break;
            }
        }
    }
    values / weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ACCURACY: f64 = 1e-13;

    #[test]
    fn moments_are_known() {
        for a in [1e-6, 1e-3, 0.4, 1.0, 7.0, 300.0, 1e5] {
            for b in [1e-6, 1e-3, 0.55, 2.4, 90.0, 1e5] {
                let n = a + b;
                assert_relative_eq!(beta_mean(a, b, 1.0, |p| p), a / n, max_relative = ACCURACY);
                assert_relative_eq!(beta_mean(a, b, 2.0, |p| p * p), a / n * ((a + 1.0) / (n + 1.0)), max_relative = ACCURACY);
            }
        }
    }

    #[test]
    fn a_uniform_density_against_elementary_integrals() {
        for tau in [1e-6, 0.3, 12.0, 1e6_f64] {
            // Integral of 1 / (1 + p tau) = ln(1 + tau) / tau
            assert_relative_eq!(beta_mean(1.0, 1.0, tau, |p| 1.0 / (1.0 + p * tau)), tau.ln_1p() / tau, max_relative = ACCURACY);
        }
    }
}
