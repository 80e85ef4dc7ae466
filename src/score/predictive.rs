//! The predictive distributions of one customer: how many purchases, how much value.
//!
//! Given parameters, the number of purchases within the horizon has the model's own distribution, and the sum of n amounts has the Gamma-Gamma
//! model's; both are exact. What is not known of the parameters enters as an average over the points of an [`Ensemble`](super::Ensemble): the two
//! models are estimated apart, so the average of the one and the average of the other multiply.

use crate::models::{GammaGamma, GammaGammaParams, PurchaseModel, count_quantile};

/// Purchase counts are taken one by one up to twice this number, then in classes of this fraction of their size, with the middle for the whole class:
/// of the variance of the total it takes or adds (1/16)^2 / 12 = 0.03 % of the squared mean.
const CLASSES_PER_COUNT: u64 = 16;

/// The counts above one that is exceeded with less than this probability are one class.
const NEGLIGIBLE: f64 = 1e-8;

/// Ends of intervals are met within this share of their size.
const TOLERANCE: f64 = 1e-7;

/// The same for the model alone, whose end is where the search for that of all parameter sets begins.
const COARSE_TOLERANCE: f64 = 1e-2;

/// Logarithms of amounts beyond this are not told apart.
const LARGEST: f64 = 700.0;

/// The distribution of the number of purchases of one customer within the horizon.
#[derive(Debug, Clone)]
pub struct PurchaseDistribution<A> {
    /// P(alive) and the future if alive, for each parameter set.
    futures: Vec<(f64, A)>,
    horizon: f64,
}

impl<A: PurchaseModel> PurchaseDistribution<A> {
    pub(super) fn new(futures: Vec<(f64, A)>, horizon: f64) -> Self {
        PurchaseDistribution { futures, horizon }
    }

    /// P(more than n purchases).
    #[must_use]
    pub fn sf(&self, n: u64) -> f64 {
        self.mean(|p_alive, future| p_alive * future.purchase_sf(n, self.horizon))
    }

    /// P(exactly n purchases).
    #[must_use]
    pub fn pmf(&self, n: u64) -> f64 {
        let alive = self.mean(|p_alive, future| p_alive * future.purchase_pmf(n, self.horizon));
        let dead = if n == 0 { self.mean(|p_alive, _| 1.0 - p_alive) } else { 0.0 };
        (dead + alive).min(1.0)
    }

    /// The smallest n with P(at most n purchases) >= q.
    #[must_use]
    pub fn quantile(&self, q: f64) -> u64 {
        count_quantile(q, |n| self.sf(n))
    }

    fn mean(&self, of: impl Fn(f64, &A) -> f64) -> f64 {
        self.futures.iter().map(|(p_alive, future)| of(*p_alive, future)).sum::<f64>() / self.futures.len() as f64
    }
}

/// The counts at which the distribution of purchases is tabulated: 0, 1, ... and then in ever wider classes.
pub(super) fn next_count(n: u64) -> u64 {
    n + (n / CLASSES_PER_COUNT).max(1)
}

/// P(X > n) of a customer who is alive, at the counts of [`next_count`], until nothing is left.
pub(super) fn survival_table<A: PurchaseModel>(future: &A, horizon: f64) -> Vec<f64> {
    let (mut table, mut n) = (Vec::new(), 0);
    loop {
        let left = future.purchase_sf(n, horizon);
        table.push(left);
        if left < NEGLIGIBLE || n > 1 << 62 {
            return table;
        }
        n = next_count(n);
    }
}

/// The distribution of the value of one customer within the horizon: margin x discounted spend.
///
/// Nothing with probability 1 - P(active), and otherwise an amount. Discounting enters by its average over the purchases within the horizon; that
/// purchases come early or late is left out. An end of an interval is off by less than 1 % for a year at 10 % where amounts vary as those of CDNOW do, and by
/// no more than the discount of the whole horizon (9 %) in any case.
#[derive(Debug, Clone)]
pub struct ValueDistribution {
    /// (number of purchases, its probability), for one purchase and more.
    counts: Vec<(u64, f64)>,
    /// P(at least one purchase).
    active: f64,
    /// The spend of this customer's next purchases: by the model alone, and for each parameter set.
    centre: GammaGamma,
    spend: Vec<GammaGamma>,
    /// Value of a unit of money spent: margin x average discount.
    scale: f64,
}

