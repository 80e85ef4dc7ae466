//! Nothing is NaN, infinite, negative or a probability beyond 1, for any legal parameters and history.
//!
//! Far beyond any customer base: parameters 1e-6..1e6 log-uniform, x to 1e6, times to 1e7 and horizons for ever, discount rates to 10, edge values of
//! each among them. And, with fewer points, all that the constructors accept.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    AnyPurchaseModel, BgNbd, BgNbdParams, GammaGamma, GammaGammaParams, History, Jet, MbgNbd, MbgNbdParams, Nbd, NbdParams, ParetoNbd,
    ParetoNbdParams, PurchaseModel, SpendHistory,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A domain to draw from, all log-uniform.
#[derive(Clone, Copy)]
struct Domain {
    points: usize,
    parameters: (f64, f64),
    counts: f64,
    times: (f64, f64),
}

const EXTREME: Domain = Domain { points: 20_000, parameters: (1e-6, 1e6), counts: 1e6, times: (1e-9, 1e7) };

/// The limits of the constructors; times of any length are legal, but beyond these nothing new happens.
const LEGAL: Domain = Domain { points: 3_000, parameters: (1e-12, 1e15), counts: u32::MAX as f64, times: (1e-12, 1e12) };

/// Distributions of counts and times, and discounting, cost a hundred times as much as the rest: they are asked for at every so many points.
const DISTRIBUTIONS_EVERY: usize = 10;
const DISCOUNTING_EVERY: usize = 5;

/// Uniform in the logarithm.
fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    rng.random_range(low.ln()..=high.ln()).exp().clamp(low, high)
}

/// One of the edges, or any value between them.
fn with_edges(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    match rng.random_range(0..20) {
        0 => low,
        1 => high,
        2 => 1.0,
        _ => log_uniform(rng, low, high),
    }
}

impl Domain {
    fn parameter(&self, rng: &mut ChaCha8Rng) -> f64 {
        with_edges(rng, self.parameters.0, self.parameters.1)
    }

    fn age(&self, rng: &mut ChaCha8Rng) -> f64 {
        if rng.random_range(0..20) == 0 { 0.0 } else { with_edges(rng, self.times.0, self.times.1) }
    }

    fn horizon(&self, rng: &mut ChaCha8Rng) -> f64 {
        if rng.random_range(0..20) == 0 { f64::INFINITY } else { self.age(rng) }
    }

    fn count(&self, rng: &mut ChaCha8Rng) -> u32 {
        if rng.random_range(0..10) == 0 { 0 } else { with_edges(rng, 1.0, self.counts) as u32 }
    }

    fn history(&self, rng: &mut ChaCha8Rng) -> History {
        let (x, age) = (self.count(rng), self.age(rng));
        let share = match rng.random_range(0..6) {
            0 => 1.0,
            1 => 1.0 - log_uniform(rng, 1e-16, 1e-3),
            2 => log_uniform(rng, 1e-12, 1.0),
            3 => 0.0,
            _ => rng.random_range(0.0..=1.0),
        };
        History::new(x, if x == 0 { 0.0 } else { age * share }, age).unwrap()
    }
}

fn discount(rng: &mut ChaCha8Rng) -> f64 {
    if rng.random_range(0..10) == 0 { 0.0 } else { with_edges(rng, 1e-12, 10.0) }
}

/// A level for quantiles in (0, 1), close to either end too.
fn level(rng: &mut ChaCha8Rng) -> f64 {
    match rng.random_range(0..4) {
        0 => log_uniform(rng, 1e-15, 0.5),
        1 => 1.0 - log_uniform(rng, 1e-15, 0.5),
        _ => rng.random_range(0.001..0.999),
    }
}

/// Collects what is wrong at one point, so that a failure shows the model, the history and every method concerned.
struct Check(Vec<String>);

impl Check {
    fn finite(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            self.0.push(format!("{name} = {value:e}"));
        }
    }

    fn amount(&mut self, name: &str, value: f64) {
        if !(value.is_finite() && value >= 0.0) {
            self.0.push(format!("{name} = {value:e}"));
        }
    }

    fn probability(&mut self, name: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.0.push(format!("{name} = {value:e}"));
        }
    }

    fn holds(&mut self, name: &str, condition: bool) {
        if !condition {
            self.0.push(name.to_owned());
        }
    }

    fn finish(self, point: impl std::fmt::Debug) {
        assert!(self.0.is_empty(), "{} at {point:?}", self.0.join(", "));
    }
}

/// The quantities of a model without a history, as far as they cost little.
fn check_new_customer<M: PurchaseModel>(check: &mut Check, model: &M, t: f64) {
    check.amount("expected_purchases", model.expected_purchases(t));
    // Within an infinite time it may have no limit.
    check.amount("second_factorial_moment", if t.is_finite() { model.second_factorial_moment(t) } else { 0.0 });
    check.amount("purchase_variance", if t.is_finite() { model.purchase_variance(t) } else { 0.0 });
    check.probability("p_active", model.p_active(t));
    check.probability("p_alive_at", model.p_alive_at(t));
}

