//! The distribution of one customer's number of purchases, and how well it did.

use super::metrics::LEVELS;
use crate::models::{AnyPurchaseModel, PurchaseModel, count_quantile};

/// Counts that are exceeded with less than this probability, or missed with less, are not looked at.
const NEGLIGIBLE: f64 = 1e-10;

/// The most counts at which a distribution is tabulated; a wider one is tabulated in steps.
const MOST_COUNTS: u64 = 4096;

/// A probability of what happened is taken to be at least this, the smallest number with all its digits: else one customer of whom the model is
/// sure, wrongly, would make a mean infinite.
const SMALLEST: f64 = f64::MIN_POSITIVE;

/// The number of purchases within a time, of customers who are alive: tabulated once for all who share a future.
#[derive(Debug, Clone)]
pub(super) struct CountTable {
    future: AnyPurchaseModel,
    length: f64,
    expected: f64,
    variance: f64,
    second_factorial_moment: f64,
    /// Below this count the survival function is 1.
    low: u64,
    step: u64,
    /// P(X > low + i step), for the counts up to the next entry.
    survival: Vec<f64>,
}

/// A forecast of a count, against the count that came.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct CountForecast {
    /// The count that came.
    pub(super) count: u64,
    /// The expected count.
    pub(super) expected: f64,
    /// Its variance.
    pub(super) variance: f64,
    /// E\[count (count - 1)\].
    pub(super) second_factorial_moment: f64,
    /// P(count > 0).
    pub(super) p_active: f64,
    /// -ln P(the count that came).
    pub(super) log_score: f64,
    /// The sum over k of (F(k) - \[count <= k\])^2.
    pub(super) crps: f64,
    /// F at the count before the one that came, and at the one that came.
    pub(super) cdf: [f64; 2],
    /// The ends of the central interval of each of the [`LEVELS`].
    pub(super) lower: [u64; LEVELS.len()],
    pub(super) upper: [u64; LEVELS.len()],
}

/// Log score, CRPS, whether the interval of each level holds the count, and how wide that is.
pub(super) const COUNT_FIGURES: usize = 2 + 2 * LEVELS.len();

impl CountForecast {
    /// What the means of a sample are taken of.
    pub(super) fn figures(&self) -> [f64; COUNT_FIGURES] {
        let mut figures = [0.0; COUNT_FIGURES];
        (figures[0], figures[1]) = (self.log_score, self.crps);
        for level in 0..LEVELS.len() {
            figures[2 + level] = f64::from(u8::from(self.covered(level)));
            figures[2 + LEVELS.len() + level] = self.width(level);
        }
        figures
    }

    /// Whether the interval of a level holds the count.
    pub(super) fn covered(&self, level: usize) -> bool {
        (self.lower[level]..=self.upper[level]).contains(&self.count)
    }

    pub(super) fn width(&self, level: usize) -> f64 {
        (self.upper[level] - self.lower[level]) as f64
    }
}

impl CountTable {
    pub(super) fn new(future: AnyPurchaseModel, length: f64) -> Self {
        let sf = |n| future.purchase_sf(n, length);
        let low = count_quantile(NEGLIGIBLE, sf);
        let high = count_quantile(1.0 - NEGLIGIBLE, sf).max(low) + 1;
        let step = (high - low).div_ceil(MOST_COUNTS);
        let survival = (0..(high - low).div_ceil(step)).map(|i| sf(low + i * step + step / 2)).collect();
        CountTable {
            expected: future.expected_purchases(length),
            variance: future.purchase_variance(length),
            second_factorial_moment: future.second_factorial_moment(length),
            future,
            length,
            low,
            step,
            survival,
        }
    }

    /// P(X > n).
    fn sf(&self, n: u64) -> f64 {
        if n < self.low {
            return 1.0;
        }
        self.survival.get(usize::try_from((n - self.low) / self.step).unwrap_or(usize::MAX)).copied().unwrap_or(0.0)
    }

    /// The forecast for a customer who is alive with this probability, against the count that came.
    pub(super) fn against(&self, p_alive: f64, count: u64) -> CountForecast {
        let end = |q: f64| count_quantile(q, |n| p_alive * self.sf(n));
        let cdf = |n: u64| 1.0 - p_alive * self.sf(n);
        CountForecast {
            count,
            expected: p_alive * self.expected,
            variance: p_alive * (self.variance + (1.0 - p_alive) * self.expected * self.expected),
            second_factorial_moment: p_alive * self.second_factorial_moment,
            p_active: p_alive * self.future.p_active(self.length),
            log_score: -self.probability(p_alive, count).max(SMALLEST).ln(),
            crps: self.crps(p_alive, count),
            cdf: [count.checked_sub(1).map_or(0.0, cdf), cdf(count)],
            lower: LEVELS.map(|level| end(0.5 - 0.5 * level)),
            upper: LEVELS.map(|level| end(0.5 + 0.5 * level)),
        }
    }

    fn probability(&self, p_alive: f64, count: u64) -> f64 {
        let alive = p_alive * self.future.purchase_pmf(count, self.length);
        if count == 0 { (1.0 - p_alive + alive).min(1.0) } else { alive }
    }

