//! What a young cohort is worth: a cohort of which there is little yet borrows from the older ones, as much as it has to.
//!
//! `cargo run --release --example young_cohorts`
#![allow(clippy::print_stdout, reason = "a program that tells what it does")]

use clv::{AcquisitionCohort, Customer, Customers, Date, Estimator, ParetoNbd, ParetoNbdParams, Population, PurchaseModel, TimeUnit};

/// Name, first day, customers, and how often they buy: the later ones come by a cheaper channel and buy half as often.
const COHORTS: [(&str, &str, usize, f64); 4] = [
    ("spring", "2025-03-01", 1_500, 1.0),
    ("summer", "2025-06-01", 1_500, 0.9),
    ("autumn", "2025-09-01", 1_000, 0.6),
    ("winter", "2025-12-01", 60, 0.5),
];

fn main() -> clv::Result<()> {
    let end: Date = "2025-12-31".parse()?;
    // One log of four cohorts, each a model of its own.
    let (mut customers, mut cohort_of) = (None, Vec::new());
    for (seed, (name, first_day, count, pace)) in (1..).zip(COHORTS) {
        let model = ParetoNbd::new(ParetoNbdParams { r: 0.55 * pace, alpha: 10.6, s: 0.61, beta: 11.7 })?;
        let arriving = AcquisitionCohort { first_day: first_day.parse()?, days: 28, customers: count };
        let log = Population::new(model, TimeUnit::Week, end).cohort(arriving).seed(seed).simulate()?.customers();
        cohort_of.extend(std::iter::repeat_n(name, log.len()));
        let all = customers.get_or_insert_with(|| Customers::new(TimeUnit::Week).observed_until(end));
        for row in 0..log.len() {
            let id = format!("{name}-{row}");
            all.push(Customer { id: &id, history: log.history(row), average_spend: 0.0, weight: 1.0, purchases: None })?;
        }
    }
    let customers = customers.expect("there are cohorts");

    let fits = Estimator::<ParetoNbd>::new().fit_groups(&customers, &cohort_of)?;
    println!("P(all cohorts are alike) = {:.3}", fits.p_all_alike());
    println!("\nPurchases of a new customer in the first year, by cohort:");
    println!("{:<8} {:>10} {:>16} {:>22}", "cohort", "customers", "from it alone", "with what others say");
    for (name, _, _, _) in COHORTS {
        let Some(group) = fits.group(name) else { continue };
        let yearly = |model: &ParetoNbd| model.expected_purchases(52.0);
        let alone = group.separate().map_or_else(|_| "cannot be told".to_owned(), |fit| format!("{:.2}", yearly(fit.model())));
        let together = yearly(group.partial().model());
        println!("{name:<8} {:>10.0} {alone:>16} {together:>22.2}", group.customers());
    }
    println!("{:<8} {:>10} {:>16} {:>22.2}", "all", customers.len(), "", fits.pooled().model().expected_purchases(52.0));

    println!("\nWinter has {} customers and a month: alone it says next to nothing, and leans on the cohorts before it.", COHORTS[3].2);
    Ok(())
}
