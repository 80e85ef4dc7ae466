//! The integral from 0 of a function that changes ever more slowly: Gauss-Legendre on panels that double.

use super::gauss_legendre::RULES;

/// Panels; the first is 2^-12 of the whole.
const PANELS: i32 = 13;

/// The integral of `f` from 0 to `end`. What is smooth over a panel as long as its distance from 0, such as (1 + u/c)^-r or e^(-u) to u = 40, comes out to
/// ten digits for c down to 1e-4 of `end`.
pub(crate) fn integral(end: f64, f: impl Fn(f64) -> f64) -> f64 {
    let ten = RULES[3];
    let panel = |from: f64, to: f64| {
        let width = to - from;
        width * ten.iter().map(|&(node, weight)| weight * (f(from + node * width) + f(to - node * width))).sum::<f64>()
    };
    let start = |k: i32| if k == 0 { 0.0 } else { end * 0.5_f64.powi(PANELS - k) };
    // From the smallest on.
    (0..PANELS).map(|k| panel(start(k), start(k + 1))).sum()
}

#[cfg(test)]
mod tests {
    use super::integral;

    #[test]
    fn closed_forms() {
        for c in [1e-4, 1e-3, 1.0, 1e3] {
            let (ours, exact) = (integral(52.0, |u| 1.0 / (1.0 + u / (52.0 * c))), 52.0 * c * (1.0 / c).ln_1p());
            assert!((ours / exact - 1.0).abs() < 1e-10, "{c}: {ours} {exact}");
        }
        assert!((integral(40.0, |u| (-u).exp()) - 1.0).abs() < 1e-11);
        assert_eq!(integral(0.0, |_| 1.0), 0.0);
    }
}
