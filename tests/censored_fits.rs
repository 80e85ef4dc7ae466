//! Fits to simulated customers of whom less is known than a history: the truth is recovered, and what a naive fit makes of the same data.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    BgNbd, Bootstrap, CalendarCount, CensoredCustomers, CensoredFuture, CensoredLikelihood, CrossSection, Customer, CustomerList,
    CustomerTraits, Customers, Date, ErrorKind, Estimable, Estimator, EveryCustomer, Fit, FitStatus, Fitted, History, LastCell,
    LeftTruncated, Level, MbgNbd, NoticeKind, OnlySeen, ParetoNbd, PeriodCounts, Prior, PurchaseModel, Resampling, SeenThrough, Simulate,
    TimeUnit, random_stream,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Estimates lie this many standard errors from the truth at most.
const STANDARD_ERRORS: f64 = 4.0;

/// A customer on the calendar: born a time after the start of the log (before it, when negative), with all purchases up to `end` and what comes in
/// `horizon` after it.
struct Drawn {
    born: f64,
    purchases: Vec<f64>,
    future: usize,
}

fn draw(traits: CustomerTraits, born: f64, end: f64, horizon: f64, rng: &mut ChaCha8Rng) -> Drawn {
    let times: Vec<f64> = traits.purchase_times(end + horizon - born, rng).map(|time| born + time).collect();
    let known = times.iter().take_while(|time| **time <= end).count();
    Drawn { born, future: times.len() - known, purchases: times[..known].to_vec() }
}

/// To a grid, in which equal rows are found: the likelihood is that of the rounded times.
fn rounded(time: f64) -> f64 {
    (time * 4.0).round() / 4.0
}

/// (x, t_x, C) of the log alone.
fn seen(customer: &Drawn, end: f64) -> History {
    let start = customer.born.max(0.0);
    let purchases: Vec<f64> = customer.purchases.iter().copied().filter(|time| *time > start).collect();
    let last = purchases.last().map_or(0.0, |last| rounded((last - start).min(end - start)));
    History::new(purchases.len() as u32, last.min(rounded(end - start)), rounded(end - start)).unwrap()
}

/// Customers born uniformly over three years, of which the log holds the last one: 52 weeks.
fn middle_of_the_story<M: Simulate>(model: &M, customers: usize, seed: u64) -> Vec<Drawn> {
    last_third(model, customers, 52.0, seed)
}

/// Customers born uniformly over a time of which the log holds the last third, and what they buy in the year after.
fn last_third<M: Simulate>(model: &M, customers: usize, end: f64, seed: u64) -> Vec<Drawn> {
    (0..customers)
        .map(|i| {
            let mut rng = random_stream(seed, i as u64);
            let born = end - 3.0 * end * rng.random::<f64>();
            let born = if born < 0.0 { -rounded(-born).max(0.25) } else { rounded(born) };
            let traits = model.draw_traits(&mut rng);
            draw(traits, born, end, 52.0, &mut rng)
        })
        .collect()
}

fn truncated<L: CustomerList>(drawn: &[Drawn]) -> (CensoredCustomers<LeftTruncated<L>>, f64) {
    let mut customers = CensoredCustomers::new(TimeUnit::Week);
    let mut future = 0.0;
    for customer in drawn {
        let history = seen(customer, 52.0);
        if customer.born >= 0.0 {
            customers.push(LeftTruncated::born_within(history), 1.0).unwrap();
        } else if let Ok(row) = LeftTruncated::born_before(-customer.born, history) {
            customers.push(row, 1.0).unwrap();
        } else {
            // Not on the list.
            continue;
        }
        future += customer.future as f64;
    }
    (customers, future)
}

/// Everybody new when first seen: what a log that starts in the middle looks like to those who do not know.
fn naive(drawn: &[Drawn]) -> Customers {
    after_run_in(drawn, 52.0, 0.0).0
}

