//! Identities between the numbers of a model at one point: a customer, a length of time.

use super::report::{ALIVE, KNOWN, NEW, Recorder, Report, Rule};
use super::{Points, or_infinite};
use crate::data::History;
use crate::models::PurchaseModel;

/// Sums over the numbers of purchases end here; longer ones would take seconds.
const MOST_COUNTS: u64 = 10_000;

/// What a sum over counts may miss of its value.
const MISSED: f64 = 1e-15;

/// Counts looked at one by one where there is no sum over all.
const FIRST_COUNTS: u64 = 5;

/// Times later than a horizon, as multiples of it.
const LATER: [f64; 2] = [1.01, 5.0];

/// How long a horizon has to be to count as for life, as a multiple of the horizons given.
const LONG: f64 = 1e6;

/// Checks what a model says at each history, horizon, discount rate and level: all rules that need no integral over histories.
///
/// These are the identities between its numbers, the sums over the numbers of purchases, the inequalities in time and discount, and the
/// likelihood of a silence. [`check_histories`](super::check_histories) is the other half of [`check_purchase_model`](super::check_purchase_model).
pub fn check_quantities<M: PurchaseModel>(model: &M, points: &Points) -> Report {
    let mut rec = Recorder::new(model, points.tolerances);
    rec.within(Rule::LikelihoodOfNobody, "ln L", model.ln_likelihood(&History::NEW_CUSTOMER), 0.0, points.tolerances.rounding);
    alive_or_dead(&mut rec, model, &History::NEW_CUSTOMER);
    at_the_start(&mut rec, model);
    for &t in &points.horizons {
        rec.about(NEW, None, Some(t));
        future(&mut rec, model, t, points);
        new_counts(&mut rec, model, t);
        new_quantiles(&mut rec, model, t, points);
        empty_history(&mut rec, model, t, points);
        odd_arguments(&mut rec, model, t, points);
        nobody(&mut rec, model, t);
    }
    for history in &points.histories {
        let alive = model.given_alive(history);
        rec.about(ALIVE, Some(*history), None);
        at_the_start(&mut rec, &alive);
        rec.subject = KNOWN;
        rec.between(Rule::InDomain, "ln L", model.ln_likelihood(history), f64::NEG_INFINITY, f64::MAX);
        alive_or_dead(&mut rec, model, history);
        let (at_start, p_alive) = (model.conditional_p_alive_at(history, 0.0), model.p_alive(history));
        rec.close(Rule::AliveAtTheStart, "P(alive at T + 0)", at_start, p_alive, points.tolerances.rounding);
        for &t in &points.horizons {
            rec.about(ALIVE, Some(*history), Some(t));
            future(&mut rec, &alive, t, points);
            recency(&mut rec, model, history, t, points);
            rec.subject = KNOWN;
            known(&mut rec, model, history, t, points);
            known_counts(&mut rec, model, history, t);
            known_quantiles(&mut rec, model, history, t, points);
            silence(&mut rec, model, history, t);
        }
    }
    rec.into_report()
}

fn probability(rec: &mut Recorder, quantity: impl std::fmt::Display, value: f64) {
    rec.between(Rule::InDomain, quantity, value, 0.0, 1.0);
}

fn amount(rec: &mut Recorder, quantity: impl std::fmt::Display, value: f64) {
    rec.between(Rule::InDomain, quantity, value, 0.0, f64::MAX);
}

fn alive_or_dead<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History) {
    let (alive, dead) = (model.p_alive(history), model.p_dead(history));
    probability(rec, "P(alive)", alive);
    probability(rec, "P(dead)", dead);
    rec.close(Rule::AliveOrDead, "P(alive) + P(dead)", alive + dead, 1.0, rec.tolerances.complement);
}

/// t = 0.
fn at_the_start<M: PurchaseModel>(rec: &mut Recorder, model: &M) {
    let same = rec.tolerances.same;
    rec.close(Rule::AliveAtTheStart, "P(alive at 0)", model.p_alive_at(0.0), model.p_alive(&History::NEW_CUSTOMER), same);
    rec.close(Rule::NothingInNoTime, "P(X(0) = 0)", model.purchase_pmf(0, 0.0), 1.0, rec.tolerances.complement);
    for (quantity, value) in [
        ("P(X(0) = 3)", model.purchase_pmf(3, 0.0)),
        ("P(X(0) > 0)", model.purchase_sf(0, 0.0)),
        ("P(active by 0)", model.p_active(0.0)),
        ("E X(0)", model.expected_purchases(0.0)),
        ("Var X(0)", model.purchase_variance(0.0)),
    ] {
        rec.close(Rule::NothingInNoTime, quantity, value, 0.0, same);
    }
}

