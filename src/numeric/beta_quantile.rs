//! Quantiles of the beta distribution, in log-odds: where u or 1 - u underflows, they still have all their digits.

use super::log_concave::beta_cdf;
use super::stirling::{binomial_deviance, ln_beta_saddle};

/// Quantiles further out are 0 or infinite.
const LARGEST_LOG_ODDS: f64 = 600.0;

/// ln(u / (1 - u)) at the quantile `q` of Beta(a, b): -infinity where it lies below -600, infinity where above 600.
pub(crate) fn beta_log_odds_quantile(a: f64, b: f64, q: f64) -> f64 {
    // The smaller tail is the one that has all its digits.
    if q > 0.5 { -lower_beta_log_odds_quantile(b, a, 1.0 - q) } else { lower_beta_log_odds_quantile(a, b, q) }
}

/// The same for q <= 1/2. ln P is concave in log-odds, so that Newton's steps go right once and then approach from one side; bisection takes over
/// where P underflows.
fn lower_beta_log_odds_quantile(a: f64, b: f64, q: f64) -> f64 {
    let cdf = |y: f64| beta_cdf(a, b, y.exp(), 1.0);
    let saddle = ln_beta_saddle(a, b);
    let density = |y: f64| (saddle - binomial_deviance(a, b, y.exp(), 1.0).value).exp();
    let (mut low, mut high) = (-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS);
    // What is no probability but a negative number, or no number, counts as 0.
    if q.max(0.0) <= cdf(low) {
        return f64::NEG_INFINITY;
    }
    if q > cdf(high) {
        return f64::INFINITY;
    }
    let mut y = (a / b).ln().clamp(low, high);
    for _ in 0..100 {
        let p = cdf(y);
        if p > q {
            high = y
        } else {
            low = y
        }
        let step = (p / q).ln() * p / density(y);
        let tolerance = 1e-14 * y.abs().max(1.0);
        if step.abs() <= tolerance || high - low <= tolerance {
            break;
        }
        let newton = y - step;
        y = if low < newton && newton < high { newton } else { 0.5 * (low + high) };
    }
    y
}
