//! Simulation against closed forms: what customers drawn by each model's story do on average is what the model's formulas say.
//!
//! 200,000 customers per set of parameters, fixed seeds, agreement within 4 standard errors. The story is told in one way (draw rates, toss
//! coins, wait for exponential times), the formulas are derived in another, so that a slip in either shows.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

#[path = "common/cdnow_like.rs"]
mod cdnow_like;

use std::collections::HashMap;
use std::rc::Rc;

use clv::{
    AcquisitionCohort, AnyPurchaseModel, BgNbd, CustomerTraits, Estimable, GammaGamma, GammaGammaParams, History, MbgNbd, Nbd, ParetoNbd,
    Population, PurchaseModel, Retention, Simulate, SpendHistory, TimeUnit, Truth, random_stream,
};
use rand_chacha::ChaCha8Rng;

use cdnow_like::{cdnow_like, day, pareto_nbd};

const CUSTOMERS: usize = 200_000;

/// Agreement, in standard errors.
const WITHIN: f64 = 4.0;

/// Comparisons of simulated with exact figures; failures are collected, so that one run shows them all.
struct Comparison {
    subject: String,
    made: usize,
    failed: Vec<String>,
}

impl Comparison {
    fn of(subject: impl Into<String>) -> Self {
        Comparison { subject: subject.into(), made: 0, failed: Vec::new() }
    }

    fn agrees(&mut self, what: impl std::fmt::Display, simulated: f64, exact: f64, standard_error: f64) {
        self.made += 1;
        // Sums over 200,000 customers carry this much rounding.
        let tolerance = WITHIN * standard_error + 1e-9 * exact.abs();
        if !((simulated - exact).abs() <= tolerance) {
            let errors = (simulated - exact) / standard_error;
            self.failed.push(format!("{what}: simulated {simulated}, exact {exact}, {errors:.1} standard errors apart"));
        }
    }

    /// The mean of a sample.
    fn mean(&mut self, what: impl std::fmt::Display, sample: impl Iterator<Item = f64> + Clone, exact: f64) {
        let n = sample.clone().count() as f64;
        let mean = sample.clone().sum::<f64>() / n;
        let variance = sample.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        self.agrees(what, mean, exact, (variance / n).sqrt());
    }

    /// The share of a sample of `n` that has a property of probability `exact`.
    fn share(&mut self, what: impl std::fmt::Display, having: usize, n: usize, exact: f64) {
        let n = n as f64;
        // Where hardly one customer in all is to be expected, a count of 4 is still no surprise.
        let variance = (n * exact * (1.0 - exact)).max(1.0);
        self.agrees(what, having as f64 / n, exact, variance.sqrt() / n);
    }

    /// How often events came true whose probabilities were forecast one by one.
    fn calibrated(&mut self, what: impl std::fmt::Display, forecasts: impl Iterator<Item = (f64, bool)>) {
        let (mut expected, mut variance, mut happened) = (0.0, 0.0, 0.0);
        for (p, came_true) in forecasts {
            expected += p;
            variance += p * (1.0 - p);
            happened += f64::from(u8::from(came_true));
        }
        self.agrees(what, happened, expected, variance.sqrt());
    }

    /// Totals of figures that were forecast one by one.
    fn adds_up(&mut self, what: impl std::fmt::Display, forecasts: impl Iterator<Item = (f64, f64)>) {
        let (mut expected, mut squares, mut happened) = (0.0, 0.0, 0.0);
        for (forecast, actual) in forecasts {
            expected += forecast;
            squares += (actual - forecast).powi(2);
            happened += actual;
        }
        self.agrees(what, happened, expected, squares.sqrt());
    }
}

impl Drop for Comparison {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.made > 0, "{}: nothing compared", self.subject);
            assert!(self.failed.is_empty(), "{}\n{}", self.subject, self.failed.join("\n"));
        }
    }
}

/// Three customer bases per model; the first is like CDNOW.
const BG_NBD: [[f64; 4]; 3] = [[0.243, 4.414, 0.793, 2.426], [1.4, 20.0, 0.5, 6.0], [0.6, 3.0, 2.5, 4.0]];
const MBG_NBD: [[f64; 4]; 3] = [[0.525, 6.183, 0.891, 1.614], [1.4, 20.0, 0.5, 6.0], [0.2, 3.0, 2.5, 4.0]];
const PARETO_NBD: [[f64; 4]; 3] = [[0.553, 10.578, 0.606, 11.669], [1.8, 30.0, 2.2, 40.0], [0.3, 6.0, 1.0, 90.0]];
const NBD: [[f64; 2]; 3] = [[0.385, 12.07], [2.5, 25.0], [0.05, 2.0]];

