//! Integrals of a power decay on two time axes at once:
//! J(p, q, kappa, end) = Int_0^end exp(-p v - q u(v)) dv with u(v) = ln(1 - kappa + kappa e^v).
//!
//! v is the logarithm of the one axis and u that of the other, which grows no faster. The integrand is positive and analytic for |Im v| < pi whatever the
//! parameters are. One integral is worked out with its nodes side by side; many with the integrals side by side, those of one rule together. Both do the
//! same operations in the same order, and give the same bits.
#![allow(clippy::needless_range_loop, reason = "a loop over the rows of several columns at once is what becomes vector instructions")]

use super::block::BLOCK;
use super::decay::{CERTAINLY_COUNTS, CLASSES, Exponent, NEGLIGIBLE, WIDEST_PANEL, integral, panel_integral, panels, rule_class};
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

    #[inline(always)]
    fn fall(&self) -> f64 {
        (-self.p - self.q * self.kappa).max(0.0)
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
        if self.end <= WIDEST_PANEL {
            let at_end = self.at(self.end);
            if at_end < CERTAINLY_COUNTS {
                return panel_integral(self.end, at_end, *self);
            }
        }
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
            for &(node, weight) in super::gauss_legendre::RULES[rule_class(width, self.change(width, self.at(stop) - self.at(start)))] {
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

/// The moments of the same integrand counted from an origin that lies `v` and `u` earlier on the two axes.
#[inline(always)]
pub(crate) fn shifted(moments: &[f64; MOMENTS], v: f64, u: f64) -> [f64; MOMENTS] {
    let &[one, m_v, m_u, m_x, m_y, vv, vu, vx, vy, uu, ux, uy, xx, xy, yy] = moments;
    // 1 - e^-(V + v) = x + (1 - x) (1 - e^-V): every term stays positive.
    let (stay_x, stay_y) = (exp(-v), exp(-u));
    let (x, y) = (exp_m1(v) * stay_x, exp_m1(u) * stay_y);
    let (to_v, to_u, to_x, to_y) = (m_v + v * one, m_u + u * one, stay_x * m_x + x * one, stay_y * m_y + y * one);
    [
        one,
        to_v,
        to_u,
        to_x,
        to_y,
        vv + v * (m_v + to_v),
        vu + v * to_u + u * m_v,
        x * to_v + stay_x * (vx + v * m_x),
        y * to_v + stay_y * (vy + v * m_y),
        uu + u * (m_u + to_u),
        x * to_u + stay_x * (ux + u * m_x),
        y * to_u + stay_y * (uy + u * m_y),
        x * to_x + stay_x * (x * m_x + stay_x * xx),
        x * to_y + stay_x * (y * m_x + stay_y * xy),
        y * to_y + stay_y * (y * m_y + stay_y * yy),
    ]
}

/// How much faster than the integrand of J that of a moment falls less: squares of logarithms.
const FASTEST_GROWTH: f64 = 2.0;

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
    pub(crate) fn integrals(&self, out: &mut [f64]) {
        self.by_rule(
            0.0,
            |row| [row.integral()],
            |rows, [integrals]| {
                for (&row, integral) in rows.iter().zip(integrals) {
                    out[row as usize] = *integral;
                }
            },
        );
    }

    /// Hands the moments of all rows to `visit` in blocks: the numbers of up to [`BLOCK`] rows and, in the same order, a column for each moment. Each row
    /// comes once, in an order that depends on the rows alone.
    pub(crate) fn for_each_moments(&self, visit: impl FnMut(&[u32], &[[f64; BLOCK]; MOMENTS])) {
        self.by_rule(FASTEST_GROWTH, |row| row.moments(), visit);
    }

    /// The integrals (M = 1) or moments of up to W rows by one rule. Where there are fewer, the first comes several times.
    fn of_block<const M: usize, const W: usize>(&self, rows: &[u32], cuts: &[f64], rule: &Columns) -> [[f64; W]; M] {
        let of = |column: &[f64]| std::array::from_fn(|k| column[*rows.get(k).unwrap_or(&rows[0]) as usize]);
        let block = Block { p: of(&self.p), q: of(&self.q), kappa: of(&self.kappa), width: of(cuts) };
        dispatch(OfBlock::<M, W> { block: &block, rule })
    }

    /// Rows of one panel by their rule, a block at a time; rows of several panels, which are rare, each by `alone`.
    fn by_rule<const M: usize>(&self, growth: f64, alone: impl Fn(TwoAxes) -> [f64; M], mut visit: impl FnMut(&[u32], &[[f64; BLOCK]; M])) {
        let (cuts, changes) = dispatch(Cuts { columns: self, growth });
        let mut by_class: [Vec<u32>; CLASSES] = [(); CLASSES].map(|()| Vec::new());
        let mut rest: Vec<u32> = Vec::new();
        for (row, (&cut, &change)) in (0..).zip(cuts.iter().zip(&changes)) {
            if cut <= WIDEST_PANEL {
                by_class[rule_class(cut, change)].push(row);
            } else {
                rest.push(row);
            }
        }
        for (class, rows) in by_class.iter().enumerate() {
            for rows in rows.chunks(BLOCK) {
                let mut results = [[0.0; BLOCK]; M];
                if rows.len() > BLOCK - NARROW {
                    results = self.of_block(rows, &cuts, &COLUMNS[class]);
                } else {
                    for (part, rows) in rows.chunks(NARROW).enumerate() {
                        let narrow: [[f64; NARROW]; M] = self.of_block(rows, &cuts, &COLUMNS[class]);
                        for (results, narrow) in results.iter_mut().zip(&narrow) {
                            results[part * NARROW..][..NARROW].copy_from_slice(narrow);
                        }
                    }
                    // Whoever works on whole blocks finds numbers there, of whatever row.
                    for results in &mut results {
                        let first = results[0];
                        results[rows.len()..].fill(first);
                    }
                }
                visit(rows, &results);
            }
        }
        for rows in rest.chunks(BLOCK) {
            let mut block = [[0.0; BLOCK]; M];
            for (k, &row) in rows.iter().enumerate() {
                for (column, value) in block.iter_mut().zip(alone(self.get(row as usize))) {
                    column[k] = value;
                }
            }
            visit(rows, &block);
        }
    }
}

/// Rows of the last block of a rule are taken so many at a time, so that few places stay empty.
const NARROW: usize = 16;

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
            changes[row] = axes.change(cut, axes.at(cut));
        }
        (cuts, changes)
    }
}

