//! Whether to believe a model: what speaks against it, beyond chance and beyond what matters.

use std::fmt;

use super::calibration::Pit;
use super::compare::Difference;
use super::outcome::{Role, Run};
use super::sums::{ratio, sum};
use crate::fit::Level;

/// Totals off by less than this are no finding, however sure.
const SMALL_BIAS: f64 = 0.05;

/// Nor is what lies within this many standard deviations: there are many figures, and the parameters are estimates, too.
const DEVIATIONS: f64 = 3.0;

/// Nor is a transform this near to uniform.
const SMALL_DISTANCE: f64 = 0.02;

/// Nor a slope this near to 1.
const SMALL_SLOPE: f64 = 0.1;

/// Nor 90 % intervals that miss their share by less than this.
const SMALL_MISS: f64 = 0.02;

/// What speaks against a model. Each is found at more than half of the cuts, or at the only one.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "finding", rename_all = "snake_case"))]
pub enum Finding {
    /// The totals are off by more than 5 %, and by more than three standard deviations of what chance would do.
    TotalsOff {
        /// The smallest bias over the cuts.
        lowest: f64,
        /// The largest.
        highest: f64,
    },
    /// The distributions of counts are not those that came: their [`Pit`] is not uniform.
    ProbabilitiesOff {
        /// Its mean distance from uniformity.
        distance: f64,
    },
    /// Intervals hold for fewer customers than they should.
    IntervalsTooNarrow {
        /// The share that 90 % intervals held for.
        coverage_90: f64,
    },
    /// Differences between customers are exaggerated (below 1) or understated (above 1).
    DifferencesOff {
        /// The mean calibration slope.
        slope: f64,
    },
    /// A rule of thumb has the smaller squared errors, beyond chance.
    BeatenBy {
        /// The rule.
        baseline: &'static str,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |fraction: &f64| format!("{:+.0} %", 100.0 * fraction);
        match self {
            Finding::TotalsOff { lowest, highest } if lowest == highest => {
                write!(f, "its total is off by {}, more than chance does", percent(lowest))
            }
            Finding::TotalsOff { lowest, highest } => {
                write!(f, "its totals are off by {} to {}, more than chance does", percent(lowest), percent(highest))
            }
            Finding::ProbabilitiesOff { distance } => {
                write!(f, "its probabilities of so many purchases are off by up to {:.0} points", 100.0 * distance)
            }
            Finding::IntervalsTooNarrow { coverage_90 } => {
                write!(f, "its 90 % intervals hold for {:.0} % of the customers only", 100.0 * coverage_90)
            }
            Finding::DifferencesOff { slope } if *slope < 1.0 => {
                write!(f, "it exaggerates differences between customers (a purchase more expected brings {slope:.2})")
            }
            Finding::DifferencesOff { slope } => {
                write!(f, "it understates differences between customers (a purchase more expected brings {slope:.2})")
            }
            Finding::BeatenBy { baseline } => write!(f, "the rule {baseline} has smaller squared errors"),
        }
    }
}

/// What is to be thought of a model.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Verdict {
    /// The model.
    pub model: &'static str,
    /// What speaks against it; nothing, when it is empty.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return write!(f, "Nothing that was looked at speaks against {}.", self.model);
        }
        let findings: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        write!(f, "Against {} speaks: {}.", self.model, findings.join("; "))
    }
}

/// The verdict on a model, from its runs for one group of customers, one per cut.
fn verdict(model: &'static str, runs: &[&Run], differences: &[Difference], level: Level) -> Verdict {
    let findings = [
        totals_off(runs),
        probabilities_off(runs),
        intervals_too_narrow(runs),
        differences_off(runs, level),
        beaten(model, runs, differences),
    ];
    Verdict { model, findings: findings.into_iter().flatten().collect() }
}

