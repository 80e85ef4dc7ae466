//! Factors of the likelihoods of BG/NBD and MBG/NBD, in logs with derivatives in (r, alpha, a, b): what the censored likelihoods are put together from.

use super::beta_dropout::BetaDropout;
use crate::numeric::jet::Jet;

impl BetaDropout {
    /// ln of alpha^r (alpha+t)^-(r+x): no more purchase up to t.
    pub(super) fn silent_until(&self, x: f64, t: f64) -> Jet<4> {
        let &BetaDropout { r, alpha, .. } = self;
        let (ratio, from_end) = (t / alpha, 1.0 / (alpha + t));
        let mut jet = Jet::ZERO;
        jet.value = -r * ratio.ln_1p() - x * (alpha + t).ln();
        jet.gradient = [-ratio.ln_1p(), (r * ratio - x) * from_end, 0.0, 0.0];
        jet.hessian[0][1] = ratio * from_end;
        jet.hessian[1][1] = (x - r * ratio * (2.0 + ratio)) * from_end * from_end;
        jet.symmetric()
    }

    /// ln of a/(b + chances - 1): the odds of having dropped out at the last of the chances against having passed it, before anything is known of the
    /// times.
    pub(super) fn dropped_at_last(&self, chances: f64) -> Jet<4> {
        // Written so that it does not cancel for small b.
        let (a, stayed) = (self.a, self.b + (chances - 1.0));
        let mut jet = Jet::ZERO;
        jet.value = (a / stayed).ln();
        jet.gradient = [0.0, 0.0, 1.0 / a, -1.0 / stayed];
        jet.hessian[2][2] = -1.0 / (a * a);
        jet.hessian[3][3] = 1.0 / (stayed * stayed);
        jet
    }

    /// ln of a/(a+b): dropped out at the first purchase, where that can be.
    pub(super) fn dropped_at_birth(&self) -> Jet<4> {
        let (a, n) = (self.a, self.a + self.b);
        let mut jet = Jet::ZERO;
        jet.value = (a / n).ln();
        jet.gradient = [0.0, 0.0, self.b / a / n, -1.0 / n];
        jet.hessian[2][2] = -(1.0 / a + 1.0 / n) * (self.b / a / n);
        jet.hessian[2][3] = 1.0 / (n * n);
        jet.hessian[3][3] = 1.0 / (n * n);
        jet.symmetric()
    }
}