/// The methods without a history: of a new customer, or of one who is alive at T.
fn future<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64, points: &Points) {
    let rounding = rec.tolerances.rounding;
    let (p_active, expected, p_alive) = (model.p_active(t), model.expected_purchases(t), model.p_alive_at(t));
    let (second, variance) = (model.second_factorial_moment(t), model.purchase_variance(t));
    probability(rec, "P(active)", p_active);
    probability(rec, "P(alive at t)", p_alive);
    amount(rec, "E X(t)", expected);
    amount(rec, "E X(t) (X(t) - 1)", second);
    amount(rec, "Var X(t)", variance);
    rec.close(Rule::ActiveOrNone, "P(active) + P(X = 0)", p_active + model.purchase_pmf(0, t), 1.0, rounding);
    rec.close(Rule::ActiveIsSome, "P(active)", p_active, model.purchase_sf(0, t), rounding);
    for n in 0..FIRST_COUNTS {
        probability(rec, format_args!("P(X = {n})"), model.purchase_pmf(n, t));
        probability(rec, format_args!("P(X > {n})"), model.purchase_sf(n, t));
        probability(rec, format_args!("P(X <= {n})"), model.purchase_cdf(n, t));
        rec.at_most(Rule::MoreTimeBringsMore, format_args!("P(X > {})", n + 1), model.purchase_sf(n + 1, t), model.purchase_sf(n, t));
    }
    rec.at_most(Rule::PurchasesBecomeRarer, "E X(2 t) - E X(t)", model.expected_purchases(2.0 * t) - expected, expected);
    for later in LATER.map(|factor| factor * t) {
        let rule = Rule::MoreTimeBringsMore;
        rec.at_most(rule, format_args!("E X(t), against that by {later:?},"), expected, model.expected_purchases(later));
        rec.at_most(rule, format_args!("E X (X - 1), against that by {later:?},"), second, model.second_factorial_moment(later));
        rec.at_most(rule, format_args!("P(active), against that by {later:?},"), p_active, model.p_active(later));
        rec.at_most(rule, format_args!("P(alive at {later:?})"), model.p_alive_at(later), p_alive);
        for n in 0..FIRST_COUNTS {
            let quantity = format_args!("P(X > {n}), against that by {later:?},");
            rec.at_most(rule, quantity, model.purchase_sf(n, t), model.purchase_sf(n, later));
        }
    }
    let undiscounted = model.dert(0.0);
    let quantity = "the sum discounted at 0";
    rec.close(Rule::DiscountWithinBounds, quantity, model.discounted_expected_purchases(t, 0.0), expected, rounding);
    for &delta in &points.discount_rates {
        discounted(rec, model, t, delta, expected, or_infinite(undiscounted));
    }
    if let Some(whole) = undiscounted {
        amount(rec, "DERT at 0", whole);
        for time in [t, LONG * t, f64::INFINITY] {
            rec.at_most(Rule::WholeLife, format_args!("E X({time:?})"), model.expected_purchases(time), whole);
        }
    }
}

