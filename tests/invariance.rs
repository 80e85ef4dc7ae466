//! What must not matter to a fit does not: rows repeated or weighted, the unit of time, the currency, the number of threads.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    AcquisitionCohort, BgNbd, BgNbdParams, Customer, Customers, Estimable, Estimator, Fit, Fitted, GammaGamma, GammaGammaParams, History,
    MbgNbd, Nbd, ParameterKind, ParetoNbd, ParetoNbdParams, Population, PurchaseModel, PurchaseSample, Redraw, Resampling, Sample,
    Simulate, SpendHistory, TimeUnit,
};

/// x, t_x, T, average spend.
type Row = (u32, f64, f64, f64);

fn weighted(rows: impl IntoIterator<Item = (Row, f64)>) -> Customers {
    let mut customers = Customers::new(TimeUnit::Week);
    for (i, ((x, t_x, age, average_spend), weight)) in rows.into_iter().enumerate() {
        let history = History::new(x, t_x, age).unwrap();
        customers.push(Customer { id: &i.to_string(), history, average_spend, weight, purchases: None }).unwrap();
    }
    customers
}

fn customers_of(rows: impl IntoIterator<Item = Row>) -> Customers {
    weighted(rows.into_iter().map(|row| (row, 1.0)))
}

/// The published summary of the CDNOW sample.
fn cdnow() -> Vec<Row> {
    let rows = include_str!("data/cdnow_sample_summary_published.csv").lines().skip(1).map(|line| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        (fields[1] as u32, fields[2], fields[3], fields[4])
    });
    rows.collect()
}

#[track_caller]
fn assert_close(one: f64, other: f64, tolerance: f64, what: &str) {
    assert!(
        (one - other).abs() <= tolerance * one.abs().max(other.abs()),
        "{what}: {one:e} and {other:e}, {:.1e} apart",
        one / other - 1.0
    );
}

/// Row i stands for 1, 2, 3, 1, 2, 3, ... customers.
fn assert_weights_are_repeated_rows<M: Fit>() {
    let rows = cdnow();
    let times = |i: usize| 1 + i % 3;
    let repeated = customers_of(rows.iter().enumerate().flat_map(|(i, &row)| std::iter::repeat_n(row, times(i))));
    let weighted = weighted(rows.iter().enumerate().map(|(i, &row)| (row, times(i) as f64)));
    assert_ne!(repeated.len(), weighted.len());
    let (one, other) = (M::fit(&repeated).unwrap(), M::fit(&weighted).unwrap());
    assert_close(one.log_likelihood(), other.log_likelihood(), 1e-12, M::NAME);
    assert_eq!(one.customers(), other.customers());
    for i in 0..M::PARAMETERS.len() {
        assert_close(one.model().parameters()[i], other.model().parameters()[i], 1e-12, M::PARAMETERS[i].name);
        assert_close(one.standard_error(i).unwrap(), other.standard_error(i).unwrap(), 1e-12, M::PARAMETERS[i].name);
    }
}

#[test]
fn weights_are_repeated_rows() {
    assert_weights_are_repeated_rows::<BgNbd>();
    assert_weights_are_repeated_rows::<MbgNbd>();
    assert_weights_are_repeated_rows::<ParetoNbd>();
    assert_weights_are_repeated_rows::<Nbd>();
    assert_weights_are_repeated_rows::<GammaGamma>();
}

/// A week in days and hours.
const UNITS: [f64; 2] = [7.0, 168.0];

/// A week in years.
const YEARS: f64 = 1.0 / 52.18;

/// The parameters of another unit, in which a scale is `unit` times as large, agree with ours.
#[track_caller]
fn assert_same_parameters<M: Estimable>(ours: &Fitted<M>, theirs: &Fitted<M>, unit: f64, tolerance: f64) {
    for (i, information) in M::PARAMETERS.iter().enumerate() {
        let factor = if information.kind == ParameterKind::Scale { unit } else { 1.0 };
        let name = format!("{} of {} in units of 1/{unit}", information.name, M::NAME);
        assert_close(factor * ours.model().parameters()[i], theirs.model().parameters()[i], tolerance, &name);
        assert_close(factor * ours.standard_error(i).unwrap(), theirs.standard_error(i).unwrap(), tolerance, &name);
    }
    assert_eq!(ours.status(), theirs.status());
}

