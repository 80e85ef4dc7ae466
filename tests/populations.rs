//! Customer bases on the calendar: what a seed determines, what a longer observation goes on from, what a log holds of them, and which are refused.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

#[path = "common/cdnow_like.rs"]
mod cdnow_like;

use clv::{
    AcquisitionCohort, AnyPurchaseModel, Customers, ErrorKind, FuturePurchase, GammaGamma, GammaGammaParams, Observation, Population,
    Simulate, Simulation, TimeUnit, Truth,
};

use cdnow_like::{cdnow_like, day, pareto_nbd};

fn cdnow_spend() -> GammaGamma {
    GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap()
}

/// Everything a simulation tells, bit by bit.
fn bits<M: Simulate>(simulation: &Simulation<M>) -> Vec<(u32, u64, u64, u64, Option<u64>, u64)> {
    let (customers, truths): (Customers, Vec<Truth>) = (simulation.customers(), simulation.truths(20.0));
    (0..customers.len())
        .map(|i| {
            (
                customers.frequency()[i],
                customers.recency()[i].to_bits(),
                customers.age()[i].to_bits(),
                customers.average_spend()[i].to_bits(),
                truths[i].dropped_out_at.map(f64::to_bits),
                truths[i].future_purchases,
            )
        })
        .collect()
}

#[test]
fn a_seed_determines_every_bit() {
    let simulate = |seed| cdnow_like(pareto_nbd(), 3000, seed).spend(cdnow_spend()).simulate().unwrap();
    assert_eq!(bits(&simulate(7)), bits(&simulate(7)));
    assert_ne!(bits(&simulate(7)), bits(&simulate(8)));
}

#[cfg(feature = "parallel")]
#[test]
fn the_number_of_threads_changes_no_bit() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bits(&cdnow_like(pareto_nbd(), 3000, 7).spend(cdnow_spend()).simulate().unwrap()))
    };
    assert_eq!(on(1), on(2));
}

/// (customer, hour, amount) of every row.
fn rows<M: Simulate>(simulation: &Simulation<M>) -> Vec<(String, i32, f64)> {
    let mut rows = Vec::new();
    for customer in simulation.iter() {
        rows.extend(customer.transactions().map(|row| (row.customer.to_owned(), row.time.hours_since_1970(), row.amount)));
    }
    rows
}

#[test]
fn longer_observation_more_customers_and_a_spend_model_leave_the_rest_as_it_was() {
    let population = |end: &str, customers| {
        let cohort = AcquisitionCohort { first_day: day("1997-01-01"), days: 84, customers };
        Population::new(pareto_nbd(), TimeUnit::Week, day(end)).cohort(cohort).seed(5)
    };
    let short = rows(&population("1997-09-30", 2000).simulate().unwrap());
    let mut longer = rows(&population("1998-06-30", 2000).simulate().unwrap());
    longer.retain(|row| row.1 < 24 * (day("1997-09-30").days_since_1970() + 1));
    assert_eq!(short, longer);

    let mut more = rows(&population("1997-09-30", 5000).simulate().unwrap());
    more.truncate(short.len());
    assert_eq!(short, more);

    let priced = rows(&population("1997-09-30", 2000).spend(cdnow_spend()).simulate().unwrap());
    let times = |rows: &[(String, i32, f64)]| rows.iter().map(|row| row.1).collect::<Vec<_>>();
    assert_eq!(times(&short), times(&priced));
    assert!(short.iter().all(|row| row.2 == 0.0));
    assert!(priced.iter().all(|row| ((row.2 * 100.0).round() - row.2 * 100.0).abs() < 1e-9 * row.2));
}

#[test]
fn the_future_is_what_longer_observation_shows() {
    let population = |end: &str| {
        let cohort = AcquisitionCohort { first_day: day("1997-01-01"), days: 84, customers: 2000 };
        Population::new(pareto_nbd(), TimeUnit::Hour, day(end)).cohort(cohort).seed(5).spend(cdnow_spend()).simulate().unwrap()
    };
    let (short, long) = (population("1997-03-31"), population("1997-05-31"));
    let horizon = f64::from(61 * 24);
    let end = 24 * (day("1997-03-31").days_since_1970() + 1);
    let mut purchases = 0;
    for (customer, later) in short.iter().zip(long.iter()) {
        let future: Vec<FuturePurchase> = customer.future(horizon).collect();
        assert_eq!(future.len() as u64, customer.truth(horizon).future_purchases);
        let rows: Vec<(i32, f64)> =
            later.transactions().map(|row| (row.time.hours_since_1970(), row.amount)).filter(|row| row.0 >= end).collect();
        let of_future: Vec<(i32, f64)> =
            future.iter().map(|next| (end + next.time.floor() as i32, (next.amount * 100.0).round() / 100.0)).collect();
        assert_eq!(of_future, rows);
        purchases += rows.len();
    }
    assert!(purchases > 1000, "{purchases}");
    assert_eq!(short.customer(0).future(0.0).count(), 0);
    // Without a spend model there are purchases and no amounts.
    let cohort = AcquisitionCohort { first_day: day("1997-01-01"), days: 84, customers: 2000 };
    let unpriced = Population::new(pareto_nbd(), TimeUnit::Hour, day("1997-03-31")).cohort(cohort).seed(5).simulate().unwrap();
    let times =
        |simulation: &Simulation<AnyPurchaseModel>, i| simulation.customer(i).future(horizon).map(|next| next.time).collect::<Vec<_>>();
    assert!((0..2000).all(|i| times(&unpriced, i) == times(&short, i)));
    assert!(unpriced.iter().all(|customer| customer.future(horizon).all(|next| next.amount == 0.0)));
}