/// The same of those first seen after a run-in, with what they buy in the year after the log.
fn after_run_in(drawn: &[Drawn], end: f64, run_in: f64) -> (Customers, f64) {
    let mut customers = Customers::new(TimeUnit::Week);
    let mut future = 0.0;
    for (i, customer) in drawn.iter().enumerate() {
        let first = if customer.born >= 0.0 { Some(customer.born) } else { customer.purchases.iter().copied().find(|time| *time > 0.0) };
        let Some(first) = first.filter(|first| *first >= run_in) else { continue };
        future += customer.future as f64;
        let later = Drawn { born: first, purchases: customer.purchases.iter().copied().filter(|time| *time > first).collect(), future: 0 };
        let row = Customer { id: &i.to_string(), history: seen(&later, end), average_spend: 0.0, weight: 1.0, purchases: None };
        customers.push(row).unwrap();
    }
    (customers, future)
}

#[track_caller]
fn assert_recovered<M: Estimable>(fitted: &Fitted<M>, truth: &[f64]) {
    assert_eq!(fitted.status(), FitStatus::Converged);
    let estimate = fitted.model().parameters();
    for (i, &expected) in truth.iter().enumerate() {
        let errors = (estimate[i] / expected).ln() / (fitted.standard_error(i).unwrap() / estimate[i]);
        println!("{} {}: {:.4} for {expected}, {errors:+.2} standard errors", M::NAME, M::PARAMETERS[i].name, estimate[i]);
        assert!(errors.abs() < STANDARD_ERRORS, "{} {}: {} against {expected}", M::NAME, M::PARAMETERS[i].name, estimate[i]);
    }
}

fn expected_total<L: CustomerList, M: CensoredFuture<LeftTruncated<L>>>(model: &M, customers: &CensoredCustomers<LeftTruncated<L>>) -> f64 {
    customers.rows().map(|(row, weight)| weight * model.censored_expected_purchases(row, 52.0)).sum()
}

/// The largest distance of an estimate from the truth, in standard errors.
fn worst<M: Estimable>(fitted: &Fitted<M>, truth: &[f64]) -> f64 {
    let estimate = fitted.model().parameters();
    (0..truth.len()).map(|i| ((estimate[i] / truth[i]).ln() / (fitted.standard_error(i).unwrap() / estimate[i])).abs()).fold(0.0, f64::max)
}

const PARETO: [f64; 4] = [0.55, 10.6, 0.61, 11.7];
const BETA_GEOMETRIC: [f64; 4] = [0.6, 6.0, 0.9, 2.4];

#[test]
fn left_truncated_pareto_nbd_recovers_the_truth() {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    let drawn = middle_of_the_story(&model, 50_000, 71);

    assert_list::<ParetoNbd, EveryCustomer>(&drawn, &PARETO);
    assert_list::<ParetoNbd, OnlySeen>(&drawn, &PARETO);
    // Taken for new when first seen, the survivors make customers look more loyal than they are.
    let rows = naive(&drawn);
    let naive = ParetoNbd::fit(&rows).unwrap();
    let total: f64 = (0..rows.len()).map(|i| naive.model().conditional_expected_purchases(&rows.history(i), 52.0)).sum();
    println!("naive: {total:.0} purchases in the next year");
    println!("naive: {:?}, {:.1} standard errors", naive.model(), worst(&naive, &PARETO));
    assert!(worst(&naive, &PARETO) > STANDARD_ERRORS);
}

