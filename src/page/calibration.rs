//! Expected against actual by classes of customers, and whether probabilities mean what they say.

use super::axis::Axis;
use super::chart::{ACTUAL, Chart, EXPECTED, Layer, Look, Mark};
use super::figure::{Figure, Key};
use super::show::{count, fine_share, share, three_decimals, two_decimals};
use super::table::{Cells, DataTable};
use crate::backtest::{ReliabilityRow, Run};
use crate::report::methods::days;

/// The interval of a bar, over it.
const WHISKER: Look = Look { class: "whisker", is_dashed: false, mark: None };

/// Customers below which a class says little about the model.
const FEW: u64 = 30;

/// By calibration frequency, by decile of the forecast, and the reliability of P(active).
pub(super) fn figures(run: &Run) -> Vec<Figure> {
    [by_frequency(run), deciles(run), reliability(run)].into_iter().flatten().collect()
}

/// A class of customers: its name, how many they are, what came and what was expected per customer.
struct Class {
    name: String,
    customers: f64,
    actual: Option<f64>,
    expected: Option<f64>,
    /// The interval of what came.
    interval: Option<[f64; 2]>,
}

fn by_frequency(run: &Run) -> Option<Figure> {
    let class = |row: &crate::backtest::FrequencyRow| Class {
        name: format!("{}{}", row.frequency, if row.or_more { "+" } else { "" }),
        customers: row.customers as f64,
        actual: row.actual,
        expected: row.predicted,
        interval: row.actual_interval,
    };
    let classes: Vec<Class> = run.tables.by_frequency.iter().map(class).collect();
    let gap = |class: &Class| Some((class.actual? - class.expected?).abs() * class.customers);
    let widest = classes
        .iter()
        .filter(|class| gap(class).is_some())
        .max_by(|one, other| gap(one).partial_cmp(&gap(other)).unwrap_or(std::cmp::Ordering::Equal))?;
    let finding = format!(
        "Customers with {} repeat purchase{} account for the largest part of the error: {} purchases each came, {} were expected",
        widest.name,
        if widest.name == "1" { "" } else { "s" },
        two_decimals(widest.actual?),
        two_decimals(widest.expected?)
    );
    let reading = format!(
        "Purchases per customer in the {} after {}, by repeat purchases before it. Bars of a pair that are as high as each other: the model tells customers apart as it should; of ten intervals, one is missed by chance.",
        days(run.split.days()),
        run.split.cut()
    );
    Some(paired("by_frequency", ("frequency", "Repeat purchases before the cut"), finding, reading, &classes))
}

fn deciles(run: &Run) -> Option<Figure> {
    let classes: Vec<Class> = (run.tables.deciles.iter())
        .map(|row| Class {
            name: row.decile.to_string(),
            customers: row.customers,
            actual: row.actual,
            expected: row.predicted,
            interval: row.actual_interval,
        })
        .collect();
    let capture = run.metrics.top_decile_capture.filter(|_| !classes.is_empty())?;
    let finding = format!("The tenth of the customers of whom most was expected made {} of the purchases", share(capture));
    let reading = "Purchases per customer after the cut, by tenths of the customers in the order of the forecast: 10 is the tenth of whom most was expected. A forecast that ranks \
                   well rises steeply; one that is calibrated has pairs of equal bars."
        .to_owned();
    Some(paired("deciles", ("decile", "Tenth of the customers, by forecast"), finding, reading, &classes))
}