impl ValueDistribution {
    /// `survival` is the probability of more purchases than the counts of [`next_count`], dropout included.
    pub(super) fn new(survival: &[f64], centre: GammaGamma, spend: Vec<GammaGamma>, scale: f64) -> Self {
        let mut counts = Vec::with_capacity(survival.len());
        let mut n = 0;
        for (k, above) in survival.iter().enumerate() {
            let next = next_count(n);
            let within = above - survival.get(k + 1).unwrap_or(&0.0);
            if within > 0.0 {
                // Of a class n + 1 ..= next the middle.
                counts.push((n + (next - n).div_ceil(2), within));
            }
            n = next;
        }
        ValueDistribution { counts, active: survival.first().copied().unwrap_or(0.0), centre, spend, scale }
    }

    /// P(value > v).
    #[must_use]
    pub fn sf(&self, v: f64) -> f64 {
        if v < 0.0 {
            return 1.0;
        }
        if v == 0.0 {
            return self.active;
        }
        self.tail(&self.spend, v)
    }

    /// P(value <= v).
    #[must_use]
    pub fn cdf(&self, v: f64) -> f64 {
        1.0 - self.sf(v)
    }

    /// The value that is not exceeded with probability `q`, for 0 < q < 1: 0 while `q` is at most the chance of no purchase.
    ///
    /// An amount beyond e^700 comes out as that.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let beyond = 1.0 - q;
        if self.active <= beyond {
            return 0.0;
        }
        let start = self.crossing(std::slice::from_ref(&self.centre), beyond, self.middle(), COARSE_TOLERANCE);
        self.crossing(&self.spend, beyond, start, TOLERANCE).exp()
    }

    /// ln v where P(value > v) falls to `beyond`: secants of the logarithm of the tail, which is nearly straight in ln v, kept between ends.
    fn crossing(&self, spend: &[GammaGamma], beyond: f64, start: f64, tolerance: f64) -> f64 {
        let excess = |y: f64| (self.tail(spend, y.exp()) / beyond).ln().max(-LARGEST);
        let (mut low, mut high) = (-LARGEST, LARGEST);
        let (mut y, mut value) = (start, excess(start));
        let mut slope = -1.0_f64;
        for round in 0..200 {
            if value > 0.0 {
                low = y;
            } else {
                high = y;
            }
            let step = (-value / slope).clamp(-1.5, 1.5);
            // Where secants have not done it by then, bisection will.
            let secant = round < 50 && low < y + step && y + step < high;
            let next = if secant { y + step } else { 0.5 * (low + high) };
            if (next - y).abs() <= tolerance {
                return next;
            }
            let there = excess(next);
            slope = ((there - value) / (next - y)).min(-1e-3);
            (y, value) = (next, there);
        }
        y
    }

    /// ln of an amount in the middle of it all.
    fn middle(&self) -> f64 {
        let purchases = self.counts.iter().map(|&(n, p)| n as f64 * p).sum::<f64>() / self.active;
        let GammaGammaParams { p, q, gamma } = self.centre.params();
        (self.scale * purchases.max(1.0) * p * gamma / q).ln().clamp(-600.0, 600.0)
    }

    /// P(value > v) for v > 0, averaged over parameter sets.
    fn tail(&self, spend: &[GammaGamma], v: f64) -> f64 {
        let total = v / self.scale;
        let over_counts = |spend: &GammaGamma| self.counts.iter().map(|&(n, p)| p * spend.total_spend_sf(n, total)).sum::<f64>();
        spend.iter().map(over_counts).sum::<f64>() / spend.len() as f64
    }
}
