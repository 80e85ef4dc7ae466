//! Customers drawn by a model's story against what its formulas say of them.

use rand_chacha::ChaCha8Rng;

use super::Points;
use super::report::{KNOWN, NEW, Recorder, Report, Rule};
use crate::data::History;
use crate::simulate::{CustomerTraits, Simulate, random_stream};

/// Standard errors between what is drawn and what is expected: 1 comparison in 16,000 lies further apart by chance, and by the same seed
/// always the same.
const STANDARD_ERRORS: f64 = 4.0;

/// The rounding of sums over many customers.
const ROUNDING: f64 = 1e-9;

/// Draws are left out where more purchases than this are expected of all customers.
const MOST_PURCHASES: f64 = 1e8;

/// A customer is not followed beyond so many purchases.
const MOST_OF_A_CUSTOMER: usize = 10_000_000;

/// Counts whose frequency is compared.
const COUNTS: std::ops::Range<u64> = 0..4;

/// Checks customers drawn from a model against its formulas, within 4 standard errors.
///
/// So many new customers are drawn at each horizon, and so many futures for each history and horizon; then customers are followed up to each
/// horizon and for as long again, and what is forecast from their histories is set against what becomes of them. The same seed draws the
/// same customers. With 10,000 of them an error of a few percent shows; what is smaller may not.
///
/// ```
/// use clv::{History, ParetoNbd, ParetoNbdParams, conformance};
///
/// let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 })?;
/// let points = conformance::Points::new(&[History::new(2, 30.43, 38.86)?], &[39.0])?;
/// conformance::check_simulation(&model, &points, 2_000, 42).assert_conforms();
/// # Ok::<(), clv::Error>(())
/// ```
pub fn check_simulation<M>(model: &M, points: &Points, customers: usize, seed: u64) -> Report
where
    M: Simulate,
    M::Alive: Simulate,
{
    let mut rec = Recorder::new(model, points.tolerances);
    let mut stream = 0;
    for &t in &points.horizons {
        rec.about(NEW, None, Some(t));
        if customers < 2 || !(customers as f64 * model.expected_purchases(2.0 * t) <= MOST_PURCHASES) {
            for rule in [Rule::SimulatedPurchases, Rule::SimulatedActivity, Rule::SimulatedSurvival, Rule::SimulatedForecasts] {
                rec.skip(rule, format!("fewer than 2 customers, or more than {MOST_PURCHASES:e} purchases expected of them"));
            }
            continue;
        }
        let mut rng = random_stream(seed, stream);
        let drawn = draw(&mut rec, customers, t, &mut rng, |rng| Some(model.draw_traits(rng)));
        compare(
            &mut rec,
            &drawn,
            &Formulas {
                expected: model.expected_purchases(t),
                p_active: model.p_active(t),
                p_alive: model.p_alive_at(t),
                pmf: &|n| model.purchase_pmf(n, t),
            },
        );
        forecasts(&mut rec, model, customers, t, &mut random_stream(seed, stream + 1));
        stream += 2;
        for history in &points.histories {
            rec.about(KNOWN, Some(*history), Some(t));
            let (future, mut rng) = (model.future_of(history), random_stream(seed, stream));
            stream += 1;
            let drawn = draw(&mut rec, customers, t, &mut rng, |rng| future.draw_traits(rng));
            compare(
                &mut rec,
                &drawn,
                &Formulas {
                    expected: model.conditional_expected_purchases(history, t),
                    p_active: model.conditional_p_active(history, t),
                    p_alive: model.conditional_p_alive_at(history, t),
                    pmf: &|n| model.conditional_purchase_pmf(history, n, t),
                },
            );
        }
    }
    rec.into_report()
}

/// One customer drawn.
struct Drawn {
    purchases: u64,
    /// Drawn without the times.
    at_once: u64,
    alive: bool,
}

/// Whether the traits are such that purchases can be drawn.
fn valid(rec: &mut Recorder, traits: CustomerTraits) -> bool {
    let CustomerTraits { purchase_rate, lifetime, .. } = traits;
    rec.between(Rule::TraitsInDomain, "a purchase rate drawn", purchase_rate, 0.0, f64::MAX);
    rec.between(Rule::TraitsInDomain, "a lifetime drawn", lifetime, 0.0, f64::INFINITY);
    (0.0..=f64::MAX).contains(&purchase_rate) && lifetime >= 0.0
}

fn draw(
    rec: &mut Recorder,
    customers: usize,
    t: f64,
    rng: &mut ChaCha8Rng,
    mut traits: impl FnMut(&mut ChaCha8Rng) -> Option<CustomerTraits>,
) -> Vec<Drawn> {
    let mut drawn = Vec::with_capacity(customers);
    for _ in 0..customers {
        drawn.push(match traits(rng) {
            Some(traits) if valid(rec, traits) => {
                let at_once = traits.draw_purchase_count(t, rng);
                let purchases = traits.purchase_times(t, &mut *rng).take(MOST_OF_A_CUSTOMER).count() as u64;
                Drawn { purchases, at_once, alive: traits.lifetime > t && purchases < traits.lifetime_purchases }
            }
            _ => Drawn { purchases: 0, at_once: 0, alive: false },
        });
    }
    drawn
}

