//! A score depends on the customer alone: batch and single agree to the bit, whoever else is in the batch.

use clv::{
    AnyPurchaseModel, ClvDefinition, Cost, Customer, Customers, ErrorKind, GammaGamma, GammaGammaParams, Histories, History,
    InstructionSet, PurchaseModel, ScoreColumns, Scorer, SpendBasis, SpendHistory, Spends, TimeUnit,
};
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;

fn base() -> Customers {
    every(1)
}

/// Every so many of two thousand customers.
fn every(step: usize) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for i in (0..2_000_u32).step_by(step) {
        let x = i % 7;
        let age = f64::from(20 + i % 13);
        let recency = if x == 0 { 0.0 } else { age * f64::from(1 + i % 10) / 11.0 };
        let history = History::new(x, recency, age).unwrap();
        let average_spend = if x == 0 { 0.0 } else { f64::from(i % 50) };
        customers.push(Customer { id: &i.to_string(), history, average_spend, weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

fn scorer(name: &str, parameters: &[f64]) -> Scorer<AnyPurchaseModel> {
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse().unwrap())).unwrap();
    Scorer::new(AnyPurchaseModel::from_name(name, parameters).unwrap(), Some(spend), terms)
}

const MODELS: [(&str, &[f64]); 6] = [
    ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
    ("bg-nbd", &[0.1, 2.0, 0.01, 0.1]),
    ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
    ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
    ("pareto-nbd", &[0.7, 30.0, 1.0, 2.0]),
    ("nbd", &[0.385, 12.072]),
];

#[test]
fn batch_equals_single_to_the_bit() {
    let customers = base();
    for (name, parameters) in MODELS {
        let scorer = scorer(name, parameters);
        for (i, score) in scorer.score_all(&customers).unwrap().iter().enumerate() {
            assert_eq!(*score, scorer.score(&customers.history(i), &customers.spend(i)), "{name}, customer {i}");
        }
    }
}

#[test]
fn value_is_margin_times_discounted_purchases_times_spend() {
    let scorer = scorer("bg-nbd", &[0.243, 4.414, 0.793, 2.426]);
    let customers = base();
    for score in scorer.score_all(&customers).unwrap() {
        let expected = score.expected_purchases.unwrap();
        assert!(score.discounted_purchases < expected);
        assert!(score.p_active <= score.p_alive && score.p_active <= expected);
        assert_eq!(score.clv.unwrap(), score.discounted_purchases * score.expected_average_spend.unwrap());
    }
}

#[test]
fn another_unit_is_refused() {
    let mut customers = Customers::new(TimeUnit::Day);
    let history = History::new(0, 0.0, 30.0).unwrap();
    customers.push(Customer { id: "a", history, average_spend: 0.0, weight: 1.0, purchases: None }).unwrap();
    let error = scorer("nbd", &[0.385, 12.072]).score_all(&customers).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().starts_with("the customers are measured in days and the model in weeks"), "{error}");
}

/// Columns of customers who are like each other as often as not.
#[derive(Debug, Clone)]
struct Base {
    frequency: Vec<u32>,
    recency: Vec<f64>,
    age: Vec<f64>,
    average_spend: Vec<f64>,
}

impl Base {
    fn histories(&self) -> Histories<'_> {
        Histories::new(&self.frequency, &self.recency, &self.age).unwrap()
    }

    fn spends(&self) -> Spends<'_> {
        Spends::new(&self.frequency, &self.average_spend, SpendBasis::RepeatPurchases).unwrap()
    }
}

