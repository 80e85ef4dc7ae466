//! Whether probabilities mean what they say: the PIT of the counts, and the reliability of P(at least one purchase).

use super::counts::CountForecast;
use super::line_interval::share_interval;
use super::sums::ratio;
use crate::fit::Level;

/// Bins of a histogram or table of probabilities.
const BINS: usize = 10;

/// The probability integral transform of counts, without randomisation (Czado, Gneiting & Held 2009, "Predictive Model Assessment for Count Data",
/// Biometrics 65(4), eq. 2 and 3).
///
/// Of a count y with distribution F, the transform is spread evenly between F(y - 1) and F(y); of distributions that are right, the mean over customers is
/// uniform. High at both ends: the distributions are too narrow; high in the middle: too wide; sloping: too much or too little is expected.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pit {
    /// The share of the transform in each tenth of \[0, 1\]; 0.1 each, when the distributions are right.
    pub shares: [f64; BINS],
    /// The largest distance of the mean transform from uniformity at the ends of the tenths.
    pub distance: f64,
    /// What that distance exceeds in one case of a hundred when the distributions are right and customers independent: Kolmogorov's 1.63 / sqrt(n), which
    /// is generous for counts.
    pub tolerance: f64,
}

impl Pit {
    /// `None` of no customer.
    pub(super) fn of(forecasts: &[CountForecast]) -> Option<Self> {
        const KOLMOGOROV_99: f64 = 1.628;
        let n = forecasts.len() as f64;
        let up_to = |u: f64| forecasts.iter().fold(0.0, |sum, forecast| sum + transform(forecast, u));
        let ends: Option<Vec<f64>> = (0..=BINS).map(|end| ratio(up_to(end as f64 / BINS as f64), n)).collect();
        let ends = ends?;
        Some(Pit {
            shares: std::array::from_fn(|bin| ends[bin + 1] - ends[bin]),
            distance: ends.iter().enumerate().map(|(end, mean)| (mean - end as f64 / BINS as f64).abs()).fold(0.0, f64::max),
            tolerance: KOLMOGOROV_99 / n.sqrt(),
        })
    }

    /// Whether the distributions may be right, as far as this shows.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.distance <= self.tolerance
    }
}

/// F(u | y): 0 up to F(y - 1), 1 from F(y), even between.
fn transform(forecast: &CountForecast, u: f64) -> f64 {
    let [below, at] = forecast.cdf;
    if u >= at {
        1.0
    } else if u <= below {
        0.0
    } else {
        (u - below) / (at - below)
    }
}

/// Customers whose P(at least one purchase) lies in one tenth of \[0, 1\].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReliabilityRow {
    /// Probabilities from this.
    pub from: f64,
    /// To less than this; the last tenth holds 1, too.
    pub to: f64,
    /// The number of customers.
    pub customers: u64,
    /// Their mean P(at least one purchase); `None` without a customer.
    pub predicted: Option<f64>,
    /// The share that bought.
    pub actual: Option<f64>,
    /// The interval of that share, as far as it depends on who the customers are.
    pub actual_interval: Option<[f64; 2]>,
}

/// P(at least one purchase) against the share that bought, by tenths.
pub(super) fn reliability(p_active: &[f64], actual: &[f64], level: Level) -> Vec<ReliabilityRow> {
    let mut sums = [(0_u64, 0.0, 0_u64); BINS];
    for (&p, &actual) in p_active.iter().zip(actual) {
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        sums[bin] = (sums[bin].0 + 1, sums[bin].1 + p, sums[bin].2 + u64::from(actual > 0.0));
    }
    let row = |(bin, (customers, predicted, bought)): (usize, (u64, f64, u64))| ReliabilityRow {
        from: bin as f64 / BINS as f64,
        to: (bin + 1) as f64 / BINS as f64,
        customers,
        predicted: ratio(predicted, customers as f64),
        actual: ratio(bought as f64, customers as f64),
        actual_interval: share_interval(customers as f64, bought as f64, level),
    };
    sums.into_iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn two_customers_by_hand() {
        let forecast = |cdf| CountForecast { cdf, ..CountForecast::default() };
        // One spreads evenly over 0 to 0.5, the other over 0.5 to 0.75: the tenths hold 0.1 each up to 0.5, then 0.2, 0.2 and 0.1.
        let pit = Pit::of(&[forecast([0.0, 0.5]), forecast([0.5, 0.75])]).unwrap();
        for (share, expected) in pit.shares.iter().zip([0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.1, 0.0, 0.0]) {
            assert_relative_eq!(*share, expected, epsilon = 1e-15, max_relative = 1e-14);
        }
        // At 0.8 all of it has come.
        assert_relative_eq!(pit.distance, 0.2, max_relative = 1e-14);
        assert!(pit.is_uniform() && Pit::of(&[]).is_none());
        // A count that was certain spreads over everything; one that could not be lies at 1.
        assert_eq!(Pit::of(&[forecast([0.0, 1.0])]).unwrap().distance, 0.0);
        assert_eq!(Pit::of(&[forecast([1.0, 1.0])]).unwrap().distance, 0.9);
    }

    #[test]
    fn reliability_by_hand() {
        let rows = reliability(&[0.0, 0.05, 0.1, 0.95, 1.0], &[0.0, 1.0, 2.0, 1.0, 0.0], Level::default());
        assert_eq!((rows[0].customers, rows[0].predicted, rows[0].actual), (2, Some(0.025), Some(0.5)));
        assert_eq!((rows[1].customers, rows[1].predicted, rows[1].actual), (1, Some(0.1), Some(1.0)));
        assert_eq!((rows[9].customers, rows[9].predicted, rows[9].actual), (2, Some(0.975), Some(0.5)));
        assert_eq!((rows[5].customers, rows[5].predicted, rows[5].actual, rows[5].actual_interval), (0, None, None, None));
        // One of two: the interval is symmetric, with half its width z / (2 sqrt(2 + z^2)).
        let z = 1.644_853_626_951_472_7_f64;
        let half = 0.5 * z / (2.0 + z * z).sqrt();
        let [lower, upper] = rows[0].actual_interval.unwrap();
        assert_relative_eq!(lower, 0.5 - half, max_relative = 1e-12);
        assert_relative_eq!(upper, 0.5 + half, max_relative = 1e-12);
    }
}
