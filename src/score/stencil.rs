//! How a figure depends on parameters that are not known exactly: a quadratic in standard normal deviates, from its values at a few places.
//!
//! A total of thousands of customers is dear, and the estimate of a few parameters is nearly normal. So the total is worked out at the estimate, on
//! either side of it along each axis of the covariance, and at one place for each pair of axes; a quadratic takes over from there.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// The places along an axis in standard deviations: with the centre they are the nodes of the three-point Gauss-Hermite rule, so that the quadratic has
/// the mean of a function up to the fifth degree.
pub(super) const DISTANCE: f64 = 1.732_050_807_568_877_3;

/// Places at which a figure has to be known, in a number of dimensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stencil {
    dimensions: usize,
}

impl Stencil {
    /// With 0 dimensions there is one place, the centre.
    pub(super) fn new(dimensions: usize) -> Self {
        Stencil { dimensions }
    }

    /// The places, as standard normal deviates: the centre first, then both sides of every axis, then the pairs.
    pub(super) fn places(self) -> Vec<Vec<f64>> {
        let at = |coordinates: &[(usize, f64)]| {
            let mut place = vec![0.0; self.dimensions];
            for &(axis, coordinate) in coordinates {
                place[axis] = coordinate;
            }
            place
        };
        let sides = (0..self.dimensions).flat_map(|axis| [at(&[(axis, DISTANCE)]), at(&[(axis, -DISTANCE)])]);
        let pairs = self.pairs().map(|(one, other)| at(&[(one, 1.0), (other, 1.0)]));
        std::iter::once(at(&[])).chain(sides).chain(pairs).collect()
    }

    /// What the values at the places count at `deviates`, in their order: the quadratic is the sum of weight x value.
    fn weights(self, deviates: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; 1 + 2 * self.dimensions];
        weights[0] = 1.0;
        for (axis, &z) in deviates.iter().enumerate() {
            self.add_along(axis, z, 1.0, &mut weights);
        }
        for (one, other) in self.pairs() {
            // What the pair's value differs from that of the two axes alone.
            let product = deviates[one] * deviates[other];
            weights.push(product);
            weights[0] -= product;
            self.add_along(one, 1.0, -product, &mut weights);
            self.add_along(other, 1.0, -product, &mut weights);
        }
        weights
    }

    /// Draws the weights at a random place.
    pub(super) fn draw_weights<R: Rng>(self, rng: &mut R) -> Vec<f64> {
        let deviates: Vec<f64> = (0..self.dimensions).map(|_| StandardNormal.sample(rng)).collect();
        self.weights(&deviates)
    }

    /// What the linear part of the quadratic adds at the places along the axes, squared, and what the square part adds there; of all axes together.
    pub(super) fn slope_and_bend(self, value: impl Fn(usize) -> f64) -> (f64, f64) {
        (0..self.dimensions).fold((0.0, 0.0), |(slope, bend), axis| {
            let (one, other) = (value(1 + 2 * axis), value(2 + 2 * axis));
            (slope + (0.5 * (one - other)).powi(2), bend + (0.5 * (one + other) - value(0)).abs())
        })
    }

    /// Adds `share` of the step from the centre to `z` on one axis.
    fn add_along(self, axis: usize, z: f64, share: f64, weights: &mut [f64]) {
        let (linear, square) = (z / (2.0 * DISTANCE), z * z / (2.0 * DISTANCE * DISTANCE));
        weights[1 + 2 * axis] += share * (square + linear);
        weights[2 + 2 * axis] += share * (square - linear);
        weights[0] -= share * 2.0 * square;
    }

    fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.dimensions).flat_map(move |one| (one + 1..self.dimensions).map(move |other| (one, other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_is_met_everywhere() {
        let of = |z: &[f64]| 2.0 + z[0] - 0.5 * z[1] + 0.3 * z[2] * z[2] - 0.7 * z[0] * z[1] + 0.2 * z[1] * z[2] - z[0] * z[0];
        let stencil = Stencil::new(3);
        let values: Vec<f64> = stencil.places().iter().map(|place| of(place)).collect();
        for z in [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [-3.0, 0.1, 2.0], [1.5, 1.5, -1.5]] {
            let met: f64 = stencil.weights(&z).iter().zip(&values).map(|(weight, value)| weight * value).sum();
            assert!((met - of(&z)).abs() < 1e-13, "{met} against {}", of(&z));
        }
    }

    #[test]
    fn slope_and_bend_are_those_of_the_axes() {
        let of = |z: &[f64]| 2.0 + z[0] - 0.5 * z[1] * z[1];
        let places = Stencil::new(2).places();
        let (slope, bend) = Stencil::new(2).slope_and_bend(|place| of(&places[place]));
        assert!((slope - DISTANCE * DISTANCE).abs() < 1e-14 && (bend - 0.5 * DISTANCE * DISTANCE).abs() < 1e-14);
    }

    #[test]
    fn without_dimensions_the_centre_is_all() {
        assert_eq!(Stencil::new(0).places(), [Vec::<f64>::new()]);
        assert_eq!(Stencil::new(0).weights(&[]), [1.0]);
    }
}
