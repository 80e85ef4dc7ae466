//! Axes: where a value lies, and which round values are written beside it.

use crate::error::Result;
use crate::report::format::grouped;
use crate::time::Date;

/// A value that is written at an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// One direction of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub(super) title: String,
    pub(super) ticks: Vec<Tick>,
    from: f64,
    to: f64,
    is_log: bool,
}

/// Months between two ticks of a calendar.
const MONTHS: [i32; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 1200];

impl Axis {
    /// From 0 (or less, where there is less) to a round value that is not below `highest`, with about so many ticks.
    pub(super) fn linear(title: impl Into<String>, lowest: f64, highest: f64, about: usize) -> Self {
        let (lowest, highest) = (lowest.min(0.0), if highest > lowest.min(0.0) { highest } else { lowest.min(0.0) + 1.0 });
        let step = round_step((highest - lowest) / about.max(1) as f64);
        let (first, last) = ((lowest / step).floor() as i64, (highest / step - 1e-9).ceil() as i64);
        let ticks = (first..=last).map(|k| Tick { at: k as f64 * step, label: label(k as f64 * step, step) }).collect();
        Axis { title: title.into(), ticks, from: first as f64 * step, to: last as f64 * step, is_log: false }
    }

    /// Shares from 0 to 100 %.
    pub(super) fn shares(title: impl Into<String>) -> Self {
        let ticks = [0, 20, 40, 60, 80, 100].map(|percent| Tick { at: f64::from(percent) / 100.0, label: format!("{percent} %") });
        Axis { title: title.into(), ticks: ticks.to_vec(), from: 0.0, to: 1.0, is_log: false }
    }

    /// Shares from 0 (or less, where there is less) to a round value that is not below `highest`.
    pub(super) fn shares_between(title: impl Into<String>, lowest: f64, highest: f64) -> Self {
        let mut axis = Axis::linear(title, 100.0 * lowest, 100.0 * highest, 5);
        for tick in &mut axis.ticks {
            (tick.at, tick.label) = (tick.at / 100.0, format!("{} %", tick.label));
        }
        (axis.from, axis.to) = (axis.from / 100.0, axis.to / 100.0);
        axis
    }

    /// Factors around 1, as far up as down.
    pub(super) fn factors(title: impl Into<String>, farthest: f64) -> Self {
        let to = [1.25, 1.5, 2.0, 4.0, 10.0, 100.0].into_iter().find(|&to| to >= farthest).unwrap_or(farthest);
        let ends = [1.0 / to, (1.0 / to).sqrt(), 1.0, to.sqrt(), to];
        let ticks = ends.map(|at| Tick { at, label: format!("× {}", grouped(at, if at < 10.0 { 2 } else { 0 })) }).to_vec();
        Axis { title: title.into(), ticks, from: 1.0 / to, to, is_log: true }
    }

    /// The calendar, with ticks at the beginnings of months or, within a few weeks, on days.
    pub(super) fn days(title: impl Into<String>, first: Date, last: Date, about: usize) -> Result<Self> {
        let days = last.days_since(first).max(1);
        let at = |day: Date| f64::from(day.days_since_1970());
        let (begin, end) = (first.month_number() + 1, last.month_number());
        let ticks = if days < 75 {
            let step = (days / about.max(1) as i32 + 1) as usize;
            let ticks = (first.days_since_1970()..=last.days_since_1970()).step_by(step).map(Date::from_days_since_1970);
            ticks.map(|day| day.map(|day| Tick { at: at(day), label: day.to_string()[5..].to_owned() })).collect::<Result<Vec<_>>>()?
        } else {
            let step = MONTHS.into_iter().find(|step| (end - begin) / step < about as i32).unwrap_or(1200);
            let months = (begin..=end).filter(|month| month.rem_euclid(step) == 0);
            let length = if step < 12 { 7 } else { 4 };
            let tick = |day: Date| Tick { at: at(day), label: day.to_string().chars().take(length).collect() };
            months.map(|month| Date::of_month_number(month).map(tick)).collect::<Result<Vec<_>>>()?
        };
        Ok(Axis { title: title.into(), ticks, from: at(first), to: at(first) + f64::from(days), is_log: false })
    }

