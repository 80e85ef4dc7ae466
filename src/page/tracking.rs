//! Purchases week by week against what was expected, with the cut.

use super::axis::Axis;
use super::chart::{ACTUAL, Chart, EXPECTED, Layer, Look, below_words};
use super::figure::{Figure, Key};
use super::show::{count, off, one_decimal};
use super::table::{Cells, DataTable};
use crate::backtest::{Tracked, Tracking, TrackingRow};
use crate::error::Result;
use crate::report::format::percent;

/// Week after week there is no room for marks: the line is whole and that of the model is dashed.
const CAME: Look = Look { mark: None, ..ACTUAL };

/// Cumulative repeat purchases, and those of each week.
pub(super) fn figures(tracking: &Tracking) -> Result<Vec<Figure>> {
    let (within, weeks) = tracking.weeks_within();
    if tracking.weeks.is_empty() {
        return Ok(Vec::new());
    }
    let level = percent(tracking.level);
    let cut = tracking.split.cut();
    let total = match tracking.holdout_bias() {
        Some(bias) => format!("In the {weeks} weeks after {cut} the forecast of all purchases was {}", off(bias)),
        None => format!("Nobody bought again after {cut}"),
    };
    let weekly = format!("{within} of {weeks} weeks after {cut} lie within the {level} interval");
    Ok(vec![
        figure(
            tracking,
            "tracking_cumulative",
            total,
            "Repeat purchases so far",
            format!(
                "Repeat purchases of all customers since the first day; those who came after the upright line are counted from their first purchase, so that this is another \
                 figure than that of the customers who were known there, at the head of the page. The model ({}) knows nothing after the upright line. The area is its {level} interval; parameters are \
                 taken as known and customers as independent, so that a season that moves all of them lies outside.",
                tracking.model
            ),
            |week| &week.cumulative_purchases,
        )?,
        figure(
            tracking,
            "tracking_weekly",
            weekly,
            "Repeat purchases a week",
            "The same week by week: what holidays and campaigns do shows here, and no model of this kind knows of them.".to_owned(),
            |week| &week.purchases,
        )?,
    ])
}

fn figure(
    tracking: &Tracking,
    name: &'static str,
    finding: String,
    what: &str,
    reading: String,
    of: fn(&TrackingRow) -> &Tracked,
) -> Result<Figure> {
    let weeks = &tracking.weeks;
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
        return Err(crate::error::Error::data("there is no week to draw"));
    };
    let at = |week: &TrackingRow| f64::from(week.end.days_since_1970());
    let line = |value: fn(&Tracked) -> f64| weeks.iter().map(|week| (at(week), value(of(week)))).collect::<Vec<_>>();
    let band: Vec<(f64, [f64; 2])> = weeks.iter().filter_map(|week| Some((at(week), of(week).interval?))).collect();
    let upper = band.iter().map(|&(_, [_, upper])| upper);
    let highest = weeks.iter().flat_map(|week| [of(week).actual, of(week).expected]).chain(upper).fold(0.0, f64::max);
    let cut = f64::from(tracking.split.cut().days_since_1970());
    let end = |end: usize| weeks.iter().map(move |week| of(week).interval.map(|interval| interval[end]));
    let data = DataTable::default()
        .with("week_end", "Week until", Cells::Day(weeks.iter().map(|week| week.end).collect()))
        .numbers("actual", "Came", count, weeks.iter().map(|week| Some(of(week).actual)))
        .numbers("expected", "Expected", one_decimal, weeks.iter().map(|week| Some(of(week).expected)))
        .numbers("lower", "Lower end", one_decimal, end(0))
        .numbers("upper", "Upper end", one_decimal, end(1));
    let chart = Chart {
        x: Axis::days("Week until", first.end, last.end, 6)?,
        y: Axis::linear(what, 0.0, below_words(highest, 1), 5),
        layers: vec![
            Layer::Band(band, EXPECTED.class),
            Layer::Upright(cut, "forecast from here".to_owned(), 0),
            Layer::Line(line(|tracked| tracked.expected), EXPECTED),
            Layer::Line(line(|tracked| tracked.actual), CAME),
        ],
    };
    let legend = vec![
        (Key::Line(CAME), "came".to_owned()),
        (Key::Line(EXPECTED), "expected".to_owned()),
        (Key::Area("band c1"), format!("{} interval", percent(tracking.level))),
    ];
    Ok(Figure { name, finding, reading, legend, chart, data })
}
