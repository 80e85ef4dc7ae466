//! Do fits recover the parameters that the customers were drawn with, and do their intervals hold them as often as they say?
//!
//! ```text
//! cargo bench --features parallel --bench recovery -- [REPLICATIONS, default 1000] [MODELS, default all]
//! ```
//!
//! For each model five sets of parameters, for each set three sizes, for each size many samples, every one of which is fitted. Purchases are observed for 52 to
//! 78 weeks, spends are the means of repeat buyers. Seeds are fixed: the same numbers on every machine with the same libraries.
//! Prints Markdown: one table for each model, and a short one over all.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a program that prints a study of correct models")]

use std::cmp::Ordering;
use std::time::Instant;

use clv::{
    BgNbd, Customer, Customers, ErrorKind, Estimable, Fit, FitStatus, GammaGamma, History, Level, MbgNbd, Nbd, NbdParams, ParetoNbd,
    Simulate, TimeUnit, random_stream,
};
use rand::{Rng, RngExt};
use rayon::prelude::*;

/// The sizes of the samples, in customers.
const SIZES: [usize; 3] = [500, 2_000, 10_000];

/// A set of parameters, with what it is like.
pub type Set = (&'static str, &'static [f64]);

/// Five ways in which customers buy and leave, in weeks.
pub const BG_NBD: [Set; 5] = [
    ("like CDNOW", &[0.243, 4.414, 0.793, 2.426]),
    ("frequent", &[2.0, 4.0, 0.6, 9.0]),
    ("mostly one-time", &[0.15, 12.0, 0.8, 2.0]),
    ("high dropout", &[0.6, 8.0, 1.5, 1.5]),
    ("low dropout", &[0.8, 10.0, 0.3, 6.0]),
];

/// The same for dropout after any purchase.
pub const MBG_NBD: [Set; 5] = [
    ("like CDNOW", &[0.525, 6.183, 0.891, 1.614]),
    ("frequent", &[2.0, 4.0, 0.6, 9.0]),
    ("mostly one-time", &[0.3, 12.0, 0.8, 1.5]),
    ("high dropout", &[0.8, 8.0, 1.5, 1.5]),
    ("low dropout", &[0.8, 10.0, 0.3, 6.0]),
];

/// The same for dropout at any time.
pub const PARETO_NBD: [Set; 5] = [
    ("like CDNOW", &[0.553, 10.578, 0.606, 11.669]),
    ("frequent", &[2.0, 4.0, 0.8, 40.0]),
    ("mostly one-time", &[0.3, 15.0, 0.5, 10.0]),
    ("high dropout", &[0.8, 8.0, 1.2, 8.0]),
    ("low dropout", &[0.8, 10.0, 0.4, 60.0]),
];

/// Without dropout: what differs is how often, and how alike customers are.
pub const NBD: [Set; 5] = [
    ("like CDNOW", &[0.385, 12.07]),
    ("frequent", &[2.0, 4.0]),
    ("mostly one-time", &[0.15, 12.0]),
    ("rare", &[1.0, 60.0]),
    ("alike", &[5.0, 40.0]),
];

/// Spends.
pub const GAMMA_GAMMA: [Set; 5] = [
    ("like CDNOW", &[6.25, 3.74, 15.44]),
    ("customers alike", &[4.0, 10.0, 90.0]),
    ("heavy tail", &[1.5, 2.2, 30.0]),
    ("steady spenders", &[20.0, 4.0, 5.0]),
    ("fickle spenders", &[0.8, 5.0, 100.0]),
];