/// Discounted sums, between those without discount: `plain` up to t, and `plain_whole` for life.
fn discounted<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64, delta: f64, plain: f64, plain_whole: f64) {
    let rounding = rec.tolerances.rounding;
    let sum = model.discounted_expected_purchases(t, delta);
    let whole = or_infinite(model.dert(delta));
    amount(rec, format_args!("the sum discounted at {delta:e}"), sum);
    amount(rec, format_args!("DERT at {delta:e}"), whole);
    let bounds = Rule::DiscountWithinBounds;
    // 1 - delta t <= e^(-delta u) <= 1: as delta -> 0 nothing is discounted.
    rec.at_most(bounds, format_args!("the sum discounted at {delta:e}"), sum, plain);
    rec.at_most(bounds, format_args!("the least that discounting at {delta:e} leaves"), plain * (1.0 - delta * t), sum);
    rec.at_most(bounds, format_args!("DERT at {:e}", 2.0 * delta), or_infinite(model.dert(2.0 * delta)), whole);
    rec.at_most(bounds, format_args!("DERT at {delta:e}"), whole, plain_whole);
    // Purchases become rarer with time, so those after a time are at most e^(-delta time) of all: in the end nothing is missing.
    let of = |time: f64| (time, model.discounted_expected_purchases(time, delta));
    for (time, finite) in [(t, sum), of(10.0 / delta), of(40.0 / delta)] {
        let quantity = format_args!("the sum up to {time:?} discounted at {delta:e}");
        rec.at_most(Rule::WholeLife, quantity, finite, whole);
        let quantity = format_args!("the least of DERT at {delta:e} that {time:?} brings");
        rec.at_most(Rule::WholeLife, quantity, whole * -(-delta * time).exp_m1(), finite);
    }
    let endless = model.discounted_expected_purchases(f64::INFINITY, delta);
    rec.close(Rule::WholeLife, format_args!("the endless sum discounted at {delta:e}"), endless, whole, rounding);
    for later in LATER.map(|factor| factor * t) {
        let quantity = format_args!("the sum discounted at {delta:e}, against that up to {later:?},");
        rec.at_most(Rule::MoreTimeBringsMore, quantity, sum, model.discounted_expected_purchases(later, delta));
    }
}

/// What is said of the number of purchases.
struct Counts<P, S, C> {
    pmf: P,
    sf: S,
    cdf: C,
    mean: f64,
    second_factorial_moment: Option<f64>,
    variance: f64,
}

fn new_counts<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64) {
    let counts = Counts {
        pmf: |n| model.purchase_pmf(n, t),
        sf: |n| model.purchase_sf(n, t),
        cdf: |n| model.purchase_cdf(n, t),
        mean: model.expected_purchases(t),
        second_factorial_moment: Some(model.second_factorial_moment(t)),
        variance: model.purchase_variance(t),
    };
    sums(rec, &counts);
}

fn known_counts<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History, t: f64) {
    let counts = Counts {
        pmf: |n| model.conditional_purchase_pmf(history, n, t),
        sf: |n| model.conditional_purchase_sf(history, n, t),
        cdf: |n| model.conditional_purchase_cdf(history, n, t),
        mean: model.conditional_expected_purchases(history, t),
        second_factorial_moment: None,
        variance: model.conditional_purchase_variance(history, t),
    };
    sums(rec, &counts);
}

fn sums<P: Fn(u64) -> f64, S: Fn(u64) -> f64, C: Fn(u64) -> f64>(rec: &mut Recorder, counts: &Counts<P, S, C>) {
    let (summed, rounding) = (rec.tolerances.summed, rec.tolerances.rounding);
    let (mut sum, mut mean, mut square, mut tails) = (0.0, 0.0, 0.0, 0.0);
    let mut complete = false;
    for n in 0..MOST_COUNTS {
        let (pmf, sf, n_f) = ((counts.pmf)(n), (counts.sf)(n), n as f64);
        sum += pmf;
        mean += n_f * pmf;
        square += n_f * (n_f - 1.0) * pmf;
        tails += sf;
        rec.within(Rule::CountsAddUp, format_args!("P(X <= {n}) + P(X > {n})"), sum + sf, 1.0, summed);
        // 1 - P(X > n) has the rounding of P(X > n).
        let (cdf, tolerance) = ((counts.cdf)(n), summed * sum.abs() + rounding);
        rec.within(Rule::CountsAddUp, format_args!("P(X <= {n})"), cdf, sum, tolerance);
        complete = (n_f + 2.0).powi(2) * sf <= MISSED * square;
        // Where one of them is no number, neither are the sums: they say so.
        if complete || sum.is_nan() || sf.is_nan() {
            break;
        }
    }
    if !complete && !sum.is_nan() {
        for rule in [Rule::MeanOfCounts, Rule::SecondFactorialMoment, Rule::VarianceOfCounts] {
            rec.skip(rule, format!("more than {MOST_COUNTS} numbers of purchases carry the sum; a shorter horizon needs fewer"));
        }
        return;
    }
    rec.close(Rule::CountsAddUp, "the sum of P(X = n)", sum, 1.0, summed);
    rec.close(Rule::MeanOfCounts, "the sum of n P(X = n)", mean, counts.mean, summed);
    rec.close(Rule::MeanOfCounts, "the sum of P(X > n)", tails, counts.mean, summed);
    if let Some(second) = counts.second_factorial_moment {
        rec.close(Rule::SecondFactorialMoment, "the sum of n (n - 1) P(X = n)", square, second, summed);
    }
    // The difference of moments loses as many digits as the mean has.
    let variance = square + mean * (1.0 - mean);
    rec.close(Rule::VarianceOfCounts, "the variance of P(X = n)", variance, counts.variance, summed * (1.0 + mean));
}

