//! Gradients and Hessians of the log-likelihoods against dual numbers, on random points of the whole domain.
//!
//! The likelihoods below are written for this test, from the papers, and share nothing with the crate: rising factorials as products, the integral
//! of Pareto/NBD over the dropout time itself by a composite rule with fixed nodes, ln Gamma by recurrence and Stirling's series. Evaluated in
//! hyper-dual numbers they give exact second derivatives.
//!
//! An entry is compared relative to the sum of the absolute values of the terms it is made of: those are listed with each likelihood.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    BgNbd, BgNbdParams, GammaGamma, GammaGammaParams, History, Jet, MbgNbd, MbgNbdParams, Nbd, NbdParams, ParetoNbd, ParetoNbdParams,
    SpendHistory,
};
use num_dual::{Dual2_64, DualNum, HyperDual64};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Points per model.
const POINTS: usize = 10_000;

/// Relative to the sum of the absolute terms. The largest errors are printed, for docs/accuracy.md; the very largest comes from a second moment over
/// the tail that Pareto/NBD cuts off.
const ACCURACY: f64 = 1e-11;

/// What one pair (i, j) of parameters sees of a function: its value, first and second derivative there.
type Number = HyperDual64;

/// A sum of terms together with the sizes of the terms, entry by entry.
#[derive(Clone, Copy)]
struct Terms {
    sum: Number,
    size: Number,
}

impl Terms {
    const fn none() -> Self {
        let zero = Number { re: 0.0, eps1: 0.0, eps2: 0.0, eps1eps2: 0.0 };
        Terms { sum: zero, size: zero }
    }

    /// Adds a term whose own terms do not cancel.
    fn add(&mut self, term: Number) {
        self.add_sized(term, size(term));
    }

    fn add_sized(&mut self, term: Number, size: Number) {
        self.sum += term;
        self.size += size;
    }
}

/// Absolute values, entry by entry.
fn size(term: Number) -> Number {
    Number::new(term.re.abs(), term.eps1.abs(), term.eps2.abs(), term.eps1eps2.abs())
}

/// f(z) from the value and the two derivatives of f at the real part of z.
fn lift(z: Number, f: Dual2_64) -> Number {
    Number::new(f.re, f.v1 * z.eps1, f.v1 * z.eps2, f.v1 * z.eps1eps2 + f.v2 * z.eps1 * z.eps2)
}

/// ln (z)_m as the product it is.
fn ln_rising(z: Number, m: u32) -> Number {
    let real = Dual2_64::from_re(z.re).derivative();
    let mut sum = Dual2_64::from_re(0.0);
    for k in 0..m {
        sum += (real + f64::from(k)).ln();
    }
    lift(z, sum)
}

/// ln Gamma(z) by recurrence up to 20 and Stirling's series with seven terms.
fn ln_gamma(z: Number) -> Number {
    let mut w = Dual2_64::from_re(z.re).derivative();
    let mut sum = Dual2_64::from_re(0.0);
    while w.re < 20.0 {
        sum -= w.ln();
        w += 1.0;
    }
    let reciprocal = w.recip();
    let square = reciprocal * reciprocal;
    let mut series = Dual2_64::from_re(0.0);
    for coefficient in [1.0 / 156.0, -691.0 / 360_360.0, 1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0] {
        series = series * square + coefficient;
    }
    lift(z, sum + (w - 0.5) * w.ln() - w + 0.918_938_533_204_672_8 + series * reciprocal)
}

/// BG/NBD and MBG/NBD: (FHL 2005 eq. 6) of which the times enter through d = ln((alpha + T) / (alpha + t_x)).
fn beta_dropout([r, alpha, a, b]: [Number; 4], history: &History, chances: u32) -> Terms {
    let (x, t_x, t_cal) = (history.frequency(), history.recency(), history.age());
    let mut terms = Terms::none();
    terms.add(ln_rising(r, x));
    terms.add(ln_rising(b, chances));
    terms.add(-ln_rising(a + b, chances));
    terms.add(-r * (alpha.recip() * t_cal).ln_1p());
    terms.add(-(alpha + t_cal).ln() * f64::from(x));
    if chances > 0 {
        // ln(1 + e^u); a second derivative is sigma (1 - sigma) u' u' + sigma u''
        let d = ((alpha + t_x).recip() * (t_cal - t_x)).ln_1p();
        let u = a.ln() - (b + (f64::from(chances) - 1.0)).ln() + (r + f64::from(x)) * d;
        let e = (-u.re.abs()).exp();
        let (small, sigma) = (e / (1.0 + e), if u.re > 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) });
        let curvature = small / (1.0 + e);
        let softplus =
            Number::new(u.re.max(0.0) + e.ln_1p(), sigma * u.eps1, sigma * u.eps2, curvature * u.eps1 * u.eps2 + sigma * u.eps1eps2);
        let mut softplus_size = size(softplus);
        softplus_size.eps1eps2 = (curvature * u.eps1 * u.eps2).abs() + (sigma * u.eps1eps2).abs();
        terms.add_sized(softplus, softplus_size);
    }
    terms
}