fn bases(name: &str, parameters: &[impl AsRef<[f64]>]) -> Vec<(String, AnyPurchaseModel)> {
    let base = |parameters: &[f64]| (format!("{name} {parameters:?}"), AnyPurchaseModel::from_name(name, parameters).unwrap());
    parameters.iter().map(|parameters| base(parameters.as_ref())).collect()
}

/// What a model says of a new customer, or of one with a history.
struct Formulas {
    model: AnyPurchaseModel,
    history: Option<History>,
}

/// Asks the method about new customers or the one about customers with a history.
macro_rules! ask {
    ($formulas:expr, $new:ident, $known:ident, $($argument:expr),*) => {
        match &$formulas.history {
            None => $formulas.model.$new($($argument),*),
            Some(history) => $formulas.model.$known(history, $($argument),*),
        }
    };
}

/// What was drawn of one customer.
struct Drawn {
    purchases: u64,
    /// Drawn without the times.
    purchases_at_once: u64,
    first: f64,
    discounted: f64,
    discounted_for_life: f64,
    alive: bool,
}

const T: f64 = 39.0;
const DELTA: f64 = 0.01;
const DELTA_FOR_LIFE: f64 = 0.03;

fn draw(traits: Option<CustomerTraits>, rng: &mut ChaCha8Rng) -> Drawn {
    let mut drawn =
        Drawn { purchases: 0, purchases_at_once: 0, first: f64::INFINITY, discounted: 0.0, discounted_for_life: 0.0, alive: false };
    let Some(traits) = traits else { return drawn };
    drawn.purchases_at_once = traits.draw_purchase_count(T, rng);
    // e^-21 of a purchase is left out of a lifetime of them.
    let life = 21.0 / DELTA_FOR_LIFE;
    for time in traits.purchase_times(f64::INFINITY, rng) {
        drawn.first = drawn.first.min(time);
        if time <= T {
            drawn.purchases += 1;
            drawn.discounted += (-DELTA * time).exp();
        }
        if time > life {
            break;
        }
        drawn.discounted_for_life += (-DELTA_FOR_LIFE * time).exp();
    }
    drawn.alive = traits.lifetime > T && drawn.purchases < traits.lifetime_purchases;
    drawn
}

