//! Integrals of a power decay on two time axes at once:
//! J(p, q, kappa, end) = Int_0^end exp(-p v - q u(v)) dv with u(v) = ln(1 - kappa + kappa e^v).
//!
//! v is the logarithm of the one axis and u that of the other, which grows no faster. The integrand is positive and analytic for |Im v| < pi whatever the
//! parameters are. One integral is worked out with its nodes side by side; many with the integrals side by side, those of one rule together. Both do the
//! same operations in the same order, and give the same bits.

use super::decay::{CLASSES, Exponent, NEGLIGIBLE, WIDEST_PANEL, integral, panels, rule_class};
use super::dispatch::{Kernel, dispatch};
use super::elementary::{exp, exp_m1, ln, ln_1p, ln_1p_and_shares};
use super::gauss_legendre::{COLUMNS, Columns};

/// J(p, q, kappa, end) for p > -1, p + q > 0, 0 < kappa <= 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TwoAxes {
    pub(crate) p: f64,
    pub(crate) q: f64,
    pub(crate) kappa: f64,
    pub(crate) end: f64,
}

impl Exponent for TwoAxes {
    #[inline(always)]
    fn at(&self, v: f64) -> f64 {
        self.p * v + self.q * ln_1p(self.kappa * exp_m1(v))
    }
}

impl TwoAxes {
    /// Where e^(`growth` v) times the integrand is negligible, or the end. All bounds are needed at some extreme.
    #[inline(always)]
    fn cut(&self, growth: f64) -> f64 {
        let &TwoAxes { p, q, kappa, end } = self;
        let p = p - growth;
        let bound = |applies: bool, bound: f64| if applies { bound } else { f64::INFINITY };
        end.min(bound(p + q > 0.0, (NEGLIGIBLE - q * ln(kappa)) / (p + q)))
            .min(bound(p + q * kappa > 0.0, NEGLIGIBLE / (p + q * kappa)))
            .min(bound(p >= 0.0, ln_1p((exp_m1(NEGLIGIBLE / q) / kappa).min(1e300))))
    }

    /// The integral. The end may lie as far out as it likes: from `straight` on the exponent is a line to double precision, and its integral elementary.
    pub(crate) fn integral(&self) -> f64 {
        let straight = NEGLIGIBLE - ln(self.kappa);
        let cut = self.cut(0.0);
        let near = integral(cut.min(straight), *self);
        if cut <= straight {
            return near;
        }
        let slope = self.p + self.q;
        near + exp(-self.at(straight)) * (-(-slope * (self.end - straight)).exp_m1() / slope)
    }

    /// The moments, for squares of v and u that grow like e^(2 v).
    pub(crate) fn moments(&self) -> [f64; MOMENTS] {
        let mut sum = [0.0; MOMENTS];
        for (start, stop) in panels(self.cut(FASTEST_GROWTH)) {
            let width = stop - start;
            for &(node, weight) in super::gauss_legendre::RULES[rule_class(width, (self.at(stop) - self.at(start)).abs())] {
                for v in [start + width * node, stop - width * node] {
                    let rise = exp_m1(v);
                    let (u, other_left, left) = ln_1p_and_shares(self.kappa * rise, rise);
                    let w = width * weight * exp(-(self.p * v + self.q * u));
                    for (sum, term) in sum.iter_mut().zip(moment_terms(w, v, u, left, other_left)) {
                        *sum += term;
                    }
                }
            }
        }
        sum
    }
}

/// The integrals of 1, of the four functions v, u, 1 - e^-v, 1 - e^-u, and of their products in pairs (first with first, first with second, ...), all times
/// the integrand of J.
pub(crate) const MOMENTS: usize = 15;

/// How much faster than the integrand of J that of a moment falls less: squares of logarithms.
const FASTEST_GROWTH: f64 = 2.0;

/// Rows that are worked on together: their columns stay in the first-level cache.
const BLOCK: usize = 64;

/// Integrals in columns.
#[derive(Debug)]
pub(crate) struct TwoAxesColumns {
    p: Vec<f64>,
    q: Vec<f64>,
    kappa: Vec<f64>,
    end: Vec<f64>,
}

