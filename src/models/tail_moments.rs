//! The dropout integrals of Pareto/NBD from tables of pairs.
//!
//! For one x, the integral from t_x to T is the integral from t_x to the longest age less that from T on. What lies beyond a time is summed up from the
//! longest age downwards, interval by interval between the times that occur, each with the few nodes that so short an interval needs. All of it
//! is positive; and the one difference is taken from a sum to which the chance of being alive at T is added, which is no smaller than what is subtracted.
#![allow(clippy::needless_range_loop, reason = "a loop over the rows of several columns at once is what becomes vector instructions")]

use super::dropout_time::DropoutIntegrals;
use super::pairs::Pairs;
use super::pareto_nbd::ParetoNbd;
use super::purchase_sample::PurchaseColumns;
use crate::numeric::block::BLOCK;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::elementary::{exp, ln_1p};
use crate::numeric::two_axes::{MOMENTS, TwoAxesColumns, shifted};
use crate::parallel::map_indices;

/// Pairs whose intervals are integrated together.
const CHUNK: usize = 4096;

/// The moments of the dropout time from each pair's time to the longest age of its x, relative to the density at that time.
pub(super) struct TailMoments<'a> {
    model: &'a ParetoNbd,
    pairs: &'a Pairs,
    moments: Vec<[f64; MOMENTS]>,
}

/// From one time to a later one: how far on either axis, and the density there relative to that here.
struct Step {
    v: f64,
    u: f64,
    density: f64,
}

impl Step {
    #[inline(always)]
    fn between(model: &ParetoNbd, x: f64, from: f64, to: f64) -> Self {
        let &ParetoNbd { r, alpha, s, beta } = model;
        let since = to - from;
        let (a, b) = (ln_1p(since / (alpha + from)), ln_1p(since / (beta + from)));
        // The integral over v carries the quotient of the axes where v is that of the purchase rates.
        let (v, u, axes) = if model.rates_first() { (a, b, a - b) } else { (b, a, 0.0) };
        Step { v, u, density: exp(axes - (r + x) * a - s * b) }
    }

    /// Moments counted from `to`, as they count from `from`.
    #[inline(always)]
    fn back(&self, moments: &[f64; MOMENTS]) -> [f64; MOMENTS] {
        let mut moved = shifted(moments, self.v, self.u);
        for moment in &mut moved {
            *moment *= self.density;
        }
        moved
    }
}

impl<'a> TailMoments<'a> {
    pub(super) fn of(model: &'a ParetoNbd, pairs: &'a Pairs) -> Self {
        let (x, t, next) = (pairs.x(), pairs.t(), pairs.next());
        let intervals = map_indices(t.len().div_ceil(CHUNK), |chunk| {
            let range = chunk * CHUNK..t.len().min((chunk + 1) * CHUNK);
            let source = DropoutIntegrals { model, x: &x[range.clone()], t_x: &t[range.clone()], t_cal: &next[range.clone()] };
            let mut moments = vec![[0.0; MOMENTS]; range.len()];
            TwoAxesColumns::of(range.len(), source).for_each_moments(|rows, columns| {
                for (k, &row) in rows.iter().enumerate() {
                    for (moment, column) in moments[row as usize].iter_mut().zip(columns) {
                        *moment = column[k];
                    }
                }
            });
            moments
        })
        .concat();
        let chains = map_indices(pairs.chains().len(), |chain| {
            let mut beyond = [0.0; MOMENTS];
            let mut tails: Vec<_> = pairs.chains()[chain]
                .clone()
                .rev()
                .map(|pair| {
                    beyond = Step::between(model, x[pair], t[pair], next[pair]).back(&beyond);
                    for (beyond, within) in beyond.iter_mut().zip(intervals[pair]) {
                        *beyond += within;
                    }
                    beyond
                })
                .collect();
            tails.reverse();
            tails
        });
        TailMoments { model, pairs, moments: chains.concat() }
    }

    /// Hands the moments between t_x and T of some rows of the sample to `visit`, as [`TwoAxesColumns::for_each_moments`] does.
    pub(super) fn for_each_moments(&self, rows: &PurchaseColumns<'_>, visit: &mut impl FnMut(&[u32], &[[f64; BLOCK]; MOMENTS])) {
        let numbers: Vec<u32> = (0..rows.x.len() as u32).collect();
        let mut block = Between { near: [[0.0; BLOCK]; MOMENTS], far: [[0.0; BLOCK]; MOMENTS], times: [[0.0; BLOCK]; 3] };
        for numbers in numbers.chunks(BLOCK) {
            for (k, &row) in numbers.iter().enumerate() {
                let row = row as usize;
                let pair = |pairs: &[u32]| pairs[rows.range.start + row] as usize;
                let (near, far) = (&self.moments[pair(self.pairs.last())], &self.moments[pair(self.pairs.end())]);
                for m in 0..MOMENTS {
                    (block.near[m][k], block.far[m][k]) = (near[m], far[m]);
                }
                (block.times[0][k], block.times[1][k], block.times[2][k]) = (rows.x[row], rows.t_x[row], rows.t_cal[row]);
            }
            dispatch(Difference { model: self.model, block: &mut block });
            visit(numbers, &block.near);
        }
    }
}

/// Rows of a block: the moments from t_x on, from T on, and (x, t_x, T).
struct Between {
    near: [[f64; BLOCK]; MOMENTS],
    far: [[f64; BLOCK]; MOMENTS],
    times: [[f64; BLOCK]; 3],
}

/// Takes what lies beyond T off the moments from t_x on.
struct Difference<'a> {
    model: &'a ParetoNbd,
    block: &'a mut Between,
}

impl Kernel for Difference<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Between { near, far, times: [x, t_x, t_cal] } = self.block;
        for k in 0..BLOCK {
            let mut beyond = [0.0; MOMENTS];
            for m in 0..MOMENTS {
                beyond[m] = far[m][k];
            }
            let beyond = Step::between(self.model, x[k], t_x[k], t_cal[k]).back(&beyond);
            for m in 0..MOMENTS {
                near[m][k] -= beyond[m];
            }
        }
    }
}
