//! Whether one model fits all times: cohorts by when they came, and parameters from cut to cut.

use super::axis::Axis;
use super::chart::{Chart, EXPECTED, Layer, Look, SERIES};
use super::figure::{Figure, Key};
use super::show::{count, four_digits, three_decimals, two_decimals};
use super::table::{Cells, DataTable};
use crate::backtest::{CohortCurve, CohortCurves, ParameterPath, PathRow};
use crate::error::Result;
use crate::time::Date;

/// The cohorts' repeat purchases per customer against the model.
pub(super) fn cohorts(curves: &CohortCurves) -> Result<Option<Figure>> {
    let drawn: Vec<(&CohortCurve, Look)> = curves
        .cohorts()
        .iter()
        .filter(|cohort| cohort.points.len() > 1)
        .zip(SERIES.into_iter().cycle())
        .map(|(cohort, (class, mark))| (cohort, Look { class, is_dashed: false, mark: Some(mark) }))
        .collect();
    let points = || drawn.iter().flat_map(|(cohort, _)| cohort.points.iter().map(move |point| (*cohort, point)));
    let (Some(first), Some(last)) = (points().map(|(_, point)| point.end).min(), points().map(|(_, point)| point.end).max()) else {
        return Ok(None);
    };
    let gap = |cohort: &CohortCurve| cohort.points.last().map_or(0.0, |last| (last.actual - last.expected).abs());
    let Some((farthest, _)) = drawn.iter().max_by(|(one, _), (other, _)| gap(one).total_cmp(&gap(other))) else { return Ok(None) };
    let Some(end) = farthest.points.last() else { return Ok(None) };
    let finding = format!(
        "Furthest from its curve are the customers who came in {}: {} repeat purchases each, {} expected",
        name(farthest.born_from, curves.months()),
        two_decimals(end.actual),
        two_decimals(end.expected)
    );
    let reading = "Repeat purchases per customer so far, by when customers made their first purchase; dashed, what the model expects from that day on. One set of parameters stands for all: a \
                   cohort that runs off its dashed line is of another kind."
        .to_owned();
    let line = |cohort: &CohortCurve, of: fn(&crate::backtest::CohortPoint) -> f64| {
        cohort.points.iter().map(|point| (f64::from(point.end.days_since_1970()), of(point))).collect::<Vec<_>>()
    };
    let highest = points().flat_map(|(_, point)| [point.actual, point.expected]).fold(0.0, f64::max);
    let layers = drawn.iter().flat_map(|&(cohort, look)| {
        let expected = Look { is_dashed: true, mark: None, ..look };
        [Layer::Line(line(cohort, |point| point.expected), expected), Layer::Line(line(cohort, |point| point.actual), look)]
    });
    let chart = Chart {
        x: Axis::days("Day", first, last, 6)?,
        y: Axis::linear("Repeat purchases per customer", 0.0, highest, 5),
        layers: layers.collect(),
    };
    let mut legend: Vec<(Key, String)> = drawn
        .iter()
        .map(|&(cohort, look)| {
            (Key::Line(look), format!("{} ({} customers)", name(cohort.born_from, curves.months()), count(cohort.customers as f64)))
        })
        .collect();
    legend.push((Key::Line(Look { class: "c5", ..EXPECTED }), "expected, in the same colour".to_owned()));
    let data = DataTable::default()
        .with("born_from", "First purchase from", Cells::Day(points().map(|(cohort, _)| cohort.born_from).collect()))
        .numbers("customers", "Customers", count, points().map(|(cohort, _)| Some(cohort.customers as f64)))
        .with("until", "Until", Cells::Day(points().map(|(_, point)| point.end).collect()))
        .numbers("actual", "Came, per customer", three_decimals, points().map(|(_, point)| Some(point.actual)))
        .numbers("expected", "Expected, per customer", three_decimals, points().map(|(_, point)| Some(point.expected)));
    Ok(Some(Figure { name: "cohorts", finding, reading, legend, chart, data }))
}

/// 1997-01, 1997-01 to 1997-03, 1997, 1997 to 1998
fn name(from: Date, months: i32) -> String {
    let month = |day: Date| day.to_string().chars().take(7).collect::<String>();
    let year = |month: &str| month.chars().take(4).collect::<String>();
    let last = Date::of_month_number(from.month_number() + months - 1).map_or_else(|_| String::new(), month);
    let first = month(from);
    match months {
        1 => first,
        12 => year(&first),
        months if months % 12 == 0 => format!("{} to {}", year(&first), year(&last)),
        _ => format!("{first} to {last}"),
    }
}

/// The parameters over those of the latest fit.
pub(super) fn parameters(path: &ParameterPath, model: &str, customers: &str) -> Result<Option<Figure>> {
    let rows = path.rows();
    let (Some(first), Some(last)) = (rows.first().map(|row| row.until), rows.last().map(|row| row.until)) else { return Ok(None) };
    if first == last {
        return Ok(None);
    }
    let away = |row: &&PathRow| row.relative.ln().abs();
    let Some(farthest) = rows.iter().max_by(|one, other| away(one).total_cmp(&away(other))) else { return Ok(None) };
    let mut names: Vec<&'static str> = Vec::new();
    rows.iter().for_each(|row| {
        if !names.contains(&row.parameter) {
            names.push(row.parameter)
        }
    });
    let looks = || names.iter().zip(SERIES).map(|(&name, (class, mark))| (name, Look { class, is_dashed: false, mark: Some(mark) }));
    let line = |name: &str| {
        let own = rows.iter().filter(|row| row.parameter == name);
        own.map(|row| (f64::from(row.until.days_since_1970()), row.relative)).collect::<Vec<_>>()
    };
    let finding = format!(
        "Since {first} the parameter {} has moved most: on {} it was {} times what it is now",
        farthest.parameter,
        farthest.until,
        two_decimals(farthest.relative)
    );
    let reading = format!(
        "Each parameter of {model} as it was fitted to all that was known by a day{customers}, over its value today. Parameters that settle have learned what there is to learn; \
         several that move together (r and alpha, a and b) may forecast the same."
    );
    let farthest = rows.iter().map(|row| row.relative.max(1.0 / row.relative)).fold(1.0, f64::max);
    let chart = Chart {
        x: Axis::days("Fitted to all until", first, last, 6)?,
        y: Axis::factors("Times today's value", farthest),
        layers: looks().map(|(name, look)| Layer::Line(line(name), look)).collect(),
    };
    let data = DataTable::default()
        .with("until", "Fitted until", Cells::Day(rows.iter().map(|row| row.until).collect()))
        .with("parameter", "Parameter", Cells::Text(rows.iter().map(|row| row.parameter.to_owned()).collect()))
        .numbers("value", "Value", four_digits, rows.iter().map(|row| Some(row.value)))
        .numbers("relative", "Over today's", three_decimals, rows.iter().map(|row| Some(row.relative)));
    let legend = looks().map(|(name, look)| (Key::Line(look), name.to_owned())).collect();
    Ok(Some(Figure { name: "parameters", finding, reading, legend, chart, data }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_are_called_by_months_or_years() {
        let day: Date = "1997-07-01".parse().unwrap();
        let january: Date = "1997-01-01".parse().unwrap();
        assert_eq!(
            [name(day, 1), name(day, 3), name(january, 12), name(january, 24)],
            ["1997-07", "1997-07 to 1997-09", "1997", "1997 to 1998"]
        );
    }
}
