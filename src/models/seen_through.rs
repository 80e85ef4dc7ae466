//! A purchase model whose customers are seen through data that say less than a history: the same parameters, another likelihood.

use std::marker::PhantomData;

use ndarray::Array1;

use super::censored_likelihood::CensoredLikelihood;
use super::censored_sample::CensoredSample;
use super::estimable::{CompositeScore, Estimable, Evaluation, ParameterInfo};
use super::notice::{Notice, NoticeKind};
use crate::data::Censored;
use crate::error::Result;

/// The model `M` as it is fitted to data of kind `D`.
///
/// ```
/// use clv::{Estimable, OnlySeen, LeftTruncated, ParetoNbd, SeenThrough};
///
/// type Truncated = SeenThrough<ParetoNbd, LeftTruncated<OnlySeen>>;
/// let model = Truncated::from_parameters(&[0.553, 10.578, 0.606, 11.669])?;
/// assert_eq!(model.model().params().beta, 11.669);    // a new customer is an ordinary Pareto/NBD customer
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenThrough<M, D> {
    model: M,
    data: PhantomData<D>,
}

impl<M: Copy, D> SeenThrough<M, D> {
    /// The model, as of customers seen from their birth.
    #[must_use]
    pub fn model(&self) -> M {
        self.model
    }
}

impl<M, D> From<M> for SeenThrough<M, D> {
    fn from(model: M) -> Self {
        SeenThrough { model, data: PhantomData }
    }
}

impl<D: Censored, M: CensoredLikelihood<D>> Estimable for SeenThrough<M, D> {
    const NAME: &'static str = M::NAME;

    const PARAMETERS: &'static [ParameterInfo] = M::PARAMETERS;

    type Sample = CensoredSample<D>;

    fn from_parameters(parameters: &[f64]) -> Result<Self> {
        M::from_parameters(parameters).map(SeenThrough::from)
    }

    fn parameters(&self) -> Array1<f64> {
        self.model.parameters()
    }

    fn start(sample: &CensoredSample<D>) -> Self {
        M::start(sample.approximate()).into()
    }

    fn elsewhere(&self, sample: &CensoredSample<D>) -> Vec<Self> {
        self.model.elsewhere(sample.approximate()).into_iter().map(SeenThrough::from).collect()
    }

    fn at_bound(&self, parameter: usize, lower: bool) -> Option<&'static str> {
        self.model.at_bound(parameter, lower)
    }

    fn ln_likelihood_sum(&self, sample: &CensoredSample<D>) -> Evaluation {
        sample.sum(|row| self.model.censored_jet(row)).into()
    }

    fn composite_score(&self, sample: &CensoredSample<D>) -> Option<CompositeScore> {
        self.model.censored_composite_score(sample)
    }

    fn cautions(&self, sample: &CensoredSample<D>) -> Vec<Notice> {
        let understates = D::understates(sample.rows().map(|(row, _)| row)).map(|why| Notice::new(NoticeKind::CompositeLikelihood, why));
        let doubt = D::doubt(sample.rows(), |row| self.model.censored_ln_likelihood(row));
        understates.into_iter().chain(doubt.map(|why| Notice::new(NoticeKind::FewSilent, why))).collect()
    }
}
