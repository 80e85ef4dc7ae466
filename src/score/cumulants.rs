//! Moments of what single customers do, and of their sum: independent customers add up in mean, variance and third central moment.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::models::{GammaGamma, GammaGammaParams, PurchaseModel};

/// Sums that are more skewed are not left to the correction: what it leaves out is of the order of the square.
const LARGEST_SKEWNESS: f64 = 0.3;

/// The moments about 0 of a random number, from the first to the third.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments([f64; 3]);

impl Moments {
    /// Of what is always 0.
    pub(super) const NONE: Moments = Moments([0.0; 3]);

    /// Of the purchases within `horizon` of a customer who is alive.
    ///
    /// The third is that of the negative binomial number with the same first two: it serves a small correction only.
    pub(super) fn of_purchases<A: PurchaseModel>(future: &A, horizon: f64) -> Self {
        let (first, second) = (future.expected_purchases(horizon), future.second_factorial_moment(horizon));
        if first <= 0.0 {
            return Moments::NONE;
        }
        let third = second * first * (2.0 * second / first / first - 1.0).max(0.0);
        Moments([first, second + first, third + 3.0 * second + first])
    }

    /// Of the number that is 0 except with this probability.
    pub(super) fn with_probability(self, p: f64) -> Self {
        Moments(self.0.map(|moment| p * moment))
    }

    /// Of the sum of so many amounts, by the spend model of their customer; `None` when a moment is infinite.
    pub(super) fn of_spend(self, spend: &GammaGamma) -> Option<Self> {
        let Moments([n, n_2, n_3]) = self;
        let GammaGammaParams { p, q, gamma } = spend.params();
        // A sum of n amounts is a gamma(p n) variate over one of gamma(q, gamma).
        (q > 3.0).then(|| {
            let first = gamma / (q - 1.0);
            let second = first * (gamma / (q - 2.0));
            let third = second * (gamma / (q - 3.0));
            Moments([first * p * n, second * p * (p * n_2 + n), third * p * (p * (p * n_3 + 3.0 * n_2) + 2.0 * n)])
        })
    }
}

/// Mean, variance and third central moment: those of a sum are the sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cumulants {
    pub(super) mean: f64,
    pub(super) variance: f64,
    third: f64,
}

impl Cumulants {
    /// Adds so many customers with these moments of a number that counts `scale`. A weight that is not whole is that of the next larger number of customers, who
    /// count less.
    pub(super) fn add(&mut self, weight: f64, scale: f64, Moments([first, second, third]): Moments) {
        let copies = weight.ceil().max(1.0);
        let each = scale * (weight / copies);
        self.mean += copies * each * first;
        self.variance += copies * each * each * (second - first * first).max(0.0);
        self.third += copies * each * each * each * (third - first * (3.0 * second - 2.0 * first * first));
    }

    pub(super) fn add_all(&mut self, other: &Cumulants) {
        self.mean += other.mean;
        self.variance += other.variance;
        self.third += other.third;
    }

    fn skewness(&self) -> f64 {
        self.third / self.variance / self.variance.sqrt()
    }

    pub(super) fn is_nearly_normal(&self) -> bool {
        // No number at all, 0/0, is not.
        self.skewness().abs() <= LARGEST_SKEWNESS
    }

    /// Draws a number with mean 0, variance 1 and this skewness, all nearly.
    pub(super) fn draw_standardised<R: Rng>(&self, rng: &mut R) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        normal + self.skewness() / 6.0 * (normal * normal - 1.0)
    }
}
