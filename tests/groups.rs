//! Fits to groups of customers: pooled, separate and in between, on simulated groups whose truth is known.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    Customer, Customers, ErrorKind, Estimable, Estimator, Fit, History, Nbd, NoticeKind, ParetoNbd, PurchaseModel, Simulate, TimeUnit,
    random_stream,
};

/// Customers of groups: the model of each, how many they are, and how long they have been observed.
struct Groups {
    customers: Customers,
    names: Vec<String>,
    /// Purchases in the 26 weeks after the observation.
    future: Vec<u64>,
}

fn draw<M: Simulate>(groups: &[(M, usize, f64)], seed: u64) -> Groups {
    let mut drawn = Groups { customers: Customers::new(TimeUnit::Week), names: Vec::new(), future: Vec::new() };
    for (c, (model, size, age)) in groups.iter().enumerate() {
        for _ in 0..*size {
            let i = drawn.names.len();
            let mut rng = random_stream(seed, i as u64);
            let times: Vec<f64> = model.draw_traits(&mut rng).purchase_times(age + 26.0, &mut rng).collect();
            let x = times.iter().take_while(|time| *time <= age).count();
            let history = History::new(x as u32, if x == 0 { 0.0 } else { times[x - 1] }, *age).unwrap();
            let row = Customer { id: &i.to_string(), history, average_spend: 0.0, weight: 1.0, purchases: None };
            drawn.customers.push(row).unwrap();
            drawn.names.push(format!("{c:02}"));
            drawn.future.push((times.len() - x) as u64);
        }
    }
    drawn
}

fn pareto(r: f64, alpha: f64, s: f64, beta: f64) -> ParetoNbd {
    ParetoNbd::from_parameters(&[r, alpha, s, beta]).unwrap()
}

#[test]
fn partial_pooling_is_best_for_the_youngest_of_cohorts_that_worsen() {
    // Ten quarterly cohorts; each buys 6 % less often and drops out 12 % sooner than the one before. The youngest have weeks of history.
    let cohorts: Vec<(ParetoNbd, usize, f64)> = (0..10)
        .map(|c| {
            let quarters = f64::from(c);
            (pareto(0.9, 6.0 * 1.06_f64.powf(quarters), 0.8, 14.0 / 1.12_f64.powf(quarters)), 400, 121.0 - 13.0 * quarters)
        })
        .collect();
    // For each of the customers of the three youngest cohorts, what the three fits say of the purchases that came.
    let (mut against_pooled, mut against_separate) = (Vec::new(), Vec::new());
    for seed in 0..6 {
        let drawn = draw(&cohorts, 300 + seed);
        let fits = Estimator::<ParetoNbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
        assert!(fits.p_all_alike() < 0.01, "{}", fits.p_all_alike());
        for i in 0..drawn.names.len() {
            let name = drawn.names[i].as_str();
            if name < "07" {
                continue;
            }
            let group = fits.group(name).unwrap();
            let score = |model: &ParetoNbd| -model.conditional_purchase_pmf(&drawn.customers.history(i), drawn.future[i], 26.0).ln();
            let partial = score(group.partial().model());
            against_pooled.push(score(fits.pooled().model()) - partial);
            against_separate.push(score(group.separate().unwrap().model()) - partial);
        }
    }
    for (name, gains) in [("pooled", against_pooled), ("separate", against_separate)] {
        let n = gains.len() as f64;
        let mean = gains.iter().sum::<f64>() / n;
        let error = (gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>() / (n - 1.0) / n).sqrt();
        println!("log score better than {name} by {mean:.4} +- {error:.4} per customer");
        // The 95 % interval of the paired difference excludes 0.
        assert!(mean > 1.96 * error, "{name}: {mean} +- {error}");
    }
}

#[test]
fn large_groups_that_are_quite_unlike_are_found() {
    // Dropout three times as fast in the later groups, so many customers that the pooled fit is far from all of them, and the last are seen for weeks only.
    let groups: Vec<(ParetoNbd, usize, f64)> =
        (0..12_u32).map(|c| (pareto(1.5, 6.0, 1.0, if c < 5 { 45.0 } else { 15.0 }), 1_000, 51.0 - 4.3 * f64::from(c))).collect();
    let drawn = draw(&groups, 900);
    let fits = Estimator::<ParetoNbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
    println!("{} rounds, sd {:?}", fits.rounds(), (0..4).map(|i| fits.sd_between(i).unwrap()).collect::<Vec<_>>());
    assert!(fits.p_all_alike() < 1e-6);
    for (c, group) in fits.groups().iter().enumerate() {
        // What is gone after 13 weeks, by the truth and by the fit.
        let (truth, found) = (1.0 - groups[c].0.p_alive_at(13.0), 1.0 - group.partial().model().p_alive_at(13.0));
        println!("{c}: {found:.3} for {truth:.3}");
        assert!((found - truth).abs() < 0.1, "{c}: {found} for {truth}");
    }
}

