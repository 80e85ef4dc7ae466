//! Totals with intervals: first by the models alone, then with the shock that all customers share.
//!
//! # Why two
//! Given its parameters a model takes customers to be independent, so that their errors cancel in a total and its interval is narrow. Seasons, campaigns and
//! a forecast that is off by so many per cent do not cancel. How large such a common shock is, rolling origins show.
//!
//! # Formulas
//! With the totals A and P of origin j, actual and predicted, and the variance V of the model:
//! ```text
//! e = ln(A / P),  v = V / P^2           the log error, and the part of its variance that is chance
//! tau^2 = max(0, mean(e^2) - mean(v))   the common shock, by moments about 0, over the other origins
//! P exp(+- t sqrt(v + tau^2))           t: Student's quantile with as many degrees of freedom as there are other origins
//! ```
//! Each origin is held against the shock of the *others*: its own error does not widen its own interval. That is what the coverage after the shock means.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::metrics::{LEVELS, PerLevel};
use super::outcome::{Group, Role, Run};
use super::split::Split;
use super::sums::{ratio, sum};

/// Other origins of which a shock can be told.
const FEWEST_OTHERS: usize = 2;

/// What is totalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Total {
    /// Purchases.
    Purchases,
    /// Spend, the amounts told by the spend model.
    Revenue,
}

impl Total {
    /// The word for it: `purchases`, `revenue`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Total::Purchases => "purchases",
            Total::Revenue => "revenue",
        }
    }
}

/// The ends of an interval for each level.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct IntervalPerLevel {
    /// Meant to hold in 50 % of cases.
    #[cfg_attr(feature = "serde", serde(rename = "0.5"))]
    pub level_50: [f64; 2],
    /// 80 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.8"))]
    pub level_80: [f64; 2],
    /// 90 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.9"))]
    pub level_90: [f64; 2],
    /// 95 %.
    #[cfg_attr(feature = "serde", serde(rename = "0.95"))]
    pub level_95: [f64; 2],
}

impl IntervalPerLevel {
    fn of(interval: impl Fn(f64) -> [f64; 2]) -> Self {
        let [level_50, level_80, level_90, level_95] = LEVELS.map(interval);
        IntervalPerLevel { level_50, level_80, level_90, level_95 }
    }

    fn holds(&self, value: f64) -> [bool; LEVELS.len()] {
        [self.level_50, self.level_80, self.level_90, self.level_95].map(|[lower, upper]| (lower..=upper).contains(&value))
    }
}

/// The total of a model at a cut, for the customers known there, with its intervals.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TotalForecast {
    /// Where.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub split: Split,
    /// The model.
    pub model: &'static str,
    /// Of what.
    pub total: Total,
    /// What came.
    pub actual: f64,
    /// What was forecast.
    pub predicted: f64,
    /// By the model alone: its parameters taken as known, customers as independent.
    pub plug_in: IntervalPerLevel,
    /// With the common shock as the other origins show it; `None` with fewer than three origins.
    pub with_shock: Option<IntervalPerLevel>,
}

/// The shock that all customers share, by the errors of a model's totals at rolling origins.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Shock {
    /// The model.
    pub model: &'static str,
    /// Of what.
    pub total: Total,
    /// How many origins it was seen at.
    pub origins: u64,
    /// tau over all origins: about how far, as a fraction, a total is off beyond chance.
    pub size: f64,
    /// Share of the origins whose total lies within the interval by the model alone.
    pub coverage_plug_in: PerLevel,
    /// Share of the origins whose total lies within the interval with the shock of the others.
    pub coverage_with_shock: PerLevel,
    /// For the next horizon: the factors on the forecast total between which 90 % of totals are meant to lie, shock and its own uncertainty included.
    pub factors_90: [f64; 2],
}

/// One total, as far as it is told with a variance.
struct Told {
    split: Split,
    actual: f64,
    predicted: f64,
    variance: f64,
}

