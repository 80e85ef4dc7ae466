//! How often the intervals of a forecast hold the truth, on customer bases whose future is known because they were simulated:
//!
//! ```text
//! cargo bench --features parallel --bench coverage -- [REPLICATIONS, default 1000]
//! ```
//!
//! In each replication 1,000 customers of three cohorts are drawn from a purchase model and a Gamma-Gamma model and observed for up to a year. Both
//! models are fitted to what was observed, intervals are made, and the purchases and the spend of the customers' own next weeks (not discounted) are
//! held against them. Three ways of knowing the parameters:
//!
//! - *known*: the parameters that the customers were drawn from. Whatever is not covered as often as it should be is an error of the intervals.
//! - *estimated*: [`Forecaster::from_fits`], chance and the uncertainty of the estimate together.
//! - *plug-in*: the estimate taken as exact ([`Forecaster::new`]): what happens when the uncertainty of the estimate is left out.
//!
//! Customers are looked at in two ways. The share whose interval holds the truth is above the level wherever nothing or one purchase is likely: an
//! interval from 0 to 1 may hold 97 %, and none holds 90 %. So the position of the truth in its predictive distribution is looked at too, chosen at
//! random within the step where the distribution has one (the randomised probability integral transform): it lies in the central 90 % in 90 % of
//! the cases exactly if the distribution is right, and neither a wide nor a narrow one can pass.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints a table, of models that are valid")]

use std::collections::BTreeMap;
use std::time::Instant;

use clv::{
    AcquisitionCohort, AnnualDiscount, BgNbd, ClvDefinition, Customers, Fit, FitStatus, Forecaster, GammaGamma, GammaGammaParams, Horizon,
    Interval, Level, MbgNbd, Nbd, ParetoNbd, Population, Scorer, Simulate, TimeUnit, random_stream,
};
use rand::{Rng, RngExt};
use rayon::prelude::*;

const REPLICATIONS: u64 = 1000;

/// First days of three cohorts who arrive over 84 days each, and their customers.
const COHORTS: [(&str, usize); 3] = [("2024-01-01", 400), ("2024-04-01", 300), ("2024-07-01", 300)];
const COHORT_DAYS: u32 = 84;
const END: &str = "2024-12-31";

/// The spend of the CDNOW customers.
const SPEND: GammaGammaParams = GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 };

/// Simulations behind the interval of a group that is simulated: few, so that the study takes minutes. With 99 the ends of 90 % and 50 % are the 5th
/// and the 25th from either side, and among 100 exchangeable totals the true one lies between them with probability 0.9 and 0.5 exactly, as with any
/// number.
const GROUP_SIMULATIONS: u32 = 99;

/// Customers per replication whose own distributions are looked at; they take far longer than their share of a group.
const CUSTOMERS_LOOKED_AT: usize = 10;

/// The groups of a base: by the number of repeat purchases, the last two of about the same size.
const GROUPS: [&str; 3] = ["none", "few", "many"];

/// A customer base to be drawn.
struct Base {
    name: &'static str,
    parameters: &'static [f64],
    horizon_weeks: u32,
}

const BG_NBD: [Base; 3] = [
    Base { name: "like CDNOW", parameters: &[0.243, 4.414, 0.793, 2.426], horizon_weeks: 39 },
    Base { name: "frequent buyers", parameters: &[2.0, 4.0, 0.5, 6.0], horizon_weeks: 52 },
    Base { name: "high dropout", parameters: &[0.6, 3.0, 2.5, 4.0], horizon_weeks: 52 },
];
const MBG_NBD: [Base; 3] = [
    Base { name: "like CDNOW", parameters: &[0.525, 6.183, 0.891, 1.614], horizon_weeks: 39 },
    Base { name: "frequent buyers", parameters: &[2.0, 4.0, 0.5, 6.0], horizon_weeks: 52 },
    Base { name: "high dropout", parameters: &[0.6, 3.0, 2.5, 4.0], horizon_weeks: 52 },
];
const PARETO_NBD: [Base; 3] = [
    Base { name: "like CDNOW", parameters: &[0.553, 10.578, 0.606, 11.669], horizon_weeks: 39 },
    Base { name: "frequent buyers", parameters: &[2.0, 4.0, 0.6, 20.0], horizon_weeks: 52 },
    Base { name: "high dropout", parameters: &[1.0, 5.0, 2.0, 20.0], horizon_weeks: 52 },
];
const NBD: [Base; 2] = [
    Base { name: "like CDNOW", parameters: &[0.385, 12.07], horizon_weeks: 39 },
    Base { name: "frequent buyers", parameters: &[2.0, 4.0], horizon_weeks: 52 },
];

