//! The likelihood of Pareto/NBD by the posterior of the dropout time.
//!
//! A customer is alive at T, or dropped out at some time since the last purchase. The weights of these states are a posterior, and gradient and Hessian of
//! ln L are means and covariances of the complete-data score under it (Louis 1982): they follow from the moments of the dropout time on its two
//! logarithmic axes.

use super::pareto_nbd::ParetoNbd;
use super::purchase_sample::PurchaseColumns;
use super::tail_moments::TailMoments;
use crate::data::History;
use crate::numeric::block::{BLOCK, Term, block_sum};
use crate::numeric::elementary::{exp, ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::two_axes::{MOMENTS, TwoAxes, TwoAxesColumns, TwoAxesRows};

impl ParetoNbd {
    /// The integral over dropout times since t_x, relative to the density at t_x.
    #[inline(always)]
    pub(super) fn dropout_integral(&self, x: f64, t_x: f64, t_cal: f64) -> TwoAxes {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let n = r + x;
        let since = t_cal - t_x;
        let (from_alpha, from_beta) = (alpha + t_x, beta + t_x);
        // v runs on the axis of the smaller of alpha and beta, so that the other one grows no faster.
        if self.rates_first() {
            TwoAxes { p: n - 1.0, q: s + 1.0, kappa: from_alpha / from_beta, end: ln_1p(since / from_alpha) }
        } else {
            TwoAxes { p: s, q: n, kappa: from_beta / from_alpha, end: ln_1p(since / from_beta) }
        }
    }

    /// The part of ln L that depends on the times.
    pub(super) fn timing_jet(&self, x: f64, t_x: f64, t_cal: f64) -> Jet<4> {
        let (times, moments) = ([x, t_x, t_cal], self.dropout_integral(x, t_x, t_cal).moments());
        TimingTerm(self).at(std::array::from_fn(|k| if k < times.len() { times[k] } else { moments[k - times.len()] }))
    }

    /// Its sum over customers; from the tables of what lies beyond each purchase and each end, where there are any.
    pub(super) fn timing_sum(&self, rows: PurchaseColumns<'_>, tails: Option<&TailMoments<'_>>) -> Jet<4> {
        let PurchaseColumns { x, t_x, t_cal, weight, .. } = rows;
        let mut sum = Jet::ZERO;
        let mut add = |rows: &[u32], moments: &[[f64; BLOCK]; MOMENTS]| {
            // Rows that are missing in the last block repeat the last one and have weight 0.
            let of = |column: &[f64]| -> [f64; BLOCK] { std::array::from_fn(|k| column[rows[k.min(rows.len() - 1)] as usize]) };
            let (times, mut weights) = ([of(x), of(t_x), of(t_cal)], of(weight));
            weights[rows.len()..].fill(0.0);
            let columns = std::array::from_fn(|k| if k < times.len() { &times[k] } else { &moments[k - times.len()] });
            sum.add_scaled(1.0, &block_sum(columns, &weights, TimingTerm(self)));
        };
        match tails {
            Some(tails) => tails.for_each_moments(&rows, &mut add),
            None => TwoAxesColumns::of(x.len(), DropoutIntegrals { model: self, x, t_x, t_cal }).for_each_moments(&mut add),
        }
        sum
    }

    /// Whether v of the integral over dropout times is the logarithm of the axis that purchase rates are measured on.
    pub(super) fn rates_first(&self) -> bool {
        self.alpha <= self.beta
    }

    /// The posterior of a customer's state: alive at T, or dropped out at some time since t_x.
    #[inline(always)]
    pub(super) fn posterior(&self, x: f64, t_x: f64, t_cal: f64, integral: f64) -> Posterior {
        let &ParetoNbd { r, alpha, s, beta } = self;
        let n = r + x;
        let since = t_cal - t_x;
        let (from_alpha, from_beta) = (1.0 / (alpha + t_x), 1.0 / (beta + t_x));
        let (a_end, b_end) = (ln_1p(since * from_alpha), ln_1p(since * from_beta));
        // dtau = (alpha + t_x) e^v dv on the axis of alpha, relative to beta + t_x.
        let factor = if self.rates_first() { s * ((alpha + t_x) * from_beta) } else { s };
        let alive = exp(-n * a_end - s * b_end);
        let dead = factor * integral;
        let bracket = alive + dead;
        Posterior { a_end, b_end, alive: alive / bracket, dead: dead / bracket, scale: factor / bracket, ln_bracket: ln(bracket) }
    }

    /// The posterior of one customer.
    pub(super) fn posterior_of(&self, history: &History) -> Posterior {
        let (x, t_x, t_cal) = (f64::from(history.frequency()), history.recency(), history.age());
        self.posterior(x, t_x, t_cal, self.dropout_integral(x, t_x, t_cal).integral())
    }
}

/// The integrals over dropout times of customers in columns.
pub(super) struct DropoutIntegrals<'a> {
    pub(super) model: &'a ParetoNbd,
    pub(super) x: &'a [f64],
    pub(super) t_x: &'a [f64],
    pub(super) t_cal: &'a [f64],
}

impl TwoAxesRows for DropoutIntegrals<'_> {
    #[inline(always)]
    fn at(&self, row: usize) -> TwoAxes {
        self.model.dropout_integral(self.x[row], self.t_x[row], self.t_cal[row])
    }
}

/// The posterior of a customer's state.
pub(super) struct Posterior {
    /// ln((alpha+T)/(alpha+t_x)) and ln((beta+T)/(beta+t_x))
    a_end: f64,
    b_end: f64,
    /// P(alive at T)
    pub(super) alive: f64,
    /// P(dropped out by T)
    pub(super) dead: f64,
    /// What turns the integral over dropout times, and its moments, into probabilities.
    scale: f64,
    /// ln(E + s c J)
    pub(super) ln_bracket: f64,
}