/// The density of x purchase times has the unit 1/time^x.
fn assert_the_unit_of_time_does_not_matter<M: PurchaseModel + Fit>() {
    let rows = cdnow();
    let weeks = M::fit(&customers_of(rows.iter().copied())).unwrap();
    let purchases: f64 = rows.iter().map(|row| f64::from(row.0)).sum();
    for unit in UNITS {
        let scaled = M::fit(&customers_of(rows.iter().map(|&(x, t_x, age, spend)| (x, t_x * unit, age * unit, spend)))).unwrap();
        let jacobian = purchases * unit.ln();
        assert_close(weeks.log_likelihood(), scaled.log_likelihood() + jacobian, 1e-10, M::NAME);
        assert_same_parameters(&weeks, &scaled, unit, PARAMETERS);
        for &(x, t_x, age, _) in rows.iter().step_by(7) {
            let (here, there) = (History::new(x, t_x, age).unwrap(), History::new(x, t_x * unit, age * unit).unwrap());
            assert_predictions(weeks.model(), &here, scaled.model(), &there, unit);
        }
    }
}

/// Parameters of two fits to the same data in different units.
const PARAMETERS: f64 = 1e-10;

/// Predictions of two fits to the same data in different units.
const PREDICTIONS: f64 = 1e-10;

#[track_caller]
fn assert_predictions<M: PurchaseModel>(ours: &M, here: &History, theirs: &M, there: &History, unit: f64) {
    let delta = 0.002;
    let pairs = [
        ("P(alive)", ours.p_alive(here), theirs.p_alive(there)),
        ("expected purchases", ours.conditional_expected_purchases(here, 39.0), theirs.conditional_expected_purchases(there, 39.0 * unit)),
        ("P(active)", ours.conditional_p_active(here, 39.0), theirs.conditional_p_active(there, 39.0 * unit)),
        ("P(2 purchases)", ours.conditional_purchase_pmf(here, 2, 39.0), theirs.conditional_purchase_pmf(there, 2, 39.0 * unit)),
        ("DERT", ours.conditional_dert(here, delta).unwrap(), theirs.conditional_dert(there, delta / unit).unwrap()),
    ];
    for (name, one, other) in pairs {
        assert_close(one, other, PREDICTIONS, &format!("{name} of {here:?} in units of 1/{unit}"));
    }
}

#[test]
fn the_unit_of_time_changes_nothing_but_the_scales() {
    assert_the_unit_of_time_does_not_matter::<BgNbd>();
    assert_the_unit_of_time_does_not_matter::<MbgNbd>();
    assert_the_unit_of_time_does_not_matter::<ParetoNbd>();
    assert_the_unit_of_time_does_not_matter::<Nbd>();
}

/// A number of years is so small that its logarithm adds to the rounding of ln L: fits may end a step earlier, within 1e-5 of a standard error.
fn assert_years_are_as_good<M: PurchaseModel + Fit>() {
    let weeks = M::fit(&customers_of(cdnow())).unwrap();
    let years = M::fit(&customers_of(cdnow().into_iter().map(|(x, t_x, age, spend)| (x, t_x * YEARS, age * YEARS, spend)))).unwrap();
    for (i, information) in M::PARAMETERS.iter().enumerate() {
        let factor = if information.kind == ParameterKind::Scale { YEARS } else { 1.0 };
        let apart = (factor * weeks.model().parameters()[i] - years.model().parameters()[i]).abs();
        assert!(apart < 1e-5 * years.standard_error(i).unwrap(), "{} of {}: {apart:e} apart", information.name, M::NAME);
    }
}

#[test]
fn years_are_as_good_as_weeks() {
    assert_years_are_as_good::<BgNbd>();
    assert_years_are_as_good::<MbgNbd>();
    assert_years_are_as_good::<ParetoNbd>();
    assert_years_are_as_good::<Nbd>();
}

