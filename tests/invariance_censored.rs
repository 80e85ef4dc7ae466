//! What must not matter to a fit does not, where less is known than a history: rows repeated or weighted, their order, the unit of time, the number of
//! threads; of customers born before the log, counts per period, histograms and groups.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use clv::{
    BgNbd, Censored, CensoredCustomers, CensoredLikelihood, CrossSection, Customer, Customers, Estimable, Estimator, EveryCustomer, Fitted,
    GroupFits, History, LastCell, LeftTruncated, MbgNbd, OnlySeen, ParameterKind, ParetoNbd, PeriodCounts, SeenThrough, Simulate, TimeUnit,
    random_stream,
};
use rand::RngExt;

type Truncated = LeftTruncated<EveryCustomer>;
type Seen = LeftTruncated<OnlySeen>;

const PARETO: [f64; 4] = [0.9, 6.0, 0.8, 14.0];

/// Two sums in another order, of some thousand terms.
const ROUNDING: f64 = 1e-10;

/// The log holds a year.
const LOG: f64 = 52.0;

/// When somebody was born, from the start of the log, and bought, from the birth.
fn drawn(customers: usize, seed: u64) -> Vec<(f64, Vec<f64>)> {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    (0..customers)
        .map(|i| {
            let mut rng = random_stream(seed, i as u64);
            let born = LOG - 3.0 * LOG * rng.random::<f64>();
            let times = model.draw_traits(&mut rng).purchase_times(LOG - born, &mut rng).collect();
            (born, times)
        })
        .collect()
}

/// Births before the log and purchases in it, times in so many units a week.
fn truncated<L: clv::CustomerList>(customers: usize, unit: f64) -> Vec<LeftTruncated<L>> {
    let row = |(born, times): (f64, Vec<f64>)| {
        let start = born.max(0.0);
        let seen: Vec<f64> = times.iter().map(|time| born + time - start).filter(|time| *time > 0.0).collect();
        let last = seen.last().copied().unwrap_or(0.0).min(LOG - start);
        let history = History::new(seen.len() as u32, unit * last, unit * (LOG - start)).unwrap();
        if born < 0.0 { LeftTruncated::born_before(-born * unit, history).ok() } else { Some(LeftTruncated::born_within(history)) }
    };
    drawn(customers, 21).into_iter().filter_map(row).collect()
}

/// Counts in the months since birth, of customers of any age.
fn counted(customers: usize, unit: f64) -> Vec<PeriodCounts> {
    let row = |(born, times): (f64, Vec<f64>)| {
        let age = LOG - born;
        let months = (age / 4.345).floor() as u32 + 1;
        let ends: Vec<f64> = (1..=months).map(|k| age * f64::from(k) / f64::from(months)).collect();
        let count = |k: usize| times.iter().filter(|time| **time <= ends[k] && (k == 0 || **time > ends[k - 1])).count() as u32;
        let counts: Vec<u32> = (0..ends.len()).map(count).collect();
        PeriodCounts::new(&ends.iter().map(|end| unit * end).collect::<Vec<_>>(), &counts).unwrap()
    };
    drawn(customers, 22).into_iter().map(row).collect()
}

/// Histograms of many cohorts of so many customers each, over three quarters.
fn histograms(cohorts: u32, size: usize, unit: f64) -> CensoredCustomers<CrossSection> {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    let mut table = CensoredCustomers::new(TimeUnit::Week);
    for cohort in 0..cohorts {
        let quarter = 13.0 + f64::from(cohort % 50) * 0.01;
        let mut cells = [[0_u64; 6]; 3];
        for i in 0..size {
            let mut rng = random_stream(23, u64::from(cohort) * size as u64 + i as u64);
            let mut counts = [0_usize; 3];
            model
                .draw_traits(&mut rng)
                .purchase_times(3.0 * quarter, &mut rng)
                .for_each(|time| counts[((time / quarter) as usize).min(2)] += 1);
            counts.iter().zip(&mut cells).for_each(|(count, cells)| cells[(*count).min(5)] += 1);
        }
        for (k, cells) in (0..).zip(&cells) {
            let since = f64::from(k) * quarter * unit;
            table.push_cohort_histogram(cohort, since, quarter * unit, cells, LastCell::OrMore, size as u64).unwrap();
        }
    }
    table
}

fn of_rows<D: Censored>(rows: impl IntoIterator<Item = (D, f64)>) -> CensoredCustomers<D> {
    let mut customers = CensoredCustomers::new(TimeUnit::Week);
    rows.into_iter().for_each(|(row, weight)| customers.push(row, weight).unwrap());
    customers
}

fn fit<M: CensoredLikelihood<D>, D: Censored>(customers: &CensoredCustomers<D>) -> Fitted<SeenThrough<M, D>> {
    Estimator::new().fit(customers).unwrap()
}