/// What a model says of the customers drawn.
struct Formulas<'a> {
    expected: f64,
    p_active: f64,
    p_alive: f64,
    pmf: &'a dyn Fn(u64) -> f64,
}

fn compare(rec: &mut Recorder, drawn: &[Drawn], formulas: &Formulas<'_>) {
    let rule = Rule::SimulatedPurchases;
    mean(rec, rule, "the mean number of purchases drawn", drawn.iter().map(|drawn| drawn.purchases as f64), formulas.expected);
    mean(rec, rule, "the mean number of purchases drawn at once", drawn.iter().map(|drawn| drawn.at_once as f64), formulas.expected);
    for n in COUNTS {
        let exact = (formulas.pmf)(n);
        share(rec, rule, format_args!("the share drawn with X = {n}"), drawn, |drawn| drawn.purchases == n, exact);
        share(rec, rule, format_args!("the share drawn at once with X = {n}"), drawn, |drawn| drawn.at_once == n, exact);
    }
    let active = |drawn: &Drawn| drawn.purchases > 0;
    share(rec, Rule::SimulatedActivity, "the share drawn that buys", drawn, active, formulas.p_active);
    share(rec, Rule::SimulatedSurvival, "the share drawn that is alive", drawn, |drawn| drawn.alive, formulas.p_alive);
}

/// A sum of `n` independent draws against its expectation, by its variance; where hardly one event is to be expected in all, a few are no surprise.
fn agrees(rec: &mut Recorder, rule: Rule, quantity: impl std::fmt::Display, n: usize, drawn: f64, expected: f64, variance: f64) {
    let tolerance = STANDARD_ERRORS * variance.max(1.0).sqrt() + ROUNDING * expected.abs();
    let n = n as f64;
    rec.within(rule, quantity, drawn / n, expected / n, tolerance / n);
}

fn mean(rec: &mut Recorder, rule: Rule, quantity: &str, values: impl ExactSizeIterator<Item = f64> + Clone, exact: f64) {
    let n = values.len();
    let sum: f64 = values.clone().sum();
    let variance: f64 = values.map(|value| (value - sum / n as f64).powi(2)).sum();
    agrees(rec, rule, quantity, n, sum, exact * n as f64, variance);
}

fn share(rec: &mut Recorder, rule: Rule, quantity: impl std::fmt::Display, drawn: &[Drawn], having: impl Fn(&Drawn) -> bool, exact: f64) {
    let n = drawn.len();
    let count = drawn.iter().filter(|drawn| having(drawn)).count();
    agrees(rec, rule, quantity, n, count as f64, exact * n as f64, n as f64 * exact * (1.0 - exact));
}

/// Customers followed up to T = t, and for t more.
fn forecasts<M: Simulate>(rec: &mut Recorder, model: &M, customers: usize, t: f64, rng: &mut ChaCha8Rng) {
    let mut sums = [Forecast::default(); 4];
    for _ in 0..customers {
        let traits = model.draw_traits(rng);
        if !valid(rec, traits) {
            continue;
        }
        let (mut x, mut last, mut later) = (0_u32, 0.0, 0_u64);
        for time in traits.purchase_times(2.0 * t, &mut *rng).take(MOST_OF_A_CUSTOMER) {
            if time <= t {
                (x, last) = (x + 1, time);
            } else {
                later += 1;
            }
        }
        let Ok(history) = History::new(x, last, t) else { continue };
        let alive = traits.lifetime > t && u64::from(x) < traits.lifetime_purchases;
        let alive_later = traits.lifetime > 2.0 * t && u64::from(x) + later < traits.lifetime_purchases;
        let [p_alive, p_alive_later, p_active, expected] = &mut sums;
        p_alive.add(model.p_alive(&history), f64::from(u8::from(alive)));
        p_alive_later.add(model.conditional_p_alive_at(&history, t), f64::from(u8::from(alive_later)));
        p_active.add(model.conditional_p_active(&history, t), f64::from(u8::from(later > 0)));
        expected.add(model.conditional_expected_purchases(&history, t), later as f64);
    }
    let quantities =
        ["the share alive at T", "the share alive at T + t", "the share that buys after T", "the mean number of purchases after T"];
    for (quantity, Forecast { forecast, happened, squares }) in quantities.into_iter().zip(sums) {
        agrees(rec, Rule::SimulatedForecasts, quantity, customers, happened, forecast, squares);
    }
}

/// Sums over customers.
#[derive(Clone, Copy, Default)]
struct Forecast {
    forecast: f64,
    happened: f64,
    /// Of the differences: the variance of the sum.
    squares: f64,
}

impl Forecast {
    fn add(&mut self, forecast: f64, happened: f64) {
        self.forecast += forecast;
        self.happened += happened;
        self.squares += (happened - forecast).powi(2);
    }
}