fn compare_with_formulas(subject: &str, model: AnyPurchaseModel, history: Option<History>, seed: u64) {
    let mut compare = Comparison::of(format!("{subject} {history:?}"));
    let mut rng = random_stream(seed, 0);
    let future = history.map(|history| model.future_of(&history));
    let traits = |rng: &mut _| match &future {
        None => Some(model.draw_traits(rng)),
        Some(future) => future.draw_traits(rng),
    };
    let drawn: Vec<Drawn> = (0..CUSTOMERS).map(|_| draw(traits(&mut rng), &mut rng)).collect();
    let formulas = Formulas { model, history };
    let count = |property: &dyn Fn(&Drawn) -> bool| drawn.iter().filter(|drawn| property(drawn)).count();
    let purchases = drawn.iter().map(|drawn| drawn.purchases as f64);

    let expected = ask!(formulas, expected_purchases, conditional_expected_purchases, T);
    compare.mean("expected purchases", purchases.clone(), expected);
    compare.mean("expected purchases, drawn at once", drawn.iter().map(|drawn| drawn.purchases_at_once as f64), expected);
    let variance = ask!(formulas, purchase_variance, conditional_purchase_variance, T);
    compare.mean("variance", purchases.map(|x| (x - expected).powi(2)), variance);
    for n in [0, 1, 2, 3, 5, 10, 25] {
        let pmf = ask!(formulas, purchase_pmf, conditional_purchase_pmf, n, T);
        compare.share(format!("P(X = {n})"), count(&|drawn| drawn.purchases == n), CUSTOMERS, pmf);
        compare.share(format!("P(X = {n}), drawn at once"), count(&|drawn| drawn.purchases_at_once == n), CUSTOMERS, pmf);
        let sf = ask!(formulas, purchase_sf, conditional_purchase_sf, n, T);
        compare.share(format!("P(X > {n})"), count(&|drawn| drawn.purchases > n), CUSTOMERS, sf);
        let cdf = ask!(formulas, purchase_cdf, conditional_purchase_cdf, n, T);
        compare.share(format!("P(X <= {n})"), count(&|drawn| drawn.purchases <= n), CUSTOMERS, cdf);
    }
    let p_active = ask!(formulas, p_active, conditional_p_active, T);
    compare.share("P(active)", count(&|drawn| drawn.purchases > 0), CUSTOMERS, p_active);
    let p_alive_at = ask!(formulas, p_alive_at, conditional_p_alive_at, T);
    compare.share("P(alive at t)", count(&|drawn| drawn.alive), CUSTOMERS, p_alive_at);
    let discounted = ask!(formulas, discounted_expected_purchases, conditional_discounted_expected_purchases, T, DELTA);
    compare.mean("discounted purchases", drawn.iter().map(|drawn| drawn.discounted), discounted);
    let dert = ask!(formulas, dert, conditional_dert, DELTA_FOR_LIFE).unwrap();
    compare.mean("purchases for life, discounted", drawn.iter().map(|drawn| drawn.discounted_for_life), dert);
    for q in [0.02, 0.1, 0.3, 0.5, 0.9] {
        match ask!(formulas, next_purchase_quantile, conditional_next_purchase_quantile, q) {
            Some(time) => compare.share(format!("next purchase by {time}"), count(&|drawn| drawn.first <= time), CUSTOMERS, q),
            // Times beyond 1e9 weeks are not never, but next to it: nearly all who will ever buy have done so.
            None => {
                let ever = count(&|drawn| drawn.first < f64::INFINITY) as f64 / CUSTOMERS as f64;
                assert!(ever < q + 0.01, "{subject} {history:?}: {ever} buy again, yet there is no quantile {q} of the next purchase time");
            }
        }
    }
}

fn compare_new_customers(name: &str, parameters: &[impl AsRef<[f64]>]) {
    for (subject, model) in bases(name, parameters) {
        compare_with_formulas(&subject, model, None, 1);
    }
}

#[test]
fn new_bg_nbd_customers() {
    compare_new_customers("bg-nbd", &BG_NBD);
}

#[test]
fn new_mbg_nbd_customers() {
    compare_new_customers("mbg-nbd", &MBG_NBD);
}

#[test]
fn new_pareto_nbd_customers() {
    compare_new_customers("pareto-nbd", &PARETO_NBD);
}

#[test]
fn new_nbd_customers() {
    compare_new_customers("nbd", &NBD);
}

#[test]
fn futures_drawn_for_a_history() {
    let cdnow =
        [bases("bg-nbd", &BG_NBD[..1]), bases("mbg-nbd", &MBG_NBD[..1]), bases("pareto-nbd", &PARETO_NBD[..1]), bases("nbd", &NBD[..1])];
    for (subject, model) in cdnow.concat() {
        for (x, t_x) in [(0, 0.0), (2, 30.43), (7, 12.0)] {
            compare_with_formulas(&subject, model, Some(History::new(x, t_x, 38.86).unwrap()), 2);
        }
    }
}

/// The share of new customers who buy in a period of a later age is what the model expects of it.
fn compare_retention<M: Retention + Simulate>(subject: &str, model: M, seed: u64) {
    let periods = [(0.0, 4.0), (4.0, 8.0), (30.0, 34.0), (90.0, 103.0)];
    let mut active = [0; 4];
    for i in 0..CUSTOMERS {
        let mut rng = random_stream(seed, i as u64);
        let times: Vec<f64> = model.draw_traits(&mut rng).purchase_times(103.0, &mut rng).collect();
        for (count, (from, until)) in active.iter_mut().zip(periods) {
            *count += usize::from(times.iter().any(|&time| time > from && time <= until));
        }
    }
    let mut compare = Comparison::of(subject);
    for (count, (from, until)) in active.into_iter().zip(periods) {
        compare.share(format_args!("P(active in ({from}, {until}])"), count, CUSTOMERS, model.p_active_between(from, until));
    }
}