/// A list of those who bought, with a few who did not, is taken for one of everybody: the fit says that it can hardly be one.
#[test]
fn a_list_with_far_too_few_silent_customers_is_doubted() {
    fn doubts<M: CensoredLikelihood<LeftTruncated<EveryCustomer>>>(customers: &CensoredCustomers<LeftTruncated<EveryCustomer>>) -> bool {
        let fitted = Estimator::<SeenThrough<M, LeftTruncated<EveryCustomer>>>::new().fit(customers).unwrap();
        fitted.notices().iter().any(|notice| notice.kind == NoticeKind::FewSilent && notice.message.contains("would have bought nothing"))
    }
    let drawn = middle_of_the_story(&ParetoNbd::from_parameters(&PARETO).unwrap(), 5_000, 79);
    let all = truncated::<EveryCustomer>(&drawn).0;
    let mut few = CensoredCustomers::new(TimeUnit::Week);
    let mut silent = 0;
    for (row, weight) in all.rows() {
        silent += usize::from(row.before() > 0.0 && row.history().frequency() == 0);
        if row.before() == 0.0 || row.history().frequency() > 0 || silent <= 5 {
            few.push(*row, weight).unwrap();
        }
    }
    assert!(silent > 500 && few.rows().count() < all.rows().count());
    assert!(!doubts::<ParetoNbd>(&all) && doubts::<ParetoNbd>(&few));
    assert!(!doubts::<BgNbd>(&all) && doubts::<BgNbd>(&few));
}

/// Parameters recovered, and the purchases of the next year forecast within 3 %.
fn assert_list<M: CensoredLikelihood<LeftTruncated<L>> + CensoredFuture<LeftTruncated<L>>, L: CustomerList>(
    drawn: &[Drawn],
    truth: &[f64],
) {
    let (customers, future) = truncated::<L>(drawn);
    let fitted = Estimator::<SeenThrough<M, LeftTruncated<L>>>::new().fit(&customers).unwrap();
    assert_recovered(&fitted, truth);
    let total = expected_total(&fitted.model().model(), &customers);
    println!("only seen {}: {total:.0} for {future}, {:+.1} %", L::ONLY_SEEN, 100.0 * (total / future - 1.0));
    assert!((total / future - 1.0).abs() < 0.03);
}

fn assert_beta_geometric<M>(model: M, seed: u64)
where
    M: Simulate + Fit + CensoredLikelihood<LeftTruncated<EveryCustomer>> + CensoredLikelihood<LeftTruncated<OnlySeen>>,
    M: CensoredFuture<LeftTruncated<EveryCustomer>> + CensoredFuture<LeftTruncated<OnlySeen>>,
{
    let drawn = middle_of_the_story(&model, 20_000, seed);
    assert_list::<M, EveryCustomer>(&drawn, &BETA_GEOMETRIC);
    assert_list::<M, OnlySeen>(&drawn, &BETA_GEOMETRIC);
    let naive = M::fit(&naive(&drawn)).unwrap();
    println!("naive {}: {:?}, {:.1} standard errors", M::NAME, naive.model(), worst(&naive, &BETA_GEOMETRIC));
    assert!(worst(&naive, &BETA_GEOMETRIC) > STANDARD_ERRORS);
}

/// The fit to those first seen after a run-in: its worst parameter in standard errors, and the bias of the purchases of the year after.
fn of_run_in(drawn: &[Drawn], end: f64, run_in: f64, truth: &[f64]) -> (Fitted<ParetoNbd>, f64, f64) {
    let (rows, future) = after_run_in(drawn, end, run_in);
    let fitted = ParetoNbd::fit(&rows).unwrap();
    let total: f64 = (0..rows.len()).map(|i| fitted.model().conditional_expected_purchases(&rows.history(i), 52.0)).sum();
    let (off, bias) = (worst(&fitted, truth), total / future - 1.0);
    println!("run-in {run_in}: {} customers, {:?}, {off:.1} standard errors, total {:+.1} %", rows.len(), fitted.model(), 100.0 * bias);
    (fitted, off, bias)
}