/// NBD.
fn nbd([r, alpha]: [Number; 2], history: &History) -> Terms {
    let mut terms = Terms::none();
    terms.add(ln_rising(r, history.frequency()));
    terms.add(-r * (alpha.recip() * history.age()).ln_1p());
    terms.add(-(alpha + history.age()).ln() * f64::from(history.frequency()));
    terms
}

/// Pareto/NBD: alive at T, or dropped out at one of the nodes since t_x (note 009, before integration), each relative to t_x.
fn pareto_nbd([r, alpha, s, beta]: [Number; 4], history: &History, nodes: &[(f64, f64)]) -> Terms {
    let (x, t_x, t_cal) = (history.frequency(), history.recency(), history.age());
    let mut terms = Terms::none();
    terms.add(ln_rising(r, x));
    terms.add(-r * (alpha.recip() * t_x).ln_1p());
    terms.add(-(alpha + t_x).ln() * f64::from(x));
    terms.add(-s * (beta.recip() * t_x).ln_1p());
    // ln of a sum of positive parts e^f. Its second derivative is the posterior mean of f' f' + f'' less the product of the means of f'.
    let (n, from_alpha, from_beta) = (r + f64::from(x), (alpha + t_x).recip(), (beta + t_x).recip());
    let ln_rate = (s * from_beta).ln();
    let part = |since: f64| -(n * (from_alpha * since).ln_1p()) - s * (from_beta * since).ln_1p();
    let (mut total, mut first, mut second, mut both, mut absolute) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut first_size, mut second_size) = (0.0, 0.0);
    let mut add = |weight: f64, f: Number| {
        let p = weight * f.re.exp();
        total += p;
        first += p * f.eps1;
        second += p * f.eps2;
        both += p * (f.eps1 * f.eps2 + f.eps1eps2);
        first_size += p * f.eps1.abs();
        second_size += p * f.eps2.abs();
        absolute += p * ((f.eps1 * f.eps2).abs() + f.eps1eps2.abs());
    };
    add(1.0, part(t_cal - t_x));
    for &(since, weight) in nodes {
        add(weight, ln_rate + part(since) - (from_beta * since).ln_1p());
    }
    let (first, second) = (first / total, second / total);
    terms.add_sized(
        Number::new(total.ln(), first, second, both / total - first * second),
        Number::new(total.ln().abs(), first_size / total, second_size / total, absolute / total + (first * second).abs()),
    );
    terms
}

/// Nodes and weights for integrals over the time since t_x of (alpha + t_x + y)^-n (beta + t_x + y)^-(s + 1): one panel up to the shortest time
/// scale of these factors, then panels of equal width in ln y, until nothing is left.
fn dropout_nodes([r, alpha, s, beta]: [f64; 4], history: &History, rule: &[(f64, f64)]) -> Vec<(f64, f64)> {
    /// ln of the ratio of the ends of a panel.
    const WIDTH: f64 = 1.0;
    let since = history.age() - history.recency();
    let (from_alpha, from_beta) = (1.0 / (alpha + history.recency()), 1.0 / (beta + history.recency()));
    let n = r + f64::from(history.frequency());
    let exponent = |y: f64| n * (from_alpha * y).ln_1p() + (s + 1.0) * (from_beta * y).ln_1p();
    let scale = 1.0 / ((n + 1.0) * from_alpha + (s + 1.0) * from_beta);
    let mut nodes = Vec::new();
    let mut start = (0.5 * scale).min(since);
    nodes.extend(rule.iter().map(|&(node, weight)| (start * node, start * weight)));
    // What is left of the integral decreases at least like e^-exponent y.
    while start < since && exponent(start) - (start / scale).ln() < 45.0 {
        let width = WIDTH.min((since / start).ln());
        for &(node, weight) in rule {
            let y = start * (width * node).exp();
            nodes.push((y, y * width * weight));
        }
        start = if width < WIDTH { since } else { start * WIDTH.exp() };
    }
    nodes
}

