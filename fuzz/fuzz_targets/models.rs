//! No model panics, hangs or returns what is no number, for any parameters and history that the constructors accept.
#![no_main]

use clv::{AnyPurchaseModel, BgNbd, GammaGamma, GammaGammaParams, History, MbgNbd, Nbd, ParetoNbd, PurchaseModel, SpendHistory};
use libfuzzer_sys::fuzz_target;

/// Times beyond this are legal and meaningless; squares of the models' intermediate values overflow there.
const LONGEST: f64 = 1e100;

/// The numbers of one run, off the front of the data; 0 when they are used up.
///
/// Eight bytes at random are nearly always a double that the constructors refuse. So the first byte of a number says what the others are: the bits of
/// a double, a number that is special somewhere, or a place between two limits, uniform in the logarithm.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let length = N.min(self.0.len());
        bytes[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        bytes
    }

    fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// 0 to 1.
    fn share(&mut self) -> f64 {
        f64::from(u32::from_le_bytes(self.take())) / f64::from(u32::MAX)
    }

    fn number(&mut self, low: f64, high: f64) -> f64 {
        const SPECIAL: [f64; 16] = [
            0.0,
            1.0,
            2.0,
            0.5,
            1e-12,
            1e-9,
            1e-6,
            1e-3,
            1e3,
            1e6,
            1e9,
            1e15,
            1.0 + f64::EPSILON,
            1.0 - f64::EPSILON,
            f64::INFINITY,
            f64::MIN_POSITIVE,
        ];
        let kind = self.byte();
        match kind >> 5 {
            0 => f64::from_le_bytes(self.take()),
            1 | 2 => SPECIAL[usize::from(kind) % SPECIAL.len()],
            _ => (low.ln() + (high.ln() - low.ln()) * self.share()).exp(),
        }
    }

    fn count(&mut self, high: f64) -> u32 {
        let kind = self.byte();
        match kind >> 5 {
            0 => u32::from_le_bytes(self.take()),
            1..=3 => u32::from(kind & 0x1f),
            _ => (high.ln() * self.share()).exp() as u32,
        }
    }

    fn parameter(&mut self) -> f64 {
        self.number(1e-6, 1e6)
    }

    fn time(&mut self) -> f64 {
        self.number(1e-9, 1e7)
    }

    /// A part of `whole`: all of it, nearly all of it, or any share.
    fn part(&mut self, whole: f64) -> f64 {
        match self.byte() % 4 {
            0 => whole,
            1 => whole * (1.0 - self.number(1e-16, 1e-3).clamp(0.0, 1.0)),
            2 => whole * self.number(1e-12, 1.0).clamp(0.0, 1.0),
            _ => whole * self.share(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Input {
    model: u8,
    parameters: [f64; 4],
    x: u32,
    recency: f64,
    age: f64,
    t: f64,
    delta: f64,
    q: f64,
    n: u32,
}

impl Input {
    fn from_bytes(data: &[u8]) -> Self {
        let mut bytes = Bytes(data);
        let (model, parameters) = (bytes.byte(), [(); 4].map(|()| bytes.parameter()));
        let (x, age) = (bytes.count(1e6), bytes.time());
        let recency = if x == 0 { 0.0 } else { bytes.part(age) };
        let (t, delta) = (bytes.time(), bytes.number(1e-12, 10.0));
        Input { model, parameters, x, recency, age, t, delta, q: bytes.part(1.0), n: bytes.count(1e6) }
    }
}

fn probability(name: &str, value: f64, input: &Input) {
    assert!((0.0..=1.0).contains(&value), "{name} = {value:e} for {input:?}");
}

fn amount(name: &str, value: f64, input: &Input) {
    assert!(value >= 0.0, "{name} = {value:e} for {input:?}");
}

/// The value, gradient and Hessian of a model's likelihood.
fn finite_jet<const N: usize>(jet: &clv::Jet<N>, input: &Input) {
    let entries = [jet.value].into_iter().chain(jet.gradient).chain(jet.hessian.into_iter().flatten());
    entries.for_each(|entry| assert!(entry.is_finite(), "{jet:?} for {input:?}"));
}

fn check(model: &AnyPurchaseModel, history: &History, input: &Input) {
    let &Input { t, delta, q, n, .. } = input;
    assert!(model.ln_likelihood(history).is_finite(), "{input:?}");
    match model {
        AnyPurchaseModel::BgNbd(model) => finite_jet(&BgNbd::ln_likelihood_jet(model, history), input),
        AnyPurchaseModel::MbgNbd(model) => finite_jet(&MbgNbd::ln_likelihood_jet(model, history), input),
        AnyPurchaseModel::ParetoNbd(model) => finite_jet(&ParetoNbd::ln_likelihood_jet(model, history), input),
        AnyPurchaseModel::Nbd(model) => finite_jet(&Nbd::ln_likelihood_jet(model, history), input),
        _ => {}
    }
    probability("p_alive", model.p_alive(history), input);
    probability("p_dead", model.p_dead(history), input);
    probability("p_active", model.conditional_p_active(history, t), input);
    probability("p_alive_at", model.conditional_p_alive_at(history, t), input);
    for n in [0, 1, u64::from(n)] {
        probability("pmf", model.conditional_purchase_pmf(history, n, t), input);
        probability("sf", model.conditional_purchase_sf(history, n, t), input);
        probability("cdf", model.conditional_purchase_cdf(history, n, t), input);
    }
    amount("expected", model.conditional_expected_purchases(history, t), input);
    amount("variance", model.conditional_purchase_variance(history, t.min(LONGEST)), input);
    amount("discounted", model.conditional_discounted_expected_purchases(history, t, delta), input);
    amount("dert", model.conditional_dert(history, delta).unwrap_or(0.0), input);
    amount("next purchase", model.conditional_next_purchase_quantile(history, q).unwrap_or(0.0), input);
    let quantile = model.conditional_purchase_quantile(history, q, t);
    if quantile > 0 && q < 1.0 && quantile < 1 << 53 {
        assert!(model.conditional_purchase_sf(history, quantile - 1, t) > 1.0 - q, "quantile {quantile} is too large for {input:?}");
    }
}

fn check_spend(input: &Input) {
    let [p, q, gamma, mean] = input.parameters;
    let (Ok(model), Ok(spend)) = (GammaGamma::new(GammaGammaParams { p, q, gamma }), SpendHistory::new(input.x, mean)) else { return };
    assert!(model.ln_likelihood(&spend).is_finite(), "{input:?}");
    finite_jet(&model.ln_likelihood_jet(&spend), input);
    amount("expected average spend", model.expected_average_spend(&spend).unwrap_or(0.0), input);
    let (future, n, amount_spent) = (model.given(&spend), u64::from(input.n), input.t);
    amount("density", future.average_spend_density(n, amount_spent), input);
    probability("cdf", future.average_spend_cdf(n, amount_spent), input);
    amount("quantile", future.average_spend_quantile(n, input.q), input);
}

fuzz_target!(|data: &[u8]| {
    let input = Input::from_bytes(data);
    let name = AnyPurchaseModel::NAMES[usize::from(input.model) % AnyPurchaseModel::NAMES.len()];
    let Ok(information) = AnyPurchaseModel::parameters_of(name) else { return };
    let parameters = &input.parameters[..information.len()];
    if let (Ok(model), Ok(history)) = (AnyPurchaseModel::from_name(name, parameters), History::new(input.x, input.recency, input.age)) {
        check(&model, &history, &input);
    }
    check_spend(&input);
});
