//! Weighted sums of jets over rows, a block of rows at a time: columns in, so that the arithmetic of a term becomes vector instructions.
//!
//! A term is evaluated for all rows of a block into columns, one for each entry of the jet, and the columns are then multiplied with the weights
//! and summed in lanes. Nothing here depends on how wide the machine's vectors are: the same operations in the same order give the same bits.
#![allow(clippy::needless_range_loop, reason = "a loop over the rows of several columns at once is what becomes vector instructions")]

use super::dispatch::{Kernel, dispatch};
use super::jet::Jet;

/// Rows of a block: their columns stay in the first-level cache.
pub(crate) const BLOCK: usize = 64;

/// Partial sums that run side by side.
const LANES: usize = 8;

/// The jets of a block's rows by entry; of the Hessian the upper triangle.
struct Columns<const N: usize> {
    value: [f64; BLOCK],
    gradient: [[f64; BLOCK]; N],
    hessian: [[[f64; BLOCK]; N]; N],
}

/// A term of a sum over rows, from one row of C columns.
///
/// What is not `#[inline(always)]` in an implementation is not compiled for the machine's vectors.
pub(crate) trait Term<const C: usize, const N: usize> {
    fn at(&self, row: [f64; C]) -> Jet<N>;
}

/// The sum over rows of weight x term. All columns, that of the weights too, have a value for every row.
///
/// Exact to the rounding of a sum of so many numbers in 8 partial sums; the terms' own accuracy is theirs.
pub(crate) fn weighted_sum<const C: usize, const N: usize>(columns: [&[f64]; C], weights: &[f64], term: impl Term<C, N>) -> Jet<N> {
    dispatch(WeightedSum { columns, weights, term })
}

struct WeightedSum<'a, const C: usize, const N: usize, T> {
    columns: [&'a [f64]; C],
    weights: &'a [f64],
    term: T,
}

impl<const C: usize, const N: usize, T: Term<C, N>> Kernel for WeightedSum<'_, C, N, T> {
    type Output = Jet<N>;

    #[inline(always)]
    fn run(self) -> Jet<N> {
        let WeightedSum { columns, weights, term } = self;
        let mut sum = Jet::ZERO;
        let mut block = Columns::default();
        let (whole, rest) = weights.as_chunks::<BLOCK>();
        for (index, weight) in whole.iter().enumerate() {
            block.add_to(&mut sum, columns.map(|column| &column.as_chunks::<BLOCK>().0[index]), weight, &term);
        }
        if !rest.is_empty() {
            let last = columns.map(|column| padded(&column[BLOCK * whole.len()..]));
            // Rows that are missing in the last block repeat its last one and have weight 0.
            let mut weight = [0.0; BLOCK];
            weight[..rest.len()].copy_from_slice(rest);
            block.add_to(&mut sum, last.each_ref(), &weight, &term);
        }
        sum.symmetric()
    }
}

/// The rows of a column that are left for the last block, the last of them repeated.
pub(crate) fn padded(column: &[f64]) -> [f64; BLOCK] {
    std::array::from_fn(|k| column[k.min(column.len() - 1)])
}

/// The sum over the rows of one block, of weight x term.
pub(crate) fn block_sum<const C: usize, const N: usize>(
    columns: [&[f64; BLOCK]; C],
    weights: &[f64; BLOCK],
    term: impl Term<C, N>,
) -> Jet<N> {
    dispatch(BlockSum { columns, weights, term })
}

struct BlockSum<'a, const C: usize, const N: usize, T> {
    columns: [&'a [f64; BLOCK]; C],
    weights: &'a [f64; BLOCK],
    term: T,
}

impl<const C: usize, const N: usize, T: Term<C, N>> Kernel for BlockSum<'_, C, N, T> {
    type Output = Jet<N>;

    #[inline(always)]
    fn run(self) -> Jet<N> {
        let mut sum = Jet::ZERO;
        Columns::default().add_to(&mut sum, self.columns, self.weights, &self.term);
        sum.symmetric()
    }
}

impl<const N: usize> Default for Columns<N> {
    #[inline(always)]
    fn default() -> Self {
        Columns { value: [0.0; BLOCK], gradient: [[0.0; BLOCK]; N], hessian: [[[0.0; BLOCK]; N]; N] }
    }
}

impl<const N: usize> Columns<N> {
    /// Adds a block's sum, of the Hessian the upper triangle.
    #[inline(always)]
    fn add_to<const C: usize>(&mut self, sum: &mut Jet<N>, inputs: [&[f64; BLOCK]; C], weight: &[f64; BLOCK], term: &impl Term<C, N>) {
        for k in 0..BLOCK {
            let mut row = [0.0; C];
            for (value, input) in row.iter_mut().zip(&inputs) {
                *value = input[k];
            }
            let jet = term.at(row);
            self.value[k] = jet.value;
            for i in 0..N {
                self.gradient[i][k] = jet.gradient[i];
                for j in i..N {
                    self.hessian[i][j][k] = jet.hessian[i][j];
                }
            }
        }
        sum.value += dot(weight, &self.value);
        for i in 0..N {
            sum.gradient[i] += dot(weight, &self.gradient[i]);
            for j in i..N {
                sum.hessian[i][j] += dot(weight, &self.hessian[i][j]);
            }
        }
    }
}

/// A scalar product in lanes.
#[inline(always)]
fn dot(weights: &[f64; BLOCK], values: &[f64; BLOCK]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (weights, values) in weights.chunks_exact(LANES).zip(values.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += weights[lane] * values[lane];
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Quadratic;

    impl Term<2, 2> for Quadratic {
        fn at(&self, [x, y]: [f64; 2]) -> Jet<2> {
            Jet { value: x, gradient: [y, x * y], hessian: [[x * x, y * y], [0.0, 1.0]] }
        }
    }

    #[test]
    fn a_sum_in_blocks_is_the_sum() {
        for rows in [1, 7, 63, 64, 65, 200] {
            let x: Vec<f64> = (0..rows).map(f64::from).collect();
            let y: Vec<f64> = x.iter().map(|x| 1.0 + 0.5 * x).collect();
            let weights: Vec<f64> = x.iter().map(|x| x + 2.0).collect();
            let sum = weighted_sum([&x, &y], &weights, Quadratic);
            let expected = |of: fn(f64, f64) -> f64| -> f64 { (0..rows as usize).map(|k| weights[k] * of(x[k], y[k])).sum() };
            // Whole and half numbers: every order of summation is exact.
            assert_eq!(sum.value, expected(|x, _| x));
            assert_eq!(sum.gradient, [expected(|_, y| y), expected(|x, y| x * y)]);
            assert_eq!(sum.hessian[0], [expected(|x, _| x * x), expected(|_, y| y * y)]);
            assert_eq!(sum.hessian[1], [expected(|_, y| y * y), expected(|_, _| 1.0)]);
        }
    }
}