fn bases() -> impl Strategy<Value = Base> {
    let by_day = (0..6_u32, 0..60_u32, 60..90_u32).prop_map(|(x, t_x, age)| (x, f64::from(t_x) / 7.0, f64::from(age) / 7.0));
    let any_time = (prop_oneof![0..5_u32, 0..2000_u32], 0.0..=1.0_f64, -3.0..6.0_f64).prop_map(|(x, share, ln_age)| {
        let age = ln_age.exp();
        (x, share * age, age)
    });
    let history = prop_oneof![3 => by_day, 1 => any_time];
    let row = (history, prop_oneof![Just(0.0), 0.01..1000.0_f64]).prop_map(
        |((x, t_x, age), spend)| {
            if x == 0 { (0, 0.0, age, 0.0) } else { (x, t_x, age, spend) }
        },
    );
    prop::collection::vec(row, 0..1200).prop_map(|rows| Base {
        frequency: rows.iter().map(|row| row.0).collect(),
        recency: rows.iter().map(|row| row.1).collect(),
        age: rows.iter().map(|row| row.2).collect(),
        average_spend: rows.iter().map(|row| row.3).collect(),
    })
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::default() })]

    #[test]
    fn columns_in_chunks_on_any_machine_and_threads_are_the_scores_one_by_one(base in bases(), chunk in 1..1500_usize) {
        for (name, parameters) in MODELS {
            let scorer = scorer(name, parameters);
            let rows = base.frequency.len();
            let (histories, spends) = (base.histories(), base.spends());
            let singles: Vec<_> = (0..rows).map(|row| scorer.score(&histories.get(row), &spends.get(row))).collect();
            for set in InstructionSet::available() {
                set.limit();
                for threads in [1, 2] {
                    let mut columns = [(); 6].map(|()| vec![f64::INFINITY; rows]);
                    let batches = scorer.in_batches();
                    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                        for start in (0..rows).step_by(chunk) {
                            let chunk = start..rows.min(start + chunk);
                            let [p_alive, p_active, expected, discounted, spend, clv] =
                                columns.each_mut().map(|column| Some(&mut column[chunk.clone()]));
                            let columns = ScoreColumns {
                                p_alive,
                                p_active,
                                expected_purchases: expected,
                                discounted_purchases: discounted,
                                expected_average_spend: spend,
                                clv,
                            };
                            batches.score(&histories.rows(chunk.clone()), &spends.rows(chunk), columns).unwrap();
                        }
                    });
                    let single = |of: fn(&clv::Score) -> f64| bits(singles.iter().map(of));
                    let [p_alive, p_active, expected, discounted, spend, clv] = columns.map(bits);
                    prop_assert_eq!(p_alive, single(|score| score.p_alive));
                    prop_assert_eq!(p_active, single(|score| score.p_active));
                    prop_assert_eq!(expected, single(|score| score.expected_purchases.unwrap_or(f64::NAN)));
                    prop_assert_eq!(discounted, single(|score| score.discounted_purchases));
                    prop_assert_eq!(spend, single(|score| score.expected_average_spend.unwrap_or(f64::NAN)));
                    prop_assert_eq!(clv, single(|score| score.clv.unwrap_or(f64::NAN)));
                }
            }
        }
    }

    #[test]
    fn columns_of_a_model_are_its_values_one_by_one(base in bases(), t in 0.0..200.0_f64) {
        for (name, parameters) in MODELS {
            let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
            let histories = base.histories();
            let rows = histories.len();
            let horizons = [t, 0.0, 52.0];
            // A view of a matrix in column order: expected purchases need not lie in a row.
            let mut expected = Array2::from_elem((3, rows), f64::NAN);
            model.conditional_expected_purchases_columns(&histories, &horizons, expected.view_mut().reversed_axes());
            let mut p_alive = vec![f64::NAN; rows];
            model.p_alive_column(&histories, &mut p_alive);
            prop_assert_eq!(bits(p_alive), bits((0..rows).map(|row| model.p_alive(&histories.get(row)))));
            for (k, &t) in horizons.iter().enumerate() {
                let singles = (0..rows).map(|row| model.conditional_expected_purchases(&histories.get(row), t));
                prop_assert_eq!(bits(expected.index_axis(Axis(0), k).iter().copied()), bits(singles));
            }
        }
    }
}

#[test]
fn what_is_not_asked_for_does_not_change_the_rest() {
    let scorer = scorer("mbg-nbd", MODELS[2].1);
    let customers = base();
    let batches = scorer.in_batches();
    let (mut expected, mut clv) = (vec![0.0; customers.len()], vec![0.0; customers.len()]);
    let (histories, spends) = (customers.histories(), customers.spends());
    batches.score(&histories, &spends, ScoreColumns { expected_purchases: Some(&mut expected), ..ScoreColumns::default() }).unwrap();
    batches.score(&histories, &spends, ScoreColumns { clv: Some(&mut clv), ..ScoreColumns::default() }).unwrap();
    let scores = scorer.score_all(&customers).unwrap();
    assert_eq!(expected, scores.iter().map(|score| score.expected_purchases.unwrap()).collect::<Vec<_>>());
    assert_eq!(clv, scores.iter().map(|score| score.clv.unwrap()).collect::<Vec<_>>());
    // Nothing known of any spend: the spend of everybody.
    batches.score(&histories, &Spends::UNKNOWN, ScoreColumns { clv: Some(&mut clv), ..ScoreColumns::default() }).unwrap();
    assert_eq!(clv[1], scorer.score(&histories.get(1), &SpendHistory::UNKNOWN).clv.unwrap());
}

