//! Wherever a fit starts, it ends at the same optimum, or says that it did not.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use clv::{
    AcquisitionCohort, BgNbd, BgNbdParams, Customer, Customers, Estimator, Fit, FitStatus, Fitted, GammaGamma, GammaGammaParams, History,
    MbgNbd, MbgNbdParams, Nbd, ParameterKind, ParetoNbd, ParetoNbdParams, Population, Sample, Simulate, TimeUnit, random_stream,
};
use rand::RngExt;
use rayon::prelude::*;

/// Random starts for each model and customer base.
const STARTS: u64 = 500;

/// Two fits to one optimum agree within this in ln L.
const SAME: f64 = 1e-6;

fn cdnow() -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for line in include_str!("data/cdnow_sample_summary_published.csv").lines().skip(1) {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let history = History::new(fields[1] as u32, fields[2], fields[3]).unwrap();
        customers.push(Customer { id: &fields[0].to_string(), history, average_spend: fields[4], weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

fn simulated<M: Simulate>(model: M, seed: u64) -> Customers {
    let spend = GammaGamma::new(GammaGammaParams { p: 3.0, q: 4.0, gamma: 25.0 }).unwrap();
    let simulation = Population::new(model, TimeUnit::Week, "2025-12-28".parse().unwrap())
        .spend(spend)
        .cohort(AcquisitionCohort { first_day: "2025-01-01".parse().unwrap(), days: 182, customers: 1000 })
        .seed(seed)
        .simulate()
        .unwrap();
    simulation.customers()
}

/// CDNOW and one cohort of each story: frequent buyers who stay, rare ones who leave, dropout from the first purchase on.
fn bases() -> Vec<(&'static str, Customers)> {
    let pareto = ParetoNbd::new(ParetoNbdParams { r: 1.5, alpha: 4.0, s: 0.8, beta: 20.0 }).unwrap();
    let bg = BgNbd::new(BgNbdParams { r: 0.4, alpha: 6.0, a: 0.6, b: 1.8 }).unwrap();
    let mbg = MbgNbd::new(MbgNbdParams { r: 0.8, alpha: 8.0, a: 1.2, b: 4.0 }).unwrap();
    vec![("CDNOW", cdnow()), ("Pareto", simulated(pareto, 1)), ("BG", simulated(bg, 2)), ("MBG", simulated(mbg, 3))]
}

/// A factor of 100 either side of 1 for shapes, of the sample's scale for scales.
fn assert_all_starts_agree<M: Fit>() {
    for (base, customers) in bases() {
        let scale = M::Sample::new(&customers).unwrap().scale();
        let fits: Vec<Fitted<M>> = (0..STARTS)
            .into_par_iter()
            .map(|stream| {
                let mut random = random_stream(11, stream);
                let mut parameter = |kind| {
                    let centre = if kind == ParameterKind::Shape { 1.0 } else { scale };
                    centre * 10_f64.powf(random.random_range(-2.0..2.0))
                };
                let start: Vec<f64> = M::PARAMETERS.iter().map(|information| parameter(information.kind)).collect();
                Estimator::new().start(M::from_parameters(&start).unwrap()).fit(&customers).unwrap()
            })
            .collect();
        let best = fits.iter().map(Fitted::log_likelihood).fold(f64::NEG_INFINITY, f64::max);
        for fitted in &fits {
            // A bound counts as an answer only where it is the best one.
            let short = best - fitted.log_likelihood();
            assert!(short < SAME, "{} on {base} ends {short} short, {:?}: {:?}", M::NAME, fitted.status(), fitted.model());
        }
        let at_boundary = fits.iter().filter(|fitted| fitted.status() == FitStatus::AtBoundary).count();
        let evaluations = fits.iter().map(Fitted::evaluations).max().unwrap();
        println!("{} on {base}: ln L {best:.6}, {at_boundary} at a boundary, at most {evaluations} passes over the data", M::NAME);
        assert!(evaluations <= 80);
    }
}

#[test]
fn bg_nbd() {
    assert_all_starts_agree::<BgNbd>();
}

#[test]
fn mbg_nbd() {
    assert_all_starts_agree::<MbgNbd>();
}

#[test]
fn pareto_nbd() {
    assert_all_starts_agree::<ParetoNbd>();
}

#[test]
fn nbd() {
    assert_all_starts_agree::<Nbd>();
}

#[test]
fn gamma_gamma() {
    assert_all_starts_agree::<GammaGamma>();
}