/// A drawn base of customers.
fn base(rows: impl Iterator<Item = (History, f64)>) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for (i, (history, average_spend)) in rows.enumerate() {
        customers.push(Customer { id: &i.to_string(), history, average_spend, weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

/// Customers who made their first purchase 52 to 78 weeks ago.
pub fn draw_purchases<M: Simulate>(model: &M, customers: usize, rng: &mut impl Rng) -> Customers {
    base((0..customers).map(|_| {
        let age = rng.random_range(52.0..78.0);
        let traits = model.draw_traits(rng);
        let (x, t_x) = traits.purchase_times(age, &mut *rng).fold((0, 0.0), |(x, _), time| (x + 1, time));
        (History::new(x, t_x, age).unwrap(), 0.0)
    }))
}

/// Repeat buyers with the mean of 1, 2, ... purchases each: 3.6 on average, half of them 1 or 2.
pub fn draw_spends(model: &GammaGamma, customers: usize, rng: &mut impl Rng) -> Customers {
    let further = Nbd::new(NbdParams { r: 0.6, alpha: 15.0 }).unwrap();
    base((0..customers).map(|_| {
        let purchases = 1 + further.draw_traits(rng).draw_purchase_count(65.0, rng) as u32;
        let mean = model.draw_spender(rng).draw_mean_amount(purchases, rng);
        (History::new(purchases, 50.0, 65.0).unwrap(), mean)
    }))
}

/// What one sample said.
struct Outcome {
    estimates: Vec<f64>,
    /// How the interval of each parameter lies to the truth, for those that have one: below, above or around it.
    intervals: Vec<Option<Ordering>>,
    at_boundary: bool,
}

/// What many samples of one size said of one set.
#[derive(Debug)]
pub struct Recovery {
    /// What the set is like, and its parameters.
    pub set: Set,
    /// The size of the samples.
    pub customers: usize,
    /// The share of samples whose fit ended at a boundary.
    pub at_boundary: f64,
    /// Samples that could not be fitted.
    pub failed: usize,
    /// One for each parameter.
    pub parameters: Vec<Parameter>,
}

impl Recovery {
    /// The largest share of samples in which a parameter has no interval.
    pub fn without(&self) -> f64 {
        self.parameters.iter().map(|parameter| parameter.without).fold(0.0, f64::max)
    }
}

/// How one parameter was recovered.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The median of the estimates / the truth - 1.
    pub bias: f64,
    /// The share of the intervals that hold the truth.
    pub coverage: f64,
    /// The share of those that lie above it.
    pub above: f64,
    /// The share of those that lie below it.
    pub below: f64,
    /// The share of samples without an interval.
    pub without: f64,
}

/// Draws and fits `replications` samples; sample i has random stream i of the seed.
pub fn recover<M: Fit>(
    set: Set,
    customers: usize,
    replications: u64,
    seed: u64,
    draw: impl Fn(&M, usize, &mut rand_chacha::ChaCha8Rng) -> Customers + Sync,
) -> Recovery {
    let model = M::from_parameters(set.1).unwrap();
    let outcome = |replication| {
        let sample = draw(&model, customers, &mut random_stream(seed, replication));
        let fitted = match M::fit(&sample) {
            Ok(fitted) => fitted,
            Err(error) if error.kind() == ErrorKind::Fit => {
                eprintln!("{} {:?}, {customers} customers, sample {replication}: {error}", M::NAME, set.0);
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let place = |(i, &truth): (usize, &f64)| {
            let (lower, upper) = fitted.interval(i, Level::default())?;
            Some(if lower > truth {
                Ordering::Greater
            } else if upper < truth {
                Ordering::Less
            } else {
                Ordering::Equal
            })
        };
        Some(Outcome {
            estimates: fitted.model().parameters().to_vec(),
            intervals: set.1.iter().enumerate().map(place).collect(),
            at_boundary: fitted.status() == FitStatus::AtBoundary,
        })
    };
    let outcomes: Vec<Option<Outcome>> = (0..replications).into_par_iter().map(outcome).collect();
    let fits: Vec<&Outcome> = outcomes.iter().flatten().collect();
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let parameter = |(i, information): (usize, &clv::ParameterInfo)| {
        let mut estimates: Vec<f64> = fits.iter().map(|fit| fit.estimates[i]).collect();
        estimates.sort_by(f64::total_cmp);
        let median = 0.5 * (estimates[(estimates.len() - 1) / 2] + estimates[estimates.len() / 2]);
        let with: Vec<Ordering> = fits.iter().filter_map(|fit| fit.intervals[i]).collect();
        let of = |place| share(with.iter().filter(|&&other| other == place).count(), with.len());
        Parameter {
            name: information.name,
            bias: median / set.1[i] - 1.0,
            coverage: of(Ordering::Equal),
            above: of(Ordering::Greater),
            below: of(Ordering::Less),
            without: 1.0 - share(with.len(), fits.len()),
        }
    };
    Recovery {
        set,
        customers,
        at_boundary: share(fits.iter().filter(|fit| fit.at_boundary).count(), fits.len()),
        failed: outcomes.len() - fits.len(),
        parameters: M::PARAMETERS.iter().enumerate().map(parameter).collect(),
    }
}

/// A row of a model's table.
fn print_row(recovery: &Recovery) {
    let list = |of: &dyn Fn(&Parameter) -> String| recovery.parameters.iter().map(of).collect::<Vec<_>>().join(" ");
    println!(
        "| {} | {} | {} | {} | {} | {:.1} % | {:.1} % | {} |",
        recovery.set.0,
        recovery.customers,
        list(&|parameter| format!("{:+.1}", 100.0 * parameter.bias)),
        list(&|parameter| format!("{:.1}", 100.0 * parameter.coverage)),
        list(&|parameter| format!("{:.1}/{:.1}", 100.0 * parameter.above, 100.0 * parameter.below)),
        100.0 * recovery.at_boundary,
        100.0 * recovery.without(),
        recovery.failed
    );
}

/// A row of the table over all: all sets of one model and size.
fn summary(name: &str, customers: usize, rows: &[&Recovery]) -> String {
    let parameters = || rows.iter().flat_map(|row| &row.parameters);
    let coverages = || parameters().map(|parameter| 100.0 * parameter.coverage);
    let (low, high) = (coverages().fold(f64::INFINITY, f64::min), coverages().fold(0.0, f64::max));
    let (set, worst) = rows
        .iter()
        .flat_map(|row| row.parameters.iter().map(|parameter| (row.set.0, parameter)))
        .max_by(|one, other| one.1.bias.abs().total_cmp(&other.1.bias.abs()))
        .unwrap();
    let at_boundary = rows.iter().map(|row| 100.0 * row.at_boundary).fold(0.0, f64::max);
    let without = rows.iter().map(|row| 100.0 * row.without()).fold(0.0, f64::max);
    let failed: usize = rows.iter().map(|row| row.failed).sum();
    format!(
        "| {name} | {customers} | {low:.1} to {high:.1} % | {:+.1} % ({} of \"{set}\") | {at_boundary:.1} % | {without:.1} % | {failed} |",
        100.0 * worst.bias,
        worst.name
    )
}

/// All sets and sizes of a model; returns the rows of the table over all.
fn study<M: Fit>(
    sets: [Set; 5],
    replications: u64,
    seed: u64,
    draw: impl Fn(&M, usize, &mut rand_chacha::ChaCha8Rng) -> Customers + Sync,
) -> Vec<String> {
    let names: Vec<&str> = M::PARAMETERS.iter().map(|parameter| parameter.name).collect();
    println!("\n## {} ({})\n", M::NAME, names.join(", "));
    println!(
        "| set | customers | median bias, % | coverage, % | interval above/below the truth, % | at a boundary | without an interval | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut recoveries = Vec::new();
    for (i, set) in (0..).zip(sets) {
        for (k, customers) in (0..).zip(SIZES) {
            let started = Instant::now();
            let recovery = recover::<M>(set, customers, replications, seed + 10 * i + k, &draw);
            print_row(&recovery);
            eprintln!("{} {:?}, {customers} customers: {:.1} s", M::NAME, set.0, started.elapsed().as_secs_f64());
            recoveries.push(recovery);
        }
    }
    let of_size = |&customers: &usize| {
        let rows: Vec<&Recovery> = recoveries.iter().filter(|row| row.customers == customers).collect();
        summary(M::NAME, customers, &rows)
    };
    SIZES.iter().map(of_size).collect()
}

fn main() {
    // cargo bench adds --bench; with --test it is only seen to run.
    let otherwise = if std::env::args().any(|argument| argument == "--test") { 2 } else { 1000 };
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let replications: u64 = arguments.next().map_or(otherwise, |text| text.parse().expect("the number of replications, such as 1000"));
    let models: Vec<String> = arguments.collect();
    let wanted = |name: &str| models.is_empty() || models.iter().any(|model| model == name);
    let started = Instant::now();
    let mut rows = Vec::new();
    if wanted(BgNbd::NAME) {
        rows.extend(study::<BgNbd>(BG_NBD, replications, 1_000, draw_purchases));
    }
    if wanted(MbgNbd::NAME) {
        rows.extend(study::<MbgNbd>(MBG_NBD, replications, 2_000, draw_purchases));
    }
    if wanted(Nbd::NAME) {
        rows.extend(study::<Nbd>(NBD, replications, 4_000, draw_purchases));
    }
    if wanted(GammaGamma::NAME) {
        rows.extend(study::<GammaGamma>(GAMMA_GAMMA, replications, 5_000, draw_spends));
    }
    if wanted(ParetoNbd::NAME) {
        rows.extend(study::<ParetoNbd>(PARETO_NBD, replications, 3_000, draw_purchases));
    }
    println!("\n## All, {replications} replications, {:.0} minutes\n", started.elapsed().as_secs_f64() / 60.0);
    println!(
        "| model | customers | coverage of 90 % intervals, least to most | largest median bias | at a boundary, at most | without an interval, at most | failed |"
    );
    println!("|---|---|---|---|---|---|---|");
    for row in rows {
        println!("{row}");
    }
}