/// Parameters and standard errors in another unit of time agree with ours.
#[track_caller]
fn assert_same<M: Estimable>(ours: &Fitted<M>, theirs: &Fitted<M>, unit: f64, what: &str) {
    assert_eq!(ours.status(), theirs.status(), "{what}");
    for (i, information) in M::PARAMETERS.iter().enumerate() {
        let factor = if information.kind == ParameterKind::Scale { unit } else { 1.0 };
        let close = |one: f64, other: f64| (factor * one / other - 1.0).abs() < 1e-8;
        let (one, other) = (ours.model().parameters()[i], theirs.model().parameters()[i]);
        assert!(close(one, other), "{what}, {}: {one} and {other}", information.name);
        let (one, other) = (ours.standard_error(i).unwrap(), theirs.standard_error(i).unwrap());
        assert!(close(one, other), "{what}, standard error of {}: {one} and {other}", information.name);
    }
}

/// Rows that stand for 1, 2, 3, 1, 2, 3, ... customers, one by one and in another order.
#[track_caller]
fn assert_rows_and_units<M: CensoredLikelihood<D>, D: Censored>(rows: &[D], in_days: &[D], what: &str) {
    let times = |i: usize| 1 + i % 3;
    let weighted = of_rows(rows.iter().enumerate().map(|(i, &row)| (row, times(i) as f64)));
    let repeated = rows.iter().enumerate().flat_map(|(i, &row)| std::iter::repeat_n((row, 1.0), times(i)));
    let mut repeated: Vec<(D, f64)> = repeated.collect();
    let one: Fitted<SeenThrough<M, D>> = fit(&weighted);
    let other = fit(&of_rows(repeated.iter().copied()));
    assert!((one.log_likelihood() / other.log_likelihood() - 1.0).abs() < ROUNDING, "{what}");
    assert_same(&one, &other, 1.0, what);
    // In another order to the bit.
    repeated.reverse();
    let middle = repeated.len() / 3;
    repeated.rotate_left(middle);
    let reversed: Fitted<SeenThrough<M, D>> = fit(&of_rows(repeated));
    assert_eq!(bits(&other), bits(&reversed), "{what}: the order of the rows shows");
    let days: Fitted<SeenThrough<M, D>> = fit(&of_rows(in_days.iter().enumerate().map(|(i, &row)| (row, times(i) as f64))));
    assert_same(&one, &days, 7.0, what);
}

fn bits<M: Estimable>(fitted: &Fitted<M>) -> Vec<u64> {
    let n = M::PARAMETERS.len();
    let covariance = (0..n * n).map(|k| fitted.covariance(k / n, k % n).unwrap_or(-1.0));
    let values = [fitted.log_likelihood(), fitted.max_abs_gradient(), fitted.evaluations() as f64].into_iter();
    values.chain(fitted.model().parameters()).chain(covariance).map(f64::to_bits).collect()
}

#[test]
fn rows_and_unit_do_not_matter_to_customers_born_before_the_log() {
    let (weeks, days) = (truncated::<EveryCustomer>(1_500, 1.0), truncated::<EveryCustomer>(1_500, 7.0));
    assert_rows_and_units::<ParetoNbd, Truncated>(&weeks, &days, "Pareto/NBD");
    assert_rows_and_units::<BgNbd, Truncated>(&weeks, &days, "BG/NBD");
    assert_rows_and_units::<MbgNbd, Truncated>(&weeks, &days, "MBG/NBD");
    assert_rows_and_units::<ParetoNbd, Seen>(&truncated(1_500, 1.0), &truncated(1_500, 7.0), "Pareto/NBD of those seen");
}

#[test]
fn rows_and_unit_do_not_matter_to_counts_per_period() {
    let (weeks, days) = (counted(1_500, 1.0), counted(1_500, 7.0));
    assert_rows_and_units::<ParetoNbd, PeriodCounts>(&weeks, &days, "Pareto/NBD");
    assert_rows_and_units::<BgNbd, PeriodCounts>(&weeks, &days, "BG/NBD");
    assert_rows_and_units::<MbgNbd, PeriodCounts>(&weeks, &days, "MBG/NBD");
}

/// Cells are weighted as they are: here it is whole histograms that stand in another order, or in two.
#[test]
fn rows_and_unit_do_not_matter_to_histograms() {
    let (weeks, days) = (histograms(6, 800, 1.0), histograms(6, 800, 7.0));
    let one: Fitted<SeenThrough<ParetoNbd, CrossSection>> = fit(&weeks);
    assert_same(&one, &fit(&days), 7.0, "in days");
    let mut rows: Vec<(CrossSection, f64)> = weeks.rows().map(|(row, weight)| (*row, weight)).collect();
    rows.reverse();
    assert_eq!(bits(&one), bits(&fit::<ParetoNbd, CrossSection>(&of_rows(rows.clone()))));
    // A cell of four customers is two of half as many.
    let halves = rows.iter().flat_map(|&(row, weight)| [(row, 0.5 * weight), (row, 0.5 * weight)]);
    assert_same(&one, &fit(&of_rows(halves)), 1.0, "in halves");
}

