//! Data that hold no interior optimum, or almost none: each gets the right answer or an honest one, never a success that is wrong.

use clv::{
    AcquisitionCohort, BgNbd, BgNbdParams, Customer, Customers, ErrorKind, Estimable, Fit, FitStatus, Fitted, GammaGamma, History, MbgNbd,
    Nbd, NbdParams, NoticeKind, ParetoNbd, Population, TimeUnit,
};

fn customers_of(rows: impl IntoIterator<Item = (u32, f64, f64, f64)>) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for (i, (x, t_x, age, average_spend)) in rows.into_iter().enumerate() {
        let history = History::new(x, t_x, age).unwrap();
        customers.push(Customer { id: &i.to_string(), history, average_spend, weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

/// (x, t_x, T, m_x) of the published summary of the CDNOW sample.
fn cdnow() -> Vec<(u32, f64, f64, f64)> {
    let number = |text: &str| text.parse::<f64>().unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (number(fields[1]) as u32, number(fields[2]), number(fields[3]), number(fields[4]))
    };
    include_str!("data/cdnow_sample_summary_published.csv").lines().skip(1).map(row).collect()
}

fn kinds<M: Estimable>(fitted: &Fitted<M>) -> Vec<NoticeKind> {
    fitted.notices().iter().map(|notice| notice.kind).collect()
}

/// A fit must not claim more than it has: a boundary and a ridge are named, the standard errors of what is at a bound are missing.
fn assert_honest<M: Estimable>(fitted: &Fitted<M>) {
    let at_bound = fitted.notices().iter().any(|notice| notice.kind == NoticeKind::AtBoundary);
    assert_eq!(at_bound, fitted.status() == FitStatus::AtBoundary);
    let missing = (0..M::PARAMETERS.len()).any(|i| fitted.standard_error(i).is_none());
    assert!(!missing || !fitted.notices().is_empty(), "{:?}", fitted.model());
    assert!(fitted.log_likelihood().is_finite());
}

fn without_dropout() -> Customers {
    let model = Nbd::new(NbdParams { r: 0.8, alpha: 6.0 }).unwrap();
    let cohort = AcquisitionCohort { first_day: "2024-01-01".parse().unwrap(), days: 1, customers: 2_000 };
    Population::new(model, TimeUnit::Week, "2024-12-31".parse().unwrap()).cohort(cohort).seed(7).simulate().unwrap().customers()
}

#[test]
fn no_dropout_at_all_is_the_nbd_model() {
    let customers = without_dropout();
    let nbd = Nbd::fit(&customers).unwrap();
    assert_eq!(nbd.status(), FitStatus::Converged);
    let bg = BgNbd::fit(&customers).unwrap();
    let pareto = ParetoNbd::fit(&customers).unwrap();
    for log_likelihood in [bg.log_likelihood(), pareto.log_likelihood()] {
        assert!(log_likelihood >= nbd.log_likelihood() - 1e-3, "{log_likelihood} below the nested {}", nbd.log_likelihood());
    }
    assert_honest(&bg);
    assert_honest(&pareto);
}

#[test]
fn one_time_buyers_only_hold_nothing_to_fit() {
    let customers = customers_of((0..200).map(|i| (0, 0.0, 10.0 + f64::from(i % 30), 0.0)));
    for error in [BgNbd::fit(&customers).unwrap_err(), ParetoNbd::fit(&customers).unwrap_err(), MbgNbd::fit(&customers).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Fit);
        assert!(error.to_string().starts_with("none of the 200 customers has a repeat purchase"), "{error}");
    }
    assert!(GammaGamma::fit(&customers).unwrap_err().to_string().contains("spend cannot be estimated"));
}

#[test]
fn the_first_ten_customers_of_cdnow() {
    let customers = customers_of(cdnow().into_iter().take(10));
    let bg = BgNbd::fit(&customers).unwrap();
    assert_honest(&bg);
    assert!(kinds(&bg).contains(&NoticeKind::FewRepeatBuyers));
    assert_honest(&ParetoNbd::fit(&customers).unwrap());
    assert_honest(&MbgNbd::fit(&customers).unwrap());
}

#[test]
fn one_bot_among_the_customers_of_cdnow() {
    let customers = customers_of(cdnow().into_iter().chain([(100_000, 38.0, 38.86, 1.0)]));
    let bg = BgNbd::fit(&customers).unwrap();
    assert_eq!(bg.status(), FitStatus::Converged);
    // The heterogeneity that one such customer implies: r falls from .243 to .070.
    assert!((bg.model().params().r - 0.070).abs() < 0.001, "{:?}", bg.model());
    assert_honest(&MbgNbd::fit(&customers).unwrap());
    assert_honest(&ParetoNbd::fit(&customers).unwrap());
}

#[test]
fn a_single_customer() {
    let customers = customers_of([(5, 30.0, 39.0, 20.0)]);
    assert_honest(&BgNbd::fit(&customers).unwrap());
    assert_honest(&ParetoNbd::fit(&customers).unwrap());
    assert_honest(&Nbd::fit(&customers).unwrap());
    assert_honest(&GammaGamma::fit(&customers).unwrap());
}

#[test]
fn everybody_the_same() {
    let customers = customers_of((0..500).map(|_| (3, 20.0, 39.0, 20.0)));
    for status in [BgNbd::fit(&customers).unwrap().status(), ParetoNbd::fit(&customers).unwrap().status()] {
        assert_eq!(status, FitStatus::AtBoundary);
    }
    let spend = GammaGamma::fit(&customers).unwrap();
    assert_eq!(spend.status(), FitStatus::AtBoundary);
    assert_honest(&spend);
}

#[test]
fn spends_with_a_heavy_tail() {
    // Quantiles of a Pareto distribution with exponent 0.8: the mean is infinite.
    let customers = customers_of((0..1_000).map(|i| (2, 20.0, 39.0, 10.0 * ((f64::from(i) + 0.5) / 1_000.0).powf(-1.25))));
    let spend = GammaGamma::fit(&customers).unwrap();
    assert_honest(&spend);
    assert!(spend.model().params().q < 1.5, "{:?}", spend.model());
}

#[test]
fn the_unit_of_time_changes_nothing_but_alpha() {
    let weeks = BgNbd::fit(&customers_of(cdnow())).unwrap();
    let total_purchases: f64 = cdnow().iter().map(|row| f64::from(row.0)).sum();
    for scale in [7.0, 168.0, 1.0 / 52.18] {
        let scaled = BgNbd::fit(&customers_of(cdnow().into_iter().map(|(x, t_x, age, m)| (x, t_x * scale, age * scale, m)))).unwrap();
        let (ours, theirs) = (weeks.model().params(), scaled.model().params());
        for (one, other) in [(ours.r, theirs.r), (ours.alpha * scale, theirs.alpha), (ours.a, theirs.a), (ours.b, theirs.b)] {
            assert!((one / other - 1.0).abs() < 1e-7, "{one} against {other} in units of 1/{scale}");
        }
        let jacobian = total_purchases * f64::ln(scale);
        assert!((weeks.log_likelihood() - jacobian - scaled.log_likelihood()).abs() < 1e-7);
    }
}

#[test]
fn money_in_another_currency_changes_nothing_but_gamma() {
    let dollars = GammaGamma::fit(&customers_of(cdnow())).unwrap();
    for scale in [1e6, 1e-6] {
        let scaled = GammaGamma::fit(&customers_of(cdnow().into_iter().map(|(x, t_x, age, m)| (x, t_x, age, m * scale)))).unwrap();
        let (ours, theirs) = (dollars.model().params(), scaled.model().params());
        for (one, other) in [(ours.p, theirs.p), (ours.q, theirs.q), (ours.gamma * scale, theirs.gamma)] {
            assert!((one / other - 1.0).abs() < 1e-6, "{one} against {other} at {scale}");
        }
    }
}

#[test]
fn weights_are_repeated_rows() {
    let rows = cdnow();
    let repeated = customers_of(rows.iter().flat_map(|row| [*row, *row, *row]));
    let mut weighted = Customers::new(TimeUnit::Week);
    for (i, &(x, t_x, age, average_spend)) in rows.iter().enumerate() {
        let history = History::new(x, t_x, age).unwrap();
        weighted.push(Customer { id: &i.to_string(), history, average_spend, weight: 3.0, purchases: None }).unwrap();
    }
    let (one, other) = (ParetoNbd::fit(&repeated).unwrap(), ParetoNbd::fit(&weighted).unwrap());
    assert!((one.log_likelihood() / other.log_likelihood() - 1.0).abs() < 1e-12);
    for (p, q) in one.model().parameters().iter().zip(&other.model().parameters()) {
        assert!((p / q - 1.0).abs() < 1e-12, "{p} against {q}");
    }
}

#[test]
fn clvtools_default_bg_nbd_case_pareto_simulated_customers() {
    // A cohort on which an unguarded optimiser runs off to a likelihood of +1.8e49; the BG/NBD optimum exists.
    let model = clv::ParetoNbd::new(clv::ParetoNbdParams { r: 0.55, alpha: 10.6, s: 0.61, beta: 11.7 }).unwrap();
    let cohort = AcquisitionCohort { first_day: "2024-01-01".parse().unwrap(), days: 1, customers: 20_000 };
    let customers =
        Population::new(model, TimeUnit::Week, "2024-09-30".parse().unwrap()).cohort(cohort).seed(1).simulate().unwrap().customers();
    let fitted = BgNbd::fit(&customers).unwrap();
    assert_eq!(fitted.status(), FitStatus::Converged);
    let BgNbdParams { r, a, .. } = fitted.model().params();
    assert!((0.15..0.4).contains(&r) && (0.3..1.5).contains(&a), "{:?}", fitted.model());
}

#[test]
fn bots_of_every_size_in_bases_of_every_size() {
    for bot in [10_000, 100_000, 1_000_000] {
        for count in [3, 20, 50, 200, 2_357] {
            let customers = customers_of(cdnow().into_iter().take(count).chain([(bot, 38.0, 38.86, 1.0)]));
            let name = format!("{count} customers and a bot of {bot}");
            assert_honest(&BgNbd::fit(&customers).expect(&name));
            assert_honest(&MbgNbd::fit(&customers).expect(&name));
            assert_honest(&ParetoNbd::fit(&customers).expect(&name));
            assert_honest(&Nbd::fit(&customers).expect(&name));
        }
    }
}

#[test]
fn a_status_does_not_depend_on_the_unit() {
    let base = without_dropout();
    let rows: Vec<_> = (0..base.len()).map(|i| (base.frequency()[i], base.recency()[i], base.age()[i], 0.0)).collect();
    let status = |scale: f64| {
        let customers = customers_of(rows.iter().map(|&(x, t_x, age, m)| (x, t_x * scale, age * scale, m)));
        (BgNbd::fit(&customers).unwrap().status(), ParetoNbd::fit(&customers).unwrap().status(), MbgNbd::fit(&customers).unwrap().status())
    };
    let expected = status(1.0);
    for scale in [1e-6, 1e-3, 7.0, 1e6] {
        assert_eq!(status(scale), expected, "times x {scale}");
    }
}

#[test]
fn equal_spends_in_any_currency() {
    for scale in [1e-9, 1.0, 1e9, 1e11] {
        let customers = customers_of((0..200).map(|i| (1 + i % 4, 20.0, 39.0, 20.0 * scale)));
        assert_eq!(GammaGamma::fit(&customers).unwrap().status(), FitStatus::AtBoundary, "spends x {scale}");
    }
}