#[test]
fn retention_is_that_of_simulated_customers() {
    compare_retention("nbd", Nbd::from_parameters(&[0.385, 12.07]).unwrap(), 51);
    compare_retention("pareto-nbd", ParetoNbd::from_parameters(&[0.9, 6.0, 0.8, 14.0]).unwrap(), 52);
    compare_retention("bg-nbd", BgNbd::from_parameters(&[0.9, 6.0, 0.8, 2.4]).unwrap(), 53);
    compare_retention("mbg-nbd", MbgNbd::from_parameters(&[0.9, 6.0, 0.8, 2.4]).unwrap(), 54);
}

/// What a model says of the future of an alive customer with so many purchases at such an age: it depends on nothing else, so it is asked
/// once.
struct Future {
    expected: f64,
    second_factorial_moment: f64,
    p_active: f64,
    p_alive_at: f64,
    pmf: [f64; 4],
}

impl Future {
    fn of(model: &AnyPurchaseModel, history: &History) -> Self {
        let alive = model.given_alive(history);
        // The methods for customers with a history are P(alive) times these figures.
        let p_alive = model.p_alive(history);
        assert_eq!(model.conditional_expected_purchases(history, T), p_alive * alive.expected_purchases(T));
        assert_eq!(model.conditional_purchase_pmf(history, 2, T), p_alive * alive.purchase_pmf(2, T));
        Future {
            expected: alive.expected_purchases(T),
            second_factorial_moment: alive.second_factorial_moment(T),
            p_active: alive.p_active(T),
            p_alive_at: alive.p_alive_at(T),
            pmf: [0, 1, 2, 3].map(|n| alive.purchase_pmf(n, T)),
        }
    }
}

/// A customer's history, what is said of the future by it, and what became of them.
struct Outcome {
    p_alive: f64,
    p_dead: f64,
    future: Rc<Future>,
    alive: bool,
    alive_later: bool,
    purchases: u64,
}

/// Customers observed for 26 to 39 weeks, and then for 39 more.
fn observe(model: &AnyPurchaseModel, seed: u64) -> Vec<Outcome> {
    let mut rng = random_stream(seed, 0);
    let mut futures: HashMap<(u32, u64), Rc<Future>> = HashMap::new();
    let mut outcome = |i: usize| {
        let age = [26.0, 28.5, 32.0, 35.5, 39.0][i % 5];
        let traits = model.draw_traits(&mut rng);
        let times: Vec<f64> = traits.purchase_times(age + T, &mut rng).collect();
        let x = times.partition_point(|&time| time <= age);
        let history = History::new(x as u32, if x == 0 { 0.0 } else { times[x - 1] }, age).unwrap();
        let future = futures.entry((history.frequency(), age.to_bits())).or_insert_with(|| Rc::new(Future::of(model, &history)));
        Outcome {
            p_alive: model.p_alive(&history),
            p_dead: model.p_dead(&history),
            future: Rc::clone(future),
            alive: traits.lifetime > age && (x as u64) < traits.lifetime_purchases,
            alive_later: traits.lifetime > age + T && (times.len() as u64) < traits.lifetime_purchases,
            purchases: (times.len() - x) as u64,
        }
    };
    (0..CUSTOMERS).map(&mut outcome).collect()
}

/// Forecasts against outcomes, customer by customer.
fn compare_forecasts(name: &str, parameters: &[impl AsRef<[f64]>]) {
    for (subject, model) in bases(name, parameters) {
        let mut compare = Comparison::of(subject);
        let outcomes = observe(&model, 3);
        let expected = |outcome: &Outcome| outcome.p_alive * outcome.future.expected;
        compare_by_tenths(&mut compare, "P(alive)", outcomes.iter().map(|o| (o.p_alive, f64::from(u8::from(o.alive)))));
        compare_by_tenths(&mut compare, "expected purchases", outcomes.iter().map(|o| (expected(o), o.purchases as f64)));
        compare.calibrated("P(dead)", outcomes.iter().map(|o| (o.p_dead, !o.alive)));
        compare.calibrated("P(alive later)", outcomes.iter().map(|o| (o.p_alive * o.future.p_alive_at, o.alive_later)));
        compare.calibrated("P(active)", outcomes.iter().map(|o| (o.p_alive * o.future.p_active, o.purchases > 0)));
        for n in 0..4 {
            let dead = |o: &Outcome| if n == 0 { o.p_dead } else { 0.0 };
            let exactly = |o: &Outcome| (dead(o) + o.p_alive * o.future.pmf[n], o.purchases == n as u64);
            compare.calibrated(format!("P(Y = {n})"), outcomes.iter().map(exactly));
        }
        let squares = |o: &Outcome| {
            let mean = expected(o);
            (o.p_alive * o.future.second_factorial_moment + mean * (1.0 - mean), (o.purchases as f64 - mean).powi(2))
        };
        compare.adds_up("variance", outcomes.iter().map(squares));
    }
}