#[test]
fn a_run_in_recovers_the_truth_when_it_is_long_enough() {
    // Some 15 purchases a year while they stay; a log of two years, and four before it.
    const FREQUENT: [f64; 4] = [2.5, 8.0, 0.61, 11.7];
    let drawn = last_third(&ParetoNbd::from_parameters(&FREQUENT).unwrap(), 50_000, 104.0, 74);
    let path: Vec<f64> = [0.0, 13.0, 26.0].iter().map(|&run_in| of_run_in(&drawn, 104.0, run_in, &FREQUENT).1).collect();
    let (fitted, off, bias) = of_run_in(&drawn, 104.0, 52.0, &FREQUENT);
    assert_recovered(&fitted, &FREQUENT);
    assert!(bias.abs() < 0.03 && off < path[1] && path[1] < path[0] && path[0] > 2.0 * STANDARD_ERRORS, "{off} {path:?}");
    // Of rare buyers old ones still turn up after half a year.
    let drawn = last_third(&ParetoNbd::from_parameters(&PARETO).unwrap(), 50_000, 104.0, 75);
    assert!(of_run_in(&drawn, 104.0, 0.0, &PARETO).1 > 2.0 * STANDARD_ERRORS);
    assert!(of_run_in(&drawn, 104.0, 26.0, &PARETO).1 > STANDARD_ERRORS);
    let (fitted, _, bias) = of_run_in(&drawn, 104.0, 52.0, &PARETO);
    assert_recovered(&fitted, &PARETO);
    assert!(bias.abs() < 0.03, "{bias}");
}

#[test]
fn left_truncated_bg_nbd_recovers_the_truth() {
    assert_beta_geometric(BgNbd::from_parameters(&BETA_GEOMETRIC).unwrap(), 72);
}

#[test]
fn left_truncated_mbg_nbd_recovers_the_truth() {
    assert_beta_geometric(MbgNbd::from_parameters(&BETA_GEOMETRIC).unwrap(), 73);
}

/// Customers born in one of 8 months, counted per month over 12 months.
fn counted<M: Simulate>(model: &M, customers: usize, seed: u64) -> CensoredCustomers<PeriodCounts> {
    let mut counted = CensoredCustomers::new(TimeUnit::Week);
    for i in 0..customers {
        let mut rng = random_stream(seed, i as u64);
        let ends: Vec<f64> = (1..=4 + i % 8).map(|month| 4.5 * month as f64).collect();
        let mut counts = vec![0; ends.len()];
        for time in model.draw_traits(&mut rng).purchase_times(ends[ends.len() - 1], &mut rng) {
            counts[ends.partition_point(|end| *end < time)] += 1;
        }
        counted.push(PeriodCounts::new(&ends, &counts).unwrap(), 1.0).unwrap();
    }
    counted
}

#[test]
fn counts_per_period_recover_the_truth() {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    assert_recovered(&Estimator::<SeenThrough<ParetoNbd, _>>::new().fit(&counted(&model, 40_000, 81)).unwrap(), &PARETO);
    let model = BgNbd::from_parameters(&BETA_GEOMETRIC).unwrap();
    assert_recovered(&Estimator::<SeenThrough<BgNbd, _>>::new().fit(&counted(&model, 40_000, 82)).unwrap(), &BETA_GEOMETRIC);
    let model = MbgNbd::from_parameters(&BETA_GEOMETRIC).unwrap();
    assert_recovered(&Estimator::<SeenThrough<MbgNbd, _>>::new().fit(&counted(&model, 40_000, 83)).unwrap(), &BETA_GEOMETRIC);
}

/// Whom the histograms of several periods count, and whether that is told.
#[derive(Clone, Copy, PartialEq)]
enum Counted {
    Apart,
    TheSame,
    TheSameByName,
}

/// How often customers buy in quarters of 13 weeks, by quarter; the last cell is open.
type Quarters = [[u64; 9]; 4];

fn quarters(model: &ParetoNbd, customers: usize, counted: Counted, seed: u64) -> Quarters {
    let mut cells = [[0; 9]; 4];
    let people = if counted == Counted::Apart { 4 * customers } else { customers };
    for i in 0..people {
        let mut rng = random_stream(seed, i as u64);
        let mut bought = [0; 4];
        model.draw_traits(&mut rng).purchase_times(52.0, &mut rng).for_each(|time| bought[((time / 13.0) as usize).min(3)] += 1);
        for quarter in 0..4 {
            if counted != Counted::Apart || i / customers == quarter {
                cells[quarter][bought[quarter].min(8)] += 1;
            }
        }
    }
    cells
}