/// Customers in groups whose rates differ.
fn in_groups(groups: usize, size: usize, unit: f64) -> (Vec<History>, Vec<String>) {
    let (mut histories, mut names) = (Vec::new(), Vec::new());
    for i in 0..groups * size {
        let group = i / size;
        let model = ParetoNbd::from_parameters(&[0.9 * 1.3_f64.powf(group as f64), 6.0, 0.8, 14.0]).unwrap();
        let mut rng = random_stream(24, i as u64);
        let age = 20.0 + 30.0 * rng.random::<f64>();
        let times: Vec<f64> = model.draw_traits(&mut rng).purchase_times(age, &mut rng).collect();
        histories.push(History::new(times.len() as u32, unit * times.last().copied().unwrap_or(0.0), unit * age).unwrap());
        names.push(format!("{group}"));
    }
    (histories, names)
}

fn fit_groups(histories: &[History], weights: impl Fn(usize) -> f64, names: &[String]) -> GroupFits<ParetoNbd> {
    let mut customers = Customers::new(TimeUnit::Week);
    for (i, &history) in histories.iter().enumerate() {
        let row = Customer { id: &i.to_string(), history, average_spend: 0.0, weight: weights(i), purchases: None };
        customers.push(row).unwrap();
    }
    Estimator::<ParetoNbd>::new().fit_groups(&customers, names).unwrap()
}

#[test]
fn weights_and_unit_do_not_matter_to_groups() {
    let (histories, names) = in_groups(4, 500, 1.0);
    let times = |i: usize| 1 + i % 3;
    let weighted = fit_groups(&histories, |i| times(i) as f64, &names);
    let repeated: Vec<(History, String)> =
        (0..names.len()).flat_map(|i| std::iter::repeat_n((histories[i], names[i].clone()), times(i))).collect();
    let (rows, of): (Vec<History>, Vec<String>) = repeated.into_iter().unzip();
    let repeated = fit_groups(&rows, |_| 1.0, &of);
    let days = fit_groups(&in_groups(4, 500, 7.0).0, |i| times(i) as f64, &names);
    for ((one, other), days) in weighted.groups().iter().zip(repeated.groups()).zip(days.groups()) {
        // The rounds end where nothing moves by more than a small part of a standard error, and sums in another order may take another last step.
        for i in 0..4 {
            let (estimate, error) = (one.partial().model().parameters()[i], one.partial().standard_error(i).unwrap());
            let unit = if ParetoNbd::PARAMETERS[i].kind == ParameterKind::Scale { 7.0 } else { 1.0 };
            let moved = [other.partial().model().parameters()[i], days.partial().model().parameters()[i] / unit]
                .map(|there| (there - estimate).abs() / error);
            assert!(moved.iter().all(|moved| *moved < 1e-3), "{} of {}: {moved:?}", ParetoNbd::PARAMETERS[i].name, one.name());
        }
    }
    assert!((weighted.ln_marginal_likelihood() / repeated.ln_marginal_likelihood() - 1.0).abs() < 1e-8);
}

/// All bits of all kinds of fits to more rows than one thread takes at a time.
fn everything(threads: usize) -> Vec<Vec<u64>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let truncated: CensoredCustomers<Truncated> = of_rows(truncated(12_000, 1.0).into_iter().map(|row| (row, 1.0)));
        let counted = of_rows(counted(12_000, 1.0).into_iter().map(|row| (row, 1.0)));
        let table = histograms(800, 60, 1.0);
        assert!(truncated.len() > 10_000 && counted.len() > 10_000 && table.len() > 10_000);
        let (histories, names) = in_groups(4, 3_000, 1.0);
        let groups = fit_groups(&histories, |_| 1.0, &names);
        let mut all = vec![
            bits(&fit::<ParetoNbd, Truncated>(&truncated)),
            bits(&fit::<BgNbd, Truncated>(&truncated)),
            bits(&fit::<ParetoNbd, PeriodCounts>(&counted)),
            bits(&fit::<BgNbd, PeriodCounts>(&counted)),
            bits(&fit::<ParetoNbd, CrossSection>(&table)),
            vec![groups.ln_marginal_likelihood().to_bits()],
        ];
        all.extend(groups.groups().iter().map(|group| bits(group.partial())));
        all
    })
}

#[test]
fn one_and_eight_threads_give_the_same_bits() {
    assert!(everything(1) == everything(8), "eight threads give other bits than one");
}
