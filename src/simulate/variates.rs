//! Random numbers: generators by seed and stream, and the variates that models are mixed from.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Gamma};

/// Generator number `stream` of a seed: all of them are independent of each other, and the same for ever.
#[must_use]
pub fn random_stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// ln of a gamma variate of scale 1.
pub(super) fn draw_ln_gamma<R: Rng>(shape: f64, rng: &mut R) -> f64 {
    // gamma(k) = gamma(k + 1) U^(1/k), and -ln U is exponential
    let (above, shift) = if shape < 1.0 {
        let exponential: f64 = Exp1.sample(rng);
        (shape + 1.0, exponential / shape)
    } else {
        (shape, 0.0)
    };
    Gamma::new(above, 1.0).expect("the shape is finite and at least 1").sample(rng).ln() - shift
}

pub(super) fn draw_gamma<R: Rng>(shape: f64, rate: f64, rng: &mut R) -> f64 {
    draw_ln_gamma(shape, rng).exp() / rate
}

/// How many chances to drop out a customer survives whose dropout probability is beta(a, b).
pub(super) fn draw_chances_survived<R: Rng>(a: f64, b: f64, rng: &mut R) -> u64 {
    let log_odds = draw_ln_gamma(a, rng) - draw_ln_gamma(b, rng);
    // -ln(1 - p), accurate for p near 0 and near 1
    let hazard = log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p();
    let exponential: f64 = Exp1.sample(rng);
    // Saturates at u64::MAX, which is never.
    (exponential / hazard) as u64
}
