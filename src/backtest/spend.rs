//! What a purchase will be worth: by the Gamma-Gamma model, or plainly what the customer's purchases were worth so far.

use super::counts::CountForecast;
use super::sums::{ratio, sum};
use crate::data::{Customers, SpendHistory};
use crate::models::{Estimable, GammaGamma, GammaGammaParams};

/// The name of revenue forecasts without a spend model.
pub(super) const OWN_AVERAGE: &str = "own-average";

/// The amount Z of a purchase, around a mean M that is a customer's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    /// E\[Z\] = E\[M\].
    pub(super) mean: f64,
    /// E\[Z^2\] and E\[M^2\], where there is a model that says and they are finite.
    pub(super) squares: Option<(f64, f64)>,
}

impl Amount {
    fn of_mean(mean: f64) -> Self {
        Amount { mean, squares: None }
    }

    /// By the model, for a customer of whom this is known; `None` when there is no mean.
    ///
    /// With nu ~ gamma(q, rate gamma) given the history: M = p / nu, E\[nu^-2\] = gamma^2 / ((q - 1) (q - 2)).
    fn by(model: &GammaGamma, spend: &SpendHistory) -> Option<Self> {
        let mean = model.expected_average_spend(spend)?;
        let GammaGammaParams { p, q, gamma } = model.given(spend).params();
        let inverse_square = gamma / (q - 1.0) * (gamma / (q - 2.0));
        let squares = (q > 2.0).then_some((p * (p + 1.0) * inverse_square, p * p * inverse_square));
        Some(Amount { mean, squares })
    }

    /// Variance of the sum of a number of purchases with E\[N\] and E\[N (N - 1)\].
    pub(super) fn variance_of_sum(&self, expected: f64, second_factorial_moment: f64) -> Option<f64> {
        let (own, shared) = self.squares?;
        let mean = expected * self.mean;
        Some((expected * own + second_factorial_moment * shared - mean * mean).max(0.0))
    }
}

/// What the purchases of each customer will be worth.
#[derive(Debug, Clone)]
pub(super) struct Spending {
    pub(super) name: &'static str,
    /// In the order of the customers.
    pub(super) known: Vec<Amount>,
    /// Of a customer without a history.
    pub(super) new: Amount,
}

impl Spending {
    /// By the model; `None` where the mean spend of some customer is infinite.
    pub(super) fn by_model(model: &GammaGamma, customers: &Customers) -> Option<Self> {
        let known: Option<Vec<Amount>> = (0..customers.len()).map(|row| Amount::by(model, &customers.spend(row))).collect();
        Some(Spending { name: GammaGamma::NAME, known: known?, new: Amount::by(model, &SpendHistory::UNKNOWN)? })
    }

    /// Each customer goes on spending what they spent; of whom nothing is known spends what a purchase was worth on average.
    pub(super) fn own_average(customers: &Customers) -> Self {
        let spend = |row: usize| (f64::from(customers.spend(row).purchases()), customers.average_spend()[row]);
        let (counts, totals): (Vec<f64>, Vec<f64>) = (0..customers.len()).map(spend).map(|(n, mean)| (n, n * mean)).unzip();
        let overall = ratio(sum(&totals), sum(&counts)).unwrap_or(0.0);
        let own = |(n, mean): (f64, f64)| Amount::of_mean(if n > 0.0 { mean } else { overall });
        Spending { name: OWN_AVERAGE, known: (0..customers.len()).map(spend).map(own).collect(), new: Amount::of_mean(overall) }
    }

    /// Variance of the spend of customers together, who are taken to be independent; `None` without a model of the amounts.
    pub(super) fn variance_of_total(counts: &[CountForecast], amounts: impl Iterator<Item = Amount>) -> Option<f64> {
        let of_each =
            counts.iter().zip(amounts).map(|(count, amount)| amount.variance_of_sum(count.expected, count.second_factorial_moment));
        of_each.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Customer, History};
    use crate::time::TimeUnit;
    use approx::assert_relative_eq;

    fn model(p: f64, q: f64, gamma: f64) -> GammaGamma {
        GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap()
    }

    fn customers() -> Customers {
        let mut customers = Customers::new(TimeUnit::Week);
        for (id, x, mean) in [("a", 2, 10.0), ("b", 0, 0.0), ("c", 1, 40.0)] {
            let history = History::new(x, if x == 0 { 0.0 } else { 5.0 }, 10.0).unwrap();
            customers.push(Customer { id, history, average_spend: mean, weight: 1.0, purchases: None }).unwrap();
        }
        customers
    }

    #[test]
    fn moments_by_hand() {
        // p = 2, q = 4, gamma = 6: M = 2 / nu, E[1 / nu] = 6 / 3, E[1 / nu^2] = 36 / 6: E[Z] = 4, E[M^2] = 24, E[Z^2] = 36.
        let amount = Amount::by(&model(2.0, 4.0, 6.0), &SpendHistory::UNKNOWN).unwrap();
        assert_eq!(amount, Amount { mean: 4.0, squares: Some((36.0, 24.0)) });
        // Always two purchases: 2 x 36 + 2 x 24 - 8^2.
        assert_relative_eq!(amount.variance_of_sum(2.0, 2.0).unwrap(), 56.0, max_relative = 1e-14);
        // q <= 2: a mean and no variance. q <= 1: no mean.
        assert_eq!(Amount::by(&model(2.0, 1.5, 6.0), &SpendHistory::UNKNOWN).unwrap().squares, None);
        assert_eq!(Amount::by(&model(2.0, 0.5, 6.0), &SpendHistory::UNKNOWN), None);
        assert!(Spending::by_model(&model(0.1, 0.5, 6.0), &customers()).is_none());
    }

    #[test]
    fn an_average_of_ones_own_or_of_all() {
        let spending = Spending::own_average(&customers());
        let means: Vec<f64> = spending.known.iter().map(|amount| amount.mean).collect();
        // 20 and 40 in three purchases.
        assert_eq!((means, spending.new.mean), (vec![10.0, 20.0, 40.0], 20.0));
        assert_eq!(Spending::variance_of_total(&[CountForecast::default()], spending.known.iter().copied()), None);
    }
}
