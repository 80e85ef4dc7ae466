//! What the optimiser maximises: a log-likelihood, and a prior when there is one, over the logarithms of the parameters in a box.

use ndarray::{Array1, Array2};

use super::prior::Prior;
use crate::models::{Estimable, Evaluation, PARAMETER_RANGE, ParameterKind, Sample};

/// The box around a shape parameter, and around a scale in units of the sample's own scale.
///
/// A parameter at its bound has no finite estimate: further out the likelihood no longer changes in double precision.
const SHAPE_BOUNDS: (f64, f64) = (1e-5, 1e5);
const SCALE_BOUNDS: (f64, f64) = (1e-6, 1e6);

/// A function to be maximised whose value, gradient and Hessian come from one pass over the data.
pub(super) trait Objective {
    fn evaluate(&self, point: &Array1<f64>) -> Evaluation;
}

/// ln L of a sample, plus the log-density of a prior, as a function of the logarithms of a model's parameters.
#[derive(Debug)]
pub(super) struct LogPosterior<'a, M: Estimable> {
    sample: &'a M::Sample,
    prior: Option<Prior>,
    /// The logarithms that the prior is centred on.
    centre: Array1<f64>,
}

impl<'a, M: Estimable> LogPosterior<'a, M> {
    pub(super) fn new(sample: &'a M::Sample, prior: Option<Prior>) -> Self {
        let centre = M::PARAMETERS.iter().map(|parameter| match parameter.kind {
            ParameterKind::Shape => 0.0,
            ParameterKind::Scale => sample.scale().ln(),
        });
        LogPosterior { sample, prior, centre: centre.collect() }
    }

    /// The same for another sample, the prior where it was.
    pub(super) fn of_other<'o>(&self, sample: &'o M::Sample) -> LogPosterior<'o, M> {
        LogPosterior { sample, prior: self.prior, centre: self.centre.clone() }
    }

    pub(super) fn sample(&self) -> &'a M::Sample {
        self.sample
    }

    pub(super) fn prior(&self) -> Option<Prior> {
        self.prior
    }

    /// Lower and upper bounds of the logarithms.
    pub(super) fn bounds(&self) -> (Array1<f64>, Array1<f64>) {
        let scale = self.sample.scale();
        let bounds = M::PARAMETERS.iter().map(|parameter| match parameter.kind {
            ParameterKind::Shape => SHAPE_BOUNDS,
            ParameterKind::Scale => (scale * SCALE_BOUNDS.0, scale * SCALE_BOUNDS.1),
        });
        let (lower, upper): (Vec<f64>, Vec<f64>) =
            bounds.map(|(low, high)| (low.max(*PARAMETER_RANGE.start()).ln(), high.min(*PARAMETER_RANGE.end()).ln())).unzip();
        (lower.into(), upper.into())
    }

    /// The model at a point.
    pub(super) fn model(point: &Array1<f64>) -> Option<M> {
        // The exponential of a bound's logarithm may round to just outside of it.
        let parameters: Vec<f64> = point.iter().map(|log| log.exp().clamp(*PARAMETER_RANGE.start(), *PARAMETER_RANGE.end())).collect();
        M::from_parameters(&parameters).ok()
    }

    /// The log-density of the prior at a point, up to a constant: 0 at its centre, and without a prior.
    pub(super) fn ln_prior(&self, point: &Array1<f64>) -> f64 {
        self.prior.map_or(0.0, |prior| -0.5 * prior.precision() * (point - &self.centre).mapv(|d| d * d).sum())
    }
}

impl<M: Estimable> Objective for &LogPosterior<'_, M> {
    fn evaluate(&self, point: &Array1<f64>) -> Evaluation {
        let Some(model) = LogPosterior::<M>::model(point) else {
            // Outside the domain: nothing to gain there.
            let n = point.len();
            return Evaluation { value: f64::NEG_INFINITY, gradient: Array1::zeros(n), hessian: Array2::zeros((n, n)) };
        };
        let natural = model.ln_likelihood_sum(self.sample);
        // d/d ln p = p d/dp, once more for the Hessian
        let parameters = model.parameters();
        let mut gradient = &natural.gradient * &parameters;
        let mut hessian = natural.hessian;
        for ((i, j), entry) in hessian.indexed_iter_mut() {
            *entry *= parameters[i] * parameters[j];
            if i == j {
                *entry += gradient[i];
            }
        }
        if let Some(prior) = self.prior {
            gradient.scaled_add(-prior.precision(), &(point - &self.centre));
            hessian.diag_mut().mapv_inplace(|entry| entry - prior.precision());
        }
        Evaluation { value: natural.value + self.ln_prior(point), gradient, hessian }
    }
}
