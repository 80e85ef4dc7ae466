//! Cohorts of a log fitted together, apart and in between, and what each of the three fits forecast out of sample.
//!
//! ```text
//! cargo bench --features csv --bench pooling -- [LOG CUT END, default the CDNOW sample from 1997-09-30 to 1998-06-30]
//! ```
//!
//! The log, the cut, the end of the holdout. For cohorts by week and by month of the first purchase it prints the log score of the holdout's purchases per customer, of all and of the youngest third of the
//! cohorts: lower is better. The differences from the pooled fit are paired, customer by customer, with their 95 % intervals.

use clv::{
    BgNbd, Customers, Date, Estimable, Estimator, GroupFits, MbgNbd, Observation, ParetoNbd, PurchaseModel, PurchaseSample, TransactionLog,
};

fn main() -> clv::Result<()> {
    // cargo bench adds --bench, and --test where it is only to be seen to run.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [path, cut, end] = match given[..] {
        [] => ["examples/data/cdnow_sample.csv", "1997-09-30", "1998-06-30"],
        [path, cut, end] => [path, cut, end],
        _ => {
            eprintln!("usage: pooling LOG CUT END");
            std::process::exit(2);
        }
    };
    let (cut, end): (Date, Date) = (cut.parse()?, end.parse()?);
    let log = TransactionLog::from_csv(path)?;
    let customers = log.summarize(&Observation::until(cut).in_weeks())?;
    let later = log.summarize(&Observation::until(end).in_weeks())?;
    // All purchases until the end less those until the cut.
    let bought: Vec<u64> = (0..customers.len())
        .map(|row| later.find(customers.id(row)).map_or(0, |other| u64::from(later.frequency()[other] - customers.frequency()[row])))
        .collect();
    let weeks = f64::from(end.days_since(cut)) / 7.0;
    println!("| model | cohorts | p, all alike | fit | all | youngest | all - pooled | youngest - pooled |");
    println!("|---|---|---|---|---|---|---|---|");
    for by in ["week", "month"] {
        let names: Vec<String> = customers.purchases().iter().map(|record| name(record.first.date(), by)).collect();
        compare::<ParetoNbd>(&customers, &names, by, &bought, weeks)?;
        compare::<BgNbd>(&customers, &names, by, &bought, weeks)?;
        compare::<MbgNbd>(&customers, &names, by, &bought, weeks)?;
    }
    Ok(())
}

fn name(day: Date, by: &str) -> String {
    let number = day.days_since_1970();
    match by {
        "month" => day.to_string().rsplit_once('-').map_or_else(String::new, |(month, _)| month.to_owned()),
        _ => format!("{:06}", (number + 3).div_euclid(7)),
    }
}

fn compare<M: PurchaseModel + Estimable<Sample = PurchaseSample>>(
    customers: &Customers,
    names: &[String],
    by: &str,
    bought: &[u64],
    weeks: f64,
) -> clv::Result<()> {
    let fits: GroupFits<M> = Estimator::<M>::new().fit_groups(customers, names)?;
    let cohorts = fits.groups().len();
    let youngest = fits.groups()[cohorts - cohorts.div_ceil(3)].name();
    let score = |model: &M, row: usize| -model.conditional_purchase_pmf(&customers.history(row), bought[row], weeks).ln();
    let of = |kind: &str, row: usize| {
        let Some(group) = fits.group(&names[row]) else { return 0.0 };
        match (kind, group.separate()) {
            ("pooled", _) => score(fits.pooled().model(), row),
            ("separate", Ok(fitted)) => score(fitted.model(), row),
            _ => score(group.partial().model(), row),
        }
    };
    for kind in ["pooled", "separate", "partial"] {
        let mean = |rows: &[usize], of: &dyn Fn(usize) -> f64| {
            let n = rows.len() as f64;
            let mean = rows.iter().map(|&row| of(row)).sum::<f64>() / n;
            let variance = rows.iter().map(|&row| (of(row) - mean) * (of(row) - mean)).sum::<f64>() / (n - 1.0);
            (mean, 1.96 * (variance / n).sqrt())
        };
        let all: Vec<usize> = (0..customers.len()).collect();
        let young: Vec<usize> = all.iter().copied().filter(|&row| names[row].as_str() >= youngest).collect();
        let difference = |rows: &[usize]| {
            let (mean, reach) = mean(rows, &|row| of(kind, row) - of("pooled", row));
            if kind == "pooled" { "-".to_owned() } else { format!("{mean:+.4} +- {reach:.4}") }
        };
        println!(
            "| {} | {cohorts} by {by} | {:.3} | {kind} | {:.4} | {:.4} | {} | {} |",
            M::NAME,
            fits.p_all_alike(),
            mean(&all, &|row| of(kind, row)).0,
            mean(&young, &|row| of(kind, row)).0,
            difference(&all),
            difference(&young)
        );
    }
    Ok(())
}