    /// Where the survival function is known to be 1 or 0, the sum has a closed form.
    fn crps(&self, p_alive: f64, count: u64) -> f64 {
        let high = self.low + self.step * self.survival.len() as u64;
        let (over, under) = (|sf: f64| (1.0 - sf) * (1.0 - sf), |sf: f64| sf * sf);
        let below = self.low.min(count) as f64 * over(p_alive) + self.low.saturating_sub(count) as f64 * under(p_alive);
        let within: f64 = (self.survival.iter().zip(0_u64..))
            .map(|(sf, i)| {
                let sf = p_alive * sf;
                // Of the counts in a step, those below the one that came.
                let smaller = count.saturating_sub(self.low + i * self.step).min(self.step);
                smaller as f64 * over(sf) + (self.step - smaller) as f64 * under(sf)
            })
            .sum();
        below + within + count.saturating_sub(high) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn nbd(r: f64, alpha: f64) -> AnyPurchaseModel {
        AnyPurchaseModel::from_name("nbd", &[r, alpha]).unwrap()
    }

    #[test]
    fn a_geometric_count_by_hand() {
        // NBD with r = 1 and alpha = t: P(X = n) = 2^-(n + 1), P(X > n) = 2^-(n + 1).
        let table = CountTable::new(nbd(1.0, 3.0), 3.0);
        let forecast = table.against(1.0, 0);
        // Sum of 4^-(k + 1) over k >= 0 = 1/3.
        assert_relative_eq!(forecast.crps, 1.0 / 3.0, max_relative = 1e-12);
        assert_relative_eq!(forecast.log_score, 2.0_f64.ln(), max_relative = 1e-12);
        assert_relative_eq!(forecast.expected, 1.0, max_relative = 1e-12);
        assert_relative_eq!(forecast.p_active, 0.5, max_relative = 1e-12);
        // Two came: (1/2)^2 + (3/4)^2, and from k = 2 the sum of 4^-(k + 1) = 1/48.
        let forecast = table.against(1.0, 2);
        assert_relative_eq!(forecast.crps, 0.25 + 0.5625 + 1.0 / 48.0, max_relative = 1e-12);
        assert_relative_eq!(forecast.log_score, 8.0_f64.ln(), max_relative = 1e-12);
        // F = 1/2, 3/4, 7/8, 15/16, 31/32: the intervals are 0..1, 0..3, 0..4, 0..5.
        let covered = |count| [0, 1, 2, 3].map(|level| table.against(1.0, count).covered(level));
        assert_eq!(covered(1), [true; 4]);
        assert_eq!(covered(2), [false, true, true, true]);
        assert_eq!(covered(4), [false, false, true, true]);
        assert_eq!(covered(5), [false, false, false, true]);
        assert_eq!(covered(6), [false; 4]);
    }

    #[test]
    fn dropout_by_hand() {
        // Alive with 1/2: P(0) = 1/2 + 1/4, P(X > n) = 2^-(n + 2).
        let forecast = CountTable::new(nbd(1.0, 3.0), 3.0).against(0.5, 1);
        assert_relative_eq!(forecast.crps, 0.5625 + 1.0 / 48.0, max_relative = 1e-12);
        assert_relative_eq!(forecast.log_score, 8.0_f64.ln(), max_relative = 1e-12);
        assert_relative_eq!(forecast.expected, 0.5, max_relative = 1e-12);
    }

    #[test]
    fn nobody_comes_within_no_time() {
        let forecast = CountTable::new(nbd(1.0, 3.0), 0.0).against(1.0, 0);
        assert_eq!((forecast.crps, forecast.log_score, forecast.expected, forecast.width(3)), (0.0, -0.0, 0.0, 0.0));
        assert!(forecast.covered(0) && forecast.cdf == [0.0, 1.0]);
        // What cannot have been has the smallest probability, not none.
        let forecast = CountTable::new(nbd(1.0, 3.0), 0.0).against(1.0, 7);
        assert_eq!((forecast.crps, forecast.covered(3)), (7.0, false));
        assert!(forecast.log_score > 700.0 && forecast.log_score.is_finite());
    }

    #[test]
    fn a_count_far_away_costs_nothing_and_is_exact() {
        // 1e6 purchases expected, give or take 1e3 and a little: tabulated neither from 0 nor one by one.
        let table = CountTable::new(nbd(1e9, 1.0), 1e-3);
        assert!(table.survival.len() <= MOST_COUNTS as usize && table.low > 990_000);
        let (near, far) = (table.against(1.0, 1_000_000).crps, table.against(1.0, 2_000_000).crps);
        // Of a normal distribution: 2 phi(0) - 1 / sqrt(pi) standard deviations at the middle, and the distance less 1 / sqrt(pi) of them far away.
        let sd = (1e6_f64 * 1.001).sqrt();
        assert_relative_eq!(near, sd * 0.233_695, max_relative = 1e-3);
        assert_relative_eq!(far, 1e6 - sd * 0.564_190, max_relative = 1e-6);
    }
}