fn tabled(quarters: &Quarters, counted: Counted) -> CensoredCustomers<CrossSection> {
    let mut table = CensoredCustomers::new(TimeUnit::Week);
    for (since, cells) in [0.0, 13.0, 26.0, 39.0].into_iter().zip(quarters) {
        let customers = cells.iter().sum();
        match counted {
            Counted::TheSameByName => table.push_cohort_histogram(7, since, 13.0, cells, LastCell::OrMore, customers).unwrap(),
            Counted::Apart | Counted::TheSame => table.push_histogram(since, 13.0, cells, LastCell::OrMore, customers).unwrap(),
        }
    }
    table
}

/// Histograms of 13 weeks at four ages.
fn histograms(model: &ParetoNbd, customers: usize, counted: Counted, seed: u64) -> CensoredCustomers<CrossSection> {
    tabled(&quarters(model, customers, counted, seed), counted)
}

type CrossSections<'a> = Estimator<'a, SeenThrough<ParetoNbd, CrossSection>>;

fn is_composite<M: Estimable>(fitted: &Fitted<M>) -> bool {
    fitted.notices().iter().any(|notice| notice.kind == NoticeKind::CompositeLikelihood)
}

#[test]
fn cross_sections_recover_the_truth() {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    let fitted = CrossSections::new().fit(&histograms(&model, 30_000, Counted::Apart, 91)).unwrap();
    assert_recovered(&fitted, &PARETO);
    assert!(is_composite(&fitted));
    let fitted = CrossSections::new().fit(&histograms(&model, 30_000, Counted::TheSameByName, 92)).unwrap();
    assert_recovered(&fitted, &PARETO);
    assert!(!is_composite(&fitted));
}

#[test]
fn intervals_of_cross_sections_of_the_same_customers_cover() {
    const SAMPLES: usize = 60;
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    let samples: Vec<Quarters> = (0..SAMPLES).map(|i| quarters(&model, 4_000, Counted::TheSame, 200 + i as u64)).collect();
    let fits = |counted| -> Vec<_> { samples.iter().map(|sample| CrossSections::new().fit(&tabled(sample, counted)).unwrap()).collect() };
    let (named, unnamed) = (fits(Counted::TheSameByName), fits(Counted::TheSame));
    let stated = |fits: &[Fitted<_>], i: usize| {
        let error =
            |fitted: &Fitted<SeenThrough<ParetoNbd, CrossSection>>| fitted.standard_error(i).unwrap() / fitted.model().parameters()[i];
        fits.iter().map(error).sum::<f64>() / SAMPLES as f64
    };
    let covered = |fits: &[Fitted<SeenThrough<ParetoNbd, CrossSection>>], i: usize| {
        let holds =
            |fitted: &&Fitted<_>| fitted.interval(i, Level::default()).is_some_and(|(lower, upper)| (lower..upper).contains(&PARETO[i]));
        fits.iter().filter(holds).count() as f64 / SAMPLES as f64
    };
    for (i, truth) in PARETO.iter().enumerate() {
        let logs: Vec<f64> = named.iter().map(|fitted| fitted.model().parameters()[i].ln()).collect();
        let mean = logs.iter().sum::<f64>() / SAMPLES as f64;
        let sd = (logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / (SAMPLES - 1) as f64).sqrt();
        let (own, other) = (stated(&named, i), stated(&unnamed, i));
        println!(
            "{}: varies by {sd:.3}, stated {own:.3} ({other:.3} without names), 90 % cover {:.2} ({:.2})",
            SeenThrough::<ParetoNbd, CrossSection>::PARAMETERS[i].name,
            covered(&named, i),
            covered(&unnamed, i)
        );
        // Four standard errors of a share of 0.9 and, relative, of a standard deviation, in 60 samples.
        assert!((covered(&named, i) - 0.9).abs() < 0.155);
        assert!((sd / own - 1.0).abs() < 0.37);
        assert!((mean - truth.ln()).abs() < 4.0 * sd / (SAMPLES as f64).sqrt());
    }
    // Periods of the same customers tell less of how often they buy (alpha) than the likelihood takes them to, and more of who leaves (s).
    assert!(stated(&unnamed, 1) < 0.9 * stated(&named, 1) && covered(&unnamed, 1) < covered(&named, 1));
    assert!(stated(&unnamed, 2) > 1.05 * stated(&named, 2));
    // The estimate itself is the same.
    assert_eq!(named[0].model(), unnamed[0].model());
}