/// The distributions of count and time without a history.
fn check_distributions<M: PurchaseModel>(check: &mut Check, model: &M, t: f64, n: u64, q: f64) {
    for n in [0, 1, 2, n] {
        check.probability("purchase_pmf", model.purchase_pmf(n, t));
        check.probability("purchase_sf", model.purchase_sf(n, t));
        check.probability("purchase_cdf", model.purchase_cdf(n, t));
    }
    let quantile = model.purchase_quantile(q, t);
    check.holds("purchase_quantile is 0 or its predecessor is too small", quantile == 0 || model.purchase_sf(quantile - 1, t) > 1.0 - q);
    check.amount("next_purchase_quantile", model.next_purchase_quantile(q).unwrap_or(0.0));
}

/// Value, gradient and Hessian in one row.
fn entries<const N: usize>(jet: Jet<N>) -> Vec<f64> {
    [jet.value].into_iter().chain(jet.gradient).chain(jet.hessian.into_iter().flatten()).collect()
}

fn check_model<M: PurchaseModel>(seed: u64, model: impl Fn([f64; 4]) -> M, jet: impl Fn(&M, &History) -> Vec<f64>) {
    for domain in [EXTREME, LEGAL] {
        check_domain(&domain, &mut ChaCha8Rng::seed_from_u64(seed), &model, &jet);
    }
}

fn check_domain<M: PurchaseModel>(
    domain: &Domain,
    rng: &mut ChaCha8Rng,
    model: impl Fn([f64; 4]) -> M,
    jet: impl Fn(&M, &History) -> Vec<f64>,
) {
    for i in 0..domain.points {
        let model = model([(); 4].map(|()| domain.parameter(rng)));
        let history = domain.history(rng);
        let (t, delta, q, n) = (domain.horizon(rng), discount(rng), level(rng), u64::from(domain.count(rng)));
        let mut check = Check(Vec::new());
        check.finite("ln_likelihood", model.ln_likelihood(&history));
        check.holds("derivatives", jet(&model, &history).iter().all(|entry| entry.is_finite()));
        check.probability("p_alive", model.p_alive(&history));
        check.probability("p_dead", model.p_dead(&history));
        check.amount("conditional_expected_purchases", model.conditional_expected_purchases(&history, t));
        check.amount("conditional_purchase_variance", if t.is_finite() { model.conditional_purchase_variance(&history, t) } else { 0.0 });
        check.probability("conditional_p_active", model.conditional_p_active(&history, t));
        check.probability("conditional_p_alive_at", model.conditional_p_alive_at(&history, t));
        check_new_customer(&mut check, &model, t);
        if i % DISCOUNTING_EVERY == 0 {
            check.amount("discounted_expected_purchases", model.discounted_expected_purchases(t, delta));
            check.amount("conditional_discounted", model.conditional_discounted_expected_purchases(&history, t, delta));
            check.amount("dert", model.dert(delta).unwrap_or(0.0));
            check.amount("conditional_dert", model.conditional_dert(&history, delta).unwrap_or(0.0));
            check.holds("a discount makes DERT finite", delta == 0.0 || model.dert(delta).is_some());
        }
        if i % DISTRIBUTIONS_EVERY == 0 {
            check_distributions(&mut check, &model, t, n, q);
            for n in [0, 1, n] {
                check.probability("conditional_purchase_pmf", model.conditional_purchase_pmf(&history, n, t));
                check.probability("conditional_purchase_sf", model.conditional_purchase_sf(&history, n, t));
                check.probability("conditional_purchase_cdf", model.conditional_purchase_cdf(&history, n, t));
            }
            let quantile = model.conditional_purchase_quantile(&history, q, t);
            let sf = |n| model.conditional_purchase_sf(&history, n, t);
            check.holds("conditional_purchase_quantile", quantile == 0 || sf(quantile - 1) > 1.0 - q);
            check.amount("conditional_next_purchase_quantile", model.conditional_next_purchase_quantile(&history, q).unwrap_or(0.0));
        }
        check.finish((model, history, t, delta, q, n));
    }
}

#[test]
fn bg_nbd() {
    let model = |[r, alpha, a, b]: [f64; 4]| BgNbd::new(BgNbdParams { r, alpha, a, b }).unwrap();
    check_model(1, model, |model, history| entries(model.ln_likelihood_jet(history)));
}

#[test]
fn mbg_nbd() {
    let model = |[r, alpha, a, b]: [f64; 4]| MbgNbd::new(MbgNbdParams { r, alpha, a, b }).unwrap();
    check_model(2, model, |model, history| entries(model.ln_likelihood_jet(history)));
}

