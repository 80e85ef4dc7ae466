//! What one customer and what a million cost. Targets stand in docs/performance.md.

use std::hint::black_box;

use clv::{
    AcquisitionCohort, AnyPurchaseModel, ClvDefinition, Customers, GammaGamma, GammaGammaParams, History, Observation, ParetoNbd,
    ParetoNbdParams, Population, PurchaseModel, ScoreColumns, Scorer, SpendHistory, Spends, TimeUnit,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const MODELS: [(&str, &[f64]); 4] = [
    ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
    ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
    ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
    ("nbd", &[0.385, 12.072]),
];

fn spend() -> GammaGamma {
    GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).expect("valid")
}

fn scorer(name: &str, parameters: &[f64]) -> Scorer<AnyPurchaseModel> {
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse().expect("a date"))).expect("a horizon");
    Scorer::new(AnyPurchaseModel::from_name(name, parameters).expect("valid"), Some(spend()), terms)
}

fn score_one(criterion: &mut Criterion) {
    let history = History::new(2, 30.43, 38.86).expect("valid");
    let amount = SpendHistory::new(2, 22.35).expect("valid");
    let mut group = criterion.benchmark_group("score_1_customer");
    for (name, parameters) in MODELS {
        let model = AnyPurchaseModel::from_name(name, parameters).expect("valid");
        let scorer = scorer(name, parameters);
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

/// Customers as those of CDNOW, by days: they arrive over 12 weeks and are seen for up to 39.
fn customers(count: usize) -> Customers {
    let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 }).expect("valid");
    let end = "1997-09-30".parse().expect("a date");
    let cohort = AcquisitionCohort { first_day: "1997-01-01".parse().expect("a date"), days: 84, customers: count };
    let population = Population::new(model, TimeUnit::Week, end).cohort(cohort).spend(spend()).seed(1);
    let log = population.simulate().expect("a simulation").log().expect("a log");
    log.into_summary(&Observation::until(end).in_weeks()).expect("customers")
}

fn score_many(criterion: &mut Criterion) {
    const SIZE: usize = 1_000_000;
    // Tried out with fewer: what is tried out is that it runs.
    let size = if std::env::args().any(|argument| argument == "--test") { 10_000 } else { SIZE };
    let customers = customers(size);
    let (histories, spends) = (customers.histories(), customers.spends());
    let mut columns = [(); 5].map(|()| vec![0.0; size]);
    let mut group = criterion.benchmark_group("score_39_weeks_by_day_1m");
    group.sample_size(10).throughput(Throughput::Elements(size as u64));
    for (name, parameters) in MODELS {
        let scorer = scorer(name, parameters);
        group.bench_function(format!("{name}/p_alive_and_expected_purchases"), |bencher| {
            bencher.iter(|| {
                let [p_alive, expected, ..] = columns.each_mut().map(|column| Some(column.as_mut_slice()));
                let columns = ScoreColumns { p_alive, expected_purchases: expected, ..ScoreColumns::default() };
                scorer.in_batches().score(&histories, &Spends::UNKNOWN, columns)
            });
        });
        let batches = scorer.in_batches();
        group.bench_function(format!("{name}/p_alive_and_expected_purchases_again"), |bencher| {
            bencher.iter(|| {
                let [p_alive, expected, ..] = columns.each_mut().map(|column| Some(column.as_mut_slice()));
                let columns = ScoreColumns { p_alive, expected_purchases: expected, ..ScoreColumns::default() };
                batches.score(&histories, &Spends::UNKNOWN, columns)
            });
        });
        group.bench_function(format!("{name}/p_alive"), |bencher| {
            bencher.iter(|| {
                let columns = ScoreColumns { p_alive: Some(&mut columns[0]), ..ScoreColumns::default() };
                scorer.in_batches().score(&histories, &Spends::UNKNOWN, columns)
            });
        });
        group.bench_function(format!("{name}/all_columns"), |bencher| {
            bencher.iter(|| {
                let [p_alive, p_active, expected_purchases, expected_average_spend, clv] =
                    columns.each_mut().map(|column| Some(column.as_mut_slice()));
                let columns =
                    ScoreColumns { p_alive, p_active, expected_purchases, expected_average_spend, clv, ..ScoreColumns::default() };
                scorer.in_batches().score(&histories, &spends, columns)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, score_one, score_many);
criterion_main!(benches);
