//! Symmetric matrices of a handful of rows: eigenvalues, eigenvectors, inverse.

use ndarray::{Array1, Array2};

/// Eigenvalues (ascending) and the eigenvectors in the columns of the matrix beside them.
#[derive(Debug, Clone)]
pub(crate) struct Eigen {
    pub(crate) values: Array1<f64>,
    pub(crate) vectors: Array2<f64>,
}

impl Eigen {
    /// Jacobi's method: rotations until the off-diagonal is rounding noise. For finite symmetric matrices.
    pub(crate) fn of(matrix: &Array2<f64>) -> Self {
        const SWEEPS: usize = 60;
        let n = matrix.nrows();
        let mut a = matrix.clone();
        let mut v = Array2::eye(n);
        for _ in 0..SWEEPS {
            let mut rotated = false;
            for i in 0..n {
                for j in i + 1..n {
                    if a[[i, j]].abs() <= f64::EPSILON * 0.5 * (a[[i, i]] * a[[j, j]]).abs().sqrt() {
                        continue;
                    }
                    rotated = true;
                    let half_difference = 0.5 * (a[[j, j]] - a[[i, i]]) / a[[i, j]];
                    let t = half_difference.signum() / (half_difference.abs() + half_difference.hypot(1.0));
                    let c = 1.0 / t.hypot(1.0);
                    let s = t * c;
                    for k in 0..n {
                        let (p, q) = (a[[k, i]], a[[k, j]]);
                        (a[[k, i]], a[[k, j]]) = (c * p - s * q, s * p + c * q);
                    }
                    for k in 0..n {
                        let (p, q) = (a[[i, k]], a[[j, k]]);
                        (a[[i, k]], a[[j, k]]) = (c * p - s * q, s * p + c * q);
                        let (p, q) = (v[[k, i]], v[[k, j]]);
                        (v[[k, i]], v[[k, j]]) = (c * p - s * q, s * p + c * q);
                    }
                    (a[[i, j]], a[[j, i]]) = (0.0, 0.0);
                }
            }
            if !rotated {
                break;
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| a[[i, i]].total_cmp(&a[[j, j]]));
        Eigen {
            values: order.iter().map(|&i| a[[i, i]]).collect(),
            vectors: Array2::from_shape_fn((n, n), |(row, column)| v[[row, order[column]]]),
        }
    }

    /// The inverse, when every eigenvalue is positive and none is lost in the rounding of the largest.
    pub(crate) fn positive_inverse(&self) -> Option<Array2<f64>> {
        let largest = *self.values.last()?;
        let regular = self.values.iter().all(|&value| value > 1e-14 * largest) && largest > 0.0;
        regular.then(|| {
            let n = self.values.len();
            Array2::from_shape_fn((n, n), |(i, j)| (0..n).map(|k| self.vectors[[i, k]] * self.vectors[[j, k]] / self.values[k]).sum())
        })
    }
}

/// The Cholesky factor of a symmetric matrix; `None` when it is not positive definite.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    lower: Array2<f64>,
}

impl Cholesky {
    pub(crate) fn of(matrix: &Array2<f64>) -> Option<Self> {
        let n = matrix.nrows();
        let mut lower = Array2::zeros((n, n));
        for i in 0..n {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| lower[[i, k]] * lower[[j, k]]).sum();
                let rest = matrix[[i, j]] - sum;
                if i == j {
                    if !(rest > 0.0) {
                        return None;
                    }
                    lower[[i, i]] = rest.sqrt();
                } else {
                    lower[[i, j]] = rest / lower[[j, j]];
                }
            }
        }
        Some(Cholesky { lower })
    }

    /// ln of the determinant.
    pub(crate) fn ln_determinant(&self) -> f64 {
        2.0 * self.lower.diag().iter().map(|entry| entry.ln()).sum::<f64>()
    }

    /// The solution of matrix x = b.
    pub(crate) fn solve(&self, b: &Array1<f64>) -> Array1<f64> {
        let (l, n) = (&self.lower, b.len());
        let mut x = b.clone();
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| l[[i, k]] * x[k]).sum();
            x[i] = (x[i] - sum) / l[[i, i]];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|k| l[[k, i]] * x[k]).sum();
            x[i] = (x[i] - sum) / l[[i, i]];
        }
        x
    }

    /// The inverse of the matrix.
    pub(crate) fn inverse(&self) -> Array2<f64> {
        let n = self.lower.nrows();
        let mut inverse = Array2::zeros((n, n));
        for j in 0..n {
            let unit = Array1::from_shape_fn(n, |i| if i == j { 1.0 } else { 0.0 });
            inverse.column_mut(j).assign(&self.solve(&unit));
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Rounding of a dozen rotations.
    const ACCURACY: f64 = 1e-14;

    #[test]
    fn the_decomposition_gives_the_matrix_back() {
        let matrix = array![[4.0, 1.0, -2.0, 0.5], [1.0, 3.0, 0.25, 1e-3], [-2.0, 0.25, -1.0, 2.0], [0.5, 1e-3, 2.0, 1e2]];
        let Eigen { values, vectors } = Eigen::of(&matrix);
        let back = vectors.dot(&Array2::from_diag(&values)).dot(&vectors.t());
        assert!((&back - &matrix).iter().all(|difference| difference.abs() < 100.0 * ACCURACY));
        assert!((vectors.t().dot(&vectors) - Array2::<f64>::eye(4)).iter().all(|difference| difference.abs() < ACCURACY));
        assert!(values.windows(2).into_iter().all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_cholesky_factor_solves_and_knows_the_determinant() {
        let matrix = array![[4.0, 1.0, -2.0], [1.0, 3.0, 0.25], [-2.0, 0.25, 5.0]];
        let factor = Cholesky::of(&matrix).unwrap();
        assert!((matrix.dot(&factor.inverse()) - Array2::<f64>::eye(3)).iter().all(|difference| difference.abs() < ACCURACY));
        let eigen = Eigen::of(&matrix);
        assert!((factor.ln_determinant() - eigen.values.iter().map(|value| value.ln()).sum::<f64>()).abs() < ACCURACY);
        assert!(Cholesky::of(&array![[1.0, 2.0], [2.0, 1.0]]).is_none());
    }

    #[test]
    fn only_positive_matrices_have_a_positive_inverse() {
        let inverse = Eigen::of(&array![[2.0, 1.0], [1.0, 2.0]]).positive_inverse().unwrap();
        assert!((inverse - array![[2.0, -1.0], [-1.0, 2.0]] / 3.0).iter().all(|difference| difference.abs() < ACCURACY));
        assert!(Eigen::of(&array![[1.0, 2.0], [2.0, 1.0]]).positive_inverse().is_none());
        assert!(Eigen::of(&array![[1.0, 1.0], [1.0, 1.0]]).positive_inverse().is_none());
    }
}
