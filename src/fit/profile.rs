//! The profile likelihood of a parameter: what the data say about one when the others adapt.

use ndarray::Array1;

use super::estimator::{Estimator, Optimum, WORTH_MOVING, maximise};
use super::inference::Level;
use super::objective::LogPosterior;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::models::{Estimable, Sample};

/// Points of the curve on either side of the estimate.
const POINTS: u32 = 8;

/// The drop at an end of the interval is met within this.
const DROP_TOLERANCE: f64 = 1e-6;

/// Steps to an end of an interval: the signed root of the drop is nearly linear, a handful is usual.
const MAX_STEPS: usize = 60;

/// ln L as a function of one parameter, at each value maximised over the others.
///
/// Its interval holds the values that a likelihood-ratio test does not reject. Unlike estimate +- z standard errors it is right when the likelihood
/// is lopsided, stays the same when the parameter is transformed, and shows when there is no upper or lower end at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    parameter: &'static str,
    level: Level,
    lower: Option<f64>,
    upper: Option<f64>,
    points: Vec<(f64, f64)>,
}

impl Profile {
    /// The parameter's name.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// The share of cases that the interval is meant to cover.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The ends of the interval; `None` where the likelihood does not fall enough before the parameter reaches its bound.
    #[must_use]
    pub fn interval(&self) -> (Option<f64>, Option<f64>) {
        (self.lower, self.upper)
    }

    /// (value, ln L), by value: from one end of the interval to the other, with the estimate between them. Where an end is open the curve goes on
    /// to the bound of the parameter. With a prior, its log-density is part of ln L.
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
}

impl<M: Estimable> Estimator<'_, M> {
    /// The profile likelihood of a parameter, by its index in [`Estimable::PARAMETERS`].
    ///
    /// # Errors
    /// When there is no such parameter, as for [`fit`](Self::fit), when a fit with the parameter fixed did not converge, or when one of them found a
    /// higher maximum: the message then says where.
    pub fn profile(&self, customers: &<M::Sample as Sample>::Source, parameter: usize, level: Level) -> Result<Profile> {
        let Some(information) = M::PARAMETERS.get(parameter) else {
            return Err(Error::parameter(format!(
                "{} has {} parameters; there is none with index {parameter}",
                M::NAME,
                M::PARAMETERS.len()
            )));
        };
        let sample = M::Sample::new(customers)?;
        let objective = self.objective(&sample);
        let optimum = self.optimum(&objective)?;
        let (lower, upper) = interval(&objective, &optimum, parameter, level, self.watch)?;
        let centre = optimum.point[parameter];
        let mut points = vec![(centre.exp(), optimum.evaluation.value)];
        let bounds = objective.bounds();
        for end in [lower.map_or(bounds.0[parameter], f64::ln), upper.map_or(bounds.1[parameter], f64::ln)] {
            let mut from = optimum.point.clone();
            for k in 1..=POINTS {
                let log = centre + (end - centre) * f64::from(k) / f64::from(POINTS);
                let there = maximise(&objective, from, Some((parameter, log)), self.watch)?;
                points.push((log.exp(), there.evaluation.value));
                from = there.point;
            }
        }
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points.dedup_by(|one, other| one.0 == other.0);
        Ok(Profile { parameter: information.name, level, lower, upper, points })
    }
}

/// The ends of the interval of a parameter: where ln L has fallen by half the squared normal quantile.
pub(super) fn interval<M: Estimable>(
    objective: &LogPosterior<'_, M>,
    optimum: &Optimum,
    parameter: usize,
    level: Level,
    watch: Option<&Watch<'_>>,
) -> Result<(Option<f64>, Option<f64>)> {
    let bounds = objective.bounds();
    let z = level.normal_quantile();
    let row = optimum.free.iter().position(|&i| i == parameter);
    let error = row.and_then(|row| optimum.covariance_of_logs().map(|covariance| covariance[[row, row]].sqrt())).unwrap_or(1.0);
    let end = |bound: f64| -> Result<Option<f64>> {
        // The root of twice the drop, less z: rises almost linearly with the distance.
        let excess = |log: f64, from: &Array1<f64>| -> Result<(f64, Array1<f64>)> {
            let there = maximise(objective, from.clone(), Some((parameter, log)), watch)?;
            let gain = there.evaluation.value - optimum.evaluation.value;
            if gain > WORTH_MOVING {
                return Err(Error::fit(format!(
                    "the likelihood of {} is {gain:.2e} higher at {} = {}, so that the profile would not be of its maximum; start the estimator there",
                    M::NAME,
                    M::PARAMETERS[parameter].name,
                    log.exp()
                )));
            }
            let drop = (-gain).max(0.0);
            Ok(((2.0 * drop).sqrt() - z, there.point))
        };
        let centre = optimum.point[parameter];
        if centre == bound {
            return Ok(None);
        }
        let towards = (bound - centre).signum();
        let (mut inside, mut below, mut from) = (centre, -z, optimum.point.clone());
        let mut step = (z * error).clamp(1e-6, 4.0);
        let (mut outside, mut above) = loop {
            let log = if (bound - inside).abs() > step { inside + towards * step } else { bound };
            let (value, point) = excess(log, &from)?;
            if value >= 0.0 {
                break (log, value);
            }
            if log == bound {
                return Ok(None);
            }
            (inside, below, from) = (log, value, point);
            step *= 2.0;
        };
        // Regula falsi, the Illinois way: an end that stays twice is weighted half.
        let mut kept = 0;
        for _ in 0..MAX_STEPS {
            let log = inside + (outside - inside) * (below / (below - above));
            let (value, point) = excess(log, &from)?;
            // From here to the root the value of the parameter changes by less than its ninth digit, or ln L by less than the tolerance.
            if (value * (value + 2.0 * z)).abs() <= 2.0 * DROP_TOLERANCE || (outside - inside).abs() <= 1e-9 {
                return Ok(Some(log.exp()));
            }
            if value < 0.0 {
                (inside, below) = (log, value);
                kept = kept.max(0) + 1;
                above *= if kept > 1 { 0.5 } else { 1.0 };
            } else {
                (outside, above) = (log, value);
                kept = kept.min(0) - 1;
                below *= if kept < -1 { 0.5 } else { 1.0 };
            }
            from = point;
        }
        Err(Error::fit(format!(
            "the end of the profile interval of {} lies between {} and {}, but was not found; please report it",
            M::PARAMETERS[parameter].name,
            inside.exp(),
            outside.exp()
        )))
    };
    Ok((end(bounds.0[parameter])?, end(bounds.1[parameter])?))
}
