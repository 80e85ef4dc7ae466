//! Expectations over a beta distribution, by the trapezoidal rule in log-odds.
//!
//! In y = ln(p / (1 - p)) a beta density is e^{ay} (1 + e^y)^-(a+b): analytic in the strip |Im y| < pi whatever a and b are, so the plain
//! trapezoidal rule converges geometrically. Dividing by the same sum of the density needs no beta function. Far out, where f hardly changes any
//! more, what is left of the sum is three geometric series.

/// The coarsest step: the discretisation error is then below 1e-14 over the whole domain.
const STEP: f64 = 0.2;

/// A tail whose weight is below this share of the sum is left out.
const NEGLIGIBLE: f64 = 1e-18;

/// A tail in which f and the density are a quadratic in the odds: the cubic term is below the cube of this, 6e-17.
const QUADRATIC: f64 = 4e-6;

/// E[f(p)] for p ~ Beta(a, b), a and b in 1e-12..1e15, and a positive monotone f.
///
/// `scale` bounds how fast f varies: f is a power series in p `scale` near 0, and in (1 - p) `scale` near 1, with coefficients of order 1 relative to its
/// first one. Relative error within 1e-13.
pub(crate) fn beta_mean(a: f64, b: f64, scale: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = STEP.min(0.42 * (1.0 / a + 1.0 / b).sqrt());
    let far_out = QUADRATIC / scale.max(a + b).max(1.0);
    let (mut weights, mut values) = (1.0, f(a / (a + b)));
    // Each side in turn, outward from the mode; the density falls like e^(-near d) at log-odds distance d.
    for (right, near, far) in [(true, b, a), (false, a, b)] {
        let node = |k: f64| {
            let distance = k * step;
            let shrink = (-distance).exp();
            // ln of the density relative to the mode, in the form whose terms do not cancel.
            let ln_weight = if near <= far {
                let odds = near / far;
                (a + b) * (odds * -(-distance).exp_m1() / (1.0 + odds * shrink)).ln_1p() - near * distance
            } else {
                far * distance - (a + b) * (far / (a + b) * distance.exp_m1()).ln_1p()
            };
            // The odds of what becomes small on this side: 1 - p on the right, p on the left.
            let outer = near / far * shrink;
            let p = if right { 1.0 / (1.0 + outer) } else { outer / (1.0 + outer) };
            (ln_weight.exp(), f(p), outer)
        };
        let mut k = 1.0;
        loop {
            let (weight, value, outer) = node(k);
            if outer < far_out {
                let ((weight_1, value_1, _), (weight_2, value_2, _)) = (node(k + 1.0), node(k + 2.0));
                let decay = near * step;
                weights += quadratic_tail([weight, weight_1, weight_2], decay, step);
                values += quadratic_tail([weight * value, weight_1 * value_1, weight_2 * value_2], decay, step);
                break;
            }
            weights += weight;
            values += weight * value;
            let enough = NEGLIGIBLE * (near * step).min(1.0);
            if weight <= enough * weights && weight * value <= enough * values {
                break;
            }
            k += 1.0;
        }
    }
    values / weights
}

/// The sum over i = 0, 1, ... of terms e^(-decay i) (A + B q^i + C q^2i), q = e^-step, from the first three of them.
fn quadratic_tail(terms: [f64; 3], decay: f64, step: f64) -> f64 {
    let q = (-step).exp();
    let less = 1.0 - q;
    let [first, second, third] = [terms[0], terms[1] * decay.exp(), terms[2] * (2.0 * decay).exp()];
    let (fall, next_fall) = (first - second, second - third);
    let c = (q * fall - next_fall) / (q * less * less * (1.0 + q));
    let b = fall / less - c * (1.0 + q);
    let a = first - b - c;
    let series = |rate: f64| -1.0 / (-rate).exp_m1();
    a * series(decay) + b * series(decay + step) + c * series(decay + 2.0 * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ACCURACY: f64 = 1e-13;

    #[test]
    fn moments_are_known() {
        for a in [1e-12, 1e-6, 1e-3, 0.4, 1.0, 7.0, 300.0, 1e5] {
            for b in [1e-12, 1e-6, 1e-3, 0.55, 2.4, 90.0, 1e5] {
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
