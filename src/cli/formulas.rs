//! The formulas of the purchase models in words, and the future of a customer who is alive by them.

use crate::data::{Customers, EveryCustomer, LeftTruncated};
use crate::models::{AnyPurchaseModel, BgNbd, CensoredFuture, Estimable, MbgNbd, Nbd, ParetoNbd, PurchaseModel};
use crate::score::{ClvTerms, Scorer};

/// What the horizon holds for a customer, given that they are alive.
pub(super) struct GivenAlive {
    /// The model of the future with its parameters.
    pub(super) model: &'static str,
    pub(super) parameters: Vec<(&'static str, f64)>,
    /// How they come about.
    pub(super) update: &'static str,
    /// The probability of being alive, in words.
    pub(super) p_alive: &'static str,
    /// Purchases; none for a lifetime in which they add up for ever.
    pub(super) expected: Option<f64>,
    pub(super) expected_by: &'static str,
    pub(super) p_active: f64,
    pub(super) p_active_by: &'static str,
    pub(super) discounted: f64,
    /// Time until dropout, discounted, P(alive) included.
    pub(super) time_alive: f64,
}

impl GivenAlive {
    /// Of the first of these customers.
    pub(super) fn of(scorer: &Scorer<AnyPurchaseModel>, model: &AnyPurchaseModel, customers: &Customers) -> Self {
        let terms = scorer.terms();
        let time_alive = scorer.discounted_time_alive_of_row(customers, 0);
        let truncated = customers.left_truncated_row::<EveryCustomer>(0).ok().filter(|row| row.before() > 0.0);
        let Some(row) = truncated else {
            let history = customers.history(0);
            let future = model.given_alive(&history);
            let words =
                Words { update: update(model.name()), p_alive: p_alive(model.name(), history.frequency()), ..Words::of(future.name()) };
            return words.with(future.name(), parameters(&future), &future, terms, time_alive);
        };
        let words = born_before(model.name(), row.history().frequency());
        // The parameters are those after what the log holds; w is what else the future depends on.
        let updated = model.given_alive(row.history());
        let survivor = || parameters(&updated).into_iter().chain([("w", row.before())]).collect::<Vec<_>>();
        match *model {
            AnyPurchaseModel::BgNbd(model) => words.with(updated.name(), survivor(), &future(&model, &row), terms, time_alive),
            AnyPurchaseModel::MbgNbd(model) => words.with(updated.name(), survivor(), &future(&model, &row), terms, time_alive),
            AnyPurchaseModel::ParetoNbd(model) => {
                let future = future(&model, &row);
                words.with(ParetoNbd::NAME, parameters(&future.into()), &future, terms, time_alive)
            }
            // Without dropout the time before the log says nothing.
            AnyPurchaseModel::Nbd(_) => words.with(updated.name(), parameters(&updated), &updated, terms, time_alive),
        }
    }
}

fn future<M: CensoredFuture<LeftTruncated<EveryCustomer>>>(
    model: &M,
    row: &LeftTruncated<EveryCustomer>,
) -> <M as CensoredFuture<LeftTruncated<EveryCustomer>>>::Alive {
    model.censored_given_alive(row)
}

fn parameters(model: &AnyPurchaseModel) -> Vec<(&'static str, f64)> {
    fn named<M: Estimable>(model: &M) -> Vec<(&'static str, f64)> {
        M::PARAMETERS.iter().map(|parameter| parameter.name).zip(model.parameters()).collect()
    }
    match model {
        AnyPurchaseModel::BgNbd(model) => named(model),
        AnyPurchaseModel::MbgNbd(model) => named(model),
        AnyPurchaseModel::ParetoNbd(model) => named(model),
        AnyPurchaseModel::Nbd(model) => named(model),
    }
}

/// Formulas in words.
struct Words {
    update: &'static str,
    p_alive: &'static str,
    expected: &'static str,
    p_active: &'static str,
}

impl Words {
    /// Of a future that follows this model.
    fn of(future: &str) -> Self {
        Words { update: "", p_alive: "", expected: expected_purchases(future), p_active: p_active(future) }
    }

