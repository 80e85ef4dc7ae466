//! What BG/NBD and MBG/NBD share: gamma purchase rates, and a chance p ~ beta(a, b) of dropping out at certain purchases.
//!
//! They differ in one number, how many `chances` to drop out a customer with x repeat purchases has had: x (BG, after each repeat purchase) or x + 1
//! (MBG, after the first purchase too).

use crate::data::{Histories, History};
use crate::numeric::block::Term;
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::elementary::{exp, ln, ln_1p};
use crate::numeric::jet::Jet;
use crate::numeric::rising::{ln_beta_ratio, ln_rising};

/// Parameters (r, alpha, a, b) and the formulas in which the number of chances is an argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BetaDropout {
    pub(super) r: f64,
    pub(super) alpha: f64,
    pub(super) a: f64,
    pub(super) b: f64,
}

/// The part of ln L that depends on the times, for models that differ in the number of chances beyond x.
pub(super) struct TimingTerm<'a> {
    pub(super) model: &'a BetaDropout,
    pub(super) more_chances: f64,
}

impl Term<3, 4> for TimingTerm<'_> {
    #[inline(always)]
    fn at(&self, [x, t_x, t_cal]: [f64; 3]) -> Jet<4> {
        self.model.timing_term(x, t_x, t_cal, x + self.more_chances)
    }
}

/// P(alive) of customers in columns, for models that differ in the number of chances beyond x.
struct PAliveColumn<'a> {
    model: BetaDropout,
    histories: Histories<'a>,
    more_chances: f64,
    p_alive: &'a mut [f64],
}

impl Kernel for PAliveColumn<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let PAliveColumn { model, histories, more_chances, p_alive } = self;
        let rows = p_alive.len();
        let (x, t_x, t_cal) = (&histories.frequency()[..rows], &histories.recency()[..rows], &histories.age()[..rows]);
        for row in 0..rows {
            let x = f64::from(x[row]);
            p_alive[row] = model.p_alive(x, t_x[row], t_cal[row], x + more_chances);
        }
    }
}

impl BetaDropout {
    /// A few leave at once and the others never; everybody runs the same small risk.
    pub(super) fn elsewhere(self) -> [Self; 2] {
        [(0.01, 0.1), (2.0, 200.0)].map(|(a, b)| BetaDropout { a, b, ..self })
    }