/// The part of ln L that depends on the times, from the moments of the dropout time: Louis (1982).
struct TimingTerm<'a>(&'a ParetoNbd);

impl Term<{ 3 + MOMENTS }, 4> for TimingTerm<'_> {
    #[inline(always)]
    fn at(&self, row: [f64; 3 + MOMENTS]) -> Jet<4> {
        let &ParetoNbd { r, alpha, s, beta } = self.0;
        // A and B are the logarithms of the two time axes from t_x, X = 1 - e^-A and Y = 1 - e^-B; the moments come with v first.
        let [x, t_x, t_cal, d_1, m_v, m_u, m_vl, m_ul, m_vv, m_vu, m_v_vl, m_v_ul, m_uu, m_u_vl, m_u_ul, m_vl_vl, m_vl_ul, m_ul_ul] = row;
        let (d_a, d_b, d_x, d_y, d_aa, d_ab, d_ax, d_ay, d_bb, d_bx, d_by, d_xx, d_xy, d_yy) = if self.0.rates_first() {
            (m_v, m_u, m_vl, m_ul, m_vv, m_vu, m_v_vl, m_v_ul, m_uu, m_u_vl, m_u_ul, m_vl_vl, m_vl_ul, m_ul_ul)
        } else {
            (m_u, m_v, m_ul, m_vl, m_uu, m_vu, m_u_ul, m_u_vl, m_vv, m_v_ul, m_v_vl, m_ul_ul, m_vl_ul, m_vl_vl)
        };
        let n = r + x;
        let Posterior { a_end, b_end, alive, dead, scale, ln_bracket } = self.0.posterior(x, t_x, t_cal, d_1);
        let (from_alpha, from_beta) = (1.0 / (alpha + t_x), 1.0 / (beta + t_x));
        let since = t_cal - t_x;
        let (x_end, y_end) = (since / (alpha + t_cal), since / (beta + t_cal));
        // Of those who dropped out.
        let (dead_a, dead_b, dead_x, dead_y) = (scale * d_a, scale * d_b, scale * d_x, scale * d_y);
        let (dead_ay, dead_bx, dead_by) = (scale * d_ay, scale * d_bx, scale * d_by);
        let (dead_xy, dead_yy) = (scale * d_xy, scale * d_yy);
        // Of everybody.
        let (all_a, all_b) = (dead_a + alive * a_end, dead_b + alive * b_end);
        let (all_x, all_y) = (dead_x + alive * x_end, dead_y + alive * y_end);
        let all_xx = scale * d_xx + alive * x_end * x_end;
        let all_yy = dead_yy + alive * y_end * y_end;
        // The score with complete data is (-A, n X/(alpha+t_x), dead/s - B, ((s + dead) Y - dead)/(beta+t_x)): its mean, its second moments.
        let n_from_alpha = n * from_alpha;
        let mean = [-all_a, n_from_alpha * all_x, dead / s - all_b, from_beta * (s * all_y + dead_y - dead)];
        let mut square = [[0.0; 4]; 4];
        square[0][0] = scale * d_aa + alive * a_end * a_end;
        square[0][1] = -n_from_alpha * (scale * d_ax + alive * a_end * x_end);
        square[0][2] = scale * d_ab + alive * a_end * b_end - dead_a / s;
        square[0][3] = -from_beta * (s * (dead_ay + alive * a_end * y_end) + dead_ay - dead_a);
        square[1][1] = n_from_alpha * n_from_alpha * all_xx;
        square[1][2] = n_from_alpha * (dead_x / s - (dead_bx + alive * b_end * x_end));
        square[1][3] = n_from_alpha * from_beta * (s * (dead_xy + alive * x_end * y_end) + dead_xy - dead_x);
        square[2][2] = dead / (s * s) - 2.0 * dead_b / s + scale * d_bb + alive * b_end * b_end;
        square[2][3] = from_beta * (((s + 1.0) * dead_y - dead) / s + dead_b - dead_by - s * (dead_by + alive * b_end * y_end));
        square[3][3] =
            from_beta * from_beta * (s * s * alive * y_end * y_end + (s + 1.0) * (s + 1.0) * dead_yy - 2.0 * (s + 1.0) * dead_y + dead);

        let (ratio_alpha, ratio_beta) = (t_x / alpha, t_x / beta);
        let (ln_alpha, ln_beta) = (ln_1p(ratio_alpha), ln_1p(ratio_beta));
        let mut jet = Jet::ZERO;
        jet.value = -r * ln_alpha - x * ln(alpha + t_x) - s * ln_beta + ln_bracket;
        jet.gradient =
            [mean[0] - ln_alpha, mean[1] + (r * ratio_alpha - x) * from_alpha, mean[2] - ln_beta, mean[3] + s * ratio_beta * from_beta];
        let h = &mut jet.hessian;
        for i in 0..4 {
            for j in i..4 {
                h[i][j] = square[i][j] - mean[i] * mean[j];
            }
        }
        // The derivatives of the complete-data score, averaged, and those of the factors in front.
        h[0][1] += (all_x + ratio_alpha) * from_alpha;
        h[1][1] += (x - r * ratio_alpha * (2.0 + ratio_alpha) - n * (2.0 * all_x - all_xx)) * from_alpha * from_alpha;
        h[2][2] -= dead / (s * s);
        h[2][3] += (all_y + ratio_beta) * from_beta;
        h[3][3] +=
            (dead - 2.0 * dead_y + dead_yy - s * (2.0 * all_y - all_yy) - s * ratio_beta * (2.0 + ratio_beta)) * from_beta * from_beta;
        jet.symmetric()
    }
}
