//! Which model to believe: each forecasts the past from four days before it, and the one that gave what came the highest probability is taken.
//!
//! `cargo run --release --example choose_model --features csv,parallel`
#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use clv::{BackTest, Group, Observation, Scheme, TransactionLog};

fn main() -> clv::Result<()> {
    let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
    let observation = Observation::until("1998-06-30".parse()?).in_weeks();
    let first = log.first_date().expect("the sample has rows");

    // Four cuts over the second half of the log, each with a holdout after it; intervals of the figures from 100 samples of the customers.
    let report = BackTest::new(Scheme::rolling_over(first, observation.end)?).samples(100, 0).run(&log, &observation)?;

    println!("{:<12} {:>10} {:>14} {:>30}", "model", "log score", "total off by", "at each cut");
    let scores = report.log_scores();
    for (model, score) in &scores {
        let runs: Vec<_> = report.find(model, Group::KnownAtCut).collect();
        let actual: f64 = runs.iter().map(|run| run.actual_purchases).sum();
        let predicted: f64 = runs.iter().filter_map(|run| run.predicted_purchases).sum();
        let each: Vec<String> = runs.iter().filter_map(|run| Some(format!("{:+.0} %", 100.0 * run.metrics.bias?))).collect();
        println!("{model:<12} {score:>10.4} {:>12.1} % {:>30}", 100.0 * (predicted / actual - 1.0), each.join(" "));
    }
    if let Some((model, _)) = scores.first() {
        println!("\nTake {model}: the lowest log score, so what came was least of a surprise to it.");
    }
    for verdict in &report.verdicts {
        println!("- {verdict}");
    }
    Ok(())
}