#[test]
fn a_bootstrap_of_cross_sections_draws_the_same_customers_again() {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    for counted in [Counted::Apart, Counted::TheSameByName] {
        let table = histograms(&model, 6_000, counted, 300);
        let fitted = CrossSections::new().fit(&table).unwrap();
        let bootstrap = CrossSections::new().bootstrap(&table, Resampling::Parametric, 60, 8).unwrap();
        let sd = sd_of_log(&bootstrap, 1);
        let error = fitted.standard_error(1).unwrap() / fitted.model().parameters()[1];
        println!("ln alpha varies by {sd:.3}, the fit says {error:.3}");
        assert!((sd / error - 1.0).abs() < 0.37, "{sd} against {error}");
        let cases = CrossSections::new().bootstrap(&table, Resampling::Cases, 2, 8);
        assert_eq!(cases.is_err(), counted == Counted::TheSameByName);
    }
}

#[test]
fn bootstraps_of_counts_per_period_agree_with_the_curvature() {
    let customers = counted(&ParetoNbd::from_parameters(&PARETO).unwrap(), 8_000, 85);
    let estimator = Estimator::<SeenThrough<ParetoNbd, PeriodCounts>>::new();
    let fitted = estimator.fit(&customers).unwrap();
    for resampling in [Resampling::Cases, Resampling::Parametric] {
        let sd = sd_of_log(&estimator.bootstrap(&customers, resampling, 60, 9).unwrap(), 0);
        let error = fitted.standard_error(0).unwrap() / fitted.model().parameters()[0];
        println!("{resampling:?}: ln r varies by {sd:.3}, the fit says {error:.3}");
        assert!((sd / error - 1.0).abs() < 0.37, "{resampling:?}: {sd} against {error}");
    }
    // Born on the last day: drawn anew as what they are.
    let mut with_newborn = CensoredCustomers::new(TimeUnit::Day);
    let first: Date = "1997-01-31".parse().unwrap();
    let january = CalendarCount { start: "1997-01-01".parse().unwrap(), end: first, purchases: 1 };
    with_newborn.push(PeriodCounts::of_calendar(first, &[january], TimeUnit::Day).unwrap(), 3.0).unwrap();
    for i in 0..200 {
        with_newborn.push(PeriodCounts::new(&[30.0, 60.0, 90.0], &[i % 3, i % 2, i % 5]).unwrap(), 1.0).unwrap();
    }
    assert!(estimator.bootstrap(&with_newborn, Resampling::Parametric, 2, 9).is_ok());
    // Calendar months: the row keeps the last one with a purchase, and not the others.
    let mut months = CensoredCustomers::new(TimeUnit::Day);
    for i in 0..200 {
        months.push(PeriodCounts::new(&[31.0, 59.0, 90.0], &[i % 3, i % 2, i % 5]).unwrap(), 1.0).unwrap();
    }
    assert!(estimator.bootstrap(&months, Resampling::Cases, 2, 9).is_ok());
    let error = estimator.bootstrap(&months, Resampling::Parametric, 2, 9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Parameter);
    assert!(error.to_string().contains("Resampling::Cases"), "{error}");
}

