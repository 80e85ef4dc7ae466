//! Average spends against the Gamma-Gamma model.

use super::axis::Axis;
use super::chart::{ACTUAL, Chart, EXPECTED, Layer, Look, Mark};
use super::figure::{Figure, Key};
use super::show::{count, money, one_decimal};
use super::table::DataTable;
use crate::score::{SpendClass, SpendHistogram};

/// The histogram with the model's numbers over it.
pub(super) fn figure(histogram: &SpendHistogram) -> Option<Figure> {
    let classes = histogram.classes();
    let gap = |class: &SpendClass| (class.customers - class.expected).abs();
    let widest = classes.iter().max_by(|one, other| gap(one).total_cmp(&gap(other)))?;
    let finding = format!(
        "Spend and model differ most at {} a purchase: {} customers, {} expected",
        between(widest),
        count(widest.customers),
        count(widest.expected)
    );
    let reading = "Customers by their average spend, and how many the Gamma-Gamma model has in each class, given how often they bought. The last class holds all above it. A dip of the bars \
                   below the line on one side and above it on the other: the model misjudges who spends much."
        .to_owned();
    let words =
        |class: &SpendClass| format!("{}: {} customers, {} expected", between(class), count(class.customers), one_decimal(class.expected));
    let bars = classes.iter().enumerate().map(|(k, class)| ([k as f64 + 0.08, k as f64 + 0.92], class.customers, words(class)));
    let line = classes.iter().enumerate().map(|(k, class)| (k as f64 + 0.5, class.expected));
    let model = Look { mark: Some(Mark::Diamond), ..EXPECTED };
    let highest = classes.iter().flat_map(|class| [class.customers, class.expected]).fold(0.0, f64::max);
    let step = classes.len().div_ceil(7).max(1);
    let borders = classes.iter().enumerate().filter(|(k, _)| (classes.len() - 1 - k).is_multiple_of(step));
    let borders = borders.map(|(k, class)| (k, edge(class.from))).collect();
    let chart = Chart {
        x: Axis::borders("Average spend; last class: all above", borders, classes.len()),
        y: Axis::linear("Customers", 0.0, highest, 5),
        layers: vec![Layer::Bars(bars.collect(), ACTUAL.class), Layer::Line(line.collect(), model)],
    };
    let data = DataTable::default()
        .numbers("from", "Average spend from", edge, classes.iter().map(|class| Some(class.from)))
        .numbers("to", "to below", edge, classes.iter().map(|class| class.to))
        .numbers("customers", "Customers", count, classes.iter().map(|class| Some(class.customers)))
        .numbers("expected", "Expected", one_decimal, classes.iter().map(|class| Some(class.expected)));
    let legend = vec![(Key::Area("bar c2"), "customers".to_owned()), (Key::Line(model), "by the model".to_owned())];
    Some(Figure { name: "spend", finding, reading, legend, chart, data })
}

fn between(class: &SpendClass) -> String {
    match class.to {
        Some(to) => format!("{} to {}", edge(class.from), edge(to)),
        None => format!("{} or more", edge(class.from)),
    }
}

/// A round amount without needless cents.
fn edge(value: f64) -> String {
    if value.fract() == 0.0 { count(value) } else { money(value) }
}