#[test]
fn the_currency_changes_nothing_but_gamma() {
    let rows = cdnow();
    let dollars = GammaGamma::fit(&customers_of(rows.iter().copied())).unwrap();
    for unit in [1e6, 1e-6] {
        let scaled = GammaGamma::fit(&customers_of(rows.iter().map(|&(x, t_x, age, spend)| (x, t_x, age, spend * unit)))).unwrap();
        // The density of a mean has the unit 1/money.
        assert_close(dollars.log_likelihood(), scaled.log_likelihood() + 946.0 * unit.ln(), 1e-10, "ln L");
        assert_same_parameters(&dollars, &scaled, unit, PARAMETERS);
        for &(x, _, _, spend) in rows.iter().step_by(7) {
            let (here, there) = (SpendHistory::new(x, spend).unwrap(), SpendHistory::new(x, spend * unit).unwrap());
            let expected = |fitted: &Fitted<GammaGamma>, spend| fitted.model().expected_average_spend(&spend).unwrap();
            assert_close(unit * expected(&dollars, here), expected(&scaled, there), PREDICTIONS, "expected spend");
        }
    }
}

/// All bits of a fit and of a bootstrap from it.
fn bits<M: Redraw + Fit>(customers: &Customers) -> Vec<u64> {
    let fitted = M::fit(customers).unwrap();
    let mut values = vec![fitted.log_likelihood(), fitted.max_abs_gradient(), fitted.evaluations() as f64];
    values.extend(fitted.model().parameters());
    values.extend(
        (0..M::PARAMETERS.len()).flat_map(|i| (0..M::PARAMETERS.len()).map(move |j| (i, j))).map(|(i, j)| fitted.covariance(i, j).unwrap()),
    );
    for resampling in [Resampling::Cases, Resampling::Parametric] {
        let bootstrap = Estimator::<M>::new().bootstrap(customers, resampling, 4, 3).unwrap();
        values.extend(bootstrap.models().iter().flat_map(|model| model.parameters().to_vec()));
    }
    values.into_iter().map(f64::to_bits).collect()
}

/// A simulation, and all that is fitted to it, on so many threads.
fn everything(threads: usize) -> Vec<Vec<u64>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        assert_eq!(rayon::current_num_threads(), threads);
        let purchases = ParetoNbd::new(ParetoNbdParams { r: 1.5, alpha: 4.0, s: 0.8, beta: 20.0 }).unwrap();
        let simulated = simulation(purchases);
        // Three chunks of distinct rows and the beginning of a fourth.
        assert!(PurchaseSample::new(&simulated).unwrap().distinct() > 10_000);
        assert!(simulated.frequency().iter().filter(|&&x| x > 0).count() > 10_000);
        let bits_of = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
        let bg = simulation(BgNbd::new(BgNbdParams { r: 1.5, alpha: 4.0, a: 0.8, b: 5.0 }).unwrap());
        vec![
            bits_of(simulated.recency()),
            bits_of(simulated.age()),
            bits_of(simulated.average_spend()),
            bits_of(bg.recency()),
            bits::<BgNbd>(&bg),
            bits::<MbgNbd>(&bg),
            bits::<ParetoNbd>(&simulated),
            bits::<Nbd>(&simulated),
            bits::<GammaGamma>(&simulated),
        ]
    })
}

fn simulation(model: impl Simulate) -> Customers {
    Population::new(model, TimeUnit::Week, "2025-12-28".parse().unwrap())
        .spend(GammaGamma::new(GammaGammaParams { p: 3.0, q: 4.0, gamma: 25.0 }).unwrap())
        .cohort(AcquisitionCohort { first_day: "2025-01-01".parse().unwrap(), days: 91, customers: 12_500 })
        .seed(5)
        .simulate()
        .unwrap()
        .customers()
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    let one = everything(1);
    for threads in [2, 8] {
        assert!(everything(threads) == one, "{threads} threads give other bits than one");
    }
}
