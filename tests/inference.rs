//! What a fit knows about itself: profiles, bootstraps, priors, notices about the data, observers.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use clv::{
    BgNbd, Customer, Customers, ErrorKind, Estimable, Estimator, Fit, FitStatus, Fitted, GammaGamma, History, Level, MbgNbd, Nbd,
    NoticeKind, ParetoNbd, Prior, Progress, Resampling, Sample, SpendByFrequency, SpendSample, TimeUnit, random_stream,
};
use rand::RngExt;

/// Rows of x, t_x, T, average spend.
type Row = (u32, f64, f64, f64);

fn customers_of(rows: impl IntoIterator<Item = Row>) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for (i, (x, t_x, age, average_spend)) in rows.into_iter().enumerate() {
        let history = History::new(x, t_x, age).unwrap();
        customers.push(Customer { id: &i.to_string(), history, average_spend, weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

fn cdnow() -> Vec<Row> {
    let rows = include_str!("data/cdnow_sample_summary_published.csv").lines().skip(1).map(|line| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        (fields[1] as u32, fields[2], fields[3], fields[4])
    });
    rows.collect()
}

fn kinds<M: Estimable>(fitted: &Fitted<M>) -> Vec<NoticeKind> {
    fitted.notices().iter().map(|notice| notice.kind).collect()
}

#[test]
fn a_profile_ends_where_the_likelihood_has_fallen_by_its_quantile() {
    let customers = customers_of(cdnow());
    let fitted = ParetoNbd::fit(&customers).unwrap();
    // 2.7055 is the 90 % quantile of chi-squared with one degree.
    let drop = 0.5 * 2.705_543_454_095_404;
    for parameter in 0..4 {
        let profile = Estimator::<ParetoNbd>::new().profile(&customers, parameter, Level::default()).unwrap();
        let (Some(lower), Some(upper)) = profile.interval() else { panic!("{profile:?}") };
        let points = profile.points();
        assert_eq!(points.len(), 17);
        let (first, last) = (points[0], points[16]);
        assert!((first.0 / lower - 1.0).abs() < 1e-9 && (last.0 / upper - 1.0).abs() < 1e-9);
        for end in [first, last] {
            assert!((fitted.log_likelihood() - end.1 - drop).abs() < 2e-6, "{}: {end:?}", profile.parameter());
        }
        assert!((points[8].0 / fitted.model().parameters()[parameter] - 1.0).abs() < 1e-9, "the estimate lies in the middle");
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(points[..9].windows(2).all(|pair| pair[0].1 < pair[1].1) && points[8..].windows(2).all(|pair| pair[0].1 > pair[1].1));
        // Near the normal interval, and not the same: that of the dropout shape s ends 19 % higher.
        let normal = fitted.interval(parameter, Level::default()).unwrap();
        assert!(
            (lower / normal.0).ln().abs() < 0.25 && (upper / normal.1).ln().abs() < 0.25,
            "{}: {lower} {upper} {normal:?}",
            profile.parameter()
        );
    }
}

#[test]
fn a_profile_without_an_end_says_so() {
    // The first ten customers hold next to nothing about dropout.
    let customers = customers_of(cdnow().into_iter().take(10));
    let profile = Estimator::<MbgNbd>::new().profile(&customers, 3, Level::default()).unwrap();
    assert_eq!(profile.interval().1, None);
    assert_eq!(Estimator::<Nbd>::new().profile(&customers, 2, Level::default()).unwrap_err().kind(), ErrorKind::Parameter);
}

#[test]
fn bootstraps_agree_with_the_curvature() {
    let customers = customers_of(cdnow());
    let fitted = BgNbd::fit(&customers).unwrap();
    for resampling in [Resampling::Cases, Resampling::Parametric] {
        let bootstrap = Estimator::<BgNbd>::new().bootstrap(&customers, resampling, 400, 7).unwrap();
        assert_eq!((bootstrap.failed(), bootstrap.models().len()), (0, 400));
        assert!((bootstrap.estimate().parameters() - fitted.model().parameters()).iter().all(|difference| difference.abs() < 1e-12));
        for parameter in 0..4 {
            let logs: Vec<f64> = bootstrap.models().iter().map(|model| model.parameters()[parameter].ln()).collect();
            let mean = logs.iter().sum::<f64>() / 400.0;
            let of_log = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
            let asymptotic = fitted.standard_error(parameter).unwrap() / fitted.model().parameters()[parameter];
            // Four standard errors of a standard deviation of 400 replications are 14 %; the tails of a and b are longer than normal ones.
            let ratio = of_log / asymptotic;
            assert!((0.8..1.35).contains(&ratio), "{resampling:?}, {}: {ratio}", BgNbd::PARAMETERS[parameter].name);
            let ((low, high), (l, h)) =
                (bootstrap.interval(parameter, Level::default()).unwrap(), fitted.interval(parameter, Level::default()).unwrap());
            assert!((low / l).ln().abs() < 0.25 && (high / h).ln().abs() < 0.25, "{resampling:?}: {low}..{high} and {l}..{h}");
            assert!(bootstrap.standard_error(parameter).unwrap() > 0.0);
        }
    }
    assert_eq!(Estimator::<BgNbd>::new().bootstrap(&customers, Resampling::Cases, 1, 7).unwrap_err().kind(), ErrorKind::Parameter);
    let spend = GammaGamma::fit(&customers).unwrap();
    let bootstrap = Estimator::<GammaGamma>::new().bootstrap(&customers, Resampling::Parametric, 200, 7).unwrap();
    let ratio = bootstrap.standard_error(0).unwrap() / spend.standard_error(0).unwrap();
    assert!((0.75..1.5).contains(&ratio), "p: {ratio}");
}

#[test]
fn a_bootstrap_depends_on_its_seed_alone() {
    let customers = customers_of(cdnow().into_iter().take(300));
    let of = |seed| Estimator::<Nbd>::new().bootstrap(&customers, Resampling::Cases, 20, seed).unwrap().models().to_vec();
    let (one, again, other) = (of(1), of(1), of(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn bootstrap_samples_that_hold_nothing_are_counted() {
    // One repeat buyer among ten: a third of the samples go without.
    let customers = customers_of((0..10).map(|i| if i == 0 { (1, 10.0, 30.0, 0.0) } else { (0, 0.0, 30.0, 0.0) }));
    let bootstrap = Estimator::<Nbd>::new().bootstrap(&customers, Resampling::Cases, 200, 3).unwrap();
    let expected = 200.0 * 0.9_f64.powi(10);
    assert!((bootstrap.failed() as f64 - expected).abs() < 4.0 * (expected * 0.65).sqrt(), "{}", bootstrap.failed());
    assert_eq!(bootstrap.failed() as usize + bootstrap.models().len(), 200);
}

#[test]
fn a_weak_prior_holds_ten_customers_and_hardly_moves_two_thousand() {
    let few = customers_of(cdnow().into_iter().take(10));
    let plain = BgNbd::fit(&few).unwrap();
    let held = Estimator::<BgNbd>::new().prior(Prior::weak()).fit(&few).unwrap();
    assert_eq!((plain.prior(), held.prior()), (None, Some(Prior::weak())));
    assert_eq!(held.status(), FitStatus::Converged);
    assert!(held.model().parameters().iter().all(|parameter| (0.01..100.0).contains(parameter)), "{:?}", held.model());
    // What is reported is the likelihood alone, which is highest without the prior.
    let sum: f64 = (0..10).map(|i| clv::PurchaseModel::ln_likelihood(held.model(), &few.history(i))).sum();
    assert!((held.log_likelihood() - sum).abs() < 1e-10);
    assert!(held.log_likelihood() < plain.log_likelihood());
    assert_eq!(held.aic(), 8.0 - 2.0 * held.log_likelihood());

    let all = customers_of(cdnow());
    let (plain, held) = (BgNbd::fit(&all).unwrap(), Estimator::<BgNbd>::new().prior(Prior::weak()).fit(&all).unwrap());
    for parameter in 0..4 {
        let moved = (held.model().parameters()[parameter] - plain.model().parameters()[parameter]).abs();
        assert!(moved < 0.15 * plain.standard_error(parameter).unwrap());
    }
}

#[test]
fn a_prior_means_the_same_in_any_unit() {
    let rows: Vec<Row> = cdnow().into_iter().take(30).collect();
    let weeks = Estimator::<ParetoNbd>::new().prior(Prior::weak()).fit(&customers_of(rows.clone())).unwrap();
    let days = customers_of(rows.into_iter().map(|(x, t_x, age, spend)| (x, 7.0 * t_x, 7.0 * age, spend)));
    let days = Estimator::<ParetoNbd>::new().prior(Prior::weak()).fit(&days).unwrap();
    for (i, factor) in [1.0, 7.0, 1.0, 7.0].into_iter().enumerate() {
        assert!((days.model().parameters()[i] / weeks.model().parameters()[i] / factor - 1.0).abs() < 1e-7);
    }
}

#[test]
fn a_prior_that_is_no_prior_is_refused() {
    for log_sd in [0.0, -1.0, 1e9, f64::NAN, f64::INFINITY] {
        assert_eq!(Prior::log_normal(log_sd).unwrap_err().kind(), ErrorKind::Parameter);
    }
}

#[test]
fn who_watches_sees_every_step_and_may_stop() {
    let customers = customers_of(cdnow());
    let steps = AtomicU64::new(0);
    let watch = |progress| {
        assert!(
            matches!(progress, Progress::Iteration { iteration, value } if iteration == steps.fetch_add(1, Ordering::Relaxed) && value.is_finite())
        );
        ControlFlow::Continue(())
    };
    let fitted = Estimator::<BgNbd>::new().watch(&watch).fit(&customers).unwrap();
    assert_eq!(steps.load(Ordering::Relaxed), fitted.iterations());

    let stop = |_| ControlFlow::Break(());
    let error = Estimator::<BgNbd>::new().watch(&stop).fit(&customers).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);

    let third = |progress| match progress {
        Progress::Replication { done, .. } if done >= 3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let error = Estimator::<BgNbd>::new().watch(&third).bootstrap(&customers, Resampling::Cases, 1000, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.to_string().contains("of 1000 parts"), "{error}");
}

#[test]
fn a_bot_is_pointed_out_and_nobody_else() {
    let mut rows = cdnow();
    assert!(!kinds(&BgNbd::fit(&customers_of(rows.clone())).unwrap()).contains(&NoticeKind::OutlyingCustomer));
    assert!(!kinds(&ParetoNbd::fit(&customers_of(rows.clone())).unwrap()).contains(&NoticeKind::OutlyingCustomer));
    assert!(!kinds(&GammaGamma::fit(&customers_of(rows.clone())).unwrap()).contains(&NoticeKind::OutlyingCustomer));
    rows.push((100_000, 38.8, 38.9, 1e6));
    let customers = customers_of(rows);
    let bg = BgNbd::fit(&customers).unwrap();
    let notice = bg.notices().iter().find(|notice| notice.kind == NoticeKind::OutlyingCustomer).unwrap();
    assert!(notice.message.starts_with("one customer (100000 repeat purchases"), "{notice}");
    for outlying in [
        kinds(&MbgNbd::fit(&customers).unwrap()),
        kinds(&ParetoNbd::fit(&customers).unwrap()),
        kinds(&GammaGamma::fit(&customers).unwrap()),
    ] {
        assert!(outlying.contains(&NoticeKind::OutlyingCustomer), "{outlying:?}");
    }
}

#[test]
fn equal_spends_are_pointed_out() {
    let fitted = GammaGamma::fit(&customers_of((0..200).map(|i| (1 + i % 4, 20.0, 39.0, 20.0)))).unwrap();
    assert!(kinds(&fitted).contains(&NoticeKind::EqualSpends), "{:?}", fitted.notices());
}

#[test]
fn refusal_13_spend_that_rises_with_frequency_is_pointed_out() {
    let mut rng = random_stream(17, 0);
    // 10 x e^N, as in the case that other packages fit without a word.
    let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let correlated: Vec<Row> = (0..2000).map(|i| (1 + i % 9, 20.0, 39.0, 10.0 * f64::from(1 + i % 9) * normal().exp())).collect();
    let customers = customers_of(correlated);
    let fitted = GammaGamma::fit(&customers).unwrap();
    let notice = fitted.notices().iter().find(|notice| notice.kind == NoticeKind::SpendDependsOnFrequency).unwrap();
    assert!(
        notice.message.contains("too high for those with 1 repeat purchase") && notice.message.contains("low for those with 7 or more"),
        "{notice}"
    );
    let spend = SpendByFrequency::of(fitted.model(), &SpendSample::new(&customers).unwrap()).unwrap();
    assert!(spend.interval().0 > 0.3 && spend.interval().1 < 0.6);
    assert_eq!(spend.classes().iter().map(|class| class.customers).sum::<f64>(), 2000.0);
    assert!(spend.classes()[0].bias().unwrap() > 0.2);

    // Unrelated spend is left alone, skewed as it may be: the mean of more amounts has a higher median, which is no relation.
    let (purchases, spend) = (clv::NbdParams { r: 1.0, alpha: 10.0 }, clv::GammaGammaParams { p: 0.7, q: 5.0, gamma: 100.0 });
    let simulation = clv::Population::new(Nbd::new(purchases).unwrap(), TimeUnit::Week, "2025-12-31".parse().unwrap())
        .spend(GammaGamma::new(spend).unwrap())
        .cohort(clv::AcquisitionCohort { first_day: "2025-01-01".parse().unwrap(), days: 30, customers: 5000 })
        .seed(4)
        .simulate()
        .unwrap();
    let skewed = simulation.customers();
    let fitted = GammaGamma::fit(&skewed).unwrap();
    let spend = SpendByFrequency::of(fitted.model(), &SpendSample::new(&skewed).unwrap()).unwrap();
    assert!(spend.interval().0 < 0.0 && spend.interval().1 > 0.0 && spend.spearman().abs() < 0.06, "{spend:?}");
    assert!(!kinds(&fitted).contains(&NoticeKind::SpendDependsOnFrequency));
    let mut rng = random_stream(18, 0);
    let unrelated = customers_of((0..2000).map(|i| (1 + i % 9, 20.0, 39.0, 10.0 + 30.0 * rng.random::<f64>())));
    assert!(!kinds(&GammaGamma::fit(&unrelated).unwrap()).contains(&NoticeKind::SpendDependsOnFrequency));
}

#[test]
fn ranks_count_weights() {
    let rows: Vec<Row> = cdnow().into_iter().filter(|row| row.3 > 0.0).take(120).collect();
    let single = customers_of(rows.iter().flat_map(|&row| [row, row]));
    let mut weighted = Customers::new(TimeUnit::Week);
    for (i, &(x, t_x, age, average_spend)) in rows.iter().enumerate() {
        let history = History::new(x, t_x, age).unwrap();
        weighted.push(Customer { id: &i.to_string(), history, average_spend, weight: 2.0, purchases: None }).unwrap();
    }
    let of = |customers: &Customers| {
        SpendByFrequency::of(GammaGamma::fit(customers).unwrap().model(), &SpendSample::new(customers).unwrap()).unwrap()
    };
    assert!((of(&single).spearman() - of(&weighted).spearman()).abs() < 1e-12);
}
