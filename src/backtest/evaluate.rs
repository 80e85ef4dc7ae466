//! Forecasts of one cut against what came: for every group of customers, with intervals from samples of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rand::RngExt;

use super::alike::Alike;
use super::calibration::{Pit, reliability};
use super::classes::{by_decile, by_frequency, by_recency};
use super::compare::{COMPARED, Difference, Skill};
use super::matched::{Actual, Matched};
use super::metrics::Metrics;
use super::outcome::{Group, RevenueRun, Role, Run, Tables};
use super::periods::{Quantity, Weeks};
use super::predicted::Predicted;
use super::split::Split;
use super::sums::sum;
use super::truth::{Bought, Truth};
use crate::data::Customers;
use crate::fit::{Level, Work};
use crate::models::{Estimable, Nbd};
use crate::parallel::map_indices;
use crate::simulate::random_stream;

/// What a model or baseline says at a cut.
#[derive(Debug, Clone)]
pub(super) struct Forecast {
    pub(super) model: &'static str,
    pub(super) role: Role,
    pub(super) parameters: BTreeMap<&'static str, f64>,
    pub(super) known: Predicted,
    pub(super) acquired: Option<Predicted>,
    /// Of the customers known at the cut: what is forecast by the end of each week, purchases and then revenues.
    pub(super) by_week: Vec<Vec<f64>>,
}

impl Forecast {
    /// Whether it is a baseline, which NBD stays when it is asked about.
    fn is_to_be_beaten(&self) -> bool {
        self.role == Role::Baseline || self.model == Nbd::NAME
    }
}

/// How samples of the customers are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    /// How many; none, and there are no intervals.
    pub(super) count: u32,
    pub(super) seed: u64,
    /// The first random stream of the cut.
    pub(super) first_stream: u64,
    pub(super) level: Level,
}

/// A cut, with what was known and what came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) scheme: &'static str,
    pub(super) split: Split,
    pub(super) customers: &'a Customers,
    /// From the first transaction to the cut, in the unit of the customers.
    pub(super) calibration: f64,
    pub(super) truth: &'a Truth,
    pub(super) weeks: &'a Weeks,
}

/// The runs of all forecasts and groups at a cut, and the differences between the forecasts.
pub(super) fn evaluate(case: &Case<'_>, forecasts: &[Forecast], samples: Samples, work: &Work<'_>) -> (Vec<Run>, Vec<Difference>) {
    let acquired: Vec<Bought> = case.truth.acquired.iter().map(|customer| customer.bought).collect();
    let of_newer: Vec<Option<&Predicted>> = forecasts.iter().map(|forecast| forecast.acquired.as_ref()).collect();
    // Of a cohort holdout only the newer customers are held out.
    if case.split.born_until().is_some() {
        let newer = GroupCase::new(Group::AcquiredInHoldout, &acquired, of_newer);
        let drawn = newer.drawn(samples, work, || work.done_one());
        return (newer.runs(case, forecasts, &drawn), newer.differences(case, forecasts, &drawn));
    }
    let of_known: Vec<Option<&Predicted>> = forecasts.iter().map(|forecast| Some(&forecast.known)).collect();
    let known = GroupCase::new(Group::KnownAtCut, &case.truth.known, of_known);
    let of_known = known.drawn(samples, work, || work.done_one());
    let newer = GroupCase::new(Group::AcquiredInHoldout, &acquired, of_newer);
    let came = [case.truth.known.as_slice(), &acquired].concat();
    let joined: Vec<Option<Predicted>> =
        forecasts.iter().map(|forecast| forecast.acquired.as_ref().map(|acquired| forecast.known.and(acquired))).collect();
    let all = GroupCase::new(Group::All, &came, joined.iter().map(Option::as_ref).collect());
    // Where nobody was acquired, all customers are those known at the cut.
    let (of_newer, of_all) = if acquired.is_empty() {
        (Drawn { level: samples.level, samples: Vec::new() }, of_known.clone())
    } else {
        (newer.drawn(samples, work, || ()), all.drawn(samples, work, || ()))
    };
    let runs = [known.runs(case, forecasts, &of_known), newer.runs(case, forecasts, &of_newer), all.runs(case, forecasts, &of_all)];
    // By forecast, then group.
    let [mut one, mut two, mut three] = runs.map(Vec::into_iter);
    let mut ordered = Vec::with_capacity(3 * forecasts.len());
    while let (Some(one), Some(two), Some(three)) = (one.next(), two.next(), three.next()) {
        ordered.extend([one, two, three]);
    }
    (ordered, known.differences(case, forecasts, &of_known))
}

/// A group of customers with all forecasts of it.
struct GroupCase<'a> {
    group: Group,
    purchases: Vec<f64>,
    spend: Vec<f64>,
    predicted: Vec<Option<&'a Predicted>>,
    /// Purchases, then revenues.
    compared: [Compared; 2],
}

