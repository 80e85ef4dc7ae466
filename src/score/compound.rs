//! The total that a customer spends: quantiles of a mixture over numbers of purchases and parameter sets, by integrating its density.
//!
//! A density of ln total takes a hundredth of the time of a distribution function, one incomplete beta function per number of purchases and parameter set. So
//! the probability of more than some total is the integral of the density outward from there, and on the way to the quantile only the difference is added.

use crate::models::GammaGamma;
use crate::numeric::beta_mixture::{BetaMixture, Constants};

/// What lies further out is left out when it is below this share.
const NEGLIGIBLE: f64 = 1e-10;

/// Panels are so many standard deviations wide, those of the narrowest component around; 16 nodes leave a share of 1e-10.
const PANEL: f64 = 5.0;
const WIDEST_PANEL: f64 = 3.0;

/// A step of Newton's method by less needs no further one: the error goes with its square.
const LAST_STEP: f64 = 1e-5;

/// Differences keep nine digits or more down to this share.
const SMALLEST_SHARE: f64 = 0.1;

/// Logarithms of amounts beyond this are not told apart.
const LARGEST: f64 = 700.0;

/// Which side of a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Side {
    Below,
    Above,
}

impl Side {
    fn sign(self) -> f64 {
        match self {
            Side::Below => -1.0,
            Side::Above => 1.0,
        }
    }
}

/// The density of ln of a total.
#[derive(Debug)]
pub(super) struct Compound<'a> {
    /// ln of the scale of a spend model, and the mixture over numbers of purchases.
    parts: Vec<(f64, BetaMixture<'a>)>,
    /// The largest q, and the smallest scale.
    narrowest: (f64, f64),
    /// ln total where the fewest and the most purchases have their mode.
    modes: (f64, f64),
}

impl<'a> Compound<'a> {
    /// `counts` are (number of purchases, probability), and `constants` those of each spend model.
    pub(super) fn new(counts: &'a [(u64, f64)], spend: &[GammaGamma], constants: &'a [Constants]) -> Self {
        let mut compound = Compound { parts: Vec::with_capacity(spend.len()), narrowest: (0.0, LARGEST), modes: (LARGEST, -LARGEST) };
        let ends = (counts.first().map_or(1.0, |first| first.0 as f64), counts.last().map_or(1.0, |last| last.0 as f64));
        for (model, constants) in spend.iter().zip(constants) {
            let (params, scale) = (model.params(), model.params().gamma.ln());
            let mode = |n: f64| scale + (params.p * n / params.q).ln();
            compound.parts.push((scale, BetaMixture::new(constants, counts)));
            compound.narrowest = (compound.narrowest.0.max(params.q), compound.narrowest.1.min(scale));
            compound.modes = (compound.modes.0.min(mode(ends.0)), compound.modes.1.max(mode(ends.1)));
        }
        compound
    }

    /// ln of the total that a customer is on the outer `side` of with probability `mass`; `start` is a first guess.
    pub(super) fn quantile(&mut self, side: Side, mass: f64, start: f64) -> f64 {
        let sign = side.sign();
        let (mut low, mut high) = (-LARGEST, LARGEST);
        let (mut y, mut beyond) = (start, self.beyond(side, start));
        let mut known = beyond;
        for _ in 0..100 {
            let outward = beyond > mass;
            if outward == (side == Side::Above) {
                low = y
            } else {
                high = y
            }
            let panel = self.panel(y);
            let newton = (beyond / mass).ln() * beyond / self.density(y);
            let step = sign * if newton.is_finite() { newton.clamp(-panel, panel) } else { panel.copysign(beyond - mass) };
            let next = if low < y + step && y + step < high { y + step } else { 0.5 * (low + high) };
            if (next - y).abs() <= LAST_STEP {
                return next;
            }
            beyond -= sign * self.between(y, next);
            if !(beyond >= SMALLEST_SHARE * known) {
                beyond = self.beyond(side, next);
                known = beyond;
            }
            y = next;
        }
        y
    }

    /// The probability of a total on the outer side of e^y.
    pub(super) fn beyond(&mut self, side: Side, y: f64) -> f64 {
        let sign = side.sign();
        let (mut from, mut sum) = (y, 0.0);
        while from.abs() < 2.0 * LARGEST {
            let to = from + sign * self.panel(from);
            let part = sign * self.integral::<16>(from, to);
            sum += part;
            from = to;
            let past_all = if side == Side::Above { from > self.modes.1 } else { from < self.modes.0 };
            if past_all && part <= NEGLIGIBLE * sum {
                break;
            }
        }
        sum
    }

    /// The integral of the density from one point to another, negative when it leads down.
    fn between(&mut self, from: f64, to: f64) -> f64 {
        let panel = self.panel(from.max(to));
        let panels = ((to - from).abs() / panel).ceil().max(1.0);
        let width = (to - from) / panels;
        let at = |k: u32| from + f64::from(k) * width;
        (0..panels as u32)
            .map(|k| match width.abs() / panel {
                share if share <= 0.05 => self.integral::<4>(at(k), at(k + 1)),
                share if share <= 0.3 => self.integral::<8>(at(k), at(k + 1)),
                _ => self.integral::<16>(at(k), at(k + 1)),
            })
            .sum()
    }

    fn integral<const N: usize>(&mut self, from: f64, to: f64) -> f64 {
        let share = 1.0 / self.parts.len() as f64;
        self.parts.iter_mut().map(|(scale, mixture)| share * mixture.integral::<N>(from - *scale, to - *scale)).sum()
    }

    fn density(&mut self, y: f64) -> f64 {
        let share = 1.0 / self.parts.len() as f64;
        self.parts.iter_mut().map(|(scale, mixture)| share * mixture.density(y - *scale)).sum()
    }

    /// The width of a panel at y: components with their mode here, or somewhat above, have a variance of (1 + 1/odds) / q in ln total.
    fn panel(&self, y: f64) -> f64 {
        let (q, scale) = self.narrowest;
        (PANEL * ((1.0 + (scale - y - 1.0).exp()) / q).sqrt()).min(WIDEST_PANEL)
    }
}
