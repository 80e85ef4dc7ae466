//! A nightly batch: the log of one's shop in, scores with intervals out, and what the marketing team wants to know in the morning.
//!
//! `cargo run --release --example pipeline --features csv`; the score file goes to the folder for temporary files.
#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use std::fs::File;

use clv::{
    BandRule, BgNbd, ClvDefinition, Fit, Forecaster, GammaGamma, Level, Margin, Observation, Ranking, Table, TableFormat, Totals,
    TransactionLog, ValueBands, Values,
};

fn main() -> clv::Result<()> {
    // What was bought, up to the day that is over.
    let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv")?;
    let end = "1997-09-30".parse()?;
    let customers = log.summarize(&Observation::until(end).in_weeks())?;

    // What it says about the customers, and what their value is to mean.
    let (purchases, spend) = (BgNbd::fit(&customers)?, GammaGamma::fit(&customers)?);
    let definition = ClvDefinition { margin: Margin::new(0.3)?, ..ClvDefinition::default() };
    let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &definition, Some(end))?;

    // Everybody's score, and how sure it is.
    let scores = forecaster.scorer().score_all(&customers)?;
    let intervals = forecaster.value_intervals(&customers, Level::default(), None, None)?;
    let totals = Totals::of(&customers, &scores);
    let total = &forecaster.groups(&customers, &vec![0; customers.len()], Level::default(), 200, 0, None)?[0];

    let path = std::env::temp_dir().join("clv_pipeline_scores.csv");
    let table = Table::new()
        .with("customer_id", Values::Text(customers.ids().collect()))?
        .with("p_alive", Values::Number(scores.iter().map(|score| score.p_alive).collect()))?
        .with("clv", Values::Optional(scores.iter().map(|score| score.clv).collect()))?
        .with("clv_lower", Values::Optional(intervals.iter().map(|interval| interval.map(|ends| ends.lower)).collect()))?
        .with("clv_upper", Values::Optional(intervals.iter().map(|interval| interval.map(|ends| ends.upper)).collect()))?;
    let mut file = File::create(&path).expect("the folder for temporary files can be written to");
    table.write(TableFormat::Csv, &mut file)?;

    println!("{} customers scored as of {end}: {}", customers.len(), path.display());
    if let (Some(clv), Some(ends)) = (totals.clv, total.clv) {
        println!(
            "They are worth {clv:.0} over the next 12 months at a margin of 30 %, with a probability of 90 % between {:.0} and {:.0}.",
            ends.lower, ends.upper
        );
    }
    if let Some(bands) = ValueBands::of(BandRule::default(), &customers, &scores) {
        for (name, (count, clv)) in bands.rule().names().zip(bands.holdings(&customers, &scores)) {
            println!("  {name:<4} {count:>5.0} customers, worth {clv:>6.0}");
        }
    }
    println!("Call these three first:");
    for &row in Ranking::of(&customers, &scores).rows.iter().take(3) {
        let (score, id) = (&scores[row], customers.id(row));
        println!("  {id}, P(alive) {:.2}, CLV {:.0}", score.p_alive, score.clv.unwrap_or(0.0));
    }
    Ok(())
}