fn new_quantiles<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64, points: &Points) {
    for &q in &points.levels {
        count_quantile(rec, q, model.purchase_quantile(q, t), |n| model.purchase_sf(n, t));
        time_quantile(rec, q, model.next_purchase_quantile(q), |t| model.p_active(t));
    }
    time_quantile(rec, 0.0, model.next_purchase_quantile(0.0), |t| model.p_active(t));
}

fn known_quantiles<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History, t: f64, points: &Points) {
    for &q in &points.levels {
        let n = model.conditional_purchase_quantile(history, q, t);
        count_quantile(rec, q, n, |n| model.conditional_purchase_sf(history, n, t));
        let time = model.conditional_next_purchase_quantile(history, q);
        time_quantile(rec, q, time, |t| model.conditional_p_active(history, t));
    }
}

fn count_quantile(rec: &mut Recorder, q: f64, n: u64, sf: impl Fn(u64) -> f64) {
    let (rule, beyond, same) = (Rule::QuantileOfCounts, 1.0 - q, rec.tolerances.same);
    rec.between(rule, format_args!("P(X > {n}), with {n} the quantile {q}"), sf(n), 0.0, beyond * (1.0 + same));
    if n > 0 {
        let before = sf(n - 1);
        // More than 1 - q, or n - 1 were the quantile.
        let low = (beyond * (1.0 - same)).next_up();
        rec.between(rule, format_args!("P(X > {}), with {n} the quantile {q}", n - 1), before, low, 1.0);
    }
}

fn time_quantile(rec: &mut Recorder, q: f64, time: Option<f64>, p_active: impl Fn(f64) -> f64) {
    let rule = Rule::QuantileOfNextPurchase;
    match time {
        Some(time) => {
            rec.between(rule, format_args!("the quantile {q} of the next purchase time"), time, 0.0, f64::INFINITY);
            rec.close(rule, format_args!("P(active by {time:?}), the quantile {q},"), p_active(time), q, rec.tolerances.summed);
        }
        None => rec.at_most(rule, format_args!("P(ever active), without a quantile {q},"), p_active(f64::INFINITY), q),
    }
}

/// The empty history against the methods without one.
fn empty_history<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64, points: &Points) {
    let (new, same, rounding) = (&History::NEW_CUSTOMER, rec.tolerances.same, rec.tolerances.rounding);
    let rule = Rule::NewCustomerIsEmptyHistory;
    rec.close(rule, "E Y(t)", model.conditional_expected_purchases(new, t), model.expected_purchases(t), same);
    rec.close(rule, "Var Y(t)", model.conditional_purchase_variance(new, t), model.purchase_variance(t), rounding);
    rec.close(rule, "P(active)", model.conditional_p_active(new, t), model.p_active(t), same);
    rec.close(rule, "P(alive at t)", model.conditional_p_alive_at(new, t), model.p_alive_at(t), same);
    for n in 0..FIRST_COUNTS {
        rec.close(rule, format_args!("P(Y = {n})"), model.conditional_purchase_pmf(new, n, t), model.purchase_pmf(n, t), same);
        rec.close(rule, format_args!("P(Y > {n})"), model.conditional_purchase_sf(new, n, t), model.purchase_sf(n, t), same);
        rec.close(rule, format_args!("P(Y <= {n})"), model.conditional_purchase_cdf(new, n, t), model.purchase_cdf(n, t), same);
    }
    for &delta in &points.discount_rates {
        let sums = (model.conditional_discounted_expected_purchases(new, t, delta), model.discounted_expected_purchases(t, delta));
        rec.close(rule, format_args!("the sum discounted at {delta:e}"), sums.0, sums.1, same);
        rec.close(
            rule,
            format_args!("DERT at {delta:e}"),
            or_infinite(model.conditional_dert(new, delta)),
            or_infinite(model.dert(delta)),
            same,
        );
    }
    for &q in &points.levels {
        // Where P(X > n) is 1 - q but for rounding, the next n will do as well; times may differ where they hardly matter.
        let (n, m) = (model.conditional_purchase_quantile(new, q, t), model.purchase_quantile(q, t));
        let agree = |n: u64, m: u64| if n == m { 1.0 - q } else { model.purchase_sf(n.min(m), t) };
        rec.close(rule, format_args!("the quantile {q} of purchases, {n} and {m}, by what is beyond,"), agree(n, m), 1.0 - q, same);
        let times = (or_infinite(model.conditional_next_purchase_quantile(new, q)), or_infinite(model.next_purchase_quantile(q)));
        if times.0 == times.1 {
            rec.close(rule, format_args!("the quantile {q} of the next purchase time"), times.0, times.1, same);
        } else {
            let quantity = format_args!("P(active by {:?}), against {:?}, the quantile {q},", times.0, times.1);
            rec.close(rule, quantity, model.p_active(times.0), model.p_active(times.1), same);
        }
    }
}

