//! Whether to believe a model: what speaks against it, beyond chance and beyond what matters.

use std::fmt;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::calibration::Pit;
use super::classes::Together;
use super::compare::Difference;
use super::outcome::{Role, Run};
use super::sums::{ratio, sum};
use crate::fit::Level;

/// What is off by more than chance is off by more than it is once in a hundred times, of one figure and of several together.
const CONFIDENCE: f64 = 0.99;

/// The same in standard deviations of one figure.
pub(super) const CHANCE: f64 = 2.576;

/// Totals off by less than this are no finding, however sure.
const SMALL_BIAS: f64 = 0.05;

/// Spend off by less than this is none: its amounts vary more, and the parameters of two models are estimates.
const SMALL_BIAS_OF_SPEND: f64 = 0.1;

/// A rule whose total is off by less than this has its small absolute errors from forecasting too little.
const TOO_LITTLE: f64 = -0.2;

/// Nor is what lies within this many standard deviations, of the figures of which there are many, and of spend: the parameters are estimates, too.
const DEVIATIONS: f64 = 3.0;

/// Nor is a transform this near to uniform.
const SMALL_DISTANCE: f64 = 0.02;

/// Nor a slope this near to 1.
const SMALL_SLOPE: f64 = 0.1;

/// Nor 90 % intervals that miss their share by less than this.
const SMALL_MISS: f64 = 0.02;

/// Samples of fewer customers than this say nothing of chance: those of one customer are all alike.
const FEWEST_SAMPLED: u64 = 10;

/// What can be looked at, in words and in the order in which they are told.
const FIGURES: [&str; 8] = [
    "totals",
    "spend",
    "probabilities",
    "intervals",
    "differences between customers",
    "classes by frequency",
    "rules of thumb",
    TOTALS_OF_RULES,
];

/// All that is looked at of the rules where there are no samples of the customers.
const TOTALS_OF_RULES: &str = "totals of rules of thumb";

/// What speaks against a model. Each is found at more than half of the cuts, or at the only one; the totals also at all cuts together, which shows a
/// [shock](super::Shock) that all customers share.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "finding", rename_all = "snake_case"))]
pub enum Finding {
    /// The totals are off by more than 5 %, and by more than chance does once in a hundred times.
    TotalsOff {
        /// The smallest bias over the cuts.
        lowest: f64,
        /// The largest.
        highest: f64,
    },
    /// The totals of spend are off by more than 10 %, and by more than chance does.
    SpendOff {
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
    /// Customers of some calibration frequencies bought more or less than forecast, all forecasts scaled alike so that a total that is off is not told twice: off by
    /// more than 5 % of the purchases, and all classes together by more than chance does once in a hundred times.
    FrequenciesOff {
        /// The mean over the cuts of the absolute errors of the classes, as a share of what came.
        error: f64,
    },
    /// A rule of thumb has the better figure, beyond chance.
    BeatenBy {
        /// The rule.
        baseline: &'static str,
        /// The figure, by its [name](super::Metrics::NAMES): `rmse`, `mae`, `brier`, `log_score`, `top_decile_capture`, or `bias` for the total.
        metric: &'static str,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::SpendOff { lowest, highest } => {
                write!(f, "its forecast of spend is off by {}, more than chance does", range(*lowest, *highest))
            }
            Finding::TotalsOff { lowest, highest } => {
                let totals = if lowest == highest { "its total is" } else { "its totals are" };
                write!(f, "{totals} off by {}, more than chance does", range(*lowest, *highest))
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
            Finding::FrequenciesOff { error } => {
                write!(
                    f,
                    "whatever its total, its forecasts by frequency so far are off, up or down, by {:.0} % of the purchases, more than chance does",
                    100.0 * error
                )
            }
            Finding::BeatenBy { baseline, metric } => match *metric {
                "mae" => write!(f, "the rule {baseline} has smaller absolute errors"),
                "brier" => write!(f, "the rule {baseline} tells better who buys at all"),
                "log_score" => write!(f, "the rule {baseline} gave what came a higher probability"),
                "top_decile_capture" => write!(f, "the rule {baseline} finds more of those who buy most"),
                "bias" => write!(f, "the rule {baseline} came closer in total, by more than chance"),
                _ => write!(f, "the rule {baseline} has smaller squared errors"),
            },
        }
    }
}

/// +57.0 %, or -2.1 % to +28.4 %
fn range(lowest: f64, highest: f64) -> String {
    if lowest == highest { signed(lowest) } else { format!("{} to {}", signed(lowest), signed(highest)) }
}