/// The verdicts on all models that were asked about; `level` is that of the intervals of their figures.
pub(super) fn verdicts(runs: &[Run], differences: &[Difference], level: Level) -> Vec<Verdict> {
    let Some(group) = runs.first().map(|run| run.group) else { return Vec::new() };
    let mut of_models: Vec<(&'static str, Vec<&Run>)> = Vec::new();
    for run in runs.iter().filter(|run| run.role == Role::Model && run.group == group) {
        match of_models.iter_mut().find(|(model, _)| *model == run.model) {
            Some((_, runs)) => runs.push(run),
            None => of_models.push((run.model, vec![run])),
        }
    }
    of_models.into_iter().map(|(model, runs)| verdict(model, &runs, differences, level)).collect()
}

fn mostly(runs: &[&Run], found: impl Fn(&Run) -> bool) -> bool {
    2 * runs.iter().filter(|run| found(run)).count() > runs.len()
}

fn mean(runs: &[&Run], of: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = runs.iter().filter_map(|run| of(run)).collect();
    ratio(sum(&values), values.len() as f64)
}

fn totals_off(runs: &[&Run]) -> Option<Finding> {
    let off = |run: &Run| {
        let (Some(bias), Some(predicted), Some(variance)) = (run.metrics.bias, run.predicted_purchases, run.predicted_variance) else {
            return false;
        };
        bias.abs() > SMALL_BIAS && (predicted - run.actual_purchases).abs() > DEVIATIONS * variance.sqrt()
    };
    let biases = || runs.iter().filter_map(|run| run.metrics.bias);
    mostly(runs, off)
        .then(|| Finding::TotalsOff { lowest: biases().fold(f64::INFINITY, f64::min), highest: biases().fold(f64::NEG_INFINITY, f64::max) })
}

fn probabilities_off(runs: &[&Run]) -> Option<Finding> {
    let off = |pit: &Pit| !pit.is_uniform() && pit.distance > SMALL_DISTANCE;
    let distance = mean(runs, |run| run.pit.as_ref().map(|pit| pit.distance))?;
    mostly(runs, |run| run.pit.as_ref().is_some_and(off)).then_some(Finding::ProbabilitiesOff { distance })
}

fn intervals_too_narrow(runs: &[&Run]) -> Option<Finding> {
    const MEANT: f64 = 0.9;
    let coverage_90 = mean(runs, |run| run.metrics.coverage.level_90)?;
    let too_few = |run: &Run| {
        let chance = DEVIATIONS * (MEANT * (1.0 - MEANT) / run.customers as f64).sqrt();
        run.metrics.coverage.level_90.is_some_and(|coverage| coverage < MEANT - SMALL_MISS.max(chance))
    };
    mostly(runs, too_few).then_some(Finding::IntervalsTooNarrow { coverage_90 })
}

fn differences_off(runs: &[&Run], level: Level) -> Option<Finding> {
    let slope = mean(runs, |run| run.metrics.calibration_slope)?;
    // The interval, stretched to three standard deviations: of four models at four cuts, one interval of 90 % misses as a rule.
    let stretch = DEVIATIONS / level.normal_quantile();
    let sure = |run: &Run| {
        let (Some(slope), Some([lower, upper])) = (run.metrics.calibration_slope, run.intervals.get("calibration_slope")) else {
            return false;
        };
        (slope - 1.0) > stretch * (slope - lower) || (1.0 - slope) > stretch * (upper - slope)
    };
    ((slope - 1.0).abs() > SMALL_SLOPE && mostly(runs, sure)).then_some(Finding::DifferencesOff { slope })
}

fn beaten(model: &'static str, runs: &[&Run], differences: &[Difference]) -> Option<Finding> {
    let worse = |baseline: &str| {
        let worse_at = |run: &Run| {
            let mut own = differences.iter().filter(|difference| difference.split == run.split && difference.model == model);
            own.any(|difference| difference.metric == "rmse" && difference.against == baseline && difference.interval[0] > 0.0)
        };
        mostly(runs, worse_at)
    };
    let skill = |baseline: &&&'static str| mean(runs, |run| run.skill.get(**baseline).and_then(|skill| skill.rmse)).unwrap_or(0.0);
    let baselines = runs.first()?.skill.keys().filter(|baseline| worse(baseline));
    let strongest = baselines.min_by(|one, other| skill(one).total_cmp(&skill(other)))?;
    Some(Finding::BeatenBy { baseline: strongest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_plain_sentences() {
        let findings = vec![
            Finding::TotalsOff { lowest: 0.31, highest: 0.31 },
            Finding::DifferencesOff { slope: 0.7 },
            Finding::BeatenBy { baseline: "hiatus" },
        ];
        let text = Verdict { model: "nbd", findings }.to_string();
        assert_eq!(
            text,
            "Against nbd speaks: its total is off by +31 %, more than chance does; it exaggerates differences between customers (a purchase more \
             expected brings 0.70); the rule hiatus has smaller squared errors."
        );
        let nothing = Verdict { model: "bg-nbd", findings: Vec::new() }.to_string();
        assert_eq!(nothing, "Nothing that was looked at speaks against bg-nbd.");
    }
}