/// What came and what was forecast, a row for all customers who are alike in both.
struct Compared {
    alike: Alike,
    actual: Actual,
    /// Of each forecast; none of one that there is not.
    matched: Vec<Vec<Matched>>,
}

impl Compared {
    fn purchases(actual: &[f64], predicted: &[Option<&Predicted>]) -> Self {
        let columns = predicted.iter().flatten().flat_map(|predicted| predicted.purchase_columns());
        Compared::of(actual, predicted, columns.collect(), |predicted, alike, actual| vec![predicted.against(actual, alike)])
    }

    fn revenues(actual: &[f64], predicted: &[Option<&Predicted>]) -> Self {
        let columns = predicted.iter().flatten().flat_map(|predicted| predicted.revenue.iter().map(|revenue| Cow::from(&revenue.amounts)));
        Compared::of(actual, predicted, columns.collect(), |predicted, alike, _| {
            predicted.revenue.iter().map(|revenue| Matched::of_numbers(&alike.values(&revenue.amounts))).collect()
        })
    }

    fn of<'a>(
        actual: &'a [f64],
        predicted: &[Option<&'a Predicted>],
        mut columns: Vec<Cow<'a, [f64]>>,
        matched: impl Fn(&Predicted, &Alike, &Actual) -> Vec<Matched> + Sync + Send,
    ) -> Self {
        columns.push(Cow::from(actual));
        let alike = Alike::in_all(actual.len(), &columns);
        let actual = Actual::new(alike.values(actual));
        let matched = map_indices(predicted.len(), |forecast| {
            predicted[forecast].map_or_else(Vec::new, |predicted| matched(predicted, &alike, &actual))
        });
        Compared { alike, actual, matched }
    }

    /// The figures of each forecast, of customers who may come repeatedly.
    fn figures(&self, customers: impl Iterator<Item = usize>) -> Vec<Figures> {
        let weights = self.alike.counts(customers);
        let sampled = self.actual.sampled(&weights);
        let figures = |matched: &Vec<Matched>| matched.iter().map(|matched| matched.metrics(&self.actual, &sampled)).collect();
        self.matched.iter().map(figures).collect()
    }
}

/// The figures of a forecast: of purchases, then of revenues.
type Figures = Vec<Metrics>;

/// The figures of each forecast in each of the samples.
#[derive(Debug, Clone, Default)]
struct Drawn {
    level: Level,
    samples: Vec<Vec<Figures>>,
}

impl Drawn {
    /// The interval of what `of` makes of the figures in a sample; `None` where it is undefined in some.
    fn interval(&self, of: impl Fn(&[Figures]) -> Option<f64>) -> Option<[f64; 2]> {
        let mut values: Vec<f64> = self.samples.iter().map(|figures| of(figures)).collect::<Option<_>>()?;
        if values.is_empty() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let (lower, upper) = self.level.central(&values);
        Some([lower, upper])
    }

    fn intervals(&self, forecast: usize, column: usize) -> BTreeMap<&'static str, [f64; 2]> {
        let interval = |metric: usize| self.interval(|figures| figures[forecast].get(column)?.values()[metric]);
        Metrics::NAMES.iter().enumerate().filter_map(|(metric, name)| Some((*name, interval(metric)?))).collect()
    }
}

impl<'a> GroupCase<'a> {
    fn new(group: Group, came: &[Bought], predicted: Vec<Option<&'a Predicted>>) -> Self {
        let purchases: Vec<f64> = came.iter().map(|customer| customer.purchases as f64).collect();
        let spend: Vec<f64> = came.iter().map(|customer| customer.spend).collect();
        let compared = [Compared::purchases(&purchases, &predicted), Compared::revenues(&spend, &predicted)];
        GroupCase { group, purchases, spend, predicted, compared }
    }

    /// The figures of all forecasts, of customers who may come repeatedly.
    fn figures(&self, customers: impl Iterator<Item = usize> + Clone) -> Vec<Figures> {
        let [purchases, revenues] = self.compared.each_ref().map(|compared| compared.figures(customers.clone()));
        purchases.into_iter().zip(revenues).map(|(purchases, revenues)| [purchases, revenues].concat()).collect()
    }

    /// The figures of all forecasts, of every customer once.
    fn figures_of_all(&self) -> Vec<Figures> {
        self.figures(0..self.purchases.len())
    }

    /// As many customers drawn with replacement, again and again; the same ones for all forecasts. Only the samples of one group of a cut are counted as
    /// progress: whether there are others is not known before.
    fn drawn(&self, samples: Samples, work: &Work<'_>, done_one: impl Fn() + Sync + Send) -> Drawn {
        let customers = self.purchases.len();
        let of_sample = |sample: usize| {
            if work.is_stopped() || customers == 0 {
                return self.figures(std::iter::empty());
            }
            let group = self.group as u64;
            let stream = samples.first_stream + group * u64::from(samples.count) + sample as u64;
            let mut rng = random_stream(samples.seed, stream);
            let drawn: Vec<usize> = (0..customers).map(|_| rng.random_range(0..customers)).collect();
            let figures = self.figures(drawn.iter().copied());
            done_one();
            figures
        };
        Drawn { level: samples.level, samples: map_indices(samples.count as usize, of_sample) }
    }

