//! Is the method right where the truth is known? Customers are drawn from a model, their log is fitted and scored as if it were real, and the forecasts are held against
//! what the same customers go on to do.
//!
//! `cargo run --release --example simulated_truth`
#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use clv::{
    AcquisitionCohort, ClvDefinition, Estimable, Fit, Forecaster, GammaGamma, GammaGammaParams, Level, ParetoNbd, ParetoNbdParams,
    Population, TimeUnit,
};

const WEEKS: f64 = 52.0;

fn main() -> clv::Result<()> {
    let truth = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 })?;
    let end = "2025-12-31".parse()?;
    let cohort = AcquisitionCohort { first_day: "2025-01-01".parse()?, days: 90, customers: 5_000 };
    let simulation = Population::new(truth, TimeUnit::Week, end).spend(spend).cohort(cohort).seed(1).simulate()?;

    // What an analyst has: histories, and nothing of who left.
    let customers = simulation.customers();
    let (purchases, amounts) = (ParetoNbd::fit(&customers)?, GammaGamma::fit(&customers)?);
    println!("The parameters that {} customers were drawn with, and what their histories say:", customers.len());
    for (i, parameter) in ParetoNbd::PARAMETERS.iter().enumerate() {
        let error = purchases.standard_error(i).unwrap_or(f64::NAN);
        println!("  {:<6} {:>7.3}   {:>7.3} +- {error:.3}", parameter.name, truth.parameters()[i], purchases.model().parameters()[i]);
    }

    let definition =
        ClvDefinition { horizon: "52 weeks".parse()?, annual_discount: clv::AnnualDiscount::new(0.0)?, ..ClvDefinition::default() };
    let forecaster = Forecaster::from_fits(&purchases, Some(&amounts), &definition, Some(end))?;
    let scores = forecaster.scorer().score_all(&customers)?;
    let intervals = forecaster.value_intervals(&customers, Level::default(), None, None)?;

    // What they do in the year after.
    let (mut bought, mut spent, mut alive, mut held) = (0, 0.0, 0, 0);
    for (customer, interval) in simulation.iter().zip(&intervals) {
        let (count, value) = customer.future(WEEKS).fold((0, 0.0), |(count, value), next| (count + 1, value + next.amount));
        (bought, spent) = (bought + count, spent + value);
        alive += usize::from(customer.truth(WEEKS).alive_at_end);
        held += usize::from(interval.is_some_and(|ends| ends.lower <= value && value <= ends.upper));
    }
    let expected = |of: fn(&clv::Score) -> f64| scores.iter().map(of).sum::<f64>();
    println!("\n{:<34} {:>9} {:>9}", "", "forecast", "truth");
    println!("{:<34} {:>9.0} {alive:>9}", "still customers at the end", expected(|score| score.p_alive));
    println!("{:<34} {:>9.0} {bought:>9}", "purchases in the year after", expected(|score| score.expected_purchases.unwrap_or(0.0)));
    println!("{:<34} {:>9.0} {spent:>9.0}", "spend in the year after", expected(|score| score.clv.unwrap_or(0.0)));
    println!("{:<34} {:>7.0} % {:>7.1} %", "customers within their interval", 90.0, 100.0 * held as f64 / customers.len() as f64);
    Ok(())
}
