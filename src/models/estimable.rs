//! What a model must tell so that it can be fitted.

use ndarray::{Array1, Array2};

use super::notice::Notice;
use super::sample::Sample;
use crate::error::Result;
use crate::numeric::jet::Jet;

/// What a parameter measures: a pure number, or an amount of something that has a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A shape: dimensionless.
    Shape,
    /// A gamma rate or scale in the unit of the data (time for alpha and beta, money for gamma).
    Scale,
}

/// One parameter of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterInfo {
    /// The letter of the papers.
    pub name: &'static str,
    /// Pure number or unit-bearing.
    pub kind: ParameterKind,
    /// What it means, in words, that this parameter went to its lower bound in a fit.
    pub at_lower: &'static str,
    /// What it means that it went to its upper bound.
    pub at_upper: &'static str,
}

/// A log-likelihood with its derivatives in a model's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// ln L summed over the sample.
    pub value: f64,
    /// Its gradient, in the order of [`Estimable::PARAMETERS`].
    pub gradient: Array1<f64>,
    /// Its Hessian.
    pub hessian: Array2<f64>,
}

impl<const N: usize> From<Jet<N>> for Evaluation {
    fn from(jet: Jet<N>) -> Self {
        Evaluation {
            value: jet.value,
            gradient: Array1::from_iter(jet.gradient),
            hessian: Array2::from_shape_fn((N, N), |(i, j)| jet.hessian[i][j]),
        }
    }
}

/// The gradient of a composite likelihood, one that takes dependent observations for independent, under the model itself (Godambe 1960). In the order of
/// [`Estimable::PARAMETERS`].
///
/// ```
/// use clv::{CensoredCustomers, CensoredSample, CrossSection, Estimable, LastCell, ParetoNbd, Sample, SeenThrough, TimeUnit};
///
/// // The same thousand customers in two quarters.
/// let mut table = CensoredCustomers::<CrossSection>::new(TimeUnit::Week);
/// table.push_cohort_histogram(1, 0.0, 13.0, &[716, 163, 66, 55], LastCell::OrMore, 1000)?;
/// table.push_cohort_histogram(1, 13.0, 13.0, &[801, 113, 46, 40], LastCell::OrMore, 1000)?;
/// let model = SeenThrough::<ParetoNbd, CrossSection>::from_parameters(&[0.553, 10.578, 0.606, 11.669])?;
/// let score = model.composite_score(&CensoredSample::new(&table)?).unwrap();
/// // Who bought often in the first buys often in the second: the gradient in alpha varies more than that of as many other customers.
/// assert!(score.variance[[1, 1]] > 1.1 * score.information[[1, 1]] && score.variance[[1, 1]] < 2.0 * score.information[[1, 1]]);
/// // Of histories, which a likelihood proper is of, there is no such thing.
/// # let mut customers = clv::Customers::new(TimeUnit::Week);
/// # let history = clv::History::new(2, 30.43, 38.86)?;
/// # customers.push(clv::Customer { id: "1", history, average_spend: 0.0, weight: 1.0, purchases: None })?;
/// assert_eq!(model.model().composite_score(&clv::PurchaseSample::new(&customers)?), None);
/// # Ok::<(), clv::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CompositeScore {
    /// Its variance over samples: J.
    pub variance: Array2<f64>,
    /// How fast its mean changes with the parameters, the expected curvature of ln L: H. What the variance would be if the observations were independent.
    pub information: Array2<f64>,
}

/// A model whose parameters can be estimated by maximum likelihood.
pub trait Estimable: Sized + Copy + std::fmt::Debug + Send + Sync {
    /// The name in files and on the command line: `bg-nbd`.
    const NAME: &'static str;

    /// The parameters, in the order of every vector and matrix.
    const PARAMETERS: &'static [ParameterInfo];

    /// The customers as this model's likelihood sees them: equal rows counted once, with their weight.
    type Sample: Sample;

    /// A model from its parameters, in order.
    ///
    /// # Errors
    /// When one is outside its domain, or there are not as many as [`Self::PARAMETERS`].
    fn from_parameters(parameters: &[f64]) -> Result<Self>;

    /// The parameters, in order.
    fn parameters(&self) -> Array1<f64>;

    /// Start values by moments.
    fn start(sample: &Self::Sample) -> Self;

    /// Other points from which a second maximum may be found, for an optimum that is nearly flat in some direction or lies at a bound: where hardly
    /// anybody drops out the likelihood has two, one where everybody runs the same small risk and one where a few leave at once and the others never.
    #[must_use]
    fn elsewhere(&self, sample: &Self::Sample) -> Vec<Self> {
        let _ = sample;
        Vec::new()
    }

    /// ln L of the sample with gradient and Hessian, in one pass.
    fn ln_likelihood_sum(&self, sample: &Self::Sample) -> Evaluation;

    /// How the gradient of ln L varies over samples like this one, where that is not the curvature of ln L. `None` for a likelihood proper.
    fn composite_score(&self, sample: &Self::Sample) -> Option<CompositeScore> {
        let _ = sample;
        None
    }

    /// What it means that a parameter of this fitted model ended at its lower (or upper) bound, where its fellows make it mean something else than
    /// [`Self::PARAMETERS`] says.
    fn at_bound(&self, parameter: usize, lower: bool) -> Option<&'static str> {
        let _ = (parameter, lower);
        None
    }

    /// What about these parameters, or about the sample they were fitted to, limits what can be asked of the model, in words.
    fn cautions(&self, sample: &Self::Sample) -> Vec<Notice> {
        let _ = sample;
        Vec::new()
    }
}
