//! What is worth knowing about an optimum that is none the less one: a bound, a ridge, a handful of repeat buyers, one customer who decides.

use super::estimator::{Optimum, maximise};
use super::inference::Level;
use super::objective::{LogPosterior, Objective};
use super::profile;
use super::watch::Watch;
use crate::data::significant;
use crate::error::{ErrorKind, Result};
use crate::models::{Estimable, Notice, NoticeKind, Sample};

/// A standard error of a log-parameter beyond this leaves the parameter open within a factor of twenty either way.
const RIDGE_STANDARD_ERROR: f64 = 3.0;

/// Below this many repeat buyers behind an estimate its standard errors are themselves a guess.
const FEW_REPEAT_BUYERS: f64 = 30.0;

/// One customer whose absence moves a parameter by more standard errors than this is worth a look.
const OUTLYING: f64 = 1.0;

/// A first-order estimate below this many standard errors does not come to more than [`OUTLYING`]: the fit need not be repeated.
const SUSPECT: f64 = 0.4;

pub(super) fn notices<M: Estimable>(
    objective: &LogPosterior<'_, M>,
    optimum: &Optimum,
    model: &M,
    watch: Option<&Watch<'_>>,
) -> Result<Vec<Notice>> {
    let sample = objective.sample();
    let mut notices: Vec<Notice> =
        (0..M::PARAMETERS.len()).filter(|i| !optimum.free.contains(i)).map(|i| at_bound(model, optimum, i)).collect();
    notices.extend(ridge(objective, optimum, watch)?);
    let repeat_buyers = sample.repeat_buyers();
    if repeat_buyers < FEW_REPEAT_BUYERS {
        notices.push(Notice::new(
            NoticeKind::FewRepeatBuyers,
            format!(
                "the {} fit rests on {repeat_buyers} customer{} who came back; take its numbers as a rough guess",
                M::NAME,
                if repeat_buyers == 1.0 { "" } else { "s" }
            ),
        ));
    }
    notices.extend(outlier(objective, optimum, watch)?);
    notices.extend(model.cautions(sample));
    Ok(notices)
}

fn at_bound<M: Estimable>(model: &M, optimum: &Optimum, i: usize) -> Notice {
    let parameter = &M::PARAMETERS[i];
    let lower = optimum.evaluation.gradient[i] < 0.0;
    let meaning = model.at_bound(i, lower).unwrap_or(if lower { parameter.at_lower } else { parameter.at_upper });
    let value = optimum.point[i].exp();
    Notice::new(
        NoticeKind::AtBoundary,
        format!("{} = {} is the end of its range and the likelihood still rises: {meaning}", parameter.name, brief(value)),
    )
}

/// A direction in which the likelihood hardly changes, with what it still says about the parameter that is least known.
fn ridge<M: Estimable>(objective: &LogPosterior<'_, M>, optimum: &Optimum, watch: Option<&Watch<'_>>) -> Result<Option<Notice>> {
    let free = &optimum.free;
    let errors = optimum.covariance_of_logs().map(|covariance| covariance.diag().mapv(f64::sqrt));
    let widest = match &errors {
        Some(errors) => (0..free.len()).max_by(|&i, &j| errors[i].total_cmp(&errors[j])).filter(|&i| errors[i] > RIDGE_STANDARD_ERROR),
        // Flat to double precision: any parameter will do to show it.
        None => (0..free.len()).next_back(),
    };
    let Some(widest) = widest else { return Ok(None) };
    let parameter = free[widest];
    let (name, level) = (M::PARAMETERS[parameter].name, Level::default());
    let range = match profile::interval(objective, optimum, parameter, level, watch) {
        Ok((lower, upper)) => {
            let end = |end: Option<f64>, open: &str| end.map_or(open.to_owned(), brief);
            format!(" (at {:.0} % {name} may lie anywhere from {} to {})", 100.0 * level.share(), end(lower, "0"), end(upper, "infinity"))
        }
        Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
        // A profile of so flat a likelihood may fail to converge; that it is flat stands.
        Err(_) => String::new(),
    };
    Ok(Some(Notice::new(
        NoticeKind::FlatRidge,
        format!(
            "the likelihood is nearly flat in some direction: different parameters describe these data equally well{range}, so read the forecasts, \
             not single parameters; more customers or a longer observation would settle it, or a weak prior"
        ),
    )))
}

/// A customer who stands out and without whom a parameter would be another one. First to first order, then by fitting again.
fn outlier<M: Estimable>(objective: &LogPosterior<'_, M>, optimum: &Optimum, watch: Option<&Watch<'_>>) -> Result<Option<Notice>> {
    let (sample, free) = (objective.sample(), &optimum.free);
    let Some(covariance) = optimum.covariance_of_logs() else { return Ok(None) };
    let suspicion = |row: usize| {
        let Ok(alone) = sample.customer(row) else { return 0.0 };
        // The prior belongs to the base, not to the customer.
        let at = (&LogPosterior::<M>::new(&alone, None)).evaluate(&optimum.point);
        let shift = |i: usize| (0..free.len()).map(|j| covariance[[i, j]] * at.gradient[free[j]]).sum::<f64>().abs();
        (0..free.len()).map(|i| shift(i) / covariance[[i, i]].sqrt()).fold(0.0, f64::max)
    };
    let suspects = sample.extremes().into_iter().map(|row| (row, suspicion(row))).filter(|(_, suspicion)| *suspicion > SUSPECT);
    let Some((row, _)) = suspects.max_by(|(_, one), (_, other)| one.total_cmp(other)) else { return Ok(None) };
    let mut rest = sample.weights();
    rest[row] -= rest[row].min(1.0);
    let Ok(rest) = sample.with_weights(&rest) else { return Ok(None) };
    let without = match maximise(&objective.of_other(&rest), optimum.point.clone(), None, watch) {
        Ok(without) => without,
        Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
        Err(_) => return Ok(None),
    };
    let Some(errors) = without.covariance_of_logs() else { return Ok(None) };
    let moved = without.free.iter().enumerate().map(|(k, &i)| (i, (optimum.point[i] - without.point[i]).abs() / errors[[k, k]].sqrt()));
    let Some((i, moved)) = moved.max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, moved)| *moved > OUTLYING) else {
        return Ok(None);
    };
    Ok(Some(Notice::new(
        NoticeKind::OutlyingCustomer,
        format!(
            "one customer ({}) moves {} from {} to {}, {moved:.1} standard errors; if this is a bot, a reseller or a test account, leave it out",
            sample.describe(row),
            M::PARAMETERS[i].name,
            brief(without.point[i].exp()),
            brief(optimum.point[i].exp()),
        ),
    )))
}

/// A parameter in so few digits as its size allows.
fn brief(value: f64) -> String {
    significant(value, 4)
}