#[test]
fn several_terms_in_one_pass_are_each_on_its_own() {
    let customers = base();
    let (histories, spends, rows) = (customers.histories(), customers.spends(), customers.len());
    for (name, parameters) in MODELS {
        let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
        let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
        let terms =
            ["13 weeks", "104 weeks", "lifetime"].map(|horizon| with_costs(1.0, 2.0, horizon).resolve(TimeUnit::Week, None).unwrap());
        let batches = Scorer::new(model, Some(spend), terms[0]).in_batches().also_by(terms[1]).unwrap().also_by(terms[2]).unwrap();
        let (mut active, mut values) = (vec![vec![0.0; rows]; 3], vec![vec![0.0; rows]; 3]);
        let columns = active.iter_mut().zip(&mut values).map(|(p_active, clv)| {
            let (p_active, clv) = (Some(p_active.as_mut_slice()), Some(clv.as_mut_slice()));
            ScoreColumns { p_active, clv, ..ScoreColumns::default() }
        });
        batches.score_each(&histories, &spends, columns.collect()).unwrap();
        for ((terms, active), values) in terms.iter().zip(active).zip(values) {
            let scores = Scorer::new(model, Some(spend), *terms).score_all(&customers).unwrap();
            assert_eq!(bits(active), bits(scores.iter().map(|score| score.p_active)), "{name}");
            assert_eq!(bits(values), bits(scores.iter().map(|score| score.clv.unwrap_or(f64::NAN))), "{name}");
        }
    }
}

#[test]
fn terms_that_do_not_go_together_are_refused() {
    let batches = scorer("nbd", MODELS[5].1).in_batches();
    let days = ClvDefinition::default().resolve(TimeUnit::Day, Some("1997-09-30".parse().unwrap())).unwrap();
    let error = batches.also_by(days).unwrap_err();
    assert_eq!(error.to_string(), "the terms are in days and those before in weeks; resolve the definition for weeks");
    let batches = scorer("nbd", MODELS[5].1).in_batches();
    let histories = Histories::new(&[0], &[0.0], &[38.9]).unwrap();
    let error = batches.score_each(&histories, &Spends::UNKNOWN, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "there are columns for 0 terms, and 1 terms to score by");
}

#[test]
fn columns_that_break_a_rule_are_refused_with_the_row() {
    let error = Histories::new(&[0, 2], &[0.0, 40.0], &[38.9, 38.9]).unwrap_err();
    assert!(error.to_string().starts_with("row 1: recency 40 exceeds age 38.9"), "{error}");
    let error = Histories::new(&[0, 2], &[0.0, 4.0], &[38.9]).unwrap_err();
    assert_eq!(error.to_string(), "column frequency has 2 rows and column age 1; they need one value per customer");
    let error = Spends::new(&[1, 2], &[5.0, -1.0], SpendBasis::RepeatPurchases).unwrap_err();
    assert!(error.to_string().starts_with("row 1: average spend -1 must be"), "{error}");
    let times = array![[0.0, 38.9], [4.0, 38.9]];
    let frequency = array![0, 2];
    let error = Histories::from_views(frequency.view(), times.column(0), times.column(1)).unwrap_err();
    assert!(error.to_string().starts_with("the values of column recency do not lie one after the other"), "{error}");
    let times = times.t().as_standard_layout().to_owned();
    let histories = Histories::from_views(frequency.view(), times.row(0), times.row(1)).unwrap();
    assert_eq!(histories.get(1), History::new(2, 4.0, 38.9).unwrap());
    let batches = scorer("nbd", MODELS[5].1).in_batches();
    let mut short = [0.0];
    let columns = ScoreColumns { clv: Some(&mut short), ..ScoreColumns::default() };
    let error = batches.score(&histories, &Spends::UNKNOWN, columns).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Parameter, "the column clv has room for 1 scores, and there are 2 customers")
    );
    // Averages over all purchases, of a spend model that was fitted to repeat purchases.
    let (mut column, x) = ([0.0, 0.0], [0, 2]);
    let columns = ScoreColumns { clv: Some(&mut column), ..ScoreColumns::default() };
    let error = batches.score(&histories, &Spends::new(&x, &[5.0, 5.0], SpendBasis::AllPurchases).unwrap(), columns).unwrap_err();
    assert!(error.to_string().contains("are of different purchases"), "{error}");
}