/// Rows of one panel each, from 0 to `width`.
struct Block<const W: usize> {
    p: [f64; W],
    q: [f64; W],
    kappa: [f64; W],
    width: [f64; W],
}

/// The integrals (M = 1) or moments of a block's rows by one rule.
struct OfBlock<'a, const M: usize, const W: usize> {
    block: &'a Block<W>,
    rule: &'a Columns,
}

impl<const M: usize, const W: usize> Kernel for OfBlock<'_, M, W> {
    type Output = [[f64; W]; M];

    #[inline(always)]
    fn run(self) -> [[f64; W]; M] {
        let Block { p, q, kappa, width } = self.block;
        let mut sums = [[0.0; W]; M];
        for pair in 0..self.rule.pairs {
            let (node, weight) = (self.rule.nodes[pair], self.rule.weights[pair]);
            let (mut low, mut high) = ([0.0; W], [0.0; W]);
            for k in 0..W {
                low[k] = width[k] * node;
                high[k] = width[k] - width[k] * node;
            }
            let (low, high) = (Nodes::at::<M>(low, p, q, kappa), Nodes::at::<M>(high, p, q, kappa));
            if M == 1 {
                for k in 0..W {
                    sums[0][k] += weight * (low.density[k] + high.density[k]);
                }
                continue;
            }
            for k in 0..W {
                let (low, high) = (low.moment_terms(k, weight), high.moment_terms(k, weight));
                for m in 0..M {
                    sums[m][k] += low[m] + high[m];
                }
            }
        }
        for sum in &mut sums {
            for k in 0..W {
                sum[k] *= width[k];
            }
        }
        sums
    }
}

/// A block's rows at one node each.
struct Nodes<const W: usize> {
    v: [f64; W],
    u: [f64; W],
    left: [f64; W],
    other_left: [f64; W],
    /// The integrand.
    density: [f64; W],
}

impl<const W: usize> Nodes<W> {
    /// One function after the other for the whole block: a row's chain of operations is long, and the processor works on several rows at once only where
    /// each takes few.
    #[inline(always)]
    fn at<const M: usize>(v: [f64; W], p: &[f64; W], q: &[f64; W], kappa: &[f64; W]) -> Self {
        let mut nodes = Nodes { v, u: [0.0; W], left: [0.0; W], other_left: [0.0; W], density: [0.0; W] };
        for k in 0..W {
            nodes.left[k] = exp_m1(v[k]);
        }
        for k in 0..W {
            // Whoever shares a division gets other last bits: each as where an integral is worked out on its own.
            if M == 1 {
                nodes.u[k] = ln_1p(kappa[k] * nodes.left[k]);
            } else {
                (nodes.u[k], nodes.other_left[k], nodes.left[k]) = ln_1p_and_shares(kappa[k] * nodes.left[k], nodes.left[k]);
            }
        }
        for k in 0..W {
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