#[test]
fn pareto_nbd() {
    let model = |[r, alpha, s, beta]: [f64; 4]| ParetoNbd::new(ParetoNbdParams { r, alpha, s, beta }).unwrap();
    check_model(3, model, |model, history| entries(model.ln_likelihood_jet(history)));
}

#[test]
fn nbd() {
    let model = |[r, alpha, _, _]: [f64; 4]| Nbd::new(NbdParams { r, alpha }).unwrap();
    check_model(4, model, |model, history| entries(model.ln_likelihood_jet(history)));
}

#[test]
fn gamma_gamma() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for domain in (0..EXTREME.points).map(|_| EXTREME).chain((0..LEGAL.points).map(|_| LEGAL)) {
        let [p, q, gamma, mean] = [(); 4].map(|()| domain.parameter(&mut rng));
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        let purchases = domain.count(&mut rng);
        let spend = if purchases == 0 { SpendHistory::UNKNOWN } else { SpendHistory::new(purchases, mean).unwrap() };
        let mut check = Check(Vec::new());
        check.finite("ln_likelihood", model.ln_likelihood(&spend));
        check.holds("derivatives", entries(model.ln_likelihood_jet(&spend)).iter().all(|entry| entry.is_finite()));
        check.amount("expected_average_spend", model.expected_average_spend(&spend).unwrap_or(0.0));
        check.holds("a mean exists for q > 1", q <= 1.0 || model.expected_average_spend(&spend).is_some());
        check.finish((model, spend));
    }
}

/// Rates whose product with a time overflows were NaN.
#[test]
fn discount_rates_without_bound() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for domain in [EXTREME, LEGAL] {
        for _ in 0..300 {
            let parameters = [(); 4].map(|()| domain.parameter(&mut rng));
            let history = domain.history(&mut rng);
            for name in AnyPurchaseModel::NAMES {
                let names = AnyPurchaseModel::parameters_of(name).unwrap();
                let model = AnyPurchaseModel::from_name(name, &parameters[..names.len()]).unwrap();
                for delta in [1e15, 1e50, 1e300, f64::INFINITY] {
                    let mut check = Check(Vec::new());
                    let most = model.conditional_expected_purchases(&history, 1.0 / delta.min(1e120));
                    for t in [0.0, 1.0, 1e7, f64::INFINITY] {
                        let value = model.conditional_discounted_expected_purchases(&history, t, delta);
                        check.amount("conditional_discounted", value);
                        check.holds("discounted away", value <= 10.0 * most);
                    }
                    check.amount("conditional_dert", model.conditional_dert(&history, delta).unwrap());
                    check.finish((model, history, delta));
                }
            }
        }
    }
}

/// Their squares overflow: the second derivative in gamma was infinite.
#[test]
fn spends_of_any_size() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for domain in [EXTREME, LEGAL] {
        for _ in 0..1_000 {
            let [p, q, gamma] = [(); 3].map(|()| domain.parameter(&mut rng));
            let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
            let spend = SpendHistory::new(domain.count(&mut rng).max(1), with_edges(&mut rng, 1e-280, 1e280)).unwrap();
            let mut check = Check(Vec::new());
            check.finite("ln_likelihood", model.ln_likelihood(&spend));
            check.holds("derivatives", entries(model.ln_likelihood_jet(&spend)).iter().all(|entry| entry.is_finite()));
            check.amount("expected_average_spend", model.expected_average_spend(&spend).unwrap_or(0.0));
            check.finish((model, spend));
        }
    }
}

/// Their products with a share of the customers underflow: expectations were negative.
#[test]
fn horizons_of_next_to_no_time() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for domain in [EXTREME, LEGAL] {
        for _ in 0..1_000 {
            let parameters = [(); 4].map(|()| domain.parameter(&mut rng));
            let (history, t) = (domain.history(&mut rng), log_uniform(&mut rng, 1e-307, 1e-9) * rng.random_range(0.0..=1.0));
            let delta = discount(&mut rng);
            for name in AnyPurchaseModel::NAMES {
                let names = AnyPurchaseModel::parameters_of(name).unwrap();
                let model = AnyPurchaseModel::from_name(name, &parameters[..names.len()]).unwrap();
                let mut check = Check(Vec::new());
                check.amount("conditional_expected_purchases", model.conditional_expected_purchases(&history, t));
                check.amount("conditional_purchase_variance", model.conditional_purchase_variance(&history, t));
                check.amount("second_factorial_moment", model.second_factorial_moment(t));
                check.amount("conditional_discounted", model.conditional_discounted_expected_purchases(&history, t, delta));
                check.probability("conditional_p_active", model.conditional_p_active(&history, t));
                check.probability("conditional_p_alive_at", model.conditional_p_alive_at(&history, t));
                for n in 0..3 {
                    check.probability("conditional_purchase_pmf", model.conditional_purchase_pmf(&history, n, t));
                    check.probability("conditional_purchase_sf", model.conditional_purchase_sf(&history, n, t));
                }
                check.finish((model, history, t, delta));
            }
        }
    }
}