/// A definition with a cost to serve.
fn with_costs(per_purchase: f64, per_year: f64, horizon: &str) -> ClvDefinition {
    let (cost_per_purchase, cost_per_year) = (Cost::new(per_purchase).unwrap(), Cost::new(per_year).unwrap());
    ClvDefinition { horizon: horizon.parse().unwrap(), cost_per_purchase, cost_per_year, ..ClvDefinition::default() }
}

#[test]
fn costs_are_taken_off_purchase_by_purchase_and_year_by_year() {
    let customers = every(17);
    for (name, parameters) in MODELS {
        for horizon in ["52 weeks", "lifetime"] {
            let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
            let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
            let scorer = |per_purchase: f64, per_year: f64| {
                Scorer::new(model, Some(spend), with_costs(per_purchase, per_year, horizon).resolve(TimeUnit::Week, None).unwrap())
            };
            let (free, dear) = (scorer(0.0, 0.0), scorer(2.5, 7.0));
            let (without, with) = (free.score_all(&customers).unwrap(), dear.score_all(&customers).unwrap());
            for (i, (free, dear)) in without.iter().zip(&with).enumerate() {
                let years = scorer(2.5, 7.0).discounted_time_alive(&customers.history(i)) / TimeUnit::Week.per_year();
                let expected = free.clv.unwrap() - 2.5 * free.discounted_purchases - 7.0 * years;
                // The same sum in another order.
                assert!((dear.clv.unwrap() - expected).abs() < 1e-12 * (free.clv.unwrap() + 10.0), "{name}, customer {i}");
                assert_eq!(*dear, dear_one(&scorer(2.5, 7.0), &customers, i), "{name}, customer {i}");
            }
            // A cost of 0 is no cost, to the bit.
            let terms = ClvDefinition { horizon: horizon.parse().unwrap(), ..ClvDefinition::default() }.resolve(TimeUnit::Week, None);
            assert_eq!(without, Scorer::new(model, Some(spend), terms.unwrap()).score_all(&customers).unwrap());
        }
    }
}

fn dear_one(scorer: &Scorer<AnyPurchaseModel>, customers: &Customers, i: usize) -> clv::Score {
    scorer.score(&customers.history(i), &customers.spend(i))
}

#[test]
fn the_time_alive_is_what_the_models_say() {
    let history = History::new(2, 30.43, 38.86).unwrap();
    for (name, parameters) in MODELS {
        let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
        for (horizon, length) in [("52 weeks", 52.0), ("520 weeks", 520.0)] {
            let scorer = Scorer::new(model, None, with_costs(0.0, 1.0, horizon).resolve(TimeUnit::Week, None).unwrap());
            let delta = scorer.terms().discount_rate();
            let time = scorer.discounted_time_alive(&history);
            // The midpoint rule; P(alive) bends within some ten weeks, so that 20,000 steps leave 1e-6 of it.
            let step = length / 20_000.0;
            let at = |k: i32| (f64::from(k) + 0.5) * step;
            let midpoints: f64 = (0..20_000).map(|k| step * (-delta * at(k)).exp() * model.conditional_p_alive_at(&history, at(k))).sum();
            assert!((time / midpoints - 1.0).abs() < 1e-6, "{name}, {horizon}: {time} against {midpoints}");
            // By Pareto/NBD how often one buys says nothing about how long one stays.
            if let AnyPurchaseModel::ParetoNbd(pareto) = model {
                let params = pareto.given_alive(&history).params();
                let purchases = pareto.conditional_discounted_expected_purchases(&history, length, delta);
                assert!((time * params.r / params.alpha / purchases - 1.0).abs() < 1e-10, "{horizon}");
            }
        }
    }
}
