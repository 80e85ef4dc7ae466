//! No model panics, hangs or returns what is no number, for any parameters and history that the constructors accept.
#![no_main]

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, PurchaseModel, SpendHistory};
use libfuzzer_sys::fuzz_target;

/// Times beyond this are legal and meaningless; squares of the models' intermediate values overflow there.
const LONGEST: f64 = 1e100;

#[derive(Debug, Clone, Copy)]
struct Input {
    model: u8,
    parameters: [f64; 4],
    x: u32,
    times: [f64; 2],
    t: f64,
    delta: f64,
    q: f64,
    n: u32,
}

/// Takes numbers off the front of the data; 0 when they are used up.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let length = N.min(self.0.len());
        bytes[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        bytes
    }

    fn number(&mut self) -> f64 {
        f64::from_le_bytes(self.take())
    }

    fn count(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }
}

impl Input {
    fn from_bytes(data: &[u8]) -> Self {
        let mut bytes = Bytes(data);
        Input {
            model: bytes.take::<1>()[0],
            parameters: [(); 4].map(|()| bytes.number()),
            x: bytes.count(),
            times: [bytes.number(), bytes.number()],
            t: bytes.number(),
            delta: bytes.number(),
            q: bytes.number(),
            n: bytes.count(),
        }
    }
}

fn probability(value: f64, input: &Input) {
    assert!((0.0..=1.0).contains(&value), "{value} for {input:?}");
}

fn amount(value: f64, input: &Input) {
    assert!(value >= 0.0, "{value} for {input:?}");
}

fn check(model: &AnyPurchaseModel, history: &History, input: &Input) {
    let &Input { t, delta, q, n, .. } = input;
    assert!(model.ln_likelihood(history).is_finite(), "{input:?}");
    probability(model.p_alive(history), input);
    probability(model.p_dead(history), input);
    probability(model.conditional_p_active(history, t), input);
    probability(model.conditional_p_alive_at(history, t), input);
    probability(model.conditional_purchase_pmf(history, u64::from(n), t), input);
    probability(model.conditional_purchase_sf(history, u64::from(n), t), input);
    amount(model.conditional_expected_purchases(history, t), input);
    amount(model.conditional_purchase_variance(history, t.min(LONGEST)), input);
    amount(model.conditional_discounted_expected_purchases(history, t, delta), input);
    amount(model.conditional_dert(history, delta).unwrap_or(0.0), input);
    amount(model.conditional_next_purchase_quantile(history, q).unwrap_or(0.0), input);
    let _ = model.conditional_purchase_quantile(history, q, t);
}

fuzz_target!(|data: &[u8]| {
    let input = Input::from_bytes(data);
    let [first, second] = input.times;
    let (recency, age) = if first <= second { (first, second) } else { (second, first) };
    let recency = if input.x == 0 { 0.0 } else { recency };
    if age > LONGEST {
        return;
    }
    let name = AnyPurchaseModel::NAMES[usize::from(input.model) % AnyPurchaseModel::NAMES.len()];
    let Ok(information) = AnyPurchaseModel::parameters_of(name) else { return };
    let parameters = &input.parameters[..information.len()];
    if let (Ok(model), Ok(history)) = (AnyPurchaseModel::from_name(name, parameters), History::new(input.x, recency, age)) {
        check(&model, &history, &input);
    }
    let [p, q, gamma, mean] = input.parameters;
    if let (Ok(model), Ok(spend)) = (GammaGamma::new(GammaGammaParams { p, q, gamma }), SpendHistory::new(input.x, mean))
        && mean < LONGEST
        && (mean == 0.0 || mean > 1.0 / LONGEST)
    {
        assert!(model.ln_likelihood(&spend).is_finite(), "{input:?}");
        amount(model.expected_average_spend(&spend).unwrap_or(0.0), &input);
    }
});