fn paired(name: &'static str, (column, axis): (&'static str, &str), finding: String, reading: String, classes: &[Class]) -> Figure {
    let upper = |class: &Class| class.interval.map(|[_, upper]| upper);
    let highest = classes.iter().flat_map(|class| [class.actual, class.expected, upper(class)]).flatten().fold(0.0, f64::max);
    let whisker = |(k, class): (usize, &Class)| {
        let [lower, upper] = class.interval?;
        let middle = k as f64 + 0.32;
        Some(Layer::Line(vec![(middle, lower.max(0.0)), (middle, upper)], WHISKER))
    };
    let bars = |from: f64, to: f64, word: &str, of: fn(&Class) -> Option<f64>| {
        let bar = |(k, class): (usize, &Class)| {
            let value = of(class)?;
            Some(([k as f64 + from, k as f64 + to], value, format!("{}: {word} {}", class.name, three_decimals(value))))
        };
        classes.iter().enumerate().filter_map(bar).collect::<Vec<_>>()
    };
    let data = DataTable::default()
        .with(column, axis, Cells::Text(classes.iter().map(|class| class.name.clone()).collect()))
        .numbers("customers", "Customers", count, classes.iter().map(|class| Some(class.customers)))
        .numbers("actual", "Came, per customer", three_decimals, classes.iter().map(|class| class.actual))
        .numbers("expected", "Expected, per customer", three_decimals, classes.iter().map(|class| class.expected))
        .numbers("actual_lower", "Came, from", three_decimals, classes.iter().map(|class| class.interval.map(|[lower, _]| lower)))
        .numbers("actual_upper", "to", three_decimals, classes.iter().map(upper));
    let chart = Chart {
        x: Axis::classes(axis, classes.iter().map(|class| class.name.clone()).collect()),
        y: Axis::linear("Purchases per customer", 0.0, highest, 5),
        layers: [
            Layer::Bars(bars(0.14, 0.5, "came", |class| class.actual), ACTUAL.class),
            Layer::Bars(bars(0.5, 0.86, "expected", |class| class.expected), EXPECTED.class),
        ]
        .into_iter()
        .chain(classes.iter().enumerate().filter_map(whisker))
        .collect(),
    };
    let legend = vec![
        (Key::Area("bar c2"), "came (left)".to_owned()),
        (Key::Area("bar c1"), "expected (right)".to_owned()),
        (Key::Line(WHISKER), "90 % interval of what came".to_owned()),
    ];
    Figure { name, finding, reading, legend, chart, data }
}

fn reliability(run: &Run) -> Option<Figure> {
    let rows: Vec<&ReliabilityRow> = run.reliability.iter().filter(|row| row.customers > 0).collect();
    let gap = |row: &&&ReliabilityRow| (row.predicted.unwrap_or(0.0) - row.actual.unwrap_or(0.0)).abs();
    let of_many = rows.iter().filter(|row| row.customers >= FEW).max_by(|one, other| gap(one).total_cmp(&gap(other)));
    let finding = match of_many {
        Some(row) => format!(
            "P(active) was furthest off where it was {} on average: {} of these customers bought",
            share(row.predicted?),
            share(row.actual?)
        ),
        None => "No class of P(active) has enough customers to judge it by".to_owned(),
    };
    let points: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((row.predicted?, row.actual?))).collect();
    if points.is_empty() {
        return None;
    }
    let data = DataTable::default()
        .numbers("from", "P(active) from", share, rows.iter().map(|row| Some(row.from)))
        .numbers("to", "to", share, rows.iter().map(|row| Some(row.to)))
        .numbers("customers", "Customers", count, rows.iter().map(|row| Some(row.customers as f64)))
        .numbers("predicted", "Mean P(active)", fine_share, rows.iter().map(|row| row.predicted))
        .numbers("actual", "Bought", fine_share, rows.iter().map(|row| row.actual));
    let ideal = Look { class: "ideal", is_dashed: false, mark: None };
    let seen = Look { class: ACTUAL.class, is_dashed: false, mark: Some(Mark::Disc) };
    let chart = Chart {
        x: Axis::shares("P(active): forecast probability of a purchase"),
        y: Axis::shares("Share that bought"),
        layers: vec![Layer::Line(vec![(0.0, 0.0), (1.0, 1.0)], ideal), Layer::Line(points, seen)],
    };
    let legend =
        vec![(Key::Line(seen), "customers in tenths of P(active)".to_owned()), (Key::Line(ideal), "probabilities that hold".to_owned())];
    let reading = format!(
        "P(active) is the probability of at least one purchase in the {} after the cut. Points on the diagonal: of customers given 30 %, 30 % bought. The classes hold {} to {} customers.",
        days(run.split.days()),
        count(rows.iter().map(|row| row.customers).min()? as f64),
        count(rows.iter().map(|row| row.customers).max()? as f64)
    );
    Some(Figure { name: "reliability", finding, reading, legend, chart, data })
}