    fn with(
        self,
        name: &'static str,
        parameters: Vec<(&'static str, f64)>,
        future: &impl PurchaseModel,
        terms: &ClvTerms,
        time_alive: f64,
    ) -> GivenAlive {
        let (t, delta) = (terms.horizon(), terms.discount_rate());
        GivenAlive {
            model: name,
            parameters,
            update: self.update,
            p_alive: self.p_alive,
            expected: if t.is_finite() { Some(future.expected_purchases(t)) } else { future.dert(0.0) },
            expected_by: self.expected,
            p_active: future.p_active(t),
            p_active_by: self.p_active,
            discounted: future.discounted_expected_purchases(t, delta),
            time_alive,
        }
    }
}

fn p_alive(model: &str, frequency: u32) -> &'static str {
    match model {
        BgNbd::NAME if frequency == 0 => "1",
        BgNbd::NAME => "1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x))^(r + x))",
        MbgNbd::NAME => "1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x))^(r + x))",
        ParetoNbd::NAME => "1 / (1 + s * (alpha + T)^(r + x) * (beta + T)^s * Int[t_x..T] (alpha + u)^-(r + x) * (beta + u)^-(s + 1) du)",
        Nbd::NAME => "1",
        _ => "by the model's equation for P(alive)",
    }
}

/// The model of the future, given alive, in terms of the fitted one.
fn update(model: &str) -> &'static str {
    match model {
        BgNbd::NAME => "bg-nbd (r + x, alpha + T, a, b + x)",
        MbgNbd::NAME => "bg-nbd (r + x, alpha + T, a, b + x + 1)",
        ParetoNbd::NAME => "pareto-nbd (r + x, alpha + T, s, beta + T)",
        Nbd::NAME => "nbd (r + x, alpha + T)",
        _ => "the model with updated parameters",
    }
}

fn expected_purchases(model: &str) -> &'static str {
    match model {
        BgNbd::NAME => "mean of (1 - (1 + p * t / alpha)^-r) / p over p ~ Beta(a, b)",
        ParetoNbd::NAME => "r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + t))^(s - 1))",
        Nbd::NAME => "r * t / alpha",
        _ => "by the model's equation for E[X(t)]",
    }
}

fn p_active(model: &str) -> &'static str {
    match model {
        BgNbd::NAME | Nbd::NAME => "1 - (alpha / (alpha + t))^r",
        _ => "1 - P(X(t) = 0), by the model's equation for it",
    }
}