/// In each tenth of the customers by forecast, the forecasts add up to what happened.
fn compare_by_tenths(compare: &mut Comparison, what: &str, forecasts: impl Iterator<Item = (f64, f64)>) {
    let mut forecasts: Vec<(f64, f64)> = forecasts.collect();
    forecasts.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (tenth, forecasts) in forecasts.chunks(CUSTOMERS / 10).enumerate() {
        compare.adds_up(format!("{what} in tenth {}", tenth + 1), forecasts.iter().copied());
    }
}

#[test]
fn forecasts_of_bg_nbd_customers() {
    compare_forecasts("bg-nbd", &BG_NBD);
}

#[test]
fn forecasts_of_mbg_nbd_customers() {
    compare_forecasts("mbg-nbd", &MBG_NBD);
}

#[test]
fn forecasts_of_pareto_nbd_customers() {
    compare_forecasts("pareto-nbd", &PARETO_NBD);
}

#[test]
fn forecasts_of_nbd_customers() {
    compare_forecasts("nbd", &NBD);
}

#[test]
fn a_population_on_the_calendar_is_the_same_population() {
    let simulation = cdnow_like(pareto_nbd(), CUSTOMERS, 12).simulate().unwrap();
    let (model, customers, truths) = (pareto_nbd(), simulation.customers(), simulation.truths(T));
    let mut compare = Comparison::of("CDNOW population");
    let forecasts = |forecast: &dyn Fn(&History, &Truth) -> (f64, f64)| -> Vec<(f64, f64)> {
        (0..CUSTOMERS).map(|i| forecast(&customers.history(i), &truths[i])).collect()
    };
    let bought = forecasts(&|h, _| (model.expected_purchases(h.age()), f64::from(h.frequency())));
    compare.adds_up("purchases observed", bought.into_iter());
    let alive = forecasts(&|h, truth| (model.p_alive(h), f64::from(u8::from(truth.alive_at_end))));
    compare_by_tenths(&mut compare, "P(alive)", alive.into_iter());
    let later = forecasts(&|h, truth| (model.conditional_p_alive_at(h, T), f64::from(u8::from(truth.dropped_out_at.is_none()))));
    compare_by_tenths(&mut compare, "P(alive later)", later.into_iter());
    let buys = forecasts(&|h, truth| (model.conditional_expected_purchases(h, T), truth.future_purchases as f64));
    compare_by_tenths(&mut compare, "expected purchases", buys.into_iter());
}

#[test]
fn spend_of_gamma_gamma_customers() {
    for (p, q, gamma) in [(6.25, 3.74, 15.44), (1.0, 8.0, 100.0), (0.4, 5.0, 60.0)] {
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        let mut compare = Comparison::of(format!("{model:?}"));
        let mut rng = random_stream(4, 0);
        // What each spends at ten purchases, after some that are known of.
        let (mut known, mut drawn) = (Vec::new(), Vec::new());
        for i in 0..CUSTOMERS {
            let spender = model.draw_spender(&mut rng);
            let amounts: Vec<f64> = (0..10).map(|_| spender.draw_amount(&mut rng)).collect();
            let x = 1 + i % 5;
            known.push(SpendHistory::new(x as u32, amounts[..x].iter().sum::<f64>() / x as f64).unwrap());
            drawn.push((spender, amounts));
        }
        let expected = model.expected_average_spend(&SpendHistory::UNKNOWN).unwrap();
        compare.mean("mean spend", drawn.iter().map(|(_, amounts)| amounts[0]), expected);
        compare.mean("mean of the means", drawn.iter().map(|(spender, _)| spender.mean_spend()), expected);
        for n in [1, 3, 10] {
            let mean = |amounts: &[f64]| amounts[..n].iter().sum::<f64>() / n as f64;
            for probability in [0.001, 0.1, 0.5, 0.9, 0.999] {
                let amount = model.average_spend_quantile(n as u64, probability);
                let below = drawn.iter().filter(|(_, amounts)| mean(amounts) <= amount).count();
                compare.share(format!("mean of {n} below quantile {probability}"), below, CUSTOMERS, probability);
                let above = model.total_spend_sf(n as u64, 2.0 * expected * n as f64);
                let spent = drawn.iter().filter(|(_, amounts)| mean(amounts) > 2.0 * expected).count();
                compare.share(format!("total of {n} above twice the mean"), spent, CUSTOMERS, above);
            }
        }
        let next = known.iter().zip(&drawn).map(|(known, (_, amounts))| (model.expected_average_spend(known).unwrap(), amounts[9]));
        compare_by_tenths(&mut compare, "next spend", next);
        for probability in [0.05, 0.5, 0.95] {
            let below = known
                .iter()
                .zip(&drawn)
                .filter(|(known, (_, amounts))| {
                    let next = model.given(known);
                    let total = amounts[5..].iter().sum::<f64>();
                    next.total_spend_cdf(5, total) <= probability
                })
                .count();
            compare.share(format!("total of the next 5 below quantile {probability} of what is known"), below, CUSTOMERS, probability);
        }
    }
}