    /// What a bound means where a and b together say something else than either alone.
    pub(super) fn at_bound(&self, parameter: usize, lower: bool) -> Option<&'static str> {
        // The mean dropout probability a / (a + b) is what counts: with b as small as a it is not small.
        (lower && parameter == 2 && self.a > 0.01 * self.b)
            .then_some("a and b are both next to nothing: customers drop out at their first chance or never, a / (a + b) of them at once")
    }

    /// The part of ln L that depends on x alone: ln (r)_x + ln [B(a, b + chances) / B(a, b)].
    pub(super) fn frequency_term(&self, x: f64, chances: f64) -> Jet<4> {
        let &BetaDropout { r, a, b, .. } = self;
        let (rate, stay, all) = (ln_rising(r, x), ln_rising(b, chances), ln_rising(a + b, chances));
        let mut jet = Jet::ZERO;
        jet.value = rate.value + ln_beta_ratio(a, b, chances);
        jet.gradient = [rate.first, 0.0, -all.first, stay.first - all.first];
        jet.hessian[0][0] = rate.second;
        jet.hessian[2][2] = -all.second;
        jet.hessian[2][3] = -all.second;
        jet.hessian[3][3] = stay.second - all.second;
        jet.symmetric()
    }

    /// The part of ln L that depends on the times: -r ln(1 + T/alpha) - x ln(alpha + T) + [chances > 0] ln(1 + e^u).
    #[inline(always)]
    pub(super) fn timing_term(&self, x: f64, t_x: f64, t_cal: f64, chances: f64) -> Jet<4> {
        let &BetaDropout { r, alpha, a, .. } = self;
        let n = r + x;
        let to_end = 1.0 / (alpha + t_cal);
        let to_last = 1.0 / (alpha + t_x);
        // d and its derivatives in alpha
        let gap = (t_cal - t_x) * to_last;
        let d = ln_1p(gap);
        let d_alpha = -gap * to_end;
        let d_alpha_alpha = gap * (to_end + to_last) * to_end;
        // Without a chance nobody can have dropped out; the second shape is then any positive number, since it meets sigma = 0. Chances are whole numbers, and
        // multiplied with 0 or 1 because a choice becomes a branch, which keeps the loop over customers from becoming vector instructions.
        let any = chances.min(1.0);
        let per_stayed = 1.0 / self.stayed(chances.max(1.0));
        let [softplus, sigma, spread] = softplus(ln(a * per_stayed) + n * d).map(|part| any * part);
        // u and its derivatives
        let (u_r, u_alpha, u_a, u_b) = (d, n * d_alpha, 1.0 / a, -per_stayed);
        let ratio = t_cal / alpha;
        let mut jet = Jet::ZERO;
        jet.value = -r * ln_1p(ratio) - x * ln(alpha + t_cal) + softplus;
        jet.gradient = [-ln_1p(ratio) + sigma * u_r, (r * ratio - x) * to_end + sigma * u_alpha, sigma * u_a, sigma * u_b];
        let h = &mut jet.hessian;
        h[0][0] = spread * u_r * u_r;
        h[0][1] = ratio * to_end + spread * u_r * u_alpha + sigma * d_alpha;
        h[0][2] = spread * u_r * u_a;
        h[0][3] = spread * u_r * u_b;
        h[1][1] = (x - r * ratio * (2.0 + ratio)) * to_end * to_end + spread * u_alpha * u_alpha + sigma * n * d_alpha_alpha;
        h[1][2] = spread * u_alpha * u_a;
        h[1][3] = spread * u_alpha * u_b;
        h[2][2] = (spread - sigma) * u_a * u_a;
        h[2][3] = spread * u_a * u_b;
        h[3][3] = (spread + sigma) * u_b * u_b;
        jet.symmetric()
    }

    /// ln L of one customer.
    pub(super) fn ln_likelihood(&self, history: &History, chances: f64) -> f64 {
        let x = f64::from(history.frequency());
        ln_rising(self.r, x).value
            + ln_beta_ratio(self.a, self.b, chances)
            + self.timing_term(x, history.recency(), history.age(), chances).value
    }

    /// ln L of one customer with derivatives.
    pub(super) fn ln_likelihood_jet(&self, history: &History, chances: f64) -> Jet<4> {
        let x = f64::from(history.frequency());
        let mut jet = self.frequency_term(x, chances);
        jet.add_scaled(1.0, &self.timing_term(x, history.recency(), history.age(), chances));
        jet
    }

    /// P(alive) = 1 / (1 + e^u), and 1 without a chance to drop out, when the odds mean nothing.
    #[inline(always)]
    pub(super) fn p_alive(&self, x: f64, t_x: f64, t_cal: f64, chances: f64) -> f64 {
        let any = chances.min(1.0);
        let [_, alive, _] = softplus(-self.ln_odds_dead(x, t_x, t_cal, chances));
        any * alive + (1.0 - any)
    }

    /// P(alive) of many customers.
    pub(super) fn p_alive_column(&self, histories: &Histories<'_>, more_chances: f64, p_alive: &mut [f64]) {
        assert_eq!(histories.len(), p_alive.len(), "one P(alive) per customer");
        dispatch(PAliveColumn { model: *self, histories: *histories, more_chances, p_alive });
    }

    /// P(dropped out) = 1 / (1 + e^-u) for chances > 0.
    pub(super) fn p_dead(&self, history: &History, chances: f64) -> f64 {
        softplus(self.ln_odds_dead(f64::from(history.frequency()), history.recency(), history.age(), chances))[1]
    }

    /// u = ln(a / (b + chances - 1)) + n d: ln odds of having dropped out at the last chance; any number without one.
    #[inline(always)]
    fn ln_odds_dead(&self, x: f64, t_x: f64, t_cal: f64, chances: f64) -> f64 {
        ln(self.a / self.stayed(chances.max(1.0))) + (self.r + x) * ln_1p((t_cal - t_x) / (self.alpha + t_x))
    }

    /// b + chances - 1: the second shape when all chances but the last were passed. Written so that it does not cancel for small b.
    #[inline(always)]
    fn stayed(&self, chances: f64) -> f64 {
        self.b + (chances - 1.0)
    }
}

/// ln(1 + e^u), its first and its second derivative, each from e^-|u|, so that nothing overflows.
#[inline(always)]
fn softplus(u: f64) -> [f64; 3] {
    let e = exp(-u.abs());
    let high = 1.0 / (1.0 + e);
    let low = e * high;
    [u.max(0.0) + ln_1p(e), if u > 0.0 { high } else { low }, low * high]
}