/// How often something held.
#[derive(Clone, Copy, Default)]
struct Tally {
    held: u64,
    asked: u64,
}

impl Tally {
    fn text(self) -> String {
        if self.asked == 0 { "-".to_owned() } else { format!("{:.1}", 100.0 * self.held as f64 / self.asked as f64) }
    }
}

/// What was found, by (figure, purchases or value).
type Findings = BTreeMap<(String, &'static str), Tally>;

fn note(findings: &mut Findings, figure: &str, of: &'static str, held: bool) {
    let tally = findings.entry((figure.to_owned(), of)).or_default();
    tally.asked += 1;
    tally.held += u64::from(held);
}

fn add(mut sum: Findings, other: Findings) -> Findings {
    for (key, tally) in other {
        let total = sum.entry(key).or_default();
        total.held += tally.held;
        total.asked += tally.asked;
    }
    sum
}

/// What became of a customer: purchases and spend.
type Outcome = (u64, f64);

fn holds(interval: Interval, truth: f64) -> bool {
    interval.lower <= truth && truth <= interval.upper
}

/// Whether the totals of groups lie within their intervals.
fn compare_groups<M: Simulate<Alive: Simulate>>(
    findings: &mut Findings,
    forecaster: &Forecaster<M>,
    figure: impl Fn(usize) -> String,
    (customers, groups, outcomes): (&Customers, &[usize], &[Outcome]),
    share: f64,
    seed: u64,
) {
    let forecasts = forecaster.groups(customers, groups, Level::new(share).unwrap(), GROUP_SIMULATIONS, seed, None).unwrap();
    for (group, forecast) in forecasts.iter().enumerate().filter(|(_, forecast)| forecast.customers > 0.0) {
        let members = || outcomes.iter().zip(groups).filter(|&(_, &of)| of == group).map(|(outcome, _)| outcome);
        let purchases: u64 = members().map(|outcome| outcome.0).sum();
        let spend: f64 = members().map(|outcome| outcome.1).sum();
        note(findings, &figure(group), "purchases", holds(forecast.purchases, purchases as f64));
        note(findings, &figure(group), "value", holds(forecast.clv.unwrap(), spend));
    }
}

/// Whether the outcomes of some customers lie within their intervals, and where in their distributions.
fn compare_customers<M: Simulate>(
    findings: &mut Findings,
    forecaster: &Forecaster<M>,
    (customers, outcomes): (&Customers, &[Outcome]),
    rng: &mut impl Rng,
) {
    for _ in 0..CUSTOMERS_LOOKED_AT {
        let i = rng.random_range(0..customers.len());
        let (history, (count, spent)) = (customers.history(i), outcomes[i]);
        let purchases = forecaster.purchases(&history).unwrap();
        let value = forecaster.value(&history, &customers.spend(i)).unwrap();
        let within_step: f64 = rng.random();
        let before = if count == 0 { 0.0 } else { 1.0 - purchases.sf(count - 1) };
        let of_count = before + within_step * purchases.pmf(count);
        let of_value = if spent == 0.0 { within_step * value.cdf(0.0) } else { value.cdf(spent) };
        for share in [0.9, 0.5] {
            let (below, above) = (0.5 - 0.5 * share, 0.5 + 0.5 * share);
            let counts = purchases.quantile(below)..=purchases.quantile(above);
            note(findings, &format!("interval {share}"), "purchases", counts.contains(&count));
            note(findings, &format!("interval {share}"), "value", value.quantile(below) <= spent && spent <= value.quantile(above));
            note(findings, &format!("position {share}"), "purchases", below < of_count && of_count < above);
            note(findings, &format!("position {share}"), "value", below < of_value && of_value < above);
        }
    }
}

/// Customers by frequency: none, few (to the median of those with a repeat purchase), many.
fn groups_by_frequency(customers: &Customers) -> Vec<usize> {
    let mut repeat: Vec<u32> = customers.frequency().iter().copied().filter(|&x| x > 0).collect();
    repeat.sort_unstable();
    let median = repeat.get(repeat.len() / 2).copied().unwrap_or(1);
    customers.frequency().iter().map(|&x| if x == 0 { 0 } else { 1 + usize::from(x > median) }).collect()
}

fn replicate<M: Simulate<Alive: Simulate> + Fit>(model: M, horizon_weeks: u32, seed: u64) -> Findings {
    // What is simulated for the forecast has nothing to do with what was simulated as the truth.
    let of_forecast = !seed;
    let end = END.parse().unwrap();
    let spend_model = GammaGamma::new(SPEND).unwrap();
    let mut population = Population::new(model, TimeUnit::Week, end).spend(spend_model).seed(seed);
    for (first_day, customers) in COHORTS {
        population = population.cohort(AcquisitionCohort { first_day: first_day.parse().unwrap(), days: COHORT_DAYS, customers });
    }
    let simulation = population.simulate().unwrap();
    let customers = simulation.customers();
    let outcome = |customer: clv::SimulatedCustomer| {
        let next = customer.future(f64::from(horizon_weeks));
        next.fold((0, 0.0), |(count, spent), purchase| (count + 1, spent + purchase.amount))
    };
    let outcomes: Vec<Outcome> = simulation.iter().map(outcome).collect();

    let definition = ClvDefinition {
        horizon: Horizon::weeks(horizon_weeks).unwrap(),
        annual_discount: AnnualDiscount::new(0.0).unwrap(),
        ..ClvDefinition::default()
    };
    let terms = definition.resolve(TimeUnit::Week, Some(end)).unwrap();
    let (whole, by_frequency) = (vec![0; customers.len()], groups_by_frequency(&customers));
    let total = (&customers, whole.as_slice(), outcomes.as_slice());
    let parts = (&customers, by_frequency.as_slice(), outcomes.as_slice());

    let mut findings = Findings::new();
    let known = Forecaster::new(Scorer::new(model, Some(spend_model), terms));
    // Groups are what takes the time: some questions are asked in every second replication only.
    let even = seed.is_multiple_of(2);
    if even {
        compare_groups(&mut findings, &known, |_| "known".to_owned(), total, 0.9, of_forecast);
    } else {
        compare_groups(&mut findings, &known, |group| format!("known {}", GROUPS[group]), parts, 0.9, of_forecast);
    }

    let (Ok(purchases), Ok(spend)) = (M::fit(&customers), GammaGamma::fit(&customers)) else {
        note(&mut findings, "fitted", "", false);
        return findings;
    };
    note(&mut findings, "fitted", "", true);
    note(&mut findings, "at boundary", "", purchases.status() == FitStatus::AtBoundary);
    note(&mut findings, "flat", "", purchases.parameter_distribution().is_none());
    let estimated = Forecaster::from_fits(&purchases, Some(&spend), &definition, Some(end)).unwrap();
    let plug_in = Forecaster::new(*estimated.scorer());
    compare_groups(&mut findings, &estimated, |_| "estimated".to_owned(), total, 0.9, of_forecast);
    compare_groups(&mut findings, &plug_in, |_| "plug-in".to_owned(), total, 0.9, of_forecast);
    if even {
        compare_groups(&mut findings, &estimated, |_| "estimated half".to_owned(), total, 0.5, of_forecast);
    } else {
        compare_groups(&mut findings, &estimated, |group| format!("estimated {}", GROUPS[group]), parts, 0.9, of_forecast);
    }
    compare_customers(&mut findings, &estimated, (&customers, &outcomes), &mut random_stream(of_forecast, u64::MAX));
    findings
}

fn study<M: Simulate<Alive: Simulate> + Fit>(bases: &[Base], replications: u64, rows: &mut Vec<(String, Findings)>) {
    for base in bases {
        let model = M::from_parameters(base.parameters).unwrap();
        // Every base has seeds of its own.
        let first = (rows.len() as u64) << 32;
        let seeds = (first..first + replications).into_par_iter();
        let findings = seeds.map(|seed| replicate(model, base.horizon_weeks, seed)).reduce(Findings::new, add);
        eprintln!("{} {}", M::NAME, base.name);
        rows.push((format!("{}, {}, {} weeks", M::NAME, base.name, base.horizon_weeks), findings));
    }
}

/// A table of percentages: purchases and value of each figure in one cell.
fn print_table(rows: &[(String, Findings)], columns: &[(&str, &str)]) {
    println!("| base |{}", columns.iter().map(|(title, _)| format!(" {title} |")).collect::<String>());
    println!("|---|{}", "---|".repeat(columns.len()));
    for (name, findings) in rows {
        let of = |figure: &str, of| findings.get(&(figure.to_owned(), of)).copied().unwrap_or_default().text();
        let cell = |figure: &str| {
            if findings.contains_key(&(figure.to_owned(), "")) {
                of(figure, "")
            } else {
                format!("{} / {}", of(figure, "purchases"), of(figure, "value"))
            }
        };
        println!("| {name} |{}", columns.iter().map(|(_, figure)| format!(" {} |", cell(figure))).collect::<String>());
    }
}

fn main() {
    // cargo bench adds --bench; with --test it is only seen to run.
    let flags = |argument: &String| argument.starts_with("--");
    let otherwise = if std::env::args().any(|argument| argument == "--test") { 2 } else { REPLICATIONS };
    let given = std::env::args().skip(1).find(|argument| !flags(argument));
    let replications = given.map_or(otherwise, |text| text.parse().expect("the number of replications"));
    let (started, mut rows) = (Instant::now(), Vec::new());
    study::<BgNbd>(&BG_NBD, replications, &mut rows);
    study::<MbgNbd>(&MBG_NBD, replications, &mut rows);
    study::<ParetoNbd>(&PARETO_NBD, replications, &mut rows);
    study::<Nbd>(&NBD, replications, &mut rows);

    let all = rows.iter().map(|(_, findings)| findings.clone()).fold(Findings::new(), add);
    rows.push(("all".to_owned(), all));

    println!("Totals of 1,000 customers, % of {replications} replications that hold the true purchases / value\n");
    print_table(
        &rows,
        &[
            ("known, 90 %", "known"),
            ("plug-in, 90 %", "plug-in"),
            ("estimated, 90 %", "estimated"),
            ("estimated, 50 %", "estimated half"),
            ("fitted", "fitted"),
            ("at a boundary", "at boundary"),
            ("flat", "flat"),
        ],
    );
    println!("\nGroups by repeat purchases, 90 % intervals, purchases / value\n");
    let titles = ["known", "estimated"].map(|how| GROUPS.map(|group| (format!("{how}, {group}"), format!("{how} {group}"))));
    print_table(&rows, &titles.iter().flatten().map(|(title, figure)| (title.as_str(), figure.as_str())).collect::<Vec<_>>());
    println!("\nSingle customers, estimated parameters, purchases / value\n");
    print_table(
        &rows,
        &[
            ("in the 90 % interval", "interval 0.9"),
            ("in the 50 % interval", "interval 0.5"),
            ("position in the central 90 %", "position 0.9"),
            ("position in the central 50 %", "position 0.5"),
        ],
    );
    println!("\n{:.0} s on {} threads", started.elapsed().as_secs_f64(), rayon::current_num_threads());
}