impl Told {
    fn relative_variance(&self) -> f64 {
        self.variance / self.predicted / self.predicted
    }

    fn plug_in(&self) -> IntervalPerLevel {
        let normal = Normal::standard();
        IntervalPerLevel::of(|level| {
            let half = normal.inverse_cdf(0.5 + 0.5 * level) * self.variance.sqrt();
            [(self.predicted - half).max(0.0), self.predicted + half]
        })
    }
}

/// The totals of all models and, where origins roll, their shocks.
pub(super) fn totals(runs: &[Run], rolls: bool) -> (Vec<TotalForecast>, Vec<Shock>) {
    let of_models: Vec<&Run> = runs.iter().filter(|run| run.role == Role::Model && run.group == Group::KnownAtCut).collect();
    let mut models: Vec<&'static str> = Vec::new();
    for run in &of_models {
        if !models.contains(&run.model) {
            models.push(run.model);
        }
    }
    let (mut totals, mut shocks) = (Vec::new(), Vec::new());
    for model in models {
        for total in [Total::Purchases, Total::Revenue] {
            let told: Vec<Told> = of_models.iter().filter(|run| run.model == model).filter_map(|run| told(run, total)).collect();
            let rows: Vec<TotalForecast> = (0..told.len()).map(|own| row(model, total, &told, own, rolls)).collect();
            if rolls {
                shocks.extend(shock(model, total, &told, &rows));
            }
            totals.extend(rows);
        }
    }
    (totals, shocks)
}

fn told(run: &Run, total: Total) -> Option<Told> {
    let (actual, predicted, variance) = match total {
        Total::Purchases => (run.actual_purchases, run.predicted_purchases?, run.predicted_variance?),
        Total::Revenue => {
            let revenue = run.revenue.iter().find(|revenue| revenue.predicted_variance.is_some())?;
            (run.actual_spend, revenue.predicted, revenue.predicted_variance?)
        }
    };
    (predicted > 0.0).then_some(Told { split: run.split, actual, predicted, variance })
}

fn row(model: &'static str, total: Total, told: &[Told], own: usize, rolls: bool) -> TotalForecast {
    let others: Vec<&Told> = told.iter().enumerate().filter(|&(other, _)| other != own).map(|(_, told)| told).collect();
    let own = &told[own];
    let shock = if rolls { squared_shock(&others) } else { None };
    let with_shock = shock.map(|shock| {
        let log_sd = (own.relative_variance() + shock).sqrt();
        IntervalPerLevel::of(|level| factors(level, log_sd, others.len()).map(|factor| factor * own.predicted))
    });
    TotalForecast { split: own.split, model, total, actual: own.actual, predicted: own.predicted, plug_in: own.plug_in(), with_shock }
}

/// tau^2; `None` with too few origins, or one in which nothing came.
fn squared_shock(origins: &[&Told]) -> Option<f64> {
    if origins.len() < FEWEST_OTHERS || origins.iter().any(|told| told.actual <= 0.0) {
        return None;
    }
    let beyond_chance = |told: &&Told| (told.actual / told.predicted).ln().powi(2) - told.relative_variance();
    let excess: Vec<f64> = origins.iter().map(beyond_chance).collect();
    ratio(sum(&excess).max(0.0), excess.len() as f64)
}

/// The factors on a total between which this share of outcomes is meant to lie.
fn factors(level: f64, log_sd: f64, origins: usize) -> [f64; 2] {
    let student = StudentsT::new(0.0, 1.0, origins as f64).expect("the degrees of freedom are positive");
    let reach = student.inverse_cdf(0.5 + 0.5 * level) * log_sd;
    [(-reach).exp(), reach.exp()]
}