/// -11.5 %
pub(crate) fn signed(fraction: f64) -> String {
    let percent = format!("{:+.1}", 100.0 * fraction);
    format!("{} %", if percent == "-0.0" { "+0.0" } else { &percent })
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
    /// The smallest and the largest bias of its totals, where one of them is more than 5 %, and yet no more than chance does.
    pub off_within_chance: Option<[f64; 2]>,
    /// What was looked at, in words: what could have spoken against the model at more than half of the cuts.
    pub looked_at: Vec<&'static str>,
}

#[cfg(any(test, feature = "cli"))]
impl Verdict {
    /// The findings of both, those of the first where both have one of a kind.
    pub(crate) fn and(&self, other: &Verdict) -> Verdict {
        let is_new = |finding: &&Finding| self.findings.iter().all(|own| !own.is_like(finding));
        let findings = self.findings.iter().chain(other.findings.iter().filter(is_new)).copied().collect();
        let looked_at = in_order(|figure| self.looked_at.contains(&figure) || other.looked_at.contains(&figure));
        Verdict { model: self.model, findings, off_within_chance: self.off_within_chance.or(other.off_within_chance), looked_at }
    }
}

#[cfg(any(test, feature = "cli"))]
impl Finding {
    fn is_like(&self, other: &Finding) -> bool {
        match (self, other) {
            (Finding::BeatenBy { metric: own, .. }, Finding::BeatenBy { metric, .. }) => own == metric,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            if self.looked_at.is_empty() {
                return write!(f, "There was nothing to look at that could speak against {}.", self.model);
            }
            write!(f, "Nothing that was looked at speaks against {} beyond chance ({})", self.model, self.looked_at.join(", "))?;
            return match self.off_within_chance {
                Some([lowest, highest]) => {
                    write!(
                        f,
                        "; that it was off by {} may be chance with so few purchases, and proves nothing either way.",
                        range(lowest, highest)
                    )
                }
                None => write!(f, "."),
            };
        }
        let findings: Vec<String> = self.findings.iter().map(Finding::to_string).collect();
        write!(f, "Against {} speaks: {}.", self.model, findings.join("; "))
    }
}

