//! What must hold between the quantities of a model, whatever the parameters: no reference values, only probability theory.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Rounding of a value that is a sum or an integral of positive parts.
const ROUNDING: f64 = 1e-12;

/// Rounding of sums over many probabilities, and of the integrals over histories below.
const SUMMED: f64 = 1e-11;

fn config(seed: u64) -> ProptestConfig {
    ProptestConfig {
        cases: 150,
        max_shrink_iters: 0,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}

/// Uniform in the logarithm.
fn log_uniform(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

/// Parameters (shape, time, shape, shape or time) and a history within reach of a sum over all counts.
#[derive(Debug, Clone, Copy)]
struct Case {
    shapes: [f64; 3],
    alpha: f64,
    beta: f64,
    history: History,
    /// A horizon, of the order of alpha.
    t: f64,
}

impl Case {
    /// All models with the case's parameters.
    fn models(&self) -> Vec<AnyPurchaseModel> {
        AnyPurchaseModel::NAMES.iter().map(|name| self.model(name)).collect()
    }

    fn model(&self, name: &str) -> AnyPurchaseModel {
        self.scaled(name, 1.0)
    }

    /// The model of a name, its times in a unit `c` times as small.
    fn scaled(&self, name: &str, c: f64) -> AnyPurchaseModel {
        let [first, second, third] = self.shapes;
        model(name, [first, c * self.alpha, second, if name == "pareto-nbd" { c * self.beta } else { third }])
    }
}

/// The model of a name from the parameters it has of these four.
fn model(name: &str, parameters: [f64; 4]) -> AnyPurchaseModel {
    AnyPurchaseModel::from_name(name, &parameters[..AnyPurchaseModel::parameters_of(name).unwrap().len()]).unwrap()
}

fn cases() -> impl Strategy<Value = Case> {
    let shapes = prop::array::uniform3(log_uniform(0.05, 20.0));
    (shapes, log_uniform(0.1, 1e3), log_uniform(0.1, 1e3), 0..30_u32, 0.0..1.0, log_uniform(0.01, 3.0), log_uniform(0.01, 3.0)).prop_map(
        |(shapes, alpha, beta, x, share, age, t)| {
            let age = age * alpha;
            let history = History::new(x, if x == 0 { 0.0 } else { share * age }, age).unwrap();
            Case { shapes, alpha, beta, history, t: t * alpha }
        },
    )
}

#[track_caller]
fn close(left: f64, right: f64, tolerance: f64, what: &str) {
    assert!((left - right).abs() <= tolerance * left.abs().max(right.abs()), "{what}: {left:e} against {right:e}");
}

#[track_caller]
fn at_most(left: f64, right: f64, what: &str) {
    assert!(left <= right + ROUNDING * right.abs(), "{what}: {left:e} exceeds {right:e}");
}

/// Integral over 0..`end` by the double-exponential rule: for integrands that are smooth inside, whatever they do at the ends.
fn integral(end: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = 1.0 / 24.0;
    let mut sum = 0.0;
    for k in -76..=76 {
        let u = step * f64::from(k);
        let lower = 1.0 / (1.0 + (-std::f64::consts::PI * u.sinh()).exp());
        let upper = 1.0 / (1.0 + (std::f64::consts::PI * u.sinh()).exp());
        let weight = std::f64::consts::PI * u.cosh() * lower * upper;
        if weight > 1e-300 {
            sum += weight * f(end * lower);
        }
    }
    end * step * sum
}

/// Sum over the histories (x, t_x, T) of all new customers, of P(x, t_x) times `f`, as far as x is at most `x_max`: what each x contributes.
fn over_histories(model: &AnyPurchaseModel, age: f64, x_max: u32, f: impl Fn(&History) -> f64) -> Vec<f64> {
    let mut ln_factorial = 0.0;
    let nobody = History::new(0, 0.0, age).unwrap();
    let mut parts = vec![model.ln_likelihood(&nobody).exp() * f(&nobody)];
    for x in 1..=x_max {
        // The earlier purchases lie in any order in 0..t_x.
        let k = f64::from(x - 1);
        ln_factorial += k.max(1.0).ln();
        parts.push(integral(age, |t_x| {
            let history = History::new(x, t_x, age).unwrap();
            (model.ln_likelihood(&history) + k * t_x.ln() - ln_factorial).exp() * f(&history)
        }));
    }
    parts
}

proptest! {
    #![proptest_config(config(1))]

    #[test]
    fn probabilities_add_up(case in cases()) {
        for model in case.models() {
            let (history, t) = (case.history, case.t);
            close(model.p_alive(&history) + model.p_dead(&history), 1.0, 1e-15, "P(alive) + P(dead)");
            for future in [model, model.given_alive(&history)] {
                let (p_active, none) = (future.p_active(t), future.purchase_pmf(0, t));
                close(p_active + none, 1.0, ROUNDING, "P(active) + P(none)");
                close(p_active, future.purchase_sf(0, t), ROUNDING, "P(active) and P(X > 0)");
                prop_assert_eq!(future.p_alive_at(0.0), future.p_alive(&History::NEW_CUSTOMER));
                close(future.purchase_pmf(0, 0.0), 1.0, 1e-15, "no purchase in no time");
                prop_assert_eq!(future.purchase_pmf(3, 0.0), 0.0);
                prop_assert_eq!(future.expected_purchases(0.0), 0.0);
            }
            close(model.conditional_p_active(&history, t) + model.conditional_purchase_pmf(&history, 0, t), 1.0, ROUNDING, "conditional");
            close(model.conditional_p_active(&history, t), model.conditional_purchase_sf(&history, 0, t), ROUNDING, "conditional P(Y > 0)");
            close(model.conditional_p_alive_at(&history, 0.0), model.p_alive(&history), ROUNDING, "P(alive at T + 0)");
        }
    }

    #[test]
    fn counts_have_their_moments(case in cases()) {
        for model in case.models() {
            let t = case.t;
            let (mut sum, mut mean, mut square, mut tail_mean, mut n) = (0.0, 0.0, 0.0, 0.0, 0);
            loop {
                let (pmf, sf) = (model.purchase_pmf(n, t), model.purchase_sf(n, t));
                let n_f = n as f64;
                sum += pmf;
                mean += n_f * pmf;
                square += n_f * (n_f - 1.0) * pmf;
                tail_mean += sf;
                prop_assert!((sum + sf - 1.0).abs() < SUMMED, "{model:?}: P(X <= {n}) = {sum} and P(X > {n}) = {sf}");
                close(model.purchase_cdf(n, t), sum, SUMMED, "cdf");
                if (n_f + 2.0).powi(2) * sf < 1e-15 * square {
                    break;
                }
                n += 1;
            }
            close(sum, 1.0, SUMMED, "sum of pmf");
            close(mean, model.expected_purchases(t), SUMMED, "sum of n pmf");
            close(tail_mean, model.expected_purchases(t), SUMMED, "sum of sf");
            close(square, model.second_factorial_moment(t), SUMMED, "sum of n (n - 1) pmf");
            close(square + mean * (1.0 - mean), model.purchase_variance(t), SUMMED * (1.0 + mean), "variance");
        }
    }

    #[test]
    fn a_customer_with_a_history_has_a_distribution_too(case in cases()) {
        for model in case.models() {
            let (history, t) = (case.history, case.t);
            let (mut sum, mut mean, mut square, mut n) = (0.0, 0.0, 0.0, 0);
            loop {
                let (pmf, sf) = (model.conditional_purchase_pmf(&history, n, t), model.conditional_purchase_sf(&history, n, t));
                let n_f = n as f64;
                sum += pmf;
                mean += n_f * pmf;
                square += n_f * n_f * pmf;
                if (n_f + 2.0).powi(2) * sf < 1e-15 * square {
                    break;
                }
                n += 1;
            }
            close(sum, 1.0, SUMMED, "sum of pmf");
            close(mean, model.conditional_expected_purchases(&history, t), SUMMED, "mean");
            close(square - mean * mean, model.conditional_purchase_variance(&history, t), SUMMED * (1.0 + mean), "variance");
        }
    }

    #[test]
    fn a_new_customer_is_one_with_an_empty_history(case in cases(), delta in log_uniform(1e-4, 1.0)) {
        let new = History::NEW_CUSTOMER;
        for model in case.models() {
            let t = case.t;
            prop_assert_eq!(model.conditional_expected_purchases(&new, t), model.expected_purchases(t));
            prop_assert_eq!(model.conditional_purchase_pmf(&new, 0, t), model.purchase_pmf(0, t));
            prop_assert_eq!(model.conditional_purchase_pmf(&new, 3, t), model.purchase_pmf(3, t));
            prop_assert_eq!(model.conditional_purchase_sf(&new, 2, t), model.purchase_sf(2, t));
            prop_assert_eq!(model.conditional_p_active(&new, t), model.p_active(t));
            prop_assert_eq!(model.conditional_p_alive_at(&new, t), model.p_alive_at(t));
            prop_assert_eq!(model.conditional_dert(&new, delta), model.dert(delta));
            prop_assert_eq!(model.conditional_next_purchase_quantile(&new, 0.1), model.next_purchase_quantile(0.1));
            prop_assert_eq!(model.conditional_purchase_quantile(&new, 0.9, t), model.purchase_quantile(0.9, t));
            close(model.conditional_purchase_variance(&new, t), model.purchase_variance(t), ROUNDING, "variance");
            prop_assert!(model.ln_likelihood(&new).abs() < ROUNDING);
        }
    }

    #[test]
    fn without_a_repeat_purchase_the_likelihood_is_that_of_no_purchase(case in cases()) {
        let history = History::new(0, 0.0, case.t).unwrap();
        for model in case.models() {
            close(model.ln_likelihood(&history).exp(), model.purchase_pmf(0, case.t), ROUNDING, "L(0, 0, T) and P(X(T) = 0)");
        }
        for name in ["bg-nbd", "nbd"] {
            let model = case.model(name);
            prop_assert_eq!((model.p_alive(&history), model.p_dead(&history)), (1.0, 0.0));
        }
        // Of those who bought once, some are dead: MBG/NBD at once, Pareto/NBD with time.
        prop_assert!(case.model("mbg-nbd").p_dead(&History::NEW_CUSTOMER) > 0.0);
        prop_assert!(case.model("pareto-nbd").p_dead(&history) > 0.0);
    }

    #[test]
    fn discounting_lies_within_its_bounds(case in cases(), delta in log_uniform(1e-14, 1.0)) {
        for model in case.models() {
            let (t, delta) = (case.t, delta / case.alpha);
            let (plain, discounted) = (model.expected_purchases(t), model.discounted_expected_purchases(t, delta));
            close(model.discounted_expected_purchases(t, 0.0), plain, ROUNDING, "no discount");
            // 1 - delta t <= e^(-delta u) <= 1: as delta -> 0 nothing is discounted.
            at_most(discounted, plain, "discounted purchases");
            at_most(plain * (1.0 - delta * t), discounted, "purchases less their largest discount");
            // Purchases become rarer with time, so those after t are at most e^(-delta t) of all: as t -> infinity nothing is missing.
            for t in [t, 10.0 / delta, 40.0 / delta] {
                let (finite, whole) = (model.discounted_expected_purchases(t, delta), model.dert(delta).unwrap());
                at_most(finite, whole, "finite horizon");
                at_most(whole * -(-delta * t).exp_m1(), finite, "whole life less its largest rest");
            }
            close(model.discounted_expected_purchases(f64::INFINITY, delta), model.dert(delta).unwrap(), ROUNDING, "infinite horizon");
        }
    }

    #[test]
    fn a_whole_life_without_discount_exists_where_enough_drop_out(case in cases()) {
        for model in case.models() {
            let shape = case.shapes[1];
            let whole = model.dert(0.0);
            prop_assert_eq!(whole.is_some(), model.name() != "nbd" && shape > 1.0);
            if let Some(whole) = whole {
                at_most(model.dert(1e-6 / case.alpha).unwrap(), whole, "discount");
                at_most(model.expected_purchases(1e6 * case.alpha), whole, "finite horizon");
                if shape > 1.5 && case.shapes[0] > 0.125 {
                    // An infinite time counts as 1e120, when even a rate of shape 1/8 has had its first event but for (1e117)^(-1/8) < 1e-14.
                    close(model.expected_purchases(f64::INFINITY), whole, ROUNDING, "for ever");
                }
            }
        }
    }

    #[test]
    fn the_unit_of_time_does_not_matter(case in cases(), c in log_uniform(1e-3, 1e3), delta in log_uniform(1e-4, 1.0)) {
        for name in AnyPurchaseModel::NAMES {
            let (model, scaled) = (case.model(name), case.scaled(name, c));
            let (x, t_x, age) = (case.history.frequency(), case.history.recency(), case.history.age());
            let (history, rescaled, t) = (case.history, History::new(x, c * t_x, (c * age).max(c * t_x)).unwrap(), case.t);
            let shifted = model.ln_likelihood(&history) - f64::from(x) * c.ln();
            prop_assert!((scaled.ln_likelihood(&rescaled) - shifted).abs() <= ROUNDING * shifted.abs().max(f64::from(x) * c.ln().abs()).max(1.0));
            close(scaled.p_alive(&rescaled), model.p_alive(&history), ROUNDING, "P(alive)");
            close(scaled.p_dead(&rescaled), model.p_dead(&history), 4.0 * ROUNDING, "P(dead)");
            let delta = delta / case.alpha;
            for (ours, theirs) in [
                (scaled.conditional_expected_purchases(&rescaled, c * t), model.conditional_expected_purchases(&history, t)),
                (scaled.conditional_purchase_variance(&rescaled, c * t), model.conditional_purchase_variance(&history, t)),
                (scaled.conditional_purchase_pmf(&rescaled, 2, c * t), model.conditional_purchase_pmf(&history, 2, t)),
                (scaled.conditional_purchase_sf(&rescaled, 2, c * t), model.conditional_purchase_sf(&history, 2, t)),
                (scaled.conditional_p_alive_at(&rescaled, c * t), model.conditional_p_alive_at(&history, t)),
                (scaled.conditional_dert(&rescaled, delta / c).unwrap(), model.conditional_dert(&history, delta).unwrap()),
            ] {
                close(ours, theirs, SUMMED, "conditional quantity");
            }
        }
    }

    #[test]
    fn more_time_brings_more(case in cases(), factor in 1.0..10.0, delta in log_uniform(1e-4, 1.0)) {
        for model in case.models() {
            let (t, later, delta) = (case.t, case.t * factor, delta / case.alpha);
            for future in [model, model.given_alive(&case.history)] {
                at_most(future.expected_purchases(t), future.expected_purchases(later), "expected purchases");
                at_most(future.discounted_expected_purchases(t, delta), future.discounted_expected_purchases(later, delta), "discounted");
                at_most(future.second_factorial_moment(t), future.second_factorial_moment(later), "second factorial moment");
                at_most(future.p_active(t), future.p_active(later), "P(active)");
                at_most(future.p_alive_at(later), future.p_alive_at(t), "P(alive)");
                at_most(future.dert(2.0 * delta).unwrap(), future.dert(delta).unwrap(), "DERT");
                for n in 0..5 {
                    at_most(future.purchase_sf(n, t), future.purchase_sf(n, later), "P(X > n)");
                    at_most(future.purchase_sf(n + 1, t), future.purchase_sf(n, t), "P(X > n) in n");
                }
            }
            // Silence after the last purchase makes death more likely.
            let history = case.history;
            let quiet = History::new(history.frequency(), history.recency(), history.age() + t).unwrap();
            at_most(model.p_alive(&quiet), model.p_alive(&history), "P(alive) after silence");
        }
    }

    #[test]
    fn quantiles_invert_the_distribution(case in cases(), q in 1e-6..0.999_999) {
        for model in case.models() {
            let (history, t) = (case.history, case.t);
            let n = model.conditional_purchase_quantile(&history, q, t);
            prop_assert!(model.conditional_purchase_sf(&history, n, t) <= 1.0 - q);
            prop_assert!(n == 0 || model.conditional_purchase_sf(&history, n - 1, t) > 1.0 - q);
            let n = model.purchase_quantile(q, t);
            prop_assert!(model.purchase_sf(n, t) <= 1.0 - q);
            prop_assert!(n == 0 || model.purchase_sf(n - 1, t) > 1.0 - q);
            match model.conditional_next_purchase_quantile(&history, q) {
                Some(time) => close(model.conditional_p_active(&history, time), q, SUMMED, "P(next purchase by its quantile)"),
                None => prop_assert!(model.conditional_p_active(&history, f64::INFINITY) <= q * (1.0 + ROUNDING)),
            }
            prop_assert_eq!(model.next_purchase_quantile(0.0), Some(0.0));
        }
    }

    #[test]
    fn without_dropout_it_is_the_nbd_model(case in cases(), delta in log_uniform(1e-4, 1.0)) {
        // The smallest dropout shape there is: as far from none as it times the logarithm of a time or a count.
        let none = 1e-12;
        let nbd = case.model("nbd");
        let (history, t, delta) = (case.history, case.t, delta / case.alpha);
        let [r, _, b] = case.shapes;
        for (name, parameters) in [
            ("bg-nbd", [r, case.alpha, none, b.max(0.3)]),
            ("mbg-nbd", [r, case.alpha, none, b.max(0.3)]),
            ("pareto-nbd", [r, case.alpha, none, case.beta]),
        ] {
            let model = model(name, parameters);
            // Only a history so quiet that even the rarest dropout explains it better tells the models apart.
            let far = model.p_dead(&history) + 100.0 * ROUNDING;
            prop_assert!((model.ln_likelihood(&history) - nbd.ln_likelihood(&history)).abs() <= far * (1.0 + nbd.ln_likelihood(&history).abs()) * 2.0);
            close(model.expected_purchases(t), nbd.expected_purchases(t), 100.0 * ROUNDING, "E");
            close(model.purchase_variance(t), nbd.purchase_variance(t), 100.0 * ROUNDING, "Var");
            close(model.discounted_expected_purchases(t, delta), nbd.discounted_expected_purchases(t, delta), 100.0 * ROUNDING, "discounted");
            close(model.p_alive_at(t), 1.0, 100.0 * ROUNDING, "P(alive)");
            for n in 0..6 {
                prop_assert!((model.purchase_pmf(n, t) - nbd.purchase_pmf(n, t)).abs() <= 100.0 * ROUNDING);
                prop_assert!((model.purchase_sf(n, t) - nbd.purchase_sf(n, t)).abs() <= 100.0 * ROUNDING);
            }
        }
    }

    #[test]
    fn nothing_happens_at_removable_singularities(case in cases(), delta in log_uniform(1e-4, 1.0)) {
        // Values at 1 - h, 1 and 1 + h: smooth functions change in proportion to h, and their second difference is h^2 times a curvature.
        let h = 1e-9;
        let [r, shape, b] = case.shapes;
        let (history, t, delta) = (case.history, case.t, delta / case.alpha);
        let at = |name: &str, parameters: [f64; 4], moved: usize, h: f64| {
            let mut parameters = parameters;
            parameters[moved] *= 1.0 + h;
            let model = model(name, parameters);
            vec![
                model.p_alive(&history),
                model.conditional_expected_purchases(&history, t),
                model.conditional_purchase_variance(&history, t),
                model.conditional_p_alive_at(&history, t),
                model.conditional_purchase_pmf(&history, 1, t),
                model.conditional_purchase_sf(&history, 1, t),
                model.conditional_p_active(&history, t),
                model.conditional_discounted_expected_purchases(&history, t, delta),
                model.conditional_dert(&history, delta).unwrap(),
            ]
        };
        for (name, parameters, moved) in [
            ("bg-nbd", [r, case.alpha, 1.0, b], 2),
            ("bg-nbd", [r, case.alpha, 2.0, b], 2),
            ("bg-nbd", [r, case.alpha, 0.4, 0.6], 3),
            ("mbg-nbd", [r, case.alpha, 1.0, b], 2),
            ("pareto-nbd", [r, case.alpha, 1.0, case.beta], 2),
            ("pareto-nbd", [r, case.alpha, 2.0, case.beta], 2),
            ("pareto-nbd", [r, case.alpha, shape, case.alpha], 3),
        ] {
            let (below, on, above) = (at(name, parameters, moved, -h), at(name, parameters, moved, h * 0.0), at(name, parameters, moved, h));
            for ((below, on), above) in below.into_iter().zip(on).zip(above) {
                // No quantity here is of a higher order than 1e3 in the shapes.
                prop_assert!((above - below).abs() <= 1e3 * h * on, "{name}: {below:e}, {on:e}, {above:e}");
                prop_assert!((above - 2.0 * on + below).abs() <= SUMMED * on, "{name}: {below:e}, {on:e}, {above:e}");
            }
        }
    }
}

proptest! {
    // Each case integrates over hundreds of histories.
    #![proptest_config(ProptestConfig { cases: 12, ..config(2) })]

    #[test]
    fn histories_and_counts_have_the_same_law(case in cases()) {
        for model in case.models() {
            let (age, t, x_max) = (case.t, 0.7 * case.alpha, 4);
            let likelihood = over_histories(&model, age, x_max, |_| 1.0);
            for (x, marginal) in likelihood.iter().enumerate() {
                close(*marginal, model.purchase_pmf(x as u64, age), SUMMED, "P(X(T) = x) from the likelihood");
            }
            // P(X(T) = x, Y(t) = 0): summed over x up to n it cannot exceed P(X(T + t) <= n), and for x = 0 it is P(X(T + t) = 0).
            let quiet = over_histories(&model, age, 0, |history| model.conditional_purchase_pmf(history, 0, t));
            close(quiet[0], model.purchase_pmf(0, age + t), SUMMED, "none in T and none in t");
            // P(X(T + t) = 2) = sum over the ways to split it.
            let split: f64 = (0..=2_u32)
                .map(|x| over_histories(&model, age, x, |history| model.conditional_purchase_pmf(history, u64::from(2 - x), t))[x as usize])
                .sum();
            close(split, model.purchase_pmf(2, age + t), SUMMED, "two in T + t");
        }
    }

    #[test]
    fn the_expectation_over_histories_is_that_of_a_new_customer(case in cases(), age in 0.02..0.12) {
        // Few purchases in T, so that few counts hold all but 1e-16 of the probability; that much is missing from the sums.
        let [r, ..] = case.shapes;
        let age = age * case.alpha / r.max(1.0);
        for model in case.models() {
            let t = case.t;
            let mut x_max = 0;
            while model.purchase_sf(u64::from(x_max), age) > 1e-16 {
                x_max += 1;
            }
            let agree = |f: &dyn Fn(&History) -> f64, expected: f64, what: &str| {
                let total: f64 = over_histories(&model, age, x_max, f).iter().sum();
                assert!((total - expected).abs() <= 1e-13 + SUMMED * expected, "{what}: {total:e} against {expected:e} for {model:?}");
            };
            agree(&|_| 1.0, 1.0, "all histories");
            agree(&|history| model.p_alive(history), model.p_alive_at(age), "P(alive at T)");
            agree(&|history| model.conditional_p_alive_at(history, t), model.p_alive_at(age + t), "P(alive at T + t)");
            let later = model.expected_purchases(age + t) - model.expected_purchases(age);
            agree(&|history| model.conditional_expected_purchases(history, t), later, "E[X(T + t)] - E[X(T)]");
            let delta = 0.3 / case.alpha;
            let later = (model.dert(delta).unwrap() - model.discounted_expected_purchases(age, delta)) * (delta * age).exp();
            agree(&|history| model.conditional_dert(history, delta).unwrap(), later, "DERT after T");
        }
    }

    #[test]
    fn average_spends_have_a_density(p in log_uniform(0.2, 20.0), q in log_uniform(1.5, 20.0), gamma in log_uniform(0.1, 1e4), x in 1..20_u32) {
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        // Over the odds y = ln(x m / gamma), which has exponential tails on both sides.
        let over_means = |f: &dyn Fn(&SpendHistory) -> f64| {
            let step = 1.0 / 32.0;
            (-8000..=8000)
                .map(|k| {
                    let m = gamma * (step * f64::from(k)).exp() / f64::from(x);
                    let spend = SpendHistory::new(x, m).unwrap();
                    step * m * model.ln_likelihood(&spend).exp() * f(&spend)
                })
                .sum::<f64>()
        };
        close(over_means(&|_| 1.0), 1.0, SUMMED, "density of the mean spend");
        let expected = model.expected_average_spend(&SpendHistory::UNKNOWN).unwrap();
        close(expected, p * gamma / (q - 1.0), ROUNDING, "mean over customers");
        close(over_means(&|spend| model.expected_average_spend(spend).unwrap()), expected, SUMMED, "E[E[M | x, m]]");
        close(over_means(&|spend| spend.mean()), expected, SUMMED, "E[m]");
    }

    #[test]
    fn the_unit_of_money_does_not_matter(p in log_uniform(1e-2, 1e2), q in log_uniform(1e-2, 1e2), m in log_uniform(1e-2, 1e4), c in log_uniform(1e-6, 1e6)) {
        let (model, spend) = (GammaGamma::new(GammaGammaParams { p, q, gamma: 10.0 }).unwrap(), SpendHistory::new(3, m).unwrap());
        let (scaled, rescaled) = (GammaGamma::new(GammaGammaParams { p, q, gamma: 10.0 * c }).unwrap(), SpendHistory::new(3, m * c).unwrap());
        let shifted = model.ln_likelihood(&spend) - c.ln();
        prop_assert!((scaled.ln_likelihood(&rescaled) - shifted).abs() <= ROUNDING * shifted.abs().max(1.0));
        match (model.expected_average_spend(&spend), scaled.expected_average_spend(&rescaled)) {
            (Some(mean), Some(scaled)) => close(scaled, c * mean, ROUNDING, "E[M | x, m]"),
            (mean, scaled) => prop_assert_eq!(mean, scaled),
        }
    }
}
