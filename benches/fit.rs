//! What a fit costs, from the summary's columns to the optimum. Targets stand in docs/performance.md.

use clv::{BgNbd, Customer, Customers, Fit, GammaGamma, History, MbgNbd, Nbd, ParetoNbd, TimeUnit};
use criterion::{Criterion, criterion_group, criterion_main};

/// The published summary of the CDNOW sample: 2,357 customers.
fn cdnow() -> Customers {
    let text = include_str!("../tests/data/cdnow_sample_summary_published.csv");
    let mut customers = Customers::new(TimeUnit::Week);
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f64>().expect("a number");
        let history = History::new(number(1) as u32, number(2), number(3)).expect("valid");
        customers.push(Customer { id: fields[0], history, average_spend: number(4), weight: 1.0, purchases: None }).expect("valid");
    }
    customers
}

fn fit(criterion: &mut Criterion) {
    let customers = cdnow();
    let mut group = criterion.benchmark_group("fit/cdnow_sample_2357");
    group.bench_function("bg-nbd", |bencher| bencher.iter(|| BgNbd::fit(&customers)));
    group.bench_function("mbg-nbd", |bencher| bencher.iter(|| MbgNbd::fit(&customers)));
    group.bench_function("pareto-nbd", |bencher| bencher.iter(|| ParetoNbd::fit(&customers)));
    group.bench_function("nbd", |bencher| bencher.iter(|| Nbd::fit(&customers)));
    group.bench_function("gamma-gamma", |bencher| bencher.iter(|| GammaGamma::fit(&customers)));
    group.finish();
}

criterion_group!(benches, fit);
criterion_main!(benches);
