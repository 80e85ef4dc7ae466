//! What must hold between the quantities of a model, whatever the parameters: no reference values, only probability theory.
//!
//! What holds for any purchase model is checked by `clv::conformance`, so that each model here passes what users run on theirs. This file brings it
//! random parameters and histories, and keeps what is specific to our models.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::conformance::{Points, Report, Tolerances, check_estimable, check_estimable_by, check_histories, check_quantities};
use clv::{AnyPurchaseModel, Customer, Customers, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory, TimeUnit};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Rounding of a value that is a sum or an integral of positive parts.
const ROUNDING: f64 = Tolerances::ROUNDING;

/// Rounding of sums over many probabilities.
const SUMMED: f64 = Tolerances::SUMMED;

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

/// As the suite compares, but that two ways to ask for one number give the same bits.
fn tolerances() -> Tolerances {
    Tolerances { same: 0.0, ..Tolerances::default() }
}

/// Nothing is broken, and nothing was left out.
#[track_caller]
fn conforms(report: &Report) {
    report.assert_conforms();
    assert!(report.skipped().is_empty(), "{report}");
}

proptest! {
    #![proptest_config(config(1))]

    #[test]
    fn quantities_obey_probability_theory(
        case in cases(),
        small in log_uniform(1e-14, 1.0),
        delta in log_uniform(1e-4, 1.0),
        q in 1e-6..0.999_999,
    ) {
        let points = Points::new(&[case.history], &[case.t]).unwrap();
        let points = points.discounted_at(&[small / case.alpha, delta / case.alpha]).unwrap().at_levels(&[q, 0.9]).unwrap();
        for model in case.models() {
            conforms(&check_quantities(&model, &points.clone().to_within(tolerances())));
        }
    }

    #[test]
    fn fits_can_rely_on_values_and_derivatives(base in cases(), others in prop::collection::vec((cases(), 0.1..5.0), 5)) {
        let mut customers = Customers::new(TimeUnit::Week);
        let mut add = |history: History, weight: f64| {
            let id = customers.len().to_string();
            let average_spend = if history.frequency() > 0 { 10.0 + history.recency() } else { 0.0 };
            customers.push(Customer { id: &id, history, average_spend, weight, purchases: None }).unwrap();
        };
        add(History::new(3, 0.5 * base.alpha, base.alpha).unwrap(), 1.0);
        others.iter().for_each(|(other, weight)| add(other.history, *weight));
        for model in base.models() {
            conforms(&match model {
                AnyPurchaseModel::BgNbd(model) => check_estimable(&model, &customers),
                AnyPurchaseModel::MbgNbd(model) => check_estimable(&model, &customers),
                AnyPurchaseModel::ParetoNbd(model) => check_estimable(&model, &customers),
                AnyPurchaseModel::Nbd(model) => check_estimable(&model, &customers),
                _ => unreachable!("a model without a check"),
            });
        }
        let [p, q, _] = base.shapes;
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma: base.alpha }).unwrap();
        let ln_likelihood = |customers: &Customers, row: usize| match customers.spend(row) {
            SpendHistory::UNKNOWN => 0.0,
            spend => model.ln_likelihood(&spend),
        };
        conforms(&check_estimable_by(&model, &customers, ln_likelihood));
    }

    #[test]
    fn who_bought_once_may_be_dead_or_not_by_the_model(case in cases()) {
        let history = History::new(0, 0.0, case.t).unwrap();
        for name in ["bg-nbd", "nbd"] {
            let model = case.model(name);
            prop_assert_eq!((model.p_alive(&history), model.p_dead(&history)), (1.0, 0.0));
        }
        // Of those who bought once, some are dead: MBG/NBD at once, Pareto/NBD with time.
        prop_assert!(case.model("mbg-nbd").p_dead(&History::NEW_CUSTOMER) > 0.0);
        prop_assert!(case.model("pareto-nbd").p_dead(&history) > 0.0);
    }

    #[test]
    fn a_whole_life_without_discount_exists_where_enough_drop_out(case in cases()) {
        for model in case.models() {
            let shape = case.shapes[1];
            let whole = model.dert(0.0);
            prop_assert_eq!(whole.is_some(), model.name() != "nbd" && shape > 1.0);
            if let Some(whole) = whole.filter(|_| shape > 1.5 && case.shapes[0] > 0.125) {
                // An infinite time counts as 1e120, when even a rate of shape 1/8 has had its first event but for (1e117)^(-1/8) < 1e-14.
                close(model.expected_purchases(f64::INFINITY), whole, ROUNDING, "for ever");
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
    // Each case integrates over thousands of histories.
    #![proptest_config(ProptestConfig { cases: 8, ..config(2) })]

    #[test]
    fn likelihoods_and_counts_are_one_law(case in cases()) {
        let points = Points::new(&[], &[case.t, 0.7 * case.alpha]).unwrap().discounted_at(&[0.3 / case.alpha]).unwrap();
        for model in case.models() {
            conforms(&check_histories(&model, &points));
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
