//! Intervals of groups hold the truth as often as they say: on bases whose future was simulated along with their past.
//!
//! A small version of `benches/coverage.rs`, whose figures are in docs/validation.md.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use clv::{
    AcquisitionCohort, AnnualDiscount, AnyPurchaseModel, BgNbd, Birth, ClvDefinition, Customer, Customers, Estimable, Estimator, Fit,
    Forecaster, GammaGamma, GammaGammaParams, GroupForecast, History, Interval, Level, ParetoNbd, Population, Scorer, Simulate, TimeUnit,
    random_stream,
};
use rand::RngExt;
use rayon::prelude::*;

const END: &str = "2024-12-31";

/// Of groups that are simulated: with 99 the ends of a 90 % interval are the 5th and the 95th, and the truth, the hundredth, lies between them 90
/// times of 100.
const SIMULATIONS: u32 = 99;

const BG_NBD: [f64; 4] = [0.243, 4.414, 0.793, 2.426];
const PARETO_NBD: [f64; 4] = [0.553, 10.578, 0.606, 11.669];

fn spend_model() -> GammaGamma {
    GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap()
}

fn definition() -> ClvDefinition {
    ClvDefinition { horizon: "39 weeks".parse().unwrap(), annual_discount: AnnualDiscount::new(0.10).unwrap(), ..ClvDefinition::default() }
}

/// What was observed of customers of three cohorts, and what each of them then bought: purchases and their discounted amounts.
fn draw<M: Simulate>(model: M, size: usize, seed: u64) -> (Customers, Vec<(f64, f64)>) {
    let mut population = Population::new(model, TimeUnit::Week, END.parse().unwrap()).spend(spend_model()).seed(seed);
    for (first_day, customers) in [("2024-01-01", size / 2), ("2024-04-01", size / 4), ("2024-07-01", size / 4)] {
        population = population.cohort(AcquisitionCohort { first_day: first_day.parse().unwrap(), days: 84, customers });
    }
    let simulation = population.simulate().unwrap();
    let terms = definition().resolve(TimeUnit::Week, Some(END.parse().unwrap())).unwrap();
    let future = |customer: clv::SimulatedCustomer| {
        let add = |(n, value), next: clv::FuturePurchase| (n + 1.0, value + (-terms.discount_rate() * next.time).exp() * next.amount);
        customer.future(terms.horizon()).fold((0.0, 0.0), add)
    };
    let futures = simulation.iter().map(future).collect();
    (simulation.customers(), futures)
}

/// Of each group whether its purchases and its value lie within their 90 % intervals.
fn held<M: Simulate<Alive: Simulate>>(
    forecaster: &Forecaster<M>,
    customers: &Customers,
    groups: &[usize],
    futures: &[(f64, f64)],
    seed: u64,
) -> Vec<(bool, bool)> {
    // Another seed than that of the truth.
    let forecasts = forecaster.groups(customers, groups, Level::default(), SIMULATIONS, !seed, None).unwrap();
    let within = |interval: Interval, truth: f64| interval.lower <= truth && truth <= interval.upper;
    let of_group = |(group, forecast): (usize, &GroupForecast)| {
        let members = || futures.iter().zip(groups).filter(|&(_, &of)| of == group).map(|(future, _)| future);
        let (purchases, value) = members().fold((0.0, 0.0), |sum, future| (sum.0 + future.0, sum.1 + future.1));
        (within(forecast.purchases, purchases), within(forecast.clv.unwrap(), value))
    };
    forecasts.iter().enumerate().map(of_group).collect()
}