/// Of a customer acquired a time w before a log of length C, who bought x times in it.
fn born_before(model: &str, frequency: u32) -> Words {
    let is_silent = frequency == 0;
    let survivor = |update, p_alive| Words {
        update,
        p_alive,
        expected: "mean of (1 - (1 + p * t / (alpha + p * w))^-r) / p over p of density ~ p^(a - 1) * (1 - p)^(b - 1) * (1 + p * w / alpha)^-r",
        p_active: "mean of 1 - (1 + t / (alpha + p * w))^-r over p of the same density",
    };
    match model {
        BgNbd::NAME => survivor(
            "bg-nbd (r + x, alpha + C, a, b + x) that has survived w",
            if is_silent {
                "A / (A + G); A = mean of (1 + (C + p * w) / alpha)^-r, G = 1 - mean of (1 + p * w / alpha)^-r, both over p ~ Beta(a, b)"
            } else {
                "A / (A + D); A = mean of (alpha + C + p * w)^-(r + x) over p ~ Beta(a, b + x), D = a / (b + x - 1) * mean of \
                 (alpha + t_x - w + p * w)^-(r + x) over p ~ Beta(a + 1, b + x - 1)"
            },
        ),
        MbgNbd::NAME => survivor(
            "bg-nbd (r + x, alpha + C, a, b + x + 1) that has survived w",
            if is_silent {
                "A / (A + G); A = b / (a + b) * mean of (1 + (C + p * w) / alpha)^-r, G = 1 - b / (a + b) * mean of (1 + p * w / alpha)^-r, both over \
                 p ~ Beta(a, b + 1)"
            } else {
                "A / (A + D); A = mean of (alpha + C + p * w)^-(r + x) over p ~ Beta(a, b + x + 1), D = a / (b + x) * mean of \
                 (alpha + t_x - w + p * w)^-(r + x) over p ~ Beta(a + 1, b + x)"
            },
        ),
        ParetoNbd::NAME => Words {
            update: "pareto-nbd (r + x, alpha + C, s, beta + w + C)",
            p_alive: if is_silent {
                "1 / (1 + (alpha + C)^r * (beta + w + C)^s * ((beta^-s - (beta + w)^-s) * alpha^-r + s * Int[0..C] (alpha + u)^-r * \
                 (beta + w + u)^-(s + 1) du))"
            } else {
                "1 / (1 + s * (alpha + C)^(r + x) * (beta + w + C)^s * Int[t_x - w..C] (alpha + u)^-(r + x) * (beta + w + u)^-(s + 1) du)"
            },
            ..Words::of(ParetoNbd::NAME)
        },
        Nbd::NAME => Words { update: "nbd (r + x, alpha + C)", p_alive: p_alive(model, frequency), ..Words::of(Nbd::NAME) },
        _ => Words { update: update(model), p_alive: p_alive("", frequency), ..Words::of("") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::History;

    /// The formulas in words for customers born before the log, worked out as they are written: means and integrals by a midpoint rule.
    #[test]
    fn the_formulas_of_those_born_before_the_log_say_what_is_computed() {
        let (w, length) = (30.0, 26.0);
        let beta_mean = |a: f64, b: f64, of: &dyn Fn(f64) -> f64| {
            let n = 400_000;
            let (mut sum, mut weight) = (0.0, 0.0);
            for i in 0..n {
                let p = (f64::from(i) + 0.5) / f64::from(n);
                let density = p.powf(a - 1.0) * (1.0 - p).powf(b - 1.0);
                sum += density * of(p);
                weight += density;
            }
            sum / weight
        };
        let integral = |from: f64, to: f64, of: &dyn Fn(f64) -> f64| {
            let n = 100_000;
            let step = (to - from) / f64::from(n);
            (0..n).map(|i| step * of(from + (f64::from(i) + 0.5) * step)).sum::<f64>()
        };
        for (x, t_x) in [(0, 0.0), (3, 20.0)] {
            let row = LeftTruncated::<EveryCustomer>::born_before(w, History::new(x, t_x, length).unwrap()).unwrap();
            let x = f64::from(x);
            let (r, alpha, a, b) = (0.9, 6.0, 1.8, 2.4);
            let at = |time: f64, n: f64| move |p: f64| (alpha + time + p * w).powf(-(r + n));
            let gone = |share: f64, b: f64| 1.0 - share * beta_mean(a, b, &|p| (1.0 + p * w / alpha).powf(-r));
            let silent = |share: f64, b: f64| share * beta_mean(a, b, &|p| (1.0 + (length + p * w) / alpha).powf(-r));
            let of_bg = if x == 0.0 {
                silent(1.0, b) / (silent(1.0, b) + gone(1.0, b))
            } else {
                let alive = beta_mean(a, b + x, &at(length, x));
                alive / (alive + a / (b + x - 1.0) * beta_mean(a + 1.0, b + x - 1.0, &at(t_x, x)))
            };
            let of_mbg = if x == 0.0 {
                let share = b / (a + b);
                silent(share, b + 1.0) / (silent(share, b + 1.0) + gone(share, b + 1.0))
            } else {
                let alive = beta_mean(a, b + x + 1.0, &at(length, x));
                alive / (alive + a / (b + x) * beta_mean(a + 1.0, b + x, &at(t_x, x)))
            };
            let (s, beta) = (0.6, 11.0);
            let within = s * integral(t_x, length, &|u| (alpha + u).powf(-(r + x)) * (beta + w + u).powf(-(s + 1.0)));
            let before = if x == 0.0 { (beta.powf(-s) - (beta + w).powf(-s)) * alpha.powf(-r) } else { 0.0 };
            let of_pareto = 1.0 / (1.0 + (alpha + length).powf(r + x) * (beta + w + length).powf(s) * (before + within));
            let bg = BgNbd::from_parameters(&[r, alpha, a, b]).unwrap();
            let mbg = MbgNbd::from_parameters(&[r, alpha, a, b]).unwrap();
            let pareto = ParetoNbd::from_parameters(&[r, alpha, s, beta]).unwrap();
            for (computed, written) in
                [(bg.censored_p_alive(&row), of_bg), (mbg.censored_p_alive(&row), of_mbg), (pareto.censored_p_alive(&row), of_pareto)]
            {
                assert!((computed - written).abs() < 1e-6, "x = {x}: {computed} and {written}");
            }
            // E[X(t)] of the survivor, with the parameters that the explanation shows.
            let updated = bg.given_alive(row.history()).params();
            let (r, alpha, a, b) = (updated.r, updated.alpha, updated.a, updated.b);
            let weight = |p: f64| (1.0 + p * w / alpha).powf(-r);
            let density = beta_mean(a, b, &weight);
            let t = 39.0;
            let expected = beta_mean(a, b, &|p| weight(p) * (1.0 - (1.0 + p * t / (alpha + p * w)).powf(-r)) / p) / density;
            let active = beta_mean(a, b, &|p| weight(p) * (1.0 - (1.0 + t / (alpha + p * w)).powf(-r))) / density;
            let future = future(&bg, &row);
            assert!((future.expected_purchases(t) - expected).abs() < 1e-5 && (future.p_active(t) - active).abs() < 1e-6, "x = {x}");
        }
    }
}
