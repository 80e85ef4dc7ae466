//! Integrals over the histories that customers may have: the likelihood and the distribution of counts are one law.

use super::report::{NEW, Recorder, Report, Rule};
use super::{Points, or_infinite};
use crate::data::History;
use crate::models::PurchaseModel;

/// Purchases up to which P(X(T) = x) is integrated.
const MOST_PURCHASES: u32 = 4;

/// Averages over all histories are taken up to a T when more purchases than this are as rare as [`NEVER`].
const MOST_IN_ALL: u32 = 12;

/// A probability that no sum notices.
const NEVER: f64 = 1e-16;

/// Histories that make up no more than this of those with as many purchases do not change an average: with many purchases, half of the points.
const RARE: f64 = 1e-20;

/// What an average over all histories misses, absolutely: histories rarer than [`NEVER`], with up to a thousand purchases to come.
const MISSING: f64 = 1e-13;

/// A horizon is halved so often in search of a T with few purchases.
const MOST_HALVINGS: u32 = 60;

/// The integral and the one with half as many points differ by less, relatively, or it is taken as not settled. The rule doubles its digits
/// with the points, so that what is settled to 1e-6 has all of them.
const SETTLED: f64 = 1e-6;

/// Checks the likelihood against the distribution of counts, by integrals over all purchase times.
///
/// For a T and a t among the horizons: summed over all histories up to T, the likelihood gives P(X(T) = x), what happens after T gives
/// P(X(T + t) = n), and the conditional quantities average to those of a new customer. The T of the averages is a horizon, halved until
/// few purchases are expected in it. Takes some ten thousand evaluations per horizon.
pub fn check_histories<M: PurchaseModel>(model: &M, points: &Points) -> Report {
    let mut rec = Recorder::new(model, points.tolerances);
    for (index, &age) in points.horizons.iter().enumerate() {
        // Each horizon with the next one, the last with the first.
        let t = points.horizons[(index + 1) % points.horizons.len()];
        rec.about(NEW, None, Some(age));
        density(&mut rec, model, age);
        counts(&mut rec, model, age, t);
        averages(&mut rec, model, age, t, points.largest_rate());
    }
    rec.into_report()
}

fn density<M: PurchaseModel>(rec: &mut Recorder, model: &M, age: f64) {
    for x in 0..=MOST_PURCHASES {
        let [marginal] = over_times(model, age, x, 0.0, |_| [1.0]);
        let pmf = model.purchase_pmf(u64::from(x), age);
        compare(rec, Rule::LikelihoodIsDensity, format_args!("the likelihood over all t_x of x = {x}"), marginal, pmf, 0.0);
    }
}

fn counts<M: PurchaseModel>(rec: &mut Recorder, model: &M, age: f64, t: f64) {
    // For 0 and 2 purchases in T + t, the sums over the ways to split them.
    for total in [0, 2] {
        let mut sum = Integral::ZERO;
        for x in 0..=total {
            let [part] = over_times(model, age, x, 0.0, |history| [model.conditional_purchase_pmf(history, u64::from(total - x), t)]);
            sum.add(part);
        }
        let pmf = model.purchase_pmf(u64::from(total), age + t);
        compare(rec, Rule::HistoriesThenCounts, format_args!("P(X({age:?} + {t:?}) = {total}) by the histories"), sum, pmf, 0.0);
    }
}