#[test]
fn the_summary_of_a_log_counts_what_was_simulated() {
    for unit in [TimeUnit::Day, TimeUnit::Week, TimeUnit::Hour] {
        // The same customers in every unit.
        let scale = TimeUnit::Week.hours() / unit.hours();
        let model = AnyPurchaseModel::from_name("pareto-nbd", &[0.553, 10.578 * scale, 0.606, 11.669 * scale]).unwrap();
        let end = day("1997-09-30");
        let cohort = AcquisitionCohort { first_day: day("1997-01-01"), days: 84, customers: 3000 };
        let simulation = Population::new(model, unit, end).cohort(cohort).spend(cdnow_spend()).seed(6).simulate().unwrap();
        let log = simulation.log().unwrap();
        let (exact, summary) = (simulation.customers(), log.summarize(&Observation::until(end).unit(unit)).unwrap());

        let repeat: u64 = exact.frequency().iter().map(|&x| u64::from(x)).sum();
        let on_days: u64 = summary.frequency().iter().map(|&x| u64::from(x)).sum();
        let report = summary.report().unwrap();
        assert_eq!(log.len() as u64, 3000 + repeat);
        assert_eq!((summary.len(), report.purchases.count), (3000, 3000 + on_days));
        assert_eq!(report.merged.count, repeat - on_days, "{unit}: two purchases on one day are one");
        assert_eq!(report.after_end.count, 0);
        for i in 0..summary.len() {
            let (seen, drawn) = (summary.history(i), exact.history(i));
            assert_eq!(summary.id(i), simulation.customer(i).id());
            assert!(seen.frequency() <= drawn.frequency());
            // A log knows the day, not the moment.
            let one_day = 24.0 / unit.hours() * (1.0 + 1e-9);
            assert!(drawn.age() - seen.age() > 0.0 && drawn.age() - seen.age() <= one_day);
            assert!((drawn.recency() - seen.recency()).abs() <= one_day);
            let truth = simulation.customer(i).truth(0.0);
            assert!(truth.dropped_out_at.is_none_or(|time| time >= drawn.recency()), "{unit}: nobody buys after having dropped out");
        }
    }
}

#[test]
fn what_would_never_end_is_refused_at_once() {
    let refused = |name: &str, parameters: &[f64], customers| {
        let error = cdnow_like(AnyPurchaseModel::from_name(name, parameters).unwrap(), customers, 1).simulate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parameter);
        error.to_string()
    };
    assert_eq!(
        refused("nbd", &[1.0, 1e-6], 1000),
        "3.90e10 transactions are to be expected of 1000 customers, and no more than 1e10 are simulated; check that the \
         parameters are per week, or take fewer customers"
    );
    assert_eq!(
        refused("nbd", &[1e-3, 1e-9], 10),
        "5.38e-2 customers with more than 100000000 purchases are to be expected, and no more are simulated; check that the \
         parameters are per week"
    );
    assert!(refused("nbd", &[1.0, 10.0], 0).contains("without a customer"));
}

#[test]
fn a_cohort_that_cannot_be_observed_is_refused() {
    let cohort = |first_day: &str, days| {
        let cohort = AcquisitionCohort { first_day: day(first_day), days, customers: 3 };
        Population::new(pareto_nbd(), TimeUnit::Week, day("1997-09-30"))
            .cohort(cohort)
            .simulate()
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(cohort("1997-09-30", 1), Ok(()));
    assert_eq!(
        cohort("1997-09-30", 2).unwrap_err(),
        "the cohort of 3 customers from 1997-09-30 over 2 days arrives after the observation end 1997-09-30 in part; observe it for longer"
    );
    for days in [0, i32::MAX as u32, u32::MAX] {
        assert!(cohort("1997-01-01", days).unwrap_err().contains("at least 1 day"));
    }
}
