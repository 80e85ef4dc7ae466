//! What one customer and what a batch cost. Targets stand in docs/performance.md.

use std::hint::black_box;

use clv::{AnyPurchaseModel, ClvDefinition, GammaGamma, GammaGammaParams, History, PurchaseModel, Scorer, SpendHistory, TimeUnit};
use criterion::{Criterion, criterion_group, criterion_main};

const MODELS: [(&str, &[f64]); 4] = [
    ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
    ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
    ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
    ("nbd", &[0.385, 12.072]),
];

fn score_one(criterion: &mut Criterion) {
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).expect("valid");
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse().expect("a date"))).expect("a horizon");
    let history = History::new(2, 30.43, 38.86).expect("valid");
    let amount = SpendHistory::new(2, 22.35).expect("valid");
    let mut group = criterion.benchmark_group("score_one");
    for (name, parameters) in MODELS {
        let model = AnyPurchaseModel::from_name(name, parameters).expect("valid");
        let scorer = Scorer::new(model, Some(spend), terms);
        group.bench_function(format!("{name}/all_columns"), |bencher| {
            bencher.iter(|| scorer.score(black_box(&history), black_box(&amount)));
        });
        group.bench_function(format!("{name}/p_alive"), |bencher| bencher.iter(|| model.p_alive(black_box(&history))));
        group.bench_function(format!("{name}/expected_purchases"), |bencher| {
            bencher.iter(|| model.conditional_expected_purchases(black_box(&history), black_box(52.0)));
        });
    }
    group.finish();
}

criterion_group!(benches, score_one);
criterion_main!(benches);
