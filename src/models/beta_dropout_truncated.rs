//! BG/NBD and MBG/NBD for customers born before the log, whose purchases before it are not known.
//!
//! # Formulas, and the form computed
//! Given lambda and p, dropout at purchases is a thinned Poisson process: alive a time w after birth with probability (1-p)^k e^-(lambda p w), where k is
//! 0 for BG/NBD and 1 for MBG/NBD, which may drop out at birth. Over lambda that leaves one integral over p. With n = r + x, c = x + k chances to drop out, and
//! E_(a,b) the mean over p ~ beta(a, b):
//! ```text
//! alive at C:                (r)_x B(a, b+c)/B(a, b) alpha^r (alpha+C)^-n             E_(a,b+c)[ (1 + p w/(alpha+C))^-n ]
//! dropped at the last, x > 0: (r)_x B(a, b+c)/B(a, b) alpha^r (alpha+t_x)^-n a/(b+c-1) E_(a+1,b+c-1)[ (1 + p w/(alpha+t_x))^-n ]
//! gone before the log, x = 0: k a/(a+b) + (b/(a+b))^k E_(a,b+k)[ 1 - (1 + p w/alpha)^-r ]
//! seen:                       (b/(a+b))^k E_(a,b+k)[ (1 + p w/alpha)^-r (1 - (1 + C/(alpha + p w))^-r) ]
//! ```
//! Given alive, lambda and p are no longer independent: that customer is a [`BgNbdSurvivor`].
//!
//! L_w is the sum of the parts that apply, over P(seen) where the list holds only those seen. All are positive; differences are formed by expm1 under the
//! integral, never after it. The means are sums over one set of nodes each, from which the derivatives come, too.
//!
//! # Special points
//! w = 0: the ordinary likelihood; for MBG/NBD with the drop at birth. x = 0: gone before the log, or silent during it. t_x = C, a = 1, a + b < 1,
//! x = 1e5: nothing special.

use super::beta_dropout::BetaDropout;
use super::bg_nbd::BgNbd;
use super::bg_nbd_survivor::BgNbdSurvivor;
use super::censored_likelihood::{CensoredFuture, CensoredLikelihood, share};
use super::mbg_nbd::MbgNbd;
use super::purchase_model::PurchaseModel;
use crate::data::{CustomerList, History, LeftTruncated};
use crate::numeric::beta_nodes::{BetaNodes, shape_curvature};
use crate::numeric::jet::Jet;
use crate::numeric::ln_sum::{LnSum, ln_add_exp};

/// ln of a kernel over p with its derivatives in r and alpha: the value, the gradient, and (rr, ra, aa) of the Hessian.
struct Kernel {
    value: f64,
    gradient: [f64; 2],
    hessian: [f64; 3],
}

impl<L: CustomerList> CensoredLikelihood<LeftTruncated<L>> for BgNbd {
    fn censored_jet(&self, row: &LeftTruncated<L>) -> Jet<4> {
        self.0.truncated_jet(row, 0.0)
    }
}

impl<L: CustomerList> CensoredLikelihood<LeftTruncated<L>> for MbgNbd {
    fn censored_jet(&self, row: &LeftTruncated<L>) -> Jet<4> {
        self.0.truncated_jet(row, 1.0)
    }
}

impl<L: CustomerList> CensoredFuture<LeftTruncated<L>> for BgNbd {
    type Alive = BgNbdSurvivor;

    fn censored_p_alive(&self, row: &LeftTruncated<L>) -> f64 {
        if row.before() == 0.0 { self.p_alive(row.history()) } else { self.0.truncated_p_alive(row, 0.0) }
    }

    fn censored_given_alive(&self, row: &LeftTruncated<L>) -> BgNbdSurvivor {
        BgNbdSurvivor::new(self.given_alive(row.history()), row.before())
    }
}

impl<L: CustomerList> CensoredFuture<LeftTruncated<L>> for MbgNbd {
    type Alive = BgNbdSurvivor;

    fn censored_p_alive(&self, row: &LeftTruncated<L>) -> f64 {
        if row.before() == 0.0 { self.p_alive(row.history()) } else { self.0.truncated_p_alive(row, 1.0) }
    }

    fn censored_given_alive(&self, row: &LeftTruncated<L>) -> BgNbdSurvivor {
        BgNbdSurvivor::new(self.given_alive(row.history()), row.before())
    }
}

impl BetaDropout {
    /// ln L of a customer born before the log; `at_birth` is k, the chances to drop out at the first purchase.
    pub(super) fn truncated_jet<L: CustomerList>(&self, row: &LeftTruncated<L>, at_birth: f64) -> Jet<4> {
        let (w, history) = (row.before(), row.history());
        let x = f64::from(history.frequency());
        if w == 0.0 {
            return self.ln_likelihood_jet(history, x + at_birth);
        }
        let (alive, gone) = self.truncated_parts(w, history, at_birth);
        let mut jet = ln_add_exp(&alive, &gone);
        if row.is_selected() {
            jet.add_scaled(-1.0, &self.ln_seen(w, history.age(), at_birth));
        }
        jet
    }

    /// P(alive at the end of the log) of a customer born a time w > 0 before it.
    fn truncated_p_alive<L: CustomerList>(&self, row: &LeftTruncated<L>, at_birth: f64) -> f64 {
        let (alive, gone) = self.truncated_parts(row.before(), row.history(), at_birth);
        share(alive.value, gone.value)
    }