fn sd_of_log<M: Estimable>(bootstrap: &Bootstrap<M>, parameter: usize) -> f64 {
    let logs: Vec<f64> = bootstrap.models().iter().map(|model| model.parameters()[parameter].ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    (logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / (logs.len() - 1) as f64).sqrt()
}

#[test]
fn histograms_of_a_cohort_that_contradict_each_other_are_refused() {
    let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    table.push_cohort_histogram(3, 0.0, 13.0, &[620, 210, 170], LastCell::OrMore, 1000).unwrap();
    let refused = |since, cells: &[u64]| {
        let customers = cells.iter().sum();
        table.clone().push_cohort_histogram(3, since, 13.0, cells, LastCell::OrMore, customers).unwrap_err().to_string()
    };
    let error = refused(12.0, &[620, 210, 170]);
    assert!(error.starts_with("the histogram of cohort 3") && error.contains("overlaps the one 13 long that starts at 0"), "{error}");
    let error = refused(13.0, &[520, 210, 170]);
    assert!(error.contains("has 900 customers, but 1000 in the period that starts at 0"), "{error}");
    assert!(table.push_cohort_histogram(3, 13.0, 13.0, &[800, 200], LastCell::OrMore, 1000).is_ok());
    assert!(table.push_cohort_histogram(4, 13.0, 13.0, &[80, 20], LastCell::OrMore, 100).is_ok());
}

/// Periods that follow each other overlap by a rounding of their ends: months in weeks, quarters and months of a year's twelfth.
#[test]
fn periods_without_a_gap_are_taken() {
    for length in [30.4375 / 7.0, 365.25 / 12.0 / 7.0 * 3.0, 13.0 / 3.0] {
        let (mut table, mut overlapping) = (CensoredCustomers::<CrossSection>::new(TimeUnit::Week), 0);
        for k in 0..24 {
            let since = f64::from(k) * length;
            overlapping += i32::from(f64::from(k - 1) * length + length > since);
            let cells = [700 + 5 * k as u64, 200 - 3 * k as u64, 100 - 2 * k as u64];
            table.push_cohort_histogram(3, since, length, &cells, LastCell::OrMore, 1000).unwrap();
        }
        assert!(overlapping > 0, "none of these follow each other with a rounding");
        for since in [0.0, 11.0 * length, 11.5 * length, 23.0 * length] {
            assert!(table.push_cohort_histogram(3, since, length, &[800, 200], LastCell::OrMore, 1000).is_err());
        }
    }
    // However short for their age, the same period counts once.
    let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    table.push_cohort_histogram(3, 1e12, 1.0, &[800, 200], LastCell::OrMore, 1000).unwrap();
    assert!(table.push_cohort_histogram(3, 1e12, 1.0, &[800, 200], LastCell::OrMore, 1000).is_err());
    assert!(table.push_cohort_histogram(3, 1e12 + 1.0, 1.0, &[800, 200], LastCell::OrMore, 1000).is_ok());
}

/// What few customers of named histograms leave open, the prior does.
#[test]
fn with_a_prior_the_less_the_data_say_the_more_is_left_open() {
    let errors_of_logs = |cells: [[u64; 4]; 4], prior| {
        let mut table = CensoredCustomers::new(TimeUnit::Week);
        for (since, cells) in [0.0, 13.0, 26.0, 39.0].into_iter().zip(&cells) {
            table.push_cohort_histogram(7, since, 13.0, cells, LastCell::OrMore, cells.iter().sum()).unwrap();
        }
        let fitted = CrossSections::new().prior(Some(prior)).fit(&table).unwrap();
        [0, 1, 2, 3].map(|i| fitted.standard_error(i).unwrap() / fitted.model().parameters()[i])
    };
    // Two customers against a prior that is worth hundreds: the error is the prior's, but for the little they say.
    let narrow = errors_of_logs([[1, 1, 0, 0], [1, 1, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0]], Prior::log_normal(0.05).unwrap());
    assert!(narrow.iter().all(|error| (error / 0.05 - 1.0).abs() < 0.01), "{narrow:?}");
    // A hundred customers and a weak prior: beta, of which they say least, is nearly as open as the prior leaves it.
    let weak = errors_of_logs([[72, 16, 7, 5], [80, 11, 5, 4], [84, 9, 4, 3], [86, 8, 3, 3]], Prior::weak());
    println!("{weak:?}");
    assert!((weak[3] - 1.62).abs() < 0.01, "{weak:?}");
    // As many again a hundred times over: now they speak for themselves.
    let many =
        errors_of_logs([[7200, 1600, 700, 500], [8000, 1100, 500, 400], [8400, 900, 400, 300], [8600, 800, 300, 300]], Prior::weak());
    assert!(weak.iter().zip(&many).all(|(weak, many)| many < weak), "{weak:?} {many:?}");
}

#[test]
fn periods_of_one_age_are_refused() {
    let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    table.push_histogram(0.0, 13.0, &[620, 210, 170], LastCell::Exactly, 1000).unwrap();
    table.push_histogram(0.0, 26.0, &[520, 210, 270], LastCell::Exactly, 1000).unwrap();
    let error = Estimator::<SeenThrough<ParetoNbd, CrossSection>>::new().fit(&table).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fit);
}

