//! Data that hold no interior optimum, or almost none: each gets the right answer or an honest one, never a success that is wrong.

use clv::{
    AcquisitionCohort, BgNbd, Customer, Customers, Estimable, Fit, FitStatus, Fitted, GammaGamma, History, MbgNbd, Nbd, NbdParams,
    NoticeKind, ParetoNbd, Population, TimeUnit,
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
