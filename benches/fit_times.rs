//! How long the fits of a summary take, and the scores of its customers: what benches/compare_lifetimes.py holds against lifetimes, from columns in memory as there.
//!
//! ```text
//! cargo bench --features csv --bench fit_times -- [SUMMARY MODEL, default the CDNOW sample and bg-nbd]
//! ```

use std::hint::black_box;
use std::time::Instant;

use clv::{
    BgNbd, ClvDefinition, Customers, Estimable, Fit, Observation, ParetoNbd, PurchaseModel, ScoreColumns, Scorer, Source, Spends,
    SummaryOptions, TransactionLog,
};

const END: &str = "1997-09-30";

/// Seconds of the quickest of some calls. This program has one thread: its time is CPU time, or more.
fn seconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let start = Instant::now();
        black_box(call());
        start.elapsed().as_secs_f64()
    };
    (0..20).map(once).fold(f64::INFINITY, f64::min)
}

fn times<M: Fit + Estimable + PurchaseModel>(customers: &Customers) -> clv::Result<(f64, f64)> {
    let fit = seconds(|| M::fit(customers));
    let terms = ClvDefinition { horizon: "52 weeks".parse()?, ..ClvDefinition::default() }.resolve(customers.unit(), None)?;
    let batches = Scorer::new(*M::fit(customers)?.model(), None, terms).in_batches();
    let (histories, mut p_alive, mut expected) = (customers.histories(), vec![0.0; customers.len()], vec![0.0; customers.len()]);
    let score = seconds(|| {
        let columns = ScoreColumns { p_alive: Some(&mut p_alive), expected_purchases: Some(&mut expected), ..ScoreColumns::default() };
        batches.score(&histories, &Spends::UNKNOWN, columns)
    });
    Ok((fit, score))
}

fn main() -> clv::Result<()> {
    // cargo bench adds --bench, and --test where it is only to be seen to run.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let customers = match arguments.next() {
        Some(path) => {
            Source::open(path)?.read_summary(&SummaryOptions { observation_end: Some(END.parse()?), ..SummaryOptions::default() })?
        }
        None => TransactionLog::from_csv("examples/data/cdnow_sample.csv")?.summarize(&Observation::until(END.parse()?).in_weeks())?,
    };
    let model = arguments.next().unwrap_or_else(|| BgNbd::NAME.to_owned());
    let (fit, score) = if model == ParetoNbd::NAME { times::<ParetoNbd>(&customers)? } else { times::<BgNbd>(&customers)? };
    println!("{model}, {} customers: fit {fit:.6} s, P(alive) and purchases in 52 weeks {score:.6} s", customers.len());
    Ok(())
}