#[test]
fn cohorts_arrive_when_they_should() {
    let cohorts = [("2024-02-28", 2, 500), ("2023-11-01", 30, 3000), ("2024-03-31", 1, 50)];
    let mut population = Population::new(pareto_nbd(), TimeUnit::Day, day("2024-03-31")).seed(11);
    for (first_day, days, customers) in cohorts {
        population = population.cohort(AcquisitionCohort { first_day: day(first_day), days, customers });
    }
    let simulation = population.simulate().unwrap();
    assert_eq!(simulation.len(), 3550);
    let arrivals: Vec<i32> = simulation.iter().map(|customer| customer.first_purchase().days_since_1970()).collect();
    let mut from = 0;
    for (first_day, days, customers) in cohorts {
        let first = day(first_day).days_since_1970();
        let mut per_day = vec![0; days as usize];
        arrivals[from..from + customers].iter().for_each(|arrival| per_day[(arrival - first) as usize] += 1);
        let mut compare = Comparison::of(first_day);
        for (day, &arrived) in per_day.iter().enumerate() {
            compare.share(format!("day {day}"), arrived, customers, 1.0 / f64::from(days));
        }
        from += customers;
    }
    assert_eq!((simulation.customer(0).id(), simulation.customer(3549).id()), ("0001", "3550"));
    assert!(simulation.iter().all(|customer| customer.age() > 0.0 && customer.history().recency() <= customer.age()));
}

#[test]
fn extremes_are_drawn_without_a_hitch() {
    for (name, parameters) in [
        ("nbd", &[1e-3, 1.0] as &[f64]),
        ("nbd", &[1e-12, 1e-12]),
        ("pareto-nbd", &[1e-3, 1.0, 1e-3, 1.0]),
        ("pareto-nbd", &[1.0, 1e3, 1e-6, 1e-6]),
        ("pareto-nbd", &[1e5, 1e6, 1e6, 1e-6]),
        ("bg-nbd", &[0.5, 10.0, 1e-6, 1e-6]),
        ("bg-nbd", &[0.5, 10.0, 1e-12, 1e6]),
        ("mbg-nbd", &[0.5, 10.0, 1e-3, 1e-3]),
        ("mbg-nbd", &[0.5, 10.0, 1e12, 1e-12]),
    ] {
        let model = AnyPurchaseModel::from_name(name, parameters).unwrap();
        let spend = GammaGamma::new(GammaGammaParams { p: 1e-3, q: 1e-3, gamma: 10.0 }).unwrap();
        let simulation = cdnow_like(model, 2000, 9).spend(spend).simulate().unwrap();
        let (customers, truths) = (simulation.customers(), simulation.truths(39.0));
        assert_eq!((customers.len(), truths.len()), (2000, 2000), "{name} {parameters:?}");
        let mut compare = Comparison::of(format!("{name} {parameters:?}"));
        let active = |i: usize| (model.p_active(customers.age()[i]), customers.frequency()[i] > 0);
        compare.calibrated("P(active)", (0..2000).map(active));
        let alive = |i: usize| (model.p_alive_at(customers.age()[i]), truths[i].alive_at_end);
        compare.calibrated("P(alive at T)", (0..2000).map(alive));
        assert!(simulation.customer(0).transactions().all(|row| row.amount >= 0.0 && row.amount.is_finite()));
    }
}