/// The shares of purchases and of values that were held.
fn shares(held: &[(bool, bool)]) -> [(&'static str, f64); 2] {
    let share = |count: usize| count as f64 / held.len() as f64;
    [("purchases", share(held.iter().filter(|held| held.0).count())), ("value", share(held.iter().filter(|held| held.1).count()))]
}

#[test]
fn with_known_parameters_nine_of_ten_intervals_hold_the_truth() {
    let models = [("bg-nbd", BG_NBD.as_slice()), ("mbg-nbd", &[0.6, 3.0, 2.5, 4.0]), ("pareto-nbd", &PARETO_NBD), ("nbd", &[0.385, 12.07])];
    let held: Vec<Vec<(bool, bool)>> = (0..400_u64)
        .into_par_iter()
        .map(|seed| {
            let (name, parameters) = models[seed as usize % 4];
            let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
            let (customers, futures) = draw(model, 200, seed);
            let terms = definition().resolve(TimeUnit::Week, Some(END.parse().unwrap())).unwrap();
            let groups: Vec<usize> = customers.frequency().iter().map(|&x| usize::from(x > 0)).collect();
            held(&Forecaster::new(Scorer::new(model, Some(spend_model()), terms)), &customers, &groups, &futures, seed)
        })
        .collect();
    for (group, name) in ["without a repeat purchase", "with one"].iter().enumerate() {
        let of_group: Vec<(bool, bool)> = held.iter().map(|held| held[group]).collect();
        for (of, share) in shares(&of_group) {
            println!("customers {name}: {:.1} % of the intervals of {of}", 100.0 * share);
            // Four binomial standard errors; a count on the end of its interval is held, which adds up to 2 % to small groups.
            let error = 4.0 * (0.9 * 0.1 / of_group.len() as f64).sqrt();
            assert!(0.9 - error <= share && share <= 0.92 + error, "{name}, {of}: {share}");
        }
    }
}

/// The shares of replications in which the totals of all customers lie within intervals from fits.
fn estimated<M: Simulate<Alive: Simulate> + Fit>(parameters: &[f64], seeds: std::ops::Range<u64>) -> Vec<(bool, bool)> {
    let model = M::from_parameters(parameters).unwrap();
    let replicate = |seed| {
        let (customers, futures) = draw(model, 400, seed);
        let (purchases, spend) = (M::fit(&customers).unwrap(), GammaGamma::fit(&customers).unwrap());
        let forecaster = Forecaster::from_fits(&purchases, Some(&spend), &definition(), Some(END.parse().unwrap())).unwrap();
        held(&forecaster, &customers, &vec![0; customers.len()], &futures, seed)[0]
    };
    seeds.into_par_iter().map(replicate).collect()
}

#[test]
fn with_estimated_parameters_hardly_fewer_do() {
    let mut held = estimated::<BgNbd>(&BG_NBD, 1000..1200);
    held.extend(estimated::<ParetoNbd>(&PARETO_NBD, 2000..2100));
    for (of, share) in shares(&held) {
        println!("{:.1} % of the intervals of {of}", 100.0 * share);
        assert!((0.84..=0.96).contains(&share), "{of}: {share}");
    }
}

/// Ten cohorts whose logarithms differ by chance, the youngest of them seen for two weeks: the interval of what it buys in the half year after.
fn youngest(seed: u64) -> bool {
    let spread = [0.25, 0.15, 0.25, 0.15];
    let mut of_cohorts = random_stream(seed, u64::MAX);
    let (mut customers, mut names) = (Customers::new(TimeUnit::Week), Vec::new());
    let (mut last, mut truth) = (Customers::new(TimeUnit::Week), 0.0);
    for cohort in 0..10 {
        let parameters: Vec<f64> = (0..4)
            .map(|i| {
                // The sum of twelve uniform numbers is next to normal.
                let z = (0..12).map(|_| of_cohorts.random::<f64>()).sum::<f64>() - 6.0;
                [0.9, 6.0, 0.8, 14.0][i] * (spread[i] * z).exp()
            })
            .collect();
        let model = ParetoNbd::from_parameters(&parameters).unwrap();
        let age = if cohort == 9 { 2.0 } else { 80.0 - 6.0 * f64::from(cohort) };
        for i in 0..250 {
            let mut rng = random_stream(seed, u64::from(cohort as u32) * 1_000 + i);
            let times: Vec<f64> = model.draw_traits(&mut rng).purchase_times(age + 26.0, &mut rng).collect();
            let x = times.iter().take_while(|time| **time <= age).count();
            let history = History::new(x as u32, if x == 0 { 0.0 } else { times[x - 1] }, age).unwrap();
            let row = Customer { id: &format!("{cohort}-{i}"), history, average_spend: 0.0, weight: 1.0, purchases: None };
            customers.push(row).unwrap();
            names.push(cohort.to_string());
            if cohort == 9 {
                last.push(row).unwrap();
                truth += (times.len() - x) as f64;
            }
        }
    }
    let fits = Estimator::<ParetoNbd>::new().fit_groups(&customers, &names).unwrap();
    let definition = ClvDefinition { horizon: "26 weeks".parse().unwrap(), ..ClvDefinition::default() };
    let forecaster = Forecaster::from_fits(fits.group("9").unwrap().partial(), None, &definition, None).unwrap();
    let forecast = forecaster.groups(&last, &vec![0; last.len()], Level::default(), SIMULATIONS, !seed, None).unwrap();
    forecast[0].purchases.lower <= truth && truth <= forecast[0].purchases.upper
}

#[test]
fn intervals_of_the_youngest_cohort_are_honest() {
    let held: Vec<bool> = (0..100_u64).into_par_iter().map(|seed| youngest(5_000 + seed)).collect();
    let share = held.iter().filter(|held| **held).count() as f64 / held.len() as f64;
    println!("{:.0} % of the intervals of a cohort seen for two weeks hold", 100.0 * share);
    // The standard error of a share of 0.9 is 0.03; that the spread between cohorts is an estimate from nine of them takes a little off.
    assert!((0.81..=0.99).contains(&share), "{share}");
}

/// A log that starts after most were born: purchases and value of all in the year after it, with known parameters.
fn born_before(name: &str, parameters: &[f64], seed: u64) -> (bool, bool) {
    let log = 52.0;
    let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
    // Spend that varies less than CDNOW's, whose total is nearly normal in larger bases only.
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 12.0, gamma: 60.0 }).unwrap();
    let terms = definition().resolve(TimeUnit::Week, Some(END.parse().unwrap())).unwrap();
    let mut customers = Customers::new(TimeUnit::Week).observed_until(END.parse().unwrap());
    let (mut purchases, mut value) = (0.0, 0.0);
    for i in 0..1_500_u64 {
        let mut rng = random_stream(seed, i);
        let born = log - 3.0 * log * rng.random::<f64>();
        let times: Vec<f64> =
            model.draw_traits(&mut rng).purchase_times(log - born + terms.horizon(), &mut rng).map(|time| born + time).collect();
        let spender = spend.draw_spender(&mut rng);
        let seen: Vec<f64> = times.iter().copied().filter(|time| *time > born.max(0.0) && *time <= log).collect();
        let mean = if seen.is_empty() { 0.0 } else { spender.draw_total_amount(seen.len() as u64, &mut rng) / seen.len() as f64 };
        for time in times.iter().filter(|time| **time > log) {
            purchases += 1.0;
            value += (-terms.discount_rate() * (time - log)).exp() * spender.draw_total_amount(1, &mut rng);
        }
        let last = seen.last().map_or(0.0, |last| last - born);
        let history = History::new(seen.len() as u32, last, log - born).unwrap();
        let row = Customer { id: &i.to_string(), history, average_spend: mean, weight: 1.0, purchases: None };
        customers.push_born(row, if born < 0.0 { Birth::Before(-born) } else { Birth::InLog }).unwrap();
    }
    let forecaster = Forecaster::new(Scorer::new(model, Some(spend), terms));
    let total = forecaster.total_by_birth(&customers, Level::default(), !seed).unwrap().unwrap();
    assert_eq!(total.customers, 1_500.0);
    let within = |interval: Interval, truth: f64| interval.lower <= truth && truth <= interval.upper;
    (within(total.purchases, purchases), within(total.clv.unwrap(), value))
}

#[test]
fn nine_of_ten_totals_of_customers_born_before_the_log_are_held() {
    let models = [("pareto-nbd", [0.9, 6.0, 0.8, 14.0]), ("bg-nbd", [0.9, 6.0, 0.9, 3.4]), ("mbg-nbd", [0.9, 5.0, 0.9, 3.4])];
    let held: Vec<(bool, bool)> = (0..180_u64)
        .into_par_iter()
        .map(|seed| {
            let (name, parameters) = &models[seed as usize % 3];
            born_before(name, parameters, 7_000 + seed)
        })
        .collect();
    for (of, share) in shares(&held) {
        println!("{:.1} % of the intervals of {of}, some born before the log", 100.0 * share);
        // Four binomial standard errors.
        let error = 4.0 * (0.9 * 0.1 / held.len() as f64).sqrt();
        assert!((share - 0.9).abs() <= error, "{of}: {share}");
    }
}
