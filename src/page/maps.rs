//! What the model makes of a history: P(alive) and expected purchases over frequency and recency.

use super::axis::Axis;
use super::chart::{Chart, Layer};
use super::figure::{Figure, Key};
use super::show::{count, fine_share, one_decimal, share};
use super::table::{DataTable, Show};
use crate::score::{HistoryMap, MapCell};
use crate::time::TimeUnit;

/// The two maps; that of the purchases only where they add up to a number.
pub(super) fn figures(map: &HistoryMap, unit: TimeUnit, horizon: &str) -> Vec<Figure> {
    [p_alive(map, unit), expected(map, unit, horizon)].into_iter().flatten().collect()
}

fn p_alive(map: &HistoryMap, unit: TimeUnit) -> Option<Figure> {
    // Somebody who bought a few times and then no more for half of their time.
    let example = map.cells().iter().find(|cell| cell.frequency == 4 && cell.recency > 0.5 * map.age())?;
    let finding = format!(
        "After 4 repeat purchases and {} {unit}s of silence a customer is alive with a probability of {}",
        count(map.age() - example.recency),
        share(example.p_alive)
    );
    let reading = format!(
        "P(alive) of customers of age {} {unit}s, by how often they came back and how long after their first purchase they were last seen. Who bought often and fell silent is \
         paler than who bought rarely: a frequent buyer's silence says more.",
        count(map.age())
    );
    let steps = [0.0, 0.5, 1.0].map(|at| (Key::Cell(at), share(at))).to_vec();
    Some(figure(map, unit, "map_p_alive", (finding, reading), steps, 1.0, ("p_alive", "P(alive)", fine_share), |cell| Some(cell.p_alive)))
}

fn expected(map: &HistoryMap, unit: TimeUnit, horizon: &str) -> Option<Figure> {
    let value = |cell: &&MapCell| cell.expected_purchases.unwrap_or(0.0);
    let best =
        map.cells().iter().filter(|cell| cell.expected_purchases.is_some()).max_by(|one, other| value(one).total_cmp(&value(other)))?;
    let highest = best.expected_purchases?;
    let finding =
        format!("A customer who came back {} times and lately is expected to buy {} times {horizon}", best.frequency, one_decimal(highest));
    let reading = format!(
        "Expected purchases {horizon} of customers of age {} {unit}s: high only for those who bought often and lately.",
        count(map.age())
    );
    let steps = [0.0, 0.5, 1.0].map(|at| (Key::Cell(at), one_decimal(at * highest))).to_vec();
    let quantity = ("expected_purchases", "Expected purchases", one_decimal as Show);
    Some(figure(map, unit, "map_expected_purchases", (finding, reading), steps, highest, quantity, |cell| cell.expected_purchases))
}

#[expect(clippy::too_many_arguments, reason = "the two maps differ in all of these")]
fn figure(
    map: &HistoryMap,
    unit: TimeUnit,
    name: &'static str,
    (finding, reading): (String, String),
    legend: Vec<(Key, String)>,
    highest: f64,
    (column, heading, show): (&'static str, &'static str, Show),
    value: fn(&MapCell) -> Option<f64>,
) -> Figure {
    let cells = map.cells();
    let half = 0.5 * map.recency_width();
    let most = cells.iter().map(|cell| cell.frequency).max().unwrap_or(0);
    let drawn = cells.iter().filter_map(|cell| {
        let (x, middle, value) = (f64::from(cell.frequency), cell.recency.max(half), value(cell)?);
        let words = format!("x = {}, t_x = {}: {}", cell.frequency, one_decimal(cell.recency), show(value));
        // Neighbours overlap by nothing and leave a hair between them.
        Some(([x + 0.03, x + 0.97], [middle - 0.94 * half, middle + 0.94 * half], value / highest.max(f64::MIN_POSITIVE), words))
    });
    // Every label where there is room for it.
    let step = if most > 9 { 2 } else { 1 };
    let labels = (0..=most).map(|x| if x % step == 0 { x.to_string() } else { String::new() }).collect();
    let chart = Chart {
        x: Axis::classes("Frequency: repeat purchases", labels),
        y: Axis::linear(format!("Recency: {unit}s from first to last purchase"), 0.0, map.age(), 5),
        layers: vec![Layer::Cells(drawn.collect())],
    };
    let data = DataTable::default()
        .numbers("frequency", "Frequency", count, cells.iter().map(|cell| Some(f64::from(cell.frequency))))
        .numbers("recency", format!("Recency, {unit}s"), one_decimal, cells.iter().map(|cell| Some(cell.recency)))
        .numbers(column, heading, show, cells.iter().map(value));
    Figure { name, finding, reading, legend, chart, data }
}
