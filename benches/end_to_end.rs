//! From a log to scores: by the library, and by the command line. Targets stand in docs/performance.md.
#![allow(clippy::unwrap_used, reason = "a bench that fails may panic")]

use std::path::Path;
use std::process::Command;

use clv::{ClvDefinition, Fit, GammaGamma, Observation, ParetoNbd, Scorer, Table, TableFormat, TransactionLog, write_atomically};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const SAMPLE: &str = "examples/data/cdnow_sample.csv";
const SAMPLE_CUSTOMERS: usize = 2_357;

/// As many as have bought at CDNOW.
const CUSTOMERS: usize = 23_570;

/// Read, clean and summarise, fit both models, score everybody, write the summary and the scores.
fn by_library(log: &Path, end: &str, out: &Path) {
    let log = TransactionLog::from_csv(log).unwrap();
    let observation = Observation::until(end.parse().unwrap()).in_weeks();
    let customers = log.into_summary(&observation).unwrap();
    let (purchases, spend) = (ParetoNbd::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
    let scorer = Scorer::from_fits(&purchases, Some(&spend), &ClvDefinition::default(), Some(observation.end)).unwrap();
    let scores = scorer.score_all(&customers).unwrap();
    let clv = scores.iter().map(|score| score.clv).collect::<Vec<_>>();
    let table = Table::from(&customers).with("clv", clv::Values::Optional(clv.into())).unwrap();
    write_atomically(out, |out| table.write(TableFormat::Csv, out)).unwrap();
}

fn clv(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_clv")).args(arguments).arg("--quiet").status().unwrap();
    assert!(status.success(), "clv {}", arguments.join(" "));
}

fn end_to_end(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let (log, out) = (directory.path().join("log.csv"), directory.path().join("out"));
    let (log, out) = (log.to_str().unwrap(), out.to_str().unwrap());
    // Tried out with fewer: what is tried out is that it runs.
    let customers = if std::env::args().any(|argument| argument == "--test") { 500 } else { CUSTOMERS };
    #[rustfmt::skip]
    clv(&[
        "simulate", "--model", "pareto-nbd", "--params", "r=0.55,alpha=10.6,s=0.61,beta=11.7", "--customers", &customers.to_string(), "--start", "1997-01-01",
        "--acquisition", "84 days", "--horizon", "78 weeks", "--spend", "p=6.25,q=3.74,gamma=15.44", "--seed", "1", "-o", log,
    ]);
    let mut group = criterion.benchmark_group("end_to_end");
    group.sample_size(10);
    for (input, end, size) in [(SAMPLE, "1998-06-30", SAMPLE_CUSTOMERS), (log, "1998-06-30", customers)] {
        group.bench_function(BenchmarkId::new("library_log_to_scores", size), |bench| {
            let out = directory.path().join("scores.csv");
            bench.iter(|| by_library(Path::new(input), end, &out));
        });
        group.bench_function(BenchmarkId::new("clv_run", size), |bench| {
            bench.iter(|| clv(&["run", input, "--observation-end", end, "--out", out]));
        });
    }
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
