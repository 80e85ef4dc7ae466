//! Gradients and Hessians of the likelihoods of customers of whom less is known than a history, against dual numbers.
//!
//! The likelihoods below are written for this test and share nothing with the crate: what is known given a dropout time or a dropout probability, lambda
//! integrated out, summed over that time or probability by a fine rule with fixed nodes. Evaluated in hyper-dual numbers they give exact second
//! derivatives of the sum.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use clv::{
    BgNbd, CensoredCustomers, CensoredLikelihood, CrossSection, Estimable, EveryCustomer, History, Jet, LastCell, LeftTruncated, MbgNbd,
    OnlySeen, ParetoNbd, PeriodCounts, TimeUnit, random_stream,
};
use num_dual::{DualNum, HyperDual64};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

type Number = HyperDual64;

/// Derivatives in the logarithms of the parameters, relative to the largest of a point, or absolute below 1: the oracle's own differences lose digits.
const ACCURACY: f64 = 1e-9;

const POINTS: u32 = 60;

fn zero() -> Number {
    Number::from_re(0.0)
}

/// (r)_x
fn rising(r: Number, x: u32) -> Number {
    (0..x).fold(Number::from_re(1.0), |product, k| product * (r + f64::from(k)))
}

/// (alpha / (alpha + t))^r (alpha + t)^-x, t any number.
fn silent(r: Number, alpha: Number, x: u32, t: Number) -> Number {
    (-r * (t / alpha).ln_1p() - (alpha + t).ln() * f64::from(x)).exp()
}

/// The mean of f(p) over p ~ beta(a, b), by the trapezoidal rule in log-odds; for shapes of at least 0.3.
fn beta_mean(a: Number, b: Number, f: impl Fn(f64) -> Number) -> Number {
    let (mut weights, mut values) = (zero(), zero());
    for i in -1500..=1500 {
        let y = f64::from(i) * 0.08;
        let (ln_p, ln_q) = (-(-y).exp().ln_1p(), -y.exp().ln_1p());
        let weight = (a * ln_p + b * ln_q).exp();
        weights += weight;
        values += weight * f(ln_p.exp());
    }
    values / weights
}

/// The integral of f over low..high, by Simpson's rule in the square root of the time since `low`.
fn integral(low: f64, high: f64, f: impl Fn(f64) -> Number) -> Number {
    let steps = 4000_u32;
    let width = (high - low).sqrt() / f64::from(steps);
    let mut sum = zero();
    for i in 0..=steps {
        let root = f64::from(i) * width;
        let weight = if i == 0 || i == steps {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        };
        sum += f(low + root * root) * (weight * 2.0 * root * width / 3.0);
    }
    sum
}

/// Density of dropping out at age u, and the chance of being alive then, given nothing else.
fn dropout(s: Number, beta: Number, u: f64) -> (Number, Number) {
    let alive = (-s * (beta.recip() * u).ln_1p()).exp();
    (alive * s / (beta + u), alive)
}

fn pareto_truncated([r, alpha, s, beta]: [Number; 4], w: f64, history: &History, only_seen: bool) -> Number {
    let (x, t_x, c) = (history.frequency(), history.recency(), history.age());
    let seen = |x: u32, t: f64| rising(r, x) * silent(r, alpha, x, Number::from_re(t));
    let history_of = |x: u32, t_x: f64| {
        let dead = integral(t_x, c, |tau| dropout(s, beta, w + tau).0 * seen(x, tau));
        let before = if x == 0 { Number::from_re(1.0) - dropout(s, beta, w).1 } else { zero() };
        dropout(s, beta, w + c).1 * seen(x, c) + dead + before
    };
    let whole = history_of(x, t_x);
    (if only_seen { whole / (Number::from_re(1.0) - history_of(0, 0.0)) } else { whole }).ln()
}

fn beta_truncated([r, alpha, a, b]: [Number; 4], w: f64, history: &History, only_seen: bool, at_birth: i32) -> Number {
    let (x, t_x, c) = (history.frequency(), history.recency(), history.age());
    let history_of = |x: u32, t_x: f64| {
        beta_mean(a, b, |p| {
            let q = 1.0 - p;
            let at = |x: u32, t: f64| silent(r, alpha, x, Number::from_re(t + p * w)) * rising(r, x) * q.powi(at_birth);
            let alive = at(x, c) * q.powi(x as i32);
            let other = if x == 0 { Number::from_re(1.0) - at(0, 0.0) } else { at(x, t_x) * (p * q.powi(x as i32 - 1)) };
            alive + other
        })
    };
    let whole = history_of(x, t_x);
    (if only_seen { whole / (Number::from_re(1.0) - history_of(0, 0.0)) } else { whole }).ln()
}