    /// Classes side by side: class k reaches from k to k + 1.
    pub(super) fn classes(title: impl Into<String>, labels: Vec<String>) -> Self {
        let to = labels.len().max(1) as f64;
        let ticks = labels.into_iter().enumerate().map(|(class, label)| Tick { at: class as f64 + 0.5, label }).collect();
        Axis { title: title.into(), ticks, from: 0.0, to, is_log: false }
    }

    /// The borders between classes: border k lies at k.
    pub(super) fn borders(title: impl Into<String>, labels: Vec<(usize, String)>, classes: usize) -> Self {
        let ticks = labels.into_iter().map(|(border, label)| Tick { at: border as f64, label }).collect();
        Axis { title: title.into(), ticks, from: 0.0, to: classes.max(1) as f64, is_log: false }
    }

    /// Where a value lies, from 0 to 1; beyond the ends it is drawn at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place =
            if self.is_log { (value / self.from).ln() / (self.to / self.from).ln() } else { (value - self.from) / (self.to - self.from) };
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, the next one from `width` on.
fn round_step(width: f64) -> f64 {
    let power = 10_f64.powf(width.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power).find(|&step| step >= width * (1.0 - 1e-9));
    step.filter(|step| step.is_normal()).unwrap_or(1.0)
}

/// A round value as an axis shows it: no more decimals than the step has, millions as M.
fn label(value: f64, step: f64) -> String {
    if value.abs() >= 1e15 || (value != 0.0 && step < 1e-6) {
        return format!("{value:.1e}");
    }
    if step >= 1e5 {
        return format!("{} M", grouped(value / 1e6, decimals(step / 1e6)));
    }
    grouped(value, decimals(step))
}

fn decimals(step: f64) -> usize {
    (0..7).find(|&decimals| (step * 10_f64.powi(decimals) - (step * 10_f64.powi(decimals)).round()).abs() < 1e-6).unwrap_or(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_reach_beyond_the_highest_value() {
        assert_eq!(labels(&Axis::linear("", 0.0, 87.0, 5)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::linear("", 0.0, 1.1, 5)), ["0.00", "0.25", "0.50", "0.75", "1.00", "1.25"]);
        assert_eq!(labels(&Axis::linear("", 0.0, 2.3e6, 5)), ["0.0 M", "0.5 M", "1.0 M", "1.5 M", "2.0 M", "2.5 M"]);
        assert_eq!(labels(&Axis::linear("", -3.0, 5.0, 4)), ["-4", "-2", "0", "2", "4", "6"]);
        assert_eq!(labels(&Axis::shares_between("", 0.0, 0.23)), ["0 %", "5 %", "10 %", "15 %", "20 %", "25 %"]);
        assert_eq!(labels(&Axis::factors("", 1.4)), ["× 0.67", "× 0.82", "× 1.00", "× 1.22", "× 1.50"]);
        // Of nothing, and of next to nothing.
        assert_eq!(labels(&Axis::linear("", 0.0, 0.0, 2)), ["0.0", "0.5", "1.0"]);
        assert!(labels(&Axis::linear("", 0.0, 3e-9, 3)).iter().all(|label| label.len() < 9));
    }

    #[test]
    fn calendars_have_months_years_or_days() {
        let axis = |first: &str, last: &str| Axis::days("", first.parse().unwrap(), last.parse().unwrap(), 6).unwrap();
        assert_eq!(labels(&axis("1997-01-01", "1998-06-30")), ["1997-04", "1997-07", "1997-10", "1998-01", "1998-04"]);
        assert_eq!(labels(&axis("2010-05-01", "2019-06-30")), ["2012", "2014", "2016", "2018"]);
        assert_eq!(labels(&axis("2026-01-01", "2026-01-20")), ["01-01", "01-05", "01-09", "01-13", "01-17"]);
    }

    #[test]
    fn every_value_has_a_place() {
        let axis = Axis::linear("", 0.0, 10.0, 5);
        assert_eq!([0.0, 5.0, 10.0, 99.0, -1.0, f64::NAN].map(|value| axis.place(value)), [0.0, 0.5, 1.0, 1.0, 0.0, 0.0]);
        assert!((Axis::factors("", 2.0).place(1.0) - 0.5).abs() < 1e-12);
    }
}