/// Integrals by row.
pub(crate) trait TwoAxesRows {
    /// The integral of a row, below the number of rows; `#[inline(always)]`, as all that runs in vectors.
    fn at(&self, row: usize) -> TwoAxes;
}

struct Fill<R> {
    rows: usize,
    source: R,
}

impl<R: TwoAxesRows> Kernel for Fill<R> {
    type Output = TwoAxesColumns;

    #[inline(always)]
    fn run(self) -> TwoAxesColumns {
        let column = || vec![0.0; self.rows];
        let (mut p, mut q, mut kappa, mut end) = (column(), column(), column(), column());
        for row in 0..self.rows {
            let axes = self.source.at(row);
            (p[row], q[row], kappa[row], end[row]) = (axes.p, axes.q, axes.kappa, axes.end);
        }
        TwoAxesColumns { p, q, kappa, end }
    }
}

impl TwoAxesColumns {
    /// The integrals of so many rows.
    pub(crate) fn of(rows: usize, source: impl TwoAxesRows) -> Self {
        dispatch(Fill { rows, source })
    }

    #[inline(always)]
    fn get(&self, row: usize) -> TwoAxes {
        TwoAxes { p: self.p[row], q: self.q[row], kappa: self.kappa[row], end: self.end[row] }
    }

    /// Every integral: the bits of [`TwoAxes::integral`].
    pub(crate) fn integrals(&self) -> Vec<f64> {
        let [integrals] = self.by_rule::<1>(0.0, |row| [row.integral()]);
        integrals
    }

    /// The moments of every integral, a column for each.
    pub(crate) fn moments(&self) -> [Vec<f64>; MOMENTS] {
        self.by_rule(FASTEST_GROWTH, |row| row.moments())
    }

    /// Rows of one panel by their rule, a block at a time; rows of several panels by `alone`.
    fn by_rule<const M: usize>(&self, growth: f64, alone: impl Fn(TwoAxes) -> [f64; M]) -> [Vec<f64>; M] {
        let rows = self.p.len();
        let mut out = [(); M].map(|()| vec![0.0; rows]);
        let (cuts, changes) = dispatch(Cuts { columns: self, growth });
        let mut order: [Vec<u32>; CLASSES] = [(); CLASSES].map(|()| Vec::new());
        for row in 0..rows {
            if cuts[row] <= WIDEST_PANEL {
                order[rule_class(cuts[row], changes[row])].push(row as u32);
            } else {
                for (column, value) in out.iter_mut().zip(alone(self.get(row))) {
                    column[row] = value;
                }
            }
        }
        for (class, rows) in order.iter().enumerate() {
            for rows in rows.chunks(BLOCK) {
                // Rows that are missing in the last block repeat the first one.
                let of = |column: &[f64]| std::array::from_fn(|k| column[*rows.get(k).unwrap_or(&rows[0]) as usize]);
                let block = Block { p: of(&self.p), q: of(&self.q), kappa: of(&self.kappa), width: of(&cuts) };
                let sums = dispatch(OfBlock::<M> { block: &block, rule: &COLUMNS[class] });
                for (column, sum) in out.iter_mut().zip(&sums) {
                    for (&row, sum) in rows.iter().zip(sum) {
                        column[row as usize] = *sum;
                    }
                }
            }
        }
        out
    }
}

/// Where each row is cut, and what the exponent comes to there.
struct Cuts<'a> {
    columns: &'a TwoAxesColumns,
    growth: f64,
}

impl Kernel for Cuts<'_> {
    type Output = (Vec<f64>, Vec<f64>);

    #[inline(always)]
    fn run(self) -> (Vec<f64>, Vec<f64>) {
        let rows = self.columns.p.len();
        let (mut cuts, mut changes) = (vec![0.0; rows], vec![0.0; rows]);
        let TwoAxesColumns { p, q, kappa, end } = self.columns;
        let (p, q, kappa, end) = (&p[..rows], &q[..rows], &kappa[..rows], &end[..rows]);
        for row in 0..rows {
            let axes = TwoAxes { p: p[row], q: q[row], kappa: kappa[row], end: end[row] };
            let cut = axes.cut(self.growth);
            cuts[row] = cut;
            changes[row] = axes.at(cut).abs();
        }
        (cuts, changes)
    }
}

