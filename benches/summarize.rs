//! From a log to a summary: reading and cleaning, by format and size.
#![allow(clippy::unwrap_used, reason = "a bench that fails may panic")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clv::{CustomerStates, LogFiles, Observation, ReadOptions, Table, TableFormat, Transaction, TransactionLog, Values, write_atomically};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 200_000;
const CUSTOMERS: usize = 40_000;

/// Customer, day of the year, amount: in order of time, one in twenty on a day with another purchase of the same customer.
fn rows() -> impl Iterator<Item = (usize, usize, f64)> {
    (0..ROWS).map(|row| {
        let other = if row % 20 == 1 { row - 1 } else { row };
        (other * 7_919 % CUSTOMERS, other * 364 / ROWS, (100 + row * 31 % 9_900) as f64 / 100.0)
    })
}

fn write_logs(directory: &Path) -> [(&'static str, LogFiles); 2] {
    let first: clv::Date = "2025-01-01".parse().unwrap();
    let date = |day: usize| clv::Date::from_days_since_1970(first.days_since_1970() + day as i32).unwrap();
    let mut csv = String::from("customer_id,date,amount\n");
    for (customer, day, amount) in rows() {
        writeln!(csv, "c{customer:017},{} 10:20:30,{amount}", date(day)).unwrap();
    }
    let ids: Vec<String> = rows().map(|(customer, ..)| format!("c{customer:017}")).collect();
    let table = Table::new()
        .with("customer_id", Values::Text(ids.iter().map(String::as_str).collect()))
        .unwrap()
        .with("date", Values::Date(rows().map(|(_, day, _)| date(day)).collect()))
        .unwrap()
        .with("amount", Values::Number(rows().map(|(.., amount)| amount).collect()))
        .unwrap();
    let paths = ["log.csv", "log.parquet"].map(|name| directory.join(name));
    fs::write(&paths[0], csv).unwrap();
    write_atomically(&paths[1], |out| table.write(TableFormat::Parquet, out)).unwrap();
    let [csv, parquet] = paths.map(|path| LogFiles::find([path]).unwrap());
    [("csv", csv), ("parquet", parquet)]
}

fn summarize(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let observation = Observation::until("2025-12-31".parse().unwrap());
    let options = ReadOptions::default();
    let logs = write_logs(directory.path());
    let mut group = criterion.benchmark_group("summarize");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    for (format, files) in &logs {
        group.bench_function(BenchmarkId::new(format!("read/{format}"), ROWS), |bench| bench.iter(|| files.read(&options).unwrap()));
        group.bench_function(BenchmarkId::new(format!("time-ordered/{format}"), ROWS), |bench| {
            bench.iter(|| files.summarize_in_order(&options, &observation, &|_| {}).unwrap());
        });
    }
    let log = logs[0].1.read(&options).unwrap();
    group.bench_function(BenchmarkId::new("clean", ROWS), |bench| bench.iter(|| log.summarize(&observation).unwrap()));

    let mut states = CustomerStates::new();
    states.take_log(log).unwrap();
    let path = directory.path().join("state.clv");
    states.save(&path).unwrap();
    group.bench_function(BenchmarkId::new("load-states", ROWS), |bench| bench.iter(|| CustomerStates::load(&path).unwrap()));
    group.finish();

    let mut customer = states.state("c00000000000000001").unwrap();
    let mut group = criterion.benchmark_group("state");
    group.bench_function(BenchmarkId::new("history", customer.len()), |bench| bench.iter(|| customer.history(&observation).unwrap()));
    group.bench_function(BenchmarkId::new("take", 1), |bench| {
        let last = customer.last().unwrap();
        bench.iter(|| customer.take(last, 1.0).unwrap());
    });
    group.bench_function(BenchmarkId::new("push", 1), |bench| {
        let event = Transaction { customer: "c00000000000000001", time: "2025-06-01".parse().unwrap(), amount: 1.0 };
        let mut log = TransactionLog::new();
        bench.iter(|| log.push(event).unwrap());
    });
    group.finish();
}

criterion_group!(benches, summarize);
criterion_main!(benches);