/// A separate fit to one of eight groups that are alike lies a standard error of its own from the pooled one, in every parameter. Partial pooling leaves a
/// small part of that, and the forecasts are as good as the pooled ones.
#[test]
fn groups_that_are_alike_are_pooled() {
    let model = pareto(0.9, 6.0, 0.8, 14.0);
    let (mut earned, mut distances, mut gains) = (0, Vec::new(), Vec::new());
    for seed in 0..8 {
        let drawn = draw(&vec![(model, 300, 60.0); 8], 400 + seed);
        let fits = Estimator::<ParetoNbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
        assert!(fits.ln_marginal_likelihood() >= fits.pooled().log_likelihood() - 1e-6);
        earned += u32::from(fits.p_all_alike() < 0.05);
        let pooled = fits.pooled().model();
        for group in fits.groups() {
            for i in 0..4 {
                let apart = (group.partial().model().parameters()[i] / pooled.parameters()[i]).ln();
                let error = fits.pooled().standard_error(i).unwrap() / pooled.parameters()[i] * 8.0_f64.sqrt();
                distances.push(apart / error);
            }
        }
        for i in 0..drawn.names.len() {
            let group = fits.group(&drawn.names[i]).unwrap();
            let score = |model: &ParetoNbd| -model.conditional_purchase_pmf(&drawn.customers.history(i), drawn.future[i], 26.0).ln();
            gains.push(score(pooled) - score(group.partial().model()));
        }
        println!("{seed}: p {:.3}, sd {:?}", fits.p_all_alike(), (0..4).map(|i| fits.sd_between(i).unwrap()).collect::<Vec<_>>());
    }
    // At most two of eight by chance: more have a probability of 0.6 %.
    assert!(earned <= 2, "{earned} of 8");
    let distance = (distances.iter().map(|distance| distance * distance).sum::<f64>() / distances.len() as f64).sqrt();
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let error = (gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>() / (n - 1.0) / n).sqrt();
    println!("{distance:.3} of a standard error from the pooled fit; log score better by {mean:.5} +- {error:.5} per customer");
    assert!(distance < 0.3, "{distance} of a standard error");
    assert!(mean.abs() < 1.96 * error, "the log score differs by {mean} +- {error}");
}

#[test]
fn the_spread_between_groups_is_found() {
    // ln r is spread by 0.3, alpha the same for all.
    let groups: Vec<(Nbd, usize, f64)> = (0..40)
        .map(|c| {
            let z = [-1.3, -0.4, 0.2, 0.6, 1.6][c % 5] * [1.0, -1.0][c / 5 % 2];
            (Nbd::from_parameters(&[0.8 * (0.3_f64 * z).exp(), 8.0]).unwrap(), 400, 52.0)
        })
        .collect();
    let drawn = draw(&groups, 500);
    let fits = Estimator::<Nbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
    let sd = fits.sd_between(0).unwrap();
    println!("sd {sd:.3} and {:.3}, p {:.1e}, {} rounds", fits.sd_between(1).unwrap(), fits.p_all_alike(), fits.rounds());
    // The standard error of a standard deviation from 40 groups, each known to 0.08, is 12 %.
    assert!((sd / 0.3 - 1.0).abs() < 0.4 && fits.p_all_alike() < 1e-6);
    // A new group may be any of these: the spread of ln r is that between groups, and a little more.
    let points = fits.new_group().points();
    let largest = points.iter().map(|point| point[0]).fold(0.0, f64::max);
    assert!((largest / fits.pooled().model().parameters()[0]).ln() > sd);
    assert_eq!(fits.sd_between(2), None);
}

#[test]
fn a_group_that_says_little_leans_on_the_others() {
    let mut groups: Vec<(Nbd, usize, f64)> =
        (0..8).map(|c| (Nbd::from_parameters(&[[0.5, 1.0][c % 2], 8.0]).unwrap(), 500, 52.0)).collect();
    groups.push((Nbd::from_parameters(&[0.5, 8.0]).unwrap(), 1, 2.0));
    let drawn = draw(&groups, 600);
    let fits = Estimator::<Nbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
    let (large, single) = (fits.group("00").unwrap(), fits.group("08").unwrap());
    assert!(
        large.prior_weight() < single.prior_weight() && single.prior_weight() > 0.9,
        "{} {}",
        large.prior_weight(),
        single.prior_weight()
    );
    assert!(single.separate().is_err());
    assert!(single.partial().notices().iter().any(|notice| notice.kind == NoticeKind::MostlyOtherGroups));
    // Its interval holds what groups differ by.
    assert!(single.partial().standard_error(0) > large.partial().standard_error(0));
}

#[test]
fn order_of_rows_and_weights_do_not_matter() {
    let groups =
        [(pareto(0.9, 6.0, 0.8, 14.0), 300, 60.0), (pareto(0.5, 6.0, 0.8, 14.0), 300, 40.0), (pareto(0.9, 9.0, 1.2, 14.0), 300, 30.0)];
    let drawn = draw(&groups, 700);
    let (mut shuffled, mut names) = (Customers::new(TimeUnit::Week), Vec::new());
    for i in 0..drawn.names.len() {
        let i = (i * 337) % drawn.names.len();
        let row =
            Customer { id: drawn.customers.id(i), history: drawn.customers.history(i), average_spend: 0.0, weight: 1.0, purchases: None };
        shuffled.push(row).unwrap();
        names.push(drawn.names[i].clone());
    }
    let one = Estimator::<ParetoNbd>::new().fit_groups(&drawn.customers, &drawn.names).unwrap();
    let other = Estimator::<ParetoNbd>::new().fit_groups(&shuffled, &names).unwrap();
    assert_eq!(one.ln_marginal_likelihood(), other.ln_marginal_likelihood());
    for (one, other) in one.groups().iter().zip(other.groups()) {
        assert_eq!(one.partial().model(), other.partial().model());
    }
    assert_eq!(one.pooled().model(), ParetoNbd::fit(&drawn.customers).unwrap().model());
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let drawn = draw(&[(Nbd::from_parameters(&[0.8, 8.0]).unwrap(), 50, 52.0)], 800);
    for names in [vec!["a"; 50], vec!["a"; 49], Vec::new()] {
        let error = Estimator::<Nbd>::new().fit_groups(&drawn.customers, &names).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parameter);
    }
}