/// The Gauss-Legendre rule of `n` nodes on [0, 1], by Newton's method on the Legendre polynomial.
fn gauss_legendre(n: u32) -> Vec<(f64, f64)> {
    let rule = |i: u32| {
        let degree = f64::from(n);
        let mut z = (std::f64::consts::PI * (f64::from(i) + 0.75) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut p, mut previous) = (1.0, 0.0);
            for k in 0..n {
                let k = f64::from(k);
                (p, previous) = (((2.0 * k + 1.0) * z * p - k * previous) / (k + 1.0), p);
            }
            slope = degree * (z * p - previous) / (z * z - 1.0);
            z -= p / slope;
        }
        (0.5 * (1.0 - z), 1.0 / ((1.0 - z * z) * slope * slope))
    };
    (0..n).map(rule).collect()
}

/// Gamma-Gamma: the logarithm of eq. 1a of note 025, with x m / (gamma + x m) taken together.
fn gamma_gamma([p, q, gamma]: [Number; 3], spend: &SpendHistory) -> Terms {
    let (x, m) = (f64::from(spend.purchases()), spend.mean());
    let total = x * m;
    let mut terms = Terms::none();
    terms.add(ln_gamma(p * x + q));
    terms.add(-ln_gamma(p * x));
    terms.add(-ln_gamma(q));
    terms.add(-q * (gamma.recip() * total).ln_1p());
    terms.add(-p * x * (gamma / total).ln_1p());
    terms.add(Number::from_re(-m.ln()));
    terms
}

/// Uniform in the logarithm.
fn log_uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    rng.random_range(low.ln()..=high.ln()).exp()
}

fn shape(rng: &mut ChaCha8Rng) -> f64 {
    log_uniform(rng, 1e-3, 1e2)
}

fn scale(rng: &mut ChaCha8Rng) -> f64 {
    log_uniform(rng, 1e-3, 1e5)
}

/// x of 0 in one of ten cases, otherwise 1 to 1e4; the last purchase at T, down to 1e-9 T before it, just after the first one, or anywhere.
fn history(rng: &mut ChaCha8Rng) -> History {
    let x = if rng.random_range(0..10) == 0 { 0 } else { log_uniform(rng, 1.0, 1e4) as u32 };
    let age = log_uniform(rng, 0.5, 5000.0);
    let share = match rng.random_range(0..8) {
        0 => 1.0,
        1 | 2 => 1.0 - log_uniform(rng, 1e-9, 0.1),
        3 => log_uniform(rng, 1e-7, 1e-2),
        _ => rng.random_range(0.0..1.0),
    };
    History::new(x, if x == 0 { 0.0 } else { age * share }, age).unwrap()
}

/// The largest errors of a model's jets.
#[derive(Default)]
struct Largest {
    value: f64,
    gradient: f64,
    hessian: f64,
}

impl Largest {
    /// Compares every entry of a jet with what the pairs of parameters see.
    fn add<const N: usize>(
        &mut self,
        jet: &Jet<N>,
        parameters: [f64; N],
        oracle: impl Fn([Number; N]) -> Terms,
        point: &dyn std::fmt::Debug,
    ) {
        let close = |ours: f64, expected: f64, size: f64, largest: &mut f64, what: &dyn Fn() -> String| {
            let difference = (ours - expected).abs();
            assert!(difference <= ACCURACY * size, "{}: {ours:e} against {expected:e}, terms {size:e}, at {point:?}", what());
            if difference > 0.0 {
                *largest = largest.max(difference / size);
            }
        };
        for i in 0..N {
            for j in i..N {
                let mut numbers = parameters.map(Number::from_re);
                numbers[i].eps1 = 1.0;
                numbers[j].eps2 = 1.0;
                let Terms { sum, size } = oracle(numbers);
                if i == j {
                    close(jet.gradient[i], sum.eps1, size.eps1, &mut self.gradient, &|| format!("gradient {i}"));
                }
                if i + j == 0 {
                    // Values: relative, absolute below 1.
                    close(jet.value, sum.re, size.re.max(1.0), &mut self.value, &|| "value".into());
                }
                close(jet.hessian[i][j], sum.eps1eps2, size.eps1eps2, &mut self.hessian, &|| format!("Hessian {i}, {j}"));
                assert_eq!(jet.hessian[i][j], jet.hessian[j][i]);
            }
        }
    }

