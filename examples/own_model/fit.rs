//! The sum of the log-likelihoods with gradient and Hessian, and where a fit begins. Everything else, `clv` does.

use clv::{Error, ErrorKind, Estimable, Evaluation, History, ParameterInfo, ParameterKind, PurchaseModel, Sample};
use ndarray::{Array1, array};

use super::model::FixedRates;
use super::sample::Rows;

impl Estimable for FixedRates {
    const NAME: &'static str = "fixed-rates";

    const PARAMETERS: &'static [ParameterInfo] = &[
        ParameterInfo { name: "lambda", kind: ParameterKind::Shape, at_lower: "nobody buys again", at_upper: "purchases never end" },
        ParameterInfo { name: "mu", kind: ParameterKind::Shape, at_lower: "nobody ever drops out", at_upper: "all drop out at once" },
    ];

    type Sample = Rows;

    fn from_parameters(parameters: &[f64]) -> clv::Result<Self> {
        match *parameters {
            [lambda, mu] => FixedRates::new(lambda, mu),
            _ => Err(Error::new(ErrorKind::Parameter, "a purchase rate and a dropout rate, no more and no less")),
        }
    }

    fn parameters(&self) -> Array1<f64> {
        array![self.lambda, self.mu]
    }

    fn start(sample: &Rows) -> Self {
        let rate = sample.sum(|history| f64::from(history.frequency())) / sample.sum(History::age);
        FixedRates { lambda: 2.0 * rate, mu: 1.0 / sample.scale() }
    }

    fn ln_likelihood_sum(&self, sample: &Rows) -> Evaluation {
        let (FixedRates { lambda, mu }, k) = (*self, self.k());
        let mut sum = Evaluation { value: 0.0, gradient: array![0.0, 0.0], hessian: array![[0.0, 0.0], [0.0, 0.0]] };
        for (history, weight) in &sample.0 {
            let (x, t_x, s) = (f64::from(history.frequency()), history.recency(), history.age() - history.recency());
            // g = mu + lambda e^(-k s) with its derivatives, and those of ln g
            let silent = (-k * s).exp();
            let (g, g_l, g_m) = (mu + lambda * silent, silent * (1.0 - lambda * s), 1.0 - lambda * s * silent);
            let (g_ll, g_lm, g_mm) = (silent * s * (lambda * s - 2.0), silent * s * (lambda * s - 1.0), silent * s * lambda * s);
            let (l, m) = (g_l / g, g_m / g);
            let cross = g_lm / g - l * m + 1.0 / (k * k);
            sum.value += weight * self.ln_likelihood(history);
            sum.gradient.scaled_add(*weight, &array![x / lambda - t_x + l - 1.0 / k, m - t_x - 1.0 / k]);
            let (ll, mm) = (g_ll / g - l * l + 1.0 / (k * k) - x / (lambda * lambda), g_mm / g - m * m + 1.0 / (k * k));
            sum.hessian.scaled_add(*weight, &array![[ll, cross], [cross, mm]]);
        }
        sum
    }
}
