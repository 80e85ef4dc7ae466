//! Who holds the value: its concentration, and its distribution with the bands.

use super::axis::Axis;
use super::chart::{Chart, Layer, Look, below_words};
use super::figure::{Figure, Key};
use super::show::{count, cut, fine_share, money, share};
use super::table::DataTable;
use crate::report::format::grouped;
use crate::score::{Concentration, Totals, ValueBands, ValueClass, ValueHistogram};

/// Customers of whom a tenth can be told.
const FEWEST: f64 = 10.0;

/// A share that is shown as more than all.
const ROUNDED: f64 = 1.000_5;

/// The longest name of a band in the drawing.
const LONGEST_NAME: usize = 12;

/// The Lorenz curve, from the most valuable customer on.
pub(super) fn concentration(spread: &Concentration, totals: &Totals) -> Figure {
    let points = spread.points();
    let at = |percent: usize| points.get(percent).map_or(0.0, |point| point.value);
    let half = spread.half_held_by();
    let finding = format!(
        "{} of {} customers ({}) hold half of the value",
        count(half.ceil()),
        count(totals.customers),
        fine_share(half / totals.customers)
    );
    // Where customers cost more than they bring, the others hold more than all.
    let highest = points.iter().map(|point| point.value).fold(1.0, f64::max);
    let held = Look { class: "c1", is_dashed: false, mark: None };
    let ideal = Look { class: "ideal", is_dashed: false, mark: None };
    let chart = Chart {
        x: Axis::shares("Share of the customers, the most valuable first"),
        y: Axis::shares_between("Share of the value", 0.0, highest),
        layers: vec![
            Layer::Line(vec![(0.0, 0.0), (1.0, 1.0)], ideal),
            Layer::Line(points.iter().map(|point| (point.customers, point.value)).collect(), held),
        ],
    };
    let data = DataTable::default()
        .numbers("customers", "Share of the customers", share, points.iter().map(|point| Some(point.customers)))
        .numbers("value", "Share of the value", fine_share, points.iter().map(|point| Some(point.value)));
    let further = "The further the curve from the diagonal, the fewer customers matter.";
    let costly = if highest > ROUNDED {
        " Shares are of the total after costs: others cost more than they bring, so that these hold more than all of it."
    } else {
        ""
    };
    // A tenth of nine customers is none.
    let reading = if totals.customers < FEWEST {
        format!("{further}{costly}")
    } else {
        format!("The most valuable 1 % hold {}, 10 % hold {}, 20 % hold {}.{costly} {further}", share(at(1)), share(at(10)), share(at(20)))
    };
    let legend = vec![(Key::Line(held), "value held".to_owned()), (Key::Line(ideal), "if all were worth the same".to_owned())];
    Figure { name: "concentration", finding, reading, legend, chart, data }
}