#[test]
fn rows_in_any_order_and_as_weights_give_the_same_bits() {
    let model = ParetoNbd::from_parameters(&PARETO).unwrap();
    let forward = counted(&model, 2_000, 84);
    let mut backward = CensoredCustomers::new(TimeUnit::Week);
    for i in (0..forward.len()).rev() {
        backward.push(*forward.row(i), 1.0).unwrap();
    }
    type Counted = SeenThrough<ParetoNbd, PeriodCounts>;
    let (one, other) = (Estimator::<Counted>::new().fit(&forward).unwrap(), Estimator::<Counted>::new().fit(&backward).unwrap());
    assert_eq!(one.model(), other.model());
    // Three copies of each row, and each row with a weight of three.
    let (mut copies, mut weights) = (CensoredCustomers::new(TimeUnit::Week), CensoredCustomers::new(TimeUnit::Week));
    for (row, _) in forward.rows() {
        (0..3).for_each(|_| copies.push(*row, 1.0).unwrap());
        weights.push(*row, 3.0).unwrap();
    }
    let (copies, weights) = (Estimator::<Counted>::new().fit(&copies).unwrap(), Estimator::<Counted>::new().fit(&weights).unwrap());
    assert_eq!(copies.model(), weights.model());
    assert!(Estimator::<Counted>::new().prior(Prior::weak()).fit(&forward).unwrap().prior().is_some());
}

#[test]
fn histograms_that_do_not_add_up_are_refused() {
    let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
    let error = table.push_histogram(13.0, 13.0, &[620, 210, 90], LastCell::OrMore, 1000).unwrap_err().to_string();
    assert!(error.contains("the period 13 long that starts at 13") && error.contains("add up to 920, but the cohort has 1000"), "{error}");
    assert!(table.is_empty());
}

#[test]
fn bootstraps_of_left_truncated_customers_agree_with_the_curvature() {
    let drawn = middle_of_the_story(&ParetoNbd::from_parameters(&PARETO).unwrap(), 4_000, 76);
    let (customers, _) = truncated::<OnlySeen>(&drawn);
    let estimator = Estimator::<SeenThrough<ParetoNbd, LeftTruncated<OnlySeen>>>::new();
    let fitted = estimator.fit(&customers).unwrap();
    for resampling in [Resampling::Cases, Resampling::Parametric] {
        let bootstrap = estimator.bootstrap(&customers, resampling, 60, 7).unwrap();
        let sd = sd_of_log(&bootstrap, 0);
        let error = fitted.standard_error(0).unwrap() / fitted.model().parameters()[0];
        println!("{resampling:?}: ln r varies by {sd:.3}, the fit says {error:.3}");
        // A standard deviation of 60 has an error of 9 %: four of these.
        assert!((sd / error - 1.0).abs() < 0.37, "{resampling:?}: {sd} against {error}");
    }
}