/// Those of the figures that were looked at; the totals of the rules are no more than all of the rules.
fn in_order(was_looked_at: impl Fn(&'static str) -> bool) -> Vec<&'static str> {
    let mut figures: Vec<&'static str> = FIGURES.into_iter().filter(|&figure| was_looked_at(figure)).collect();
    if figures.contains(&"rules of thumb") {
        figures.retain(|&figure| figure != TOTALS_OF_RULES);
    }
    figures
}

/// What could have been found against a model, at most cuts.
fn looked_at(model: &'static str, runs: &[&Run], all: &[Run], differences: &[Difference]) -> Vec<&'static str> {
    let is_compared = |run: &Run, row: &Difference| row.split == run.split && row.model == model && run.skill.contains_key(row.against);
    let told = |run: &Run, figure: &str| match figure {
        "totals" => Off::of_purchases(run).is_some_and(|off| off.can_be_judged()),
        "spend" => Off::of_spend(run).is_some_and(|off| off.can_be_judged()),
        "probabilities" => run.pit.is_some(),
        "intervals" => run.metrics.coverage.level_90.is_some(),
        "differences between customers" => run.metrics.calibration_slope.is_some() && run.intervals.contains_key("calibration_slope"),
        "classes by frequency" => Together::of(&run.tables.by_frequency).is_some(),
        TOTALS_OF_RULES => run.predicted_variance.is_some() && rules(run, all).any(|rule| rule.predicted_purchases.is_some()),
        _ => run.customers >= FEWEST_SAMPLED && differences.iter().any(|row| is_compared(run, row)),
    };
    in_order(|figure| mostly(runs, |run| told(run, figure)))
}

/// The verdict on a model, from its runs for one group of customers, one per cut, among all runs.
fn verdict(model: &'static str, runs: &[&Run], all: &[Run], differences: &[Difference], level: Level) -> Verdict {
    let stretch = CHANCE / level.normal_quantile();
    let purchases: Vec<Off> = runs.iter().filter_map(|run| Off::of_purchases(run)).collect();
    let spend: Vec<Off> = runs.iter().filter_map(|run| Off::of_spend(run)).collect();
    let totals_off = beyond_chance(&purchases, runs, SMALL_BIAS, CHANCE, stretch);
    let off_within_chance =
        if totals_off.is_none() { ends(&purchases).filter(|ends| ends.iter().any(|bias| bias.abs() > SMALL_BIAS)) } else { None };
    // Amounts have heavy tails; their variance by the model is that of known parameters.
    let spend_off = beyond_chance(&spend, runs, SMALL_BIAS_OF_SPEND, DEVIATIONS * std::f64::consts::SQRT_2, stretch);
    let findings = [
        totals_off.map(|[lowest, highest]| Finding::TotalsOff { lowest, highest }),
        spend_off.map(|[lowest, highest]| Finding::SpendOff { lowest, highest }),
        probabilities_off(runs),
        intervals_too_narrow(runs),
        differences_off(runs, level),
        frequencies_off(runs),
        closer_in_total(runs, all),
    ];
    let beaten = ["rmse", "mae", "brier", "log_score", "top_decile_capture"];
    let beaten = beaten.into_iter().filter_map(|metric| beaten_by(model, metric, runs, all, differences, level));
    let looked_at = looked_at(model, runs, all, differences);
    Verdict { model, findings: findings.into_iter().flatten().chain(beaten).collect(), off_within_chance, looked_at }
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
    of_models.into_iter().map(|(model, group)| verdict(model, &group, runs, differences, level)).collect()
}

fn mostly(runs: &[&Run], found: impl Fn(&Run) -> bool) -> bool {
    2 * runs.iter().filter(|run| found(run)).count() > runs.len()
}

fn mean(runs: &[&Run], of: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = runs.iter().filter_map(|run| of(run)).collect();
    ratio(sum(&values), values.len() as f64)
}

/// A total against its forecast.
struct Off {
    bias: f64,
    /// In standard deviations of chance by the model.
    deviations: Option<f64>,
    /// The interval of the bias, from samples of the customers.
    interval: Option<[f64; 2]>,
}

impl Off {
    fn of_purchases(run: &Run) -> Option<Self> {
        let deviations = run
            .predicted_purchases
            .zip(run.predicted_variance)
            .and_then(|(predicted, variance)| ratio(predicted - run.actual_purchases, variance.sqrt()));
        Some(Off {
            bias: run.metrics.bias?,
            deviations,
            interval: run.intervals.get("bias").copied().filter(|_| run.customers >= FEWEST_SAMPLED),
        })
    }

    fn of_spend(run: &Run) -> Option<Self> {
        let revenue = run.revenue.first()?;
        let deviations = revenue.predicted_variance.and_then(|variance| ratio(revenue.predicted - run.actual_spend, variance.sqrt()));
        Some(Off {
            bias: revenue.metrics.bias?,
            deviations,
            interval: revenue.intervals.get("bias").copied().filter(|_| run.customers >= FEWEST_SAMPLED),
        })
    }

    /// Whether chance is known.
    fn can_be_judged(&self) -> bool {
        self.deviations.is_some() || self.interval.is_some()
    }

    fn is_beyond(&self, small: f64, deviations: f64, stretch: f64) -> bool {
        let by_samples = self
            .interval
            .is_some_and(|[lower, upper]| self.bias > stretch * (self.bias - lower) || -self.bias > stretch * (upper - self.bias));
        self.bias.abs() > small && (self.deviations.is_some_and(|off| off.abs() > deviations) || by_samples)
    }
}

/// The smallest and the largest bias.
fn ends(totals: &[Off]) -> Option<[f64; 2]> {
    let biases = || totals.iter().map(|total| total.bias);
    Some([biases().reduce(f64::min)?, biases().reduce(f64::max)?])
}

/// The ends of the biases, where most totals are off, or all together: the squares of their deviations have a chi-squared distribution by chance alone, where
/// no holdout shares days with another.
fn beyond_chance(totals: &[Off], runs: &[&Run], small: f64, deviations: f64, stretch: f64) -> Option<[f64; 2]> {
    let ends = ends(totals)?;
    let is_off = 2 * totals.iter().filter(|total| total.is_beyond(small, deviations, stretch)).count() > runs.len();
    let are_apart = runs.windows(2).all(|pair| pair[0].split.holdout_end() <= pair[1].split.cut());
    // In units of what one total may be off.
    let squares: Option<Vec<f64>> = totals.iter().map(|total| total.deviations.map(|off| (off * CHANCE / deviations).powi(2))).collect();
    let together = squares
        .filter(|squares| squares.len() > 1 && are_apart && ends.iter().any(|bias| bias.abs() > small))
        .is_some_and(|squares| ChiSquared::new(squares.len() as f64).is_ok_and(|by_chance| by_chance.cdf(sum(&squares)) > CONFIDENCE));
    (is_off || together).then_some(ends)
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

fn frequencies_off(runs: &[&Run]) -> Option<Finding> {
    let together = |run: &Run| Together::of(&run.tables.by_frequency);
    let error = mean(runs, |run| together(run).map(|classes| classes.error))?;
    let off = |classes: Together| classes.confidence > CONFIDENCE && classes.error > SMALL_BIAS;
    mostly(runs, |run| together(run).is_some_and(off)).then_some(Finding::FrequenciesOff { error })
}

/// The runs of the rules beside a run of a model.
fn rules<'a>(run: &'a Run, all: &'a [Run]) -> impl Iterator<Item = &'a Run> {
    all.iter().filter(move |rule| rule.role == Role::Baseline && rule.split == run.split && rule.group == run.group)
}

/// The rule that is better by a figure beyond chance, at most cuts. The squared errors are the figure that decides; of the others there are many, and absolute
/// errors are no merit of a rule that forecasts too little.
fn beaten_by(
    model: &'static str,
    metric: &'static str,
    runs: &[&Run],
    all: &[Run],
    differences: &[Difference],
    level: Level,
) -> Option<Finding> {
    let stretch = if metric == "rmse" { 1.0 } else { DEVIATIONS / level.normal_quantile() };
    let is_worse = |row: &Difference| {
        let [lower, upper] = row.interval;
        if metric == "top_decile_capture" {
            -row.difference > stretch * (upper - row.difference)
        } else {
            row.difference > stretch * (row.difference - lower)
        }
    };
    let too_low = |run: &Run, rule: &str| {
        metric == "mae" && rules(run, all).any(|other| other.model == rule && other.metrics.bias.is_none_or(|bias| bias < TOO_LITTLE))
    };
    let worse = |baseline: &str| {
        let worse_at = |run: &Run| {
            let mut own = differences.iter().filter(|row| row.split == run.split && row.model == model && row.metric == metric);
            run.customers >= FEWEST_SAMPLED && own.any(|row| row.against == baseline && is_worse(row)) && !too_low(run, baseline)
        };
        mostly(runs, worse_at)
    };
    let skill = |baseline: &&&'static str| mean(runs, |run| run.skill.get(**baseline).and_then(|skill| skill.rmse)).unwrap_or(0.0);
    let baselines = runs.first()?.skill.keys().filter(|baseline| worse(baseline));
    let strongest = baselines.min_by(|one, other| skill(one).total_cmp(&skill(other)))?;
    Some(Finding::BeatenBy { baseline: strongest, metric })
}

/// The rule whose total was closer at most cuts, by more than chance: were the middle of both forecasts to be expected, what came would lie further from it than
/// chance does, on the side of the rule.
fn closer_in_total(runs: &[&Run], all: &[Run]) -> Option<Finding> {
    let closer = |run: &Run, rule: &Run| {
        let (Some(own), Some(other), Some(variance)) = (run.predicted_purchases, rule.predicted_purchases, run.predicted_variance) else {
            return false;
        };
        let from_middle = run.actual_purchases - 0.5 * (own + other);
        from_middle * (other - own) > 0.0
            && from_middle.abs() > DEVIATIONS * variance.sqrt()
            && run.metrics.bias.is_some_and(|bias| bias.abs() > SMALL_BIAS)
    };
    let names = rules(runs.first()?, all).map(|rule| rule.model);
    let often = names.filter(|&name| mostly(runs, |run| rules(run, all).any(|rule| rule.model == name && closer(run, rule))));
    let size =
        |name: &str| mean(runs, |run| rules(run, all).find(|rule| rule.model == name)?.metrics.bias.map(f64::abs)).unwrap_or(f64::INFINITY);
    let baseline = often.min_by(|one, other| size(one).total_cmp(&size(other)))?;
    Some(Finding::BeatenBy { baseline, metric: "bias" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_plain_sentences() {
        let findings = vec![
            Finding::TotalsOff { lowest: 0.31, highest: 0.31 },
            Finding::DifferencesOff { slope: 0.7 },
            Finding::BeatenBy { baseline: "hiatus", metric: "rmse" },
        ];
        let against = Verdict { model: "nbd", findings, off_within_chance: None, looked_at: vec!["totals", "spend", "rules of thumb"] };
        let text = against.to_string();
        assert_eq!(
            text,
            "Against nbd speaks: its total is off by +31.0 %, more than chance does; it exaggerates differences between customers (a purchase more \
             expected brings 0.70); the rule hiatus has smaller squared errors."
        );
        let looked_at = vec!["totals", "classes by frequency", TOTALS_OF_RULES];
        let nothing = Verdict { model: "bg-nbd", findings: Vec::new(), off_within_chance: None, looked_at };
        assert_eq!(
            nothing.to_string(),
            "Nothing that was looked at speaks against bg-nbd beyond chance (totals, classes by frequency, totals of rules of thumb)."
        );
        assert_eq!(nothing.and(&against).looked_at, ["totals", "spend", "classes by frequency", "rules of thumb"]);
        let open = Verdict { off_within_chance: Some([0.3, 0.3]), ..nothing.clone() };
        assert!(
            open.to_string().ends_with(
                "rules of thumb); that it was off by +30.0 % may be chance with so few purchases, and proves nothing either way."
            )
        );
        // One of a kind is enough.
        let more = Verdict { findings: vec![Finding::TotalsOff { lowest: -0.1, highest: 0.2 }], ..nothing };
        assert_eq!(more.and(&against).findings.len(), 3);
        assert_eq!(more.and(&against).findings[0], more.findings[0]);
    }

    #[test]
    fn what_was_not_there_was_not_looked_at() {
        let day = |text: &str| text.parse().unwrap();
        let split = super::super::split::Split::new(day("2026-02-01"), day("2026-03-01"), day("2026-01-01"), day("2026-12-31")).unwrap();
        let nothing = Run::nothing_at(split);
        let of = |run: &Run| looked_at("nbd", &[run], std::slice::from_ref(run), &[]);
        assert_eq!(of(&nothing), [] as [&str; 0]);
        let mut some = nothing.clone();
        (some.metrics.bias, some.predicted_purchases, some.predicted_variance) = (Some(0.1), Some(11.0), Some(11.0));
        (some.actual_purchases, some.metrics.calibration_slope, some.metrics.coverage.level_90) = (10.0, Some(0.9), Some(0.9));
        // Without samples of the customers no slope is off beyond chance.
        assert_eq!(of(&some), ["totals", "intervals"]);
        some.intervals.insert("calibration_slope", [0.8, 1.0]);
        assert_eq!(of(&some), ["totals", "intervals", "differences between customers"]);
        // At one of two cuts is not at most cuts.
        assert_eq!(looked_at("nbd", &[&some, &nothing], &[], &[]), [] as [&str; 0]);
        let unknown = Verdict { model: "nbd", findings: Vec::new(), off_within_chance: None, looked_at: Vec::new() };
        assert_eq!(unknown.to_string(), "There was nothing to look at that could speak against nbd.");
    }

    #[test]
    fn totals_are_judged_one_by_one_and_together() {
        let day = |text: &str| text.parse().unwrap();
        let split =
            |cut: &str, end: &str| super::super::split::Split::new(day(cut), day(end), day("2026-01-01"), day("2026-12-31")).unwrap();
        let off = |bias: f64, deviations: f64| Off { bias, deviations: Some(deviations), interval: None };
        let splits = [split("2026-02-01", "2026-03-01"), split("2026-03-01", "2026-04-01")];
        let runs: Vec<Run> = splits.into_iter().map(Run::nothing_at).collect();
        let runs: Vec<&Run> = runs.iter().collect();
        let judged = |totals: &[Off], runs: &[&Run]| beyond_chance(totals, runs, SMALL_BIAS, CHANCE, 1.5);
        // Alone each may be chance; together 2.4^2 + 2.4^2 = 11.52 is beyond 9.21, which chance exceeds once in a hundred times.
        assert_eq!(judged(&[off(0.2, 2.4)], &runs[..1]), None);
        assert_eq!(judged(&[off(0.2, 2.4), off(0.1, 2.4)], &runs), Some([0.1, 0.2]));
        assert_eq!(judged(&[off(0.2, 2.4), off(0.1, 1.8)], &runs), None);
        // Holdouts that share days are not independent.
        assert_eq!(judged(&[off(0.2, 2.4), off(0.1, 2.4)], &[runs[0], runs[0]]), None);
        assert_eq!(judged(&[off(0.2, 2.6)], &runs[..1]), Some([0.2, 0.2]));
        // 0.5 and its interval stretched by half again: from 0.5 - 1.5 x 0.3 on.
        let by_samples = |lower| Off { bias: 0.5, deviations: Some(2.0), interval: Some([lower, 1.0]) };
        assert_eq!((judged(&[by_samples(0.2)], &runs[..1]), judged(&[by_samples(0.1)], &runs[..1])), (Some([0.5, 0.5]), None));
        // However sure, 4 % is no finding.
        assert_eq!(judged(&[off(0.04, 9.0)], &runs[..1]), None);
    }
}