fn averages<M: PurchaseModel>(rec: &mut Recorder, model: &M, horizon: f64, t: f64, delta: f64) {
    let rule = Rule::ExpectationOverHistories;
    let few = |age: &f64| model.purchase_sf(u64::from(MOST_IN_ALL), *age) <= NEVER;
    let Some(age) = std::iter::successors(Some(horizon), |age| Some(0.5 * age)).take(MOST_HALVINGS as usize).find(few) else {
        return rec.skip(rule, format!("more than {MOST_IN_ALL} purchases are likely however short the time"));
    };
    rec.horizon = Some(age);
    let mut sums = [Integral::ZERO; 5];
    for x in 0..=MOST_IN_ALL {
        if x > 0 && model.purchase_sf(u64::from(x - 1), age) <= NEVER {
            break;
        }
        let parts = over_times(model, age, x, RARE, |history| {
            [
                1.0,
                model.p_alive(history),
                model.conditional_p_alive_at(history, t),
                model.conditional_expected_purchases(history, t),
                or_infinite(model.conditional_dert(history, delta)),
            ]
        });
        for (sum, part) in sums.iter_mut().zip(parts) {
            sum.add(part);
        }
    }
    let expected = model.expected_purchases(age + t) - model.expected_purchases(age);
    let dert = (or_infinite(model.dert(delta)) - model.discounted_expected_purchases(age, delta)) * (delta * age).exp();
    let exact = [
        ("the probability of all histories".to_owned(), 1.0),
        ("the mean P(alive) over the histories".to_owned(), model.p_alive_at(age)),
        (format!("the mean P(alive at T + {t:?}) over the histories"), model.p_alive_at(age + t)),
        (format!("the mean expectation for {t:?} over the histories"), expected),
        (format!("the mean DERT at {delta:e} over the histories"), dert),
    ];
    for (sum, (quantity, exact)) in sums.into_iter().zip(exact) {
        compare(rec, rule, quantity, sum, exact, MISSING);
    }
}

fn compare(rec: &mut Recorder, rule: Rule, quantity: impl std::fmt::Display, found: Integral, exact: f64, missing: f64) {
    // One that is no number is settled: it is wrong.
    if (found.fine - found.coarse).abs() > SETTLED * found.fine.abs() + missing {
        return rec.skip(rule, "the integral over t_x does not settle; a shorter horizon may help, and a likelihood that is smooth in t_x");
    }
    let tolerance = missing + rec.tolerances.summed * found.fine.abs().max(exact.abs());
    rec.within(rule, quantity, found.fine, exact, tolerance);
}

/// An integral by all points of the rule, and by every other one.
#[derive(Clone, Copy)]
struct Integral {
    fine: f64,
    coarse: f64,
}

impl Integral {
    const ZERO: Integral = Integral { fine: 0.0, coarse: 0.0 };

    fn add(&mut self, other: Integral) {
        self.fine += other.fine;
        self.coarse += other.coarse;
    }
}

/// The integrals of P(x, t_x) times `f` over the histories of a new customer with x purchases up to `age`, but for those whose share of P(x) is at
/// most `rare`.
fn over_times<M: PurchaseModel, const K: usize>(model: &M, age: f64, x: u32, rare: f64, f: impl Fn(&History) -> [f64; K]) -> [Integral; K] {
    let mut integrals = [Integral::ZERO; K];
    if x == 0 {
        if let Ok(nobody) = History::new(0, 0.0, age) {
            let likelihood = model.ln_likelihood(&nobody).exp();
            integrals = f(&nobody).map(|value| Integral { fine: likelihood * value, coarse: likelihood * value });
        }
        return integrals;
    }
    // The earlier purchases lie in any order in 0..t_x: t_x^(x-1) / (x-1)! ways.
    let k = f64::from(x - 1);
    let ln_factorial: f64 = (1..x).map(|i| f64::from(i).ln()).sum();
    let mut total = 0.0;
    for (index, (share, weight)) in double_exponential() {
        let t_x = age * share;
        let Ok(history) = History::new(x, t_x, age) else { continue };
        let density = age * weight * (model.ln_likelihood(&history) + k * t_x.ln() - ln_factorial).exp();
        total += density;
        // What hardly ever happens need not be asked for.
        if density <= rare * total {
            continue;
        }
        for (integral, value) in integrals.iter_mut().zip(f(&history)) {
            integral.fine += density * value;
            integral.coarse += if index % 2 == 0 { 2.0 * density * value } else { 0.0 };
        }
    }
    integrals
}

/// Points and weights on 0..1 of the double-exponential rule, numbered, from the middle outward: for integrands that are smooth inside, whatever
/// they do at the ends.
fn double_exponential() -> impl Iterator<Item = (i32, (f64, f64))> {
    let step = 1.0 / 24.0;
    let pi = std::f64::consts::PI;
    let middle_first = std::iter::once(0).chain((1..=76).flat_map(|k| [k, -k]));
    middle_first.map(move |k| {
        let u = step * f64::from(k);
        let lower = 1.0 / (1.0 + (-pi * u.sinh()).exp());
        let upper = 1.0 / (1.0 + (pi * u.sinh()).exp());
        (k, (lower, step * pi * u.cosh() * lower * upper))
    })
}