fn odd_arguments<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64, points: &Points) {
    let (rule, same) = (Rule::OddArguments, rec.tolerances.same);
    let delta = points.largest_rate();
    let at = |t: f64, delta: f64| {
        [
            ("E X(t)", model.expected_purchases(t)),
            ("E X(t) (X(t) - 1)", model.second_factorial_moment(t)),
            ("Var X(t)", model.purchase_variance(t)),
            ("P(X = 0)", model.purchase_pmf(0, t)),
            ("P(X > 0)", model.purchase_sf(0, t)),
            ("P(active)", model.p_active(t)),
            ("P(alive at t)", model.p_alive_at(t)),
            ("the discounted sum", model.discounted_expected_purchases(t, delta)),
            ("DERT", or_infinite(model.dert(delta))),
        ]
    };
    for (odd, rule_of) in [(-t, at(0.0, delta)), (f64::NAN, at(0.0, delta))] {
        for ((quantity, found), (_, expected)) in at(odd, delta).into_iter().zip(rule_of) {
            rec.close(rule, format_args!("{quantity} at a time of {odd:?}"), found, expected, same);
        }
    }
    for odd in [-delta, f64::NAN] {
        for ((quantity, found), (_, expected)) in at(t, odd).into_iter().zip(at(t, 0.0)) {
            rec.close(rule, format_args!("{quantity} at a discount rate of {odd:?}"), found, expected, same);
        }
    }
    for (quantity, value) in at(f64::INFINITY, delta).into_iter().chain(at(f64::INFINITY, 0.0)) {
        let most = if quantity.starts_with('P') { 1.0 } else { f64::INFINITY };
        rec.between(rule, format_args!("{quantity} after an infinite time"), value, 0.0, most);
    }
}

/// Customers who never bought again.
fn nobody<M: PurchaseModel>(rec: &mut Recorder, model: &M, t: f64) {
    if let Ok(history) = History::new(0, 0.0, t) {
        rec.about(KNOWN, Some(history), None);
        let (likelihood, none) = (model.ln_likelihood(&history).exp(), model.purchase_pmf(0, t));
        rec.close(Rule::LikelihoodOfNobody, "L(0, 0, T)", likelihood, none, rec.tolerances.rounding);
        alive_or_dead(rec, model, &history);
    }
}