fn pareto_counts([r, alpha, s, beta]: [Number; 4], row: &PeriodCounts) -> Number {
    let (start, end, last) = row.last_period();
    let (x, age) = (row.frequency(), row.age());
    let seen = |t: f64| silent(r, alpha, x, Number::from_re(t));
    let later = integral(end, age, |tau| dropout(s, beta, tau).0 * seen(tau));
    let within = integral(start, end, |tau| dropout(s, beta, tau).0 * seen(tau) * ((tau - start) / (end - start)).powi(last as i32));
    (rising(r, x) * (dropout(s, beta, age).1 * seen(age) + later + within)).ln()
}

fn beta_counts([r, alpha, a, b]: [Number; 4], row: &PeriodCounts, at_birth: i32) -> Number {
    let (start, end, last) = row.last_period();
    let (x, age) = (row.frequency(), row.age());
    let seen = |t: f64| silent(r, alpha, x, Number::from_re(t));
    let share = |u: f64| f64::from(last) * ((u - start) / (end - start)).powi(last as i32 - 1) / (end - start);
    let last_time = integral(start, end, |u| seen(u) * share(u));
    let passed = beta_mean(a, b, |p| Number::from_re((1.0 - p).powi(x as i32 + at_birth)));
    let dropped = beta_mean(a, b, |p| Number::from_re(p * (1.0 - p).powi(x as i32 - 1 + at_birth)));
    (rising(r, x) * (passed * seen(age) + dropped * last_time)).ln()
}

fn cross_section([r, alpha, s, beta]: [Number; 4], n: u32, or_more: bool, since: f64, length: f64) -> Number {
    let cell = |n: u32| {
        let density = |tau: f64| rising(r, n) * silent(r, alpha, n, Number::from_re(tau)) * tau.powi(n as i32);
        let dead = integral(0.0, length, |tau| dropout(s, beta, since + tau).0 * density(tau));
        let before = if n == 0 { Number::from_re(1.0) - dropout(s, beta, since).1 } else { zero() };
        let factorial: f64 = (1..=n).map(f64::from).product();
        (dropout(s, beta, since + length).1 * density(length) + dead) / factorial + before
    };
    if or_more { (Number::from_re(1.0) - (0..n).fold(zero(), |sum, k| sum + cell(k))).ln() } else { cell(n).ln() }
}

/// Compares gradient and Hessian, in the logarithms of the parameters.
fn check(jet: &Jet<4>, parameters: [f64; 4], oracle: impl Fn([Number; 4]) -> Number, point: &dyn std::fmt::Debug) {
    let mut pairs = Vec::new();
    for i in 0..4 {
        for j in i..4 {
            let mut numbers = parameters.map(Number::from_re);
            numbers[i].eps1 = parameters[i];
            numbers[j].eps2 = parameters[j];
            let expected = oracle(numbers);
            if i == j {
                pairs.push((format!("gradient {i}"), jet.gradient[i] * parameters[i], expected.eps1));
            }
            pairs.push((format!("Hessian {i}, {j}"), jet.hessian[i][j] * parameters[i] * parameters[j], expected.eps1eps2));
            assert!((jet.hessian[i][j] - jet.hessian[j][i]).abs() <= 0.0);
        }
    }
    let size = pairs.iter().map(|(_, _, expected)| expected.abs()).fold(1.0, f64::max);
    for (what, ours, expected) in pairs {
        assert!((ours - expected).abs() <= ACCURACY * size, "{what}: {ours:e} against {expected:e} at {point:?}");
    }
}

fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    rng.random_range(low.ln()..=high.ln()).exp()
}

