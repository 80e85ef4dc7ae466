//! What a fit costs, from the summary's columns to the optimum, per model and size. Targets stand in docs/performance.md.

use std::hint::black_box;

use clv::{
    AcquisitionCohort, BgNbd, Customer, Customers, Estimator, Fit, GammaGamma, GammaGammaParams, History, MbgNbd, Nbd, Observation,
    ParetoNbd, ParetoNbdParams, Population, Simulation, TimeUnit,
};
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

/// Customers as those of CDNOW, who arrive over so many days until the observation ends.
fn simulated(customers: usize, first_day: &str, days: u32) -> Simulation<ParetoNbd> {
    let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 }).expect("valid");
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).expect("valid");
    let cohort = AcquisitionCohort { first_day: first_day.parse().expect("a date"), days, customers };
    let population = Population::new(model, TimeUnit::Week, "1997-09-30".parse().expect("a date"));
    population.cohort(cohort).spend(spend).seed(1).simulate().expect("a simulation")
}

/// Their summary by days, as a log gives it.
fn by_day(simulation: &Simulation<ParetoNbd>) -> Customers {
    let log = simulation.log().expect("a log");
    log.summarize(&Observation::until("1997-09-30".parse().expect("a date")).in_weeks()).expect("customers")
}

fn fits(criterion: &mut Criterion, name: &str, customers: &Customers, samples: usize) {
    let mut group = criterion.benchmark_group(format!("fit/{name}"));
    group.sample_size(samples);
    group.bench_function("bg-nbd", |bencher| bencher.iter(|| BgNbd::fit(black_box(customers))));
    group.bench_function("mbg-nbd", |bencher| bencher.iter(|| MbgNbd::fit(black_box(customers))));
    group.bench_function("pareto-nbd", |bencher| bencher.iter(|| ParetoNbd::fit(black_box(customers))));
    group.bench_function("nbd", |bencher| bencher.iter(|| Nbd::fit(black_box(customers))));
    group.bench_function("gamma-gamma", |bencher| bencher.iter(|| GammaGamma::fit(black_box(customers))));
    group.finish();
}

fn fit(criterion: &mut Criterion) {
    fits(criterion, "cdnow_sample_2357", &cdnow(), 100);
    fits(criterion, "39_weeks_by_day_100k", &by_day(&simulated(100_000, "1997-01-01", 84)), 20);
    fits(criterion, "39_weeks_by_day_1m", &by_day(&simulated(1_000_000, "1997-01-01", 84)), 10);
    fits(criterion, "3_years_by_day_1m", &by_day(&simulated(1_000_000, "1994-10-01", 1095)), 10);
    fits(criterion, "39_weeks_any_time_1m", &simulated(1_000_000, "1997-01-01", 84).customers(), 10);
}

/// One million customers in fifty cohorts of the same size: a pooled fit, and one in which the cohorts borrow from each other. The target is a factor of 20.
fn groups(criterion: &mut Criterion) {
    let customers = by_day(&simulated(1_000_000, "1994-10-01", 1095));
    let cohorts: Vec<String> = (0..customers.len()).map(|row| format!("{:02}", row % 50)).collect();
    let mut group = criterion.benchmark_group("fit/50_cohorts_1m");
    group.sample_size(10);
    group.bench_function("pooled", |bencher| bencher.iter(|| ParetoNbd::fit(black_box(&customers))));
    let estimator = Estimator::<ParetoNbd>::new();
    group.bench_function("partially_pooled", |bencher| bencher.iter(|| estimator.fit_groups(black_box(&customers), &cohorts)));
    group.finish();
}

criterion_group!(benches, fit, groups);
criterion_main!(benches);