/// Customers and value by classes of CLV; none where all together are not worth more than 0, of which there are no shares.
pub(super) fn distribution(histogram: &ValueHistogram, totals: &Totals, bands: Option<&ValueBands>) -> Option<Figure> {
    let classes = histogram.classes();
    let (customers, value) = (totals.customers - totals.without_clv, totals.clv.filter(|&clv| clv > 0.0)?);
    let most = |of: fn(&ValueClass) -> f64| classes.iter().max_by(|one, other| of(one).total_cmp(&of(other)));
    let (usual, richest) = (most(|class| class.customers)?, most(|class| class.value)?);
    let between = |class: &ValueClass| format!("{} to {}", edge(class.from), edge(class.to));
    let finding = format!(
        "Customers are most often worth {} ({} of them); the largest part of the value lies with those worth {} ({})",
        between(usual),
        share(usual.customers / customers),
        between(richest),
        share(richest.value / value)
    );
    let bars = |from: f64, to: f64, word: &str, of: &dyn Fn(&ValueClass) -> f64| {
        let bar = |(k, class): (usize, &ValueClass)| {
            ([k as f64 + from, k as f64 + to], of(class), format!("{}: {} of the {word}", between(class), fine_share(of(class))))
        };
        classes.iter().enumerate().map(bar).collect::<Vec<_>>()
    };
    let (of_customers, of_value) = (|class: &ValueClass| class.customers / customers, |class: &ValueClass| class.value / value);
    let shares = || classes.iter().flat_map(|class| [of_customers(class), of_value(class)]);
    let (lowest, highest) = (shares().fold(0.0, f64::min), shares().fold(0.0, f64::max));
    let mut layers =
        vec![Layer::Bars(bars(0.1, 0.5, "customers", &of_customers), "c1"), Layer::Bars(bars(0.5, 0.9, "value", &of_value), "c3")];
    let limits: Vec<(String, f64)> = bands
        .iter()
        .flat_map(|bands| bands.rule().names().zip(bands.limits()))
        .map(|(name, &limit)| (cut(name, LONGEST_NAME), limit))
        .collect();
    layers.extend(limits.iter().enumerate().map(|(row, (name, limit))| Layer::Upright(place(classes, *limit), name.clone(), row)));
    let chart = Chart {
        x: Axis::borders("CLV of a customer (each step 1, 2, 5, 10)", borders(classes), classes.len()),
        y: Axis::shares_between("Share", lowest, below_words(highest, limits.len())),
        layers,
    };
    let data = DataTable::default()
        .numbers("from", "CLV from", edge, classes.iter().map(|class| Some(class.from)))
        .numbers("to", "to below", edge, classes.iter().map(|class| Some(class.to)))
        .numbers("customers", "Customers", count, classes.iter().map(|class| Some(class.customers)))
        .numbers("value", "Value", money, classes.iter().map(|class| Some(class.value)));
    let reading = "Each step of the axis is about twice the one before: values differ by factors, not by amounts. A CLV is an expectation; what single customers will \
                   bring differs more."
        .to_owned();
    let mut legend = vec![(Key::Area("bar c1"), "customers (left)".to_owned()), (Key::Area("bar c3"), "value (right)".to_owned())];
    legend.extend(limits.iter().map(|(name, limit)| (Key::Upright, format!("{name} from {}", money(*limit)))));
    Some(Figure { name: "value_distribution", finding, reading, legend, chart, data })
}

/// An end of a class, which is a round number.
fn edge(value: f64) -> String {
    let decimals = (0..9).find(|&decimals| value >= 10_f64.powi(-decimals) * 0.999).unwrap_or(0);
    if value >= 1e9 || (value > 0.0 && value < 1e-8) { format!("{value:e}") } else { grouped(value, decimals as usize) }
}

/// The borders that are written: 0, the powers of ten and the last one.
fn borders(classes: &[ValueClass]) -> Vec<(usize, String)> {
    let ends = classes.iter().map(|class| class.from).enumerate();
    let is_power = |value: f64| format!("{value:e}").starts_with("1e");
    let mut borders: Vec<(usize, String)> = ends.filter(|&(_, end)| end == 0.0 || is_power(end)).map(|(k, end)| (k, edge(end))).collect();
    if let (Some(last), true) = (classes.last(), borders.last().is_none_or(|&(border, _)| border + 1 < classes.len())) {
        borders.push((classes.len(), edge(last.to)));
    }
    borders
}

/// Where a value lies among the classes: evenly in those that begin at 0 or below, by factors in the others.
fn place(classes: &[ValueClass], value: f64) -> f64 {
    let Some((k, class)) = classes.iter().enumerate().find(|(_, class)| value < class.to) else { return classes.len() as f64 };
    let within = if class.from > 0.0 {
        (value / class.from).ln() / (class.to / class.from).ln()
    } else {
        (value - class.from) / (class.to - class.from)
    };
    k as f64 + within.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_round_and_values_lie_between_them() {
        let class = |(from, to)| ValueClass { from, to, customers: 1.0, value: 1.0 };
        let classes: Vec<ValueClass> = [(0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 5.0), (5.0, 10.0), (10.0, 20.0)].map(class).to_vec();
        let written: Vec<(usize, String)> = borders(&classes);
        assert_eq!(written, [(0, "0".to_owned()), (2, "1".to_owned()), (5, "10".to_owned())]);
        assert_eq!([0.5, 200_000.0, 0.002].map(edge), ["0.5", "200,000", "0.002"]);
        assert_eq!([0.25, 1.0, 20.0, 1e9].map(|value| place(&classes, value)), [0.5, 2.0, 6.0, 6.0]);
        assert!((place(&classes, 2_f64.sqrt()) - 2.5).abs() < 1e-12);
    }
}