/// Parameters, w, and a history with x = 0, t_x = C or anything between; now and then a or s is 1, or alpha = beta.
fn draw(rng: &mut ChaCha8Rng) -> ([f64; 4], f64, History) {
    let mut p = [log_uniform(rng, 0.3, 5.0), log_uniform(rng, 2.0, 50.0), log_uniform(rng, 0.3, 5.0), log_uniform(rng, 0.4, 5.0)];
    if rng.random_range(0..5) == 0 {
        p[2] = 1.0;
    }
    let c = log_uniform(rng, 5.0, 80.0);
    let x = rng.random_range(0..12);
    let t_x = if x == 0 { 0.0 } else { c * [1.0, rng.random::<f64>()][rng.random_range(0..2)] };
    (p, log_uniform(rng, 0.1, 200.0), History::new(x, t_x, c).unwrap())
}

/// The fourth parameter of Pareto/NBD is a time.
fn with_beta(p: [f64; 4], rng: &mut ChaCha8Rng) -> [f64; 4] {
    [p[0], p[1], p[2], if rng.random_range(0..5) == 0 { p[1] } else { 10.0 * p[3] }]
}

#[test]
fn left_truncated() {
    let mut rng = random_stream(31, 0);
    for _ in 0..POINTS {
        let (p, w, history) = draw(&mut rng);
        let times = with_beta(p, &mut rng);
        let (pareto, bg, mbg) =
            (ParetoNbd::from_parameters(&times).unwrap(), BgNbd::from_parameters(&p).unwrap(), MbgNbd::from_parameters(&p).unwrap());
        let all = LeftTruncated::<EveryCustomer>::born_before(w, history).unwrap();
        check(&pareto.censored_jet(&all), times, |n| pareto_truncated(n, w, &history, false), &(pareto, all));
        check(&bg.censored_jet(&all), p, |n| beta_truncated(n, w, &history, false, 0), &(bg, all));
        check(&mbg.censored_jet(&all), p, |n| beta_truncated(n, w, &history, false, 1), &(mbg, all));
        if let Ok(seen) = LeftTruncated::<OnlySeen>::born_before(w, history) {
            check(&pareto.censored_jet(&seen), times, |n| pareto_truncated(n, w, &history, true), &(pareto, seen));
            check(&bg.censored_jet(&seen), p, |n| beta_truncated(n, w, &history, true, 0), &(bg, seen));
            check(&mbg.censored_jet(&seen), p, |n| beta_truncated(n, w, &history, true, 1), &(mbg, seen));
        }
    }
}

#[test]
fn counts_per_period() {
    let mut rng = random_stream(32, 0);
    for _ in 0..POINTS {
        let (p, _, _) = draw(&mut rng);
        let times = with_beta(p, &mut rng);
        let (start, length, rest, last) =
            (rng.random_range(0.5..30.0), log_uniform(&mut rng, 0.1, 60.0), rng.random_range(1.0..40.0), rng.random_range(1..9));
        let ends = [start, start + length, start + length + rest];
        let row = PeriodCounts::new(&ends, &[rng.random_range(0..4), last, 0]).unwrap();
        let (pareto, bg, mbg) =
            (ParetoNbd::from_parameters(&times).unwrap(), BgNbd::from_parameters(&p).unwrap(), MbgNbd::from_parameters(&p).unwrap());
        check(&pareto.censored_jet(&row), times, |n| pareto_counts(n, &row), &(pareto, row));
        check(&bg.censored_jet(&row), p, |n| beta_counts(n, &row, 0), &(bg, row));
        check(&mbg.censored_jet(&row), p, |n| beta_counts(n, &row, 1), &(mbg, row));
    }
}

#[test]
fn cross_sections() {
    let mut rng = random_stream(33, 0);
    for i in 0..POINTS {
        let (p, since, _) = draw(&mut rng);
        let p = with_beta(p, &mut rng);
        let (n, since, length) = (rng.random_range(0..5_u32), if i % 6 == 0 { 0.0 } else { since }, log_uniform(&mut rng, 2.0, 60.0));
        let or_more = n > 0 && i % 2 == 0;
        let mut cells = vec![0; n as usize + 1];
        cells[n as usize] = 1;
        let last = if or_more { LastCell::OrMore } else { LastCell::Exactly };
        let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
        table.push_histogram(since, length, &cells, last, 1).unwrap();
        let model = ParetoNbd::from_parameters(&p).unwrap();
        check(&model.censored_jet(table.row(0)), p, |numbers| cross_section(numbers, n, or_more, since, length), &(model, table.row(0)));
    }
}
