//! A purchase model of one's own, checked by the rules that every model of this crate passes:
//!
//! ```text
//! cargo run --example own_model
//! ```
//!
//! All customers are alike: while alive they buy at random with the rate lambda, and they drop out at random with the rate mu, whether they buy or
//! not. It is what Pareto/NBD becomes when nobody differs from anybody (Schmittlein, Morrison & Colombo 1987), and all of it has closed forms:
//! of all events, purchases and the dropout, which come with the rate k = lambda + mu, each is a purchase with probability lambda / k.
#![allow(clippy::print_stdout, reason = "a program says what it found")]

use clv::conformance::{Points, check_estimable, check_purchase_model, check_simulation};
use clv::{
    Customer, CustomerTraits, Customers, Error, ErrorKind, Estimable, Evaluation, Fit, History, ParameterInfo, ParameterKind,
    PurchaseModel, Sample, Simulate, TimeUnit,
};
use ndarray::{Array1, array};
use rand::Rng;
use rand_distr::{Distribution, Exp1};

/// Everybody buys with the rate lambda and drops out with the rate mu.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedRates {
    /// Purchases per unit of time while alive.
    pub lambda: f64,
    /// Dropouts per unit of time.
    pub mu: f64,
}

impl FixedRates {
    /// A model from its rates.
    ///
    /// # Errors
    /// When one is not within 1e-12 to 1e12.
    pub fn new(lambda: f64, mu: f64) -> clv::Result<Self> {
        let valid = |rate: f64| (1e-12..=1e12).contains(&rate);
        if !(valid(lambda) && valid(mu)) {
            return Err(Error::new(ErrorKind::Parameter, format!("lambda = {lambda} and mu = {mu} must lie within 1e-12 to 1e12")));
        }
        Ok(FixedRates { lambda, mu })
    }

    fn k(&self) -> f64 {
        self.lambda + self.mu
    }
}

/// A time as the trait wants it taken: 0 when negative or no number, finite.
fn time(t: f64) -> f64 {
    if t > 0.0 { t.min(1e120) } else { 0.0 }
}