    /// ln of the parts of the likelihood, not divided by P(seen): alive at the end of the log, and not.
    pub(super) fn truncated_parts(&self, w: f64, history: &History, at_birth: f64) -> (Jet<4>, Jet<4>) {
        let &BetaDropout { a, b, .. } = self;
        let (x, t_x, c) = (f64::from(history.frequency()), history.recency(), history.age());
        let chances = x + at_birth;
        let shared = self.frequency_term(x, chances);
        let mut alive = self.bought_until(x, c, w, (a, b + chances));
        alive.add_scaled(1.0, &shared);
        if x == 0.0 {
            return (alive, self.ln_gone_before(w, at_birth));
        }
        let mut dropped = self.bought_until(x, t_x, w, (a + 1.0, b + (chances - 1.0)));
        dropped.add_scaled(1.0, &shared);
        dropped.add_scaled(1.0, &self.dropped_at_last(chances));
        (alive, dropped)
    }

    /// ln of alpha^r (alpha+t)^-(r+x) E[ (1 + p w/(alpha+t))^-(r+x) ] over p with these shapes.
    pub(super) fn bought_until(&self, x: f64, t: f64, w: f64, shapes: (f64, f64)) -> Jet<4> {
        let &BetaDropout { r, alpha, .. } = self;
        let (n, from_alpha) = (r + x, 1.0 / (alpha + t));
        let z = w * from_alpha;
        let mut jet = self.ln_mean(shapes, (z, n, n), |p| tilt(n, z * p, from_alpha));
        jet.add_scaled(1.0, &self.silent_until(x, t));
        jet
    }

    /// ln P(dropped out within w of birth).
    fn ln_gone_before(&self, w: f64, at_birth: f64) -> Jet<4> {
        let &BetaDropout { r, alpha, a, b } = self;
        let z = w / alpha;
        let mut later = self.ln_mean((a, b + at_birth), (z, 0.0, r), |p| {
            // With q = r ln(1 + z p): ln(1 - e^-q).
            let (l, g) = ((z * p).ln_1p(), z * p / (1.0 + z * p));
            let (l_alpha, l_alpha_alpha) = (-g / alpha, g * (2.0 - g) / (alpha * alpha));
            ln_complement(r, l, l_alpha, l_alpha_alpha)
        });
        if at_birth == 0.0 {
            return later;
        }
        later.add_scaled(1.0, &self.frequency_term(0.0, at_birth));
        ln_add_exp(&later, &self.dropped_at_birth())
    }

    /// ln P(at least one purchase in a log of length c that starts a time w after birth).
    fn ln_seen(&self, w: f64, c: f64, at_birth: f64) -> Jet<4> {
        let &BetaDropout { r, alpha, a, b } = self;
        let z = w / alpha;
        let mut jet = self.ln_mean((a, b + at_birth), (z, r, r + 1.0), |p| {
            let start = alpha + p * w;
            let survived = tilt(r, z * p, 1.0 / alpha);
            // l = ln(1 + c / start): ln(1 - e^(-r l)).
            let (l, from_start, from_end) = ((c / start).ln_1p(), 1.0 / start, 1.0 / (start + c));
            let l_alpha = -c * from_start * from_end;
            let bought = ln_complement(r, l, l_alpha, -l_alpha * (from_start + from_end));
            Kernel {
                value: survived.value + bought.value,
                gradient: [0, 1].map(|i| survived.gradient[i] + bought.gradient[i]),
                hessian: [0, 1, 2].map(|i| survived.hessian[i] + bought.hessian[i]),
            }
        });
        jet.add_scaled(1.0, &self.frequency_term(0.0, at_birth));
        jet
    }

    /// ln of the mean of a kernel over p with these shapes, which differ from a and b by constants; its z, tilt and power as in [`BetaNodes`].
    fn ln_mean(&self, (a, b): (f64, f64), (z, tilt, power): (f64, f64, f64), kernel: impl Fn(f64) -> Kernel) -> Jet<4> {
        let (aa, ab, bb) = shape_curvature(a, b);
        let mut sum = LnSum::<4>::new();
        let constant = BetaNodes { a, b, z, tilt, far: z, power }.for_each(
            |p| {
                let kernel = kernel(p);
                (kernel.value, kernel)
            },
            |weight, [of_a, of_b], kernel| {
                let [r, alpha] = kernel.gradient;
                let [rr, r_alpha, alpha_alpha] = kernel.hessian;
                let hessian = [[rr, r_alpha, 0.0, 0.0], [0.0, alpha_alpha, 0.0, 0.0], [0.0, 0.0, aa, ab], [0.0, 0.0, 0.0, bb]];
                sum.add(weight, &[r, alpha, of_a, of_b], &hessian);
            },
        );
        sum.jet(constant)
    }
}

/// -n ln(1 + u) for u = p w/(alpha+t), `from_alpha` = 1/(alpha+t).
fn tilt(n: f64, u: f64, from_alpha: f64) -> Kernel {
    let g = u / (1.0 + u);
    Kernel {
        value: -n * u.ln_1p(),
        gradient: [-u.ln_1p(), n * g * from_alpha],
        hessian: [0.0, g * from_alpha, -n * g * (2.0 - g) * from_alpha * from_alpha],
    }
}

/// ln(1 - e^(-r l)), from l and its derivatives in alpha.
fn ln_complement(r: f64, l: f64, l_alpha: f64, l_alpha_alpha: f64) -> Kernel {
    // With q = r l the derivatives in q are g = 1/(e^q - 1) and -g (1 + g).
    let q = r * l;
    let g = 1.0 / q.exp_m1();
    let bend = -g * (1.0 + g);
    Kernel {
        value: (-(-q).exp_m1()).ln(),
        gradient: [g * l, g * r * l_alpha],
        hessian: [bend * l * l, bend * l * r * l_alpha + g * l_alpha, bend * r * l_alpha * r * l_alpha + g * r * l_alpha_alpha],
    }
}