/// Rows of one panel each, from 0 to `width`.
struct Block {
    p: [f64; BLOCK],
    q: [f64; BLOCK],
    kappa: [f64; BLOCK],
    width: [f64; BLOCK],
}

/// The integrals (M = 1) or moments of a block's rows by one rule.
struct OfBlock<'a, const M: usize> {
    block: &'a Block,
    rule: &'a Columns,
}

impl<const M: usize> Kernel for OfBlock<'_, M> {
    type Output = [[f64; BLOCK]; M];

    #[inline(always)]
    fn run(self) -> [[f64; BLOCK]; M] {
        let Block { p, q, kappa, width } = self.block;
        let mut sums = [[0.0; BLOCK]; M];
        for pair in 0..self.rule.pairs {
            let (node, weight) = (self.rule.nodes[pair], self.rule.weights[pair]);
            let (mut low, mut high) = ([0.0; BLOCK], [0.0; BLOCK]);
            for k in 0..BLOCK {
                low[k] = width[k] * node;
                high[k] = width[k] - width[k] * node;
            }
            let (low, high) = (Nodes::at(low, p, q, kappa), Nodes::at(high, p, q, kappa));
            if M == 1 {
                for k in 0..BLOCK {
                    sums[0][k] += weight * (low.density[k] + high.density[k]);
                }
                continue;
            }
            for k in 0..BLOCK {
                let (low, high) = (low.moment_terms(k, weight), high.moment_terms(k, weight));
                for m in 0..M {
                    sums[m][k] += low[m] + high[m];
                }
            }
        }
        for sum in &mut sums {
            for k in 0..BLOCK {
                sum[k] *= width[k];
            }
        }
        sums
    }
}

/// A block's rows at one node each.
struct Nodes {
    v: [f64; BLOCK],
    u: [f64; BLOCK],
    left: [f64; BLOCK],
    other_left: [f64; BLOCK],
    /// The integrand.
    density: [f64; BLOCK],
}

impl Nodes {
    /// One function after the other for the whole block: a row's chain of operations is long, and the processor works on several rows at once only where
    /// each takes few.
    #[inline(always)]
    fn at(v: [f64; BLOCK], p: &[f64; BLOCK], q: &[f64; BLOCK], kappa: &[f64; BLOCK]) -> Self {
        let mut nodes = Nodes { v, u: [0.0; BLOCK], left: [0.0; BLOCK], other_left: [0.0; BLOCK], density: [0.0; BLOCK] };
        for k in 0..BLOCK {
            nodes.left[k] = exp_m1(v[k]);
        }
        for k in 0..BLOCK {
            (nodes.u[k], nodes.other_left[k], nodes.left[k]) = ln_1p_and_shares(kappa[k] * nodes.left[k], nodes.left[k]);
        }
        for k in 0..BLOCK {
            nodes.density[k] = exp(-(p[k] * v[k] + q[k] * nodes.u[k]));
        }
        nodes
    }

    #[inline(always)]
    fn moment_terms(&self, k: usize, weight: f64) -> [f64; MOMENTS] {
        moment_terms(weight * self.density[k], self.v[k], self.u[k], self.left[k], self.other_left[k])
    }
}

/// What a node of weight w adds to the moments.
#[inline(always)]
fn moment_terms(w: f64, v: f64, u: f64, left: f64, other_left: f64) -> [f64; MOMENTS] {
    let (w_v, w_u, w_left, w_other) = (w * v, w * u, w * left, w * other_left);
    [
        w,
        w_v,
        w_u,
        w_left,
        w_other,
        w_v * v,
        w_v * u,
        w_v * left,
        w_v * other_left,
        w_u * u,
        w_u * left,
        w_u * other_left,
        w_left * left,
        w_left * other_left,
        w_other * other_left,
    ]
}
