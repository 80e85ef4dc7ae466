//! The covariance of an estimate by a composite likelihood: Godambe's sandwich.

use ndarray::{Array1, Array2};

use super::prior::Prior;
use crate::models::CompositeScore;
use crate::numeric::symmetric::Eigen;

/// H^-1 J H^-1 of the logarithms of the free parameters; `None` when ln L is flat in some direction.
///
/// A prior of precision P is evidence like any other: (H + P)^-1 (J + P) (H + P)^-1. With J = H that is the curvature of the posterior, and without data the variance of the prior.
///
/// Both H and J are the model's expectations. With the curvature of the sample in place of H the two would not fit together: it varies from sample to sample, and enters twice.
pub(super) fn covariance_of_logs(
    score: &CompositeScore,
    parameters: &Array1<f64>,
    free: &[usize],
    prior: Option<Prior>,
) -> Option<Array2<f64>> {
    // The gradient in ln theta is theta times that in theta.
    let in_logs = |matrix: &Array2<f64>| {
        let entry = |i: usize, j: usize| matrix[[i, j]] * (parameters[i] * parameters[j]);
        Array2::from_shape_fn((free.len(), free.len()), |(i, j)| entry(free[i], free[j]))
    };
    let (mut information, mut variance) = (in_logs(&score.information), in_logs(&score.variance));
    let precision = prior.map_or(0.0, Prior::precision);
    for matrix in [&mut information, &mut variance] {
        matrix.diag_mut().mapv_inplace(|entry| entry + precision);
    }
    let inverse = Eigen::of(&information).positive_inverse()?;
    Some(symmetric(&inverse.dot(&variance).dot(&inverse)))
}

/// A covariance that is a product, and so symmetric but for its rounding: a model file takes none that is not.
pub(super) fn symmetric(product: &Array2<f64>) -> Array2<f64> {
    (product + &product.t()) * 0.5
}