fn shock(model: &'static str, total: Total, told: &[Told], rows: &[TotalForecast]) -> Option<Shock> {
    let all: Vec<&Told> = told.iter().collect();
    let squared = squared_shock(&all)?;
    let chance: Vec<f64> = told.iter().map(Told::relative_variance).collect();
    let mean_chance = ratio(sum(&chance), chance.len() as f64)?;
    let share = |interval: &dyn Fn(&TotalForecast) -> Option<IntervalPerLevel>| {
        let held: Option<Vec<[bool; LEVELS.len()]>> = rows.iter().map(|row| Some(interval(row)?.holds(row.actual))).collect();
        let of_level = |level: usize| {
            let held = held.as_ref()?;
            ratio(held.iter().filter(|held| held[level]).count() as f64, held.len() as f64)
        };
        PerLevel::new(&[0, 1, 2, 3].map(of_level))
    };
    const NINETY: f64 = 0.9;
    Some(Shock {
        model,
        total,
        origins: told.len() as u64,
        size: squared.sqrt(),
        coverage_plug_in: share(&|row| Some(row.plug_in)),
        coverage_with_shock: share(&|row| row.with_shock),
        factors_90: factors(NINETY, (mean_chance + squared).sqrt(), told.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn told(origins: &[(f64, f64, f64)]) -> Vec<Told> {
        let day = |text: &str| text.parse().unwrap();
        let split = Split::new(day("2026-01-31"), day("2026-02-28"), day("2026-01-01"), day("2026-02-28")).unwrap();
        origins.iter().map(|&(actual, predicted, variance)| Told { split, actual, predicted, variance }).collect()
    }

    #[test]
    fn three_origins_by_hand() {
        // Off by a factor of e^0.3, e^-0.2 and 1; chance alone 0.01 in the log variance.
        let origins = told(&[(100.0 * 0.3_f64.exp(), 100.0, 100.0), (100.0 * (-0.2_f64).exp(), 100.0, 100.0), (100.0, 100.0, 100.0)]);
        let rows: Vec<TotalForecast> = (0..3).map(|own| row("nbd", Total::Purchases, &origins, own, true)).collect();
        // 1.96 standard deviations of 10.
        assert_relative_eq!(rows[0].plug_in.level_95[1], 119.599_639_845_400_54, max_relative = 1e-9);
        // Of the others, (0.04 + 0) / 2 - 0.01 = 0.01 for the first; with its own 0.01: sqrt(0.02), and t with 2 degrees at 0.9 is 1.8856.
        let reach = 1.885_618_083_164_126_7 * 0.02_f64.sqrt();
        assert_relative_eq!(rows[0].with_shock.unwrap().level_80[1], 100.0 * reach.exp(), max_relative = 1e-9);
        let shock = shock("nbd", Total::Purchases, &origins, &rows).unwrap();
        // (0.09 + 0.04 + 0) / 3 - 0.01.
        assert_relative_eq!(shock.size, (0.1_f64 / 3.0).sqrt(), max_relative = 1e-12);
        // 135 and 82 lie outside 80.4 to 119.6 and within it; with the shock of the others all but the first lie within at 80 %.
        assert_eq!(shock.coverage_plug_in.level_95, Some(2.0 / 3.0));
        assert_eq!(shock.coverage_with_shock.level_95, Some(1.0));
        assert_eq!(shock.coverage_with_shock.level_80, Some(2.0 / 3.0));
    }

    #[test]
    fn no_more_than_chance_is_no_shock() {
        let origins = told(&[(105.0, 100.0, 100.0), (97.0, 100.0, 100.0), (100.0, 100.0, 100.0)]);
        assert_eq!(squared_shock(&origins.iter().collect::<Vec<_>>()), Some(0.0));
        assert_eq!(squared_shock(&[&origins[0]]), None);
        let nothing_came = told(&[(0.0, 100.0, 100.0), (97.0, 100.0, 100.0)]);
        assert_eq!(squared_shock(&nothing_came.iter().collect::<Vec<_>>()), None);
    }
}
