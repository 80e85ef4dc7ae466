//! A score depends on the customer alone: batch and single agree to the bit, whoever else is in the batch.

use clv::{AnyPurchaseModel, ClvDefinition, Customer, Customers, ErrorKind, GammaGamma, GammaGammaParams, History, Scorer, TimeUnit};

fn base() -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for i in 0..2_000_u32 {
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

#[test]
fn batch_equals_single_to_the_bit() {
    let customers = base();
    let models: [(&str, &[f64]); 4] = [
        ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
        ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
        ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
        ("nbd", &[0.385, 12.072]),
    ];
    for (name, parameters) in models {
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
