//! Pareto/NBD for customers born before the log, whose purchases before it are not known.
//!
//! # Formulas, and the form computed
//! Given lambda, purchases at random say nothing about earlier ones, so a customer who is alive at the start of the log is an ordinary one whose dropout
//! rate has been at work for w already. With f = P(alive at the start) = (beta/(beta+w))^s and L the ordinary likelihood over the log, of length C:
//! ```text
//! L_w(x, t_x, C) = f L(x, t_x, C; r, alpha, s, beta + w) + [x = 0] (1 - f)
//! P(seen)        = f P(X(C) > 0; r, alpha, s, beta + w)            divides L_w where the list holds only those seen
//! P(alive)       = f (alive part of L) / L_w
//! given alive: Pareto/NBD (r + x, alpha + C, s, beta + w + C)
//! ```
//! Both parts of the mixture are positive. 1 - f is formed by expm1, and P(seen) as the integral over the time of the first purchase, never as a
//! difference from 1.
//!
//! # Special points
//! w = 0: f = 1, the ordinary likelihood. x = 0: gone before the log, or silent during it. t_x = C, alpha = beta, s = 1, x = 1e5: as in
//! the ordinary likelihood.

use super::censored_likelihood::{CensoredFuture, CensoredLikelihood, share};
use super::pareto_nbd::ParetoNbd;
use super::purchase_model::PurchaseModel;
use crate::data::{CustomerList, LeftTruncated};
use crate::numeric::jet::Jet;
use crate::numeric::ln_sum::ln_add_exp;

impl<L: CustomerList> CensoredLikelihood<LeftTruncated<L>> for ParetoNbd {
    fn censored_jet(&self, row: &LeftTruncated<L>) -> Jet<4> {
        let (w, history) = (row.before(), row.history());
        let mut jet = self.older_by(w).ln_likelihood_jet(history);
        if w == 0.0 {
            return jet;
        }
        jet.add_scaled(1.0, &self.ln_alive_at(w));
        if history.frequency() == 0 {
            jet = ln_add_exp(&jet, &self.ln_gone_by(w));
        }
        if row.is_selected() {
            jet.add_scaled(-1.0, &self.ln_at_least(1.0, w, history.age()));
        }
        jet
    }
}

impl<L: CustomerList> CensoredFuture<LeftTruncated<L>> for ParetoNbd {
    type Alive = ParetoNbd;

    fn censored_p_alive(&self, row: &LeftTruncated<L>) -> f64 {
        let (w, history) = (row.before(), row.history());
        let older = self.older_by(w);
        let p_alive = older.p_alive(history);
        if w == 0.0 || history.frequency() > 0 {
            return p_alive;
        }
        share(self.ln_alive_at(w).value + older.ln_likelihood(history), self.ln_gone_by(w).value) * p_alive
    }

    fn censored_given_alive(&self, row: &LeftTruncated<L>) -> ParetoNbd {
        self.older_by(row.before()).given_alive(row.history())
    }
}

impl ParetoNbd {
    /// ln f: alive at age w.
    pub(super) fn ln_alive_at(&self, w: f64) -> Jet<4> {
        let (l, l_beta, l_beta_beta) = self.ln_growth(w);
        let s = self.params().s;
        let mut jet = Jet::ZERO;
        jet.value = -s * l;
        jet.gradient = [0.0, 0.0, -l, -s * l_beta];
        jet.hessian[2][3] = -l_beta;
        jet.hessian[3][3] = -s * l_beta_beta;
        jet.symmetric()
    }

    /// ln (1 - f): dropped out by age w > 0.
    pub(super) fn ln_gone_by(&self, w: f64) -> Jet<4> {
        // With q = s l: ln(1 - e^-q), whose derivatives in q are g = 1/(e^q - 1) and -g (1 + g).
        let (l, l_beta, l_beta_beta) = self.ln_growth(w);
        let s = self.params().s;
        let q = s * l;
        let g = 1.0 / q.exp_m1();
        let bend = -g * (1.0 + g);
        let mut jet = Jet::ZERO;
        jet.value = (-(-q).exp_m1()).ln();
        jet.gradient = [0.0, 0.0, g * l, g * s * l_beta];
        jet.hessian[2][2] = bend * l * l;
        jet.hessian[2][3] = bend * l * s * l_beta + g * l_beta;
        jet.hessian[3][3] = bend * (s * l_beta) * (s * l_beta) + g * s * l_beta_beta;
        jet.symmetric()
    }

    /// l = ln(1 + w/beta) with its first and second derivative in beta.
    fn ln_growth(&self, w: f64) -> (f64, f64, f64) {
        let beta = self.params().beta;
        let share = w / beta / (beta + w);
        ((w / beta).ln_1p(), -share, share * (1.0 / beta + 1.0 / (beta + w)))
    }
}