/// The methods that take a history, from those of the model given alive.
fn known<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History, t: f64, points: &Points) {
    let (rule, rounding) = (Rule::PAliveTimesFuture, rec.tolerances.rounding);
    let (p_alive, p_dead, alive) = (model.p_alive(history), model.p_dead(history), model.given_alive(history));
    let (mean, p_active) = (alive.expected_purchases(t), model.conditional_p_active(history, t));
    let variance = p_alive * (alive.purchase_variance(t) + p_dead * mean * mean);
    rec.close(rule, "E Y(t)", model.conditional_expected_purchases(history, t), p_alive * mean, rounding);
    rec.close(rule, "Var Y(t)", model.conditional_purchase_variance(history, t), variance, rounding);
    rec.close(rule, "P(active)", p_active, p_alive * alive.p_active(t), rounding);
    rec.close(rule, "P(alive at T + t)", model.conditional_p_alive_at(history, t), p_alive * alive.p_alive_at(t), rounding);
    for n in 0..FIRST_COUNTS {
        let (pmf, sf) = (model.conditional_purchase_pmf(history, n, t), model.conditional_purchase_sf(history, n, t));
        let cdf = model.conditional_purchase_cdf(history, n, t);
        probability(rec, format_args!("P(Y = {n})"), pmf);
        probability(rec, format_args!("P(Y > {n})"), sf);
        probability(rec, format_args!("P(Y <= {n})"), cdf);
        let dead = if n == 0 { p_dead } else { 0.0 };
        rec.close(rule, format_args!("P(Y = {n})"), pmf, dead + p_alive * alive.purchase_pmf(n, t), rounding);
        rec.close(rule, format_args!("P(Y > {n})"), sf, p_alive * alive.purchase_sf(n, t), rounding);
        rec.within(rule, format_args!("P(Y <= {n})"), cdf, 1.0 - p_alive * alive.purchase_sf(n, t), rounding);
    }
    for &delta in &points.discount_rates {
        let (sum, whole) = (model.conditional_discounted_expected_purchases(history, t, delta), model.conditional_dert(history, delta));
        let expected = p_alive * alive.discounted_expected_purchases(t, delta);
        rec.close(rule, format_args!("the sum discounted at {delta:e}"), sum, expected, rounding);
        let expected = or_infinite(alive.dert(delta).map(|dert| p_alive * dert));
        rec.close(rule, format_args!("DERT at {delta:e}"), or_infinite(whole), expected, rounding);
    }
    let none = model.conditional_purchase_pmf(history, 0, t);
    rec.close(Rule::ActiveOrNone, "P(active) + P(Y = 0)", p_active + none, 1.0, rounding);
    rec.close(Rule::ActiveIsSome, "P(active)", p_active, model.conditional_purchase_sf(history, 0, t), rounding);
}

/// The model given alive, against that of the same x and T with another t_x.
fn recency<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History, t: f64, points: &Points) {
    let (x, t_x, age) = (history.frequency(), history.recency(), history.age());
    let other = if t_x < 0.5 * age { age } else { 0.25 * age };
    // x = 0 has no other t_x.
    let Ok(other) = History::new(x, other, age) else { return };
    let (ours, theirs, delta) = (model.given_alive(history), model.given_alive(&other), points.largest_rate());
    for (quantity, found, expected) in [
        ("E Y(t)", ours.expected_purchases(t), theirs.expected_purchases(t)),
        ("Var Y(t)", ours.purchase_variance(t), theirs.purchase_variance(t)),
        ("P(Y = 1)", ours.purchase_pmf(1, t), theirs.purchase_pmf(1, t)),
        ("P(active)", ours.p_active(t), theirs.p_active(t)),
        ("P(alive at T + t)", ours.p_alive_at(t), theirs.p_alive_at(t)),
        ("DERT", or_infinite(ours.dert(delta)), or_infinite(theirs.dert(delta))),
    ] {
        let quantity = format_args!("{quantity}, against that with t_x = {:?},", other.recency());
        rec.close(Rule::FutureIgnoresRecency, quantity, found, expected, rec.tolerances.same);
    }
}

/// What a time without a purchase tells.
fn silence<M: PurchaseModel>(rec: &mut Recorder, model: &M, history: &History, t: f64) {
    let Ok(quiet) = History::new(history.frequency(), history.recency(), history.age() + t) else { return };
    rec.at_most(Rule::SilenceMeansDeath, "P(alive) after a silence of t", model.p_alive(&quiet), model.p_alive(history));
    rec.at_most(Rule::SilenceMeansDeath, "P(dead)", model.p_dead(history), model.p_dead(&quiet));
    let (before, after) = (model.ln_likelihood(history), model.ln_likelihood(&quiet));
    if before == f64::NEG_INFINITY {
        return rec.skip(Rule::LikelihoodOfSilence, "the history is impossible by this model");
    }
    // An error of ln L is a relative error of L.
    let tolerance = rec.tolerances.rounding * (1.0 + before.abs() + after.abs());
    let (ratio, none) = ((after - before).exp(), model.conditional_purchase_pmf(history, 0, t));
    rec.close(Rule::LikelihoodOfSilence, "L(x, t_x, T + t) / L(x, t_x, T)", ratio, none, tolerance);
}
