//! Formulas in f64 in which nothing cancels: a model may not lose its digits where times are short or rates small.

/// A time as the trait wants it taken: 0 when negative or no number, finite.
pub(super) fn time(t: f64) -> f64 {
    if t > 0.0 { t.min(1e120) } else { 0.0 }
}

/// (P(N = n), P(N > n)) of a Poisson number, small ones with all their digits.
pub(super) fn poisson(n: u64, mean: f64) -> (f64, f64) {
    if mean == 0.0 {
        return (f64::from(u8::from(n == 0)), 0.0);
    }
    let n = n as f64;
    let ln_factorial: f64 = (2..=n as u64).map(|i| (i as f64).ln()).sum();
    let pmf = (n * mean.ln() - mean - ln_factorial).exp();
    // The terms beyond n, or 1 less those up to n: whichever are the smaller ones.
    let (mut term, mut sum, mut i) = (pmf, 0.0, n);
    if mean < n + 1.0 {
        while term > 1e-17 * sum {
            i += 1.0;
            term *= mean / i;
            sum += term;
        }
        return (pmf, sum);
    }
    while term > 1e-17 * sum && i >= 0.0 {
        sum += term;
        term *= i / mean;
        i -= 1.0;
    }
    (pmf, 1.0 - sum)
}

/// The variance of the smaller of w and an exponential lifetime of mean 1.
pub(super) fn variance_of_lifetime(w: f64) -> f64 {
    if w < 0.5 {
        // The series of 1 - 2 w e^-w - e^(-2 w) = 2 e^-w (sinh w - w)
        let series = [13.0, 11.0, 9.0, 7.0, 5.0].iter().fold(1.0, |sum, i| 1.0 + w * w / (i * (i - 1.0)) * sum);
        return (-w).exp() * w.powi(3) / 3.0 * series;
    }
    1.0 - 2.0 * w * (-w).exp() - (-2.0 * w).exp()
}