    /// A row of the table in docs/accuracy.md, on a line of its own whatever the test runner has written.
    fn print(&self, model: &str) {
        println!("\n| {model} | {:.1e} | {:.1e} | {:.1e} |", self.value, self.gradient, self.hessian);
    }
}

#[test]
fn bg_nbd() {
    let (mut rng, mut largest) = (ChaCha8Rng::seed_from_u64(11), Largest::default());
    for _ in 0..POINTS {
        let (history, [r, a, b], alpha) = (history(&mut rng), [(); 3].map(|()| shape(&mut rng)), scale(&mut rng));
        let model = BgNbd::new(BgNbdParams { r, alpha, a, b }).unwrap();
        let oracle = |parameters| beta_dropout(parameters, &history, history.frequency());
        largest.add(&model.ln_likelihood_jet(&history), [r, alpha, a, b], oracle, &(model, history));
    }
    largest.print("BG/NBD");
}

#[test]
fn mbg_nbd() {
    let (mut rng, mut largest) = (ChaCha8Rng::seed_from_u64(12), Largest::default());
    for _ in 0..POINTS {
        let (history, [r, a, b], alpha) = (history(&mut rng), [(); 3].map(|()| shape(&mut rng)), scale(&mut rng));
        let model = MbgNbd::new(MbgNbdParams { r, alpha, a, b }).unwrap();
        let oracle = |parameters| beta_dropout(parameters, &history, history.frequency() + 1);
        largest.add(&model.ln_likelihood_jet(&history), [r, alpha, a, b], oracle, &(model, history));
    }
    largest.print("MBG/NBD");
}

#[test]
fn pareto_nbd_on_random_points() {
    let rule = gauss_legendre(16);
    let (mut rng, mut largest) = (ChaCha8Rng::seed_from_u64(13), Largest::default());
    for _ in 0..POINTS {
        let (history, r, s, alpha, beta) = (history(&mut rng), shape(&mut rng), shape(&mut rng), scale(&mut rng), scale(&mut rng));
        let model = ParetoNbd::new(ParetoNbdParams { r, alpha, s, beta }).unwrap();
        let nodes = dropout_nodes([r, alpha, s, beta], &history, &rule);
        largest.add(&model.ln_likelihood_jet(&history), [r, alpha, s, beta], |p| pareto_nbd(p, &history, &nodes), &(model, history));
    }
    largest.print("Pareto/NBD");
}

#[test]
fn nbd_on_random_points() {
    let (mut rng, mut largest) = (ChaCha8Rng::seed_from_u64(14), Largest::default());
    for _ in 0..POINTS {
        let (history, r, alpha) = (history(&mut rng), shape(&mut rng), scale(&mut rng));
        let model = Nbd::new(NbdParams { r, alpha }).unwrap();
        largest.add(&model.ln_likelihood_jet(&history), [r, alpha], |parameters| nbd(parameters, &history), &(model, history));
    }
    largest.print("NBD");
}

#[test]
fn gamma_gamma_on_random_points() {
    let (mut rng, mut largest) = (ChaCha8Rng::seed_from_u64(15), Largest::default());
    for _ in 0..POINTS {
        let (p, q, gamma, mean) = (shape(&mut rng), shape(&mut rng), scale(&mut rng), scale(&mut rng));
        let spend = SpendHistory::new(log_uniform(&mut rng, 1.0, 1e4) as u32, mean).unwrap();
        let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).unwrap();
        largest.add(&model.ln_likelihood_jet(&spend), [p, q, gamma], |parameters| gamma_gamma(parameters, &spend), &(model, spend));
    }
    largest.print("Gamma-Gamma");
}

#[test]
fn the_oracle_knows_its_constants() {
    // ln Gamma(1/2) = ln(pi)/2, psi(1) = -Euler's constant, psi'(1) = pi^2/6; a polynomial of degree 31 is integrated exactly by 16 nodes.
    let pi = std::f64::consts::PI;
    let at_one = ln_gamma(Number::new(1.0, 1.0, 1.0, 0.0));
    assert!((ln_gamma(Number::from_re(0.5)).re - 0.5 * pi.ln()).abs() < 1e-14);
    assert!(
        at_one.re.abs() < 1e-13 && (at_one.eps1 + 0.577_215_664_901_532_9).abs() < 1e-14 && (at_one.eps1eps2 - pi * pi / 6.0).abs() < 1e-14
    );
    let integral: f64 = gauss_legendre(16).iter().map(|&(node, weight)| weight * node.powi(31)).sum();
    assert!((integral - 1.0 / 32.0).abs() < 1e-15);
}
