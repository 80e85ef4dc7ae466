//! How uncertain an estimate is: the asymptotic distribution of its parameters.

use ndarray::{Array1, Array2, ArrayView2};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::models::PARAMETER_RANGE;
use crate::numeric::symmetric::Eigen;

/// The asymptotic distribution of a fit's parameters: normal in the logarithms of those that are not at a boundary, the others fixed.
///
/// Two ways to carry it into a forecast: draw parameters as often as a simulation needs, or average over the few [`points`](Self::points) that
/// stand for it.
///
/// Along an axis of the covariance on which one standard deviation of a fit is more than a factor e, it is taken for that factor: the data leave such a direction open, and
/// a normal distribution, which describes the likelihood near its maximum, says nothing of parameters a million times as large.
#[derive(Debug, Clone)]
pub struct ParameterDistribution {
    centre: Array1<f64>,
    free: Vec<usize>,
    /// Of the covariance of the free logarithms.
    eigen: Eigen,
}

impl ParameterDistribution {
    /// A distribution around `centre`; the covariance of the free parameters is on their natural scale.
    pub(crate) fn new(centre: Array1<f64>, free: Vec<usize>, covariance: ArrayView2<'_, f64>) -> Self {
        let of_logs = Array2::from_shape_fn(covariance.raw_dim(), |(i, j)| covariance[[i, j]] / (centre[free[i]] * centre[free[j]]));
        ParameterDistribution { centre, free, eigen: Eigen::of(&of_logs) }
    }

    /// That of a fit: no axis is longer than what its likelihood can speak of.
    pub(crate) fn of_fit(centre: Array1<f64>, free: Vec<usize>, covariance: ArrayView2<'_, f64>) -> Self {
        let mut distribution = ParameterDistribution::new(centre, free, covariance);
        distribution.eigen.values.iter_mut().for_each(|variance| *variance = variance.min(LARGEST_VARIANCE));
        distribution
    }

    /// Draws parameters, in the model's order.
    pub fn draw<R: Rng>(&self, rng: &mut R) -> Vec<f64> {
        let normals: Vec<f64> = (0..self.free.len()).map(|_| StandardNormal.sample(rng)).collect();
        self.at(&normals)
    }

    /// Parameters that stand for the whole distribution, all with the same weight: two for each free parameter.
    ///
    /// They lie sqrt(d) standard deviations from the centre along each axis of the covariance (the spherical-radial rule of degree 3): the average
    /// of a function over them equals its expectation when it is a polynomial of degree 3 in the logarithms, and so has an error of fourth order
    /// in the standard errors otherwise. With nothing free it is the centre alone.
    #[must_use]
    pub fn points(&self) -> Vec<Vec<f64>> {
        let d = self.free.len();
        if d == 0 {
            return vec![self.centre.to_vec()];
        }
        let distance = (d as f64).sqrt();
        let point = |axis: usize, sign: f64| {
            let mut normals = vec![0.0; d];
            normals[axis] = sign * distance;
            self.at(&normals)
        };
        (0..d).flat_map(|axis| [point(axis, 1.0), point(axis, -1.0)]).collect()
    }

    /// The number of parameters that are free, and so of axes.
    pub(crate) fn dimensions(&self) -> usize {
        self.free.len()
    }

    /// The parameters at given standard normal deviates along the axes.
    pub(crate) fn at(&self, normals: &[f64]) -> Vec<f64> {
        let steps: Array1<f64> =
            self.eigen.values.iter().zip(normals).map(|(variance, normal)| normal * variance.max(0.0).sqrt()).collect();
        let logs = self.eigen.vectors.dot(&steps);
        let mut parameters = self.centre.to_vec();
        for (&i, log) in self.free.iter().zip(&logs) {
            // A likelihood that is almost flat may lead out of the domain of all models.
            parameters[i] = (parameters[i] * log.exp()).clamp(*PARAMETER_RANGE.start(), *PARAMETER_RANGE.end());
        }
        parameters
    }
}

/// Of the logarithms along an axis: a standard deviation of a factor e.
const LARGEST_VARIANCE: f64 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use rand::SeedableRng;

    /// Two free parameters of three.
    fn distribution() -> ParameterDistribution {
        // 0.04, 0.03, 0.09 in the logarithms.
        ParameterDistribution::new(array![0.5, 4.0, 9.0], vec![0, 2], array![[0.04 * 0.25, 0.03 * 4.5], [0.03 * 4.5, 0.09 * 81.0]].view())
    }

    /// (mean, covariance) of the logarithms relative to the centre.
    fn moments(sets: &[Vec<f64>]) -> ([f64; 2], [[f64; 2]; 2]) {
        let n = sets.len() as f64;
        let logs: Vec<[f64; 2]> = sets.iter().map(|set| [(set[0] / 0.5).ln(), (set[2] / 9.0).ln()]).collect();
        let mean = [0, 1].map(|i| logs.iter().map(|log| log[i]).sum::<f64>() / n);
        let covariance = [0, 1].map(|i| [0, 1].map(|j| logs.iter().map(|log| log[i] * log[j]).sum::<f64>() / n));
        (mean, covariance)
    }

    #[test]
    fn points_have_the_moments_of_the_distribution() {
        let points = distribution().points();
        assert_eq!(points.len(), 4);
        assert!(points.iter().all(|point| point[1] == 4.0));
        let (mean, covariance) = moments(&points);
        for i in 0..2 {
            assert!(mean[i].abs() < 1e-14);
            for j in 0..2 {
                assert!((covariance[i][j] - [[0.04, 0.03], [0.03, 0.09]][i][j]).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_direction_that_the_data_leave_open_moves_parameters_by_a_few_times_only() {
        // p and gamma of a Gamma-Gamma model fitted to five customers: their product is known, they themselves are not.
        let covariance = array![[9612.0_f64.powi(2), -26.9 * 9612.0], [-26.9 * 9612.0, 27.1_f64.powi(2)]];
        let factors =
            |distribution: ParameterDistribution| distribution.points().into_iter().map(|point| point[0] / 148.0).collect::<Vec<_>>();
        let of_fit = factors(ParameterDistribution::of_fit(array![148.0, 0.4], vec![0, 1], covariance.view()));
        assert!(of_fit.iter().all(|factor| (0.2..5.0).contains(factor)), "{of_fit:?}");
        // How groups differ is no such direction.
        let between = factors(ParameterDistribution::new(array![148.0, 0.4], vec![0, 1], covariance.view()));
        assert!(between.iter().any(|&factor| factor > 1e6), "{between:?}");
    }

    #[test]
    fn draws_have_the_moments_of_the_distribution() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let draws: Vec<Vec<f64>> = (0..40_000).map(|_| distribution().draw(&mut rng)).collect();
        let (mean, covariance) = moments(&draws);
        for i in 0..2 {
            // Four standard errors of 40,000 draws.
            assert!(mean[i].abs() < 4.0 * (covariance[i][i] / 40_000.0).sqrt());
            for j in 0..2 {
                assert!((covariance[i][j] - [[0.04, 0.03], [0.03, 0.09]][i][j]).abs() < 4.0 * 0.09 * (2.0_f64 / 40_000.0).sqrt());
            }
        }
    }
}