/// (P(N = n), P(N > n)) of a Poisson number, small ones with all their digits.
fn poisson(n: u64, mean: f64) -> (f64, f64) {
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

impl PurchaseModel for FixedRates {
    type Alive = FixedRates;

    fn ln_likelihood(&self, history: &History) -> f64 {
        // Alive at T, or dropped out since t_x.
        let silent = (-self.k() * (history.age() - history.recency())).exp();
        let purchases = f64::from(history.frequency()) * self.lambda.ln() - self.k() * history.recency();
        purchases + ((self.mu + self.lambda * silent) / self.k()).ln()
    }

    fn p_alive(&self, history: &History) -> f64 {
        let silent = (-self.k() * (history.age() - history.recency())).exp();
        self.k() * silent / (self.mu + self.lambda * silent)
    }

    fn p_dead(&self, history: &History) -> f64 {
        let silence = -self.k() * (history.age() - history.recency());
        -self.mu * silence.exp_m1() / (self.mu + self.lambda * silence.exp())
    }

    fn given_alive(&self, _: &History) -> FixedRates {
        *self
    }

    fn expected_purchases(&self, t: f64) -> f64 {
        -self.lambda / self.mu * (-self.mu * time(t)).exp_m1()
    }

    fn second_factorial_moment(&self, t: f64) -> f64 {
        2.0 * (self.lambda / self.mu).powi(2) * poisson(1, self.mu * time(t)).1
    }

    fn purchase_variance(&self, t: f64) -> f64 {
        // Poisson, and the variance of the time until t or dropout.
        let w = self.mu * time(t);
        let of_time = if w < 0.5 {
            // The series of 1 - 2 w e^-w - e^(-2 w) = 2 e^-w (sinh w - w)
            let series = [13.0, 11.0, 9.0, 7.0, 5.0].iter().fold(1.0, |sum, i| 1.0 + w * w / (i * (i - 1.0)) * sum);
            (-w).exp() * w.powi(3) / 3.0 * series
        } else {
            1.0 - 2.0 * w * (-w).exp() - (-2.0 * w).exp()
        };
        self.expected_purchases(t) + (self.lambda / self.mu).powi(2) * of_time
    }

    fn purchase_pmf(&self, n: u64, t: f64) -> f64 {
        // n purchases and alive at t, or n purchases and then the dropout before t.
        let dropped_out = self.mu / self.k() * (self.lambda / self.k()).powf(n as f64) * poisson(n, self.k() * time(t)).1;
        (self.lambda / self.k()).powf(n as f64) * poisson(n, self.k() * time(t)).0 + dropped_out
    }

    fn purchase_sf(&self, n: u64, t: f64) -> f64 {
        // The first n + 1 events come before t, and all of them are purchases.
        (self.lambda / self.k()).powf(n as f64 + 1.0) * poisson(n, self.k() * time(t)).1
    }

    fn p_active(&self, t: f64) -> f64 {
        -self.lambda / self.k() * (-self.k() * time(t)).exp_m1()
    }

    fn next_purchase_quantile(&self, q: f64) -> Option<f64> {
        let share = q.max(0.0) * self.k() / self.lambda;
        (share < 1.0).then(|| (-(-share).ln_1p() / self.k()).max(0.0))
    }

    fn p_alive_at(&self, t: f64) -> f64 {
        (-self.mu * time(t)).exp()
    }

    fn discounted_expected_purchases(&self, t: f64, delta: f64) -> f64 {
        let rate = self.mu + delta.max(0.0);
        -self.lambda / rate * (-rate * time(t)).exp_m1()
    }

    fn dert(&self, delta: f64) -> Option<f64> {
        Some(self.lambda / (self.mu + delta.max(0.0)))
    }
}

impl Simulate for FixedRates {
    fn draw_traits<R: Rng>(&self, rng: &mut R) -> CustomerTraits {
        let lifetime: f64 = Exp1.sample(rng);
        CustomerTraits { purchase_rate: self.lambda, lifetime: lifetime / self.mu, lifetime_purchases: u64::MAX }
    }
}

/// The histories with their weights.
#[derive(Debug, Clone)]
pub struct Rows(pub Vec<(History, f64)>);

impl Rows {
    fn sum(&self, f: impl Fn(&History) -> f64) -> f64 {
        self.0.iter().map(|(history, weight)| weight * f(history)).sum()
    }
}

impl Sample for Rows {
    type Source = Customers;

    fn new(customers: &Customers) -> clv::Result<Self> {
        if customers.frequency().iter().all(|&x| x == 0) {
            return Err(Error::new(ErrorKind::Fit, "nobody bought again, so no purchase rate can be estimated"));
        }
        Ok(Rows((0..customers.len()).map(|row| (customers.history(row), customers.weight(row))).collect()))
    }

    fn customers(&self) -> f64 {
        self.sum(|_| 1.0)
    }

    fn repeat_buyers(&self) -> f64 {
        self.sum(|history| f64::from(u8::from(history.frequency() > 0)))
    }

    fn magnitude(&self) -> f64 {
        self.sum(|history| (1.0 + f64::from(history.frequency())) * (1.0 + history.age().max(1.0).ln()))
    }

    fn scale(&self) -> f64 {
        self.sum(History::age) / self.customers()
    }

    fn weights(&self) -> Vec<f64> {
        self.0.iter().map(|(_, weight)| *weight).collect()
    }

    fn with_weights(&self, weights: &[f64]) -> clv::Result<Self> {
        let rows = self.0.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        Ok(Rows(rows.map(|((history, _), weight)| (*history, *weight)).collect()))
    }
}

impl Estimable for FixedRates {
    const NAME: &'static str = "fixed-rates";

    const PARAMETERS: &'static [ParameterInfo] = &[
        ParameterInfo { name: "lambda", kind: ParameterKind::Shape, at_lower: "nobody buys again", at_upper: "purchases never end" },
        ParameterInfo { name: "mu", kind: ParameterKind::Shape, at_lower: "nobody ever drops out", at_upper: "all drop out at once" },
    ];

    type Sample = Rows;

    fn from_parameters(parameters: &[f64]) -> clv::Result<Self> {
        match *parameters {
            [lambda, mu] => FixedRates::new(lambda, mu),
            _ => Err(Error::new(ErrorKind::Parameter, "a purchase rate and a dropout rate, no more and no less")),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        array![self.lambda, self.mu]
    }

    fn start(sample: &Rows) -> Self {
        let rate = sample.sum(|history| f64::from(history.frequency())) / sample.sum(History::age);
        FixedRates { lambda: 2.0 * rate, mu: 1.0 / sample.scale() }
    }

    fn ln_likelihood_sum(&self, sample: &Rows) -> Evaluation {
        let (FixedRates { lambda, mu }, k) = (*self, self.k());
        let mut sum = Evaluation { value: 0.0, gradient: array![0.0, 0.0], hessian: array![[0.0, 0.0], [0.0, 0.0]] };
        for (history, weight) in &sample.0 {
            let (x, t_x, s) = (f64::from(history.frequency()), history.recency(), history.age() - history.recency());
            // g = mu + lambda e^(-k s) with its derivatives, and those of ln g
            let silent = (-k * s).exp();
            let (g, g_l, g_m) = (mu + lambda * silent, silent * (1.0 - lambda * s), 1.0 - lambda * s * silent);
            let (g_ll, g_lm, g_mm) = (silent * s * (lambda * s - 2.0), silent * s * (lambda * s - 1.0), silent * s * lambda * s);
            let (l, m) = (g_l / g, g_m / g);
            let cross = g_lm / g - l * m + 1.0 / (k * k);
            sum.value += weight * self.ln_likelihood(history);
            sum.gradient.scaled_add(*weight, &array![x / lambda - t_x + l - 1.0 / k, m - t_x - 1.0 / k]);
            let (ll, mm) = (g_ll / g - l * l + 1.0 / (k * k) - x / (lambda * lambda), g_mm / g - m * m + 1.0 / (k * k));
            sum.hessian.scaled_add(*weight, &array![[ll, cross], [cross, mm]]);
        }
        sum
    }
}

fn main() -> clv::Result<()> {
    let model = FixedRates::new(0.1, 0.02)?;
    let histories = [History::new(2, 30.43, 38.86)?, History::new(0, 0.0, 38.86)?, History::new(7, 12.0, 12.0)?];
    let points = Points::new(&histories, &[1.0, 4.0, 39.0])?;
    println!("{}", check_purchase_model(&model, &points));
    println!("{}", check_simulation(&model, &points, 10_000, 42));

    let mut customers = Customers::new(TimeUnit::Week);
    for (row, history) in histories.into_iter().enumerate() {
        customers.push(Customer { id: &row.to_string(), history, average_spend: 0.0, weight: 1.0, purchases: None })?;
    }
    println!("{}", check_estimable(&model, &customers));
    let fitted = FixedRates::fit(&customers)?;
    println!("{:?}: {:?}", fitted.status(), fitted.model());
    Ok(())
}