    fn runs(&self, case: &Case<'_>, forecasts: &[Forecast], drawn: &Drawn) -> Vec<Run> {
        let figures = self.figures_of_all();
        let baselines: Vec<(&'static str, Metrics)> = (forecasts.iter().zip(&figures))
            .filter(|(forecast, _)| forecast.is_to_be_beaten())
            .filter_map(|(forecast, figures)| Some((forecast.model, *figures.first()?)))
            .collect();
        let others = |model: &'static str| baselines.iter().filter(move |(name, _)| *name != model);
        let run = |index: usize| {
            let (forecast, figures, predicted) = (&forecasts[index], &figures[index], self.predicted[index]);
            let metrics = figures.first().copied().unwrap_or_default();
            let skill = |&(name, ref baseline): &(&'static str, Metrics)| (name, Skill::against(&metrics, baseline));
            Run {
                scheme: case.scheme,
                split: case.split,
                model: forecast.model,
                role: forecast.role,
                parameters: forecast.parameters.clone(),
                group: self.group,
                customers: self.purchases.len() as u64,
                actual_purchases: sum(&self.purchases),
                actual_spend: sum(&self.spend),
                predicted_purchases: predicted.map(|predicted| sum(&predicted.purchases)),
                predicted_variance: predicted.and_then(Predicted::variance),
                metrics,
                intervals: predicted.map_or_else(BTreeMap::new, |_| drawn.intervals(index, 0)),
                skill: if forecast.role == Role::Model { others(forecast.model).map(skill).collect() } else { BTreeMap::new() },
                tables: predicted.map_or_else(Tables::default, |predicted| self.tables(case, forecast, 0, predicted, drawn.level)),
                pit: predicted.and_then(|predicted| Pit::of(predicted.counts.as_deref()?)),
                reliability: predicted
                    .and_then(|predicted| predicted.p_active.as_deref())
                    .map_or_else(Vec::new, |p_active| reliability(p_active, &self.purchases, drawn.level)),
                revenue: predicted.map_or_else(Vec::new, |predicted| self.revenue_runs(case, forecast, index, predicted, figures, drawn)),
            }
        };
        map_indices(forecasts.len(), run)
    }

    fn revenue_runs(
        &self,
        case: &Case<'_>,
        forecast: &Forecast,
        index: usize,
        predicted: &Predicted,
        figures: &[Metrics],
        drawn: &Drawn,
    ) -> Vec<RevenueRun> {
        (1..)
            .zip(&predicted.revenue)
            .map(|(column, revenue)| RevenueRun {
                spend: revenue.spend,
                predicted: sum(&revenue.amounts),
                predicted_variance: revenue.variance,
                metrics: figures[column],
                intervals: drawn.intervals(index, column),
                tables: self.tables(case, forecast, column, predicted, drawn.level),
            })
            .collect()
    }

    fn tables(&self, case: &Case<'_>, forecast: &Forecast, column: usize, predicted: &Predicted, level: Level) -> Tables {
        let (quantity, actual, variances, predicted) = match column {
            0 => (Quantity::Purchases, &self.purchases, predicted.variances(), &predicted.purchases),
            _ => (Quantity::Spend, &self.spend, None, &predicted.revenue[column - 1].amounts),
        };
        let deciles = by_decile(actual, predicted, level);
        if self.group != Group::KnownAtCut {
            return Tables { deciles, ..Tables::default() };
        }
        let (by_period, wape_by_period) = case.weeks.against(quantity, &forecast.by_week[column]);
        Tables {
            by_frequency: by_frequency(case.customers, actual, predicted, variances.as_deref(), level),
            by_recency: by_recency(case.customers, case.calibration, actual, predicted, level),
            deciles,
            by_period,
            wape_by_period,
        }
    }

    /// Each model against those after it, and against every baseline.
    fn differences(&self, case: &Case<'_>, forecasts: &[Forecast], drawn: &Drawn) -> Vec<Difference> {
        let figures = self.figures_of_all();
        let mut differences = Vec::new();
        for (one, model) in forecasts.iter().enumerate().filter(|(_, forecast)| forecast.role == Role::Model) {
            for (other, against) in forecasts.iter().enumerate().skip(one + 1) {
                for metric in COMPARED {
                    let difference = |figures: &[Figures]| Some(figures[one].first()?.get(metric)? - figures[other].first()?.get(metric)?);
                    if let (Some(value), Some(interval)) = (difference(&figures), drawn.interval(difference)) {
                        let (model, against) = (model.model, against.model);
                        differences.push(Difference { split: case.split, model, against, metric, difference: value, interval });
                    }
                }
            }
        }
        differences
    }
}
